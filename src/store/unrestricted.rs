//! Stores for a service without permissions and limits: any signed request may proceed.

use super::{
    AccountStanding, ActionStanding, MfaStanding, PermissionQuery, PermissionStanding,
    PermissionStore, QuotaDraw, QuotaStore, QuotaVerdict, Standing, StoreError,
};

/// Permits everything to every authentic request and counts nothing.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state and needs none")]
pub struct Unrestricted;

impl PermissionStore for Unrestricted {
    fn decide(&self, _: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
        Ok(Standing {
            account: AccountStanding::Active,
            mfa: MfaStanding::Satisfied,
            action: ActionStanding::Available,
            permission: PermissionStanding::Allowed,
        })
    }
}

impl QuotaStore for Unrestricted {
    fn draw(&self, _: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        Ok(QuotaVerdict::Drawn)
    }
}
