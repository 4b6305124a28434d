//! What a query or form holds, written from the rules alone and for reading rather than for speed.
#![allow(
    dead_code,
    reason = "several targets include this module and each uses a part of it"
)]

use std::collections::{BTreeMap, BTreeSet};

pub type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

/// The decoded pairs, if every piece is one, there are at most `limit`, and no two names differ only in `_` and `.`.
pub fn pairs(text: &[u8], limit: usize) -> Option<Pairs> {
    let mut pairs = Pairs::new();
    if text.is_empty() {
        return Some(pairs);
    }
    for piece in text.split(|byte| *byte == b'&') {
        let equals = piece.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (decoded(&piece[..equals])?, decoded(&piece[equals + 1..])?);
        if pairs.len() == limit || pairs.insert(name, value).is_some() {
            return None;
        }
    }
    let dotted: BTreeSet<Vec<u8>> = pairs.keys().map(|name| dotted(name)).collect();
    (dotted.len() == pairs.len()).then_some(pairs)
}

pub fn dotted(name: &[u8]) -> Vec<u8> {
    name.iter()
        .map(|byte| if *byte == b'_' { b'.' } else { *byte })
        .collect()
}

/// One round; `+` is a blank.
pub fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        out.push(match first {
            b'+' => b' ',
            b'%' => {
                let digits = str::from_utf8(after.get(..2)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                rest = &after[2..];
                u8::from_str_radix(digits, 16).ok()?
            }
            other => *other,
        });
    }
    Some(out)
}

pub fn percent_encoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(*byte),
            _ => out.extend(format!("%{byte:02X}").into_bytes()),
        }
    }
    out
}
