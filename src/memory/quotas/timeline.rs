//! What time it is for the rates, whatever the clock does: it never goes back, and goes on at once when the clock has.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use governor::clock;
use governor::nanos::Nanos;

use crate::clock::UnixTime;

/// The time that the rates see.
pub(super) struct Timeline {
    /// The latest instant shown, in nanoseconds.
    latest: AtomicI64,
    /// By how much the clock has gone back so far, in nanoseconds.
    behind: AtomicI64,
    /// Held while `behind` changes.
    jump: Mutex<()>,
}

impl Timeline {
    /// Requests on several threads are drawn in another order than their clocks were read. That must not be taken for a
    /// clock that goes back, or time would run faster. A clock that does go back by less stands still for as long.
    const DISORDER: i64 = 10_000_000_000;

    /// Lets the time pass until `now`.
    pub(super) fn pass(&self, now: UnixTime) {
        if self.reaches(now) {
            return;
        }
        // What a panic here could leave behind is a time that is right or stands still.
        let _held = self.jump.lock();
        if !self.reaches(now) {
            let behind = self
                .latest
                .load(Ordering::Acquire)
                .saturating_sub(now.nanos());
            self.behind.store(behind, Ordering::Release);
        }
    }

    /// Shows `now` unless something later was shown; false if the clock has gone back.
    fn reaches(&self, now: UnixTime) -> bool {
        let shown = now
            .nanos()
            .saturating_add(self.behind.load(Ordering::Acquire));
        let mut latest = self.latest.load(Ordering::Acquire);
        if latest < shown {
            // Only a thread that is ahead writes; the others need not wait for each other.
            latest = self.latest.fetch_max(shown, Ordering::AcqRel);
        }
        latest.saturating_sub(shown) <= Self::DISORDER
    }

    /// The latest instant. Years before 1970 count as 1970.
    pub(super) fn shown(&self) -> Nanos {
        let latest = self.latest.load(Ordering::Acquire);
        Nanos::from(u64::try_from(latest).unwrap_or_default())
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            latest: AtomicI64::new(i64::MIN),
            behind: AtomicI64::new(0),
            jump: Mutex::new(()),
        }
    }
}

/// The timeline as the clock of a limiter.
pub(super) struct Shown(pub(super) Arc<Timeline>);

impl clock::Clock for Shown {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.shown()
    }
}
