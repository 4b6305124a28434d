//! Scripts of other origins: what a listener does about the preflights that their browsers send, which cannot be signed.
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>

use axum::body::Body;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderValue, ORIGIN, VARY,
};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use qcloud_validator::{Field, Headers};

use crate::config::cors::Origins;

/// Whether a request is a preflight. It has no body.
pub(super) fn is_preflight<B: hyper::body::Body>(request: &Request<B>) -> bool {
    let has = |name| matches!(request.headers().find(name), Field::Once(_));
    request.method() == Method::OPTIONS
        && has(ORIGIN.as_str())
        && has(ACCESS_CONTROL_REQUEST_METHOD.as_str())
        && request.body().is_end_stream()
}

/// The answer to a preflight, but for the origin. Scripts may send every header: the signature decides, not the browser.
pub(super) fn answer(preflight: &HeaderMap) -> Response<Body> {
    /// Browsers remember the answer for two hours at most.
    const MAX_AGE: &str = "7200";
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    if let Some(names) = preflight.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    response
}

impl Origins {
    /// What an answer says about the origin of its request, if a script of that origin may read it.
    pub(super) fn allow(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let origin = request.get(ORIGIN)?;
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Listed(listed) => listed
                .iter()
                .any(|listed| listed.as_bytes() == origin.as_bytes())
                .then(|| origin.clone()),
        }
    }

    /// Lets scripts of an allowed origin read an answer, and no others, whatever the service says.
    pub(super) fn share(&self, answer: &mut HeaderMap, allowed: Option<HeaderValue>) {
        match allowed {
            Some(origin) => answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            None => answer.remove(ACCESS_CONTROL_ALLOW_ORIGIN),
        };
        if let Self::Listed(_) = self {
            answer.append(VARY, HeaderValue::from_static("origin"));
        }
    }
}
