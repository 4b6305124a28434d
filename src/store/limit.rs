//! How many requests, in how long, and to which requests that applies.

use std::num::NonZeroU32;
use std::time::Duration;

use super::pattern::Pattern;
use super::quotas::QuotaDraw;
use crate::clock::UnixTime;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// A rate limit: `limit` requests per `period`, refilled continuously. A caller idle for a while may call `limit` times
/// at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRule {
    pub(crate) limit: NonZeroU32,
    pub(crate) period: NonZeroU32,
    pub(crate) applies: Applies,
}

impl RateRule {
    /// `limit` requests in `period_seconds`, counted for each account over all actions.
    #[must_use]
    pub fn new(limit: NonZeroU32, period_seconds: NonZeroU32) -> Self {
        Self {
            limit,
            period: period_seconds,
            applies: Applies::default(),
        }
    }

    /// The same rate, for all actions that match the pattern together.
    #[must_use]
    pub fn on(mut self, actions: impl Into<Pattern>) -> Self {
        self.applies.actions = actions.into();
        self
    }

    /// The same rate, for the main account with this uin and its sub-accounts only.
    #[must_use]
    pub fn for_account(mut self, uin: impl Into<Box<str>>) -> Self {
        self.applies.account = Some(uin.into());
        self
    }

    /// The same rate, counted for each account or for each principal.
    #[must_use]
    pub fn per(mut self, scope: LimitScope) -> Self {
        self.applies.scope = scope;
        self
    }

    /// Rounded up: the rate is never exceeded.
    pub(crate) fn refills_one_in(&self) -> Duration {
        let period = u64::from(self.period.get()).saturating_mul(NANOS_PER_SECOND);
        Duration::from_nanos(period.div_ceil(u64::from(self.limit.get())))
    }
}

/// So many requests in a period of so many seconds. Periods begin at multiples of their length since the epoch: those of
/// 86,400 seconds with the UTC day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRule {
    pub(crate) limit: u64,
    pub(crate) period: NonZeroU32,
    pub(crate) applies: Applies,
}

impl QuotaRule {
    /// `limit` requests in each period of `period_seconds`, counted for each account over all actions.
    #[must_use]
    pub fn new(limit: u64, period_seconds: NonZeroU32) -> Self {
        Self {
            limit,
            period: period_seconds,
            applies: Applies::default(),
        }
    }

    /// The same quota, for all actions that match the pattern together.
    #[must_use]
    pub fn on(mut self, actions: impl Into<Pattern>) -> Self {
        self.applies.actions = actions.into();
        self
    }

    /// The same quota, for the main account with this uin and its sub-accounts only.
    #[must_use]
    pub fn for_account(mut self, uin: impl Into<Box<str>>) -> Self {
        self.applies.account = Some(uin.into());
        self
    }

    /// The same quota, counted for each account or for each principal.
    #[must_use]
    pub fn per(mut self, scope: LimitScope) -> Self {
        self.applies.scope = scope;
        self
    }

    pub(crate) fn period_at(&self, now: UnixTime) -> i64 {
        let length = i64::from(self.period.get());
        now.seconds().checked_div_euclid(length).unwrap_or_default()
    }

    pub(crate) fn end_of(&self, period: i64) -> UnixTime {
        let length = i64::from(self.period.get());
        UnixTime::from_seconds(period.saturating_add(1).saturating_mul(length))
    }
}

/// Whose requests are counted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LimitScope {
    /// Those of a main account and all of its sub-accounts.
    #[default]
    Account,
    /// Those of a main account, and those of each sub-account, on their own.
    Principal,
}

/// To which requests a limit applies, and whose are counted together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applies {
    pub(crate) actions: Pattern,
    pub(crate) account: Option<Box<str>>,
    pub(crate) scope: LimitScope,
}

impl Default for Applies {
    fn default() -> Self {
        Self {
            actions: Pattern::new("*"),
            account: None,
            scope: LimitScope::Account,
        }
    }
}

impl Applies {
    pub(crate) fn to(&self, draw: &QuotaDraw<'_>) -> bool {
        self.account
            .as_deref()
            .is_none_or(|uin| uin == draw.principal.uin())
            && self.actions.matches(draw.action)
    }
}
