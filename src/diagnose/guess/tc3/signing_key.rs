//! Signing keys of TC3 that a client may have derived, and their scopes.

use zeroize::Zeroizing;

use crate::diagnose::mac::link;
use crate::signature::{Authorization, hex};

/// The end of the documented key chain.
pub(crate) fn documented_chain(
    key: &[u8],
    authorization: &Authorization<'_>,
) -> Zeroizing<Vec<u8>> {
    let start = Zeroizing::new([b"TC3", key].concat());
    let date_key = link(&start, authorization.date.as_bytes());
    link(
        &link(&date_key, authorization.service.as_bytes()),
        b"tc3_request",
    )
}

/// Signing keys that a client may have derived from a secret key in a mistaken way, likely ones first.
pub(crate) fn wrong_chains(
    key: &[u8],
    authorization: &Authorization<'_>,
) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
    let (date, service) = (
        authorization.date.as_bytes(),
        authorization.service.as_bytes(),
    );
    let prefixed = |prefix: &[u8]| Zeroizing::new([prefix, key].concat());
    let walk = |start: &[u8], steps: &[&[u8]]| {
        let mut key = Zeroizing::new(start.to_vec());
        for step in steps {
            key = link(&key, step);
        }
        key
    };
    let hexed = |start: &[u8], steps: &[&[u8]]| {
        let mut key = Zeroizing::new(start.to_vec());
        for step in steps {
            let raw = <[u8; 32]>::try_from(link(&key, step).as_slice());
            debug_assert!(raw.is_ok(), "a link is an HMAC-SHA256");
            key = Zeroizing::new(hex::encode(&raw.unwrap_or_default()).to_vec());
        }
        key
    };
    let start = prefixed(b"TC3");
    let compact: Vec<u8> = date.iter().copied().filter(|byte| *byte != b'-').collect();
    let documented: [&[u8]; 3] = [date, service, b"tc3_request"];
    let mut found = vec![
        ("without the prefix `TC3`", walk(key, &documented)),
        (
            "with the prefix `AWS4`",
            walk(&prefixed(b"AWS4"), &documented),
        ),
        (
            "with the prefix `tc3`",
            walk(&prefixed(b"tc3"), &documented),
        ),
        (
            "with the prefix `TC3 `",
            walk(&prefixed(b"TC3 "), &documented),
        ),
        (
            "with the prefix `TC3-HMAC-SHA256`",
            walk(&prefixed(b"TC3-HMAC-SHA256"), &documented),
        ),
        ("from hexadecimal text", hexed(&start, &documented)),
        (
            "service before date",
            walk(&start, &[service, date, b"tc3_request"]),
        ),
        ("without the date", walk(&start, &[service, b"tc3_request"])),
        ("without the service", walk(&start, &[date, b"tc3_request"])),
        ("without `tc3_request`", walk(&start, &[date, service])),
        ("with the date alone", walk(&start, &[date])),
        (
            "with `aws4_request`",
            walk(&start, &[date, service, b"aws4_request"]),
        ),
        (
            "with `TC3_REQUEST`",
            walk(&start, &[date, service, b"TC3_REQUEST"]),
        ),
        (
            "with a date without `-`",
            walk(&start, &[&compact, service, b"tc3_request"]),
        ),
        ("no derivation, the plain key", Zeroizing::new(key.to_vec())),
        ("no derivation, `TC3` and the key", start.clone()),
        (
            "with another vendor's region step",
            walk(&start, &[date, b"ap-guangzhou", service, b"tc3_request"]),
        ),
    ];
    for date in dates_around(authorization.date) {
        found.push((
            "with the date of the day before or after",
            walk(&start, &[date.as_bytes(), service, b"tc3_request"]),
        ));
    }
    for other in [&b"cvm"[..], b"tc3", b"127"] {
        found.push((
            "with another service",
            walk(&start, &[date, other, b"tc3_request"]),
        ));
    }
    let swapped = |key: &[u8], text: &[u8]| link(text, key);
    let date_key = swapped(&start, date);
    let service_key = swapped(&date_key, service);
    found.push((
        "with key and message swapped in every step",
        swapped(&service_key, b"tc3_request"),
    ));
    found
}

/// Scopes that a client may have used throughout although it sent another: what it is, the key, and the scope's text.
pub(crate) fn other_scopes(
    key: &[u8],
    authorization: &Authorization<'_>,
) -> Vec<(Zeroizing<Vec<u8>>, Vec<u8>)> {
    let (date, service) = (authorization.date, authorization.service);
    let mut scopes: Vec<(String, String, &str)> = dates_around(date)
        .into_iter()
        .map(|date| (date, service.to_owned(), "tc3_request"))
        .collect();
    scopes.push((date.replace('-', ""), service.to_owned(), "tc3_request"));
    for end in ["aws4_request", "TC3_REQUEST", "tc2_request", "request"] {
        scopes.push((date.to_owned(), service.to_owned(), end));
    }
    for other in ["cvm", "127", "tc3", "localhost"] {
        scopes.push((date.to_owned(), other.to_owned(), "tc3_request"));
    }
    scopes.push((date.to_owned(), service.to_ascii_uppercase(), "tc3_request"));
    let start = Zeroizing::new([b"TC3", key].concat());
    scopes
        .into_iter()
        .map(|(date, service, end)| {
            let service_key = link(&link(&start, date.as_bytes()), service.as_bytes());
            let scope = format!("{date}/{service}/{end}");
            (link(&service_key, end.as_bytes()), scope.into_bytes())
        })
        .collect()
}

/// The days before and after a `YYYY-MM-DD` date.
pub(crate) fn dates_around(date: &str) -> Vec<String> {
    let mut parts = date.split('-');
    let mut number = || parts.next().and_then(|part| part.parse::<u16>().ok());
    let (Some(year), Some(month), Some(day)) = (number(), number(), number()) else {
        return Vec::new();
    };
    let month = u8::try_from(month)
        .ok()
        .and_then(|month| time::Month::try_from(month).ok());
    let date = month
        .zip(u8::try_from(day).ok())
        .and_then(|(month, day)| time::Date::from_calendar_date(i32::from(year), month, day).ok());
    date.into_iter()
        .flat_map(|date| [date.previous_day(), date.next_day()])
        .flatten()
        .map(|date| {
            format!(
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            )
        })
        .collect()
}
