//! Names the verified caller to a service or a proxy, in headers that nobody else can have set.

use std::error::Error;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use qcloud_validator::Admitted;
use qcloud_validator::tower::RequestId;

/// What a client sends under this prefix is removed.
pub(crate) const PREFIX: &str = "x-qcloud-validator-";

/// The headers about an admitted request.
pub(crate) fn headers(
    admitted: &Admitted,
    id: &RequestId,
) -> Result<HeaderMap, Box<dyn Error + Send + Sync>> {
    let mut headers = HeaderMap::new();
    let mut tell = |name: &str, value: &str| -> Result<(), Box<dyn Error + Send + Sync>> {
        let name = HeaderName::try_from(format!("{PREFIX}{name}"))?;
        headers.insert(name, HeaderValue::from_bytes(value.as_bytes())?);
        Ok(())
    };
    tell("secret-id", admitted.secret_id())?;
    tell("account", admitted.principal().uin())?;
    if let Some(sub_account) = admitted.principal().sub_uin() {
        tell("sub-account", sub_account)?;
    }
    tell("action", admitted.action())?;
    tell("scheme", admitted.scheme().name())?;
    tell("request-id", id.as_str())?;
    if !admitted.uncovered().is_empty() {
        let uncovered: Vec<String> = admitted
            .uncovered()
            .iter()
            .map(ToString::to_string)
            .collect();
        tell("uncovered", &uncovered.join(", "))?;
    }
    Ok(headers)
}

/// Removes what only the gateway may say. Servers that pass headers on as variables make no difference between `-` and
/// `_`, so neither does this.
pub(crate) fn remove_forged(headers: &mut HeaderMap) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().replace('_', "-").starts_with(PREFIX))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
}
