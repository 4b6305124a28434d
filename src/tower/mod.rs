//! A layer that puts a validator in front of a service on tower: axum, hyper, or anything that answers a request of crate
//! `http`.
//!
//! [`ValidatorLayer`] reads the body, up to the limit that the policy sets for the request's scheme and one byte more, and
//! asks an [`AsyncValidator`](crate::AsyncValidator).
//!
//! * **Admitted**, the request goes on as it came: the same bytes, trailers, headers, version and extensions, and in the
//!   extensions an `Arc<`[`Admitted`](crate::Admitted)`>`. Its body is a [`RequestBody`].
//! * **Refused**, it does not reach the service. The answer is the envelope of its dialect, with HTTP 200 and
//!   `application/json` exactly, as SDKs demand; in its extensions are the [`Rejection`](crate::Rejection), for layers that
//!   log and count, and the [`RequestId`]. With feature `diagnose` and
//!   [`DiagnosisRule::ForOperator`](crate::DiagnosisRule::ForOperator) there is a `PendingDiagnosis` too.
//! * **Too long a body** is refused in the dialect too (`RequestSizeLimitExceeded` in API 3.0), as soon as the limit is
//!   passed, with what was read of it thrown away; one that is announced so with `Expect: 100-continue` is not read at all,
//!   so that the client is not asked for it. A body that **fails midway** is refused and its error put into the
//!   extensions of the answer as [`BodyFailure`]. Neither changes any state: the nonce can still be used.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use http::{Request, Response};
//! use qcloud_validator::memory::MemoryCredentials;
//! use qcloud_validator::store::Stores;
//! use qcloud_validator::tower::{RequestBody, TransportSource, ValidatorLayer};
//! use qcloud_validator::{Admitted, Clock, Policy, Rejection, SystemClock, Transport, Validator};
//! use tower_layer::Layer;
//! use tower_service::Service;
//!
//! # pollster::block_on(async {
//! let stores = Stores::in_memory(MemoryCredentials::new(), 300, SystemClock.now());
//! let validator = Validator::new(Policy::default(), stores);
//! let layer = ValidatorLayer::new(validator, TransportSource::Connection(Transport::Https));
//!
//! # #[derive(Clone)]
//! # struct Hello;
//! # impl Service<Request<RequestBody>> for Hello {
//! #     type Response = Response<RequestBody>;
//! #     type Error = Infallible;
//! #     type Future = std::future::Ready<Result<Self::Response, Infallible>>;
//! #     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
//! #         std::task::Poll::Ready(Ok(()))
//! #     }
//! #     fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
//! #         let admitted: Option<&Arc<Admitted>> = request.extensions().get();
//! #         assert!(admitted.is_some());
//! #         std::future::ready(Ok(Response::new(RequestBody::default())))
//! #     }
//! # }
//! let mut service = layer.layer(Hello);
//! let request = Request::get("/").header("Host", "cvm.tencentcloudapi.com").body(RequestBody::default());
//! let response = service.call(request.unwrap()).await.unwrap();
//!
//! let refused: &Rejection = response.extensions().get().unwrap();
//! assert_eq!(refused.code().name(), "MissingParameter");
//! assert_eq!(response.headers()["content-type"], "application/json");
//! # });
//! ```
//!
//! # Where it stands
//!
//! The validator judges the bytes that it is shown, so nothing outside this layer may change them: no decompression, and
//! no rewriting of paths. With axum, put it on the outermost router, since a router given to `Router::nest` sees paths
//! without their prefix. Layers that answer what no client signs, such as CORS with its `OPTIONS` requests, belong outside.
//!
//! There is no timer in here. A client that sends its body slowly and a remote store that does not answer hold the request
//! until somebody gives up: set a time-out outside this layer, and one in each remote store. Per request in flight, at most
//! the limit of its scheme is kept in memory, and while a body of many pieces grows, twice that; a limit on concurrent
//! requests outside bounds the sum.
//!
//! # Behind a proxy
//!
//! Whether a request came over TLS decides whether it may be admitted, and its host is signed. Both are taken from the
//! connection, and from headers only if a proxy that was named sent them: see [`TransportSource`]. By default nobody is
//! believed. Three things make a configuration unsafe, and this layer cannot see them:
//!
//! * a proxy that passes `X-Forwarded-Proto` or `X-Forwarded-Host` on as the client sent it;
//! * clients that can connect from the network of the proxies, such as other containers on the same bridge;
//! * a [`PeerAddr`] that was itself read from a header.
//!
//! `Forwarded` (RFC 7239) is not read.

mod arrival;
mod body;
mod future;
mod layer;
mod network;
#[cfg(feature = "diagnose")]
mod pending;
mod response;
mod service;

pub use arrival::{Arrival, PeerAddr, TransportSource};
pub use body::RequestBody;
pub use future::ResponseFuture;
pub use layer::ValidatorLayer;
pub use network::{IpNetwork, IpNetworkError};
#[cfg(feature = "diagnose")]
pub use pending::PendingDiagnosis;
pub use response::{BodyFailure, RequestId, ResponseBody, refusal};
pub use service::ValidatorService;
