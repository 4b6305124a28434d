//! Which keys a client may have used by mistake instead of the right one.

use zeroize::Zeroizing;

use super::text;
use crate::diagnosis::{Finding, Mistake};
use crate::store::Credential;

/// A wrong key and why it may have been used.
pub(crate) struct WrongKey {
    pub(crate) mistake: Mistake,
    pub(crate) detail: String,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl WrongKey {
    pub(crate) fn finding(&self) -> Finding {
        Finding::new(self.mistake, self.detail.as_str())
    }
}

/// Blanks and line ends that editors, shells and secret stores leave at the ends of a key.
const BLANKS: [(&[u8], &str); 8] = [
    (b"\n", "LF"),
    (b"\r\n", "CR LF"),
    (b"\r", "CR"),
    (b" ", "a blank"),
    (b"\t", "a tab"),
    (b"\0", "NUL"),
    ("\u{a0}".as_bytes(), "a no-break space"),
    ("\u{200b}".as_bytes(), "a zero-width space"),
];
const BOM: &[u8] = "\u{feff}".as_bytes();
const PLACEHOLDERS: [&str; 15] = [
    "None",
    "null",
    "undefined",
    "nil",
    "NULL",
    "(null)",
    "false",
    "NaN",
    "SecretKey",
    "secretKey",
    "SECRET_KEY",
    "your-secret-key",
    "YOUR_SECRET_KEY",
    "TENCENTCLOUD_SECRET_KEY",
    "SECRETKEY",
];

/// Wrong keys for a credential, likely ones first, none equal to the right one.
pub(crate) fn wrong_keys(
    credential: &Credential,
    token: Option<&[u8]>,
    others: &[Credential],
) -> Vec<WrongKey> {
    let right = credential.key().expose();
    let mut keys: Vec<WrongKey> = Vec::new();
    let mut add = |mistake, detail: String, bytes: Vec<u8>| {
        if bytes != right {
            keys.push(WrongKey {
                mistake,
                detail,
                bytes: Zeroizing::new(bytes),
            });
        }
    };
    add(
        Mistake::SecretKeyEmpty,
        "the key is empty".to_owned(),
        Vec::new(),
    );
    for (blank, name) in BLANKS {
        let detail = format!("{name} after the key");
        add(
            Mistake::SecretKeyWhitespace,
            detail,
            [right, blank].concat(),
        );
    }
    for (blank, name) in BLANKS {
        let detail = format!("{name} before the key");
        add(
            Mistake::SecretKeyWhitespace,
            detail,
            [blank, right].concat(),
        );
        let detail = format!("{name} at both ends of the key");
        add(
            Mistake::SecretKeyWhitespace,
            detail,
            [blank, right, blank].concat(),
        );
    }
    add(
        Mistake::SecretKeyWhitespace,
        "the registered key has blanks at its ends, which were trimmed".to_owned(),
        right.trim_ascii().to_vec(),
    );
    for (open, close) in [
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("“", "”"),
        ("\"", ""),
        ("", "\""),
        ("'", ""),
        ("", "'"),
    ] {
        add(
            Mistake::SecretKeyQuoted,
            format!("the key is written {open}…{close}"),
            [open.as_bytes(), right, close.as_bytes()].concat(),
        );
    }
    add(
        Mistake::SecretKeyBom,
        "before the key".to_owned(),
        [BOM, right].concat(),
    );
    add(
        Mistake::SecretKeyBom,
        "after the key".to_owned(),
        [right, BOM].concat(),
    );
    add(
        Mistake::IdAndKeySwapped,
        "the SecretId was used as the key".to_owned(),
        credential.secret_id().as_bytes().to_vec(),
    );
    if let Some(token) = token {
        add(Mistake::TokenUsedAsKey, String::new(), token.to_vec());
    }
    for other in others {
        if other.secret_id() != credential.secret_id() {
            add(
                Mistake::AnotherCredentialsKey,
                format!("the key belongs to {}", other.secret_id()),
                other.key().expose().to_vec(),
            );
        }
    }
    for placeholder in PLACEHOLDERS {
        add(
            Mistake::SecretKeyPlaceholder,
            format!("the key is `{placeholder}`"),
            placeholder.into(),
        );
    }
    for (from, to, what) in [
        (&b"+"[..], &b" "[..], "`+` was read as a blank"),
        (b"/", b"", "`/` was dropped"),
        (b"\\", b"", "a backslash was dropped"),
        (b"$", b"", "`$` was dropped"),
        (b"&", b"&amp;", "`&` was HTML-escaped"),
        (b"/", b"\\/", "`/` was escaped"),
        (b"=", b"", "`=` was dropped"),
    ] {
        add(
            Mistake::SecretKeyMangled,
            what.to_owned(),
            text::replace(right, from, to),
        );
    }
    let mangled = |mistake_detail: &str| mistake_detail.to_owned();
    add(
        Mistake::SecretKeyMangled,
        mangled("it was percent-decoded"),
        text::decode(right),
    );
    for alphabet in text::ALPHABETS.iter().take(1) {
        add(
            Mistake::SecretKeyMangled,
            mangled("it was percent-encoded"),
            text::encode(right, alphabet),
        );
    }
    for (what, cut) in [
        ("its first character is missing", right.get(1..)),
        (
            "its last character is missing",
            right.len().checked_sub(1).and_then(|end| right.get(..end)),
        ),
        (
            "it ends at the first `#`",
            right.split(|&b| b == b'#').next(),
        ),
        (
            "it ends at the first `=`",
            right.split(|&b| b == b'=').next(),
        ),
        (
            "it ends at the first `$`",
            right.split(|&b| b == b'$').next(),
        ),
        (
            "it ends at the first blank",
            right.split(|&b| b == b' ').next(),
        ),
    ] {
        if let Some(cut) = cut.filter(|cut| !cut.is_empty()) {
            add(Mistake::SecretKeyMangled, mangled(what), cut.to_vec());
        }
    }
    add(
        Mistake::SecretKeyMangled,
        mangled("it is in lower case"),
        right.to_ascii_lowercase(),
    );
    add(
        Mistake::SecretKeyMangled,
        mangled("it is in upper case"),
        right.to_ascii_uppercase(),
    );
    add(
        Mistake::SecretKeyMangled,
        mangled("`&` was added to it, as other vendors demand"),
        [right, b"&"].concat(),
    );
    add(
        Mistake::SecretKeyMangled,
        mangled("it was used twice over"),
        [right, right].concat(),
    );
    for (what, decoded) in decoded(right) {
        add(Mistake::SecretKeyDecoded, what.to_owned(), decoded);
    }
    keys
}

fn decoded(key: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let mut found = Vec::new();
    let mut buffer = vec![0; key.len()];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        if let Ok(length) = engine.decode_slice(key, &mut buffer) {
            found.push((
                "it was base64-decoded",
                buffer.get(..length).unwrap_or_default().to_vec(),
            ));
        }
    }
    let mut encoded = vec![0; key.len().saturating_mul(2).saturating_add(4)];
    if let Ok(length) = STANDARD.encode_slice(key, &mut encoded) {
        found.push((
            "it was base64-encoded",
            encoded.get(..length).unwrap_or_default().to_vec(),
        ));
    }
    let hex: Option<Vec<u8>> = key
        .len()
        .is_multiple_of(2)
        .then(|| {
            key.chunks_exact(2)
                .map(|pair| match pair {
                    [high, low] => {
                        use crate::form::encoding::hex_digit;
                        Some(hex_digit(*high)? << 4 | hex_digit(*low)?)
                    }
                    _ => None,
                })
                .collect::<Option<Vec<u8>>>()
        })
        .flatten();
    found.extend(hex.map(|bytes| ("it was hex-decoded", bytes)));
    found
}
