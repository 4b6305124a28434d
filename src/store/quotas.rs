//! How often: draws one request from the rate and the quota of an account.

use super::{Principal, StoreError};
use crate::clock::UnixTime;

/// Counts requests.
pub trait QuotaStore: Send + Sync {
    /// Draws one request: first from the rate, and if that passes, from the quota. A refused draw takes nothing from the
    /// limit that refused it.
    ///
    /// # Errors
    ///
    /// When the store cannot tell; the request is refused with `InternalError`.
    fn draw(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError>;
}

/// One permitted request.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct QuotaDraw<'a> {
    /// Whom the key belongs to.
    pub principal: &'a Principal,
    /// The SecretId.
    pub secret_id: &'a str,
    /// The action asked for.
    pub action: &'a str,
    /// The instant of the check.
    pub now: UnixTime,
}

impl<'a> QuotaDraw<'a> {
    /// A draw, for those who test a store of their own.
    #[must_use]
    pub const fn new(
        principal: &'a Principal,
        secret_id: &'a str,
        action: &'a str,
        now: UnixTime,
    ) -> Self {
        Self {
            principal,
            secret_id,
            action,
            now,
        }
    }
}

/// The answer to a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaVerdict {
    /// The request is within its limits.
    Drawn,
    /// More requests per `period` seconds than `limit`.
    RateExceeded {
        /// The limit in requests.
        limit: u32,
        /// The period in seconds.
        period: u32,
        /// Milliseconds until a request will pass.
        retry_after_millis: u64,
    },
    /// The quota of `limit` requests is used up.
    QuotaExhausted {
        /// The quota in requests.
        limit: u64,
        /// When it is full again.
        resets_at: UnixTime,
    },
}
