//! Requests of correct timestamps that come in evenly, so many in each window: so many are live.

use std::cell::Cell;

use qcloud_validator::UnixTime;
use qcloud_validator::store::{NonceClaim, NonceStore, NonceValue, NonceVerdict};

use super::Make;

/// How far a timestamp may be from the clock, in seconds.
pub const WINDOW: u32 = 300;

const SECRET_ID: &str = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE";

/// What one store is asked.
#[derive(Debug)]
pub struct Traffic {
    live: usize,
    sent: Cell<u64>,
}

impl Traffic {
    /// So many claims in a window.
    #[must_use]
    pub fn new(live: usize) -> Self {
        Self {
            live,
            sent: Cell::new(0),
        }
    }

    /// A claim that nobody made.
    #[must_use]
    pub fn next(&self) -> NonceClaim<'static> {
        let number = self.sent.get();
        self.sent.set(number + 1);
        let passed = number * u64::from(WINDOW) / self.live as u64;
        let now = 1_767_225_600 + i64::try_from(passed).expect("it fits");
        NonceClaim::new(
            SECRET_ID,
            Some(now),
            NonceValue::Number(number),
            UnixTime::from_seconds(now),
            now + i64::from(WINDOW),
        )
    }

    /// A store with room for two windows, in which the claims of one were made.
    ///
    /// # Panics
    ///
    /// When it does not remember the last of them: nothing is timed that does not remember.
    #[must_use]
    pub fn fill(&self, make: Make) -> Box<dyn NonceStore> {
        let store = make(2 * self.live);
        for _ in 1..self.live {
            take(&*store, &self.next());
        }
        let last = self.next();
        take(&*store, &last);
        let again = store.claim(&last).expect("the store answers");
        assert_eq!(again, NonceVerdict::Repeated);
        store
    }

    /// Lets everything that was claimed expire.
    pub fn pass(&self) {
        self.sent.set(self.sent.get() + 3 * self.live as u64);
    }
}

/// Makes a claim that is fresh.
///
/// # Panics
///
/// When the store does not take it.
pub fn take(store: &dyn NonceStore, claim: &NonceClaim<'_>) {
    let verdict = store.claim(claim).expect("the store answers");
    assert_eq!(verdict, NonceVerdict::Fresh);
}
