//! What a client may have signed as the digest of its body.

use sha2::{Digest, Sha256};

use super::digest;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::json::json_forms;
use crate::diagnose::guess::text;
use crate::diagnosis::Mistake;

/// A longer body is not changed and hashed again.
const LONGEST: usize = 256 << 10;

/// What may stand where the digest belongs.
pub(super) fn choices(
    body: &[u8],
    get: bool,
    unsigned: bool,
    query: &[u8],
) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |mistake, detail: &str, text: Vec<u8>| {
        found.push(Choice {
            mistake,
            detail: detail.to_owned(),
            data: text,
        });
    };
    if unsigned {
        add(
            Mistake::UnsignedPayload,
            "the body was hashed although the header declares it unsigned",
            digest(body),
        );
    } else {
        add(
            Mistake::UnsignedPayload,
            "`UNSIGNED-PAYLOAD` was hashed and not declared",
            digest(b"UNSIGNED-PAYLOAD"),
        );
        add(
            Mistake::UnsignedPayload,
            "`UNSIGNED-PAYLOAD` was written for the digest",
            b"UNSIGNED-PAYLOAD".to_vec(),
        );
    }
    json_forms(body, |what, text| {
        add(Mistake::BodyReserialised, what, digest(text));
    });
    let base = if get { &[][..] } else { body };
    if !get {
        add(Mistake::PayloadDigest, "an empty body", digest(b""));
    } else {
        add(Mistake::PayloadDigest, "the body of a GET", digest(body));
        add(Mistake::PayloadDigest, "the query of a GET", digest(query));
    }
    for text in ["{}", "null", "\"\"", "[]", "undefined", "None"] {
        add(
            Mistake::PayloadDigest,
            &format!("the text `{text}`"),
            digest(text.as_bytes()),
        );
    }
    if base.len() > LONGEST {
        return found;
    }
    add(
        Mistake::PayloadDigest,
        "the digest in upper case",
        digest(base).to_ascii_uppercase(),
    );
    add(
        Mistake::PayloadDigest,
        "the body itself instead of its digest",
        base.to_vec(),
    );
    add(Mistake::PayloadDigest, "no digest", Vec::new());
    add(
        Mistake::PayloadDigest,
        "the digest of the digest",
        digest(&digest(base)),
    );
    for (what, end) in [
        ("a line end after the body", &b"\n"[..]),
        ("CR LF after the body", b"\r\n"),
        ("a blank after the body", b" "),
    ] {
        add(Mistake::PayloadDigest, what, digest(&[base, end].concat()));
    }
    add(
        Mistake::PayloadDigest,
        "the body trimmed",
        digest(base.trim_ascii()),
    );
    add(
        Mistake::PayloadDigest,
        "the body with LF for CR LF",
        digest(&text::replace(base, b"\r\n", b"\n")),
    );
    add(
        Mistake::PayloadDigest,
        "the body with CR LF for LF",
        digest(&text::replace(base, b"\n", b"\r\n")),
    );
    add(
        Mistake::PayloadDigest,
        "the body with its backslash escapes expanded",
        digest(&text::replace(base, b"\\n", b"\n")),
    );
    {
        use base64::Engine;
        let raw = Sha256::digest(base);
        let mut out = [0; 44];
        if base64::engine::general_purpose::STANDARD
            .encode_slice(raw, &mut out)
            .is_ok()
        {
            add(Mistake::PayloadDigest, "the digest in base64", out.to_vec());
        }
    }
    let text = str::from_utf8(base).unwrap_or_default();
    for (charset, encode) in text::CHARSETS.iter().filter(|_| !text.is_ascii()) {
        add(Mistake::NonUtf8BytesSigned, charset, digest(&encode(text)));
    }
    found
}
