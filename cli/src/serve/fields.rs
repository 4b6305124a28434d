//! Header fields and trailers of messages that are passed on: RFC 9110 section 7.6.

use hyper::HeaderMap;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, HOST, HeaderName,
    HeaderValue, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};

use super::caller_headers;

/// Removes what is about one connection: RFC 9110 section 7.6.1. A client may name more fields in `Connection`, but none on
/// which the verdict or its own message rests, or it could have a signed header taken away.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = listed(headers, &CONNECTION)
        .filter(|name| !is_judged(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        // The body was read by its encoding: RFC 9112 section 6.3.
        headers.remove(CONTENT_LENGTH);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

const HOP_BY_HOP: [HeaderName; 9] = [
    CONNECTION,
    EXPECT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Whether the sender can take trailers: `TE: trailers`.
pub(super) fn takes_trailers(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(TE).into_iter();
    values.any(|value| {
        let mut codings = value.as_bytes().split(|&byte| byte == b',');
        codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
    })
}

/// Says that an answer may have trailers.
pub(super) fn ask_for_trailers(headers: &mut HeaderMap) {
    headers.insert(TE, HeaderValue::from_static("trailers"));
    headers.append(CONNECTION, HeaderValue::from_static("te"));
}

/// Joins what HTTP/2 may have split, as HTTP/1.1 has one field: RFC 9113 section 8.2.3.
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .into_iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if crumbs.len() > 1
        && let Ok(cookies) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(COOKIE, cookies);
    }
}

/// Removes from the trailers of a request what a service could take for a header that was checked or that the gateway sets.
/// No signature covers trailers.
pub(super) fn clean_trailers(trailers: &mut HeaderMap) {
    caller_headers::remove_forged(trailers);
    remove_hop_by_hop(trailers);
    let names: Vec<HeaderName> = trailers
        .keys()
        .filter(|name| is_judged(name) || is_forwarding(name))
        .cloned()
        .collect();
    for name in names {
        trailers.remove(name);
    }
}

/// Removes what names a caller or proves who it is.
pub(super) fn remove_credentials(headers: &mut HeaderMap) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| [AUTHORIZATION, COOKIE].contains(name) || is_signing(name))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

/// Announces these trailers, as HTTP/1.1 requires.
pub(super) fn announce_trailers(headers: &mut HeaderMap, trailers: &HeaderMap) {
    headers.remove(TRAILER);
    for name in trailers.keys() {
        headers.append(TRAILER, HeaderValue::from(name.clone()));
    }
    headers.remove(CONTENT_LENGTH);
    headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
}

/// The names that the values of a field list.
fn listed<'h>(headers: &'h HeaderMap, field: &HeaderName) -> impl Iterator<Item = HeaderName> + 'h {
    headers
        .get_all(field)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
}

fn is_judged(name: &HeaderName) -> bool {
    [HOST, AUTHORIZATION, CONTENT_TYPE, CONTENT_LENGTH].contains(name) || is_signing(name)
}

fn is_signing(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-tc-")
}

fn is_forwarding(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-forwarded-") || name.as_str() == "forwarded"
}
