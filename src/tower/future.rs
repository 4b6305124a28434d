//! A request on its way: its body is read, the validator decides, the inner service answers.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

#[cfg(feature = "diagnose")]
use super::PendingDiagnosis;
use super::body::{CutOff, Reader};
use super::layer::Settings;
use super::response::refusal_of;
use super::{Arrival, BodyFailure, RequestBody, ResponseBody};
use crate::admitted::Admitted;
use crate::rejection::Rejection;
use crate::request::Payload;
use crate::stage::Received;

pin_project! {
    /// What becomes of one request. May be dropped at any time; see
    /// [`AsyncValidator`](crate::AsyncValidator#dropping-the-future) for what that leaves behind.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<RequestBody>>,
    {
        inner: S,
        settings: Arc<Settings>,
        #[pin]
        state: State<B, S::Future>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<B, F> {
        Reading {
            request: Request<()>,
            reader: Reader,
            #[pin]
            body: B,
        },
        Deciding {
            decision: Decision,
        },
        Answering {
            #[pin]
            answer: F,
        },
    }
}

/// The only box: what the validator borrows is in the future itself.
type Decision = Pin<Box<dyn Future<Output = Decided> + Send>>;

struct Decided {
    request: Request<RequestBody>,
    verdict: Result<Admitted, Rejection>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<RequestBody>>,
{
    pub(super) fn new(inner: S, request: Request<B>, settings: Arc<Settings>) -> Self {
        let limit = {
            let arrival = Arrival::new(&request, &settings.source);
            let view = arrival.view(Payload::Unseen);
            Received::new(&view, settings.validator.policy()).body_limit()
        };
        let (parts, body) = request.into_parts();
        Self {
            inner,
            settings,
            state: State::Reading {
                reader: Reader::new(limit, &parts.headers),
                request: Request::from_parts(parts, ()),
                body,
            },
        }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody>, Response = Response<R>>,
    B: Body,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    R: Body<Data = Bytes>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Reading {
                    request,
                    reader,
                    body,
                } => match ready!(reader.poll_end(body, cx)) {
                    Ok(()) => {
                        let (parts, ()) = mem::take(request).into_parts();
                        let request = Request::from_parts(parts, reader.take());
                        let decision = decide(request, Arc::clone(this.settings));
                        this.state.set(State::Deciding { decision });
                    }
                    Err(cut_off) => {
                        let refused = refuse(request, reader, &cut_off, this.settings);
                        let mut response = refusal_of(refused, request.extensions());
                        if let CutOff::Failed(cause) = cut_off {
                            let failure = BodyFailure::new(cause.into());
                            response.extensions_mut().insert(failure);
                        }
                        return Poll::Ready(Ok(response));
                    }
                },
                StateProjection::Deciding { decision } => {
                    let Decided {
                        mut request,
                        verdict,
                    } = ready!(decision.as_mut().poll(cx));
                    match verdict {
                        Ok(admitted) => {
                            request.extensions_mut().insert(Arc::new(admitted));
                            let answer = this.inner.call(request);
                            this.state.set(State::Answering { answer });
                        }
                        Err(refused) => {
                            #[cfg(feature = "diagnose")]
                            let body = request.body().bytes().clone();
                            #[cfg_attr(not(feature = "diagnose"), expect(unused_mut))]
                            let mut response = refusal_of(refused, request.extensions());
                            #[cfg(feature = "diagnose")]
                            PendingDiagnosis::keep(
                                &mut response,
                                &this.settings.validator,
                                &this.settings.source,
                                request.map(drop),
                                Some(body),
                            );
                            return Poll::Ready(Ok(response));
                        }
                    }
                }
                StateProjection::Answering { answer } => {
                    let answer = ready!(answer.poll(cx));
                    return Poll::Ready(answer.map(|answer| answer.map(ResponseBody::inner)));
                }
            }
        }
    }
}

fn decide(request: Request<RequestBody>, settings: Arc<Settings>) -> Decision {
    Box::pin(async move {
        let verdict = {
            let arrival = Arrival::new(&request, &settings.source);
            let view = arrival.view(Payload::Bytes(request.body().bytes()));
            settings.validator.check(&view).await
        };
        Decided { request, verdict }
    })
}

/// Refuses a request whose body was not read to its end. No store is asked.
#[cold]
fn refuse<E>(
    request: &Request<()>,
    reader: &Reader,
    cut_off: &CutOff<E>,
    settings: &Settings,
) -> Rejection {
    let arrival = Arrival::new(request, &settings.source);
    let view = arrival.view(Payload::Bytes(reader.bytes()));
    let received = Received::new(&view, settings.validator.policy());
    match cut_off {
        CutOff::TooLong => received.refuse_too_long(),
        CutOff::Failed(_) => received.refuse_cut_off(),
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture")
            .field(
                "state",
                &match &self.state {
                    State::Reading { .. } => "reading",
                    State::Deciding { .. } => "deciding",
                    State::Answering { .. } => "answering",
                },
            )
            .finish_non_exhaustive()
    }
}
