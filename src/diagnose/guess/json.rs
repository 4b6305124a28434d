//! How other serialisers write the same JSON: spacing, escapes, order of keys, indentation.

use super::text;

/// Longer JSON is not written in other forms.
const LONGEST: usize = 64 << 10;
/// Deep nesting makes an indented form many times as long; no serialiser of a request gets here.
const LONGEST_INDENTED: usize = 1 << 20;

/// Shows the same JSON as other serialisers write it, one form after the other.
pub(super) fn json_forms(body: &[u8], mut show: impl FnMut(&'static str, &[u8])) {
    if body.len() > LONGEST {
        return;
    }
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else {
        return;
    };
    let spacings: [(&str, &[u8], &[u8]); 3] = [
        ("the compact form", b",", b":"),
        ("blanks after `,` and `:`", b", ", b": "),
        ("a blank after `:`", b",", b": "),
    ];
    for (what, comma, colon) in spacings {
        let spaced = respaced(body, comma, colon);
        show(what, &text::replace(&spaced, b"\\/", b"/"));
        show(what, &escape_slashes(&spaced));
        if let Ok(text) = str::from_utf8(&spaced) {
            show("`\\u` escapes", &text::unicode_escapes(text));
        }
        show("characters instead of `\\u` escapes", &unescaped(&spaced));
        show(what, &spaced);
    }
    // This map keeps its keys sorted.
    let sorted = serde_json::to_vec(&value).ok();
    if let Some(sorted) = &sorted {
        show(
            "keys sorted, blanks after `,` and `:`",
            &respaced(sorted, b", ", b": "),
        );
        show("keys sorted", sorted);
    }
    for indent in [&b"  "[..], b"    ", b"\t"] {
        if let Some(form) = indented(body, indent) {
            show("indented", &form);
        }
        if let Some(form) = sorted.as_ref().and_then(|sorted| indented(sorted, indent)) {
            show("indented, keys sorted", &form);
        }
    }
}

/// The JSON with other text between its tokens.
fn respaced(body: &[u8], comma: &[u8], colon: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut in_string = false;
    let mut escaped = false;
    for &byte in body {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b',' => out.extend_from_slice(comma),
            b':' => out.extend_from_slice(colon),
            other => {
                in_string = other == b'"';
                out.push(other);
            }
        }
    }
    out
}

/// The JSON with one member or element a line, unless that is too long.
fn indented(body: &[u8], indent: &[u8]) -> Option<Vec<u8>> {
    let compact = respaced(body, b",", b": ");
    let mut out = Vec::with_capacity(body.len().saturating_mul(2));
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let mut bytes = compact.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if out.len() > LONGEST_INDENTED {
            return None;
        }
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'{' | b'[' => {
                out.push(byte);
                if matches!(bytes.peek(), Some(b'}' | b']')) {
                    out.extend(bytes.next());
                } else {
                    depth = depth.saturating_add(1);
                    new_line(&mut out, indent, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, indent, depth);
                out.push(byte);
            }
            b',' => {
                out.push(byte);
                new_line(&mut out, indent, depth);
            }
            other => {
                in_string = other == b'"';
                out.push(other);
            }
        }
    }
    Some(out)
}

fn new_line(out: &mut Vec<u8>, indent: &[u8], depth: usize) {
    out.push(b'\n');
    for _ in 0..depth {
        out.extend_from_slice(indent);
    }
}

fn escape_slashes(body: &[u8]) -> Vec<u8> {
    text::replace(&text::replace(body, b"\\/", b"/"), b"/", b"\\/")
}

/// `\uXXXX` escapes of characters outside ASCII as the characters.
fn unescaped(body: &[u8]) -> Vec<u8> {
    let Ok(text) = str::from_utf8(body) else {
        return body.to_vec();
    };
    let mut out = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let unit = rest
            .strip_prefix("\\u")
            .and_then(|after| after.get(..4))
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .filter(|unit| *unit > 0x7f);
        match unit {
            Some(unit) => {
                units.push(unit);
                rest = rest.get(6..).unwrap_or_default();
            }
            None => {
                out.push_str(&String::from_utf16_lossy(&units));
                units.clear();
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out.push_str(&String::from_utf16_lossy(&units));
    out.into_bytes()
}
