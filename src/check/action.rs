//! Whether the action exists and is in service (common-errors.md rows 16, 17).

use crate::reason::Reason;
use crate::store::ActionStanding;

pub(crate) fn check(standing: ActionStanding, action: &str) -> Result<(), Reason> {
    let action = || action.to_owned();
    match standing {
        ActionStanding::Available => Ok(()),
        ActionStanding::Unknown => Err(Reason::ActionUnknown { action: action() }),
        ActionStanding::Unavailable => Err(Reason::ActionUnavailable { action: action() }),
    }
}
