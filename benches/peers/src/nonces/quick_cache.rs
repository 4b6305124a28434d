//! `quick_cache`: a bounded cache without expiry. Of callers that ask at once, one is given the guard.

use foldhash::fast::RandomState;
use qcloud_validator::store::{NonceClaim, NonceStore, NonceVerdict, StoreError};
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle, GuardResult};

use super::Key;

pub(super) struct QuickCache {
    key: Key,
    nonces: Cache<u64, (), UnitWeighter, RandomState>,
}

impl QuickCache {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            key: Key::default(),
            nonces: Cache::with(
                capacity,
                capacity as u64,
                UnitWeighter,
                RandomState::default(),
                DefaultLifecycle::default(),
            ),
        }
    }
}

impl NonceStore for QuickCache {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let key = self.key.of(claim);
        match self.nonces.get_value_or_guard(&key, None) {
            GuardResult::Value(()) => Ok(NonceVerdict::Repeated),
            GuardResult::Guard(guard) => {
                // Nobody removes a nonce, so the place is still there.
                let _ = guard.insert(());
                Ok(NonceVerdict::Fresh)
            }
            GuardResult::Timeout => unreachable!("it waits as long as it takes"),
        }
    }
}
