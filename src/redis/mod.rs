//! Decides what gateways remember together: nonces, rates and quotas in one Redis or Valkey.
//!
//! # How a server is known to have forgotten
//!
//! A nonce store that has forgotten admits replays, and a Redis forgets: when it is restarted, also with a file to read
//! back, which lacks the last second or more; when a replica takes over that lagged behind; when somebody empties it. The
//! client cannot tell by its connection. A server can be back within a request, a failover can leave the connection in
//! place, and between a look at the server and a claim it may become another.
//!
//! So the script that claims looks itself, in the same step. Redis has a name for what has to be known: the **replication
//! ID** is that of one unbroken history of the data, and is new when a process starts as a primary and when a replica is
//! promoted (<https://redis.io/docs/latest/operate/oss_and_stack/management/replication/>). A marker beside the nonces holds
//! the ID and since when it is remembered under it. If the ID of the server is another, or there is no marker, what was
//! claimed before may be gone: the script notes the new ID with the present, unless the server may evict, and the claim
//! is judged by that (`memory.lua`). The identity of the process (`run_id`) would not do: a primary that was cut off, became
//! a replica of its successor and is promoted again has kept its process and lost its last writes.
//!
//! Looking takes a third of the time that a claim keeps the server busy.
//!
//! # Whose clock
//!
//! The gateway says for how long a request is still valid, and the server adds that to its own clock, both for the expiry of
//! the key and for what may have been used before a loss. So no two clocks are compared, and one that is wrong by hours does
//! no harm. The marker holds the server's own time (`TIME`) and not that of a gateway, because it must lie after every
//! claim that is lost: a script that was long on its way carries an old time. It is only ever compared with the clock of
//! the process that wrote it, since another one has another ID. What remains, and what the clock allowance is for, is how
//! far the clocks of the gateways differ, how long a claim is on its way, and by how much the clock of a server may jump.
//!
//! Counts of rates and quotas are kept by the clock of the validator, as in memory: see `draw.lua`.
//!
//! # What is not sent twice
//!
//! A claim whose answer is lost was made or not. Sent again it would be told that it repeats itself, or it would be made twice
//! on two servers. It is an error, and the request is refused. A client that signs anew is served; one that sends the same
//! again is told so, or served if the claim was never made: once in either case.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use ::redis::Script;

use crate::store::RemoteNonceStore;

mod error;
mod link;
mod nonces;
mod quotas;
mod settings;

pub use error::RedisError;
pub use quotas::RedisQuotas;
pub use settings::RedisSettings;

use link::Link;
use nonces::RedisNonces;

/// Nonces, rates and quotas that several gateways share, in one Redis (6 or later) or Valkey. Cheap to clone.
///
/// It needs one primary, with replicas if you like. A Redis Cluster is not supported: what a claim touches is spread over its
/// nodes, and every claim fails with what the node says.
///
/// # What is promised
///
/// * **Once.** Of any number of equal claims at any number of gateways one is
///   [`Fresh`](crate::store::NonceVerdict::Fresh). A claim is one step of the server.
/// * **Until it expires.** A nonce is kept until [`expires_at`](crate::store::NonceClaim::expires_at) inclusive and the
///   [clock allowance](RedisSettings::with_clock_allowance) longer. The clock of the server may show anything.
/// * **Also when Redis forgets.** A server that was restarted, promoted or emptied is noticed with the first claim, in the
///   same step, and what may have been used before is
///   [`BeforeMemory`](crate::store::NonceVerdict::BeforeMemory), as
///   [`with_after_restart`](RedisSettings::with_after_restart) says.
/// * **Fails closed, in time.** No connection, no answer in time, an error, a replica, a server that may evict: an error, and
///   the validator refuses with `InternalError`. What was sent is never sent again. The nonce of such a request may be used;
///   its client must sign anew.
/// * **Bounded.** One SecretId holds at most [so many](RedisSettings::with_nonces_per_secret_id) nonces. All together are
///   bounded by `maxmemory` of the server, which then refuses.
/// * **Not fooled by its clock.** A gateway whose clock goes back fails claims for what may be forgotten.
///
/// Not noticed are keys that somebody removes one by one, a server whose clock jumps ahead by more than the allowance, and two
/// primaries at once: while a network is parted, each side admits the same request once. `min-replicas-to-write 1` lets the
/// side without replicas refuse.
///
/// # TLS
///
/// A program that uses `rediss://` chooses its own cryptography: it depends on the crate `redis` of the same version with the
/// feature `tokio-rustls-comp`, and on `rustls` with the feature of a provider, such as `ring`. Without them such a URL is
/// an error.
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
    settings: RedisSettings,
    /// The latest second that the clock of the gateway has shown.
    latest: AtomicI64,
}

impl RedisStores {
    /// Connects, and looks whether the server can be relied on.
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
                settings,
                latest: AtomicI64::new(i64::MIN),
            }),
        };
        stores.ready().await?;
        Ok(stores)
    }

    /// Whether the server answers in time, is a primary, and evicts nothing: for a readiness probe, and for once a minute
    /// or so where there is none, because a policy may be changed while the server runs.
    ///
    /// # Errors
    ///
    /// When it does not, is not, or may; with one line that says what to do.
    pub async fn ready(&self) -> Result<(), RedisError> {
        let Shared { link, settings, .. } = &*self.shared;
        let script = Script::new(concat!(
            include_str!("memory.lua"),
            include_str!("ready.lua")
        ));
        let mut script = script.prepare_invoke();
        script.key(settings.marker());
        let connection = link.connection().await?;
        let word: String = link.run(connection, &script).await?;
        match word.as_str() {
            "ready" => Ok(()),
            _ => Err(RedisError::NotRedis { answer: word }),
        }
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
