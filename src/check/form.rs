//! Whether the request has a size and a shape that can be read, and which parameters it then carries.
//!
//! GET is read from the query alone and POST from the body alone (protocol.md §0 fact 4). Sizes are checked first, so
//! nothing is parsed that is too long.

use crate::form::{ContentType, Parameters};
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
    let content_type = ContentType::read(request.known().content_type.trimmed())?;
    match family {
        Family::Tc3 => Ok(()),
        Family::V1 | Family::V2 if post => form(parameters, request, content_type, limits),
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

/// Refuses headers that decide how a request is read and that two programs could read in two ways.
fn unambiguous(request: &RequestView<'_>, family: Family) -> Result<(), Reason> {
    let headers = request.known();
    without_contradiction("host", request.host_header())?;
    without_contradiction("content-type", headers.content_type)?;
    without_contradiction("authorization", headers.authorization)?;
    let mut host = request.host().iter();
    let one_host = match family {
        // A client that signs a URL here signs it alike on either side.
        Family::Tc3 => host.all(|byte| !byte.is_ascii_control() && !matches!(byte, b' ' | b',')),
        // Method, host and path are signed as one (protocol.md §2.1): the same bytes must not be cut otherwise.
        Family::V1 | Family::V2 => host.all(|byte| {
            let in_name = byte.is_ascii_alphanumeric() || !byte.is_ascii();
            in_name || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
        }),
    };
    if !one_host {
        return Err(Reason::MalformedHost);
    }
    if family == Family::Tc3 {
        in_one_line("authorization", headers.authorization)?;
        in_one_line("x-tc-action", headers.action)?;
        in_one_line("x-tc-version", headers.version)?;
        in_one_line("x-tc-timestamp", headers.timestamp)?;
        in_one_line("x-tc-region", headers.region)?;
        in_one_line("x-tc-token", headers.token)?;
        in_one_line("x-tc-language", headers.language)?;
        in_one_line("x-tc-content-sha256", headers.content_sha256)?;
    }
    Ok(())
}

/// Several lines with one value are read alike by all who take one of them; acme.sh sends `Content-Type` twice.
fn without_contradiction(name: &str, header: Field<'_>) -> Result<(), Reason> {
    match header {
        Field::Absent | Field::Once(_) | Field::Equal(_) => Ok(()),
        Field::Repeated => Err(repeated(name)),
    }
}

/// What steers a request stands in one line: a program that joins equal lines with a comma would read another value.
#[inline]
fn in_one_line(name: &str, header: Field<'_>) -> Result<(), Reason> {
    match header {
        Field::Absent | Field::Once(_) => Ok(()),
        Field::Equal(_) | Field::Repeated => Err(repeated(name)),
    }
}

fn repeated(name: &str) -> Reason {
    Reason::RepeatedHeader {
        name: name.to_owned(),
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
/// that is declared to be something else and does not read as a form, or begins as JSON or XML, holds no parameters, as a
/// PHP server sees it.
fn form<'r>(
    parameters: &mut Parameters<'r>,
    request: &RequestView<'r>,
    content_type: ContentType<'r>,
    limits: &Limits,
) -> Result<(), Reason> {
    let body = request.payload().bytes().unwrap_or_default();
    if let Some(boundary) = content_type.boundary() {
        // Joined to one line, two lines name two boundaries.
        in_one_line("content-type", request.known().content_type)?;
        return parameters.read_multipart(body, boundary, limits.parameters);
    }
    if content_type.is(b"application/x-www-form-urlencoded") {
        return parameters.read_urlencoded(body, limits.parameters);
    }
    // A text can be both a form and JSON, and a service that goes by the type would read the other one.
    if let [b'{' | b'[' | b'<', ..] = body.trim_ascii_start() {
        return Ok(());
    }
    match parameters.read_urlencoded(body, limits.parameters) {
        Err(Reason::PairWithoutEquals { .. } | Reason::MalformedEncoding { .. }) => {
            *parameters = Parameters::none();
            Ok(())
        }
        read => read,
    }
}
