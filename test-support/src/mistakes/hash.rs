//! Hashes, MACs and how they are written.

use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac as _};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::mistakes::*;
use crate::signer::hex;

pub fn hmac_sha1(key: &[u8], message: &[u8]) -> Bytes {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Bytes {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn sha256_hex(message: &[u8]) -> String {
    hex(&Sha256::digest(message))
}

pub fn base64(bytes: &[u8]) -> String {
    base64_with(&STANDARD, bytes)
}

pub(crate) fn base64_with(engine: &impl base64::Engine, bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2 + 8];
    let length = engine
        .encode_slice(bytes, &mut text)
        .expect("there is room");
    text.truncate(length);
    String::from_utf8(text).expect("base64 is ASCII")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
}

/// What is computed over key and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    Hmac,
    Swapped,
    HashOfText,
    HashOfTextAndKey,
    HashOfKeyAndText,
}

pub(crate) fn mac(kind: Mac, hash: Hash, key: &[u8], text: &[u8]) -> Bytes {
    let keyed = match hash {
        Hash::Sha1 => hmac_sha1,
        Hash::Sha256 => hmac_sha256,
    };
    let plain = |bytes: &[u8]| match hash {
        Hash::Sha1 => Sha1::digest(bytes).to_vec(),
        Hash::Sha256 => Sha256::digest(bytes).to_vec(),
    };
    match kind {
        Mac::Hmac => keyed(key, text),
        Mac::Swapped => keyed(text, key),
        Mac::HashOfText => plain(text),
        Mac::HashOfTextAndKey => plain(&[text, key].concat()),
        Mac::HashOfKeyAndText => plain(&[key, text].concat()),
    }
}

/// How the MAC is written.
pub type Writing = fn(&[u8]) -> String;

pub(crate) fn written_base64(mac: &[u8]) -> String {
    base64(mac)
}

pub(crate) fn written_hex(mac: &[u8]) -> String {
    hex(mac)
}
