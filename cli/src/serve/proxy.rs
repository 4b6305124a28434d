//! Hands an admitted request to the service behind the gateway, and tells it who the caller is.

use std::convert::Infallible;
use std::error::Error;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Limited};
use hyper::body::Body as _;
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, FORWARDED, HOST, HeaderName,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::HeaderValue;
use hyper::http::uri::{Parts, PathAndQuery};
use hyper::{HeaderMap, Request, Response, Uri, Version};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use qcloud_validator::tower::{
    Arrival, PeerAddr, PendingDiagnosis, RequestBody, RequestId, TransportSource, refusal,
};
use qcloud_validator::{Admitted, AsyncValidator, Field, Headers, Payload, Reason, Transport};
use tokio::time::timeout;
use tracing::warn;

use super::body_deadline::BodyDeadline;
use super::caller_headers;
use super::endpoint::never_judged;
use super::metrics;
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
    fn tell(self, headers: &mut HeaderMap) -> Result<(), BoxError> {
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

/// Connections to a service that may wait for the next request.
pub(crate) const IDLE_CONNECTIONS: usize = 256;

type BoxError = Box<dyn Error + Send + Sync>;
type Sent = UnsyncBoxBody<Bytes, BoxError>;

/// The service behind.
#[derive(Clone)]
pub(crate) struct Proxy {
    client: Client<HttpsConnector<HttpConnector>, Sent>,
    origin: Arc<Uri>,
    timeout: Duration,
}

impl Proxy {
    /// Connects when the first request comes. The error is one line.
    pub(crate) fn new(upstream: &Upstream) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(upstream.connect_timeout));
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| format!("the certificates that this system trusts: {error}"))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self {
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_max_idle_per_host(IDLE_CONNECTIONS)
                .build(connector),
            origin: Arc::new(upstream.origin.clone()),
            timeout: upstream.timeout,
        })
    }

    /// Whether the body of a request may go through without being kept: its client declares that it is not signed.
    pub(crate) fn streams<B>(request: &Request<B>) -> bool {
        matches!(
            request.headers().find("x-tc-content-sha256"),
            Field::Once(b"UNSIGNED-PAYLOAD")
        )
    }

    /// Judges a request without its body and passes the body through. Gives it back if it cannot be judged so; nothing has
    /// changed then.
    pub(crate) async fn stream(
        &self,
        validator: &AsyncValidator,
        source: &TransportSource,
        request: Request<BodyDeadline>,
    ) -> Result<Response<Body>, Request<BodyDeadline>> {
        let limit = validator.policy().limits().longest_body();
        let announced = request.body().size_hint().lower();
        if u64::try_from(limit).is_ok_and(|limit| announced > limit) {
            return Err(request);
        }
        let arrival = Arrival::new(&request, source);
        let verdict = validator.check(&arrival.view(Payload::Unseen)).await;
        match verdict {
            Ok(admitted) => {
                let request = request.map(|body| Limited::new(body, limit).boxed_unsync());
                Ok(self.forward(Arc::new(admitted), request).await)
            }
            Err(refused) if refused.reason() == &Reason::BodyUnseen => Err(request),
            Err(refused) => {
                let id = id_of(&request);
                let mut response = refusal::<RequestBody>(refused, id).map(Body::new);
                let request = request.map(drop);
                PendingDiagnosis::keep(&mut response, validator, source, request, None);
                Ok(response)
            }
        }
    }

    async fn forward(
        self: &Proxy,
        admitted: Arc<Admitted>,
        request: Request<Sent>,
    ) -> Response<Body> {
        let id = id_of(&request);
        let failed = |admitted: &Admitted, cause: &dyn std::fmt::Display| {
            warn!(request_id = id.as_str(), upstream = %self.origin, %cause, "the upstream failed");
            metrics::upstream_failed();
            refusal::<RequestBody>(admitted.refuse(Reason::BackendFailed), id.clone())
                .map(Body::new)
        };
        let outgoing = match self.outgoing(&admitted, &id, request) {
            Ok(outgoing) => outgoing,
            Err(cause) => return failed(&admitted, &cause),
        };
        let mut response = match timeout(self.timeout, self.client.request(outgoing)).await {
            Ok(Ok(response)) => response.map(Body::new),
            Ok(Err(error)) => match error.source() {
                Some(source) => return failed(&admitted, &format_args!("{error}: {source}")),
                None => return failed(&admitted, &error),
            },
            Err(_) => return failed(&admitted, &"it did not answer in time"),
        };
        remove_hop_by_hop(response.headers_mut());
        response.extensions_mut().insert(admitted);
        response
    }

    /// The request as the service behind is shown it: method, path, query, host and body untouched.
    fn outgoing(
        &self,
        admitted: &Admitted,
        id: &RequestId,
        request: Request<Sent>,
    ) -> Result<Request<Sent>, BoxError> {
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
        let mut uri = Parts::default();
        uri.scheme = self.origin.scheme().cloned();
        uri.authority = self.origin.authority().cloned();
        uri.path_and_query = Some(target);
        parts.uri = Uri::from_parts(uri)?;
        parts.version = Version::HTTP_11;
        let way: Option<Way> = parts.extensions.remove();
        parts.extensions.clear();
        let way = way.unwrap_or_default();
        if way.believed {
            // What is about its connection with the client it has removed itself. What `Connection` still names is the
            // client's choice, and may be what the proxy says about that client.
            parts.headers.remove(CONNECTION);
        }
        remove_hop_by_hop(&mut parts.headers);
        caller_headers::remove_forged(&mut parts.headers);
        let caller = caller_headers::of_admitted(admitted, id)?;
        parts.headers.extend(caller);
        way.tell(&mut parts.headers)?;
        Ok(Request::from_parts(parts, body))
    }
}

impl tower::Service<Request<RequestBody>> for Proxy {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let proxy = self.clone();
        Box::pin(async move {
            let admitted: Option<Arc<Admitted>> = request.extensions_mut().remove();
            let Some(admitted) = admitted else {
                return Ok(never_judged());
            };
            let request = request.map(|body| body.map_err(|never| match never {}).boxed_unsync());
            Ok(proxy.forward(admitted, request).await)
        })
    }
}

fn id_of<B>(request: &Request<B>) -> RequestId {
    let id: Option<&RequestId> = request.extensions().get();
    id.cloned().unwrap_or_else(RequestId::random)
}

/// Headers that are about one connection: RFC 9110 section 7.6.1. A client may name more of them in `Connection`, but none
/// on which the verdict or its own message rests, or it could have a signed header taken away.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .filter(|name| !is_judged(name))
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in [
        CONNECTION,
        EXPECT,
        PROXY_AUTHENTICATE,
        PROXY_AUTHORIZATION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ] {
        headers.remove(name);
    }
}

fn is_judged(name: &HeaderName) -> bool {
    [HOST, AUTHORIZATION, CONTENT_TYPE, CONTENT_LENGTH].contains(name)
        || name.as_str().starts_with("x-tc-")
}
