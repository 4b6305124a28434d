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
        if self.spelling == Spelling::Plain {
            return take(self.bytes);
        }
        let mut room = [0; 64];
        let mut rest = self;
        while !rest.is_empty() {
            let (piece, after) = rest.fill(&mut room);
            take(piece);
            rest = after;
        }
    }

    /// Writes as many of the bytes that are meant as there is room for; also tells what is left.
    pub(crate) fn fill(self, room: &mut [u8]) -> (&[u8], Self) {
        let mut rest = self.bytes;
        let mut length = 0_usize;
        match self.spelling {
            Spelling::Plain => {
                length = rest.len().min(room.len());
                let (fits, after) = rest.split_at_checked(length).unwrap_or((&[], rest));
                room.iter_mut()
                    .zip(fits)
                    .for_each(|(slot, byte)| *slot = *byte);
                rest = after;
            }
            Spelling::Encoded => {
                for slot in room.iter_mut() {
                    let Some((byte, after)) = decode_first(rest) else {
                        // The end: what is encoded is well-formed.
                        rest = &[];
                        break;
                    };
                    *slot = byte;
                    length = length.saturating_add(1);
                    rest = after;
                }
            }
        }
        let left = Self {
            bytes: rest,
            ..self
        };
        (room.get(..length).unwrap_or_default(), left)
    }
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

    fn decoded(text: &str) -> String {
        let text = Text::encoded(text.as_bytes()).decoded();
        String::from_utf8_lossy(&text).into_owned()
    }

    #[test]
    fn one_round_in_either_case_with_plus_as_blank() {
        assert_eq!(decoded("a%2Fb%2fc+d%20e%2B"), "a/b/c d e+");
        assert_eq!(decoded("%252F"), "%2F");
        assert_eq!(decoded("%C3%a9"), "\u{e9}");
        assert_eq!(decoded(""), "");
    }

    #[test]
    fn text_longer_than_a_piece() {
        let text = "%41+b".repeat(100);
        assert_eq!(decoded(&text), "A b".repeat(100));
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
