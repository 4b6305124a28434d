//! What a request that passed every check proves: who sent it, how, and what its signature does not cover.

use std::fmt;

use crate::check::account::AccountActive;
use crate::check::action::ActionAvailable;
use crate::check::mfa::MfaSatisfied;
use crate::check::nonce::NonceClaimed;
use crate::check::permission::Permitted;
use crate::check::quota::QuotaDrawn;
use crate::check::secret_id::SecretIdEnabled;
use crate::check::timestamp::WithinWindow;
use crate::check::token::TokenValid;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::scheme::{Dialect, Language, Scheme};
use crate::signature::SignatureValid;
use crate::store::{Credential, Principal};

/// Proof that a request passed every check. Nothing but the last stage makes one.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub(crate) credential: Credential,
    pub(crate) scheme: Scheme,
    pub(crate) dialect: Dialect,
    pub(crate) language: Language,
    pub(crate) action: Box<str>,
    pub(crate) uncovered: Vec<Uncovered>,
    #[expect(dead_code, reason = "possession is the proof")]
    pub(crate) witnesses: Witnesses,
}

/// One value per check that could be forgotten; each can only be made by its check.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "possession is the proof")]
pub(crate) struct Witnesses {
    pub(crate) within_window: WithinWindow,
    pub(crate) authentic: Authentic,
    pub(crate) nonce: NonceClaimed,
    pub(crate) allowed: Allowed,
    pub(crate) drawn: QuotaDrawn,
}

/// What the answer of the credential store was checked for.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "possession is the proof")]
pub(crate) struct Authentic {
    pub(crate) secret_id: SecretIdEnabled,
    pub(crate) token: TokenValid,
    pub(crate) signature: SignatureValid,
}

/// What the answer of the permission store was checked for.
#[derive(Clone, Copy, Debug)]
#[expect(dead_code, reason = "possession is the proof")]
pub(crate) struct Allowed {
    pub(crate) account: AccountActive,
    pub(crate) mfa: MfaSatisfied,
    pub(crate) action: ActionAvailable,
    pub(crate) permission: Permitted,
}

impl Admitted {
    /// The verified SecretId.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        self.credential.secret_id()
    }

    /// Whom the key belongs to.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        self.credential.principal()
    }

    /// How the request was signed.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The dialect that the caller speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The action that the account may call.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// What the signature does not cover. Anyone able to alter the request on its way could alter this.
    ///
    /// TC3 signs two headers as a rule, so `x-tc-action` and its like are listed unless the client signed them.
    #[must_use]
    pub fn uncovered(&self) -> &[Uncovered] {
        &self.uncovered
    }

    /// Turns a later failure, such as [`Reason::ResourceOperationFailed`] from a backend, into a refusal in the dialect
    /// and language of this request, so that a gateway answers in one voice.
    #[must_use]
    pub fn refuse(&self, reason: Reason) -> Rejection {
        Rejection::new(reason, self.dialect, self.language).with_request(
            self.secret_id(),
            &self.action,
            self.scheme,
        )
    }
}

/// A part of an admitted request that its signature does not cover.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uncovered {
    /// The path: the client signed `/` whatever it requested.
    Path,
    /// The query of a POST: it is neither read nor signed.
    Query,
    /// The body: of a GET, or declared unsigned by the client.
    Body,
    /// A header that steers a TC3 request, by its name in lower case.
    Header(&'static str),
    /// What follows the first `;` of the content type, such as the boundary of a multipart body.
    ContentTypeParameters,
    /// A parameter that the client left out of what it signed, by its name.
    Parameter(String),
}

impl fmt::Display for Uncovered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Body => f.write_str("body"),
            Self::Header(name) => write!(f, "header {name}"),
            Self::ContentTypeParameters => f.write_str("content-type parameters"),
            Self::Parameter(name) => write!(f, "parameter {}", name.escape_debug()),
        }
    }
}
