//! The body of a request: read up to a limit, and handed on as it was.

use std::convert::Infallible;
use std::fmt;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http::header::EXPECT;
use http_body::{Body, Frame, SizeHint};

/// The whole body of a request that was admitted, and its trailers if it had any.
#[derive(Clone, Default)]
pub struct RequestBody {
    data: Bytes,
    trailers: Option<HeaderMap>,
}

impl RequestBody {
    /// What is left of the body to be read; all of it until somebody reads.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.data
    }
}

impl From<Bytes> for RequestBody {
    fn from(data: Bytes) -> Self {
        Self {
            data,
            trailers: None,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let frame = if this.data.is_empty() {
            this.trailers.take().map(Frame::trailers)
        } else {
            Some(Frame::data(mem::take(&mut this.data)))
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        u64::try_from(self.data.len()).map_or_else(|_| SizeHint::new(), SizeHint::with_exact)
    }
}

impl fmt::Debug for RequestBody {
    /// Does not show the bytes: they may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestBody({} bytes)", self.data.len())
    }
}

/// A body that is being read.
#[derive(Debug)]
pub(super) struct Reader {
    limit: usize,
    /// The client sends the body only once it is asked for, which the server does when it reads.
    awaits_continue: bool,
    read: Read,
    trailers: Option<HeaderMap>,
}

/// What was read. A body that comes in one piece is not copied, and nothing is reserved for what a client only announces.
#[derive(Debug)]
enum Read {
    Whole(Bytes),
    Joined(BytesMut),
}

/// Why a body has no end.
#[derive(Debug)]
pub(super) enum CutOff<E> {
    /// It is longer than the limit, and was not read further.
    TooLong,
    /// It failed.
    Failed(E),
}

impl Reader {
    pub(super) fn new(limit: usize, headers: &HeaderMap) -> Self {
        let expected = headers.get(EXPECT);
        Self {
            limit,
            awaits_continue: expected
                .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")),
            read: Read::Whole(Bytes::new()),
            trailers: None,
        }
    }

    /// Reads on until the end, the limit or a failure.
    pub(super) fn poll_end<B: Body>(
        &mut self,
        mut body: Pin<&mut B>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CutOff<B::Error>>> {
        let limit = u64::try_from(self.limit).unwrap_or(u64::MAX);
        if self.awaits_continue && body.size_hint().lower() > limit {
            return Poll::Ready(Err(CutOff::TooLong));
        }
        loop {
            match ready!(body.as_mut().poll_frame(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(Err(error)) => return Poll::Ready(Err(CutOff::Failed(error))),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => {
                        self.push(data);
                        if self.bytes().len() > self.limit {
                            return Poll::Ready(Err(CutOff::TooLong));
                        }
                    }
                    Err(frame) => {
                        if let Ok(trailers) = frame.into_trailers() {
                            self.trailers = Some(trailers);
                        }
                    }
                },
            }
        }
    }

    /// Keeps a piece, and of one that goes beyond the limit so much that this can be seen.
    fn push(&mut self, mut piece: impl Buf) {
        let room = self.limit.saturating_add(1);
        let length = piece
            .remaining()
            .min(room.saturating_sub(self.bytes().len()));
        let piece = piece.copy_to_bytes(length);
        match &mut self.read {
            Read::Whole(first) if first.is_empty() => *first = piece,
            Read::Whole(first) if !piece.is_empty() => {
                let mut joined = BytesMut::from(mem::take(first));
                joined.extend_from_slice(&piece);
                self.read = Read::Joined(joined);
            }
            Read::Whole(_) => {}
            Read::Joined(joined) => joined.extend_from_slice(&piece),
        }
    }

    /// What was read so far.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.read {
            Read::Whole(bytes) => bytes,
            Read::Joined(bytes) => bytes,
        }
    }

    /// What was read, out of the reader.
    pub(super) fn take(&mut self) -> RequestBody {
        let read = mem::replace(&mut self.read, Read::Whole(Bytes::new()));
        RequestBody {
            data: match read {
                Read::Whole(bytes) => bytes,
                Read::Joined(bytes) => bytes.freeze(),
            },
            trailers: self.trailers.take(),
        }
    }
}
