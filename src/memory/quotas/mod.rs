//! Decides how often: rates that refill continuously, and quotas that are full again at the end of a period.

mod cells;
mod period;
mod rate;
mod timeline;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use crate::store::{QuotaDraw, QuotaRule, QuotaStore, QuotaVerdict, RateRule, StoreError};
use period::Period;
use rate::Rate;
use timeline::Timeline;

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
/// use qcloud_validator::memory::MemoryQuotas;
/// use qcloud_validator::store::{Principal, QuotaDraw, QuotaStore, QuotaVerdict, RateRule};
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
        self.rates.push(Rate::new(rule));
        self
    }

    /// Adds a quota.
    #[must_use]
    pub fn with_quota(mut self, rule: QuotaRule) -> Self {
        self.quotas.push(Period::new(rule));
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
