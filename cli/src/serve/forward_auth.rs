//! Answers a proxy that asks whether a request may go on: nginx `auth_request`, Traefik `ForwardAuth`, Envoy `ext_authz`
//! over HTTP.
//!
//! 200 lets the request through, with headers that name the caller for the proxy to hand on. 403 does not: its body is
//! what the client should read, and a header repeats it for a proxy that throws bodies away.

use std::error::Error;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use qcloud_validator::tower::{
    Arrival, PendingDiagnosis, RequestBody, RequestId, TransportSource, refusal,
};
use qcloud_validator::{AsyncValidator, Field, Headers, Payload, Reason};
use tracing::warn;

use super::body_deadline::BodyDeadline;
use super::caller_headers::{self, RESPONSE};
use crate::config::gateway::{AskedBy, Bodies, ForwardAuth, UnseenBodies};

/// Names the headers that Envoy removes from the request before it passes it on.
const REMOVED_BY_ENVOY: HeaderName = HeaderName::from_static("x-envoy-auth-headers-to-remove");

/// The body of the request in question.
enum Shown {
    Body(Bytes),
    /// The proxy does not show it.
    Nothing,
    /// It is too long, too slow or cut off: sending it so must not get around verification or limits.
    Unreadable(Reason),
}

/// Answers the questions of one listener.
pub(crate) struct Answers {
    rules: ForwardAuth,
    validator: AsyncValidator,
    source: TransportSource,
}

impl Answers {
    pub(crate) fn new(
        rules: ForwardAuth,
        validator: AsyncValidator,
        source: TransportSource,
    ) -> Self {
        Self {
            rules,
            validator,
            source,
        }
    }

    /// Answers one question.
    pub(crate) async fn answer(&self, question: Request<BodyDeadline>) -> Response<Body> {
        let Self {
            rules,
            validator,
            source,
        } = self;
        let id: Option<&RequestId> = question.extensions().get();
        let id = id.cloned().unwrap_or_else(RequestId::random);
        if !source.believes(&question) {
            // A peer that may ask could learn what others sign, so no other may.
            return plain(StatusCode::FORBIDDEN, "not a trusted proxy\n");
        }
        let Some((original, body)) = original(rules.asked_by, question) else {
            return plain(
                StatusCode::BAD_REQUEST,
                "the headers that name the original request are missing or malformed\n",
            );
        };
        let shown = self.shown(original.headers(), body).await;
        let payload = match &shown {
            Shown::Body(body) => Payload::Bytes(body),
            Shown::Nothing | Shown::Unreadable(_) => Payload::Unseen,
        };
        let arrival = Arrival::new(&original, source);
        let headers = PassedOn::new(&arrival, original.headers());
        let approve = |caller: HeaderMap| approval(rules.asked_by, original.headers(), caller);
        let view = arrival.view(payload).with_headers(&headers);
        match (validator.check(&view).await, &shown) {
            // No signature covers this body.
            (Ok(admitted), Shown::Unreadable(reason)) => {
                denial(admitted.refuse(reason.clone()), id)
            }
            (Ok(admitted), _) => {
                match caller_headers::of_admitted(&admitted, &id).and_then(approve) {
                    Ok(mut response) => {
                        response.extensions_mut().insert(Arc::new(admitted));
                        response
                    }
                    Err(cause) => {
                        warn!(request_id = id.as_str(), %cause, "the caller cannot be named in headers");
                        denial(admitted.refuse(Reason::BackendFailed), id)
                    }
                }
            }
            (Err(refused), Shown::Nothing)
                if refused.reason() == &Reason::BodyUnseen
                    && rules.unseen_bodies == UnseenBodies::InsecurePassUnverified =>
            {
                let approved = caller_headers::of_unverified(&id).and_then(approve);
                approved.unwrap_or_else(|_| denial(refused, id))
            }
            (Err(refused), _) => {
                let mut response = denial(refused, id);
                let body = match shown {
                    Shown::Body(body) => Some(body),
                    Shown::Nothing | Shown::Unreadable(_) => None,
                };
                PendingDiagnosis::keep(&mut response, validator, source, original, body);
                response
            }
        }
    }

    async fn shown(&self, headers: &HeaderMap, body: BodyDeadline) -> Shown {
        if self.rules.bodies == Bodies::Unseen || is_partial(self.rules.asked_by, headers) {
            return Shown::Nothing;
        }
        let limit = self.validator.policy().limits().longest_body();
        if body.size_hint().lower() > u64::try_from(limit).unwrap_or(u64::MAX) {
            // Reading would answer an `Expect: 100-continue`.
            return Shown::Unreadable(Reason::BodyTooLong { limit });
        }
        match Limited::new(body, limit).collect().await {
            Ok(body) => Shown::Body(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => {
                Shown::Unreadable(Reason::BodyTooLong { limit })
            }
            Err(_) => Shown::Unreadable(Reason::BodyCutOff),
        }
    }
}

/// The headers of the original request, all of which its proxy passes on to the service. What decides is there once, or the
/// service could read another value than the validator.
struct PassedOn<'a> {
    arrival: &'a Arrival<'a>,
    /// Headers for which the service may find another value.
    ambiguous: Vec<String>,
}

impl<'a> PassedOn<'a> {
    fn new(arrival: &'a Arrival<'a>, headers: &HeaderMap) -> Self {
        let look_alikes = headers
            .keys()
            .filter_map(caller_headers::decisive_look_alike);
        let mut ambiguous: Vec<String> = look_alikes.collect();
        // Equal hosts count as one, but the service may be sent all of them.
        if headers
            .get_all("x-forwarded-host")
            .into_iter()
            .any(is_joined)
        {
            ambiguous.push("host".to_owned());
        }
        Self { arrival, ambiguous }
    }

    fn once<'h>(&self, name: &str, field: Field<'h>) -> Field<'h> {
        let decides = name == "content-type" || name == "host" || name.starts_with("x-tc-");
        match field {
            Field::Once(value) if decides && is_joined(value) => Field::Repeated,
            _ if self.ambiguous.iter().any(|other| other == name) => Field::Repeated,
            field => field,
        }
    }
}

/// Whether a value may have been several lines, which the proxy shows as one.
fn is_joined(value: impl AsRef<[u8]>) -> bool {
    value.as_ref().contains(&b',')
}

impl Headers for PassedOn<'_> {
    fn find(&self, name: &str) -> Field<'_> {
        self.once(name, self.arrival.find(name))
    }

    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        self.arrival.find_all(names, found);
        for (name, field) in names.iter().zip(found) {
            *field = self.once(name, *field);
        }
    }
}

/// Lets a request through, with the headers about its caller.
fn approval(
    asked_by: AskedBy,
    received: &HeaderMap,
    caller: HeaderMap,
) -> Result<Response<Body>, Box<dyn Error + Send + Sync>> {
    let mut response = Response::new(Body::empty());
    if let AskedBy::Envoy = asked_by {
        let removed = caller_headers::look_alikes(received, &caller)?;
        response.headers_mut().insert(REMOVED_BY_ENVOY, removed);
    }
    response.headers_mut().extend(caller);
    Ok(response)
}

/// The request that the question is about.
fn original(
    asked_by: AskedBy,
    question: Request<BodyDeadline>,
) -> Option<(Request<()>, BodyDeadline)> {
    let (mut parts, body) = question.into_parts();
    let (method, target) = match asked_by {
        AskedBy::Envoy => return Some((Request::from_parts(parts, ()), body)),
        AskedBy::Nginx => ("x-original-method", "x-original-uri"),
        AskedBy::Traefik => ("x-forwarded-method", "x-forwarded-uri"),
    };
    let method = Method::from_bytes(once(&parts.headers, method)?).ok()?;
    let sent = once(&parts.headers, target)?;
    let target: Uri = Uri::try_from(sent).ok()?;
    // What is checked is what the proxy passes on: no host, and the whole target, with no `#` and rest cut off.
    if target.path_and_query()?.as_str().as_bytes() != sent {
        return None;
    }
    parts.method = method;
    parts.uri = target;
    Some((Request::from_parts(parts, ()), body))
}

fn once<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    match headers.find(name) {
        Field::Once(value) => Some(value),
        _ => None,
    }
}

/// Envoy's mark on a body that was longer than it passes on. The others pass on a client's.
fn is_partial(asked_by: AskedBy, headers: &HeaderMap) -> bool {
    matches!(asked_by, AskedBy::Envoy)
        && headers.contains_key("x-envoy-auth-partial-body")
        && !matches!(
            headers.find("x-envoy-auth-partial-body"),
            Field::Once(b"false")
        )
}

/// Refuses, with what the client should read.
pub(crate) fn denial(refused: qcloud_validator::Rejection, id: RequestId) -> Response<Body> {
    let text = refused.response(id.as_str());
    let mut response = refusal::<RequestBody>(refused, id).map(Body::new);
    *response.status_mut() = StatusCode::FORBIDDEN;
    if let Ok(text) = HeaderValue::from_bytes(text.as_bytes()) {
        response.headers_mut().insert(RESPONSE, text);
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
