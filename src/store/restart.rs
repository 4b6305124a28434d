//! The choice of what a store that has just started to remember refuses.

use crate::clock::UnixTime;

/// What a [`MemoryNonces`](crate::memory::MemoryNonces) does about requests that may have been used before it began.
///
/// A timestamp may be ahead of the clock by the window. So of the requests that are timely after a restart, those dated
/// before it were likely used before it, and those dated later were used before it only if the clock of their client was
/// ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AfterRestart {
    /// Refuses requests dated before the start. Clients with a right clock notice nothing, unless their request was under
    /// way. An attacker who recorded a request dated *after* the start, from a client whose clock was ahead, can replay it once.
    #[default]
    RefuseDatedBefore,
    /// Refuses every request that can have been used before: those dated up to one window after the start. No replay is
    /// possible, provided that the window was not longer before and the clock does not go back; and for one window nobody
    /// with a right clock is served.
    RefuseForOneWindow,
    /// Refuses none: for one window, and for two if clocks were ahead, what was used before the start can be replayed.
    InsecureAdmit,
}

impl AfterRestart {
    /// The first second of expiry from which on a claim can be decided. A claim expires one window after its date.
    pub(crate) fn remembers_from(self, started: UnixTime, window_seconds: u32) -> i64 {
        let window = i64::from(window_seconds);
        let second = started.seconds();
        match self {
            // A date is the whole second in which the request was signed: the one in which the store started counts as
            // before.
            Self::RefuseDatedBefore => {
                let begun = i64::from(UnixTime::from_seconds(second) < started);
                second.saturating_add(begun).saturating_add(window)
            }
            Self::RefuseForOneWindow => second
                .saturating_add(window.saturating_mul(2))
                .saturating_add(1),
            Self::InsecureAdmit => i64::MIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AfterRestart::{InsecureAdmit, RefuseDatedBefore, RefuseForOneWindow};

    #[test]
    fn a_date_counts_as_before_if_its_second_had_begun() {
        let dates_from = |nanos, rule: AfterRestart| {
            rule.remembers_from(UnixTime::from_nanos(nanos), 300)
                .saturating_sub(300)
        };
        assert_eq!(dates_from(1_000_000_000_000, RefuseDatedBefore), 1000);
        assert_eq!(dates_from(1_000_000_000_001, RefuseDatedBefore), 1001);
        assert_eq!(dates_from(1_000_999_999_999, RefuseDatedBefore), 1001);
        assert_eq!(dates_from(-1_500_000_000, RefuseDatedBefore), -1);
        // In second 1000 a request dated 1300 could be used, and none dated 1301.
        assert_eq!(dates_from(1_000_000_000_000, RefuseForOneWindow), 1301);
        assert_eq!(dates_from(1_000_999_999_999, RefuseForOneWindow), 1301);
    }

    #[test]
    fn at_the_ends_of_time_nothing_overflows() {
        let ends = [
            UnixTime::from_nanos(i64::MIN),
            UnixTime::from_nanos(i64::MAX),
        ];
        for started in ends {
            for rule in [RefuseDatedBefore, RefuseForOneWindow] {
                let seconds = rule.remembers_from(started, u32::MAX);
                assert!(seconds > started.seconds());
            }
            assert_eq!(InsecureAdmit.remembers_from(started, u32::MAX), i64::MIN);
        }
    }
}
