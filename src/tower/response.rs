//! The answer: the inner service's as it is, or a refusal in the envelope of its dialect.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Extensions, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use crate::rejection::Rejection;

/// The id of a request. A refusal carries the one that an outer layer put into the extensions of the request, and a random
/// UUID where there is none; either way it is in the extensions of the response, for the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// Any text.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// A UUID in lower case, as the vendor's are.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().to_string().into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why the body of a request could not be read to its end, for the operator: an extension of the response to it.
#[derive(Clone, Debug)]
pub struct BodyFailure(Arc<dyn Error + Send + Sync>);

impl BodyFailure {
    pub(super) fn new(cause: Box<dyn Error + Send + Sync>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for BodyFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body of the request could not be read to its end")
    }
}

impl Error for BodyFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// The refusal of a request with these extensions.
pub(super) fn refusal_of<B>(refused: Rejection, request: &Extensions) -> Response<ResponseBody<B>> {
    let id = request.get().cloned().unwrap_or_else(RequestId::random);
    refusal(refused, id)
}

/// The answer that the layer gives to a refused request, for a service behind it that refuses too
/// ([`Admitted::refuse`](crate::Admitted::refuse)).
///
/// ```
/// use qcloud_validator::tower::{RequestBody, RequestId, refusal};
/// use qcloud_validator::{Dialect, Language, Reason, Rejection};
///
/// let refused = Rejection::new(Reason::BackendFailed, Dialect::V3, Language::EnUs);
/// let response = refusal::<RequestBody>(refused, RequestId::random());
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.headers()["content-type"], "application/json");
/// ```
#[must_use]
pub fn refusal<B>(refused: Rejection, id: RequestId) -> Response<ResponseBody<B>> {
    let text = refused.response(id.as_str());
    let mut response = Response::new(ResponseBody {
        kind: Kind::Refusal {
            text: Bytes::from(text),
        },
    });
    *response.status_mut() = StatusCode::from_u16(refused.http_status()).unwrap_or_default();
    let content_type = HeaderValue::from_static(refused.content_type());
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response.extensions_mut().insert(id);
    response.extensions_mut().insert(refused);
    response
}

pin_project! {
    /// The body of an answer: the inner service's, or the text of a refusal.
    pub struct ResponseBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Inner {
            #[pin]
            body: B,
        },
        Refusal {
            text: Bytes,
        },
    }
}

impl<B> ResponseBody<B> {
    pub(super) fn inner(body: B) -> Self {
        Self {
            kind: Kind::Inner { body },
        }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Inner { body } => body.poll_frame(cx),
            KindProjection::Refusal { text } if text.is_empty() => Poll::Ready(None),
            KindProjection::Refusal { text } => {
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(text)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Refusal { text } => text.is_empty(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Refusal { text } => {
                u64::try_from(text.len()).map_or_else(|_| SizeHint::new(), SizeHint::with_exact)
            }
        }
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            Kind::Inner { .. } => "ResponseBody::Inner(..)",
            Kind::Refusal { .. } => "ResponseBody::Refusal(..)",
        })
    }
}
