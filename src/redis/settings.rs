//! Where Redis is, how long it may take, and what is assumed about clocks.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use super::RedisError;
use crate::clock::{Clock, SystemClock};
use crate::store::AfterRestart;

/// How to reach Redis, and what may be relied on. Prints no password.
///
/// All gateways that share a Redis and a prefix must have the same window, clock allowance and limits.
///
/// ```
/// use std::time::Duration;
/// use qcloud_validator::redis::RedisSettings;
///
/// let settings = RedisSettings::new("redis://:dummy-password@redis.internal:6379", 300)?
///     .with_prefix("gateway")
///     .with_response_timeout(Duration::from_millis(100));
/// assert!(!format!("{settings:?}").contains("dummy-password"));
/// # Ok::<(), qcloud_validator::redis::RedisError>(())
/// ```
#[derive(Clone)]
pub struct RedisSettings {
    pub(super) server: ConnectionInfo,
    /// In seconds.
    pub(super) window: u32,
    pub(super) prefix: Box<str>,
    pub(super) response_timeout: Duration,
    pub(super) connection_timeout: Duration,
    pub(super) in_flight: usize,
    pub(super) clock_allowance: Duration,
    pub(super) failover_after: Option<Duration>,
    pub(super) nonces_per_secret_id: u32,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) after_restart: AfterRestart,
}

impl RedisSettings {
    /// The server at `url`, for requests whose timestamps are at most `window_seconds` from the clock, either way.
    ///
    /// The URL is `redis://[user][:password@]host[:port][/database]`, or `unix:///path/to/socket`. A reserved character in
    /// the password is percent-encoded. For `rediss://`, TLS, see [`RedisStores`](super::RedisStores).
    ///
    /// The window must be at least that of the [`Policy`](crate::Policy): claims that expire later than twice the window
    /// from now are refused with an error.
    ///
    /// # Errors
    ///
    /// When the URL cannot be read, or asks for a certificate not to be verified (`#insecure`). The error does not repeat it.
    pub fn new(url: &str, window_seconds: u32) -> Result<Self, RedisError> {
        let server = url
            .into_connection_info()
            .map_err(|_| RedisError::Setting {
                name: "new",
                expected: "a URL like redis://user:password@host:6379/0 (rediss:// where TLS is compiled in)",
            })?;
        Self::at(server, window_seconds)
    }

    /// The same for a server that the crate `redis` describes, with certificates to trust or one to show.
    ///
    /// # Errors
    ///
    /// When the certificate of the server would not be verified.
    pub fn at(server: ConnectionInfo, window_seconds: u32) -> Result<Self, RedisError> {
        if let ConnectionAddr::TcpTls { insecure: true, .. } = server.addr() {
            return Err(RedisError::Setting {
                name: "at",
                expected: "a server whose certificate is verified",
            });
        }
        Ok(Self {
            server,
            window: window_seconds,
            prefix: "qv".into(),
            response_timeout: Duration::from_millis(250),
            connection_timeout: Duration::from_secs(1),
            in_flight: 1024,
            clock_allowance: Duration::from_secs(10),
            failover_after: None,
            nonces_per_secret_id: 250_000,
            clock: Arc::new(SystemClock),
            after_restart: AfterRestart::default(),
        })
    }

    /// What all keys begin with, followed by a colon: 1 to 64 printable ASCII characters, `qv` by default. Services that
    /// share a Redis and should not share nonces have different prefixes.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<Box<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long an answer may take, 1 millisecond to the clock allowance; 250 ms by default. A claim that takes longer is
    /// refused.
    #[must_use]
    pub fn with_response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// How long it may take to connect, with TLS and authentication, 1 millisecond to 1 minute; 1 second by default. A
    /// request that finds no connection waits so long at most, and then for its answer.
    #[must_use]
    pub fn with_connection_timeout(mut self, timeout: Duration) -> Self {
        self.connection_timeout = timeout;
        self
    }

    /// How many questions may be on their way at once, 1 to 65,536; 1024 by default. The others wait, as long as an answer
    /// may take.
    #[must_use]
    pub fn with_in_flight(mut self, questions: usize) -> Self {
        self.in_flight = questions;
        self
    }

    /// By how much the clocks of two gateways may differ, 1 second to 1 hour; 10 seconds by default. After a loss of memory,
    /// also by how much the clock of a client may be ahead.
    ///
    /// Each nonce is kept this much longer, and after a loss requests are refused for this long. All gateways that share
    /// a prefix have the same.
    #[must_use]
    pub fn with_clock_allowance(mut self, allowance: Duration) -> Self {
        self.clock_allowance = allowance;
        self
    }

    /// After how long without an answer from the primary a replica may be promoted in its place, 1 second to 1 hour; not at
    /// all by default. With Sentinel this is `down-after-milliseconds`.
    ///
    /// A primary that stood still and was replaced does not know that when it goes on. So one that was not seen for seven
    /// tenths of this time counts as one that has forgotten. Without the setting it would admit what its successor has
    /// admitted already.
    #[must_use]
    pub fn with_failover_after(mut self, silence: Duration) -> Self {
        self.failover_after = Some(silence);
        self
    }

    /// How many live nonces one SecretId may hold, 1 or more; 250,000 by default.
    #[must_use]
    pub fn with_nonces_per_secret_id(mut self, nonces: u32) -> Self {
        self.nonces_per_secret_id = nonces;
        self
    }

    /// Reads another clock than that of the operating system. It must be that of the validator.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What is refused after Redis has lost its memory; [`RefuseDatedBefore`](AfterRestart::RefuseDatedBefore) by default,
    /// that is, what is dated up to the loss plus the clock allowance. A Redis that is empty counts as one that has just
    /// lost it, also at the very first start.
    #[must_use]
    pub fn with_after_restart(mut self, rule: AfterRestart) -> Self {
        self.after_restart = rule;
        self
    }

    pub(super) fn check(&self) -> Result<(), RedisError> {
        let second = Duration::from_secs(1);
        let milliseconds = Duration::from_millis(1);
        let rules = [
            (
                (1..=86_400).contains(&self.window),
                "new",
                "for a window of 1 to 86400 seconds",
            ),
            (
                (1..=64).contains(&self.prefix.len())
                    && self.prefix.bytes().all(|byte| byte.is_ascii_graphic()),
                "with_prefix",
                "1 to 64 printable ASCII characters without blanks",
            ),
            (
                (second..=second.saturating_mul(3600)).contains(&self.clock_allowance),
                "with_clock_allowance",
                "1 second to 1 hour",
            ),
            (
                self.failover_after.is_none_or(|silence| {
                    (second..=second.saturating_mul(3600)).contains(&silence)
                }),
                "with_failover_after",
                "1 second to 1 hour",
            ),
            (
                (milliseconds..=self.clock_allowance).contains(&self.response_timeout),
                "with_response_timeout",
                "1 millisecond to the clock allowance",
            ),
            (
                (milliseconds..=second.saturating_mul(60)).contains(&self.connection_timeout),
                "with_connection_timeout",
                "1 millisecond to 1 minute",
            ),
            (
                (1..=65_536).contains(&self.in_flight),
                "with_in_flight",
                "1 to 65536",
            ),
            (
                self.nonces_per_secret_id > 0,
                "with_nonces_per_secret_id",
                "1 or more",
            ),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, name, expected)) => Err(RedisError::Setting { name, expected }),
            None => Ok(()),
        }
    }

    /// `host:port`, or the path of a socket.
    pub(super) fn address(&self) -> String {
        self.server.addr().to_string()
    }

    /// How long a bucket may go without a look.
    pub(super) fn unseen(&self) -> Unseen {
        let allowance = in_milliseconds(self.clock_allowance);
        match self.failover_after {
            None => Unseen {
                milliseconds: allowance,
                forgets: 0,
            },
            Some(silence) => Unseen {
                milliseconds: (in_milliseconds(silence).saturating_mul(7) / 10).min(allowance),
                forgets: 1,
            },
        }
    }

    /// How long a nonce is kept at most, in milliseconds: to the end of its last second, and as long as clocks may differ.
    pub(super) fn longest_life(&self) -> u64 {
        let allowance = in_milliseconds(self.clock_allowance);
        u64::from(self.window)
            .saturating_mul(2000)
            .saturating_add(allowance)
            .saturating_add(1000)
    }
}

/// For how long a bucket may go without a look, and what follows then.
pub(super) struct Unseen {
    pub(super) milliseconds: u64,
    /// 1 where the bucket has forgotten then, 0 where the time does not count.
    pub(super) forgets: u8,
}

pub(super) fn in_milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("address", &self.address())
            .field("window", &self.window)
            .field("prefix", &self.prefix)
            .field("response_timeout", &self.response_timeout)
            .field("connection_timeout", &self.connection_timeout)
            .field("in_flight", &self.in_flight)
            .field("clock_allowance", &self.clock_allowance)
            .field("failover_after", &self.failover_after)
            .field("nonces_per_secret_id", &self.nonces_per_secret_id)
            .field("after_restart", &self.after_restart)
            .finish_non_exhaustive()
    }
}
