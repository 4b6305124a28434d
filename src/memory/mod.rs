//! The four stores kept in the memory of one process. What they know is lost when the process ends, but for nonces that
//! are saved.

use std::sync::Arc;

use crate::store::{Stores, Unrestricted};

mod credentials;
mod nonces;
mod permissions;
mod quotas;
mod ring;

pub use credentials::MemoryCredentials;
pub use nonces::{CapacityError, MemoryNonces, NonceCapacity, SnapshotError, SnapshotFault};
pub use permissions::{
    AccountRules, ActionRules, Effect, MemoryPermissions, MfaDemand, Resources, Rule,
};
pub use quotas::MemoryQuotas;

impl Stores {
    /// The given credentials, nonces in memory for a window of `window` seconds, and neither permissions nor limits.
    ///
    /// The nonces count as never used, which is right for a test with any clock. A service that is restarted should say
    /// when it started, or a request from before can be replayed ([`MemoryNonces::started_at`]):
    ///
    /// ```
    /// use std::sync::Arc;
    /// use qcloud_validator::memory::{MemoryCredentials, MemoryNonces, NonceCapacity};
    /// use qcloud_validator::store::{AfterRestart, Stores};
    /// use qcloud_validator::{Clock, SystemClock};
    ///
    /// let nonces = MemoryNonces::new(NonceCapacity::default(), 300)
    ///     .started_at(SystemClock.now(), AfterRestart::default());
    /// let stores = Stores {
    ///     nonces: Arc::new(nonces),
    ///     ..Stores::in_memory(MemoryCredentials::new(), 300)
    /// };
    /// # let _ = stores;
    /// ```
    #[must_use]
    pub fn in_memory(credentials: MemoryCredentials, window: u32) -> Self {
        Self {
            credentials: Arc::new(credentials),
            nonces: Arc::new(MemoryNonces::new(NonceCapacity::default(), window)),
            permissions: Arc::new(Unrestricted),
            quotas: Arc::new(Unrestricted),
        }
    }
}
