//! Decides how often: rates that refill continuously, and quotas that are full again at the end of a period.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dashmap::DashMap;
use foldhash::fast::RandomState;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter, clock};

use super::pattern::Pattern;
use crate::clock::UnixTime;
use crate::store::{Principal, QuotaDraw, QuotaStore, QuotaVerdict, StoreError};

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLISECOND: u128 = 1_000_000;

/// Rates and quotas, counted in memory.
///
/// A request draws from **every** rule that applies to it, rates first, in the order in which they were added. The first
/// that has nothing left refuses, and nothing is drawn from it or from those that follow; what was drawn from those before
/// it stays drawn.
///
/// # When the clock jumps
///
/// For rates, a clock that goes back counts as no time passed, and time goes on from there; a clock that goes forward
/// refills. For quotas, a clock that goes back to an earlier period gives nothing new: the later period goes on until
/// the clock has caught up.
///
/// # Memory
///
/// There is one entry of about 100 bytes for each rule and each account, or principal, that ever drew from it. Only
/// authentic requests draw, so the bound is the number of rules times the number of accounts or principals. Entries are
/// not removed.
///
/// ```
/// use std::num::NonZeroU32;
/// use qcloud_validator::UnixTime;
/// use qcloud_validator::store::{
///     MemoryQuotas, Principal, QuotaDraw, QuotaStore, QuotaVerdict, RateRule,
/// };
///
/// let one = NonZeroU32::MIN;
/// let quotas = MemoryQuotas::new().with_rate(RateRule::new(one, one).on("Describe*"));
///
/// let principal = Principal::account("100000000001");
/// let now = UnixTime::from_seconds(1_767_225_600);
/// let draw = QuotaDraw::new(&principal, "AKIDEXAMPLE", "DescribeInstances", now);
/// assert_eq!(quotas.draw(&draw)?, QuotaVerdict::Drawn);
/// assert_eq!(
///     quotas.draw(&draw)?,
///     QuotaVerdict::RateExceeded { limit: 1, period: 1, retry_after_millis: 1000 },
/// );
/// # Ok::<(), qcloud_validator::store::StoreError>(())
/// ```
#[derive(Default)]
pub struct MemoryQuotas {
    timeline: Arc<Timeline>,
    rates: Vec<Rate>,
    quotas: Vec<Period>,
}

impl MemoryQuotas {
    /// No limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rate.
    #[must_use]
    pub fn with_rate(mut self, rule: RateRule) -> Self {
        let cells = Cells::new(rule.applies.scope);
        self.rates.push(Rate { rule, cells });
        self
    }

    /// Adds a quota.
    #[must_use]
    pub fn with_quota(mut self, rule: QuotaRule) -> Self {
        let cells = Cells::new(rule.applies.scope);
        self.quotas.push(Period { rule, cells });
        self
    }
}

impl QuotaStore for MemoryQuotas {
    fn draw(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        self.timeline.pass(draw.now);
        for rate in &self.rates {
            if let Some(refusal) = rate.draw(draw, &self.timeline) {
                return Ok(refusal);
            }
        }
        for quota in &self.quotas {
            if let Some(refusal) = quota.draw(draw)? {
                return Ok(refusal);
            }
        }
        Ok(QuotaVerdict::Drawn)
    }
}

impl fmt::Debug for MemoryQuotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rates: Vec<_> = self.rates.iter().map(|rate| &rate.rule).collect();
        let quotas: Vec<_> = self.quotas.iter().map(|quota| &quota.rule).collect();
        f.debug_struct("MemoryQuotas")
            .field("rates", &rates)
            .field("quotas", &quotas)
            .finish_non_exhaustive()
    }
}

/// So many requests in so many seconds, refilled continuously: whoever has not called for a while may call `limit` times
/// at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRule {
    pub(in crate::store) limit: NonZeroU32,
    pub(in crate::store) period: NonZeroU32,
    pub(in crate::store) applies: Applies,
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
    pub(in crate::store) fn refills_one_in(&self) -> Duration {
        let period = u64::from(self.period.get()).saturating_mul(NANOS_PER_SECOND);
        Duration::from_nanos(period.div_ceil(u64::from(self.limit.get())))
    }
}

/// So many requests in a period of so many seconds. Periods begin at multiples of their length since the epoch: those of
/// 86,400 seconds with the UTC day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRule {
    pub(in crate::store) limit: u64,
    pub(in crate::store) period: NonZeroU32,
    pub(in crate::store) applies: Applies,
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

    fn period_at(&self, now: UnixTime) -> i64 {
        let length = i64::from(self.period.get());
        now.seconds().checked_div_euclid(length).unwrap_or_default()
    }

    pub(in crate::store) fn end_of(&self, period: i64) -> UnixTime {
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
pub(in crate::store) struct Applies {
    pub(in crate::store) actions: Pattern,
    pub(in crate::store) account: Option<Box<str>>,
    pub(in crate::store) scope: LimitScope,
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
    pub(in crate::store) fn to(&self, draw: &QuotaDraw<'_>) -> bool {
        self.account
            .as_deref()
            .is_none_or(|uin| uin == draw.principal.uin())
            && self.actions.matches(draw.action)
    }
}

struct Rate {
    rule: RateRule,
    cells: Cells<Limiter>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Shown, NoOpMiddleware<Nanos>>;

impl Rate {
    fn draw(&self, draw: &QuotaDraw<'_>, timeline: &Arc<Timeline>) -> Option<QuotaVerdict> {
        if !self.rule.applies.to(draw) {
            return None;
        }
        let fresh = || {
            let quota = Quota::with_period(self.rule.refills_one_in())
                .unwrap_or_else(|| Quota::per_second(self.rule.limit))
                .allow_burst(self.rule.limit);
            Limiter::direct_with_clock(quota, Shown(Arc::clone(timeline)))
        };
        self.cells.with(draw.principal, fresh, |limiter| {
            let not_until = limiter.check().err()?;
            let wait = not_until.wait_time_from(timeline.shown());
            Some(QuotaVerdict::RateExceeded {
                limit: self.rule.limit.get(),
                period: self.rule.period.get(),
                retry_after_millis: u64::try_from(wait.as_nanos().div_ceil(NANOS_PER_MILLISECOND))
                    .unwrap_or(u64::MAX)
                    .max(1),
            })
        })
    }
}

struct Period {
    rule: QuotaRule,
    cells: Cells<Mutex<Drawn>>,
}

/// How many requests were drawn in a period.
struct Drawn {
    period: i64,
    requests: u64,
}

impl Period {
    fn draw(&self, draw: &QuotaDraw<'_>) -> Result<Option<QuotaVerdict>, StoreError> {
        if !self.rule.applies.to(draw) {
            return Ok(None);
        }
        let period = self.rule.period_at(draw.now);
        let fresh = || {
            Mutex::new(Drawn {
                period,
                requests: 0,
            })
        };
        self.cells.with(draw.principal, fresh, |drawn| {
            let mut drawn = drawn
                .lock()
                .map_err(|_| StoreError::new("a thread panicked while it drew from this quota"))?;
            if drawn.period < period {
                *drawn = Drawn {
                    period,
                    requests: 0,
                };
            }
            if drawn.requests >= self.rule.limit {
                return Ok(Some(QuotaVerdict::QuotaExhausted {
                    limit: self.rule.limit,
                    resets_at: self.rule.end_of(drawn.period),
                }));
            }
            drawn.requests = drawn.requests.saturating_add(1);
            Ok(None)
        })
    }
}

/// What a rule counts, for each account or principal that has drawn from it.
enum Cells<T> {
    ByAccount(DashMap<Box<str>, T, RandomState>),
    ByPrincipal(DashMap<Principal, T, RandomState>),
}

impl<T> Cells<T> {
    fn new(scope: LimitScope) -> Self {
        match scope {
            LimitScope::Account => Self::ByAccount(DashMap::default()),
            LimitScope::Principal => Self::ByPrincipal(DashMap::default()),
        }
    }

    fn with<R>(
        &self,
        principal: &Principal,
        fresh: impl FnOnce() -> T,
        draw: impl FnOnce(&T) -> R,
    ) -> R {
        match self {
            Self::ByAccount(cells) => {
                let uin = principal.uin();
                with_cell(cells, uin, || uin.into(), fresh, draw)
            }
            Self::ByPrincipal(cells) => {
                with_cell(cells, principal, || principal.clone(), fresh, draw)
            }
        }
    }
}

/// Looks first, because that copies no key and lets others look at the same time.
fn with_cell<K, Q, T, R>(
    cells: &DashMap<K, T, RandomState>,
    key: &Q,
    owned: impl FnOnce() -> K,
    fresh: impl FnOnce() -> T,
    draw: impl FnOnce(&T) -> R,
) -> R
where
    K: Borrow<Q> + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    match cells.get(key) {
        Some(cell) => draw(&cell),
        None => draw(&cells.entry(owned()).or_insert_with(fresh)),
    }
}

/// The time that the rates see: it never goes back, and goes on at once when the clock has.
struct Timeline {
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
    fn pass(&self, now: UnixTime) {
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
            // Only whoever is ahead writes: threads that do not need not wait for each other.
            latest = self.latest.fetch_max(shown, Ordering::AcqRel);
        }
        latest.saturating_sub(shown) <= Self::DISORDER
    }

    /// The latest instant. Years before 1970 count as 1970.
    fn shown(&self) -> Nanos {
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
struct Shown(Arc<Timeline>);

impl clock::Clock for Shown {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.shown()
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use QuotaVerdict::{Drawn, QuotaExhausted, RateExceeded};

    /// 2026-01-01T00:00:00Z in milliseconds.
    const NOW: i64 = 1_767_225_600_000;
    const HOUR: i64 = 3_600_000;

    #[test]
    fn without_rules_nothing_is_refused() {
        let quotas = MemoryQuotas::new();
        for _ in 0..1000 {
            assert_eq!(draw(&quotas, NOW), Drawn);
        }
    }

    #[test]
    fn a_rate_admits_a_burst_and_then_refills_evenly() {
        let quotas = MemoryQuotas::new().with_rate(rate(5, 1));
        for _ in 0..5 {
            assert_eq!(draw(&quotas, NOW), Drawn);
        }
        assert_eq!(draw(&quotas, NOW), exceeded(5, 1, 200));
        assert_eq!(draw(&quotas, NOW + 150), exceeded(5, 1, 50));
        assert_eq!(draw(&quotas, NOW + 199), exceeded(5, 1, 1));
        assert_eq!(draw(&quotas, NOW + 200), Drawn);
        assert_eq!(draw(&quotas, NOW + 200), exceeded(5, 1, 200));
        // Two seconds refill it, and no more than that.
        for _ in 0..5 {
            assert_eq!(draw(&quotas, NOW + 2200), Drawn);
        }
        assert_eq!(draw(&quotas, NOW + 2200), exceeded(5, 1, 200));
    }

    #[test]
    fn the_wait_is_rounded_up() {
        let quotas = MemoryQuotas::new().with_rate(rate(3, 1));
        for _ in 0..3 {
            assert_eq!(draw(&quotas, NOW), Drawn);
        }
        // 333,333,334 nanoseconds.
        assert_eq!(draw(&quotas, NOW), exceeded(3, 1, 334));
        assert_eq!(draw(&quotas, NOW + 333), exceeded(3, 1, 1));
        assert_eq!(draw(&quotas, NOW + 334), Drawn);
    }

    #[test]
    fn the_largest_and_the_smallest_rates() {
        let slow = MemoryQuotas::new().with_rate(rate(1, u32::MAX));
        assert_eq!(draw(&slow, NOW), Drawn);
        assert_eq!(draw(&slow, NOW), exceeded(1, u32::MAX, 4_294_967_295_000));
        assert_eq!(draw(&slow, i64::MAX / 1_000_000), Drawn);

        let fast = MemoryQuotas::new().with_rate(rate(u32::MAX, 1));
        for _ in 0..1000 {
            assert_eq!(draw(&fast, NOW), Drawn);
        }
        let long = MemoryQuotas::new().with_rate(rate(u32::MAX, u32::MAX));
        assert_eq!(draw(&long, i64::MAX / 1_000_000), Drawn);
        assert_eq!(draw(&long, i64::MAX / 1_000_000), Drawn);
    }

    #[test]
    fn a_quota_is_full_again_with_the_next_period() {
        let quotas = MemoryQuotas::new().with_quota(QuotaRule::new(2, seconds(86_400)));
        let noon = NOW + 12 * HOUR;
        assert_eq!(draw(&quotas, noon), Drawn);
        assert_eq!(draw(&quotas, noon), Drawn);
        assert_eq!(draw(&quotas, noon), exhausted(2, 1_767_312_000));
        assert_eq!(
            draw(&quotas, NOW + 24 * HOUR - 1),
            exhausted(2, 1_767_312_000)
        );
        assert_eq!(draw(&quotas, NOW + 24 * HOUR), Drawn);
        assert_eq!(draw(&quotas, NOW + 24 * HOUR), Drawn);
        assert_eq!(draw(&quotas, NOW + 24 * HOUR), exhausted(2, 1_767_398_400));
    }

    #[test]
    fn a_quota_of_nothing_refuses() {
        let quotas = MemoryQuotas::new().with_quota(QuotaRule::new(0, seconds(60)));
        assert_eq!(draw(&quotas, NOW), exhausted(0, 1_767_225_660));
    }

    #[test]
    fn limits_count_for_each_account_or_each_principal() {
        let main = Principal::account("100000000001");
        let sub = Principal::sub_account("100000000001", "200000000001");
        let other_sub = Principal::sub_account("100000000001", "200000000002");
        let stranger = Principal::account("100000000002");

        let per_account = MemoryQuotas::new().with_rate(rate(1, 1));
        assert_eq!(draw_as(&per_account, &main, NOW), Drawn);
        assert_eq!(draw_as(&per_account, &sub, NOW), exceeded(1, 1, 1000));
        assert_eq!(draw_as(&per_account, &stranger, NOW), Drawn);

        let per_principal = MemoryQuotas::new()
            .with_rate(rate(1, 1).per(LimitScope::Principal))
            .with_quota(QuotaRule::new(2, seconds(60)).per(LimitScope::Principal));
        for principal in [&main, &sub, &other_sub, &stranger] {
            assert_eq!(draw_as(&per_principal, principal, NOW), Drawn);
            assert_eq!(
                draw_as(&per_principal, principal, NOW),
                exceeded(1, 1, 1000)
            );
        }
        for principal in [&main, &sub, &other_sub, &stranger] {
            assert_eq!(draw_as(&per_principal, principal, NOW + 1000), Drawn);
        }
        for principal in [&main, &sub, &other_sub, &stranger] {
            assert_eq!(
                draw_as(&per_principal, principal, NOW + 2000),
                exhausted(2, 1_767_225_660)
            );
        }
    }

    #[test]
    fn limits_apply_to_some_actions_or_some_accounts() {
        let quotas = MemoryQuotas::new()
            .with_rate(rate(1, 1).on("Describe*"))
            .with_rate(rate(1, 10).for_account("100000000002"))
            .with_quota(QuotaRule::new(1, seconds(60)).on("StopInstances"))
            .with_quota(QuotaRule::new(1, seconds(60)).for_account("100000000003"));
        let draw = |uin, action| {
            let principal = Principal::account(uin);
            let now = UnixTime::from_seconds(NOW / 1000);
            quotas
                .draw(&QuotaDraw::new(&principal, "AKID1", action, now))
                .unwrap()
        };
        assert_eq!(draw("100000000001", "DescribeInstances"), Drawn);
        assert_eq!(
            draw("100000000001", "DescribeRegions"),
            exceeded(1, 1, 1000)
        );
        assert_eq!(draw("100000000001", "StopInstances"), Drawn);
        assert_eq!(
            draw("100000000001", "StopInstances"),
            exhausted(1, 1_767_225_660)
        );
        assert_eq!(draw("100000000001", "RebootInstances"), Drawn);
        assert_eq!(draw("100000000001", "RebootInstances"), Drawn);
        assert_eq!(draw("100000000002", "RebootInstances"), Drawn);
        assert_eq!(
            draw("100000000002", "RebootInstances"),
            exceeded(1, 10, 10_000)
        );
        assert_eq!(draw("100000000003", "RebootInstances"), Drawn);
        assert_eq!(
            draw("100000000003", "RebootInstances"),
            exhausted(1, 1_767_225_660)
        );
    }

    #[test]
    fn the_rate_is_drawn_before_the_quota() {
        let quotas = MemoryQuotas::new()
            .with_quota(QuotaRule::new(2, seconds(60)))
            .with_rate(rate(1, 1));
        assert_eq!(draw(&quotas, NOW), Drawn);
        // Refused by the rate: nothing is taken from the quota.
        assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, NOW + 1000), Drawn);
        // Refused by the quota: the rate has been drawn.
        assert_eq!(draw(&quotas, NOW + 2000), exhausted(2, 1_767_225_660));
        assert_eq!(draw(&quotas, NOW + 2000), exceeded(1, 1, 1000));
    }

    #[test]
    fn every_rule_must_admit_in_their_order() {
        let quotas = MemoryQuotas::new()
            .with_rate(rate(3, 1))
            .with_rate(rate(1, 1));
        assert_eq!(draw(&quotas, NOW), Drawn);
        assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 1000));
        // The first has been drawn three times.
        assert_eq!(draw(&quotas, NOW), exceeded(3, 1, 334));
    }

    #[test]
    fn a_clock_that_goes_back_stops_no_rate_and_refills_none() {
        let quotas = MemoryQuotas::new().with_rate(rate(1, 1));
        assert_eq!(draw(&quotas, NOW), Drawn);
        assert_eq!(draw(&quotas, NOW - 5 * HOUR), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, NOW - 5 * HOUR + 400), exceeded(1, 1, 600));
        assert_eq!(draw(&quotas, NOW - 5 * HOUR + 1000), Drawn);
        assert_eq!(draw(&quotas, NOW - 5 * HOUR + 1000), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, NOW - 9 * HOUR), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, NOW - 9 * HOUR + 1000), Drawn);
    }

    #[test]
    fn a_clock_that_goes_ahead_refills_a_rate_once() {
        let quotas = MemoryQuotas::new().with_rate(rate(2, 1));
        for now in [NOW, NOW + 5 * HOUR] {
            assert_eq!(draw(&quotas, now), Drawn);
            assert_eq!(draw(&quotas, now), Drawn);
            assert_eq!(draw(&quotas, now), exceeded(2, 1, 500));
        }
        assert_eq!(draw(&quotas, NOW + 1), exceeded(2, 1, 500));
        assert_eq!(draw(&quotas, NOW + 501), Drawn);
    }

    #[test]
    fn requests_out_of_order_do_not_make_time_run_faster() {
        let quotas = MemoryQuotas::new().with_rate(rate(1, 1));
        assert_eq!(draw(&quotas, NOW), Drawn);
        // Back and forth by half a second, a hundred times: half a second has passed.
        for _ in 0..100 {
            assert_eq!(draw(&quotas, NOW + 500), exceeded(1, 1, 500));
            assert_eq!(draw(&quotas, NOW), exceeded(1, 1, 500));
        }
        assert_eq!(draw(&quotas, NOW + 1000), Drawn);
    }

    #[test]
    fn a_clock_before_1970_stands_still() {
        let quotas = MemoryQuotas::new().with_rate(rate(1, 1));
        assert_eq!(draw(&quotas, -5 * HOUR), Drawn);
        assert_eq!(draw(&quotas, -4 * HOUR), exceeded(1, 1, 1000));
        assert_eq!(draw(&quotas, 1000), Drawn);
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_fresh_quota() {
        let quotas = MemoryQuotas::new().with_quota(QuotaRule::new(2, seconds(3600)));
        assert_eq!(draw(&quotas, NOW), Drawn);
        assert_eq!(draw(&quotas, NOW - 5 * HOUR), Drawn);
        assert_eq!(draw(&quotas, NOW - 4 * HOUR), exhausted(2, 1_767_229_200));
        assert_eq!(draw(&quotas, NOW), exhausted(2, 1_767_229_200));
        // Ahead and back: the period ahead is the one that counts.
        assert_eq!(draw(&quotas, NOW + 5 * HOUR), Drawn);
        assert_eq!(draw(&quotas, NOW + HOUR), Drawn);
        assert_eq!(draw(&quotas, NOW + HOUR), exhausted(2, 1_767_247_200));
        assert_eq!(draw(&quotas, NOW + 6 * HOUR), Drawn);
    }

    #[test]
    fn of_many_threads_exactly_one_draws_the_last() {
        for quotas in [
            MemoryQuotas::new().with_rate(rate(3, 60)),
            MemoryQuotas::new().with_quota(QuotaRule::new(3, seconds(60))),
            MemoryQuotas::new().with_rate(rate(3, 60).per(LimitScope::Principal)),
        ] {
            assert_eq!(draw(&quotas, NOW), Drawn);
            assert_eq!(draw(&quotas, NOW), Drawn);
            assert_eq!(drawn_by_64_threads(&quotas), 1);
        }
        // Also if none of them finds a count that exists.
        let quotas = MemoryQuotas::new()
            .with_rate(rate(1, 60))
            .with_quota(QuotaRule::new(1, seconds(60)));
        assert_eq!(drawn_by_64_threads(&quotas), 1);
    }

    #[test]
    fn debug_prints_the_rules() {
        let quotas = MemoryQuotas::new().with_rate(rate(1, 1).on("Describe*"));
        assert_eq!(
            format!("{quotas:?}"),
            "MemoryQuotas { rates: [RateRule { limit: 1, period: 1, applies: Applies { actions: \
             Pattern(\"Describe*\"), account: None, scope: Account } }], quotas: [], .. }"
        );
    }

    fn draw(quotas: &MemoryQuotas, milliseconds: i64) -> QuotaVerdict {
        draw_as(quotas, &Principal::account("100000000001"), milliseconds)
    }

    fn draw_as(quotas: &MemoryQuotas, principal: &Principal, milliseconds: i64) -> QuotaVerdict {
        let now = UnixTime::from_nanos(milliseconds * 1_000_000);
        let draw = QuotaDraw::new(principal, "AKID1", "DescribeInstances", now);
        quotas.draw(&draw).unwrap()
    }

    fn drawn_by_64_threads(quotas: &MemoryQuotas) -> usize {
        let barrier = Barrier::new(64);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        draw(quotas, NOW)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .filter(|&verdict| verdict == Drawn)
                .count()
        })
    }

    fn rate(limit: u32, period: u32) -> RateRule {
        RateRule::new(NonZeroU32::new(limit).unwrap(), seconds(period))
    }

    fn seconds(count: u32) -> NonZeroU32 {
        NonZeroU32::new(count).unwrap()
    }

    fn exceeded(limit: u32, period: u32, retry_after_millis: u64) -> QuotaVerdict {
        RateExceeded {
            limit,
            period,
            retry_after_millis,
        }
    }

    fn exhausted(limit: u64, resets_at: i64) -> QuotaVerdict {
        QuotaExhausted {
            limit,
            resets_at: UnixTime::from_seconds(resets_at),
        }
    }
}
