//! Digest of the payload, of another payload than arrived or in another form.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::digest;
use crate::diagnose::guess::json::json_forms;
use crate::diagnose::guess::{Change, Choice, change, text};
use crate::diagnosis::Mistake;

/// A longer body is not changed and hashed again.
const LONGEST: usize = 256 << 10;

/// What stands for a body that was not there when the request was signed.
const NO_BODY: [&str; 6] = ["{}", "null", "\"\"", "[]", "undefined", "None"];

/// What is written for the digest of a body.
const CHANGES: [Change; 12] = [
    change(Mistake::PayloadDigest, "the digest in upper case", |body| {
        digest(body).to_ascii_uppercase()
    }),
    change(
        Mistake::PayloadDigest,
        "the body itself instead of its digest",
        <[u8]>::to_vec,
    ),
    change(Mistake::PayloadDigest, "no digest", |_| Vec::new()),
    change(Mistake::PayloadDigest, "the digest of the digest", |body| {
        digest(&digest(body))
    }),
    change(
        Mistake::PayloadDigest,
        "a line end after the body",
        |body| digest(&[body, b"\n"].concat()),
    ),
    change(Mistake::PayloadDigest, "CR LF after the body", |body| {
        digest(&[body, b"\r\n"].concat())
    }),
    change(Mistake::PayloadDigest, "a blank after the body", |body| {
        digest(&[body, b" "].concat())
    }),
    change(Mistake::PayloadDigest, "the body trimmed", |body| {
        digest(body.trim_ascii())
    }),
    change(
        Mistake::PayloadDigest,
        "the body with LF for CR LF",
        |body| digest(&text::replace(body, b"\r\n", b"\n")),
    ),
    change(
        Mistake::PayloadDigest,
        "the body with CR LF for LF",
        |body| digest(&text::replace(body, b"\n", b"\r\n")),
    ),
    change(
        Mistake::PayloadDigest,
        "the body with its backslash escapes expanded",
        |body| digest(&text::replace(body, b"\\n", b"\n")),
    ),
    change(Mistake::PayloadDigest, "the digest in base64", in_base64),
];

/// Returns what may stand where the digest belongs.
pub(super) fn choices(
    body: &[u8],
    get: bool,
    unsigned: bool,
    query: &[u8],
) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |mistake, detail: &str, text: Vec<u8>| {
        found.push(Choice::new(mistake, detail, text));
    };
    if unsigned {
        let detail = "the body was hashed although the header declares it unsigned";
        add(Mistake::UnsignedPayload, detail, digest(body));
    } else {
        let (declared, written) = (digest(b"UNSIGNED-PAYLOAD"), b"UNSIGNED-PAYLOAD".to_vec());
        let detail = "`UNSIGNED-PAYLOAD` was hashed and not declared";
        add(Mistake::UnsignedPayload, detail, declared);
        let detail = "`UNSIGNED-PAYLOAD` was written for the digest";
        add(Mistake::UnsignedPayload, detail, written);
    }
    json_forms(body, |what, text| {
        add(Mistake::BodyReserialised, what, digest(text));
    });
    if get {
        add(Mistake::PayloadDigest, "the body of a GET", digest(body));
        add(Mistake::PayloadDigest, "the query of a GET", digest(query));
    } else {
        add(Mistake::PayloadDigest, "an empty body", digest(b""));
    }
    for text in NO_BODY {
        let detail = format!("the text `{text}`");
        add(Mistake::PayloadDigest, &detail, digest(text.as_bytes()));
    }
    let hashed = if get { &[][..] } else { body };
    if hashed.len() > LONGEST {
        return found;
    }
    for row in &CHANGES {
        add(row.mistake, row.detail, (row.made)(hashed));
    }
    let text = str::from_utf8(hashed).unwrap_or_default();
    for (charset, encode) in text::CHARSETS.iter().filter(|_| !text.is_ascii()) {
        add(Mistake::NonUtf8BytesSigned, charset, digest(&encode(text)));
    }
    found
}

fn in_base64(body: &[u8]) -> Vec<u8> {
    let mut out = [0; 44];
    let written = STANDARD.encode_slice(Sha256::digest(body), &mut out);
    debug_assert_eq!(written, Ok(out.len()), "32 bytes are 44 characters");
    out.to_vec()
}
