//! Keys that a client may have used instead of the right one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::text::{self, RFC_3986};
use super::{Change, change};
use crate::diagnose::encoding::hex;
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

const QUOTES: [(&str, &str); 8] = [
    ("\"", "\""),
    ("'", "'"),
    ("`", "`"),
    ("“", "”"),
    ("\"", ""),
    ("", "\""),
    ("'", ""),
    ("", "'"),
];

/// What a layer between configuration and signature makes of a key.
const MANGLED: [Change; 19] = [
    change(
        Mistake::SecretKeyMangled,
        "`+` was read as a blank",
        |key| text::replace(key, b"+", b" "),
    ),
    change(Mistake::SecretKeyMangled, "`/` was dropped", |key| {
        text::replace(key, b"/", b"")
    }),
    change(
        Mistake::SecretKeyMangled,
        "a backslash was dropped",
        |key| text::replace(key, b"\\", b""),
    ),
    change(Mistake::SecretKeyMangled, "`$` was dropped", |key| {
        text::replace(key, b"$", b"")
    }),
    change(Mistake::SecretKeyMangled, "`&` was HTML-escaped", |key| {
        text::replace(key, b"&", b"&amp;")
    }),
    change(Mistake::SecretKeyMangled, "`/` was escaped", |key| {
        text::replace(key, b"/", b"\\/")
    }),
    change(Mistake::SecretKeyMangled, "`=` was dropped", |key| {
        text::replace(key, b"=", b"")
    }),
    change(
        Mistake::SecretKeyMangled,
        "it was percent-decoded",
        text::decode,
    ),
    change(Mistake::SecretKeyMangled, "it was percent-encoded", |key| {
        text::encode(key, &RFC_3986)
    }),
    change(
        Mistake::SecretKeyMangled,
        "its first character is missing",
        |key| key.iter().skip(1).copied().collect(),
    ),
    change(
        Mistake::SecretKeyMangled,
        "its last character is missing",
        |key| key.split_last().map_or(&[][..], |(_, rest)| rest).to_vec(),
    ),
    change(
        Mistake::SecretKeyMangled,
        "it ends at the first `#`",
        |key| up_to(key, b'#'),
    ),
    change(
        Mistake::SecretKeyMangled,
        "it ends at the first `=`",
        |key| up_to(key, b'='),
    ),
    change(
        Mistake::SecretKeyMangled,
        "it ends at the first `$`",
        |key| up_to(key, b'$'),
    ),
    change(
        Mistake::SecretKeyMangled,
        "it ends at the first blank",
        |key| up_to(key, b' '),
    ),
    change(
        Mistake::SecretKeyMangled,
        "it is in lower case",
        <[u8]>::to_ascii_lowercase,
    ),
    change(
        Mistake::SecretKeyMangled,
        "it is in upper case",
        <[u8]>::to_ascii_uppercase,
    ),
    change(
        Mistake::SecretKeyMangled,
        "`&` was added to it, as other vendors demand",
        |key| [key, b"&"].concat(),
    ),
    change(Mistake::SecretKeyMangled, "it was used twice over", |key| {
        [key, key].concat()
    }),
];

/// Returns wrong keys for a credential, likely ones first, none equal to the right one.
pub(crate) fn wrong_keys(
    credential: &Credential,
    token: Option<&[u8]>,
    others: &[Credential],
) -> Vec<WrongKey> {
    let mut found = Found {
        right: credential.key().expose(),
        keys: Vec::new(),
    };
    found.add(Mistake::SecretKeyEmpty, "the key is empty", Vec::new());
    found.with_something_around();
    found.add(
        Mistake::IdAndKeySwapped,
        "the SecretId was used as the key",
        credential.secret_id().as_bytes().to_vec(),
    );
    if let Some(token) = token {
        found.add(Mistake::TokenUsedAsKey, "", token.to_vec());
    }
    for other in others {
        if other.secret_id() != credential.secret_id() {
            let detail = format!("the key belongs to {}", other.secret_id());
            let key = other.key().expose().to_vec();
            found.add(Mistake::AnotherCredentialsKey, detail, key);
        }
    }
    for placeholder in PLACEHOLDERS {
        let detail = format!("the key is `{placeholder}`");
        found.add(Mistake::SecretKeyPlaceholder, detail, placeholder.into());
    }
    for row in &MANGLED {
        let mangled = (row.made)(found.right);
        // Nothing at all is another mistake.
        if !mangled.is_empty() {
            found.add(row.mistake, row.detail, mangled);
        }
    }
    for (what, decoded) in decoded(found.right) {
        found.add(Mistake::SecretKeyDecoded, what, decoded);
    }
    found.keys
}

struct Found<'k> {
    right: &'k [u8],
    keys: Vec<WrongKey>,
}

impl Found<'_> {
    fn add(&mut self, mistake: Mistake, detail: impl Into<String>, bytes: Vec<u8>) {
        if bytes != self.right {
            self.keys.push(WrongKey {
                mistake,
                detail: detail.into(),
                bytes: Zeroizing::new(bytes),
            });
        }
    }

    /// Blanks, quotes or a byte order mark.
    fn with_something_around(&mut self) {
        let right = self.right;
        let whitespace = Mistake::SecretKeyWhitespace;
        for (blank, name) in BLANKS {
            let detail = format!("{name} after the key");
            self.add(whitespace, detail, [right, blank].concat());
        }
        for (blank, name) in BLANKS {
            let detail = format!("{name} before the key");
            self.add(whitespace, detail, [blank, right].concat());
            let detail = format!("{name} at both ends of the key");
            self.add(whitespace, detail, [blank, right, blank].concat());
        }
        let detail = "the registered key has blanks at its ends, which were trimmed";
        self.add(whitespace, detail, right.trim_ascii().to_vec());
        for (open, close) in QUOTES {
            let detail = format!("the key is written {open}…{close}");
            let key = [open.as_bytes(), right, close.as_bytes()].concat();
            self.add(Mistake::SecretKeyQuoted, detail, key);
        }
        let (before, after) = ([BOM, right].concat(), [right, BOM].concat());
        self.add(Mistake::SecretKeyBom, "before the key", before);
        self.add(Mistake::SecretKeyBom, "after the key", after);
    }
}

fn up_to(key: &[u8], end: u8) -> Vec<u8> {
    key.iter()
        .copied()
        .take_while(|&byte| byte != end)
        .collect()
}

fn decoded(key: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut found = Vec::new();
    let mut buffer = vec![0; key.len()];
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        if let Ok(length) = engine.decode_slice(key, &mut buffer) {
            let decoded = buffer.get(..length).unwrap_or_default();
            found.push(("it was base64-decoded", decoded.to_vec()));
        }
    }
    let mut encoded = vec![0; key.len().saturating_mul(2).saturating_add(4)];
    if let Ok(length) = STANDARD.encode_slice(key, &mut encoded) {
        encoded.truncate(length);
        found.push(("it was base64-encoded", encoded));
    }
    found.extend(hex(key).map(|bytes| ("it was hex-decoded", bytes)));
    found
}
