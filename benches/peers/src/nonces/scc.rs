//! `scc`: a concurrent map, swept by the claim that finds a window has passed.

use std::sync::atomic::{AtomicI64, Ordering};

use foldhash::fast::RandomState;
use qcloud_validator::store::{NonceClaim, NonceStore, NonceVerdict, StoreError};
use scc::HashMap;

use super::{Key, WINDOW};

#[derive(Default)]
pub(super) struct Scc {
    key: Key,
    expires_at: HashMap<u64, i64, RandomState>,
    next_sweep: AtomicI64,
}

impl NonceStore for Scc {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let now = claim.now.seconds();
        let due = self.next_sweep.load(Ordering::Relaxed);
        if now >= due {
            let next = now + i64::from(WINDOW);
            let mine =
                self.next_sweep
                    .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed);
            if mine.is_ok() {
                self.expires_at
                    .retain_sync(|_, expires_at| now <= *expires_at);
            }
        }
        let inserted = self
            .expires_at
            .insert_sync(self.key.of(claim), claim.expires_at);
        Ok(match inserted {
            Ok(()) => NonceVerdict::Fresh,
            Err(_) => NonceVerdict::Repeated,
        })
    }
}
