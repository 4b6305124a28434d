//! What a request meets on a listener: the validator, then what the mode of the listener makes of it, and around both a
//! line in the log and the metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use qcloud_validator::tower::{
    PendingDiagnosis, RequestBody, RequestId, TransportSource, ValidatorLayer, refusal,
};
use qcloud_validator::{AsyncValidator, DiagnosisRule, Rejection, Transport};
use tokio::time::Instant;
use tower::{Layer, ServiceExt};

use super::access_log::{self, Entry};
use super::body_deadline::BodyDeadline;
use super::cors;
use super::diagnoses::Diagnoses;
use super::forward_auth;
use super::metrics;
use super::mock::Mock;
use super::proxy::{Proxy, Way};
use super::stores::Kept;
use crate::config::cors::Preflights;
use crate::config::gateway::{ForwardAuth, ListenerConfig, LoggedRequests, Mode};
use crate::config::validator::Setup;

/// The rules as they are now: a reload puts others in their place, and requests that have begun end with theirs.
pub(crate) type Current = Arc<ArcSwap<Rules>>;

/// What requests are checked by, and who learns why one was refused.
pub(crate) struct Rules {
    pub(crate) validator: AsyncValidator,
    told: DiagnosisRule,
}

impl Rules {
    /// The rules of a configuration, over what is kept. Whoever learns of diagnoses, the validator makes none: that would
    /// hold up other requests. The error is one line; then nothing has changed.
    pub(crate) fn new(mut setup: Setup, kept: &Kept) -> Result<Self, String> {
        let policy = setup.policy.clone().build();
        let told = policy.map_err(|error| error.to_string())?.diagnosis();
        if told == DiagnosisRule::InMessage {
            setup.policy = setup.policy.diagnosis(DiagnosisRule::ForOperator);
        }
        let validator = kept.validator(setup)?;
        Ok(Self { validator, told })
    }
}

/// One listener's.
pub(crate) struct Endpoint {
    name: Box<str>,
    measures: metrics::Listener,
    rules: Current,
    diagnoses: Arc<Diagnoses>,
    source: TransportSource,
    behind: Behind,
    preflights: Preflights,
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

impl Endpoint {
    pub(crate) fn new(
        config: &ListenerConfig,
        name: String,
        rules: Current,
        diagnoses: Arc<Diagnoses>,
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
        Ok(Self {
            measures: metrics::Listener::new(&name),
            name: name.into(),
            rules,
            diagnoses,
            behind: match &config.mode {
                Mode::Mock => Behind::Mock,
                Mode::Proxy(upstream) => Behind::Proxy(Box::new(Proxy::new(upstream)?)),
                Mode::ForwardAuth(forward_auth) => Behind::ForwardAuth(*forward_auth),
            },
            source,
            preflights: config.preflights.clone(),
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
        let rules = self.rules.load_full();
        let validator = &rules.validator;
        let origins = match &self.preflights {
            Preflights::Answer(origins) => Some(origins),
            Preflights::Refuse | Preflights::Pass => None,
        };
        let allowed = origins.and_then(|origins| origins.allow(request.headers()));
        let mut response = self.respond(validator, request, &id).await;
        let mut pending: Option<PendingDiagnosis> = response.extensions_mut().remove();
        if rules.told == DiagnosisRule::InMessage
            && let Some(pending) = pending.take()
        {
            response = self.explained(response, pending, &id).await;
        }
        if let Some(origins) = origins {
            origins.share(response.headers_mut(), allowed);
        }
        let entry = Entry::new(&self.name, peer, &method, &id, &response, began.elapsed());
        self.measures.answered(&entry);
        if access_log::wanted(self.logged, &entry) {
            access_log::write(&entry);
            if let Some(pending) = pending {
                self.diagnoses.make_for_log(pending, id);
            }
        }
        response
    }

    /// What the mode of the listener answers.
    async fn respond(
        &self,
        validator: &AsyncValidator,
        request: Request<BodyDeadline>,
        id: &RequestId,
    ) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return no_tunnel();
        }
        if cors::is_preflight(&request) {
            match (&self.preflights, &self.behind) {
                (Preflights::Answer(origins), _) if origins.allow(request.headers()).is_some() => {
                    return cors::answer(request.headers());
                }
                (Preflights::Pass, Behind::Proxy(proxy)) => {
                    return proxy.pass_unverified(request, &self.source, id).await;
                }
                _ => {}
            }
        }
        match &self.behind {
            Behind::Mock => self.behind_the_layer(validator, Mock, request).await,
            Behind::Proxy(proxy) => self.behind_the_proxy(validator, proxy, request).await,
            Behind::ForwardAuth(rules) => {
                forward_auth::answer(*rules, validator, &self.source, request).await
            }
        }
    }

    /// The same refusal with its cause, for the client too.
    async fn explained(
        &self,
        response: Response<Body>,
        pending: PendingDiagnosis,
        id: &RequestId,
    ) -> Response<Body> {
        let diagnosis = self.diagnoses.make(pending).await;
        let refused: Option<&Rejection> = response.extensions().get();
        let (Some(refused), Some(diagnosis)) = (refused, diagnosis) else {
            return response;
        };
        let refused = refused.clone();
        let refused = refused.with_diagnosis(diagnosis, DiagnosisRule::InMessage);
        match self.behind {
            Behind::ForwardAuth(_) => forward_auth::denial(refused, id.clone()),
            Behind::Mock | Behind::Proxy(_) => {
                refusal::<RequestBody>(refused, id.clone()).map(Body::new)
            }
        }
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

/// The answer to `CONNECT`: an API has nothing to connect to.
fn no_tunnel() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let methods = HeaderValue::from_static("GET, POST");
    response.headers_mut().insert(ALLOW, methods);
    response
}

/// The answer to a request that bears no proof of having been admitted: it goes nowhere.
pub(crate) fn never_judged() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
