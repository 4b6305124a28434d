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

    /// The common parameter whose name has this length and these first sixteen bytes, filled up with zeros.
    pub(super) fn of(prefix: u128, length: u32) -> Option<Self> {
        const ACTION: u128 = filled(Common::Action.name());
        const LANGUAGE: u128 = filled(Common::Language.name());
        const NONCE: u128 = filled(Common::Nonce.name());
        const REGION: u128 = filled(Common::Region.name());
        const SECRET_ID: u128 = filled(Common::SecretId.name());
        const SIGNATURE: u128 = filled(Common::Signature.name());
        const SIGNATURE_METHOD: u128 = filled(Common::SignatureMethod.name());
        const TIMESTAMP: u128 = filled(Common::Timestamp.name());
        const TOKEN: u128 = filled(Common::Token.name());
        const VERSION: u128 = filled(Common::Version.name());
        Some(match (length, prefix) {
            (5, NONCE) => Self::Nonce,
            (5, TOKEN) => Self::Token,
            (6, ACTION) => Self::Action,
            (6, REGION) => Self::Region,
            (7, VERSION) => Self::Version,
            (8, LANGUAGE) => Self::Language,
            (8, SECRET_ID) => Self::SecretId,
            (9, SIGNATURE) => Self::Signature,
            (9, TIMESTAMP) => Self::Timestamp,
            (15, SIGNATURE_METHOD) => Self::SignatureMethod,
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

/// A name as a number, filled up with zeros: none has more than sixteen bytes.
const fn filled(name: &str) -> u128 {
    let mut name = name.as_bytes();
    let mut all = [0; 16];
    let mut room: &mut [u8] = &mut all;
    while let ([first, after @ ..], [slot, rest @ ..]) = (name, room) {
        *slot = *first;
        (name, room) = (after, rest);
    }
    u128::from_be_bytes(all)
}
