//! Whether the token belongs to the SecretId: demanded with a temporary key, refused with a permanent one, compared on
//! its own (protocol.md §4.3, §6 row 22).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::UnixTime;
use crate::form::Text;
use crate::reason::Reason;
use crate::store::Credential;

pub(crate) fn check(credential: &Credential, sent: Text<'_>, now: UnixTime) -> Result<(), Reason> {
    match (credential.token(), sent.is_empty()) {
        (None, true) => Ok(()),
        (None, false) => Err(Reason::TokenUnexpected),
        (Some(_), true) => Err(Reason::TokenMissing),
        (Some((issued, expires_at)), false) => {
            if !same(issued, sent) {
                return Err(Reason::TokenWrong);
            }
            match expires_at {
                Some(expired_at) if now >= expired_at => Err(Reason::TokenExpired { expired_at }),
                _ => Ok(()),
            }
        }
    }
}

/// Compares in constant time, whatever the lengths: both texts are MACed with the issued token as the key.
fn same(issued: &[u8], sent: Text<'_>) -> bool {
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(issued) else {
        return false;
    };
    let (mut own, mut other) = (mac.clone(), mac);
    own.update(issued);
    sent.feed(|piece| other.update(piece));
    other.verify_slice(&own.finalize().into_bytes()).is_ok()
}
