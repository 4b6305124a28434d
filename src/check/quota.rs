//! Whether the request is within the quota (common-errors.md row 11), after its rate.

use super::rate;
use crate::reason::Reason;
use crate::store::QuotaVerdict;

/// Proof that the request was drawn from its limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QuotaDrawn(());

pub(crate) fn check(verdict: QuotaVerdict) -> Result<QuotaDrawn, Reason> {
    rate::check(verdict)?;
    match verdict {
        QuotaVerdict::QuotaExhausted { limit, resets_at } => {
            Err(Reason::QuotaExhausted { limit, resets_at })
        }
        QuotaVerdict::Drawn | QuotaVerdict::RateExceeded { .. } => Ok(QuotaDrawn(())),
    }
}
