//! What stands for a claim in a map.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use qcloud_validator::store::{NonceClaim, NonceValue};

/// Keyed, so that no caller can look for two claims with the same hash.
#[derive(Debug, Default)]
pub struct Key(RandomState);

impl Key {
    /// Of a claim with a nonce.
    #[must_use]
    pub fn of(&self, claim: &NonceClaim<'_>) -> u64 {
        let mut hasher = self.0.build_hasher();
        hasher.write(claim.secret_id.as_bytes());
        hasher.write_i64(claim.timestamp.unwrap_or_default());
        if let NonceValue::Number(number) = claim.value {
            hasher.write_u64(number);
        }
        hasher.finish()
    }
}
