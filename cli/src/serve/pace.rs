//! Pace of a client: how much it takes of what is ready for it, and how long that has waited.

use tokio::time::{Duration, Instant};

/// The least that a client must take of what is ready for it, in bytes a second.
const SLOWEST: u64 = 1_024;

/// For each `limit` that something was ready, a client must have taken [`SLOWEST`] bytes a second. Time in which nothing is
/// ready does not count.
pub(super) struct Pace {
    limit: Duration,
    ready_since: Option<Instant>,
    /// How long something was ready, before `ready_since`.
    waited: Duration,
    /// How much was taken in that time and since.
    taken: u64,
}

impl Pace {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            ready_since: None,
            waited: Duration::ZERO,
            taken: 0,
        }
    }

    /// Something is ready.
    pub(super) fn start(&mut self, now: Instant) {
        self.ready_since.get_or_insert(now);
    }

    /// Nothing is ready any more.
    pub(super) fn stop(&mut self, now: Instant) {
        if let Some(since) = self.ready_since.take() {
            self.waited = self.waited.saturating_add(now.duration_since(since));
        }
    }

    /// The client has taken some of it. Of `sharing` that share a connection, each needs to take its part only.
    pub(super) fn take(&mut self, bytes: usize, sharing: usize, now: Instant) {
        self.taken = self.taken.saturating_add(count(bytes));
        let enough = self.limit.as_secs().max(1).saturating_mul(SLOWEST);
        if self.taken.saturating_mul(count(sharing)) >= enough {
            self.waited = Duration::ZERO;
            self.taken = 0;
            self.ready_since = self.ready_since.map(|_| now);
        }
    }

    /// Forgets what was: the client has taken everything.
    pub(super) fn restart(&mut self) {
        *self = Self::new(self.limit);
    }

    /// When the client will have been too slow, unless it takes more until then; never while nothing is ready.
    pub(super) fn deadline(&self, now: Instant) -> Option<Instant> {
        let left = self.limit.saturating_sub(self.waited);
        match self.ready_since {
            Some(since) => since.checked_add(left),
            None if left.is_zero() => Some(now),
            None => None,
        }
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    /// A pace of 30 KiB in 30 seconds, in which something is ready from `began` on.
    fn ready() -> (Pace, Instant) {
        let began = Instant::now();
        let mut pace = Pace::new(LIMIT);
        pace.start(began);
        (pace, began)
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn nothing_taken_is_too_slow_at_the_limit() {
        let (pace, began) = ready();
        assert_eq!(pace.deadline(began), Some(began + seconds(30)));
    }

    #[test]
    fn enough_taken_buys_another_limit_and_less_does_not() {
        let (mut pace, began) = ready();
        pace.take(30_719, 1, began + seconds(10));
        assert_eq!(pace.deadline(began), Some(began + seconds(30)));
        pace.take(1, 1, began + seconds(20));
        assert_eq!(pace.deadline(began), Some(began + seconds(50)));
    }

    #[test]
    fn of_four_streams_each_takes_a_quarter() {
        let (mut pace, began) = ready();
        pace.take(7_679, 4, began + seconds(10));
        assert_eq!(pace.deadline(began), Some(began + seconds(30)));
        pace.take(1, 4, began + seconds(10));
        assert_eq!(pace.deadline(began), Some(began + seconds(40)));
    }

    #[test]
    fn time_in_which_nothing_is_ready_does_not_count() {
        let (mut pace, began) = ready();
        pace.stop(began + seconds(20));
        assert_eq!(pace.deadline(began + seconds(1_000)), None);
        pace.start(began + seconds(1_000));
        assert_eq!(pace.deadline(began), Some(began + seconds(1_010)));
    }

    #[test]
    fn what_was_given_up_at_the_limit_is_too_slow() {
        let (mut pace, began) = ready();
        pace.stop(began + seconds(30));
        assert_eq!(
            pace.deadline(began + seconds(30)),
            Some(began + seconds(30))
        );
    }

    #[test]
    fn a_client_that_has_taken_everything_owes_nothing() {
        let (mut pace, began) = ready();
        pace.restart();
        pace.start(began + seconds(29));
        assert_eq!(pace.deadline(began), Some(began + seconds(59)));
    }
}
