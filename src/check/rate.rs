//! Whether the request keeps the rate (common-errors.md row 18).

use crate::reason::Reason;
use crate::store::QuotaVerdict;

pub(crate) fn check(verdict: QuotaVerdict) -> Result<(), Reason> {
    match verdict {
        QuotaVerdict::RateExceeded {
            limit,
            period,
            retry_after_millis,
        } => Err(Reason::RateExceeded {
            limit,
            period,
            retry_after_millis,
        }),
        QuotaVerdict::Drawn | QuotaVerdict::QuotaExhausted { .. } => Ok(()),
    }
}
