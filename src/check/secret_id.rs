//! Whether the SecretId exists and may be used.

use crate::reason::Reason;
use crate::store::{Credential, CredentialState};

pub(crate) fn check(found: Option<Credential>) -> Result<Credential, Reason> {
    let credential = found.ok_or(Reason::SecretIdUnknown)?;
    match credential.state() {
        CredentialState::Enabled => Ok(credential),
        CredentialState::Disabled => Err(Reason::SecretIdDisabled),
    }
}
