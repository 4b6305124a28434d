//! Answers an admitted request as the vendor answers a success that has nothing to say, so that any client can be pointed
//! here in a test.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use hyper::header::CONTENT_TYPE;
use hyper::http::HeaderValue;
use hyper::{Request, Response};
use qcloud_validator::tower::{RequestBody, RequestId};
use qcloud_validator::{Admitted, Dialect};
use tower::Service;

use super::endpoint::not_admitted;

/// The service.
#[derive(Clone)]
pub(crate) struct Mock;

impl Service<Request<RequestBody>> for Mock {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let admitted: Option<Arc<Admitted>> = request.extensions_mut().remove();
        let id: Option<&RequestId> = request.extensions().get();
        let id = id.map(RequestId::as_str).unwrap_or_default();
        let Some(admitted) = admitted else {
            return ready(Ok(not_admitted()));
        };
        let mut response = Response::new(Body::from(success(admitted.dialect(), id)));
        // Exactly this: the official Python SDK knows no other.
        let content_type = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, content_type);
        response.extensions_mut().insert(admitted);
        ready(Ok(response))
    }
}

/// The envelope of a success: protocol.md §5.5.
fn success(dialect: Dialect, id: &str) -> String {
    match dialect {
        Dialect::V2Numeric => r#"{"code":0,"message":"","codeDesc":"Success"}"#.to_owned(),
        // The id is a UUID: nothing in it is escaped.
        _ => format!(r#"{{"Response":{{"RequestId":"{id}"}}}}"#),
    }
}
