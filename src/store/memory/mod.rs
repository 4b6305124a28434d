//! The four stores kept in the memory of one process. What they know is lost when the process ends, but for nonces that
//! are saved.

mod credentials;
mod nonces;
mod pattern;
mod permissions;
mod quotas;
mod ring;

pub use credentials::MemoryCredentials;
pub use nonces::{
    AfterRestart, CapacityError, MemoryNonces, NonceCapacity, SnapshotError, SnapshotFault,
};
pub use pattern::Pattern;
pub use permissions::{
    AccountRules, ActionRules, Effect, MemoryPermissions, MfaDemand, Resources, Rule,
};
#[cfg(feature = "redis")]
pub(in crate::store) use quotas::Applies;
pub use quotas::{LimitScope, MemoryQuotas, QuotaRule, RateRule};
