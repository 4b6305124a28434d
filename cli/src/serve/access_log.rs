//! What is written about a request: who, what, the verdict and its reason, and never a secret.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use hyper::{Method, Response};
use qcloud_validator::diagnose::{Diagnosis, Finding};
use qcloud_validator::tower::{BodyFailure, RequestId};
use qcloud_validator::{Admitted, Rejection};
use tracing::info;

use super::diagnoses::outcome_id;
use crate::report::secret_id_to_show;

use crate::config::gateway::LoggedRequests;

/// One request and its answer.
pub(crate) struct Entry<'e> {
    pub(crate) listener: &'e str,
    peer: SocketAddr,
    method: &'e Method,
    id: &'e RequestId,
    status: u16,
    pub(crate) took: Duration,
    pub(crate) admitted: Option<&'e Admitted>,
    pub(crate) refused: Option<&'e Rejection>,
    body_failure: Option<&'e BodyFailure>,
}

impl<'e> Entry<'e> {
    pub(crate) fn new(
        listener: &'e str,
        peer: SocketAddr,
        method: &'e Method,
        id: &'e RequestId,
        response: &'e Response<Body>,
        took: Duration,
    ) -> Self {
        let extensions = response.extensions();
        let admitted: Option<&Arc<Admitted>> = extensions.get();
        Self {
            listener,
            peer,
            method,
            id,
            status: response.status().as_u16(),
            took,
            admitted: admitted.map(|admitted| &**admitted),
            refused: extensions.get(),
            body_failure: extensions.get(),
        }
    }
}

/// Whether the operator wants to read about it.
pub(crate) fn wanted(logged: LoggedRequests, entry: &Entry<'_>) -> bool {
    match logged {
        LoggedRequests::All => true,
        LoggedRequests::Refused => entry.admitted.is_none(),
        LoggedRequests::None => false,
    }
}

/// Writes one line. Neither the target nor a header is in it: they hold signatures, and may hold a token. Empty fields are
/// left out.
pub(crate) fn write(entry: &Entry<'_>) {
    let micros = micros(entry.took);
    let common = (entry.id.as_str(), entry.method.as_str(), entry.status);
    let (request_id, method, status) = common;
    match (entry.admitted, entry.refused) {
        (_, Some(refused)) => {
            let cause = refused.source().map(chain);
            let body = entry.body_failure.map(|failure| chain(failure));
            let diagnosis = refused
                .diagnosis()
                .and_then(|diagnosis| diagnosis.findings().first());
            info!(
                listener = entry.listener,
                peer = %entry.peer,
                request_id,
                method,
                status,
                verdict = "refused",
                reason = refused.reason().id(),
                check = refused.check().map(|check| check.id()),
                code = %refused.code(),
                secret_id = secret_id_to_show(refused),
                action = refused.action(),
                scheme = refused.scheme().map(|scheme| scheme.name()),
                cause,
                body,
                diagnosis = diagnosis.map(|found| found.id()),
                micros,
                "request"
            );
        }
        (Some(admitted), None) => {
            let principal = admitted.principal();
            info!(
                listener = entry.listener,
                peer = %entry.peer,
                request_id,
                method,
                status,
                verdict = "admitted",
                secret_id = admitted.secret_id(),
                account = principal.uin(),
                sub_account = principal.sub_uin(),
                action = admitted.action(),
                scheme = admitted.scheme().name(),
                micros,
                "request"
            );
        }
        (None, None) => info!(
            listener = entry.listener,
            peer = %entry.peer,
            request_id,
            method,
            status,
            verdict = "not checked",
            micros,
            "request"
        ),
    }
}

/// Writes the line of a diagnosis that was made after the request was answered, under the id of the request.
pub(crate) fn write_diagnosis(id: &RequestId, diagnosis: &Diagnosis, took: Duration) {
    let found: Vec<&str> = diagnosis.findings().iter().map(Finding::id).collect();
    info!(
        request_id = id.as_str(),
        outcome = outcome_id(diagnosis.outcome()),
        diagnosis = (!found.is_empty()).then(|| found.join(", ")),
        micros = micros(took),
        "diagnosis"
    );
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// An error and all that caused it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
