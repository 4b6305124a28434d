//! Decides which part of the table a hash belongs to, and which parts to look after next.

use std::ops::DerefMut;

use super::locks::{AtomicU64, LockMap, Ordering};

/// Parts of a whole that bits of a hash divide, each behind a lock of its own.
pub(super) struct Partitions<T> {
    pub(super) by_number: LockMap<T>,
    /// How many there can be: a power of two.
    count: u64,
    /// Counted round and round: which to visit next in the round since a generation died, and where that ends.
    next: AtomicU64,
    end: AtomicU64,
}

impl<T> Partitions<T> {
    pub(super) fn new(at_least: usize) -> Self {
        let count = at_least.clamp(64, 65_536).next_power_of_two();
        Self {
            by_number: LockMap::new(count),
            count: u64::try_from(count).unwrap_or(u64::MAX),
            next: AtomicU64::new(0),
            end: AtomicU64::new(0),
        }
    }

    /// The partition of a hash: by bits that the tables inside of it leave alone.
    pub(super) fn of(&self, hash: u64, make: impl FnOnce() -> T) -> impl DerefMut<Target = T> {
        self.by_number.get_or_make(hash.wrapping_shr(40), make)
    }

    pub(super) fn begin_round(&self) {
        // One more than there are: a thread may be about to count the next one as visited that it visited before.
        let end = self
            .next
            .load(Ordering::Acquire)
            .saturating_add(self.count)
            .saturating_add(1);
        self.end.fetch_max(end, Ordering::AcqRel);
    }

    /// Visits the next partition of the round; whether the round had not ended.
    ///
    /// A partition is counted as visited when it was, so that a round that has ended has no visit under way. Threads that
    /// meet here wait for each other.
    pub(super) fn visit_next(&self, visit: impl FnOnce(&mut T)) -> bool {
        let end = self.end.load(Ordering::Acquire);
        let number = self.next.load(Ordering::Acquire);
        if number >= end {
            return false;
        }
        if let Some(mut partition) = self.by_number.get(number) {
            visit(&mut partition);
        }
        // Where this fails, somebody else has counted it.
        let _ = self.next.compare_exchange(
            number,
            number.saturating_add(1),
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        true
    }

    /// Visits every partition that was made, one after the other. It waits for a thread that is making one.
    pub(super) fn visit_all(&self, mut visit: impl FnMut(&mut T)) {
        for number in 0..self.count {
            if let Some(mut partition) = self.by_number.get(number) {
                visit(&mut partition);
            }
        }
    }
}
