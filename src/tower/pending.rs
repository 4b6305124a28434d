//! A refusal whose cause is searched for beside the answer.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};

use super::{Arrival, TransportSource};
use crate::AsyncValidator;
use crate::diagnose::Diagnosis;
use crate::rejection::Rejection;
use crate::request::Payload;

/// A refused request, kept so that its cause can be found after it was answered: an extension of the response where the
/// policy says [`DiagnosisRule::ForOperator`](crate::DiagnosisRule::ForOperator) and the SecretId has a diagnosis left in
/// this minute.
///
/// It keeps the head and the body of the request in memory. A server should hold few at a time and run them one after the
/// other, off the threads that answer requests.
#[derive(Clone)]
pub struct PendingDiagnosis(Arc<Inner>);

struct Inner {
    validator: AsyncValidator,
    source: TransportSource,
    request: Request<()>,
    /// None if it was not seen.
    body: Option<Bytes>,
    refused: Rejection,
}

impl PendingDiagnosis {
    /// Keeps a refused request in the extensions of the answer to it, which hold the [`Rejection`], if
    /// [`grants_diagnosis`](AsyncValidator::grants_diagnosis) allows a diagnosis. `body` is none where the validator did not
    /// see it. For programs that refuse without the layer.
    pub fn keep<B>(
        response: &mut Response<B>,
        validator: &AsyncValidator,
        source: &TransportSource,
        request: Request<()>,
        body: Option<Bytes>,
    ) {
        let refused: Option<&Rejection> = response.extensions().get();
        let Some(refused) = refused.filter(|refused| validator.grants_diagnosis(refused)) else {
            return;
        };
        let pending = Self(Arc::new(Inner {
            validator: validator.clone(),
            source: source.clone(),
            request,
            body,
            refused: refused.clone(),
        }));
        response.extensions_mut().insert(pending);
    }

    /// How many bytes of the request are kept: those of its target, its headers and its body.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        let Inner { request, body, .. } = &*self.0;
        let target = request.uri().path_and_query();
        let headers = request.headers().iter();
        headers
            .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
            .chain(target.map(|target| target.as_str().len()))
            .chain(body.as_ref().map(Bytes::len))
            .fold(0, usize::saturating_add)
    }

    /// Searches, as [`AsyncValidator::explain`] does.
    pub async fn explain(&self) -> Diagnosis {
        let Inner {
            validator,
            source,
            request,
            body,
            refused,
        } = &*self.0;
        let payload = body
            .as_ref()
            .map_or(Payload::Unseen, |body| Payload::Bytes(body));
        let arrival = Arrival::new(request, source);
        validator.explain(&arrival.view(payload), refused).await
    }
}

impl fmt::Debug for PendingDiagnosis {
    /// Does not show the request: it may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingDiagnosis")
            .field("refused", &self.0.refused)
            .finish_non_exhaustive()
    }
}
