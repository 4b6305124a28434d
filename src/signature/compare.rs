//! Comparison in constant time: the only file in which what was computed meets what was sent.

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::form::Text;

/// Whether this is the whole MAC.
#[expect(clippy::disallowed_methods, reason = "this is the place for it")]
pub(super) fn is_mac(mac: impl Mac, sent: &[u8]) -> bool {
    mac.verify_slice(sent).is_ok()
}

/// Whether the MAC begins so: proof of a mistake in a signature that was cut, never of a signature.
#[cfg(feature = "diagnose")]
#[expect(clippy::disallowed_methods, reason = "this is the place for it")]
pub(crate) fn begins_mac(mac: impl Mac, sent: &[u8]) -> bool {
    mac.verify_truncated_left(sent).is_ok()
}

/// Whether two texts are equal, whatever their lengths: both are MACed with the same key, and the MACs are compared.
pub(crate) fn equal(key: Hmac<Sha256>, own: &[u8], sent: Text<'_>) -> bool {
    let (mut of_own, mut of_sent) = (key.clone(), key);
    of_own.update(own);
    sent.feed(|piece| of_sent.update(piece));
    is_mac(of_sent, &of_own.finalize().into_bytes())
}
