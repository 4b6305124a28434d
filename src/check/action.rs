//! Whether the action exists and is in service (common-errors.md rows 16, 17).

use crate::reason::Reason;
use crate::store::ActionStanding;

/// Proof that the action exists and is in service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionAvailable(());

pub(crate) fn check(standing: ActionStanding, action: &str) -> Result<ActionAvailable, Reason> {
    let action = || action.to_owned();
    match standing {
        ActionStanding::Available => Ok(ActionAvailable(())),
        ActionStanding::Unknown => Err(Reason::ActionUnknown { action: action() }),
        ActionStanding::Unavailable => Err(Reason::ActionUnavailable { action: action() }),
    }
}
