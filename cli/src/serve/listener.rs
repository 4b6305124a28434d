//! Accepts connections on one address, and decides how long each may stay: until it has been idle too long, or the gateway
//! stops.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Request;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use pin_project_lite::pin_project;
use qcloud_validator::tower::PeerAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::endpoint::Door;
use crate::config::gateway::ConnectionLimits;

/// What all listeners share.
#[derive(Clone)]
pub(crate) struct Connections {
    limits: ConnectionLimits,
    permits: Arc<Semaphore>,
    /// As many requests as connections: one of HTTP/2 has many, each of which may hold a whole body.
    requests: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Connections {
    pub(crate) fn new(limits: ConnectionLimits, stop: CancellationToken) -> Self {
        Self {
            limits,
            permits: Arc::new(Semaphore::new(limits.total.get())),
            requests: Arc::new(Semaphore::new(limits.total.get())),
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// Accepts until the gateway stops.
    pub(crate) fn listen(&self, listener: TcpListener, tls: Option<TlsAcceptor>, door: Arc<Door>) {
        let connections = self.clone();
        self.tasks.spawn(async move {
            let stop = connections.stop.clone();
            select! {
                () = stop.cancelled() => {}
                () = connections.accept(listener, tls, door) => {}
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

    async fn accept(self, listener: TcpListener, tls: Option<TlsAcceptor>, door: Arc<Door>) {
        // Where the limit is reached, further clients wait in the queue of the operating system.
        while let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let connection = self.clone();
                    let (tls, door) = (tls.clone(), Arc::clone(&door));
                    self.tasks
                        .spawn(connection.serve(stream, peer, tls, door, permit));
                }
                Err(error) => {
                    // One connection failed before it was accepted, or the process has too many open files: then the
                    // others must get the time to end.
                    warn!(listener = door.name(), %error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        tls: Option<TlsAcceptor>,
        door: Arc<Door>,
        _permit: OwnedSemaphorePermit,
    ) {
        let _open = door.measures().connected();
        let until = Instant::now().checked_add(self.limits.head);
        // Answers are small and must not wait for more of them.
        let _ = stream.set_nodelay(true);
        let mut stream = TimeoutStream::new(stream);
        // A client that does not read what it asked for.
        stream.set_write_timeout(Some(self.limits.body));
        let stream = Box::pin(stream);
        match (tls, until) {
            (Some(tls), Some(until)) => match timeout_at(until, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.converse(stream, peer, door).await,
                Ok(Err(error)) => debug!(listener = door.name(), %peer, %error, "no TLS"),
                Err(_) => debug!(listener = door.name(), %peer, "no TLS in time"),
            },
            _ => self.converse(stream, peer, door).await,
        }
    }

    /// HTTP/1.1 or HTTP/2 over a connection, as the client likes.
    async fn converse<S>(self, stream: S, peer: SocketAddr, door: Arc<Door>)
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let activity = Arc::new(Activity::default());
        let service = {
            let (activity, door) = (Arc::clone(&activity), Arc::clone(&door));
            let requests = Arc::clone(&self.requests);
            service_fn(move |mut request: Request<Incoming>| {
                let busy = activity.begin();
                let (door, requests) = (Arc::clone(&door), Arc::clone(&requests));
                request.extensions_mut().insert(PeerAddr(peer));
                async move {
                    // Nobody closes it, so that there is a permit.
                    let permit = requests.acquire_owned().await.ok();
                    let answer = door.answer(request, peer).await;
                    drop(permit);
                    Ok::<_, Infallible>(answer.map(|body| Sent { body, _busy: busy }))
                }
            })
        };
        let server = self.server();
        let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
        let mut stopping = false;
        let mut deadline = Instant::now().checked_add(self.limits.head);
        loop {
            select! {
                biased;
                end = connection.as_mut() => {
                    if let Err(error) = end {
                        debug!(listener = door.name(), %peer, %error, "the connection broke");
                    }
                    return;
                }
                () = self.stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = at(deadline) => {
                    if activity.is_idle_since_asked() {
                        return;
                    }
                    deadline = Instant::now().checked_add(self.limits.idle);
                }
            }
        }
    }

    fn server(&self) -> auto::Builder<TokioExecutor> {
        /// Of one connection; an attacker who resets streams at once is stopped by the defaults of the library.
        const STREAMS: u32 = 128;
        let mut server = auto::Builder::new(TokioExecutor::new());
        // How long a head may take is measured by the connection, in the same way for both versions.
        server
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(self.limits.head_bytes);
        server
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS)
            .max_header_list_size(u32::try_from(self.limits.head_bytes).unwrap_or(u32::MAX))
            .keep_alive_interval(Some(self.limits.idle))
            .keep_alive_timeout(self.limits.head);
        server
    }
}

/// Never, if the deadline is beyond what the clock can show.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Whether anything happens on a connection.
#[derive(Default)]
struct Activity {
    /// Requests that are being answered.
    busy: AtomicUsize,
    /// Requests that have begun since somebody asked.
    begun: AtomicUsize,
}

impl Activity {
    fn begin(self: &Arc<Self>) -> Busy {
        self.busy.fetch_add(1, Ordering::AcqRel);
        self.begun.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(self))
    }

    fn is_idle_since_asked(&self) -> bool {
        self.begun.swap(0, Ordering::AcqRel) == 0 && self.busy.load(Ordering::Acquire) == 0
    }
}

pin_project! {
    /// The body of an answer: until it is sent, its connection is not idle.
    struct Sent<B> {
        #[pin]
        body: B,
        _busy: Busy,
    }
}

impl<B: Body> Body for Sent<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.project().body.poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request that is being answered.
struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}
