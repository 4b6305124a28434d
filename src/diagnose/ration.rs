//! How often a diagnosis may be made: so often per SecretId and minute, in a table of fixed size.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::UnixTime;

const SLOTS: usize = 1024;

/// Diagnoses made lately. SecretIds that share a slot share an allowance: that costs diagnoses, never memory.
pub(crate) struct Allowance {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Allowance {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            hasher: RandomState::new(),
        }
    }

    /// Takes one of the `per_minute` diagnoses of this SecretId, if one is left.
    pub(crate) fn take(&self, secret_id: &str, now: UnixTime, per_minute: u16) -> bool {
        let slot = usize::try_from(self.hasher.hash_one(secret_id) & 1023)
            .ok()
            .and_then(|index| self.slots.get(index));
        let minute = u64::try_from(now.seconds().div_euclid(60)).unwrap_or_default();
        let take = |value: u64| {
            // The minute, and below it how many were made in it.
            let made = if value >> 16 == minute {
                value & 0xffff
            } else {
                0
            };
            (made < u64::from(per_minute)).then(|| minute << 16 | made.saturating_add(1))
        };
        slot.is_some_and(|slot| {
            slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
                .is_ok()
        })
    }
}

impl std::fmt::Debug for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Allowance(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_a_minute_and_then_again() {
        let allowance = Allowance::new();
        let take = |seconds| allowance.take("AKID", UnixTime::from_seconds(seconds), 3);
        assert_eq!([60, 61, 119, 119].map(take), [true, true, true, false]);
        assert_eq!([120, 121, 122, 123].map(take), [true, true, true, false]);
    }

    #[test]
    fn ids_beside_each_other_have_their_own() {
        let allowance = Allowance::new();
        let now = UnixTime::from_seconds(60);
        let served = (0..100)
            .filter(|id| allowance.take(&format!("AKID{id}"), now, 1))
            .count();
        assert!(served > 80, "{served}");
    }
}
