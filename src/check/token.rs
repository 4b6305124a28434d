//! Whether the token belongs to the SecretId: demanded with a temporary key, refused with a permanent one, compared on
//! its own (protocol.md §4.3, §6 row 22).

use hmac::{Hmac, KeyInit};
use sha2::Sha256;

use crate::clock::UnixTime;
use crate::form::Text;
use crate::reason::Reason;
use crate::signature::equal;
use crate::store::Credential;

/// Proof that the token belongs to the SecretId, or that neither has one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenValid(());

pub(crate) fn check(
    credential: &Credential,
    sent: Text<'_>,
    now: UnixTime,
) -> Result<TokenValid, Reason> {
    match (credential.token(), sent.is_empty()) {
        (None, true) => Ok(TokenValid(())),
        (None, false) => Err(Reason::TokenUnexpected),
        (Some(_), true) => Err(Reason::TokenMissing),
        (Some((issued, expires_at)), false) => {
            let same =
                Hmac::<Sha256>::new_from_slice(issued).is_ok_and(|key| equal(key, issued, sent));
            if !same {
                return Err(Reason::TokenWrong);
            }
            match expires_at {
                Some(expired_at) if now >= expired_at => Err(Reason::TokenExpired { expired_at }),
                _ => Ok(TokenValid(())),
            }
        }
    }
}
