//! Connections to the service behind, each of HTTP/1.1, used again while the service keeps them open.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use super::access_log::chain;
use super::keep_alive::KeepAlive;
use crate::config::gateway;

type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a request to a service.
pub(super) type Outgoing = UnsyncBoxBody<Bytes, BoxError>;

/// Connections that may wait for the next request.
pub(super) const IDLE_CONNECTIONS: usize = 256;

/// Fields in the head of an answer.
const FIELDS: usize = 512;
/// Bytes of the head of an answer, and of what is read ahead of a client.
const BUFFER: usize = 262_144;

/// The service behind.
#[derive(Clone)]
pub(super) struct Service(Arc<Shared>);

struct Shared {
    origin: Uri,
    connector: HttpsConnector<HttpConnector>,
    connect_timeout: Duration,
    timeout: Duration,
    pool: Mutex<Pool>,
}

/// Connections without a request, the one that has waited longest first.
struct Pool {
    idle: VecDeque<Connection>,
    keep_alive: KeepAlive,
    sweeper: Sweeper,
}

/// Whether a task closes connections that have waited too long.
#[derive(PartialEq)]
enum Sweeper {
    Runs,
    Rests,
}

struct Connection {
    sender: SendRequest<Outgoing>,
    waiting: Arc<Waiting>,
}

/// Since when a connection waits for a request, as long as it does.
#[derive(Default)]
struct Waiting(Mutex<Option<Instant>>);

impl Waiting {
    fn begin(&self, now: Instant) {
        *self.since() = Some(now);
    }

    /// How long it has waited; nothing if it does not wait any more.
    fn so_far(&self, now: Instant) -> Option<Duration> {
        self.since().map(|since| now.duration_since(since))
    }

    /// Ends it, and returns how long it was.
    fn end(&self, now: Instant) -> Option<Duration> {
        self.since().take().map(|since| now.duration_since(since))
    }

    fn since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a service gave no answer.
pub(super) enum Failure {
    NoConnection(BoxError),
    NoAnswer(hyper::Error),
    TooSlow,
    SwitchedProtocols,
}

impl Service {
    /// Connects when the first request comes. The error is one line.
    pub(super) fn new(config: &gateway::Upstream) -> Result<Self, String> {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| format!("the certificates that this system trusts: {error}"))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Self(Arc::new(Shared {
            origin: config.origin.clone(),
            connector,
            connect_timeout: config.connect_timeout,
            timeout: config.timeout,
            pool: Mutex::new(Pool {
                idle: VecDeque::new(),
                keep_alive: KeepAlive::new(config.idle),
                sweeper: Sweeper::Rests,
            }),
        })))
    }

    pub(super) fn origin(&self) -> &Uri {
        &self.0.origin
    }

    /// Sends a request, and returns the answer when its head is there. A request of which nothing was written, because its
    /// connection had been closed, is sent over another one.
    pub(super) async fn send(
        &self,
        request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, Failure> {
        let answer = timeout(self.0.timeout, self.try_send(request)).await;
        answer.unwrap_or(Err(Failure::TooSlow))
    }

    async fn try_send(
        &self,
        mut request: Request<Outgoing>,
    ) -> Result<Response<Incoming>, Failure> {
        loop {
            let (mut connection, waited) = match self.take() {
                Some((connection, waited)) => (connection, Some(waited)),
                None => (self.connect().await?, None),
            };
            let mut failed = match connection.sender.try_send_request(request).await {
                Ok(answer) => return self.answered(connection, answer),
                Err(failed) => failed,
            };
            let unwritten = failed.take_message();
            let cause = failed.into_error();
            let Some(waited) = waited.filter(|_| !cause.is_parse()) else {
                return Err(Failure::NoAnswer(cause));
            };
            self.pool().keep_alive.closed(waited, Instant::now());
            request = unwritten.ok_or(Failure::NoAnswer(cause))?;
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let shared = &self.0;
        let connecting = shared.connector.clone().oneshot(shared.origin.clone());
        let stream = timeout(shared.connect_timeout, connecting).await;
        let stream = stream.unwrap_or_else(|_| Err("it took too long".into()));
        let handshake = Builder::new()
            .max_headers(FIELDS)
            .max_buf_size(BUFFER)
            .handshake(stream.map_err(Failure::NoConnection)?)
            .await;
        let (sender, connection) = handshake.map_err(Failure::NoAnswer)?;
        let waiting = Arc::<Waiting>::default();
        let (service, waits) = (self.clone(), Arc::clone(&waiting));
        tokio::spawn(async move {
            // The sender of a request learns what went wrong with it.
            let _ = connection.await;
            service.closed(&waits);
        });
        Ok(Connection { sender, waiting })
    }

    /// Lets the connection be used again once the answer has been read.
    fn answered(
        &self,
        mut connection: Connection,
        answer: Response<Incoming>,
    ) -> Result<Response<Incoming>, Failure> {
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Err(Failure::SwitchedProtocols);
        }
        if connection.sender.is_ready() {
            self.keep(connection);
        } else {
            let service = self.clone();
            tokio::spawn(async move {
                if connection.sender.ready().await.is_ok() {
                    service.keep(connection);
                }
            });
        }
        Ok(answer)
    }

    fn keep(&self, connection: Connection) {
        let now = Instant::now();
        let mut pool = self.pool();
        if pool.keep_alive.limit(now).is_zero() {
            return;
        }
        connection.waiting.begin(now);
        if connection.sender.is_closed() {
            pool.keep_alive.closed(Duration::ZERO, now);
            return;
        }
        pool.idle.push_back(connection);
        if pool.idle.len() > IDLE_CONNECTIONS {
            pool.close_oldest(now);
        }
        if pool.sweeper == Sweeper::Rests {
            pool.sweeper = Sweeper::Runs;
            tokio::spawn(self.clone().sweep());
        }
    }

    /// A connection that can be used again, and how long it has waited.
    fn take(&self) -> Option<(Connection, Duration)> {
        let now = Instant::now();
        let mut pool = self.pool();
        pool.close_old(now);
        let waited = pool.idle.front()?.waiting.so_far(now)?;
        if !pool.keep_alive.allows(waited, now) {
            return None;
        }
        let connection = pool.idle.pop_front()?;
        let waited = connection.waiting.end(now)?;
        Some((connection, waited))
    }

    /// Notes that a connection has ended, if it was the service that closed it while it waited.
    fn closed(&self, waiting: &Waiting) {
        let now = Instant::now();
        let mut pool = self.pool();
        if let Some(waited) = waiting.end(now) {
            pool.keep_alive.closed(waited, now);
            pool.idle
                .retain(|connection| connection.waiting.so_far(now).is_some());
        }
    }

    /// Closes connections that have waited too long, until none is left.
    async fn sweep(self) {
        loop {
            let now = Instant::now();
            let next = {
                let mut pool = self.pool();
                pool.close_old(now);
                let oldest = pool.idle.front();
                let waited = oldest.and_then(|connection| connection.waiting.so_far(now));
                let Some(waited) = waited else {
                    pool.sweeper = Sweeper::Rests;
                    return;
                };
                pool.keep_alive.limit(now).saturating_sub(waited)
            };
            sleep(next).await;
        }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.0.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    fn close_old(&mut self, now: Instant) {
        let limit = self.keep_alive.limit(now);
        let is_old = |connection: &Connection| {
            let waited = connection.waiting.so_far(now);
            waited.is_none_or(|waited| waited >= limit)
        };
        while self.idle.front().is_some_and(is_old) {
            self.close_oldest(now);
        }
    }

    fn close_oldest(&mut self, now: Instant) {
        if let Some(connection) = self.idle.pop_front() {
            // It is the gateway that closes it.
            connection.waiting.end(now);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(cause) => write!(f, "no connection: {}", chain(&**cause)),
            Self::NoAnswer(cause) => write!(f, "no answer: {}", chain(cause)),
            Self::TooSlow => f.write_str("it did not answer in time"),
            Self::SwitchedProtocols => f.write_str("it switched protocols without being asked"),
        }
    }
}
