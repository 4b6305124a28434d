//! Accepts connections on one address, and sets limits to how many there are.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::activity::Activity;
use super::connection::Connection;
use super::endpoint::Endpoint;
use super::places::{Place, Places};
use super::socket::ClientSocket;
use crate::config::gateway::ConnectionLimits;

/// How many heads of full length may wait on one connection.
const WAITING_HEADS: usize = 4;

/// What all listeners share.
#[derive(Clone)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    places: Places,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits, stop: CancellationToken) -> Self {
        Self {
            limits,
            places: Places::new(limits.total.get()),
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Accepts until the gateway stops.
    pub(crate) fn listen(
        &self,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        endpoint: Arc<Endpoint>,
    ) {
        let connections = self.clone();
        self.tasks.spawn(async move {
            let stop = connections.stop.clone();
            select! {
                () = stop.cancelled() => {}
                () = connections.accept(listener, tls, endpoint) => {}
            }
        });
    }

    /// Waits until every request that has begun is answered, for as long as the limits say; whether that sufficed.
    pub(crate) async fn drained(&self) -> bool {
        self.tasks.close();
        tokio::time::timeout(self.limits.drain, self.tasks.wait())
            .await
            .is_ok()
    }

    async fn accept(
        self,
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        endpoint: Arc<Endpoint>,
    ) {
        let mut failures = Failures::default();
        loop {
            let (stream, peer) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    failures.note(&endpoint, &error);
                    // There are too many open files, or one connection broke before it was accepted. The others must get
                    // the time to end.
                    sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // Asked for only now: a listener without clients must not keep a place from the others. Where all are taken,
            // further clients wait in the queue of the operating system.
            let waiting = self.limits.head_bytes.saturating_mul(WAITING_HEADS);
            let Some(place) = self.places.connection(waiting).await else {
                return;
            };
            let connection = self.clone();
            let (tls, endpoint) = (tls.clone(), Arc::clone(&endpoint));
            self.tasks
                .spawn(connection.serve(stream, peer, tls, endpoint, place));
        }
    }

    async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        endpoint: Arc<Endpoint>,
        place: Place,
    ) {
        let _open = endpoint.measures().connected();
        let until = Instant::now().checked_add(self.limits.head);
        let activity = Activity::new(self.limits);
        let stream = ClientSocket::new(stream, &self.limits, Arc::clone(&activity));
        let connection = Connection {
            endpoint: Arc::clone(&endpoint),
            peer,
            place,
            limits: self.limits,
            activity,
            stop: self.stop,
        };
        match (tls, until) {
            (Some(tls), Some(until)) => match timeout_at(until, tls.accept(stream)).await {
                Ok(Ok(stream)) => connection.serve(stream).await,
                Ok(Err(error)) => debug!(listener = endpoint.name(), %peer, %error, "no TLS"),
                Err(_) => debug!(listener = endpoint.name(), %peer, "no TLS in time"),
            },
            _ => connection.serve(stream).await,
        }
    }
}

/// What went wrong in accepting: one line in each period, however often it happens.
#[derive(Default)]
struct Failures {
    logged: Option<Instant>,
    unlogged: u64,
}

impl Failures {
    fn note(&mut self, endpoint: &Endpoint, error: &io::Error) {
        const PERIOD: Duration = Duration::from_secs(10);
        let now = Instant::now();
        if self
            .logged
            .is_some_and(|at| now.duration_since(at) < PERIOD)
        {
            self.unlogged = self.unlogged.saturating_add(1);
            return;
        }
        warn!(listener = endpoint.name(), %error, unlogged = self.unlogged, "a connection could not be accepted");
        *self = Self {
            logged: Some(now),
            unlogged: 0,
        };
    }
}
