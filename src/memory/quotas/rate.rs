//! Whether a rate has a request left: the generic cell rate algorithm, for each account or principal.

use std::sync::Arc;

use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::cells::Cells;
use super::timeline::{Shown, Timeline};
use crate::store::RateRule;
use crate::store::{QuotaDraw, QuotaVerdict};

const NANOS_PER_MILLISECOND: u128 = 1_000_000;

pub(super) struct Rate {
    pub(super) rule: RateRule,
    cells: Cells<Limiter>,
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Shown, NoOpMiddleware<Nanos>>;

impl Rate {
    pub(super) fn new(rule: RateRule) -> Self {
        let cells = Cells::new(rule.applies.scope);
        Self { rule, cells }
    }

    pub(super) fn draw(
        &self,
        draw: &QuotaDraw<'_>,
        timeline: &Arc<Timeline>,
    ) -> Option<QuotaVerdict> {
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
