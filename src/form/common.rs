//! Which parameters are the protocol's own and not an action's (protocol.md §1.1).

/// A common parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Common {
    Action,
    Language,
    Nonce,
    Region,
    SecretId,
    Signature,
    SignatureMethod,
    Timestamp,
    Token,
    Version,
}

impl Common {
    pub(super) const COUNT: usize = 10;

    /// The common parameter with this name, whose first eight bytes are `prefix`.
    pub(super) fn of(prefix: u64, name: &[u8]) -> Option<Self> {
        const ACTION: u64 = u64::from_be_bytes(*b"Action\0\0");
        const LANGUAGE: u64 = u64::from_be_bytes(*b"Language");
        const NONCE: u64 = u64::from_be_bytes(*b"Nonce\0\0\0");
        const REGION: u64 = u64::from_be_bytes(*b"Region\0\0");
        const SECRET_ID: u64 = u64::from_be_bytes(*b"SecretId");
        const SIGNATURE: u64 = u64::from_be_bytes(*b"Signatur");
        const TIMESTAMP: u64 = u64::from_be_bytes(*b"Timestam");
        const TOKEN: u64 = u64::from_be_bytes(*b"Token\0\0\0");
        const VERSION: u64 = u64::from_be_bytes(*b"Version\0");
        Some(match (prefix, name.len()) {
            (ACTION, 6) => Self::Action,
            (LANGUAGE, 8) => Self::Language,
            (NONCE, 5) => Self::Nonce,
            (REGION, 6) => Self::Region,
            (SECRET_ID, 8) => Self::SecretId,
            (SIGNATURE, 9) if name.ends_with(b"e") => Self::Signature,
            (SIGNATURE, 15) if name.ends_with(b"eMethod") => Self::SignatureMethod,
            (TIMESTAMP, 9) if name.ends_with(b"p") => Self::Timestamp,
            (TOKEN, 5) => Self::Token,
            (VERSION, 7) => Self::Version,
            _ => return None,
        })
    }

    /// The name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Action => "Action",
            Self::Language => "Language",
            Self::Nonce => "Nonce",
            Self::Region => "Region",
            Self::SecretId => "SecretId",
            Self::Signature => "Signature",
            Self::SignatureMethod => "SignatureMethod",
            Self::Timestamp => "Timestamp",
            Self::Token => "Token",
            Self::Version => "Version",
        }
    }

    /// Whether the value is read as text: the others are compared, and then forgotten.
    pub(super) fn is_read_as_text(self) -> bool {
        !matches!(self, Self::Signature | Self::Token)
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::Action => 0,
            Self::Language => 1,
            Self::Nonce => 2,
            Self::Region => 3,
            Self::SecretId => 4,
            Self::Signature => 5,
            Self::SignatureMethod => 6,
            Self::Timestamp => 7,
            Self::Token => 8,
            Self::Version => 9,
        }
    }
}
