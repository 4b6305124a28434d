//! Headers that name the verified caller to the service behind, and that the gateway alone may set.
//!
//! A request carries either all of them or none: a service that treated a missing header as a statement could be
//! misled by anything on the way that removes one.

use std::error::Error;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use qcloud_validator::Admitted;
use qcloud_validator::tower::RequestId;

type BoxError = Box<dyn Error + Send + Sync>;

const SECRET_ID: HeaderName = HeaderName::from_static("x-qcloud-validator-secret-id");
const ACCOUNT: HeaderName = HeaderName::from_static("x-qcloud-validator-account");
const SUB_ACCOUNT: HeaderName = HeaderName::from_static("x-qcloud-validator-sub-account");
const ACTION: HeaderName = HeaderName::from_static("x-qcloud-validator-action");
const SCHEME: HeaderName = HeaderName::from_static("x-qcloud-validator-scheme");
const UNCOVERED: HeaderName = HeaderName::from_static("x-qcloud-validator-uncovered");
const UNVERIFIED: HeaderName = HeaderName::from_static("x-qcloud-validator-unverified");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-qcloud-validator-request-id");

/// What the client should read. It is on answers to proxies, never on a request.
pub(crate) const RESPONSE: &str = "x-qcloud-validator-response";

/// The value of a header that has nothing to name.
const NONE: &str = "none";

/// The headers about an admitted request. The error names the header that cannot hold its value.
pub(crate) fn of_admitted(admitted: &Admitted, id: &RequestId) -> Result<HeaderMap, BoxError> {
    let uncovered: Vec<String> = admitted
        .uncovered()
        .iter()
        .map(ToString::to_string)
        .collect();
    let uncovered = Some(uncovered.join(", ")).filter(|list| !list.is_empty());
    headers([
        (SECRET_ID, Some(admitted.secret_id())),
        (ACCOUNT, Some(admitted.principal().uin())),
        (SUB_ACCOUNT, admitted.principal().sub_uin()),
        (ACTION, Some(admitted.action())),
        (SCHEME, Some(admitted.scheme().name())),
        (UNCOVERED, uncovered.as_deref()),
        (UNVERIFIED, Some("false")),
        (REQUEST_ID, Some(id.as_str())),
    ])
}

/// The headers about a request that passes although nothing about it was verified.
pub(crate) fn of_unverified(id: &RequestId) -> Result<HeaderMap, BoxError> {
    headers([
        (SECRET_ID, None),
        (ACCOUNT, None),
        (SUB_ACCOUNT, None),
        (ACTION, None),
        (SCHEME, None),
        (UNCOVERED, Some("all")),
        (UNVERIFIED, Some("true")),
        (REQUEST_ID, Some(id.as_str())),
    ])
}

/// Its length is that of the whole set, so that none can be left out.
fn headers(values: [(HeaderName, Option<&str>); 8]) -> Result<HeaderMap, BoxError> {
    let mut headers = HeaderMap::with_capacity(values.len());
    for (name, value) in values {
        let names_nothing = |value: &str| value.is_empty() || value.eq_ignore_ascii_case(NONE);
        if value.is_some_and(|value| names_nothing(value.trim())) {
            return Err(format!("{name}: its value would read as none").into());
        }
        let value = HeaderValue::from_bytes(value.unwrap_or(NONE).as_bytes())
            .map_err(|error| format!("{name}: {error}"))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Removes what a client sent under a name of these headers, and what a service may take for another header that decides.
pub(crate) fn remove_forged(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_ours(name) || decisive_look_alike(name).is_some())
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}

/// Returns the names that a proxy should remove because a service may take them for one of `set`: those that the client
/// sent, as far as the proxy shows them, and those of all headers with `_` in place of `-`. Names in `set` are not among
/// them: the proxy overwrites what the client sent there.
pub(crate) fn look_alikes(received: &HeaderMap, set: &HeaderMap) -> Result<HeaderValue, BoxError> {
    let sent = received.keys().filter(|name| is_ours(name));
    let mut names: Vec<String> = sent
        .filter(|name| !set.contains_key(*name))
        .map(ToString::to_string)
        .collect();
    names.push(RESPONSE.to_string());
    let set = set.keys().map(HeaderName::as_str);
    let underscored = set.chain([RESPONSE]).map(|name| name.replace('-', "_"));
    names.extend(underscored);
    names.sort_unstable();
    names.dedup();
    Ok(HeaderValue::try_from(names.join(","))?)
}

/// Whether a service may take a header for one of the gateway's.
fn is_ours(name: &HeaderName) -> bool {
    read_alike(name).starts_with("x-qcloud-validator-")
}

/// Returns the name of the header that decides for which a service may take this one, if it is not that header itself.
pub(crate) fn decisive_look_alike(name: &HeaderName) -> Option<String> {
    const DECISIVE: [&str; 3] = ["content-", "x-forwarded-", "x-tc-"];
    let read = read_alike(name);
    let decides = DECISIVE.iter().any(|prefix| read.starts_with(prefix));
    (decides && read != name.as_str()).then_some(read)
}

/// A name as programs read it that turn names into variables: they make no difference between `-` and other punctuation.
fn read_alike(name: &HeaderName) -> String {
    name.as_str()
        .replace(|sign: char| !sign.is_ascii_alphanumeric(), "-")
}
