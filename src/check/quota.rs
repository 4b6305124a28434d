//! Whether the request keeps its rate and its quota (common-errors.md rows 18, 11). The store draws from both in one step
//! and reports the rate first.

use crate::reason::Reason;
use crate::store::QuotaVerdict;

/// Proof that the request was drawn from its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuotaDrawn(());

pub(crate) fn check(verdict: QuotaVerdict) -> Result<QuotaDrawn, Reason> {
    match verdict {
        QuotaVerdict::Drawn => Ok(QuotaDrawn(())),
        QuotaVerdict::RateExceeded {
            limit,
            period,
            retry_after_millis,
        } => Err(Reason::RateExceeded {
            limit,
            period,
            retry_after_millis,
        }),
        QuotaVerdict::QuotaExhausted { limit, resets_at } => {
            Err(Reason::QuotaExhausted { limit, resets_at })
        }
    }
}
