//! Whether the request has a size and a shape that can be read, and which parameters it then carries.
//!
//! GET is read from the query alone and POST from the body alone (protocol.md §0 fact 4). Sizes are judged first, so
//! nothing is parsed that is too long.

use crate::form::{Parameters, boundary};
use crate::policy::Limits;
use crate::reason::Reason;
use crate::request::{Field, Payload, RequestView};
use crate::scheme::Family;
use crate::signature::Tc3Signed;

/// Reads the parameters of v1 and v2, in place. TC3 signs query and body as bytes, so there they are only measured.
pub(crate) fn read<'r>(
    parameters: &mut Parameters<'r>,
    request: &RequestView<'r>,
    family: Family,
    limits: &Limits,
) -> Result<(), Reason> {
    if request.query().len() > limits.query_bytes {
        return Err(Reason::QueryTooLong {
            limit: limits.query_bytes,
        });
    }
    let post = request.method() == b"POST";
    if post {
        size_of_body(request, family, limits)?;
    }
    unambiguous(request, family)?;
    match family {
        Family::Tc3 => Ok(()),
        Family::V1 | Family::V2 if post => form(parameters, request, limits),
        Family::V1 | Family::V2 => {
            let query = request.query();
            let read = parameters.read_urlencoded(query, limits.parameters);
            if read.is_ok() && parameters.is_ascii() || read.is_err() && query.is_ascii() {
                return read;
            }
            // A request line in UTF-8 is outside the grammar of HTTP; clients that send one sign something else.
            let offset = query.iter().take_while(|byte| byte.is_ascii()).count();
            Err(Reason::NonAsciiQuery { offset })
        }
    }
}

/// Headers that decide how a request is read: two that differ would let two components read two requests.
fn unambiguous(request: &RequestView<'_>, family: Family) -> Result<(), Reason> {
    let headers = request.known();
    once("host", request.host_header())?;
    once("content-type", headers.content_type)?;
    // Method, host and path are signed as one (protocol.md §2.1): the same bytes must not be cut otherwise.
    let in_host =
        |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(byte) || !byte.is_ascii();
    if family != Family::Tc3 && !request.host().iter().all(in_host) {
        return Err(Reason::MalformedHost);
    }
    if family == Family::Tc3 {
        once("authorization", headers.authorization)?;
        once("x-tc-action", headers.action)?;
        once("x-tc-version", headers.version)?;
        once("x-tc-timestamp", headers.timestamp)?;
        once("x-tc-region", headers.region)?;
        once("x-tc-token", headers.token)?;
        once("x-tc-content-sha256", headers.content_sha256)?;
    }
    Ok(())
}

fn once(name: &str, header: Field<'_>) -> Result<(), Reason> {
    match header {
        Field::Absent | Field::Once(_) => Ok(()),
        Field::Repeated => Err(Reason::RepeatedHeader {
            name: name.to_owned(),
        }),
    }
}

fn size_of_body(request: &RequestView<'_>, family: Family, limits: &Limits) -> Result<(), Reason> {
    match (family, request.payload()) {
        (Family::V1 | Family::V2, Payload::Bytes(body)) if body.len() > limits.form_bytes => {
            Err(Reason::FormTooLong {
                limit: limits.form_bytes,
            })
        }
        (Family::Tc3, Payload::Bytes(body)) if body.len() > limits.body_bytes => {
            Err(Reason::BodyTooLong {
                limit: limits.body_bytes,
            })
        }
        (Family::V1 | Family::V2, Payload::Sha256(_) | Payload::Unseen) => Err(Reason::BodyUnseen),
        (Family::Tc3, Payload::Unseen) if !Tc3Signed::payload_is_unsigned(request) => {
            Err(Reason::BodyUnseen)
        }
        _ => Ok(()),
    }
}

/// A form is recognised by its content: clients send it without a type and as `application/json` (clients.md §5). A body
/// that is declared to be something else and does not read as a form holds no parameters, as a PHP server sees it.
fn form<'r>(
    parameters: &mut Parameters<'r>,
    request: &RequestView<'r>,
    limits: &Limits,
) -> Result<(), Reason> {
    let body = request.payload().bytes().unwrap_or_default();
    let content_type = request.known().content_type.trimmed();
    if let Some(boundary) = boundary(content_type) {
        return parameters.read_multipart(body, boundary, limits.parameters);
    }
    let media_type = content_type
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    match parameters.read_urlencoded(body, limits.parameters) {
        Err(Reason::PairWithoutEquals { .. } | Reason::MalformedEncoding { .. })
            if !media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") =>
        {
            *parameters = Parameters::none();
            Ok(())
        }
        read => read,
    }
}
