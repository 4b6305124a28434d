//! Keys. What belongs to one SecretId, or to one account, is in one of 256 buckets, and all keys of a bucket are in one
//! hash slot of a cluster.

use super::RedisSettings;

/// Part of each key. Another layout has another number, so that the two never meet in one key.
const VERSION: u8 = 2;

/// The part of a prefix that a script touches.
#[derive(Clone, Copy)]
pub(super) struct Bucket<'s> {
    prefix: &'s str,
    number: u8,
}

impl<'s> Bucket<'s> {
    /// Returns the bucket of what has this hash.
    pub(super) fn of(settings: &'s RedisSettings, hash: [u8; 32]) -> Self {
        let [number, ..] = hash;
        let prefix = &settings.prefix;
        Self { prefix, number }
    }

    pub(super) fn all(settings: &'s RedisSettings) -> impl Iterator<Item = Self> {
        let prefix = &settings.prefix;
        (0..=u8::MAX).map(|number| Self { prefix, number })
    }

    /// The sorted set of nonces.
    pub(super) fn nonces(self) -> Vec<u8> {
        self.key("n", &[])
    }

    /// What the bucket remembers, and since when.
    pub(super) fn marker(self) -> Vec<u8> {
        self.key("m", &[])
    }

    /// How many nonces the SecretId with this hash holds.
    pub(super) fn share(self, secret_id: &[u8; 32]) -> Vec<u8> {
        self.key("s:", secret_id)
    }

    /// What was drawn from the limit with this hash.
    pub(super) fn drawn(self, limit: &[u8; 32]) -> Vec<u8> {
        self.key("q:", limit)
    }

    fn key(self, kind: &str, hash: &[u8]) -> Vec<u8> {
        let Self { prefix, number } = self;
        let mut key = format!("{prefix}:{VERSION}:{{{number:02x}}}:{kind}").into_bytes();
        key.extend_from_slice(hash);
        key
    }
}
