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

/// Headers that decide how a request is read. Two that differ would let two components read two requests.
const DECISIVE_HEADERS: [&str; 9] = [
    "host",
    "content-type",
    "authorization",
    "x-tc-action",
    "x-tc-version",
    "x-tc-timestamp",
    "x-tc-region",
    "x-tc-token",
    "x-tc-content-sha256",
];

/// Reads the parameters of v1 and v2. TC3 signs query and body as bytes, so there they are only measured.
pub(crate) fn read<'r>(
    request: &RequestView<'r>,
    family: Family,
    limits: &Limits,
) -> Result<Parameters<'r>, Reason> {
    if request.query().len() > limits.query_bytes {
        return Err(Reason::QueryTooLong {
            limit: limits.query_bytes,
        });
    }
    let post = request.method() == b"POST";
    if post {
        size_of_body(request, family, limits)?;
    }
    let decisive = match family {
        Family::Tc3 => DECISIVE_HEADERS.as_slice(),
        Family::V1 | Family::V2 => DECISIVE_HEADERS.get(..2).unwrap_or_default(),
    };
    for &name in decisive {
        if request.header(name) == Field::Repeated {
            return Err(Reason::RepeatedHeader {
                name: name.to_owned(),
            });
        }
    }
    match family {
        Family::Tc3 => Ok(Parameters::none()),
        Family::V1 | Family::V2 if post => form(request, limits),
        Family::V1 | Family::V2 => {
            // A request line in UTF-8 is outside the grammar of HTTP; clients that send one sign something else.
            let query = request.query();
            if query.is_ascii() {
                return Parameters::urlencoded(query, limits.parameters);
            }
            let offset = query.iter().take_while(|byte| byte.is_ascii()).count();
            Err(Reason::NonAsciiQuery { offset })
        }
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
fn form<'r>(request: &RequestView<'r>, limits: &Limits) -> Result<Parameters<'r>, Reason> {
    let body = request.payload().bytes().unwrap_or_default();
    let content_type = match request.header("content-type") {
        Field::Once(value) => value.trim_ascii(),
        Field::Absent | Field::Repeated => &[],
    };
    if let Some(boundary) = boundary(content_type) {
        return Parameters::multipart(body, boundary, limits.parameters);
    }
    let media_type = content_type
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    match Parameters::urlencoded(body, limits.parameters) {
        Err(Reason::PairWithoutEquals { .. } | Reason::MalformedEncoding { .. })
            if !media_type.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") =>
        {
            Ok(Parameters::none())
        }
        read => read,
    }
}
