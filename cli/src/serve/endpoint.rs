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
    PendingDiagnosis, RequestBody, RequestId, TransportSource, ValidatorLayer, ValidatorService,
    refusal,
};
use qcloud_validator::{AsyncValidator, DiagnosisRule, Rejection, Transport};
use tokio::time::Instant;
use tower::{Layer, ServiceExt};

use super::access_log::{self, Entry};
use super::body_deadline::BodyDeadline;
use super::cors;
use super::diagnoses::Diagnoses;
use super::forward_auth::{self, Answers};
use super::metrics;
use super::mock::Mock;
use super::proxy::{Forward, Proxy};
use super::stores::Kept;
use crate::config::cors::Preflights;
use crate::config::gateway::{self, ForwardAuth, ListenerConfig, LoggedRequests};
use crate::config::validator::Setup;

/// What requests are checked by, and who learns why one was refused.
pub(crate) struct Rules {
    validator: AsyncValidator,
    diagnosis: DiagnosisRule,
}

impl Rules {
    /// Makes the rules of a configuration, over the stores that are kept. The validator itself never searches for the cause
    /// of a refusal, since that would hold up other requests. The error is one line; then nothing has changed.
    pub(crate) fn new(mut setup: Setup, kept: &Kept) -> Result<Self, String> {
        let policy = setup.policy.clone().build();
        let diagnosis = policy.map_err(|error| error.to_string())?.diagnosis();
        if diagnosis == DiagnosisRule::InMessage {
            setup.policy = setup.policy.diagnosis(DiagnosisRule::ForOperator);
        }
        let validator = kept.validator(setup)?;
        Ok(Self {
            validator,
            diagnosis,
        })
    }
}

/// One listener's.
pub(crate) struct Endpoint {
    name: Box<str>,
    measures: metrics::Listener,
    behind: Behind,
    source: TransportSource,
    /// A reload puts another one in its place, and requests that have begun end with theirs.
    current: ArcSwap<Current>,
    diagnoses: Arc<Diagnoses>,
    preflights: Preflights,
    logged: LoggedRequests,
    /// How long a client may take over a body.
    body: Duration,
}

/// What is behind the validator, also after a reload.
enum Behind {
    Mock,
    Proxy(Forward),
    ForwardAuth(ForwardAuth),
}

/// What answers requests, made once for all of them.
struct Current {
    mode: Mode,
    diagnosis: DiagnosisRule,
}

/// The validator with what is behind it.
enum Mode {
    Mock(ValidatorService<Mock>),
    Proxy(Box<Proxy>),
    ForwardAuth(Answers),
}

impl Endpoint {
    pub(crate) fn new(
        config: &ListenerConfig,
        name: String,
        rules: &Rules,
        diagnoses: Arc<Diagnoses>,
        logged: LoggedRequests,
        body: Duration,
    ) -> Result<Self, String> {
        let source = match (&config.tls, &config.mode) {
            (_, gateway::Mode::ForwardAuth(_)) | (None, _)
                if !config.trusted_proxies.is_empty() =>
            {
                TransportSource::ForwardedFrom(config.trusted_proxies.clone())
            }
            (Some(_), _) => TransportSource::Connection(Transport::Https),
            (None, _) => TransportSource::Connection(Transport::Http),
        };
        let behind = match &config.mode {
            gateway::Mode::Mock => Behind::Mock,
            gateway::Mode::Proxy(upstream) => Behind::Proxy(Forward::new(upstream)?),
            gateway::Mode::ForwardAuth(forward_auth) => Behind::ForwardAuth(*forward_auth),
        };
        Ok(Self {
            measures: metrics::Listener::new(&name),
            name: name.into(),
            current: ArcSwap::from_pointee(behind.with(rules, &source)),
            behind,
            source,
            diagnoses,
            preflights: config.preflights.clone(),
            logged,
            body,
        })
    }

    /// Checks the next request by other rules.
    pub(crate) fn take(&self, rules: &Rules) {
        let current = self.behind.with(rules, &self.source);
        self.current.store(Arc::new(current));
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
        let current = self.current.load_full();
        let origins = match &self.preflights {
            Preflights::Answer(origins) => Some(origins),
            Preflights::Refuse | Preflights::Pass => None,
        };
        let allowed = origins.and_then(|origins| origins.allow(request.headers()));
        let mut response = self.respond(&current.mode, request, &id).await;
        let mut pending: Option<PendingDiagnosis> = response.extensions_mut().remove();
        if current.diagnosis == DiagnosisRule::InMessage
            && let Some(pending) = pending.take()
        {
            response = self.explained(&current.mode, response, pending, &id).await;
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
        mode: &Mode,
        request: Request<BodyDeadline>,
        id: &RequestId,
    ) -> Response<Body> {
        if request.method() == Method::CONNECT {
            return no_tunnel();
        }
        if cors::is_preflight(&request) {
            match (&self.preflights, mode) {
                (Preflights::Answer(origins), _) if origins.allow(request.headers()).is_some() => {
                    return cors::answer(request.headers());
                }
                (Preflights::Pass, Mode::Proxy(proxy)) => {
                    return proxy.pass_unverified(request, id).await;
                }
                _ => {}
            }
        }
        match mode {
            Mode::Mock(mock) => match mock.clone().oneshot(request).await {
                Ok(response) => response.map(Body::new),
                Err(never) => match never {},
            },
            Mode::Proxy(proxy) => proxy.answer(request).await,
            Mode::ForwardAuth(answers) => answers.answer(request).await,
        }
    }

    /// The same refusal with its cause, for the client too.
    async fn explained(
        &self,
        mode: &Mode,
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
        match mode {
            Mode::ForwardAuth(_) => forward_auth::denial(refused, id.clone()),
            Mode::Mock(_) | Mode::Proxy(_) => {
                refusal::<RequestBody>(refused, id.clone()).map(Body::new)
            }
        }
    }
}

impl Behind {
    fn with(&self, rules: &Rules, source: &TransportSource) -> Current {
        let (validator, source) = (rules.validator.clone(), source.clone());
        let mode = match self {
            Self::Mock => Mode::Mock(ValidatorLayer::new(validator, source).layer(Mock)),
            Self::Proxy(forward) => {
                Mode::Proxy(Box::new(Proxy::new(forward.clone(), validator, source)))
            }
            Self::ForwardAuth(rules) => Mode::ForwardAuth(Answers::new(*rules, validator, source)),
        };
        Current {
            mode,
            diagnosis: rules.diagnosis,
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
pub(crate) fn not_admitted() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
