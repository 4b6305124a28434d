//! What percent-encoded text says (protocol.md §1.2: one round of decoding, hexadecimal digits in either case).

use std::borrow::Cow;

/// A value of a query or form. Encoded text is kept as it was sent and decoded where it is needed: nearly all of it is
/// only fed to a MAC.
#[derive(Clone, Copy)]
pub(crate) struct Text<'t> {
    bytes: &'t [u8],
    spelling: Spelling,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    Plain,
    Encoded,
}

impl<'t> Text<'t> {
    /// Text that says what it means.
    pub(crate) fn plain(bytes: &'t [u8]) -> Self {
        let spelling = Spelling::Plain;
        Self { bytes, spelling }
    }

    /// Percent-encoded text, found to be well-formed.
    pub(super) fn encoded(bytes: &'t [u8]) -> Self {
        let spelling = Spelling::Encoded;
        Self { bytes, spelling }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn starts_with(self, byte: u8) -> bool {
        let first = match self.spelling {
            Spelling::Plain => self.bytes.first().copied(),
            Spelling::Encoded => decode_first(self.bytes).map(|(first, _)| first),
        };
        first == Some(byte)
    }

    /// The bytes that are meant.
    pub(crate) fn decoded(self) -> Cow<'t, [u8]> {
        match self.spelling {
            Spelling::Plain => Cow::Borrowed(self.bytes),
            Spelling::Encoded => {
                let mut decoded = Vec::with_capacity(self.bytes.len());
                self.feed(|piece| decoded.extend_from_slice(piece));
                Cow::Owned(decoded)
            }
        }
    }

    /// Hands the bytes that are meant to `take`, piece by piece.
    pub(crate) fn feed(self, mut take: impl FnMut(&[u8])) {
        let mut rest = self.bytes;
        if self.spelling == Spelling::Encoded {
            while let Some(at) = rest.iter().position(|&byte| byte == b'%' || byte == b'+') {
                let (piece, encoded) = rest.split_at(at);
                take(piece);
                let Some((byte, after)) = decode_first(encoded) else {
                    return;
                };
                take(&[byte]);
                rest = after;
            }
        }
        take(rest);
    }
}

/// Fails with the offset of a `%` without two hexadecimal digits.
pub(super) fn check(text: &[u8]) -> Result<(), usize> {
    let well_formed = |rest: &[u8]| {
        rest.get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&byte| byte == b'%') {
        rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
        if !well_formed(rest) {
            return Err(text.len().saturating_sub(rest.len()).saturating_sub(1));
        }
    }
    Ok(())
}

/// The first byte that is meant, and what follows it. `+` is a blank.
fn decode_first(text: &[u8]) -> Option<(u8, &[u8])> {
    match text {
        [b'%', high, low, rest @ ..] => Some((hex_digit(*high)? << 4 | hex_digit(*low)?, rest)),
        [b'+', rest @ ..] => Some((b' ', rest)),
        [other, rest @ ..] => Some((*other, rest)),
        [] => None,
    }
}

/// The value of a hexadecimal digit in either case.
pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit & 0x0f),
        // The letters end in 1 to 6.
        b'a'..=b'f' | b'A'..=b'F' => Some((digit & 0x0f).wrapping_add(9)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<String, usize> {
        check(text.as_bytes())?;
        let text = Text::encoded(text.as_bytes()).decoded();
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn one_round_in_either_case_with_plus_as_blank() {
        assert_eq!(decoded("a%2Fb%2fc+d%20e%2B"), Ok("a/b/c d e+".to_owned()));
        assert_eq!(decoded("%252F"), Ok("%2F".to_owned()));
        assert_eq!(decoded("%C3%a9"), Ok("\u{e9}".to_owned()));
        assert_eq!(decoded(""), Ok(String::new()));
    }

    #[test]
    fn malformed_escapes_are_named_by_offset() {
        assert_eq!(decoded("ab%"), Err(2));
        assert_eq!(decoded("ab%4"), Err(2));
        assert_eq!(decoded("%zz"), Err(0));
        assert_eq!(decoded("x%4g"), Err(1));
        assert_eq!(decoded("%41%4"), Err(3));
        assert_eq!(decoded("%\u{661}1"), Err(0));
    }

    #[test]
    fn plain_text_is_left_alone() {
        let text = Text::plain(b"%41+");
        assert_eq!(&*text.decoded(), b"%41+");
        assert!(text.starts_with(b'%'));
        assert!(Text::encoded(b"%40a").starts_with(b'@'));
        assert!(Text::encoded(b"+a").starts_with(b' '));
        assert!(!Text::encoded(b"").starts_with(b'@'));
    }
}
