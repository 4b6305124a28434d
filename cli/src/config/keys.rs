//! A key from the command line and the environment.

use clap::parser::{ArgMatches, ValueSource};
use qcloud_validator::SecretKey;
use qcloud_validator::store::{Credential, Principal};

use crate::config::validator::DEFAULT_ACCOUNT;

pub(crate) const SECRET_ID: &str = "TENCENTCLOUD_SECRET_ID";
pub(crate) const SECRET_KEY: &str = "TENCENTCLOUD_SECRET_KEY";
/// As the vendor's own command calls it.
pub(crate) const TOKEN: &str = "TENCENTCLOUD_TOKEN";

/// One key.
#[derive(clap::Args)]
pub(crate) struct KeyArgs {
    /// SecretId of one key
    #[arg(long, value_name = "ID", env = SECRET_ID, hide_env_values = true)]
    secret_id: Option<String>,

    /// Its SecretKey
    #[arg(
        long,
        value_name = "KEY",
        env = SECRET_KEY,
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    secret_key: Option<String>,

    /// Its token, if the key is temporary
    #[arg(
        long,
        value_name = "TOKEN",
        env = TOKEN,
        hide_env_values = true,
        allow_hyphen_values = true
    )]
    token: Option<String>,
}

/// A key as it was given.
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl KeyArgs {
    /// Returns the key as a credential of the default account.
    pub(crate) fn credential(&mut self, sources: &Sources) -> Result<Option<Credential>, String> {
        let Some(Key { id, secret, token }) = self.key(sources)? else {
            return Ok(None);
        };
        let secret = SecretKey::new(secret).map_err(|error| error.to_string())?;
        let principal = Principal::account(DEFAULT_ACCOUNT);
        Ok(Some(match token {
            None => Credential::permanent(id, secret, principal),
            Some(token) => Credential::temporary(id, secret, principal, token, None),
        }))
    }

    /// Returns the key on the command line, with what it lacks from the environment, where empty variables count as not set.
    /// A token in the environment belongs to the key there.
    pub(crate) fn key(&mut self, sources: &Sources) -> Result<Option<Key>, String> {
        let filled = |value: Option<String>, is_flag: bool, flag: &str| match value {
            Some(value) if value.is_empty() && is_flag => Err(format!("{flag} must not be empty")),
            value => Ok(value.filter(|value| !value.is_empty())),
        };
        let id = filled(self.secret_id.take(), sources.secret_id, "--secret-id")?;
        let secret = filled(self.secret_key.take(), sources.secret_key, "--secret-key")?;
        let token = filled(self.token.take(), sources.token, "--token")?
            .filter(|_| sources.token || !sources.secret_key);
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Some(Key { id, secret, token })),
            (None, None) if !sources.any() => Ok(None),
            (None, _) => Err(format!("a key needs --secret-id or {SECRET_ID} too")),
            (Some(_), None) => Err(format!("a key needs --secret-key or {SECRET_KEY} too")),
        }
    }
}

/// Which parts of a key were given on the command line; the others, if any, are from the environment.
#[derive(Default)]
pub(crate) struct Sources {
    secret_id: bool,
    secret_key: bool,
    token: bool,
}

impl Sources {
    pub(crate) fn of(matches: &ArgMatches) -> Self {
        // Asking for an argument that a command does not have would panic.
        let flag = |name| {
            matches!(matches.try_contains_id(name), Ok(true))
                && matches.value_source(name) == Some(ValueSource::CommandLine)
        };
        Self {
            secret_id: flag("secret_id"),
            secret_key: flag("secret_key"),
            token: flag("token"),
        }
    }

    #[cfg(feature = "serve")]
    pub(crate) fn secret_key_is_flag(&self) -> bool {
        self.secret_key
    }

    pub(crate) fn any(&self) -> bool {
        self.secret_id || self.secret_key || self.token
    }
}
