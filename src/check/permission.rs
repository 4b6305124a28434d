//! Whether the account may call the action on the resources that the request names (common-errors.md rows 3 to 5).

use crate::reason::Reason;
use crate::store::PermissionStanding;

/// Proof that the account may call the action on the resources.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permitted(());

pub(crate) fn check(standing: PermissionStanding, action: &str) -> Result<Permitted, Reason> {
    let action = || action.to_owned();
    match standing {
        PermissionStanding::Allowed => Ok(Permitted(())),
        PermissionStanding::ActionDenied => Err(Reason::ActionDenied { action: action() }),
        PermissionStanding::ResourceDenied { resource } => Err(Reason::ResourceDenied { resource }),
        PermissionStanding::ActionResourceDenied { resource } => {
            Err(Reason::ActionResourceDenied {
                action: action(),
                resource,
            })
        }
    }
}
