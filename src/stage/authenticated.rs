//! A request whose signature is valid.

use crate::admitted::Authentic;
use crate::check;
use crate::policy::ReplayScope;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::signature::LeftOut;
use crate::stage::caller::Caller;
use crate::stage::read::Signed;
use crate::stage::{Fresh, Parsed};
use crate::store::{Credential, NonceClaim, NonceValue, NonceVerdict, StoreError};

/// A request whose signature is valid.
#[derive(Debug)]
#[must_use]
pub struct Authenticated<'r> {
    pub(super) parsed: Parsed<'r>,
    pub(super) credential: Credential,
    pub(super) authentic: Authentic,
    pub(super) left_out: LeftOut,
}

impl<'r> Authenticated<'r> {
    /// The question for the nonce store; [`claimed`](Self::claimed) takes the answer. `None` where the policy remembers
    /// nothing for this scheme.
    #[must_use]
    pub fn nonce_claim(&self) -> Option<NonceClaim<'_>> {
        let parsed = &self.parsed;
        let timestamp = parsed.common.timestamp;
        let scoped = match parsed.policy().replay(parsed.common.family) {
            ReplayScope::Off => return None,
            ReplayScope::SecretIdTimestampNonce => Some(timestamp),
            ReplayScope::SecretIdNonce => None,
        };
        let value = match parsed.common.nonce {
            Some(nonce) => NonceValue::Number(nonce),
            None => NonceValue::Signature(self.tc3_claim()?),
        };
        let window = i64::from(parsed.policy().window_seconds());
        Some(NonceClaim::new(
            self.credential.secret_id(),
            scoped,
            value,
            parsed.now,
            timestamp.saturating_add(window),
        ))
    }

    /// Checks that the nonce is new. `verdict` is `None` where there was no claim to make.
    ///
    /// # Errors
    ///
    /// When it is not, when the store is full, or when the store failed.
    pub fn claimed(
        self,
        verdict: Option<Result<NonceVerdict, StoreError>>,
    ) -> Result<Fresh<'r>, Rejection> {
        if verdict.is_none() && self.nonce_claim().is_some() {
            // The driver forgot to ask.
            let store = Store::Nonces;
            return Err(self.caller().refuse(Reason::StoreFailed { store }));
        }
        let verdict = verdict
            .transpose()
            .map_err(|cause| self.caller().refuse_for(Store::Nonces, cause))?;
        match check::nonce::check(verdict) {
            Ok(nonce) => Ok(Fresh::new(self, nonce)),
            Err(reason) => Err(self.caller().refuse(reason)),
        }
    }

    /// The caller, whose SecretId the credential store knows.
    pub(super) fn caller(&self) -> Caller<'r> {
        self.parsed.caller().known()
    }

    /// What must not repeat of a TC3 request.
    fn tc3_claim(&self) -> Option<[u8; 32]> {
        match self.parsed.read.signed() {
            Signed::Query(_) => None,
            Signed::Tc3(signed) => signed.authorization.claim(self.parsed.common.action),
        }
    }
}
