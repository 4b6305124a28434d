//! Whether the account is in good standing and among those that the action is for (common-errors.md row 10).

use crate::reason::Reason;
use crate::store::AccountStanding;

/// Proof that the account is in good standing and may use the action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountActive(());

pub(crate) fn check(standing: AccountStanding) -> Result<AccountActive, Reason> {
    match standing {
        AccountStanding::Active => Ok(AccountActive(())),
        AccountStanding::Banned => Err(Reason::AccountBanned),
        AccountStanding::NotInAudience => Err(Reason::AccountNotInAudience),
    }
}
