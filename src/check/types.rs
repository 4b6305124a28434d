//! Whether the common parameters have values of their types (protocol.md §1.1, §6 row 4; bug reports on lenient number
//! parsing).

use crate::reason::{Expected, Reason};
use crate::scheme::Language;

/// Longer text would only fill logs.
const SHORT_TEXT: usize = 256;

/// Whole seconds: ASCII digits without sign, blank, fraction, exponent or leading zero.
pub(crate) fn timestamp(text: &[u8], name: &'static str) -> Result<i64, Reason> {
    let canonical = !text.starts_with(b"0") || text == b"0";
    let seconds = number(text).and_then(|number| i64::try_from(number).ok());
    match seconds.filter(|_| canonical) {
        Some(seconds) => Ok(seconds),
        None => Err(invalid(name, Expected::Seconds)),
    }
}

/// 0 to 2^64−1. Leading zeros count as the same number; official SDKs send 0.
pub(crate) fn nonce(text: &[u8]) -> Result<u64, Reason> {
    match number(text) {
        Some(number) => Ok(number),
        None => Err(invalid("Nonce", Expected::Unsigned)),
    }
}

/// The name of an action.
pub(crate) fn action<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
    let in_action = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match written_in(text, in_action).filter(|text| !text.is_empty()) {
        Some(action) => Ok(action),
        None => Err(invalid(name, Expected::Action)),
    }
}

/// `YYYY-MM-DD`, or nothing.
pub(crate) fn version<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
    let form = |text: &str| match text.as_bytes() {
        [] => true,
        [year @ .., b'-', m1, m2, b'-', d1, d2] => {
            year.len() == 4 && year.iter().chain([m1, m2, d1, d2]).all(u8::is_ascii_digit)
        }
        _ => false,
    };
    match written_in(text, u8::is_ascii).filter(|text| form(text)) {
        Some(version) => Ok(version),
        None => Err(invalid(name, Expected::Version)),
    }
}

/// The name of a region, or nothing.
pub(crate) fn region<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
    let in_region = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match written_in(text, in_region) {
        Some(region) => Ok(region),
        None => Err(invalid(name, Expected::Region)),
    }
}

/// A language tag, or nothing. A language without messages is none.
pub(crate) fn language(text: &[u8], name: &'static str) -> Result<Option<Language>, Reason> {
    let in_tag = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    match written_in(text, in_tag) {
        Some(tag) => Ok(Language::from_name(tag.as_bytes())),
        None => Err(invalid(name, Expected::Language)),
    }
}

/// Short text of these ASCII characters alone: no comma, blank or escape that lets another program read two values.
fn written_in(text: &[u8], is_in: impl Fn(&u8) -> bool) -> Option<&str> {
    if text.len() > SHORT_TEXT {
        return None;
    }
    // Without a branch for each byte, the compiler compares many at once.
    let all = text.iter().fold(true, |all, byte| all & is_in(byte));
    if !all {
        return None;
    }
    str::from_utf8(text).ok()
}

/// UTF-8 of bounded length.
pub(crate) fn short_text<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
    match str::from_utf8(text) {
        Ok(text) if text.len() <= SHORT_TEXT => Ok(text),
        _ => Err(invalid(name, Expected::ShortText)),
    }
}

fn invalid(name: &'static str, expected: Expected) -> Reason {
    Reason::InvalidParameter { name, expected }
}

fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        if !byte.is_ascii_digit() {
            return None;
        }
        number.checked_mul(10)?.checked_add(u64::from(byte & 0x0f))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonces_are_numbers_of_64_bits() {
        assert_eq!(nonce(b"0"), Ok(0));
        assert_eq!(nonce(b"007"), Ok(7));
        assert_eq!(nonce(b"18446744073709551615"), Ok(u64::MAX));
        for wrong in [
            "",
            "18446744073709551616",
            "000000000000000000007",
            "-1",
            "+1",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x10",
            "\u{661}",
            "１",
        ] {
            assert_eq!(
                nonce(wrong.as_bytes()),
                Err(Reason::InvalidParameter {
                    name: "Nonce",
                    expected: Expected::Unsigned
                }),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn timestamps_are_whole_seconds() {
        assert_eq!(timestamp(b"0", "Timestamp"), Ok(0));
        assert_eq!(timestamp(b"1700000000", "Timestamp"), Ok(1_700_000_000));
        assert_eq!(timestamp(b"9223372036854775807", "Timestamp"), Ok(i64::MAX));
        for wrong in [
            "",
            "9223372036854775808",
            "00001700000000",
            "1700000000x",
            "+1700000000",
            "-1700000000",
            " 1700000000",
            "1700000000.123",
            "1.7e9",
            "NaN",
            "\u{661}\u{667}",
        ] {
            assert_eq!(
                timestamp(wrong.as_bytes(), "Timestamp"),
                Err(Reason::InvalidParameter {
                    name: "Timestamp",
                    expected: Expected::Seconds
                }),
                "{wrong:?}"
            );
        }
    }
}
