//! Whether the SecretId exists and may be used.

use crate::reason::Reason;
use crate::store::{Credential, CredentialState};

/// Proof that the SecretId exists and may be used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretIdEnabled(());

pub(crate) fn check(credential: &Credential) -> Result<SecretIdEnabled, Reason> {
    match credential.state() {
        CredentialState::Enabled => Ok(SecretIdEnabled(())),
        CredentialState::Disabled => Err(Reason::SecretIdDisabled),
    }
}
