//! `moka`: a bounded cache with a time to live, by its own clock. Both of its ways to insert what is absent.

use std::time::Duration;

use foldhash::fast::RandomState;
use moka::sync::Cache;
use qcloud_validator::store::{NonceClaim, NonceStore, NonceVerdict, StoreError};

use super::{Key, WINDOW};

/// `or_insert_with`: of callers that ask at once, one inserts.
pub(super) struct Moka {
    key: Key,
    nonces: Cache<u64, (), RandomState>,
}

impl Moka {
    pub(super) fn new(capacity: usize) -> Self {
        let nonces = Cache::builder()
            .max_capacity(capacity as u64)
            // A timestamp may be a window ahead.
            .time_to_live(Duration::from_secs(2 * u64::from(WINDOW)))
            .build_with_hasher(RandomState::default());
        Self {
            key: Key::default(),
            nonces,
        }
    }
}

impl NonceStore for Moka {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let entry = self.nonces.entry(self.key.of(claim)).or_insert_with(|| ());
        Ok(verdict(entry.is_fresh()))
    }
}

/// `or_insert`, which looks and then inserts.
pub(super) struct MokaOrInsert(Moka);

impl MokaOrInsert {
    pub(super) fn new(capacity: usize) -> Self {
        Self(Moka::new(capacity))
    }
}

impl NonceStore for MokaOrInsert {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let Self(moka) = self;
        let entry = moka.nonces.entry(moka.key.of(claim)).or_insert(());
        Ok(verdict(entry.is_fresh()))
    }
}

fn verdict(is_fresh: bool) -> NonceVerdict {
    if is_fresh {
        NonceVerdict::Fresh
    } else {
        NonceVerdict::Repeated
    }
}
