//! Whether the token belongs to the SecretId: demanded with a temporary key, refused with a permanent one, compared on
//! its own (protocol.md §4.3, §6 row 22).

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::clock::UnixTime;
use crate::reason::Reason;
use crate::store::Credential;

pub(crate) fn check(
    credential: &Credential,
    sent: Option<&[u8]>,
    now: UnixTime,
) -> Result<(), Reason> {
    match (credential.token(), sent) {
        (None, None) => Ok(()),
        (None, Some(_)) => Err(Reason::TokenUnexpected),
        (Some(_), None) => Err(Reason::TokenMissing),
        (Some((issued, expires_at)), Some(sent)) => {
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
fn same(issued: &[u8], sent: &[u8]) -> bool {
    let mac = |text: &[u8]| {
        Hmac::<Sha256>::new_from_slice(issued).map(|mut mac| {
            mac.update(text);
            mac
        })
    };
    match (mac(issued), mac(sent)) {
        (Ok(issued), Ok(sent)) => sent.verify_slice(&issued.finalize().into_bytes()).is_ok(),
        _ => false,
    }
}
