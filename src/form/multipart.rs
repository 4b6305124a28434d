//! Which fields a `multipart/form-data` body holds.
//!
//! The legacy Java and .NET clients send every POST this way, with a line break before the first boundary and raw names
//! (clients.md §5). The parser borrows from the body; the published crates read asynchronous streams into copies.

use std::ops::Range;

use memchr::memmem;

use super::{Kind, Parameters, Span};
use crate::reason::Reason;

/// Reads the parts between boundaries. Whatever stands before the first boundary and after the last is ignored.
///
/// What another parser may read otherwise is refused: a service must not see a parameter that was not checked.
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
        if let Some(after) = rest.strip_prefix(b"--") {
            let last_line = find(after, b"\r\n", 0).and_then(|end| after.get(..end));
            return blank(last_line.unwrap_or(after));
        }
        let line = find(wire, b"\r\n", cursor).ok_or(Reason::MalformedMultipart)?;
        blank(wire.get(cursor..line).unwrap_or_default())?;
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

/// What may follow a boundary on its line (RFC 2046 §5.1.1).
fn blank(rest_of_line: &[u8]) -> Result<(), Reason> {
    if rest_of_line.iter().all(|byte| b" \t".contains(byte)) {
        Ok(())
    } else {
        Err(Reason::MalformedMultipart)
    }
}

/// One part: its headers, a blank line, its content.
fn part(wire: &[u8], start: usize, end: usize) -> Option<Part> {
    let head_end = find(wire.get(..end)?, b"\r\n\r\n", start)?;
    let mut disposition = None;
    let mut line_start = start;
    while line_start < head_end {
        let line_end = find(wire.get(..head_end)?, b"\r\n", line_start).unwrap_or(head_end);
        let line = wire.get(line_start..line_end)?;
        let folded = line.starts_with(b" ") || line.starts_with(b"\t");
        if folded || line.iter().any(|byte| b"\r\n".contains(byte)) {
            return None;
        }
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (header, value) = line.split_at(colon);
        let value = value.get(1..)?.trim_ascii();
        if header.eq_ignore_ascii_case(b"content-disposition") {
            if disposition.replace(value).is_some() {
                return None;
            }
        } else if header.eq_ignore_ascii_case(b"content-transfer-encoding") {
            let as_it_is = [&b"7bit"[..], b"8bit", b"binary"];
            as_it_is
                .iter()
                .find(|encoding| value.eq_ignore_ascii_case(encoding))?;
        }
        line_start = line_end.saturating_add(2);
    }
    let (name, kind) = named(disposition?)?;
    let name_start = offset_in(wire, name)?;
    Some(Part {
        name: name_start..name_start.checked_add(name.len())?,
        value: head_end.checked_add(4)?..end,
        kind,
    })
}

/// The one name in a `Content-Disposition`, without an escape, and whether a file has it.
fn named(disposition: &[u8]) -> Option<(&[u8], Kind)> {
    if memmem::find(disposition, b"\\\"").is_some() {
        return None;
    }
    let mut name = None;
    let mut kind = Kind::Value;
    for piece in pieces(disposition).map(<[u8]>::trim_ascii) {
        let Some((key, value)) = assignment(piece) else {
            continue;
        };
        if key.eq_ignore_ascii_case(b"name") {
            if name.replace(unquoted(value)?).is_some() {
                return None;
            }
        } else if key.eq_ignore_ascii_case(b"name*") {
            return None;
        } else if key.eq_ignore_ascii_case(b"filename") || key.eq_ignore_ascii_case(b"filename*") {
            kind = Kind::File;
        }
    }
    Some((name?, kind))
}

/// What stands between `;` outside of quotes.
fn pieces(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    value.split(move |&byte| {
        quoted ^= byte == b'"';
        byte == b';' && !quoted
    })
}

fn assignment(piece: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = piece.iter().position(|&byte| byte == b'=')?;
    let (name, rest) = piece.split_at(equals);
    Some((name.trim_ascii(), rest.get(1..)?.trim_ascii()))
}

/// Without the quotes around it; none if there are others, or a `\`, which some read as an escape.
fn unquoted(value: &[u8]) -> Option<&[u8]> {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|inner| inner.strip_suffix(b"\""))
        .unwrap_or(value);
    let plain = !inner.iter().any(|byte| b"\"\\".contains(byte));
    plain.then_some(inner)
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

    /// A parser of RFC 7578 reads each of them otherwise, or refuses it.
    #[test]
    fn what_another_parser_reads_otherwise_is_refused() {
        let named = "Content-Disposition: form-data; name=\"a\"";
        for head in [
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\\\"b\"",
            "Content-Disposition: form-data; name=\"a\\b\"",
            "Content-Disposition: form-data; name=a\"b\"",
            "Content-Disposition: form-data; name=b; name*=UTF-8''a",
            "Content-Disposition: form-data; filename=\"\\\"; name=b; \"; name=\"a\"",
            &format!("{named}\r\nContent-Disposition: form-data; name=\"b\""),
            &format!("{named}\r\nX: y\nContent-Disposition: form-data; name=\"b\""),
            &format!("{named}\r\n x: folded"),
            &format!("{named}\r\nno header"),
            &format!("{named}\r\nContent-Transfer-Encoding: quoted-printable"),
            &format!("{named}\r\nContent-Transfer-Encoding: base64"),
        ] {
            let body = format!("--XX\r\n{head}\r\n\r\n1\r\n--XX--");
            assert_eq!(read_all(&body), Err(Reason::MalformedMultipart), "{head}");
        }
        for (opening, closing) in [
            ("--XXjunk", "--XX--"),
            ("--XX", "--XX--junk"),
            ("--XX", "--XX--junk\r\n--XX--"),
        ] {
            let body = format!("{opening}\r\n{named}\r\n\r\n1\r\n{closing}");
            assert_eq!(read_all(&body), Err(Reason::MalformedMultipart), "{body}");
        }
    }

    #[test]
    fn what_every_parser_reads_alike_is_read() {
        for head in [
            "Content-Disposition: form-data; name=\"a\"; x=\"; name=b; \"",
            "Content-Type: text/plain\r\nContent-Disposition: form-data; name=a",
            "content-disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: 8Bit",
        ] {
            let body = format!("--XX \r\n{head}\r\n\r\n1\r\n--XX-- \r\nepilogue");
            assert_eq!(read_all(&body), Ok(vec![pair("a", "1")]), "{head}");
        }
    }
}
