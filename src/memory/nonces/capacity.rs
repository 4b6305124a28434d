//! Decides how much a store of nonces may hold.

use std::error::Error;
use std::fmt;

/// How many nonces a [`MemoryNonces`](crate::memory::MemoryNonces) remembers at most. Beyond that it refuses; it does not
/// forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceCapacity {
    total: usize,
    per_secret_id: usize,
}

impl NonceCapacity {
    /// `total` live nonces at most, and at most `per_secret_id` of them of one SecretId, so that no caller alone can fill
    /// the store for all others. A share of more than 4 294 967 295 counts as that.
    ///
    /// A service needs room for the requests per second that it admits, times twice the window.
    ///
    /// # Errors
    ///
    /// When either is zero, or the share is more than the whole.
    ///
    /// ```
    /// use qcloud_validator::memory::{CapacityError, NonceCapacity};
    ///
    /// assert!(NonceCapacity::new(10_000_000, 500_000).is_ok());
    /// assert_eq!(NonceCapacity::new(10, 11), Err(CapacityError::ShareAboveTotal));
    /// ```
    pub const fn new(total: usize, per_secret_id: usize) -> Result<Self, CapacityError> {
        if total == 0 || per_secret_id == 0 {
            return Err(CapacityError::Zero);
        }
        if per_secret_id > total {
            return Err(CapacityError::ShareAboveTotal);
        }
        Ok(Self {
            total,
            per_secret_id,
        })
    }

    /// How many live nonces in total.
    #[must_use]
    pub const fn total(self) -> usize {
        self.total
    }

    /// How many live nonces of one SecretId.
    #[must_use]
    pub const fn per_secret_id(self) -> usize {
        self.per_secret_id
    }

    pub(super) fn per_tenant(self) -> u32 {
        u32::try_from(self.per_secret_id).unwrap_or(u32::MAX)
    }
}

/// One million live nonces, a quarter of a million of them of one SecretId. Under a window of 300 seconds that is room for
/// 3,000 requests per second, 750 of one SecretId, if their timestamps are right, and for half as many if they are ahead
/// by the window.
impl Default for NonceCapacity {
    fn default() -> Self {
        Self {
            total: 1_000_000,
            per_secret_id: 250_000,
        }
    }
}

/// A [`NonceCapacity`] that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapacityError {
    /// There is no room for even one nonce.
    Zero,
    /// The share of one SecretId is more than the whole.
    ShareAboveTotal,
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => {
                "the nonce store must have room for at least one nonce, in total and per SecretId"
            }
            Self::ShareAboveTotal => {
                "the share of one SecretId is larger than the whole nonce store"
            }
        })
    }
}

impl Error for CapacityError {}
