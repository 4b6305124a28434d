//! Whether every required parameter is there, and whether the `Authorization` of TC3 follows its grammar.
//!
//! Empty counts as missing. The first missing one is named in the order in which the vendor reports them, `Timestamp`
//! before all others in API 3.0 (protocol.md §4.4, §6 row 20).

use crate::form::{Common, Parameters};
use crate::policy::{Policy, Tolerance};
use crate::reason::{AuthorizationFault, Reason};
use crate::request::{Field, RequestView};
use crate::scheme::Family;
use crate::signature::{Authorization, lower_case};

const REQUIRED_V2: [Common; 5] = [
    Common::Action,
    Common::Timestamp,
    Common::Nonce,
    Common::SecretId,
    Common::Signature,
];
const REQUIRED_V1: [Common; 6] = [
    Common::Timestamp,
    Common::SecretId,
    Common::Nonce,
    Common::Signature,
    Common::Version,
    Common::Action,
];
/// The parameters of v1 and v2.
pub(crate) fn in_query(parameters: &Parameters<'_>, family: Family) -> Result<(), Reason> {
    let required: &[Common] = match family {
        Family::V2 => &REQUIRED_V2,
        Family::V1 | Family::Tc3 => &REQUIRED_V1,
    };
    match required
        .iter()
        .find(|&&common| parameters.common(common).is_empty())
    {
        Some(common) => Err(Reason::MissingParameter {
            name: common.name(),
        }),
        None => Ok(()),
    }
}

/// The headers of TC3.
pub(crate) fn in_headers<'r>(
    request: &'r RequestView<'r>,
    policy: &Policy,
) -> Result<Authorization<'r>, Reason> {
    let headers = request.known();
    let required = [
        ("X-TC-Timestamp", headers.timestamp),
        ("X-TC-Version", headers.version),
        ("X-TC-Action", headers.action),
    ];
    if let Some((name, _)) = required
        .into_iter()
        .find(|(_, header)| header.trimmed().is_empty())
    {
        return Err(Reason::MissingParameter { name });
    }
    let invalid = |fault| Reason::InvalidAuthorization { fault };
    let Field::Once(header) = headers.authorization else {
        return Err(invalid(AuthorizationFault::Absent));
    };
    let authorization = Authorization::parse(header, policy.tolerance()).map_err(invalid)?;
    service(&authorization, request.host(), policy).map_err(invalid)?;
    signed_headers(&authorization, request, policy.tolerance()).map_err(invalid)?;
    Ok(authorization)
}

/// The service must be on the operator's list; without a list it must be the first label of a host that names a service
/// (observed: protocol.md §0 fact 9). Other hosts, such as `127.0.0.1`, name none.
fn service(
    authorization: &Authorization<'_>,
    host: &[u8],
    policy: &Policy,
) -> Result<(), AuthorizationFault> {
    let right = match policy.services() {
        Some(services) => services.contains(authorization.service),
        None => service_of(host)
            .is_none_or(|service| service.eq_ignore_ascii_case(authorization.service.as_bytes())),
    };
    if right {
        Ok(())
    } else {
        Err(AuthorizationFault::Service)
    }
}

fn service_of(host: &[u8]) -> Option<&[u8]> {
    const FAMILY: &[u8] = b".tencentcloudapi.com";
    let host = host.split(|&byte| byte == b':').next().unwrap_or_default();
    let labels = host.len().checked_sub(FAMILY.len())?;
    let (labels, family) = host.split_at(labels);
    if !family.eq_ignore_ascii_case(FAMILY) {
        return None;
    }
    labels.split(|&byte| byte == b'.').next()
}

fn signed_headers(
    authorization: &Authorization<'_>,
    request: &RequestView<'_>,
    tolerance: Tolerance,
) -> Result<(), AuthorizationFault> {
    let known = [request.known().content_type, request.host_header()];
    let sent = |header: Field<'_>| header.value().is_some();
    if authorization.signed_headers == "content-type;host" && known.into_iter().all(sent) {
        // As nearly every client signs; what follows would find the same.
        return Ok(());
    }
    for header in ["content-type", "host"] {
        if !authorization.signs(header) {
            return Err(AuthorizationFault::HeaderNotSigned { header });
        }
    }
    let names = authorization.signed_header_names();
    // Bounded before the names are compared with each other.
    if names.clone().count() > MAX_SIGNED_HEADERS {
        return Err(AuthorizationFault::SignedHeaders);
    }
    let mut last = "";
    for (index, name) in names.clone().enumerate() {
        let lower_case = lower_case(name);
        let mut before = names.clone().take(index);
        let documented = name == lower_case && last < name;
        if name.is_empty()
            || before.any(|before| before.eq_ignore_ascii_case(name))
            || tolerance == Tolerance::Strict && !documented
        {
            return Err(AuthorizationFault::SignedHeaders);
        }
        match request.header(&lower_case) {
            Field::Once(_) | Field::Equal(_) => {}
            Field::Absent => return Err(AuthorizationFault::SignedHeaderAbsent),
            Field::Repeated => return Err(AuthorizationFault::SignedHeaderRepeated),
        }
        last = name;
    }
    Ok(())
}

const MAX_SIGNED_HEADERS: usize = 64;
