//! The counters and locks that the table stands on. A test puts others in their place, to choose the order of threads.

use std::hash::BuildHasherDefault;
pub(super) use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::one::RefMut;

use super::keys::AlreadyHashed;

/// Things by number, each behind a lock of its own, and made when it is first needed.
pub(super) struct LockMap<T> {
    pub(super) by_key: DashMap<u64, T, BuildHasherDefault<AlreadyHashed>>,
    count: u64,
}

impl<T> LockMap<T> {
    /// A map for the numbers below `count`, which is a power of two.
    pub(super) fn new(count: usize) -> Self {
        Self {
            by_key: DashMap::with_capacity_and_hasher_and_shard_amount(
                0,
                BuildHasherDefault::default(),
                count,
            ),
            count: u64::try_from(count).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn get_or_make(&self, number: u64, make: impl FnOnce() -> T) -> RefMut<'_, u64, T> {
        self.by_key.entry(self.key(number)).or_insert_with(make)
    }

    pub(super) fn get(&self, number: u64) -> Option<RefMut<'_, u64, T>> {
        self.by_key.get_mut(&self.key(number))
    }

    /// Puts the lowest bits of a number where the map looks for those that choose one of its shards, below the highest
    /// seven: so each thing has a shard for itself. If the map looked elsewhere, they would share shards, and be correct
    /// all the same.
    fn key(&self, number: u64) -> u64 {
        let below = (usize::BITS - 7).saturating_sub(self.count.trailing_zeros());
        (number & self.count.wrapping_sub(1)).wrapping_shl(below)
    }
}
