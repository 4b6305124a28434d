//! The stages of a check. Each stage states a question for a store, takes the answer, and becomes the next stage; none
//! performs I/O.
//!
//! [`Validator`](crate::Validator) and [`AsyncValidator`](crate::AsyncValidator) drive the stages with the stores they
//! hold. To use stores that fit neither, drive the stages yourself: each method that returns a question names the method
//! that takes the answer.
//!
//! | stage | checks | asks |
//! |---|---|---|
//! | [`Received`] | protocol, method, form, required parameters | |
//! | [`Read`] | types, timestamp | |
//! | [`Parsed`] | SecretId, token, signature | [`CredentialStore`](crate::store::CredentialStore) |
//! | [`Authenticated`] | nonce | [`NonceStore`](crate::store::NonceStore) |
//! | [`Fresh`] | account, MFA, action, permission | [`PermissionStore`](crate::store::PermissionStore) |
//! | [`Permitted`] | rate, quota | [`QuotaStore`](crate::store::QuotaStore) |

mod authenticated;
mod caller;
mod fresh;
mod parsed;
mod permitted;
mod read;
mod received;

pub use authenticated::Authenticated;
pub use fresh::Fresh;
pub use parsed::Parsed;
pub use permitted::Permitted;
pub use read::Read;
pub use received::Received;

#[cfg(feature = "diagnose")]
pub(crate) use read::Signed;
