//! Types of the common parameters, which stand among the others in v1 and v2 and in headers in TC3 (protocol.md §1.1, §6
//! row 4).

use std::fmt;

use crate::form::{Common, Parameters};
use crate::reason::{Expected, Reason};
use crate::request::RequestView;
use crate::scheme::{Family, Language, Scheme};
use crate::signature::Authorization;

/// The common parameters, with values of their types. Absent text is empty.
#[derive(Clone, Copy)]
pub(crate) struct CommonParameters<'p> {
    pub(crate) family: Family,
    pub(crate) scheme: Scheme,
    pub(crate) secret_id: &'p str,
    pub(crate) action: &'p str,
    pub(crate) version: &'p str,
    pub(crate) region: &'p str,
    /// `None` unless the request asks for a language that has messages.
    pub(crate) language: Option<Language>,
    /// Seconds.
    pub(crate) timestamp: i64,
    /// `None` in TC3.
    pub(crate) nonce: Option<u64>,
}

impl<'p> CommonParameters<'p> {
    /// Checks the parameters of v1 and v2.
    pub(crate) fn in_query(parameters: &'p Parameters<'p>, family: Family) -> Result<Self, Reason> {
        let bytes = |common| parameters.common(common);
        Ok(Self {
            family,
            timestamp: timestamp(bytes(Common::Timestamp), "Timestamp")?,
            nonce: Some(nonce(bytes(Common::Nonce))?),
            action: action(bytes(Common::Action), "Action")?,
            secret_id: short_text(bytes(Common::SecretId), "SecretId")?,
            version: version(bytes(Common::Version), "Version")?,
            region: region(bytes(Common::Region), "Region")?,
            language: language(bytes(Common::Language), "Language")?,
            scheme: family.scheme(bytes(Common::SignatureMethod)),
        })
    }

    /// Checks the headers of TC3.
    pub(crate) fn in_headers(
        request: &'p RequestView<'p>,
        authorization: &Authorization<'p>,
    ) -> Result<Self, Reason> {
        let headers = request.known();
        let common = Self {
            family: Family::Tc3,
            timestamp: timestamp(headers.timestamp.trimmed(), "X-TC-Timestamp")?,
            nonce: None,
            action: action(headers.action.trimmed(), "X-TC-Action")?,
            version: version(headers.version.trimmed(), "X-TC-Version")?,
            region: region(headers.region.trimmed(), "X-TC-Region")?,
            secret_id: short_text(authorization.secret_id.as_bytes(), "SecretId")?,
            language: language(headers.language.trimmed(), "X-TC-Language")?,
            scheme: Scheme::Tc3HmacSha256,
        };
        short_text(authorization.service.as_bytes(), "Service")?;
        Ok(common)
    }
}

impl fmt::Debug for CommonParameters<'_> {
    /// Shows no token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommonParameters")
            .field("scheme", &self.scheme)
            .field("action", &self.action)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}

/// Longer text would only fill logs.
const SHORT_TEXT: usize = 256;

/// Whole seconds: ASCII digits without sign, blank, fraction, exponent or leading zero.
fn timestamp(text: &[u8], name: &'static str) -> Result<i64, Reason> {
    let canonical = !text.starts_with(b"0") || text == b"0";
    let seconds = number(text).and_then(|number| i64::try_from(number).ok());
    match seconds.filter(|_| canonical) {
        Some(seconds) => Ok(seconds),
        None => Err(invalid(name, Expected::Seconds)),
    }
}

/// 0 to 2^64−1. Leading zeros count as the same number; official SDKs send 0.
fn nonce(text: &[u8]) -> Result<u64, Reason> {
    match number(text) {
        Some(number) => Ok(number),
        None => Err(invalid("Nonce", Expected::Unsigned)),
    }
}

/// The name of an action.
fn action<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
    let in_action = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    match written_in(text, in_action).filter(|text| !text.is_empty()) {
        Some(action) => Ok(action),
        None => Err(invalid(name, Expected::Action)),
    }
}

/// `YYYY-MM-DD`, or nothing.
fn version<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
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
fn region<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
    let in_region = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    match written_in(text, in_region) {
        Some(region) => Ok(region),
        None => Err(invalid(name, Expected::Region)),
    }
}

/// A language tag, or nothing. A language without messages is none.
fn language(text: &[u8], name: &'static str) -> Result<Option<Language>, Reason> {
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
fn short_text<'t>(text: &'t [u8], name: &'static str) -> Result<&'t str, Reason> {
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
