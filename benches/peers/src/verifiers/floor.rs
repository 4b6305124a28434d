//! The hashes that no verifier can do without.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The MAC with its key in it, as a verifier may keep it.
pub(super) struct Floor(Hmac<Sha256>);

impl Floor {
    pub(super) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The digests of the parts that are signed by their digest, and the MAC over the text that is signed.
    pub(super) fn hash<'a>(&self, digested: impl IntoIterator<Item = &'a [u8]>, text: &[u8]) -> u8 {
        let mut mac = self.0.clone();
        mac.update(text);
        let mac = mac.finalize().into_bytes()[0];
        digested
            .into_iter()
            .fold(mac, |mac, part| mac ^ Sha256::digest(part)[0])
    }
}
