//! Answers on their way to a client: which of their bytes it has not taken yet.

use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use hyper::body::{Body, Frame, SizeHint};
use hyper::{HeaderMap, Version};
use pin_project_lite::pin_project;
use tokio::time::{Instant, Sleep, sleep_until};

use super::activity::{Activity, Exchange};
use super::pace::Pace;

/// One answer on its way: a stream of HTTP/2, or the one answer that a connection of HTTP/1.1 has at a time.
pub(super) struct Stream {
    activity: Arc<Activity>,
    state: Mutex<State>,
}

struct State {
    unsent: usize,
    pace: Pace,
    /// Of the task that waits until nothing is unsent.
    waiter: Option<Waker>,
}

impl Stream {
    pub(super) fn new(activity: Arc<Activity>) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                unsent: 0,
                pace: Pace::new(activity.patience()),
                waiter: None,
            }),
            activity,
        })
    }

    /// Waits until the client has taken too little for too long. Looks again each time that it is polled.
    pub(super) async fn stalled(&self) {
        let mut timer: Option<Pin<Box<Sleep>>> = None;
        poll_fn(|cx| {
            loop {
                let now = Instant::now();
                let Some(deadline) = self.lock().pace.deadline(now) else {
                    return Poll::Pending;
                };
                if deadline <= now {
                    return Poll::Ready(());
                }
                let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
                if timer.is_elapsed() || timer.deadline() > deadline {
                    timer.as_mut().reset(deadline);
                }
                ready!(timer.as_mut().poll(cx));
            }
        })
        .await;
    }

    fn ready(self: &Arc<Self>, bytes: Bytes) -> UnsentBytes {
        let now = Instant::now();
        if !bytes.is_empty() {
            let mut state = self.lock();
            let streams = usize::from(state.unsent == 0);
            state.unsent = state.unsent.saturating_add(bytes.len());
            state.pace.start(now);
            self.activity.ready(bytes.len(), streams, now);
        }
        UnsentBytes {
            bytes,
            stream: Arc::clone(self),
        }
    }

    fn took(&self, bytes: usize) {
        let now = Instant::now();
        let mut state = self.lock();
        state.unsent = state.unsent.saturating_sub(bytes);
        let done = state.unsent == 0;
        let sharing = self.activity.took(bytes, usize::from(done), now);
        state.pace.take(bytes, sharing, now);
        if done {
            state.pace.restart();
            state.wake();
        }
    }

    fn gave_up(&self, bytes: usize) {
        let now = Instant::now();
        let mut state = self.lock();
        state.unsent = state.unsent.saturating_sub(bytes);
        let done = state.unsent == 0;
        self.activity.gave_up(bytes, usize::from(done), now);
        if done {
            state.pace.stop(now);
            state.wake();
        }
    }

    /// Waits until nothing is unsent.
    fn poll_all_sent(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.unsent == 0 {
            return Poll::Ready(());
        }
        state.waiter = Some(cx.waker().clone());
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }
}

/// Bytes of an answer that the server has and the client has not. The server [advances](Buf::advance) them when the socket
/// takes them, and drops them when their stream is reset.
pub(super) struct UnsentBytes {
    bytes: Bytes,
    stream: Arc<Stream>,
}

impl Buf for UnsentBytes {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn chunks_vectored<'b>(&'b self, slices: &mut [IoSlice<'b>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        if count > 0 {
            self.stream.took(count);
        }
    }
}

impl Drop for UnsentBytes {
    fn drop(&mut self) {
        if self.bytes.has_remaining() {
            self.stream.gave_up(self.bytes.len());
        }
    }
}

pin_project! {
    /// The body of an answer: its request goes on until it is sent.
    ///
    /// In HTTP/2 the server holds it until the client's windows let the last byte through. Otherwise the server would end a
    /// stream whose bytes still wait, and only closing the whole connection could give them up.
    pub(super) struct AnswerBody<B> {
        #[pin]
        body: B,
        version: Version,
        kept_back: Option<KeptBack>,
        stream: Arc<Stream>,
        _exchange: Exchange,
    }
}

enum KeptBack {
    /// The server takes it when the windows have room for all that comes before it.
    LastByte(Bytes),
    /// The end of a body whose length was not known, and its trailers.
    End(Option<HeaderMap>),
}

impl<B> AnswerBody<B> {
    pub(super) fn new(body: B, version: Version, stream: Arc<Stream>, exchange: Exchange) -> Self {
        Self {
            body,
            version,
            kept_back: None,
            stream,
            _exchange: exchange,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for AnswerBody<B> {
    type Data = UnsentBytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<UnsentBytes>, B::Error>>> {
        let mut this = self.project();
        let is_http2 = *this.version == Version::HTTP_2;
        loop {
            match this.kept_back.take() {
                Some(KeptBack::LastByte(byte)) => {
                    return Poll::Ready(Some(Ok(Frame::data(this.stream.ready(byte)))));
                }
                Some(KeptBack::End(trailers)) => {
                    if this.stream.poll_all_sent(cx).is_pending() {
                        *this.kept_back = Some(KeptBack::End(trailers));
                        return Poll::Pending;
                    }
                    return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
                }
                None => {}
            }
            let frame = match ready!(this.body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if is_http2 => {
                    *this.kept_back = Some(KeptBack::End(None));
                    continue;
                }
                None => return Poll::Ready(None),
            };
            match frame.into_data() {
                Ok(mut data) => {
                    if is_http2 && data.len() > 1 && this.body.is_end_stream() {
                        let last = data.split_off(data.len().saturating_sub(1));
                        *this.kept_back = Some(KeptBack::LastByte(last));
                    }
                    return Poll::Ready(Some(Ok(Frame::data(this.stream.ready(data)))));
                }
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) if is_http2 => {
                        *this.kept_back = Some(KeptBack::End(Some(trailers)));
                    }
                    Ok(trailers) => return Poll::Ready(Some(Ok(Frame::trailers(trailers)))),
                    Err(_unknown) => {}
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.kept_back.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
