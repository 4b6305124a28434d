//! Whether the account is in good standing and among those that the action is for (common-errors.md row 10).

use crate::reason::Reason;
use crate::store::AccountStanding;

pub(crate) fn check(standing: AccountStanding) -> Result<(), Reason> {
    match standing {
        AccountStanding::Active => Ok(()),
        AccountStanding::Banned => Err(Reason::AccountBanned),
        AccountStanding::NotInAudience => Err(Reason::AccountNotInAudience),
    }
}
