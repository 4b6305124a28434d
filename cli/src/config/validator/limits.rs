//! Tables `[[rate]]` and `[[quota]]`: how often an action may be called.

use std::num::NonZeroU32;

use qcloud_validator::memory::MemoryQuotas;
#[cfg(all(feature = "serve", feature = "redis"))]
use qcloud_validator::redis::{RedisQuotas, RedisStores};
use qcloud_validator::store::{LimitScope, QuotaRule, RateRule};

use crate::config::toml_table::{Choices, Fault, Table};

/// How often. Rules of their own, since more than one kind of store counts by them.
#[derive(Default, PartialEq)]
pub(crate) struct LimitRules {
    pub(crate) rates: Vec<RateRule>,
    pub(crate) quotas: Vec<QuotaRule>,
}

impl LimitRules {
    /// A store in memory, in which nothing has been drawn.
    pub(crate) fn in_memory(&self) -> MemoryQuotas {
        let rates = self.rates.iter().cloned();
        let quotas = self.quotas.iter().cloned();
        let store = rates.fold(MemoryQuotas::new(), MemoryQuotas::with_rate);
        quotas.fold(store, MemoryQuotas::with_quota)
    }

    /// What all gateways draw from together.
    #[cfg(all(feature = "serve", feature = "redis"))]
    pub(crate) fn in_redis(&self, redis: &RedisStores) -> RedisQuotas {
        let rates = self.rates.iter().cloned();
        let quotas = self.quotas.iter().cloned();
        let store = rates.fold(redis.quotas(), RedisQuotas::with_rate);
        quotas.fold(store, RedisQuotas::with_quota)
    }
}

const LIMIT_SCOPE: Choices<'_, LimitScope> = &[
    ("account", LimitScope::Account),
    ("principal", LimitScope::Principal),
];

pub(super) fn rate(mut table: Table<'_>) -> Result<RateRule, Fault> {
    let limit = positive(&mut table, "limit")?.ok_or_else(|| table.missing("limit"))?;
    let period = positive(&mut table, "period_seconds")?.unwrap_or(NonZeroU32::MIN);
    let mut rate = RateRule::new(limit, period);
    if let Some(action) = table.text("action")? {
        rate = rate.on(action.value);
    }
    if let Some(account) = table.text("account")? {
        rate = rate.for_account(account.value);
    }
    rate = rate.per(table.choice("per", LIMIT_SCOPE)?.unwrap_or_default());
    table.finish()?;
    Ok(rate)
}

pub(super) fn quota(mut table: Table<'_>) -> Result<QuotaRule, Fault> {
    let limit = table
        .number("limit", 0..=u64::MAX)?
        .ok_or_else(|| table.missing("limit"))?;
    let period =
        positive(&mut table, "period_seconds")?.ok_or_else(|| table.missing("period_seconds"))?;
    let mut quota = QuotaRule::new(limit, period);
    if let Some(action) = table.text("action")? {
        quota = quota.on(action.value);
    }
    if let Some(account) = table.text("account")? {
        quota = quota.for_account(account.value);
    }
    quota = quota.per(table.choice("per", LIMIT_SCOPE)?.unwrap_or_default());
    table.finish()?;
    Ok(quota)
}

fn positive(table: &mut Table<'_>, name: &'static str) -> Result<Option<NonZeroU32>, Fault> {
    let number = table.number(name, 1..=u64::from(u32::MAX))?;
    Ok(number
        .and_then(|number| u32::try_from(number).ok())
        .and_then(NonZeroU32::new))
}
