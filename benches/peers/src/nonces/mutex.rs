//! A map behind a lock, as one would write it at first: swept by the claim that finds a window has passed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Mutex;

use foldhash::fast::RandomState;
use qcloud_validator::store::{NonceClaim, NonceStore, NonceVerdict, StoreError};

use super::{Key, WINDOW};

#[derive(Default)]
pub(super) struct Locked {
    key: Key,
    nonces: Mutex<Swept>,
}

#[derive(Default)]
struct Swept {
    expires_at: HashMap<u64, i64, RandomState>,
    next_sweep: i64,
}

impl NonceStore for Locked {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let key = self.key.of(claim);
        let now = claim.now.seconds();
        let mut nonces = self.nonces.lock().expect("no claim panics");
        if now >= nonces.next_sweep {
            nonces.expires_at.retain(|_, expires_at| now <= *expires_at);
            nonces.next_sweep = now + i64::from(WINDOW);
        }
        Ok(match nonces.expires_at.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(claim.expires_at);
                NonceVerdict::Fresh
            }
            Entry::Occupied(_) => NonceVerdict::Repeated,
        })
    }
}
