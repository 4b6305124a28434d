//! How a refusal is wrapped: the JSON of each dialect, character by character (protocol.md §5.5).

use std::fmt::Write as _;

use super::Code;
use crate::scheme::Dialect;

/// The JSON text of a refusal. Whatever the message and the request id hold, they stay one string each.
pub(crate) fn envelope(code: Code, message: &str, request_id: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::V2 | Dialect::V3 => format!(
            r#"{{"Response":{{"Error":{{"Code":{},"Message":{}}},"RequestId":{}}}}}"#,
            quoted(code.name(), Text::Utf8),
            quoted(message, Text::Utf8),
            quoted(request_id, Text::Utf8),
        ),
        // The number is an integer and the text escaped to ASCII; a refusal has no request id here.
        Dialect::V2Numeric => format!(
            r#"{{"code":{code},"message":{},"codeDesc":{}}}"#,
            quoted(message, Text::Ascii),
            quoted(code.name(), Text::Ascii),
        ),
    }
}

/// How characters beyond ASCII are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    /// As they are.
    Utf8,
    /// As `\uXXXX`, in pairs beyond U+FFFF.
    Ascii,
}

/// A JSON string (RFC 8259 §7).
fn quoted(text: &str, output: Text) -> String {
    let mut json = String::with_capacity(text.len().saturating_add(2));
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            // JSON allows U+2028 and U+2029 as they are, JavaScript before 2019 did not.
            other
                if other.is_control()
                    || matches!(other, '\u{2028}' | '\u{2029}')
                    || output == Text::Ascii && !other.is_ascii() =>
            {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    // Writing to a `String` cannot fail.
                    let _ = write!(json, "\\u{unit:04x}");
                }
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "a million characters")]
    fn every_character_survives_a_json_parser() {
        for character in '\0'..=char::MAX {
            for output in [Text::Utf8, Text::Ascii] {
                let json = quoted(character.encode_utf8(&mut [0; 4]), output);
                let read: String = serde_json::from_str(&json).unwrap();
                assert!(read.chars().eq([character]), "{json}");
                assert!(output == Text::Utf8 || json.is_ascii(), "{json}");
                assert!(!json.contains(char::is_control), "{json:?}");
            }
        }
    }

    #[test]
    fn text_is_escaped_as_the_wire_does() {
        assert_eq!(quoted("", Text::Utf8), r#""""#);
        assert_eq!(quoted(r#"a"b\c/d"#, Text::Utf8), r#""a\"b\\c/d""#);
        assert_eq!(
            quoted("\n\r\t\0\u{7f}\u{2028}默", Text::Utf8),
            r#""\n\r\t\u0000\u007f\u2028默""#
        );
        assert_eq!(
            quoted("默\u{1f600}", Text::Ascii),
            r#""\u9ed8\ud83d\ude00""#
        );
    }
}
