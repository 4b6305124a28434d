//! What can be wrong with a Redis server, or with the settings for it.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use ::redis::{ErrorKind, ServerErrorKind};

/// Why Redis cannot serve as a store. The text is for the operator, in one line and without a password.
#[derive(Debug)]
#[non_exhaustive]
pub enum RedisError {
    /// A setting is out of its range.
    Setting {
        /// The method that sets it.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// There is no connection, or it broke.
    Connection {
        /// `host:port`, or the path of a socket.
        address: String,
        /// What went wrong.
        cause: Box<dyn Error + Send + Sync>,
    },
    /// There was no answer in time. What was asked may have been done.
    TimedOut {
        /// `host:port`, or the path of a socket.
        address: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The server answered with an error: it is loading, full, read-only, or does not permit a command.
    Refused {
        /// What it said.
        answer: String,
    },
    /// The server is a replica: what is written there is refused or lost.
    Replica,
    /// The server is a node of a Redis Cluster.
    Clustered,
    /// The server may evict keys that have no expiry.
    MayEvict {
        /// Its `maxmemory-policy`.
        policy: String,
    },
    /// The server answers otherwise than Redis and Valkey do.
    NotRedis {
        /// What it answered.
        answer: String,
    },
}

impl RedisError {
    /// What the server, or a script on it, answered.
    pub(super) fn answered(failure: &::redis::RedisError) -> Self {
        use ServerErrorKind::{ClusterDown, CrossSlot, Moved};

        let answer = failure.to_string();
        if let ErrorKind::Server(CrossSlot | Moved | ClusterDown) = failure.kind() {
            return Self::Clustered;
        }
        match failure.code() {
            Some("REPLICA" | "READONLY") => Self::Replica,
            // Redis 6 wraps what a script was answered.
            _ if answer.contains("-READONLY ") => Self::Replica,
            Some("EVICTS") => Self::MayEvict {
                policy: failure.detail().unwrap_or_default().to_owned(),
            },
            Some("NOHISTORY") => Self::NotRedis {
                answer: "an INFO without a master_replid".to_owned(),
            },
            _ => Self::Refused { answer },
        }
    }
}

impl fmt::Display for RedisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting { name, expected } => {
                write!(f, "RedisSettings::{name}: must be {expected}")
            }
            Self::Connection { address, cause } => {
                write!(f, "no connection to Redis at {address}: {cause}")
            }
            Self::TimedOut { address, waited } => write!(
                f,
                "Redis at {address} did not answer in {} ms",
                waited.as_millis()
            ),
            Self::Refused { answer } => write!(f, "Redis answered with an error: {answer}"),
            Self::Replica => f.write_str(
                "Redis is a read-only replica: connect to the primary, by a name that follows a failover",
            ),
            Self::Clustered => f.write_str(
                "Redis is a node of a cluster, where keys are spread over nodes: connect to a server without `cluster-enabled`",
            ),
            Self::MayEvict { policy } => write!(
                f,
                "Redis may forget nonces: its maxmemory-policy is {policy}; set `maxmemory-policy noeviction`"
            ),
            Self::NotRedis { answer } => write!(
                f,
                "Redis 6 or later, or Valkey, was expected; the server answered {answer}"
            ),
        }
    }
}

impl Error for RedisError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connection { cause, .. } => Some(&**cause),
            Self::Setting { .. }
            | Self::TimedOut { .. }
            | Self::Refused { .. }
            | Self::Replica
            | Self::Clustered
            | Self::MayEvict { .. }
            | Self::NotRedis { .. } => None,
        }
    }
}
