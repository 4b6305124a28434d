//! What a secret key may be, and the MAC states prepared from it. Nothing here can be printed or compared.

use std::error::Error;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

#[cfg(feature = "diagnose")]
use super::compare::equal;
#[cfg(feature = "diagnose")]
use crate::form::Text;

/// A secret key: not printable, not comparable, wiped when dropped.
///
/// ```
/// use qcloud_validator::SecretKey;
///
/// let key = SecretKey::new("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE")?;
/// assert_eq!(format!("{key:?}"), "SecretKey(..)");
/// assert!(SecretKey::new("").is_err());
/// # Ok::<(), qcloud_validator::EmptySecret>(())
/// ```
pub struct SecretKey(Zeroizing<Vec<u8>>);

impl SecretKey {
    /// Takes the key as text or bytes, without trimming anything.
    ///
    /// # Errors
    ///
    /// [`EmptySecret`] for an empty key: HMAC accepts one, so every request signed with nothing would pass.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, EmptySecret> {
        let key = Zeroizing::new(key.into());
        if key.is_empty() {
            return Err(EmptySecret);
        }
        Ok(Self(key))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

/// A secret key must not be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmptySecret;

impl fmt::Display for EmptySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the secret key is empty")
    }
}

impl Error for EmptySecret {}

/// A secret key with its MAC states prepared: hashing the key again for each request would cost as much as a short
/// string to sign.
pub(crate) struct SigningKey {
    #[cfg(feature = "diagnose")]
    secret: SecretKey,
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
    /// Keyed with `"TC3" + key`, the first link of the key chain.
    tc3: Hmac<Sha256>,
    derived: RwLock<Vec<DerivedKey>>,
}

/// The end of the TC3 key chain for one date and service.
#[derive(Clone)]
struct DerivedKey {
    date: [u8; 10],
    service: Box<str>,
    mac: Hmac<Sha256>,
}

/// A key signs for few services, on one date or, around midnight, two.
const DERIVED_KEYS: usize = 4;

impl SigningKey {
    pub(crate) fn new(key: SecretKey) -> Self {
        let tc3 = Zeroizing::new([b"TC3", key.0.as_slice()].concat());
        Self {
            sha1: keyed(&key.0),
            sha256: keyed(&key.0),
            tc3: keyed(&tc3),
            derived: RwLock::new(Vec::new()),
            #[cfg(feature = "diagnose")]
            secret: key,
        }
    }

    /// The key itself, for the search for the key that a client used by mistake.
    #[cfg(feature = "diagnose")]
    pub(crate) fn expose(&self) -> &[u8] {
        &self.secret.0
    }

    /// Whether `text` is this key, in constant time.
    #[cfg(feature = "diagnose")]
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        equal(self.sha256(), &self.secret.0, Text::plain(text))
    }

    pub(super) fn sha1(&self) -> Hmac<Sha1> {
        self.sha1.clone()
    }

    pub(super) fn sha256(&self) -> Hmac<Sha256> {
        self.sha256.clone()
    }

    /// The MAC keyed with `kSigning` (protocol.md §2.4), from the cache if this date and service were seen lately.
    ///
    /// Callers verify that the date is today's and bound the service, so a stranger cannot choose what is cached; the
    /// cache is small and drops its oldest entry.
    pub(super) fn tc3(&self, date: [u8; 10], service: &str) -> Hmac<Sha256> {
        let matches = |derived: &&DerivedKey| derived.date == date && *derived.service == *service;
        // A panic cannot have left a half-written entry: entries are pushed whole.
        let cached = self.derived.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cached.iter().find(matches) {
            return found.mac.clone();
        }
        drop(cached);
        let mac = self.derive(date, service);
        let mut cached = self.derived.write().unwrap_or_else(PoisonError::into_inner);
        if cached.iter().find(matches).is_none() {
            if cached.len() >= DERIVED_KEYS {
                cached.remove(0);
            }
            cached.push(DerivedKey {
                date,
                service: service.into(),
                mac: mac.clone(),
            });
        }
        mac
    }

    fn derive(&self, date: [u8; 10], service: &str) -> Hmac<Sha256> {
        let date_key = Zeroizing::new(link(self.tc3.clone(), &date));
        let service_key = Zeroizing::new(link(keyed(&*date_key), service.as_bytes()));
        let signing_key = Zeroizing::new(link(keyed(&*service_key), b"tc3_request"));
        keyed(&*signing_key)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

fn link(mut mac: Hmac<Sha256>, text: &[u8]) -> [u8; 32] {
    mac.update(text);
    mac.finalize().into_bytes().into()
}

#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
fn keyed<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// protocol.md §3.1, the intermediate keys of C2 and C3b.
    #[test]
    fn the_key_chain_of_the_published_vectors() {
        let chain = |key: &[u8], date: [u8; 10]| {
            let key = SigningKey::new(SecretKey::new(key).unwrap());
            let date_key = link(key.tc3.clone(), &date);
            let service_key = link(keyed(&date_key), b"cvm");
            let signing_key = link(keyed(&service_key), b"tc3_request");
            [date_key, service_key, signing_key].map(|bytes| {
                bytes
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect::<String>()
            })
        };
        assert_eq!(
            chain(b"Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", *b"2019-02-25"),
            [
                "d1308c81fe71cfd4e06437bbc067b2b8a3d2d8c0e375d547f15c41d5214b395a",
                "3c7cb7c7795393edc14fd2e0e6434a518564b4504b88e94f5d11bf59ba3e7050",
                "ac658d5dde49e9bfdd14e04e062f66b05d9f637d44b8a8d845327d4a77f666b1",
            ]
        );
        assert_eq!(
            chain(&[b'*'; 32], *b"2019-02-25"),
            [
                "da98fb70dcf6b112dc21038d1eeeb3a95c74b4dcb12c1131f864f6066bd02be0",
                "8d70cbefb03939f929db64d32dc2ba89b1095620119fe3e050e2b18c5bd2752f",
                "b596b923aad85185e2d1f6659d2a062e0a86731226e021e61bfe06f7ed05f5af",
            ]
        );
    }

    #[test]
    fn nothing_that_is_printed_of_a_key_holds_it() {
        let secret = || SecretKey::new("Gu5t9xGARNpq86cd98joQYCN3EXAMPLE").unwrap();
        assert_eq!(format!("{:?}", secret()), "SecretKey(..)");
        assert_eq!(format!("{:?}", SigningKey::new(secret())), "SigningKey(..)");
        assert_eq!(EmptySecret.to_string(), "the secret key is empty");
    }

    #[test]
    fn the_cache_of_derived_keys_stays_small() {
        let key = SigningKey::new(SecretKey::new("key").unwrap());
        for service in 0..6 {
            key.tc3(*b"2019-02-25", &service.to_string());
        }
        assert_eq!(key.derived.read().unwrap().len(), 4);
    }
}
