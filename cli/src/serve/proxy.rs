//! Mode `proxy`: an admitted request goes to the service behind the gateway, with headers that name the caller.

use std::convert::Infallible;
use std::error::Error;
use std::future::ready;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body as _, Frame};
use hyper::header::{CONNECTION, FORWARDED, HOST, HeaderName, HeaderValue};
use hyper::http::uri::PathAndQuery;
use hyper::{HeaderMap, Request, Response, StatusCode, Uri, Version};
use qcloud_validator::tower::{
    Arrival, PeerAddr, PendingDiagnosis, RequestBody, RequestId, TransportSource, ValidatorLayer,
    ValidatorService, refusal,
};
use qcloud_validator::{Admitted, AsyncValidator, Field, Headers, Payload, Reason, Transport};
use tower::{Layer, ServiceExt};
use tracing::warn;

use super::body_deadline::BodyDeadline;
use super::caller_headers;
use super::endpoint::not_admitted;
use super::fields;
use super::metrics;
use super::upstream::{Outgoing, Service};
use crate::config::gateway::Upstream;

/// How a request came, for the service behind: an extension of the request.
#[derive(Clone, Copy, Default)]
pub(crate) struct Way {
    https: bool,
    peer: Option<IpAddr>,
    /// Whether the peer is a proxy that is believed about who came to it.
    believed: bool,
}

impl Way {
    pub(crate) fn new<B>(request: &Request<B>, source: &TransportSource) -> Self {
        let peer: Option<&PeerAddr> = request.extensions().get();
        Self {
            https: Arrival::new(request, source).transport() == Transport::Https,
            peer: peer.map(|PeerAddr(peer)| peer.ip().to_canonical()),
            believed: source.believes(request),
        }
    }

    /// Says so in the headers that services behind proxies read. What a client said there counts no more.
    fn write(self, headers: &mut HeaderMap) -> Result<(), BoxError> {
        let proto = if self.https { "https" } else { "http" };
        headers.insert(PROTO, HeaderValue::from_static(proto));
        if !self.believed {
            headers.remove(FOR);
            headers.remove("x-forwarded-host");
            headers.remove(FORWARDED);
        }
        if let Some(peer) = self.peer {
            headers.append(FOR, HeaderValue::from_str(&peer.to_string())?);
        }
        Ok(())
    }
}

const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

type BoxError = Box<dyn Error + Send + Sync>;

/// A validator in front of a service.
pub(crate) struct Proxy {
    validator: AsyncValidator,
    source: TransportSource,
    forward: Forward,
    /// The same service behind a layer that keeps the body of a request until it is verified.
    buffered: ValidatorService<Forward>,
}

impl Proxy {
    pub(crate) fn new(
        forward: Forward,
        validator: AsyncValidator,
        source: TransportSource,
    ) -> Self {
        let layer = ValidatorLayer::new(validator.clone(), source.clone());
        Self {
            buffered: layer.layer(forward.clone()),
            validator,
            source,
            forward,
        }
    }

    /// Answers a request.
    pub(crate) async fn answer(&self, mut request: Request<BodyDeadline>) -> Response<Body> {
        let way = Way::new(&request, &self.source);
        request.extensions_mut().insert(way);
        if !self.may_stream(&request) {
            return self.buffer(request).await;
        }
        let arrival = Arrival::new(&request, &self.source);
        let verdict = self.validator.check(&arrival.view(Payload::Unseen)).await;
        match verdict {
            Ok(admitted) => self.stream(Arc::new(admitted), request).await,
            // Nothing has changed: with its body it may be verified.
            Err(refused) if refused.reason() == &Reason::BodyUnseen => self.buffer(request).await,
            Err(refused) => {
                let id = id_of(&request);
                let mut response = refusal::<RequestBody>(refused, id).map(Body::new);
                let request = request.map(drop);
                PendingDiagnosis::keep(&mut response, &self.validator, &self.source, request, None);
                response
            }
        }
    }

    /// Passes a preflight on, of which nothing was verified.
    pub(crate) async fn pass_unverified(
        &self,
        mut request: Request<BodyDeadline>,
        id: &RequestId,
    ) -> Response<Body> {
        let way = Way::new(&request, &self.source);
        request.extensions_mut().insert(way);
        // What a service could take for a signature or a session.
        fields::remove_credentials(request.headers_mut());
        let request = request.map(|body| body.boxed_unsync());
        let caller = caller_headers::of_unverified(id);
        let answer = self.forward.exchange(caller, id, request).await;
        answer.unwrap_or_else(|_logged| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        })
    }

    /// Whether the body of a request may go through without being kept: its client declares that it is not signed.
    fn may_stream(&self, request: &Request<BodyDeadline>) -> bool {
        let is_declared = matches!(
            request.headers().find("x-tc-content-sha256"),
            Field::Once(b"UNSIGNED-PAYLOAD")
        );
        let limit = u64::try_from(self.longest_body()).unwrap_or(u64::MAX);
        is_declared && request.body().size_hint().lower() <= limit
    }

    fn longest_body(&self) -> usize {
        self.validator.policy().limits().longest_body()
    }

    async fn stream(
        &self,
        admitted: Arc<Admitted>,
        request: Request<BodyDeadline>,
    ) -> Response<Body> {
        let request = request.map(|body| {
            let body = Limited::new(body, self.longest_body());
            body.map_frame(without_checked_trailers).boxed_unsync()
        });
        self.forward.send(admitted, request).await
    }

    async fn buffer(&self, request: Request<BodyDeadline>) -> Response<Body> {
        match self.buffered.clone().oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// Hands admitted requests to a service. Its connections outlive reloads.
#[derive(Clone)]
pub(crate) struct Forward {
    service: Service,
}

impl Forward {
    /// Connects when the first request comes. The error is one line.
    pub(crate) fn new(upstream: &Upstream) -> Result<Self, String> {
        Ok(Self {
            service: Service::new(upstream)?,
        })
    }

    async fn send(&self, admitted: Arc<Admitted>, request: Request<Outgoing>) -> Response<Body> {
        let id = id_of(&request);
        let caller = caller_headers::of_admitted(&admitted, &id);
        match self.exchange(caller, &id, request).await {
            Ok(mut response) => {
                response.extensions_mut().insert(admitted);
                response
            }
            Err(Failed) => {
                refusal::<RequestBody>(admitted.refuse(Reason::BackendFailed), id).map(Body::new)
            }
        }
    }

    /// Sends a request to the service, with headers about its caller. What fails is logged and counted.
    async fn exchange(
        &self,
        caller: Result<HeaderMap, BoxError>,
        id: &RequestId,
        request: Request<Outgoing>,
    ) -> Result<Response<Body>, Failed> {
        let failed = |cause: &dyn std::fmt::Display| {
            let upstream = self.service.origin();
            warn!(request_id = id.as_str(), %upstream, %cause, "the upstream failed");
            metrics::upstream_failed();
            Failed
        };
        let outgoing = caller.and_then(|caller| outgoing(caller, request));
        let outgoing = outgoing.map_err(|cause| failed(&cause))?;
        let answer = self.service.send(outgoing).await;
        let answer = answer.map_err(|failure| failed(&failure))?;
        let mut answer = answer.map(|body| Body::new(body.map_frame(without_hop_by_hop)));
        fields::remove_hop_by_hop(answer.headers_mut());
        Ok(answer)
    }
}

/// The service gave no answer, which is logged.
struct Failed;

/// The request as the service behind is shown it: method, path, query, host and body untouched.
fn outgoing(caller: HeaderMap, request: Request<Outgoing>) -> Result<Request<Outgoing>, BoxError> {
    let (mut parts, body) = request.into_parts();
    let target = parts
        .uri
        .path_and_query()
        .cloned()
        .unwrap_or_else(|| PathAndQuery::from_static("/"));
    if !parts.headers.contains_key(HOST)
        && let Some(authority) = parts.uri.authority()
    {
        let host = HeaderValue::from_str(authority.as_str())?;
        parts.headers.insert(HOST, host);
    }
    parts.uri = Uri::from(target);
    if parts.version == Version::HTTP_2 {
        fields::join_cookies(&mut parts.headers);
    }
    parts.version = Version::HTTP_11;
    let way: Option<Way> = parts.extensions.remove();
    let trailers: Option<Trailers> = parts.extensions.remove();
    parts.extensions.clear();
    let way = way.unwrap_or_default();
    if way.believed {
        // What is about its connection with the client it has removed itself. What `Connection` still names is the
        // client's choice, and may be what the proxy says about that client.
        parts.headers.remove(CONNECTION);
    }
    let takes_trailers = fields::takes_trailers(&parts.headers);
    fields::remove_hop_by_hop(&mut parts.headers);
    if takes_trailers {
        fields::ask_for_trailers(&mut parts.headers);
    }
    if let Some(Trailers(trailers)) = trailers {
        fields::announce_trailers(&mut parts.headers, &trailers);
    }
    caller_headers::remove_forged(&mut parts.headers);
    parts.headers.extend(caller);
    way.write(&mut parts.headers)?;
    Ok(Request::from_parts(parts, body))
}

impl tower::Service<Request<RequestBody>> for Forward {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let forward = self.clone();
        Box::pin(async move {
            let admitted: Option<Arc<Admitted>> = request.extensions_mut().remove();
            let Some(admitted) = admitted else {
                return Ok(not_admitted());
            };
            Ok(forward.send(admitted, buffered(request).await).await)
        })
    }
}

/// The trailers of a body that was kept: an extension of the request.
#[derive(Clone)]
struct Trailers(HeaderMap);

/// A request whose body was kept.
async fn buffered(request: Request<RequestBody>) -> Request<Outgoing> {
    let (mut parts, body) = request.into_parts();
    let Ok(collected) = body.map_frame(without_checked_trailers).collect().await;
    let trailers = collected
        .trailers()
        .cloned()
        .filter(|trailers| !trailers.is_empty());
    let body = Full::new(collected.to_bytes()).map_err(|never| match never {});
    let body = match trailers {
        Some(trailers) => {
            parts.extensions.insert(Trailers(trailers.clone()));
            body.with_trailers(ready(Some(Ok(trailers)))).boxed_unsync()
        }
        None => body.boxed_unsync(),
    };
    Request::from_parts(parts, body)
}

fn without_checked_trailers(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        fields::clean_trailers(trailers);
    }
    frame
}

fn without_hop_by_hop(mut frame: Frame<Bytes>) -> Frame<Bytes> {
    if let Some(trailers) = frame.trailers_mut() {
        fields::remove_hop_by_hop(trailers);
    }
    frame
}

fn id_of<B>(request: &Request<B>) -> RequestId {
    let id: Option<&RequestId> = request.extensions().get();
    id.cloned().unwrap_or_else(RequestId::random)
}
