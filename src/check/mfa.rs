//! Whether multi-factor authentication stands in the way (common-errors.md row 8).

use crate::reason::Reason;
use crate::store::MfaStanding;

pub(crate) fn check(standing: MfaStanding) -> Result<(), Reason> {
    match standing {
        MfaStanding::Satisfied => Ok(()),
        MfaStanding::Failed => Err(Reason::MfaFailed),
    }
}
