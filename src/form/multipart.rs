//! Which fields a `multipart/form-data` body holds.
//!
//! The legacy Java and .NET clients send every POST this way, with a line break before the first boundary and raw names
//! (clients.md §5). The parser borrows from the body; the published crates read asynchronous streams into copies.

use std::ops::Range;

use memchr::memmem;

use super::{Kind, Parameters, Span};
use crate::reason::Reason;

/// The boundary that a `multipart/form-data` content type declares; `None` for any other type.
pub(crate) fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    let mut pieces = content_type.split(|&byte| byte == b';');
    let media_type = pieces.next()?.trim_ascii();
    if !media_type.eq_ignore_ascii_case(b"multipart/form-data") {
        return None;
    }
    pieces.find_map(|piece| {
        let (name, value) = assignment(piece.trim_ascii())?;
        name.eq_ignore_ascii_case(b"boundary")
            .then(|| unquoted(value))
    })
}

/// Reads the parts between boundaries. Whatever stands before the first boundary and after the last is ignored.
pub(super) fn read(
    parameters: &mut Parameters<'_>,
    boundary: &[u8],
    limit: usize,
) -> Result<(), Reason> {
    if boundary.is_empty() || boundary.len() > 70 {
        // RFC 2046 §5.1.1: 1 to 70 characters.
        return Err(Reason::MalformedMultipart);
    }
    let delimiter = [b"\r\n--", boundary].concat();
    let wire = parameters.wire;
    let opening = delimiter.get(2..).unwrap_or_default();
    let mut cursor = if wire.starts_with(opening) {
        opening.len()
    } else {
        let found = find(wire, &delimiter, 0).ok_or(Reason::MalformedMultipart)?;
        found.saturating_add(delimiter.len())
    };
    loop {
        let rest = wire.get(cursor..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(());
        }
        let line = find(wire, b"\r\n", cursor).ok_or(Reason::MalformedMultipart)?;
        let end = find(wire, &delimiter, line).ok_or(Reason::MalformedMultipart)?;
        let part = part(wire, line.saturating_add(2), end).ok_or(Reason::MalformedMultipart)?;
        let name = Span::plain(part.name.start, part.name.end);
        let value = Span::plain(part.value.start, part.value.end);
        parameters.underscore |= parameters.bytes(name).contains(&b'_');
        parameters.push(name, value, part.kind, limit)?;
        cursor = end.saturating_add(delimiter.len());
    }
}

/// Where the name and the value of a part stand.
struct Part {
    name: Range<usize>,
    value: Range<usize>,
    kind: Kind,
}

/// One part: its headers, a blank line, its content.
fn part(wire: &[u8], start: usize, end: usize) -> Option<Part> {
    let head_end = find(wire.get(..end)?, b"\r\n\r\n", start)?;
    let mut name = None;
    let mut kind = Kind::Value;
    for line in wire.get(start..head_end)?.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        let Some((header, value)) = line
            .iter()
            .position(|&byte| byte == b':')
            .and_then(|colon| {
                let (header, rest) = line.split_at(colon);
                Some((header, rest.get(1..)?))
            })
        else {
            continue;
        };
        if !header.eq_ignore_ascii_case(b"content-disposition") {
            continue;
        }
        for piece in value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii) {
            match assignment(piece) {
                Some((key, value)) if key.eq_ignore_ascii_case(b"name") => {
                    name = Some(unquoted(value));
                }
                Some((key, _))
                    if key.eq_ignore_ascii_case(b"filename")
                        || key.eq_ignore_ascii_case(b"filename*") =>
                {
                    kind = Kind::File;
                }
                _ => {}
            }
        }
    }
    let name = name?;
    let name_start = offset_in(wire, name)?;
    Some(Part {
        name: name_start..name_start.checked_add(name.len())?,
        value: head_end.checked_add(4)?..end,
        kind,
    })
}

fn assignment(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = piece.iter().position(|&byte| byte == b'=')?;
    let (name, rest) = piece.split_at(equals);
    Some((name.trim_ascii(), rest.get(1..)?.trim_ascii()))
}

fn unquoted(value: &[u8]) -> &[u8] {
    value
        .strip_prefix(b"\"")
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(value)
}

/// The offset of `needle` in `haystack` at or after `from`.
fn find(haystack: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    memmem::find(haystack.get(from..)?, needle).map(|at| at.saturating_add(from))
}

/// Where `piece`, which was cut out of `whole`, begins in it.
fn offset_in(whole: &[u8], piece: &[u8]) -> Option<usize> {
    piece.as_ptr().addr().checked_sub(whole.as_ptr().addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(body: &str) -> Result<Vec<(String, String)>, Reason> {
        let mut parameters = Parameters::none();
        parameters.read_multipart(body.as_bytes(), b"XX", 100)?;
        Ok(parameters
            .iter()
            .map(|(name, value)| {
                (
                    String::from_utf8_lossy(name).into_owned(),
                    String::from_utf8_lossy(&value).into_owned(),
                )
            })
            .collect())
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn fields_with_and_without_a_line_break_before_the_first_boundary() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"b\"\r\n\r\n2\r\n--XX\r\ncontent-disposition: form-data; name=a\r\nContent-Type: text/plain\r\n\r\n1\r\n2\r\n--XX--\r\n";
        let expected = vec![pair("a", "1\r\n2"), pair("b", "2")];
        assert_eq!(read_all(body), Ok(expected.clone()));
        assert_eq!(read_all(&format!("\r\n{body}")), Ok(expected));
    }

    #[test]
    fn an_empty_value_and_an_empty_body() {
        let body = "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--XX--";
        assert_eq!(read_all(body), Ok(vec![pair("a", "")]));
        assert_eq!(read_all("--XX--"), Ok(vec![]));
    }

    #[test]
    fn broken_bodies_are_refused() {
        for body in [
            "",
            "nothing",
            "--XX",
            "--XX\r\n",
            "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1",
            "--XX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--XX--",
            "--XX\r\n\r\n1\r\n--XX--",
        ] {
            assert_eq!(read_all(body), Err(Reason::MalformedMultipart), "{body:?}");
        }
    }

    #[test]
    fn boundaries() {
        assert_eq!(
            boundary(b"multipart/form-data; charset=utf-8; boundary=ab"),
            Some(&b"ab"[..])
        );
        assert_eq!(
            boundary(b"Multipart/Form-Data; Boundary=\"a b\""),
            Some(&b"a b"[..])
        );
        assert_eq!(boundary(b"multipart/form-data"), None);
        assert_eq!(boundary(b"application/json; boundary=ab"), None);
    }
}
