//! What is counted, under which names.

use std::sync::Arc;
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use qcloud_validator::diagnose::Outcome;
use qcloud_validator::{Check, Reason, Scheme};

use super::access_log::Entry;
use super::diagnoses::{Skipped, outcome_id};

const REQUESTS: &str = "qcloud_validator_requests_total";
const DURATION: &str = "qcloud_validator_request_duration_seconds";
const CONNECTIONS: &str = "qcloud_validator_connections";
const LIVE_NONCES: &str = "qcloud_validator_live_nonces";
const STORE_FAILURES: &str = "qcloud_validator_store_failures_total";
const UPSTREAM_FAILURES: &str = "qcloud_validator_upstream_failures_total";
const DIAGNOSES: &str = "qcloud_validator_diagnoses_total";
const DIAGNOSES_SKIPPED: &str = "qcloud_validator_diagnoses_skipped_total";
const LOG_LINES_DROPPED: &str = "qcloud_validator_log_lines_dropped_total";
const RELOADS: &str = "qcloud_validator_reloads_total";
const RELOAD_IN_PROGRESS: &str = "qcloud_validator_reload_in_progress";
const BUILD: &str = "qcloud_validator_build_info";

/// Upper bounds of the histogram, in seconds.
const BUCKETS: [f64; 12] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0,
];

/// Begins to count.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(DURATION.to_owned()), &BUCKETS)?
        .install_recorder()?;
    describe_counter!(
        REQUESTS,
        "Requests by verdict; a refused one by reason, an admitted one by scheme"
    );
    describe_histogram!(
        DURATION,
        Unit::Seconds,
        "From the head of a request to the head of its answer"
    );
    describe_gauge!(CONNECTIONS, "Open connections");
    describe_gauge!(LIVE_NONCES, "Nonces that are remembered in memory");
    describe_counter!(STORE_FAILURES, "Requests refused because a store failed");
    describe_counter!(
        UPSTREAM_FAILURES,
        "Admitted requests that the upstream did not answer"
    );
    describe_counter!(DIAGNOSES, "Refused requests whose cause was searched for");
    describe_counter!(
        DIAGNOSES_SKIPPED,
        "Refused requests whose cause was not searched for"
    );
    describe_counter!(
        LOG_LINES_DROPPED,
        "Lines of the log that were lost: too many waited, or the output refused them"
    );
    describe_counter!(RELOADS, "Reloads by outcome");
    describe_gauge!(RELOAD_IN_PROGRESS, "1 while a reload reads files");
    describe_gauge!(BUILD, "1, with the version");
    gauge!(BUILD, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    for outcome in [Reload::Done, Reload::Failed] {
        counter!(RELOADS, "outcome" => outcome.name()).absolute(0);
    }
    for outcome in [
        Outcome::Explained,
        Outcome::Unexplained,
        Outcome::BudgetSpent,
    ] {
        counter!(DIAGNOSES, "outcome" => outcome_id(outcome)).absolute(0);
    }
    for skipped in Skipped::ALL {
        counter!(DIAGNOSES_SKIPPED, "cause" => skipped.id()).absolute(0);
    }
    gauge!(RELOAD_IN_PROGRESS).set(0.0);
    Ok(handle)
}

/// What is counted about one listener. To look a counter up, its labels are collected and hashed, so those of every admitted
/// request are kept.
pub(crate) struct Listener {
    name: Arc<str>,
    duration: Histogram,
    connections: Gauge,
    /// By scheme.
    admitted: Vec<(Scheme, Counter)>,
    not_checked: Counter,
}

impl Listener {
    pub(crate) fn new(name: &str) -> Self {
        let name: Arc<str> = name.into();
        let scheme = |scheme: Scheme| (scheme, requests(&name, "admitted", "", scheme.name()));
        Self {
            duration: histogram!(DURATION, "listener" => Arc::clone(&name)),
            connections: gauge!(CONNECTIONS, "listener" => Arc::clone(&name)),
            admitted: [Scheme::HmacSha1, Scheme::HmacSha256, Scheme::Tc3HmacSha256]
                .map(scheme)
                .into(),
            not_checked: requests(&name, "not checked", "", ""),
            name,
        }
    }

    /// A request was answered.
    pub(crate) fn answered(&self, entry: &Entry<'_>) {
        self.duration.record(entry.took);
        match (entry.refused, entry.admitted) {
            (Some(refused), _) => {
                let reason = refused.reason();
                let scheme = refused.scheme().map_or("", Scheme::name);
                requests(&self.name, "refused", reason.id(), scheme).increment(1);
                if let Reason::StoreFailed { .. } = reason {
                    let check = reason.check().map_or("", Check::id);
                    counter!(STORE_FAILURES, "check" => check).increment(1);
                }
            }
            (None, Some(admitted)) => {
                let scheme = admitted.scheme();
                match self.admitted.iter().find(|(of, _)| *of == scheme) {
                    Some((_, counter)) => counter.increment(1),
                    None => requests(&self.name, "admitted", "", scheme.name()).increment(1),
                }
            }
            (None, None) => self.not_checked.increment(1),
        }
    }

    /// A connection was opened, until what this returns is dropped.
    pub(crate) fn connected(&self) -> Connection {
        self.connections.increment(1.0);
        Connection(self.connections.clone())
    }
}

fn requests(
    listener: &Arc<str>,
    verdict: &'static str,
    reason: &'static str,
    scheme: &'static str,
) -> Counter {
    counter!(
        REQUESTS,
        "listener" => Arc::clone(listener),
        "verdict" => verdict,
        "reason" => reason,
        "scheme" => scheme
    )
}

pub(crate) fn upstream_failed() {
    counter!(UPSTREAM_FAILURES).increment(1);
}

pub(crate) fn diagnosed(outcome: Outcome) {
    counter!(DIAGNOSES, "outcome" => outcome_id(outcome)).increment(1);
}

pub(crate) fn diagnosis_skipped(skipped: Skipped) {
    counter!(DIAGNOSES_SKIPPED, "cause" => skipped.id()).increment(1);
}

pub(crate) fn log_lines_dropped(lines: usize) {
    counter!(LOG_LINES_DROPPED).absolute(u64::try_from(lines).unwrap_or(u64::MAX));
}

pub(crate) fn live_nonces(count: usize) {
    // More than 2^53 of them would exceed any memory.
    gauge!(LIVE_NONCES).set(u32::try_from(count).map_or(f64::from(u32::MAX), f64::from));
}

#[derive(Clone, Copy)]
pub(crate) enum Reload {
    Done,
    Failed,
}

impl Reload {
    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

pub(crate) fn reloaded(outcome: Reload) {
    counter!(RELOADS, "outcome" => outcome.name()).increment(1);
}

/// A reload has begun, until what this returns is dropped.
pub(crate) fn reload_begins() -> ReloadInProgress {
    let gauge = gauge!(RELOAD_IN_PROGRESS);
    gauge.set(1.0);
    ReloadInProgress(gauge)
}

/// A reload that is under way.
pub(crate) struct ReloadInProgress(Gauge);

impl Drop for ReloadInProgress {
    fn drop(&mut self) {
        self.0.set(0.0);
    }
}

/// How often what was recorded is put together, so that it does not pile up between two visits of a scraper.
pub(crate) const UPKEEP: Duration = Duration::from_secs(5);

/// An open connection.
pub(crate) struct Connection(Gauge);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
