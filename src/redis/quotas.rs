//! Rates and quotas over all gateways: the rules of [`MemoryQuotas`](crate::memory::MemoryQuotas), counted in Redis.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::layout::Bucket;
use super::script::{Question, Script};
use super::settings::in_milliseconds;
use super::{RedisError, Shared};
use crate::store::limit::Applies;
use crate::store::{
    Answer, LimitScope, Principal, QuotaDraw, QuotaRule, QuotaVerdict, RateRule, RemoteQuotaStore,
    StoreError,
};

/// Rates and quotas, counted in Redis for all gateways together.
///
/// The rules are those of [`MemoryQuotas`](crate::memory::MemoryQuotas), and one list of rules serves both. What differs:
///
/// * A draw is one step over all rules that apply. The first that has nothing left refuses, rates before quotas, and then
///   **nothing is drawn from any of them**.
/// * A count belongs to what its rule says. Gateways with the same rules share it, in whatever order they were added; a rule
///   that is changed starts again, and a rule that is added twice counts once.
/// * Rates refill in whole microseconds, rounded up: a million requests in a second at most.
/// * A clock that goes back counts as no time passed. The clocks of the gateways may differ by the
///   [clock allowance](super::RedisSettings::with_clock_allowance). A count is dropped when it means nothing any more, and
///   the allowance later.
/// * A Redis that loses its memory starts all counts again.
///
/// ```no_run
/// use std::num::NonZeroU32;
/// use std::sync::Arc;
/// use qcloud_validator::redis::{RedisSettings, RedisStores};
/// use qcloud_validator::store::{RateRule, RemoteQuotaStore};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let one = NonZeroU32::MIN;
/// let redis = RedisStores::connect(RedisSettings::new("redis://127.0.0.1", 300)?).await?;
/// let quotas = redis.quotas().with_rate(RateRule::new(one, one).on("Describe*"));
/// let quotas: Arc<dyn RemoteQuotaStore> = Arc::new(quotas);
/// # let _ = quotas; Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisQuotas {
    shared: Arc<Shared>,
    script: Script,
    rates: Vec<RateRule>,
    quotas: Vec<QuotaRule>,
}

impl RedisQuotas {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            script: Script::new(include_str!("draw.lua")),
            rates: Vec::new(),
            quotas: Vec::new(),
        }
    }

    /// Adds a rate.
    #[must_use]
    pub fn with_rate(mut self, rule: RateRule) -> Self {
        if !self.rates.contains(&rule) {
            self.rates.push(rule);
        }
        self
    }

    /// Adds a quota.
    #[must_use]
    pub fn with_quota(mut self, rule: QuotaRule) -> Self {
        if !self.quotas.contains(&rule) {
            self.quotas.push(rule);
        }
        self
    }

    async fn decide(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        let limits = self.limits(draw);
        if limits.is_empty() {
            return Ok(QuotaVerdict::Drawn);
        }
        let Shared { link, settings, .. } = &*self.shared;
        let bucket = Bucket::of(settings, Sha256::digest(draw.principal.uin()).into());
        let keys: Vec<Vec<u8>> = limits
            .iter()
            .map(|limit| bucket.drawn(&limit.hash(draw.principal)))
            .collect();
        let mut question = self.script.on(&keys);
        question
            .arg(microseconds(draw))
            .arg(in_milliseconds(settings.clock_allowance));
        for limit in &limits {
            limit.write(&mut question);
        }
        let connection = link.connection().await.map_err(StoreError::new)?;
        let (refusing, detail): (usize, i64) = link
            .run(connection, &question)
            .await
            .map_err(StoreError::new)?;
        match refusing.checked_sub(1) {
            None => Ok(QuotaVerdict::Drawn),
            Some(index) => limits.get(index).map_or_else(
                || {
                    let answer = format!("limit {refusing} of {}", limits.len());
                    Err(StoreError::new(RedisError::NotRedis { answer }))
                },
                |limit| Ok(limit.refusal(detail)),
            ),
        }
    }

    /// Those that apply, in the order in which they refuse.
    fn limits(&self, draw: &QuotaDraw<'_>) -> Vec<Limit<'_>> {
        let rates = self.rates.iter().map(Limit::Rate);
        let quotas = self.quotas.iter().map(Limit::Quota);
        let all = rates.chain(quotas);
        all.filter(|limit| limit.applies().to(draw)).collect()
    }
}

impl RemoteQuotaStore for RedisQuotas {
    fn draw<'a>(&'a self, draw: QuotaDraw<'a>) -> Answer<'a, QuotaVerdict> {
        Box::pin(async move { self.decide(&draw).await })
    }
}

impl fmt::Debug for RedisQuotas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisQuotas")
            .field("rates", &self.rates)
            .field("quotas", &self.quotas)
            .finish_non_exhaustive()
    }
}

/// Years before 1970 count as 1970. Until 2255 a number of Lua holds each microsecond.
fn microseconds(draw: &QuotaDraw<'_>) -> i64 {
    const EXACT: i64 = 1 << 53;
    draw.now.nanos().div_euclid(1000).clamp(0, EXACT)
}

enum Limit<'a> {
    Rate(&'a RateRule),
    Quota(&'a QuotaRule),
}

impl Limit<'_> {
    fn applies(&self) -> &Applies {
        match self {
            Self::Rate(rule) => &rule.applies,
            Self::Quota(rule) => &rule.applies,
        }
    }

    /// What the rule says, and whose requests it counts together.
    fn hash(&self, principal: &Principal) -> [u8; 32] {
        let Applies {
            actions,
            account,
            scope,
        } = self.applies();
        let (kind, limit, period) = match self {
            Self::Rate(rule) => ("rate", u64::from(rule.limit.get()), rule.period),
            Self::Quota(rule) => ("quota", rule.limit, rule.period),
        };
        let mut key = Sha256::new();
        let mut part = |bytes: &[u8]| key.update(Sha256::digest(bytes));
        part(kind.as_bytes());
        part(&limit.to_be_bytes());
        part(&period.get().to_be_bytes());
        part(actions.text().as_bytes());
        part(account.as_deref().unwrap_or_default().as_bytes());
        part(principal.uin().as_bytes());
        match scope {
            LimitScope::Account => {}
            LimitScope::Principal => {
                part(b"principal");
                part(principal.sub_uin().unwrap_or_default().as_bytes());
            }
        }
        key.finalize().into()
    }

    fn write(&self, question: &mut Question) {
        match self {
            Self::Rate(rule) => {
                let interval = rule.refills_one_in().as_nanos().div_ceil(1000);
                let all = interval.saturating_mul(u128::from(rule.limit.get()));
                question.arg("rate").arg(interval).arg(all);
            }
            Self::Quota(rule) => {
                let period = u64::from(rule.period.get()).saturating_mul(1_000_000);
                question.arg("quota").arg(rule.limit).arg(period);
            }
        }
    }

    /// `detail` is what the script says beside the limit: how many microseconds to wait, or which period is used up.
    fn refusal(&self, detail: i64) -> QuotaVerdict {
        match self {
            Self::Rate(rule) => QuotaVerdict::RateExceeded {
                limit: rule.limit.get(),
                period: rule.period.get(),
                retry_after_millis: detail.unsigned_abs().div_ceil(1000).max(1),
            },
            Self::Quota(rule) => QuotaVerdict::QuotaExhausted {
                limit: rule.limit,
                resets_at: rule.end_of(detail),
            },
        }
    }
}
