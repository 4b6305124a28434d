//! MACs of guesses, compared with the client's own signature. A match is proof; the computed value does not leave this
//! file.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::encoding::{Hash, Presented};
use crate::form::Text;
use crate::signature::{begins_mac, equal};

#[cfg(fuzzing)]
thread_local! {
    /// Counted beside the budget, so that the fuzzer can tell whether the budget holds.
    pub(crate) static COMPARED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// How a client combined key and text, if not by HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Construction {
    /// HMAC with the text as the key.
    Swapped,
    /// A plain hash of the text.
    Hash,
    /// A plain hash of key and text joined.
    HashOfKeyAndText,
    /// A plain hash of text and key joined.
    HashOfTextAndKey,
}

/// A key with its HMAC states.
pub(super) struct Key {
    bytes: Zeroizing<Vec<u8>>,
    sha1: Option<Hmac<Sha1>>,
    sha256: Option<Hmac<Sha256>>,
}

impl Key {
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = Zeroizing::new(bytes.into());
        Self {
            sha1: Hmac::new_from_slice(&bytes).ok(),
            sha256: Hmac::new_from_slice(&bytes).ok(),
            bytes,
        }
    }

    /// Whether HMAC with this key over `text` is what the client sent.
    pub(super) fn proves(&self, text: &[u8], presented: &Presented) -> bool {
        #[cfg(fuzzing)]
        COMPARED.set(COMPARED.get().saturating_add(1));
        match presented.hash {
            Hash::Sha1 => self
                .sha1
                .clone()
                .is_some_and(|mac| matches(mac, text, presented)),
            Hash::Sha256 => self
                .sha256
                .clone()
                .is_some_and(|mac| matches(mac, text, presented)),
        }
    }

    /// The same for other constructions.
    pub(super) fn proves_by(
        &self,
        construction: Construction,
        text: &[u8],
        presented: &Presented,
    ) -> bool {
        let hashed = match construction {
            Construction::Swapped => {
                return Self::new(text).proves(&self.bytes, presented);
            }
            Construction::Hash => text.to_vec(),
            Construction::HashOfKeyAndText => [&self.bytes, text].concat(),
            Construction::HashOfTextAndKey => [text, &self.bytes].concat(),
        };
        #[cfg(fuzzing)]
        COMPARED.set(COMPARED.get().saturating_add(1));
        let hashed = Zeroizing::new(hashed);
        let digest = Zeroizing::new(match presented.hash {
            Hash::Sha1 => Sha1::digest(&*hashed).to_vec(),
            Hash::Sha256 => Sha256::digest(&*hashed).to_vec(),
        });
        digest
            .get(..presented.digest.len())
            .is_some_and(|digest| self.same(digest, &presented.digest))
    }

    /// Compares in constant time: a client must not find out by trial what it would have to send.
    fn same(&self, own: &[u8], sent: &[u8]) -> bool {
        let key = self.sha256.clone();
        key.is_some_and(|key| equal(key, own, Text::plain(sent)))
    }
}

fn matches<M: Mac>(mut mac: M, text: &[u8], presented: &Presented) -> bool {
    mac.update(text);
    // A whole signature has the full length, a cut one at least ten bytes.
    begins_mac(mac, &presented.digest)
}

/// One link of the TC3 key chain.
pub(super) fn link(key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text));
    debug_assert!(mac.is_ok(), "HMAC takes keys of any length");
    Zeroizing::new(mac.map_or_else(|_| Vec::new(), |mac| mac.finalize().into_bytes().to_vec()))
}
