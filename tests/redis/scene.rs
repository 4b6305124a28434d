//! Gateways over one server, requests and claims, and what the server holds.

use std::error::Error;
use std::num::NonZeroU32;
use std::time::Duration;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::redis::{RedisQuotas, RedisSettings, RedisStores};
use qcloud_validator::store::{
    AfterRestart, AsyncStores, NonceClaim, NonceValue, Principal, QuotaDraw, QuotaVerdict,
    RateRule, RemoteQuotaStore, Slot, Stores,
};
use qcloud_validator::{
    Admitted, AsyncValidator, Clock, ManualClock, Policy, Reason, Rejection, RequestView, Store,
    Transport, UnixTime,
};
use sha2::{Digest, Sha256};
use test_support::redis_server::RedisServer;
use test_support::signer::{QuerySigner, Signed, TIMESTAMP};
use test_support::stores::permanent;

pub(crate) const WINDOW: u32 = 300;

/// Settings of a gateway whose clock shows the base timestamp. A new server counts as one that never held a nonce.
pub(crate) fn settings(server: &RedisServer) -> RedisSettings {
    settings_at(&server.url())
}

pub(crate) fn settings_at(url: &str) -> RedisSettings {
    RedisSettings::new(url, WINDOW)
        .unwrap()
        .with_response_timeout(Duration::from_secs(5))
        .with_connection_timeout(Duration::from_secs(5))
        .with_clock(ManualClock::at(TIMESTAMP))
        .with_after_restart(AfterRestart::InsecureAdmit)
}

pub(crate) async fn connected(settings: RedisSettings) -> RedisStores {
    RedisStores::connect(settings).await.unwrap()
}

/// A gateway whose clock shows the base timestamp.
pub(crate) fn gateway(redis: &RedisStores, policy: Policy) -> AsyncValidator {
    gateway_at(redis, policy, ManualClock::at(TIMESTAMP))
}

pub(crate) fn gateway_at(
    redis: &RedisStores,
    policy: Policy,
    clock: impl Clock + 'static,
) -> AsyncValidator {
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let stores = AsyncStores {
        nonces: Slot::Remote(redis.nonces()),
        ..Stores::insecure_in_memory(credentials, policy.window_seconds()).into()
    };
    AsyncValidator::new(policy, stores).with_clock(clock)
}

pub(crate) async fn check(
    gateway: &AsyncValidator,
    request: &Signed,
) -> Result<Admitted, Rejection> {
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    gateway.check(&view).await
}

pub(crate) fn signed(nonce: u64, timestamp: i64) -> Signed {
    QuerySigner {
        nonce: nonce.to_string(),
        timestamp,
        ..QuerySigner::v2()
    }
    .sign()
}

/// A claim at the base timestamp, of a request dated `ahead` seconds later.
pub(crate) fn claim(number: u64, ahead: i64) -> NonceClaim<'static> {
    let timestamp = TIMESTAMP + ahead;
    NonceClaim::new(
        "AKID1",
        Some(timestamp),
        NonceValue::Number(number),
        UnixTime::from_seconds(TIMESTAMP),
        timestamp + i64::from(WINDOW),
    )
}

/// The whole chain of causes.
pub(crate) fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

pub(crate) fn nonce_store_failed(refused: &Rejection) -> bool {
    let store = Store::Nonces;
    refused.reason() == &Reason::StoreFailed { store } && refused.code().number() == Some(6000)
}

pub(crate) async fn race<F, T>(times: usize, start: impl Fn(usize) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<_> = (0..times).map(|index| tokio::spawn(start(index))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

pub(crate) fn count<T: PartialEq>(all: &[T], wanted: T) -> usize {
    all.iter().filter(|&one| *one == wanted).count()
}

/// 2026-01-01T00:00:00Z in milliseconds.
pub(crate) const NOW: i64 = 1_767_225_600_000;
pub(crate) const HOUR: i64 = 3_600_000;

pub(crate) async fn draw(quotas: &RedisQuotas, milliseconds: i64) -> QuotaVerdict {
    draw_as(quotas, &Principal::account("100000000001"), milliseconds).await
}

pub(crate) async fn draw_as(
    quotas: &RedisQuotas,
    principal: &Principal,
    milliseconds: i64,
) -> QuotaVerdict {
    let now = UnixTime::from_nanos(milliseconds * 1_000_000);
    let draw = QuotaDraw::new(principal, "AKID1", "DescribeInstances", now);
    quotas.draw(draw).await.unwrap()
}

pub(crate) fn rate(limit: u32, period: u32) -> RateRule {
    RateRule::new(seconds(limit), seconds(period))
}

pub(crate) fn seconds(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

pub(crate) fn exceeded(limit: u32, period: u32, retry_after_millis: u64) -> QuotaVerdict {
    QuotaVerdict::RateExceeded {
        limit,
        period,
        retry_after_millis,
    }
}

pub(crate) fn exhausted(limit: u64, resets_at: i64) -> QuotaVerdict {
    QuotaVerdict::QuotaExhausted {
        limit,
        resets_at: UnixTime::from_seconds(resets_at),
    }
}

/// The key of the sorted set that holds the nonces of a SecretId.
pub(crate) fn nonces_key(secret_id: &str) -> String {
    format!("{}n", bucket(secret_id))
}

pub(crate) fn marker_key(secret_id: &str) -> String {
    format!("{}m", bucket(secret_id))
}

fn bucket(secret_id: &str) -> String {
    format!("qv:2:{{{:02x}}}:", Sha256::digest(secret_id)[0])
}

/// How many nonces all buckets hold.
pub(crate) fn held(server: &RedisServer) -> usize {
    held_by(server, "qv")
}

pub(crate) fn held_by(server: &RedisServer, prefix: &str) -> usize {
    let sum = "local sum = 0 for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':2:*:n')) do sum = sum + \
               redis.call('ZCARD', key) end return sum";
    number(&server.ask(&[b"EVAL", sum.as_bytes(), b"0", prefix.as_bytes()]))
}

/// The marker of a bucket, in its parts.
#[derive(Debug, PartialEq)]
pub(crate) struct Marker {
    pub(crate) history: String,
    pub(crate) since: i64,
    pub(crate) floor: i64,
    pub(crate) count: i64,
    pub(crate) seen: i64,
    pub(crate) claimed: i64,
}

impl Marker {
    pub(crate) fn of(server: &RedisServer, secret_id: &str) -> Self {
        let text = server.ask(&[b"GET", marker_key(secret_id).as_bytes()]);
        let parts: Vec<&str> = text.split(' ').collect();
        let [history, since, floor, count, seen, claimed] = parts[..] else {
            panic!("not a marker: {text:?}");
        };
        Self {
            history: history.to_owned(),
            since: since.parse().unwrap(),
            floor: floor.parse().unwrap(),
            count: count.parse().unwrap(),
            seen: seen.parse().unwrap(),
            claimed: claimed.parse().unwrap(),
        }
    }

    pub(crate) fn write(&self, server: &RedisServer, secret_id: &str) {
        let Self {
            history,
            since,
            floor,
            count,
            seen,
            claimed,
        } = self;
        let text = format!("{history} {since} {floor} {count} {seen} {claimed}");
        server.ask(&[b"SET", marker_key(secret_id).as_bytes(), text.as_bytes()]);
    }
}

/// Makes a server take it that no bucket has lost anything since 1970.
pub(crate) fn remember_since_1970(server: &RedisServer, prefix: &str) {
    let text = "for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':2:*:m')) do redis.call('SET', key, \
                (string.gsub(redis.call('GET', key), '^(%x+) %d+', '%1 0'))) end return 1";
    let done = server.ask(&[b"EVAL", text.as_bytes(), b"0", prefix.as_bytes()]);
    assert_eq!(done, ":1");
}

/// A whole number, as the server answers it.
pub(crate) fn number<T: std::str::FromStr>(answer: &str) -> T {
    let digits = answer.trim_start_matches(':');
    let parsed = digits.parse().ok();
    parsed.unwrap_or_else(|| panic!("not a number: {answer:?}"))
}
