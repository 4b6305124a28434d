//! The four stores kept in the memory of one process. What they know is lost when the process ends, but for nonces that
//! are saved.

use std::sync::Arc;

use crate::clock::UnixTime;
use crate::store::{AfterRestart, Stores, Unrestricted};

mod credentials;
mod nonces;
mod permissions;
mod quotas;
mod ring;

pub use credentials::MemoryCredentials;
pub use nonces::{CapacityError, MemoryNonces, NonceCapacity, SnapshotError, SnapshotFault};
pub use permissions::{
    AccountRules, ActionRules, BodyReader, Effect, MemoryPermissions, MfaDemand, Rule,
};
pub use quotas::MemoryQuotas;

impl Stores {
    /// Returns stores in memory: the given credentials, nonces for a window of `window_seconds`, and neither permissions
    /// nor limits.
    ///
    /// `started` is when the service started. Requests dated before it are refused as out of date, since they may have
    /// been used before the start; [`MemoryNonces`] has the other choices.
    ///
    /// ```
    /// use qcloud_validator::memory::MemoryCredentials;
    /// use qcloud_validator::store::Stores;
    /// use qcloud_validator::{Clock, SystemClock};
    ///
    /// let stores = Stores::in_memory(MemoryCredentials::new(), 300, SystemClock.now());
    /// # let _ = stores;
    /// ```
    #[must_use]
    pub fn in_memory(
        credentials: MemoryCredentials,
        window_seconds: u32,
        started: UnixTime,
    ) -> Self {
        let rule = AfterRestart::default();
        let capacity = NonceCapacity::default();
        Self {
            nonces: Arc::new(MemoryNonces::started_at(
                capacity,
                window_seconds,
                started,
                rule,
            )),
            ..Self::insecure_in_memory(credentials, window_seconds)
        }
    }

    /// Returns the same stores, but takes every request for new, also one that was used before a restart: for tests with
    /// a clock of their choice.
    #[must_use]
    pub fn insecure_in_memory(credentials: MemoryCredentials, window_seconds: u32) -> Self {
        let capacity = NonceCapacity::default();
        Self {
            credentials: Arc::new(credentials),
            nonces: Arc::new(MemoryNonces::insecure_without_memory(
                capacity,
                window_seconds,
            )),
            permissions: Arc::new(Unrestricted),
            quotas: Arc::new(Unrestricted),
        }
    }
}
