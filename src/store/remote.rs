//! Stores that are elsewhere: the same four questions, answered later.
//!
//! A remote store gives each answer as a boxed future. A store that answers at once is better kept as [`Slot::Local`],
//! which makes no future and allocates nothing.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use super::{
    Credential, CredentialStore, NonceClaim, NonceStore, NonceVerdict, PermissionQuery,
    PermissionStore, QuotaDraw, QuotaStore, QuotaVerdict, Standing, StoreError, Stores,
};

/// What a remote store will answer. `Box::pin(async move { … })` makes one.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Finds credentials elsewhere.
///
/// The validator has no timer: this future, and that of every other remote store, must end with an error when the store
/// takes too long.
pub trait RemoteCredentialStore: Send + Sync {
    /// As [`CredentialStore::find`].
    fn find<'a>(&'a self, secret_id: &'a str) -> Answer<'a, Option<Credential>>;

    /// As [`CredentialStore::known`]; where it fails, a diagnosis does without. None by default.
    fn known(&self, limit: usize) -> Answer<'_, Vec<Credential>> {
        let _ = limit;
        Box::pin(ready(Ok(Vec::new())))
    }
}

/// Remembers elsewhere which nonces have been used.
///
/// # What an implementation must hold
///
/// All that [`NonceStore`] demands, and because a claim is some time on its way:
///
/// * [`NonceClaim::now`] is when the request was complete. When the claim arrives it is later, by as long as the
///   credential store took and the claim itself. It must not be taken for the present.
/// * A store that forgets by a clock of its own adds to [`NonceClaim::expires_at`] what the two clocks may differ, and
///   answers a claim that arrives after that with an error: what it would have to be compared with may be gone.
///   (`SET … NX EXAT` with a time in the past succeeds and remembers nothing.)
/// * Where the connection fails after the claim was sent, the answer is an error, never a second try that could take its
///   own first claim for somebody else's, or the other way round.
///
/// The validator adds its own net under this: it does not believe a [`NonceVerdict::Fresh`] that it gets after the claim
/// has expired.
pub trait RemoteNonceStore: Send + Sync {
    /// As [`NonceStore::claim`]. The future may be dropped before it ends; then the nonce may or may not be used, and
    /// nobody is admitted.
    fn claim<'a>(&'a self, claim: NonceClaim<'a>) -> Answer<'a, NonceVerdict>;
}

/// Knows accounts, actions and permissions elsewhere.
pub trait RemotePermissionStore: Send + Sync {
    /// As [`PermissionStore::decide`].
    fn decide<'a>(&'a self, query: PermissionQuery<'a>) -> Answer<'a, Standing>;
}

/// Counts requests elsewhere.
pub trait RemoteQuotaStore: Send + Sync {
    /// As [`QuotaStore::draw`].
    ///
    /// [`QuotaDraw::now`] is when the request was complete, and draws may arrive in another order than their instants: an
    /// earlier instant must not give anything back.
    fn draw<'a>(&'a self, draw: QuotaDraw<'a>) -> Answer<'a, QuotaVerdict>;
}

/// A store, asked in place or waited for: `L` is the trait of the one kind, `R` that of the other.
#[expect(
    clippy::exhaustive_enums,
    reason = "a store answers at once or it does not"
)]
pub enum Slot<L: ?Sized, R: ?Sized> {
    /// It answers at once.
    Local(Arc<L>),
    /// It is waited for.
    Remote(Arc<R>),
}

impl<L: ?Sized, R: ?Sized> Slot<L, R> {
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self, Self::Remote(_))
    }
}

impl<L: ?Sized, R: ?Sized> Clone for Slot<L, R> {
    fn clone(&self) -> Self {
        match self {
            Self::Local(store) => Self::Local(Arc::clone(store)),
            Self::Remote(store) => Self::Remote(Arc::clone(store)),
        }
    }
}

impl<L: ?Sized, R: ?Sized> fmt::Debug for Slot<L, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local(_) => "Local(..)",
            Self::Remote(_) => "Remote(..)",
        })
    }
}

/// The four stores of an [`AsyncValidator`](crate::AsyncValidator), each in place or elsewhere.
///
/// ```
/// use std::sync::Arc;
/// use qcloud_validator::memory::MemoryCredentials;
/// use qcloud_validator::{Clock, SystemClock};
/// use qcloud_validator::store::{
///     Answer, AsyncStores, NonceClaim, NonceVerdict, RemoteNonceStore, Slot, StoreError, Stores,
/// };
///
/// struct Elsewhere;
///
/// impl RemoteNonceStore for Elsewhere {
///     fn claim<'a>(&'a self, claim: NonceClaim<'a>) -> Answer<'a, NonceVerdict> {
///         Box::pin(async move { Err(StoreError::new("not connected")) })
///     }
/// }
///
/// let stores = AsyncStores {
///     nonces: Slot::Remote(Arc::new(Elsewhere)),
///     ..AsyncStores::from(Stores::in_memory(MemoryCredentials::new(), 300, SystemClock.now()))
/// };
/// # let _ = stores;
/// ```
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a validator needs each of them named"
)]
pub struct AsyncStores {
    /// Who may sign.
    pub credentials: Slot<dyn CredentialStore, dyn RemoteCredentialStore>,
    /// What has been used.
    pub nonces: Slot<dyn NonceStore, dyn RemoteNonceStore>,
    /// Who may do what.
    pub permissions: Slot<dyn PermissionStore, dyn RemotePermissionStore>,
    /// How often.
    pub quotas: Slot<dyn QuotaStore, dyn RemoteQuotaStore>,
}

/// All of them in place.
impl From<Stores> for AsyncStores {
    fn from(stores: Stores) -> Self {
        Self {
            credentials: Slot::Local(stores.credentials),
            nonces: Slot::Local(stores.nonces),
            permissions: Slot::Local(stores.permissions),
            quotas: Slot::Local(stores.quotas),
        }
    }
}
