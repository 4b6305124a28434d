//! Whether multi-factor authentication stands in the way (common-errors.md row 8).

use crate::reason::Reason;
use crate::store::MfaStanding;

/// Proof that multi-factor authentication does not stand in the way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MfaSatisfied(());

pub(crate) fn check(standing: MfaStanding) -> Result<MfaSatisfied, Reason> {
    match standing {
        MfaStanding::Satisfied => Ok(MfaSatisfied(())),
        MfaStanding::Failed => Err(Reason::MfaFailed),
    }
}
