//! One connection: HTTP/1.1 or HTTP/2, as its client likes, until it ends or may not stay open.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use axum::body::Body;
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use qcloud_validator::Admitted;
use qcloud_validator::tower::PeerAddr;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::select;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::activity::{Activity, Next};
use super::endpoint::Endpoint;
use super::places::Place;
use super::streams::{self, Streams};
use super::unsent::{AnswerBody, Stream};
use crate::config::gateway::ConnectionLimits;

/// A connection that was accepted.
pub(super) struct Connection {
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) peer: SocketAddr,
    pub(super) place: Place,
    pub(super) limits: ConnectionLimits,
    pub(super) activity: Arc<Activity>,
    pub(super) stop: CancellationToken,
}

impl Connection {
    /// Answers requests until the connection ends.
    pub(super) async fn serve<S>(self, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let this = Arc::new(self);
        let service = {
            let this = Arc::clone(&this);
            service_fn(move |request| Arc::clone(&this).answer(request))
        };
        let server = this.server();
        let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
        let mut deadline = pin!(sleep_until(Instant::now()));
        let mut stopping = false;
        loop {
            let next = poll_fn(|cx| {
                loop {
                    let now = Instant::now();
                    match this.activity.next(now) {
                        Next::Stay(until) => {
                            if deadline.is_elapsed() || deadline.deadline() > until {
                                deadline.as_mut().reset(until);
                            }
                            ready!(deadline.as_mut().poll(cx));
                        }
                        next => return Poll::Ready(next),
                    }
                }
            });
            select! {
                biased;
                end = connection.as_mut() => {
                    if let Err(error) = end {
                        this.ended(&error);
                    }
                    return;
                }
                () = this.stop.cancelled(), if !stopping => {
                    stopping = true;
                    connection.as_mut().graceful_shutdown();
                }
                next = next => match next {
                    Next::Close(overdue) => return this.ended(overdue.reason()),
                    Next::Leave => connection.as_mut().graceful_shutdown(),
                    Next::Stay(_) => {}
                },
            }
        }
    }

    fn ended(&self, cause: impl std::fmt::Display) {
        debug!(listener = self.endpoint.name(), peer = %self.peer, %cause, "the connection ended");
    }

    /// Answers one request. The future that this returns has noted it already.
    fn answer(
        self: Arc<Self>,
        mut request: Request<Incoming>,
    ) -> impl Future<Output = Result<Response<AnswerBody<Body>>, h2::Error>> {
        let mut exchange = self.activity.begin();
        async move {
            let place = self.place.request(request.headers(), self.limits.body);
            let Some(place) = place.await else {
                // Of this the client of HTTP/2 knows that it can be sent again.
                return Err(h2::Error::from(h2::Reason::REFUSED_STREAM));
            };
            exchange.hold(place);
            let version = request.version();
            request.extensions_mut().insert(PeerAddr(self.peer));
            let method = request.method().clone();
            let answer = self.endpoint.answer(request, self.peer).await;
            let mut answer = with_or_without_content(&method, answer);
            if exchange.is_last() && version != Version::HTTP_2 {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(CONNECTION, close);
            }
            let admitted: Option<&Arc<Admitted>> = answer.extensions().get();
            if admitted.is_some() {
                exchange.admit();
            }
            let stream =
                streams::current().unwrap_or_else(|| Stream::new(Arc::clone(&self.activity)));
            Ok(answer.map(|body| AnswerBody::new(body, version, stream, exchange)))
        }
    }

    fn server(&self) -> auto::Builder<Streams> {
        /// Of one connection; an attacker who resets streams at once is stopped by the defaults of the library.
        const STREAMS: u32 = 128;
        let mut server = auto::Builder::new(Streams(Arc::clone(&self.activity)));
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

/// Leaves out the content that an answer may not have: RFC 9110 sections 6.4.1 and 8.6.
fn with_or_without_content(method: &Method, answer: Response<Body>) -> Response<Body> {
    let is_empty = matches!(
        answer.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if !is_empty && method != Method::HEAD {
        return answer;
    }
    let length = answer
        .body()
        .size_hint()
        .exact()
        .filter(|length| *length > 0);
    let mut answer = answer.map(|_left_out| Body::empty());
    let headers = answer.headers_mut();
    if is_empty {
        headers.remove(CONTENT_LENGTH);
    } else if let Some(length) = length {
        headers.entry(CONTENT_LENGTH).or_insert(length.into());
    }
    answer
}
