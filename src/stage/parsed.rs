//! A request that was read and is timely.

use crate::admitted::Authentic;
use crate::check;
use crate::check::timestamp::WithinWindow;
use crate::check::types::CommonParameters;
use crate::clock::UnixTime;
use crate::policy::Policy;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::scheme::Scheme;
use crate::signature::LeftOut;
use crate::stage::caller::Caller;
use crate::stage::read::Signed;
use crate::stage::{Authenticated, Read};
use crate::store::{Credential, StoreError};

/// A request that was read and is timely.
#[derive(Debug)]
#[must_use]
pub struct Parsed<'r> {
    pub(super) read: &'r Read<'r>,
    pub(super) common: CommonParameters<'r>,
    pub(super) now: UnixTime,
    pub(super) within_window: WithinWindow,
}

impl<'r> Parsed<'r> {
    /// Checks the timestamp.
    pub(super) fn new(
        read: &'r Read<'r>,
        common: CommonParameters<'r>,
        now: UnixTime,
    ) -> Result<Self, Rejection> {
        let policy = read.policy();
        match check::timestamp::check(common.timestamp, now, policy.window_seconds()) {
            Ok(within_window) => Ok(Self {
                read,
                common,
                now,
                within_window,
            }),
            Err(reason) => Err(Caller::of_common(&common, policy).refuse(reason)),
        }
    }

    /// The question for the credential store; [`authenticate`](Self::authenticate) takes the answer.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        self.common.secret_id
    }

    /// How the request is signed.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.common.scheme
    }

    /// Checks SecretId, token and signature.
    ///
    /// # Errors
    ///
    /// The first of them that refuses, or the store's failure.
    pub fn authenticate(
        self,
        found: Result<Option<Credential>, StoreError>,
    ) -> Result<Authenticated<'r>, Rejection> {
        let found = found.map_err(|cause| self.caller().refuse_for(Store::Credentials, cause))?;
        let Some(credential) = found else {
            return Err(self.caller().refuse(Reason::SecretIdUnknown));
        };
        match self.identify(&credential) {
            Ok((authentic, left_out)) => Ok(Authenticated {
                parsed: self,
                credential,
                authentic,
                left_out,
            }),
            Err(reason) => Err(self.caller().known().refuse(reason)),
        }
    }

    /// Makes the three checks in their order; also returns what the signature leaves out.
    fn identify(&self, credential: &Credential) -> Result<(Authentic, LeftOut), Reason> {
        let secret_id = check::secret_id::check(credential)?;
        let token = check::token::check(credential, self.read.token(), self.now)?;
        let (signature, left_out) = match self.read.signed() {
            Signed::Query(signed) => check::signature::query(&signed, credential, self.policy())?,
            Signed::Tc3(signed) => {
                let timestamp = self.common.timestamp;
                check::signature::tc3(&signed, timestamp, credential, self.policy())?
            }
        };
        let authentic = Authentic {
            secret_id,
            token,
            signature,
        };
        Ok((authentic, left_out))
    }

    /// The caller, before the credential store knows the SecretId.
    pub(super) fn caller(&self) -> Caller<'r> {
        Caller::of_common(&self.common, self.policy())
    }

    pub(super) fn request(&self) -> &'r RequestView<'r> {
        self.read.request()
    }

    pub(super) fn policy(&self) -> &'r Policy {
        self.read.policy()
    }
}
