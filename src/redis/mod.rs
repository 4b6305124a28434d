//! Shared memory of several gateways: nonces, rates and quotas in one Redis or Valkey.
//!
//! # How a loss of memory is noticed
//!
//! A nonce store that has forgotten admits replays, and a Redis forgets: when it is restarted, also with a file to read
//! back, which lacks the last second or more; when a replica takes over that lagged behind; when somebody empties it, removes
//! a key, or lets it evict. A gateway cannot notice this by its connection. A server can be back within a request, a fail-over
//! can leave the connection in place, and between a look at the server and a claim anything may happen.
//!
//! So the script that claims looks itself, in the same step (`memory.lua`, `claim.lua`). Nonces are kept in 256 buckets, each
//! a sorted set, and a marker beside each set says how many there are, under which history, and since when. The script writes
//! set and marker together, so they agree until something is lost:
//!
//! * **The history** is the server's replication ID, the name of one unbroken history of its data. It is new when a process
//!   starts as a primary and when a replica is promoted
//!   (<https://redis.io/docs/latest/operate/oss_and_stack/management/replication/>). The identity of the process (`run_id`)
//!   would not do: a primary that was cut off, became a replica of its successor and is promoted again has kept its process
//!   and lost its last writes.
//! * **The count** shows what was lost under the same history. Set and marker have no expiry, so a key that is gone was evicted
//!   or removed, and a set cannot lose one nonce unnoticed. Counters of the server would not do: `evicted_keys` does not see
//!   `DEL`, and `CONFIG RESETSTAT` sets it to zero.
//! * **When it was seen** shows a primary that stood still, where a replica may have taken over meanwhile.
//!
//! If one of them does not fit, the bucket begins to remember now, unless the server may evict any key: then the claim fails.
//! What may have been used before is refused, as [`RedisSettings::with_after_restart`] says.
//!
//! A claim notices a loss in its own bucket. All buckets are looked at together (`touch.lua`) when connecting, at regular
//! times and for readiness, so that a loss is past when a seldom used bucket is needed.
//!
//! # Whose clock
//!
//! No two clocks are compared. A nonce is kept with the second in which it expires, and removed by the clocks of the gateways:
//! a claim says which second is past for its gateway *and* for its client. The marker keeps that second as its floor, and what
//! expires up to it is refused: so no clock that goes back makes a nonce usable again.
//!
//! Since when a bucket remembers is a time of the server, because it must lie after every claim that is lost: a script that
//! was long on its way carries an old time. The gateway says for how long a request is still valid. Time in which nobody
//! looked does not count, so a clock that jumps does not make a memory longer.
//!
//! Counts of rates and quotas are kept by the clock of the validator, as in memory: see `draw.lua`.
//!
//! # What is not sent twice
//!
//! A claim whose answer is lost was made or not. Sent again it would be told that it repeats itself, or it would be made twice
//! on two servers. It is an error, and the request is refused. A client that signs again is served; one that sends the same
//! again is refused, or served if the claim was never made: once in either case.

use std::fmt;
use std::sync::Arc;

use crate::store::RemoteNonceStore;

mod error;
mod layout;
mod link;
mod nonces;
mod quotas;
mod script;
mod settings;
mod watch;

pub use error::RedisError;
pub use quotas::RedisQuotas;
pub use settings::RedisSettings;

use link::Link;
use nonces::RedisNonces;
use watch::Look;

/// Nonces, rates and quotas that several gateways share, in one Redis (6 or later) or Valkey. Cheap to clone.
///
/// It needs one primary, with replicas if you like. A Redis Cluster is not supported yet: its nodes are refused.
///
/// # What is promised
///
/// * **Once.** Of any number of equal claims at any number of gateways one is
///   [`Fresh`](crate::store::NonceVerdict::Fresh). A claim is one step of the server.
/// * **Until it expires.** A nonce is kept until [`expires_at`](crate::store::NonceClaim::expires_at) inclusive and the
///   [clock allowance](RedisSettings::with_clock_allowance) longer. The clock of the server may show anything.
/// * **Also when Redis forgets.** A server that was restarted, promoted or emptied, and one that evicted a key or from which
///   somebody removed one, is noticed with the first claim, in the same step. What may have been used before is
///   [`BeforeMemory`](crate::store::NonceVerdict::BeforeMemory), as
///   [`with_after_restart`](RedisSettings::with_after_restart) says.
/// * **Fails closed, in time.** No connection, no answer in time, an error, a replica, a server that may evict any key: an
///   error, and the validator refuses with `InternalError`. What was sent is never sent again. The nonce of such a request may
///   be used; its client must sign again.
/// * **Bounded.** One SecretId holds at most [so many](RedisSettings::with_nonces_per_secret_id) nonces. All together are
///   bounded by `maxmemory` of the server, which then refuses.
///
/// Not noticed is older state that somebody puts back whole, nonces and marker together. Where a replica may take over,
/// [`with_failover_after`](RedisSettings::with_failover_after) has to be set, or two primaries at once each admit the same
/// request.
///
/// # TLS
///
/// A program that uses `rediss://` chooses its own cryptography: it depends on the crate `redis` of the same version with the
/// feature `tokio-rustls-comp`, and on `rustls` with the feature of one provider, such as `ring`. Without them such a URL is
/// an error. The certificates that the system trusts are trusted, and the server must have one for the host of the URL.
///
/// For other certificates to trust, or one to show, [`RedisSettings::at`] takes what
/// `redis::Client::build_with_tls(url, certificates)?.get_connection_info().clone()` returns.
///
/// ```no_run
/// use std::sync::Arc;
/// use qcloud_validator::memory::MemoryCredentials;
/// use qcloud_validator::redis::{RedisSettings, RedisStores};
/// use qcloud_validator::store::{AsyncStores, Slot, Stores};
/// use qcloud_validator::{AsyncValidator, Clock, Policy, SystemClock};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::default();
/// let window = policy.window_seconds();
/// let settings = RedisSettings::new("redis://redis.internal:6379", window)?;
/// let redis = RedisStores::connect(settings).await?;
/// let stores = AsyncStores {
///     nonces: Slot::Remote(redis.nonces()),
///     quotas: Slot::Remote(Arc::new(redis.quotas())),
///     ..Stores::in_memory(MemoryCredentials::new(), window, SystemClock.now()).into()
/// };
/// let validator = AsyncValidator::new(policy, stores);
///
/// // For a readiness probe:
/// let ready = redis.ready().await.is_ok();
/// # let _ = (validator, ready); Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisStores {
    shared: Arc<Shared>,
}

/// What the stores over one connection have in common.
struct Shared {
    link: Link,
    look: Look,
    settings: RedisSettings,
}

impl RedisStores {
    /// Connects, looks whether the server can be relied on, and starts a task that looks again, about once a second, until
    /// the stores are dropped.
    ///
    /// Call it within a Tokio runtime with I/O and time enabled, which must live as long as the stores are used.
    ///
    /// # Errors
    ///
    /// When a setting is out of its range, when there is no connection, and for all that [`ready`](Self::ready) refuses.
    pub async fn connect(settings: RedisSettings) -> Result<Self, RedisError> {
        settings.check()?;
        let link = Link::new(&settings)?;
        let stores = Self {
            shared: Arc::new(Shared {
                link,
                look: Look::new(&settings),
                settings,
            }),
        };
        stores.ready().await?;
        watch::keep_looking(&stores.shared);
        Ok(stores)
    }

    /// Fails where claims fail: for a readiness probe. The server must answer in time, be a primary, take writes and not be
    /// allowed to evict any key.
    ///
    /// While requests are refused because the server has just forgotten, this does not fail: those dated later are admitted,
    /// and others are told so by a code of their own.
    ///
    /// # Errors
    ///
    /// One line that says what to do.
    pub async fn ready(&self) -> Result<(), RedisError> {
        let Shared { link, look, .. } = &*self.shared;
        look.ask(link).await
    }

    /// The nonces that all gateways share.
    #[must_use]
    pub fn nonces(&self) -> Arc<dyn RemoteNonceStore> {
        Arc::new(RedisNonces::new(Arc::clone(&self.shared)))
    }

    /// The rates and quotas that all gateways share; none yet.
    #[must_use]
    pub fn quotas(&self) -> RedisQuotas {
        RedisQuotas::new(Arc::clone(&self.shared))
    }
}

impl fmt::Debug for RedisStores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStores")
            .field("settings", &self.shared.settings)
            .finish_non_exhaustive()
    }
}
