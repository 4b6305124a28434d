//! Keep-alive of a service: how long one of its idle connections can be used again.
//!
//! A service that closes a connection at the moment at which a request is on its way reads nothing of that request, but
//! the client cannot tell that from a service that read it, and a request that may have been read is not sent again. So the
//! gateway keeps clear of that moment, which it learns from the service.

use std::time::Duration;

use tokio::time::Instant;

/// What was seen of a service.
pub(super) struct KeepAlive {
    /// What the configuration allows.
    longest: Duration,
    /// The service keeps connections open after its answers at all.
    proven: bool,
    /// The soonest that it has closed an idle one, and when that was seen.
    closed: Option<Closed>,
}

#[derive(Clone, Copy)]
struct Closed {
    after: Duration,
    seen: Instant,
}

impl KeepAlive {
    /// How long a connection must have stayed open after its answer to show that the service keeps connections.
    const PROOF: Duration = Duration::from_millis(500);
    /// How long it is remembered when the service closed one: another may have taken its place.
    const MEMORY: Duration = Duration::from_secs(60);

    pub(super) fn new(longest: Duration) -> Self {
        Self {
            longest,
            proven: false,
            closed: None,
        }
    }

    /// Whether a connection can be used again that is still open after so long.
    pub(super) fn allows(&mut self, idle: Duration, now: Instant) -> bool {
        let limit = self.limit(now);
        if idle >= Self::PROOF {
            self.proven = true;
        }
        self.proven && idle < limit
    }

    /// Notes that the service closed a connection that was idle for so long.
    pub(super) fn closed(&mut self, idle: Duration, now: Instant) {
        if self.closed.is_none_or(|closed| idle <= closed.after) {
            self.closed = Some(Closed {
                after: idle,
                seen: now,
            });
        }
    }

    /// How long a connection is kept for another request: at most half as long as the service kept one.
    pub(super) fn limit(&mut self, now: Instant) -> Duration {
        let is_old = |closed: &mut Closed| now.duration_since(closed.seen) >= Self::MEMORY;
        if self.closed.take_if(is_old).is_some() {
            self.proven = false;
        }
        let half = |closed: Closed| closed.after.checked_div(2).unwrap_or_default();
        self.closed.map_or(self.longest, half).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR_SECONDS: Duration = Duration::from_secs(4);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn no_connection_is_used_again_until_one_has_stayed_open() {
        let mut keep_alive = KeepAlive::new(FOUR_SECONDS);
        let now = Instant::now();
        assert!(!keep_alive.allows(millis(499), now));
        assert!(keep_alive.allows(millis(500), now));
        assert!(keep_alive.allows(millis(0), now));
        assert!(keep_alive.allows(millis(3_999), now));
        assert!(!keep_alive.allows(millis(4_000), now));
    }

    #[test]
    fn one_is_used_for_half_as_long_as_the_service_kept_another() {
        let mut keep_alive = KeepAlive::new(FOUR_SECONDS);
        let now = Instant::now();
        assert!(keep_alive.allows(millis(500), now));
        keep_alive.closed(millis(2_000), now);
        keep_alive.closed(millis(3_000), now);
        assert!(keep_alive.allows(millis(999), now));
        assert!(!keep_alive.allows(millis(1_000), now));
    }

    #[test]
    fn a_service_that_closes_after_each_answer_gets_a_connection_for_each_request() {
        let mut keep_alive = KeepAlive::new(FOUR_SECONDS);
        let now = Instant::now();
        keep_alive.closed(millis(0), now);
        for idle in [0, 1, 500, 3_000] {
            assert!(!keep_alive.allows(millis(idle), now), "{idle}");
        }
    }

    #[test]
    fn what_was_seen_a_minute_ago_is_forgotten() {
        let mut keep_alive = KeepAlive::new(FOUR_SECONDS);
        let now = Instant::now();
        assert!(keep_alive.allows(millis(500), now));
        keep_alive.closed(millis(10), now);
        assert!(!keep_alive.allows(millis(100), now + millis(59_999)));
        assert!(!keep_alive.allows(millis(100), now + millis(60_000)));
        assert!(keep_alive.allows(millis(600), now + millis(60_000)));
        assert!(keep_alive.allows(millis(100), now + millis(60_000)));
    }
}
