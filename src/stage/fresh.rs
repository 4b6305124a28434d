//! A request that is authentic and new.

use crate::admitted::Allowed;
use crate::check;
use crate::check::nonce::NonceClaimed;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::request::Payload;
use crate::stage::{Authenticated, Permitted};
use crate::store::{PermissionQuery, Standing, StoreError};

/// A request that is authentic and new.
#[derive(Debug)]
#[must_use]
pub struct Fresh<'r> {
    pub(super) authenticated: Authenticated<'r>,
    pub(super) nonce: NonceClaimed,
}

impl<'r> Fresh<'r> {
    pub(super) fn new(authenticated: Authenticated<'r>, nonce: NonceClaimed) -> Self {
        Self {
            authenticated,
            nonce,
        }
    }

    /// The question for the permission store; [`permitted`](Self::permitted) takes the answer.
    #[must_use]
    pub fn permission_query(&self) -> PermissionQuery<'_> {
        let Authenticated {
            parsed, credential, ..
        } = &self.authenticated;
        let common = &parsed.common;
        // No GET signs its body (protocol.md §0 fact 4), so nothing in it is known to be the caller's.
        let payload = match parsed.request().method() {
            b"GET" => Payload::Unseen,
            _ => parsed.request().payload(),
        };
        PermissionQuery {
            principal: credential.principal(),
            secret_id: credential.secret_id(),
            mfa: credential.mfa(),
            action: common.action,
            version: Some(common.version).filter(|version| !version.is_empty()),
            region: Some(common.region).filter(|region| !region.is_empty()),
            service: parsed.read.service(),
            dialect: parsed.caller().dialect,
            parameters: parsed.read.parameters(),
            payload,
        }
    }

    /// Checks account, MFA, action and permission, in this order.
    ///
    /// # Errors
    ///
    /// The first of them that refuses, or the store's failure.
    pub fn permitted(
        self,
        standing: Result<Standing, StoreError>,
    ) -> Result<Permitted<'r>, Rejection> {
        let authenticated = &self.authenticated;
        let standing = standing
            .map_err(|cause| authenticated.caller().refuse_for(Store::Permissions, cause))?;
        match allow(standing, authenticated.parsed.common.action) {
            Ok(allowed) => Ok(Permitted::new(self, allowed)),
            Err(reason) => Err(self.authenticated.caller().refuse(reason)),
        }
    }
}

/// Makes the four checks in their order.
fn allow(standing: Standing, action: &str) -> Result<Allowed, Reason> {
    Ok(Allowed {
        account: check::account::check(standing.account)?,
        mfa: check::mfa::check(standing.mfa)?,
        action: check::action::check(standing.action, action)?,
        permission: check::permission::check(standing.permission, action)?,
    })
}
