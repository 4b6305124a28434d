//! Table `[[credential]]`: a key, and whose it is.

use qcloud_validator::store::{Credential, CredentialState, Mfa, Principal};
use qcloud_validator::{SecretKey, UnixTime};

use super::secret::secret;
use super::{DEFAULT_ACCOUNT, Seen, required};
use crate::config::files::Files;
use crate::config::toml_table::{Fault, Table};

pub(super) fn credential(
    mut table: Table<'_>,
    files: &mut Files,
    seen: &mut Seen,
) -> Result<Credential, Fault> {
    let secret_id = required(&mut table, "secret_id")?;
    seen.once(&table, "secret_id", secret_id.clone())?;
    let key = secret(
        &mut table,
        ["secret_key", "secret_key_env", "secret_key_file"],
        files,
    )?;
    let key = key.ok_or_else(|| {
        let wrong = "expected one of secret_key, secret_key_env, secret_key_file";
        table.fault(table.line(), "secret_key", wrong)
    })?;
    let key = SecretKey::new(key)
        .map_err(|error| table.fault(table.line(), "secret_key", error.to_string()))?;
    let token = secret(&mut table, ["token", "token_env", "token_file"], files)?;
    let expires = table.instant("token_expires")?;
    if let (None, Some(expires)) = (&token, &expires) {
        let wrong = "expected only with token, token_env or token_file";
        return Err(table.fault(expires.line, "token_expires", wrong));
    }
    let account = uin(&mut table, "account")?.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    let principal = match uin(&mut table, "sub_account")? {
        Some(sub_account) => Principal::sub_account(account, sub_account),
        None => Principal::account(account),
    };
    let state = table.choice(
        "state",
        &[
            ("enabled", CredentialState::Enabled),
            ("disabled", CredentialState::Disabled),
        ],
    )?;
    let mfa = table.choice(
        "mfa",
        &[("verified", Mfa::Verified), ("unverified", Mfa::Unverified)],
    )?;
    table.finish()?;
    let credential = match token {
        None => Credential::permanent(secret_id, key, principal),
        Some(token) => {
            let expires = expires.map(|expires| UnixTime::from_seconds(expires.value));
            Credential::temporary(secret_id, key, principal, token, expires)
        }
    };
    Ok(credential
        .with_state(state.unwrap_or_default())
        .with_mfa(mfa.unwrap_or_default()))
}

/// Whose key it is. It stands in a header, in which `none` says that there is no such account.
fn uin(table: &mut Table<'_>, name: &'static str) -> Result<Option<String>, Fault> {
    let Some(uin) = table.text(name)? else {
        return Ok(None);
    };
    let is_visible = uin.value.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible || uin.value.eq_ignore_ascii_case("none") {
        let wrong = "expected printable ASCII without blanks, and not `none`";
        return Err(table.fault(uin.line, name, wrong));
    }
    Ok(Some(uin.value.into_owned()))
}
