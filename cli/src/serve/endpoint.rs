//! What a request meets on a listener: the validator, then what the mode of the listener makes of it, and around both a
//! line in the log and the metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use qcloud_validator::tower::{RequestId, TransportSource, ValidatorLayer};
use qcloud_validator::{AsyncValidator, Transport};
use tokio::time::Instant;
use tower::{Layer, ServiceExt};

use super::access_log::{self, Entry};
use super::body_deadline::BodyDeadline;
use super::forward_auth;
use super::metrics;
use super::mock::Mock;
use super::proxy::{Proxy, Way};
use crate::config::gateway::{ForwardAuth, ListenerConfig, LoggedRequests, Mode};

/// The validator as it is now: a reload puts another in its place, and requests that have begun end with theirs.
pub(crate) type Current = Arc<ArcSwap<AsyncValidator>>;

/// One listener's.
pub(crate) struct Door {
    name: Box<str>,
    measures: metrics::Listener,
    validator: Current,
    source: TransportSource,
    behind: Behind,
    logged: LoggedRequests,
    /// How long a client may take over a body.
    body: Duration,
}

/// What is behind the validator.
enum Behind {
    Mock,
    Proxy(Box<Proxy>),
    ForwardAuth(ForwardAuth),
}

impl Door {
    pub(crate) fn new(
        config: &ListenerConfig,
        validator: Current,
        logged: LoggedRequests,
        body: Duration,
    ) -> Result<Self, String> {
        let source = match (&config.tls, &config.mode) {
            (_, Mode::ForwardAuth(_)) | (None, _) if !config.trusted_proxies.is_empty() => {
                TransportSource::ForwardedFrom(config.trusted_proxies.clone())
            }
            (Some(_), _) => TransportSource::Connection(Transport::Https),
            (None, _) => TransportSource::Connection(Transport::Http),
        };
        let name = config.address.to_string();
        Ok(Self {
            measures: metrics::Listener::new(&name),
            name: name.into(),
            validator,
            behind: match &config.mode {
                Mode::Mock => Behind::Mock,
                Mode::Proxy(upstream) => Behind::Proxy(Box::new(Proxy::new(upstream)?)),
                Mode::ForwardAuth(forward_auth) => Behind::ForwardAuth(*forward_auth),
            },
            source,
            logged,
            body,
        })
    }

    /// The address, for logs and metrics.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn measures(&self) -> &metrics::Listener {
        &self.measures
    }

    /// Answers a request.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Response<Body> {
        let began = Instant::now();
        let id = RequestId::random();
        request.extensions_mut().insert(id.clone());
        let method = request.method().clone();
        let request = request.map(|body| BodyDeadline::new(body, self.body));
        let validator = self.validator.load_full();
        let response = match &self.behind {
            Behind::Mock => self.behind_the_layer(&validator, Mock, request).await,
            Behind::Proxy(proxy) => self.behind_the_proxy(&validator, proxy, request).await,
            Behind::ForwardAuth(rules) => {
                forward_auth::answer(*rules, &validator, &self.source, request).await
            }
        };
        let entry = Entry::new(&self.name, peer, &method, &id, &response, began.elapsed());
        self.measures.answered(&entry);
        if access_log::wanted(self.logged, &entry) {
            access_log::write(&entry);
        }
        response
    }

    async fn behind_the_proxy(
        &self,
        validator: &AsyncValidator,
        proxy: &Proxy,
        mut request: Request<BodyDeadline>,
    ) -> Response<Body> {
        let way = Way::new(&request, &self.source);
        request.extensions_mut().insert(way);
        if Proxy::streams(&request) {
            match proxy.stream(validator, &self.source, request).await {
                Ok(response) => return response,
                Err(unseen) => request = unseen,
            }
        }
        self.behind_the_layer(validator, proxy.clone(), request)
            .await
    }

    async fn behind_the_layer<S, R>(
        &self,
        validator: &AsyncValidator,
        service: S,
        request: Request<BodyDeadline>,
    ) -> Response<Body>
    where
        S: tower::Service<
                Request<qcloud_validator::tower::RequestBody>,
                Response = Response<R>,
                Error = std::convert::Infallible,
            > + Clone,
        R: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
        R::Error: Into<axum::BoxError>,
    {
        let layer = ValidatorLayer::new(validator.clone(), self.source.clone());
        match layer.layer(service).oneshot(request).await {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        }
    }
}

/// The answer to a request that bears no proof of having been admitted: it goes nowhere.
pub(crate) fn never_judged() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
