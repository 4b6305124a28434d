//! Who may sign: a SecretId, its key, whom it belongs to, and the token if it is temporary.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::StoreError;
use crate::clock::UnixTime;
use crate::signature::{SecretKey, SigningKey};

/// Finds credentials.
pub trait CredentialStore: Send + Sync {
    /// The credential with this SecretId, if there is one.
    ///
    /// # Errors
    ///
    /// When the store cannot tell; the request is refused.
    fn find(&self, secret_id: &str) -> Result<Option<Credential>, StoreError>;

    /// Some credentials, at most `limit`, that a diagnosis may compare with: was the key of another one used, was a key
    /// sent as an id? None by default.
    fn known(&self, limit: usize) -> Vec<Credential> {
        let _ = limit;
        Vec::new()
    }
}

/// A SecretId with its key. Cheap to clone; prints no secret.
#[derive(Clone)]
pub struct Credential(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    secret_id: Box<str>,
    key: Arc<SigningKey>,
    session: Session,
    state: CredentialState,
    principal: Principal,
    mfa: Mfa,
}

#[derive(Clone)]
enum Session {
    Permanent,
    Temporary {
        token: Zeroizing<Vec<u8>>,
        expires_at: Option<UnixTime>,
    },
}

impl Credential {
    /// A permanent key of `principal`.
    ///
    /// ```
    /// use qcloud_validator::{SecretKey, store::{Credential, Principal}};
    ///
    /// let key = SecretKey::new("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")?;
    /// let credential = Credential::permanent(
    ///     "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
    ///     key,
    ///     Principal::account("100000000001"),
    /// );
    /// assert!(!format!("{credential:?}").contains("Gu5t9"));
    /// # Ok::<(), qcloud_validator::EmptySecret>(())
    /// ```
    #[must_use]
    pub fn permanent(secret_id: impl Into<Box<str>>, key: SecretKey, principal: Principal) -> Self {
        Self(Arc::new(Inner {
            secret_id: secret_id.into(),
            key: Arc::new(SigningKey::new(key)),
            session: Session::Permanent,
            state: CredentialState::Enabled,
            principal,
            mfa: Mfa::Unverified,
        }))
    }

    /// A temporary key: requests must carry `token`, and are refused from `expires_at` on.
    #[must_use]
    pub fn temporary(
        secret_id: impl Into<Box<str>>,
        key: SecretKey,
        principal: Principal,
        token: impl Into<Vec<u8>>,
        expires_at: Option<UnixTime>,
    ) -> Self {
        let permanent = Self::permanent(secret_id, key, principal);
        permanent.with(|inner| {
            inner.session = Session::Temporary {
                token: Zeroizing::new(token.into()),
                expires_at,
            };
        })
    }

    /// The same credential, enabled or disabled.
    #[must_use]
    pub fn with_state(self, state: CredentialState) -> Self {
        self.with(|inner| inner.state = state)
    }

    /// The same credential, of a session in which MFA was passed or not.
    #[must_use]
    pub fn with_mfa(self, mfa: Mfa) -> Self {
        self.with(|inner| inner.mfa = mfa)
    }

    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        change(&mut inner);
        Self(Arc::new(inner))
    }

    /// The SecretId.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        &self.0.secret_id
    }

    /// Whom the key belongs to.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// Whether the session passed MFA.
    #[must_use]
    pub fn mfa(&self) -> Mfa {
        self.0.mfa
    }

    /// Whether the key may be used.
    #[must_use]
    pub fn state(&self) -> CredentialState {
        self.0.state
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.0.key
    }

    /// The token and its expiry, if the key is temporary.
    pub(crate) fn token(&self) -> Option<(&[u8], Option<UnixTime>)> {
        match &self.0.session {
            Session::Permanent => None,
            Session::Temporary { token, expires_at } => Some((token, *expires_at)),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("secret_id", &self.0.secret_id)
            .field("state", &self.0.state)
            .field("principal", &self.0.principal)
            .finish_non_exhaustive()
    }
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialState {
    /// It may.
    #[default]
    Enabled,
    /// It is switched off; requests are refused as if it did not exist.
    Disabled,
}

/// Whether the session that a key belongs to passed multi-factor authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mfa {
    /// It did not.
    #[default]
    Unverified,
    /// It did.
    Verified,
}

/// Whom a key belongs to: a main account, or a sub-account of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Principal {
    account: Box<str>,
    sub_account: Option<Box<str>>,
}

impl Principal {
    /// The main account with this uin.
    #[must_use]
    pub fn account(uin: impl Into<Box<str>>) -> Self {
        Self {
            account: uin.into(),
            sub_account: None,
        }
    }

    /// The sub-account with uin `sub_uin` of the main account with uin `uin`.
    #[must_use]
    pub fn sub_account(uin: impl Into<Box<str>>, sub_uin: impl Into<Box<str>>) -> Self {
        Self {
            account: uin.into(),
            sub_account: Some(sub_uin.into()),
        }
    }

    /// The uin of the main account.
    #[must_use]
    pub fn uin(&self) -> &str {
        &self.account
    }

    /// The uin of the sub-account, if the key belongs to one.
    #[must_use]
    pub fn sub_uin(&self) -> Option<&str> {
        self.sub_account.as_deref()
    }
}
