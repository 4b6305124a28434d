//! Decides which claims are equal: those whose hash under the key of the store is.

use std::fmt;
use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher13;
use uuid::Uuid;

use crate::store::{NonceClaim, NonceValue};

/// The key of the hashes. Who knows it can look for claims that have the same hash, and so be refused as each other.
#[derive(Clone, Copy)]
pub(super) struct HashKey(pub(super) [u8; 16]);

impl HashKey {
    /// 128 unpredictable bits, condensed from the 244 that two random UUIDs have from the operating system.
    pub(super) fn random() -> Self {
        let mut sum = Sha256::new();
        for _ in 0..2 {
            sum.update(Uuid::new_v4().as_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(sum.finalize().split_at(16).0);
        Self(key)
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

/// The hashes of a SecretId and of a claim.
pub(super) struct Keys {
    pub(super) tenant: u64,
    pub(super) nonce: u64,
}

impl Keys {
    pub(super) fn of(claim: &NonceClaim<'_>, key: &HashKey) -> Self {
        let mut hasher = SipHasher13::new_with_key(&key.0);
        // The length comes first, so that no part of one field can pass for a part of the next. All bytes are the same on
        // every machine, as a snapshot may be loaded by another build.
        let length = u64::try_from(claim.secret_id.len()).unwrap_or(u64::MAX);
        hasher.write_u64(length.to_le());
        hasher.write(claim.secret_id.as_bytes());
        let tenant = hasher.finish();
        // Four lengths for the four sorts of claim.
        if let Some(timestamp) = claim.timestamp {
            hasher.write_i64(timestamp.to_le());
        }
        match claim.value {
            NonceValue::Number(number) => hasher.write_u64(number.to_le()),
            NonceValue::Signature(signature) => hasher.write(&signature),
        }
        Self {
            tenant,
            nonce: hasher.finish(),
        }
    }
}

/// The hasher of keys that are hashes: it passes them on.
#[derive(Default)]
pub(super) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
}
