//! What is asked of a request, one file per rule. [`Check::ORDER`] is the written precedence of refusals.

use std::fmt;

pub(crate) mod account;
pub(crate) mod action;
pub(crate) mod form;
pub(crate) mod method;
pub(crate) mod mfa;
pub(crate) mod nonce;
pub(crate) mod parameters;
pub(crate) mod permission;
pub(crate) mod protocol;
pub(crate) mod quota;
pub(crate) mod secret_id;
pub(crate) mod signature;
pub(crate) mod timestamp;
pub(crate) mod token;
pub(crate) mod types;

/// One rule behind an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Check {
    /// HTTPS only.
    Protocol,
    /// GET or POST.
    Method,
    /// Sizes, and whether query, form and headers can be read at all.
    Form,
    /// Required parameters, and the grammar of `Authorization`.
    Parameters,
    /// Values of the common parameters have their types.
    Types,
    /// The timestamp is within the window.
    Timestamp,
    /// The SecretId exists.
    SecretId,
    /// The token belongs to the SecretId.
    Token,
    /// The signature is valid.
    Signature,
    /// The nonce is new.
    Nonce,
    /// The account is in good standing and among those that the action is for.
    Account,
    /// Multi-factor authentication, where it is demanded.
    Mfa,
    /// The action exists and is in service.
    Action,
    /// The account may call the action on these resources.
    Permission,
    /// Requests per second.
    Rate,
    /// Requests per period.
    Quota,
}

impl Check {
    /// A request that fails several checks is refused by the first of them in this order (protocol.md §4.4).
    ///
    /// Checks that ask no store come first, those that write come last; nothing before [`Check::Nonce`] changes state, so
    /// an unauthenticated request changes none.
    pub const ORDER: [Self; 16] = [
        Self::Protocol,
        Self::Method,
        Self::Form,
        Self::Parameters,
        Self::Types,
        Self::Timestamp,
        Self::SecretId,
        Self::Token,
        Self::Signature,
        Self::Nonce,
        Self::Account,
        Self::Mfa,
        Self::Action,
        Self::Permission,
        Self::Rate,
        Self::Quota,
    ];

    /// A stable kebab-case name.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Protocol => "protocol",
            Self::Method => "method",
            Self::Form => "form",
            Self::Parameters => "parameters",
            Self::Types => "types",
            Self::Timestamp => "timestamp",
            Self::SecretId => "secret-id",
            Self::Token => "token",
            Self::Signature => "signature",
            Self::Nonce => "nonce",
            Self::Account => "account",
            Self::Mfa => "mfa",
            Self::Action => "action",
            Self::Permission => "permission",
            Self::Rate => "rate",
            Self::Quota => "quota",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
