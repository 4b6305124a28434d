//! Permission store: facts about account, MFA, action and resources, for four checks in their order.

use super::{Mfa, Principal, StoreError};
use crate::form::Parameters;
use crate::request::Payload;
use crate::scheme::Dialect;

/// Knows accounts, actions and permissions.
pub trait PermissionStore: Send + Sync {
    /// The facts that bear on an authentic request.
    ///
    /// # Errors
    ///
    /// When the store cannot tell; the request is refused with `CAMInnerError`.
    fn decide(&self, query: &PermissionQuery<'_>) -> Result<Standing, StoreError>;
}

/// An authentic request, as far as permissions go.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PermissionQuery<'a> {
    /// Whom the key belongs to.
    pub principal: &'a Principal,
    /// The SecretId.
    pub secret_id: &'a str,
    /// Whether the session passed MFA.
    pub mfa: Mfa,
    /// The action asked for.
    pub action: &'a str,
    /// The API version asked for.
    pub version: Option<&'a str>,
    /// The region asked for.
    pub region: Option<&'a str>,
    /// The service in the credential scope (TC3).
    pub service: Option<&'a str>,
    /// The dialect of the request.
    pub dialect: Dialect,
    /// The parameters of the query of a GET or of a form; `None` when they are in the body and not in a form, or when the
    /// query of a TC3 GET cannot be read as pairs.
    pub parameters: Option<&'a Parameters<'a>>,
    /// The body. That of a GET is never shown: no scheme signs it.
    pub payload: Payload<'a>,
}

/// What the store knows about a request. [`Check::ORDER`](crate::Check::ORDER) says which fact refuses first.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a store states every fact")]
pub struct Standing {
    /// The account.
    pub account: AccountStanding,
    /// Multi-factor authentication.
    pub mfa: MfaStanding,
    /// The action.
    pub action: ActionStanding,
    /// The permission.
    pub permission: PermissionStanding,
}

/// Whether the account may use the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccountStanding {
    /// It may.
    Active,
    /// It is banned.
    Banned,
    /// It is not among those that the action is for.
    NotInAudience,
}

/// Whether MFA stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MfaStanding {
    /// It is not demanded, or was passed.
    Satisfied,
    /// It is demanded and was not passed.
    Failed,
}

/// Whether the action can be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ActionStanding {
    /// It can.
    Available,
    /// There is no such action.
    Unknown,
    /// It is out of service.
    Unavailable,
}

/// Whether the account may call the action on the resources that the request names.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermissionStanding {
    /// It may.
    Allowed,
    /// It may not call the action.
    ActionDenied,
    /// It may not touch the resource.
    ResourceDenied {
        /// The resource.
        resource: String,
    },
    /// It may call the action and touch the resource, but not both together.
    ActionResourceDenied {
        /// The resource.
        resource: String,
    },
}
