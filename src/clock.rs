//! Decides what time it is: the only file that reads a clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// An instant, as nanoseconds since 1970-01-01T00:00:00Z; instants outside the years 1678 to 2262 saturate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    nanos: i64,
}

impl UnixTime {
    /// The instant `seconds` after the epoch.
    ///
    /// ```
    /// use qcloud_validator::UnixTime;
    /// assert_eq!(UnixTime::from_seconds(1_767_225_600).seconds(), 1_767_225_600);
    /// ```
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self {
            nanos: seconds.saturating_mul(NANOS_PER_SECOND),
        }
    }

    /// The instant `nanos` nanoseconds after the epoch.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.nanos.div_euclid(NANOS_PER_SECOND)
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.nanos
    }
}

impl fmt::Debug for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnixTime({})", self.seconds())
    }
}

/// Tells the time. [`Validator`](crate::Validator) asks once per request.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> UnixTime;
}

/// A clock that several share: a test moves the one that a validator reads.
impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> UnixTime {
        (**self).now()
    }
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads a clock"
    )]
    fn now(&self) -> UnixTime {
        let now = SystemTime::now();
        let nanos = match now.duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, i64::saturating_neg)
            }
        };
        UnixTime::from_nanos(nanos)
    }
}

/// A clock that stands still until it is moved, for tests and for checking recorded requests.
///
/// ```
/// use qcloud_validator::{Clock, ManualClock};
/// let clock = ManualClock::at(1_767_225_600);
/// clock.advance(300);
/// assert_eq!(clock.now().seconds(), 1_767_225_900);
/// ```
#[derive(Debug)]
pub struct ManualClock {
    nanos: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `seconds` since the epoch.
    #[must_use]
    pub const fn at(seconds: i64) -> Self {
        Self {
            nanos: AtomicI64::new(UnixTime::from_seconds(seconds).nanos()),
        }
    }

    /// Shows `now` from here on, which may lie before what was shown.
    pub fn set(&self, now: UnixTime) {
        self.nanos.store(now.nanos(), Ordering::SeqCst);
    }

    /// Moves on by `seconds`, back if negative.
    pub fn advance(&self, seconds: i64) {
        self.nanos
            .fetch_add(UnixTime::from_seconds(seconds).nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_nanos(self.nanos.load(Ordering::SeqCst))
    }
}
