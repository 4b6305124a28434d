//! Join of the parts of the string.

use sha2::Digest;

use super::Parts;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text::{self, RFC_3986};
use crate::diagnosis::Mistake;
use crate::signature::hex;

/// How the parts are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    Documented,
    NoQuestionMark,
    BlankLineAfterMethod,
    LineEnds,
    AmpersandAfterMethod,
    OnlyParameters,
    WithoutMethod,
    LeadingAmpersand,
    TrailingAmpersand,
    NoTrailingAmpersands,
    TrailingLineEnd,
    EncodedWhole,
    LowerCase,
    UpperCase,
    PathAndParameters,
    ParametersHashed,
    Sha256Hex,
    Sha1Hex,
    Colons,
    NoEquals,
}

const JOINS: [(Join, &str); 19] = [
    (Join::NoQuestionMark, "without `?`"),
    (
        Join::BlankLineAfterMethod,
        "with a line end after the method",
    ),
    (Join::LineEnds, "with line ends between the parts"),
    (
        Join::AmpersandAfterMethod,
        "with `&` between the parts, which are encoded (another vendor's form)",
    ),
    (Join::OnlyParameters, "the parameters alone"),
    (Join::WithoutMethod, "without the method"),
    (Join::LeadingAmpersand, "with `&` before the first pair"),
    (Join::TrailingAmpersand, "with `&` after the last pair"),
    (
        Join::NoTrailingAmpersands,
        "without the `&` at the end of the last value",
    ),
    (Join::TrailingLineEnd, "with a line end at the end"),
    (Join::EncodedWhole, "percent-encoded as a whole"),
    (Join::LowerCase, "in lower case as a whole"),
    (Join::UpperCase, "in upper case as a whole"),
    (Join::PathAndParameters, "without the host and the method"),
    (
        Join::ParametersHashed,
        "with the parameters hashed (`TC2-HmacSHA256`)",
    ),
    (Join::Sha256Hex, "hashed with SHA-256 before the HMAC"),
    (Join::Sha1Hex, "hashed with SHA-1 before the HMAC"),
    (Join::Colons, "with `:` between names and values"),
    (Join::NoEquals, "without `=` and `&`"),
];

/// Each way but the documented one.
pub(super) fn choices() -> Vec<Choice<Join>> {
    JOINS
        .iter()
        .map(|(join, detail)| Choice::new(Mistake::JoinWrong, *detail, *join))
        .collect()
}

/// The string of these parts, put together as they say.
pub(super) fn joined(parts: Parts<'_>) -> Vec<u8> {
    let (equals, ampersand): (&[u8], &[u8]) = match parts.join {
        Join::Colons => (b":", b"&"),
        Join::NoEquals => (b"", b""),
        _ => (b"=", b"&"),
    };
    let mut pairs = Vec::with_capacity(512);
    for &index in parts.order {
        if parts.included.get(index) != Some(&true) {
            continue;
        }
        let value = parts.changed.value(index, parts.values);
        if let (Some(name), Some(value)) = (parts.names.get(index), value) {
            if !pairs.is_empty() {
                pairs.extend_from_slice(ampersand);
            }
            pairs.extend_from_slice(name);
            pairs.extend_from_slice(equals);
            pairs.extend_from_slice(value);
        }
    }
    let Parts {
        method, host, path, ..
    } = parts;
    let whole = || [method, host, path, b"?", pairs.as_slice()].concat();
    match parts.join {
        Join::Documented | Join::Colons | Join::NoEquals => whole(),
        Join::NoQuestionMark => [method, host, path, pairs.as_slice()].concat(),
        Join::BlankLineAfterMethod => [method, b"\n", host, path, b"?", &pairs].concat(),
        Join::LineEnds => [method, b"\n", host, b"\n", path, b"\n", &pairs].concat(),
        Join::AmpersandAfterMethod => {
            let encode = |text: &[u8]| text::encode(text, &RFC_3986);
            [method, b"&", &encode(b"/"), b"&", &encode(&pairs)].concat()
        }
        Join::OnlyParameters => pairs,
        Join::WithoutMethod => [host, path, b"?", &pairs].concat(),
        Join::LeadingAmpersand => [method, host, path, b"?&", &pairs].concat(),
        Join::TrailingAmpersand => [whole().as_slice(), b"&"].concat(),
        Join::NoTrailingAmpersands => {
            let mut text = whole();
            while text.last() == Some(&b'&') {
                text.pop();
            }
            text
        }
        Join::TrailingLineEnd => [whole().as_slice(), b"\n"].concat(),
        Join::EncodedWhole => text::encode(&whole(), &RFC_3986),
        Join::LowerCase => whole().to_ascii_lowercase(),
        Join::UpperCase => whole().to_ascii_uppercase(),
        Join::PathAndParameters => [path, b"?", &pairs].concat(),
        Join::Sha256Hex => hex::encode(&sha2::Sha256::digest(whole()).into()).to_vec(),
        Join::Sha1Hex => {
            let digest = sha1::Sha1::digest(whole());
            let digits = digest.iter().map(|byte| format!("{byte:02x}"));
            digits.collect::<String>().into_bytes()
        }
        Join::ParametersHashed => {
            let digest: [u8; 32] = sha2::Sha256::digest(&pairs).into();
            let digest = hex::encode(&digest);
            [method, host, path, b"?\n", &digest].concat()
        }
    }
}
