//! Whom the validator asks: four questions as plain data, four answers, and the failure to answer, which refuses.
//!
//! A store that fails refuses the request; it never lets one through. Implementations are shared between threads and
//! must not block for long.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

mod credentials;
pub(crate) mod limit;
mod nonces;
mod pattern;
mod permissions;
mod quotas;
#[cfg(feature = "async")]
mod remote;
mod restart;
mod unrestricted;

pub use credentials::{Credential, CredentialState, CredentialStore, Mfa, Principal};
pub use limit::{LimitScope, QuotaRule, RateRule};
pub use nonces::{NonceClaim, NonceStore, NonceValue, NonceVerdict};
pub use pattern::Pattern;
pub use permissions::{
    AccountStanding, ActionStanding, MfaStanding, PermissionQuery, PermissionStanding,
    PermissionStore, Standing,
};
pub use quotas::{QuotaDraw, QuotaStore, QuotaVerdict};
#[cfg(feature = "async")]
pub use remote::{
    Answer, AsyncStores, RemoteCredentialStore, RemoteNonceStore, RemotePermissionStore,
    RemoteQuotaStore, Slot,
};
pub use restart::AfterRestart;
pub use unrestricted::Unrestricted;

/// The four stores of a [`Validator`](crate::Validator).
#[derive(Clone)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a validator needs each of them named"
)]
pub struct Stores {
    /// Who may sign.
    pub credentials: Arc<dyn CredentialStore>,
    /// What has been used.
    pub nonces: Arc<dyn NonceStore>,
    /// Who may do what.
    pub permissions: Arc<dyn PermissionStore>,
    /// How often.
    pub quotas: Arc<dyn QuotaStore>,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

/// A store did not answer. The text is for the operator and never reaches the caller of the API.
#[derive(Debug)]
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// Wraps what went wrong: a message or an error.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store did not answer")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
