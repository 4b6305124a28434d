//! Signature check, under the key of the SecretId.

use crate::policy::Policy;
use crate::reason::Reason;
use crate::signature::{LeftOut, QuerySigned, SignatureValid, Tc3Signed};
use crate::store::Credential;

/// A signature over parameters; also tells which of them it leaves out.
pub(crate) fn query(
    signed: &QuerySigned<'_>,
    credential: &Credential,
    policy: &Policy,
) -> Result<(SignatureValid, LeftOut), Reason> {
    signed
        .verify(credential.key(), policy)
        .ok_or(Reason::SignatureMismatch)
}

/// A TC3 signature; also tells what it leaves out. The date in the scope must be the UTC date of the timestamp (observed:
/// protocol.md §0 fact 9).
pub(crate) fn tc3(
    signed: &Tc3Signed<'_>,
    timestamp: i64,
    credential: &Credential,
    policy: &Policy,
) -> Result<(SignatureValid, LeftOut), Reason> {
    let date = utc_date(timestamp).ok_or(Reason::SignatureMismatch)?;
    if signed.authorization.date.as_bytes() != date {
        return Err(Reason::ScopeDateMismatch {
            expected: String::from_utf8_lossy(&date).into_owned(),
        });
    }
    signed
        .verify(credential.key(), date, policy)
        .ok_or(Reason::SignatureMismatch)
}

/// `YYYY-MM-DD`; `None` outside the years 0 to 9999.
fn utc_date(timestamp: i64) -> Option<[u8; 10]> {
    let date = time::OffsetDateTime::from_unix_timestamp(timestamp)
        .ok()?
        .date();
    let year = u32::try_from(date.year()).ok()?;
    let digits = |number: u32, place: u32| {
        let digit = number.checked_div(place)?.checked_rem(10)?;
        u8::try_from(digit).ok().map(|digit| digit | b'0')
    };
    let month = u32::from(u8::from(date.month()));
    let day = u32::from(date.day());
    Some([
        digits(year, 1000)?,
        digits(year, 100)?,
        digits(year, 10)?,
        digits(year, 1)?,
        b'-',
        digits(month, 10)?,
        digits(month, 1)?,
        b'-',
        digits(day, 10)?,
        digits(day, 1)?,
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_in_utc() {
        let date =
            |timestamp| utc_date(timestamp).map(|date| String::from_utf8(date.to_vec()).unwrap());
        assert_eq!(date(0), Some("1970-01-01".to_owned()));
        assert_eq!(date(1_551_113_065), Some("2019-02-25".to_owned()));
        assert_eq!(date(1_767_225_599), Some("2025-12-31".to_owned()));
        assert_eq!(date(1_767_225_600), Some("2026-01-01".to_owned()));
        assert_eq!(date(1_709_164_800), Some("2024-02-29".to_owned()));
        assert_eq!(date(i64::MAX), None);
    }
}
