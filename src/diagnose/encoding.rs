//! Readings of the text of a signature as a digest. Nothing is computed here: the form distinguishes hexadecimal from
//! base64, SHA-1 from SHA-256, whole from cut.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::guess::text;
use crate::diagnosis::Mistake;
use crate::form::encoding::hex_digit;
use crate::scheme::Scheme;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
}

/// A digest that the client may have meant, and the mistakes that reading it so implies.
#[derive(Clone, Debug)]
pub(super) struct Presented {
    pub(super) digest: Vec<u8>,
    pub(super) hash: Hash,
    pub(super) implied: Vec<Mistake>,
}

/// A cut signature must still prove something: ten bytes leave one chance in 2^80.
const SHORTEST: usize = 10;
const LONGEST_TEXT: usize = 400;

/// Every meaning of a signature's text under a scheme, likely ones first.
pub(super) fn readings(signature: &[u8], scheme: Scheme) -> Vec<Presented> {
    if signature.len() > LONGEST_TEXT {
        return Vec::new();
    }
    let mut texts: Vec<(Vec<u8>, Vec<Mistake>)> = vec![(signature.to_vec(), Vec::new())];
    let mut add = |text: Vec<u8>, implied: &[Mistake]| {
        if texts.iter().all(|(known, _)| *known != text) {
            texts.push((text, implied.to_vec()));
        }
    };
    let bare: Vec<u8> = signature
        .trim_ascii()
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'"' | b'\'' | b'\n' | b'\r' | b'\t'))
        .collect();
    add(bare.clone(), &[Mistake::SignatureDecorated]);
    if signature.contains(&b' ') {
        // A `+` at an end became a blank at an end.
        add(
            text::replace(signature, b" ", b"+"),
            &[Mistake::SignaturePlus],
        );
        add(text::replace(&bare, b" ", b"+"), &[Mistake::SignaturePlus]);
    }
    if bare.contains(&b'%') {
        let once = text::decode(&bare);
        add(
            text::replace(&once, b" ", b"+"),
            &[Mistake::SignatureDoubleEncoded],
        );
        let twice = text::decode(&once);
        add(
            text::replace(&twice, b" ", b"+"),
            &[Mistake::SignatureDoubleEncoded],
        );
    }
    let mut found = Vec::new();
    for (text, implied) in &texts {
        digests(text, implied, scheme, &mut found);
    }
    found
}

fn digests(text: &[u8], implied: &[Mistake], scheme: Scheme, found: &mut Vec<Presented>) {
    let tc3 = scheme == Scheme::Tc3HmacSha256;
    let mut add = |digest: Vec<u8>, form: &[Mistake]| {
        let hashes: &[Hash] = match digest.len() {
            20 if !tc3 => &[Hash::Sha1],
            32 => &[Hash::Sha256],
            SHORTEST..20 if !tc3 => &[Hash::Sha1, Hash::Sha256],
            SHORTEST..32 => &[Hash::Sha256],
            _ => &[],
        };
        for &hash in hashes {
            let whole = match hash {
                Hash::Sha1 => 20,
                Hash::Sha256 => 32,
            };
            let mut all = implied.to_vec();
            all.extend_from_slice(form);
            if digest.len() < whole {
                all.retain(|known| *known != Mistake::UnpaddedBase64);
                all.push(Mistake::SignatureTruncated);
            }
            match (hash, scheme) {
                (Hash::Sha256, Scheme::HmacSha1) => all.push(Mistake::Sha256NotDeclared),
                (Hash::Sha1, Scheme::HmacSha256) => all.push(Mistake::Sha1Declared256),
                _ => {}
            }
            found.push(Presented {
                digest: digest.clone(),
                hash,
                implied: all,
            });
        }
    };

    if let Some(bytes) = hex(text) {
        let upper = text.iter().any(u8::is_ascii_uppercase);
        if tc3 && upper {
            add(bytes, &[Mistake::UpperCaseHex]);
        } else if tc3 {
            add(bytes, &[]);
        } else {
            add(bytes, &[Mistake::HexInsteadOfBase64]);
        }
    }
    let unpadded = !text.len().is_multiple_of(4);
    let url_safe = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url_safe { &URL_SAFE } else { &STANDARD };
    let engine = GeneralPurpose::new(
        alphabet,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let mut bytes = vec![0; text.len()];
    let Ok(length) = engine.decode_slice(text, &mut bytes) else {
        return;
    };
    bytes.truncate(length);
    let mut form = Vec::new();
    if tc3 {
        form.push(Mistake::Base64InsteadOfHex);
    }
    if url_safe {
        form.push(Mistake::UrlSafeBase64);
    } else if unpadded {
        form.push(Mistake::UnpaddedBase64);
    }
    if let Some(inner) = hex(&bytes).filter(|_| matches!(length, 40 | 64)) {
        form.retain(|known| *known != Mistake::Base64InsteadOfHex);
        form.insert(0, Mistake::Base64OfHex);
        add(inner, &form);
    } else {
        add(bytes, &form);
    }
}

pub(super) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() || !text.len().is_multiple_of(2) {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(hex_digit(*high)? << 4 | hex_digit(*low)?),
            _ => None,
        })
        .collect()
}
