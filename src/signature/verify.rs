//! Verification of a signature: the MAC is finished and compared in one step.

use hmac::Hmac;
use sha1::Sha1;
use sha2::Sha256;

use super::compare::is_mac;
use super::sink::Gathered;

/// Proof that a signature was compared and is valid. Only this file makes one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignatureValid(());

/// The two MACs of the protocol. A trait of our own, so that a finished MAC cannot be taken elsewhere.
pub(crate) trait Mac: Clone {
    fn update(&mut self, bytes: &[u8]);
    fn fits(self, signature: &[u8]) -> bool;
}

impl Mac for Hmac<Sha1> {
    fn update(&mut self, bytes: &[u8]) {
        hmac::Mac::update(self, bytes);
    }

    fn fits(self, signature: &[u8]) -> bool {
        is_mac(self, signature)
    }
}

impl Mac for Hmac<Sha256> {
    fn update(&mut self, bytes: &[u8]) {
        hmac::Mac::update(self, bytes);
    }

    fn fits(self, signature: &[u8]) -> bool {
        is_mac(self, signature)
    }
}

/// Compares the MAC of what `write` writes with the decoded `signature`.
pub(super) fn verify<M: Mac>(
    mut mac: M,
    signature: &[u8],
    write: impl FnOnce(&mut Gathered<'_, M>),
) -> Option<SignatureValid> {
    Gathered::into(&mut mac, write);
    mac.fits(signature).then_some(SignatureValid(()))
}
