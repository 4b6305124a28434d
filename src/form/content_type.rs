//! What a `Content-Type` says: one media type with parameters (RFC 9110 §8.3.1).
//!
//! Programs read this header in many ways: they look for a prefix, cut at `;` or at `,`, take the first or the last
//! boundary. What two of them could read in two ways is refused.

use crate::reason::Reason;
use crate::request::trimmed;

/// A `Content-Type`; of no type where the header is absent or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ContentType<'r> {
    /// `type/subtype`, in any letter case.
    media_type: &'r [u8],
    boundary: Option<&'r [u8]>,
}

/// Longer ones are refused, so that comparing their parameters takes no time.
const LONGEST: usize = 256;

impl<'r> ContentType<'r> {
    /// Reads the value of the header.
    pub(crate) fn read(value: &'r [u8]) -> Result<Self, Reason> {
        if value.is_empty() {
            return Ok(Self {
                media_type: value,
                boundary: None,
            });
        }
        Self::parse(value).ok_or(Reason::MalformedContentType)
    }

    fn parse(value: &'r [u8]) -> Option<Self> {
        if value.len() > LONGEST {
            return None;
        }
        // No piece holds a `;`, in quotes neither: many programs cut there without looking for quotes.
        let mut pieces = value.split(|&byte| byte == b';').map(trimmed);
        let media_type = pieces.next()?;
        let slash = media_type.iter().position(|&byte| byte == b'/')?;
        let (kind, subtype) = media_type.split_at(slash);
        if !is_token(kind) || !is_token(subtype.get(1..)?) {
            return None;
        }
        let parameters = pieces.filter(|piece| !piece.is_empty());
        let mut boundary = None;
        for (index, piece) in parameters.clone().enumerate() {
            let parameter = Parameter::parse(piece)?;
            let mut earlier = parameters.clone().take(index);
            if earlier.any(|piece| parameter.is_called_like(piece)) {
                return None;
            }
            if parameter.is_called(b"boundary") {
                // Blanks after a boundary are no part of it in the body (RFC 2046 §5.1.1).
                if parameter.value.ends_with(b" ") {
                    return None;
                }
                boundary = Some(parameter.value);
            } else if parameter.value.contains(&b',')
                || parameter.is_called(b"charset") && !is_utf8(parameter.value)
            {
                return None;
            }
        }
        Some(Self {
            media_type,
            boundary,
        })
    }

    /// Whether this is the media type, in any letter case.
    pub(crate) fn is(&self, media_type: &[u8]) -> bool {
        self.media_type.eq_ignore_ascii_case(media_type)
    }

    /// The boundary of `multipart/form-data`; `None` for any other type, and where there is none.
    pub(crate) fn boundary(&self) -> Option<&'r [u8]> {
        self.boundary.filter(|_| self.is(b"multipart/form-data"))
    }
}

/// `name=value`.
struct Parameter<'r> {
    name: &'r [u8],
    /// Without the quotes around it.
    value: &'r [u8],
}

impl<'r> Parameter<'r> {
    fn parse(piece: &'r [u8]) -> Option<Self> {
        let equals = piece.iter().position(|&byte| byte == b'=')?;
        let (name, value) = piece.split_at(equals);
        let value = value.get(1..)?;
        let value = match value.strip_prefix(b"\"") {
            None => Some(value).filter(|value| is_token(value)),
            Some(quoted) => quoted.strip_suffix(b"\"").filter(|value| is_plain(value)),
        }?;
        is_token(name).then_some(Self { name, value })
    }

    fn is_called(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn is_called_like(&self, piece: &[u8]) -> bool {
        piece
            .split(|&byte| byte == b'=')
            .next()
            .is_some_and(|name| self.is_called(name))
    }
}

/// The pages ask for UTF-8 alone (protocol.md §1.2). A service that obeys another charset reads other parameters: in
/// UTF-7, UTF-16 or EBCDIC the same bytes are other text.
fn is_utf8(charset: &[u8]) -> bool {
    [&b"utf-8"[..], b"utf8", b"us-ascii"]
        .iter()
        .any(|name| charset.eq_ignore_ascii_case(name))
}

/// RFC 9110 §5.6.2.
fn is_token(text: &[u8]) -> bool {
    let in_token = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~'
            )
    };
    !text.is_empty() && text.iter().all(in_token)
}

/// What may stand in quotes: no escape, and nothing that ends the quotes for another program.
fn is_plain(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_and_boundaries() {
        for (value, media_type, boundary) in [
            ("application/json", "application/json", None),
            ("Application/JSON; Charset=UTF-8", "application/json", None),
            (
                "application/json;charset=\"utf-8\"",
                "application/json",
                None,
            ),
            ("application/json;", "application/json", None),
            ("text/plain ;\tformat=flowed", "text/plain", None),
            ("multipart/form-data", "multipart/form-data", None),
            (
                "multipart/form-data; boundary=ab",
                "multipart/form-data",
                Some("ab"),
            ),
            (
                "multipart/form-data; charset=utf-8; Boundary=--ab",
                "multipart/form-data",
                Some("--ab"),
            ),
            // Only in quotes does HTTP allow the blanks and commas that MIME allows in a boundary (RFC 2046 §5.1.1).
            (
                "multipart/form-data; boundary=\"a, b\"",
                "multipart/form-data",
                Some("a, b"),
            ),
            (
                "multipart/form-data; boundary=\"\"",
                "multipart/form-data",
                Some(""),
            ),
            ("application/json; boundary=ab", "application/json", None),
        ] {
            let read = ContentType::read(value.as_bytes()).unwrap();
            assert!(read.is(media_type.as_bytes()), "{value}");
            assert_eq!(read.boundary(), boundary.map(str::as_bytes), "{value}");
        }
        assert!(!ContentType::read(b"").unwrap().is(b"application/json"));
    }

    #[test]
    fn what_two_programs_could_read_in_two_ways_is_refused() {
        for value in [
            "application/x-www-form-urlencoded,multipart/form-data; boundary=b",
            "application/json, application/json",
            "application/json; charset=utf-8, text/plain",
            "json",
            "/json",
            "application/",
            "application /json",
            "application/json/x",
            "application/json charset=utf-8",
            "application/json; charset",
            "application/json; =utf-8",
            "application/json; charset=",
            "application/json; charset = utf-8",
            "application/json; charset=utf-8; charset=utf-8",
            "application/json; charset=utf-16",
            "application/x-www-form-urlencoded; charset=IBM037",
            "application/json; version=\"1,2\"",
            "multipart/form-data; boundary=a,b",
            "multipart/form-data; boundary=a b",
            "multipart/form-data; boundary=\"a \"",
            "multipart/form-data; boundary=a; BOUNDARY=b",
            "multipart/form-data; boundary=\"a\\b\"",
            "multipart/form-data; boundary=\"a\"b",
            "multipart/form-data; boundary=\"a",
            "multipart/form-data; x=\"; boundary=cd; \"; boundary=ab",
            "multipart/form-data; boundary=\u{e9}",
            "application/json\n",
            &format!("application/json; x={}", "y".repeat(256)),
        ] {
            assert_eq!(
                ContentType::read(value.as_bytes()),
                Err(Reason::MalformedContentType),
                "{value}"
            );
        }
    }
}
