//! Admin pages: liveness, readiness and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use super::log::LostLines;
use super::metrics;
use super::stores::Kept;

/// What the answers are made of.
pub(crate) struct Admin {
    pub(crate) metrics: PrometheusHandle,
    pub(crate) kept: Arc<Kept>,
    pub(crate) lost_lines: LostLines,
    pub(crate) stopping: AtomicBool,
}

/// Three pages.
pub(crate) fn router(admin: Arc<Admin>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

async fn ready(State(admin): State<Arc<Admin>>) -> (StatusCode, String) {
    if admin.stopping.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    match admin.kept.ready().await {
        Ok(()) => (StatusCode::OK, "ready\n".to_owned()),
        Err(cause) => (StatusCode::SERVICE_UNAVAILABLE, format!("{cause}\n")),
    }
}

async fn metrics(State(admin): State<Arc<Admin>>) -> impl IntoResponse {
    if let Some(count) = admin.kept.live_nonces() {
        metrics::live_nonces(count);
    }
    metrics::log_lines_dropped(admin.lost_lines.count());
    let content_type = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    (content_type, admin.metrics.render())
}
