//! Gateways that share a Redis: what two of them admit together, and what happens when Redis forgets, stands still, may
//! evict, or is not there. Each test has a server of its own.

use std::collections::HashSet;
use std::error::Error;
use std::io;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qcloud_validator::memory::{MemoryCredentials, MemoryQuotas};
use qcloud_validator::redis::{RedisError, RedisQuotas, RedisSettings, RedisStores};
use qcloud_validator::store::{
    AfterRestart, AsyncStores, LimitScope, NonceClaim, NonceValue, NonceVerdict, Principal,
    QuotaDraw, QuotaRule, QuotaStore, QuotaVerdict, RateRule, RemoteNonceStore, RemoteQuotaStore,
    Slot, StoreError, Stores,
};
use qcloud_validator::{
    Admitted, AsyncValidator, Clock, ManualClock, Policy, Reason, Rejection, ReplayScope,
    RequestView, Store, SystemClock, Transport, UnixTime,
};
use test_support::redis_server::RedisServer;
use test_support::signer::{QuerySigner, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::permanent;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

const WINDOW: u32 = 300;

/// Settings of a gateway whose clock shows the base timestamp. A new server counts as one that never held a nonce.
fn settings(server: &RedisServer) -> RedisSettings {
    settings_at(&server.url())
}

fn settings_at(url: &str) -> RedisSettings {
    RedisSettings::new(url, WINDOW)
        .unwrap()
        .with_response_timeout(Duration::from_secs(5))
        .with_connection_timeout(Duration::from_secs(5))
        .with_clock(ManualClock::at(TIMESTAMP))
        .with_after_restart(AfterRestart::InsecureAdmit)
}

async fn connected(settings: RedisSettings) -> RedisStores {
    RedisStores::connect(settings).await.unwrap()
}

/// A gateway whose clock shows the base timestamp.
fn gateway(redis: &RedisStores, policy: Policy) -> AsyncValidator {
    gateway_at(redis, policy, ManualClock::at(TIMESTAMP))
}

fn gateway_at(redis: &RedisStores, policy: Policy, clock: impl Clock + 'static) -> AsyncValidator {
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let stores = AsyncStores {
        nonces: Slot::Remote(redis.nonces()),
        ..Stores::insecure_in_memory(credentials, policy.window_seconds()).into()
    };
    AsyncValidator::new(policy, stores).with_clock(clock)
}

async fn check(gateway: &AsyncValidator, request: &Signed) -> Result<Admitted, Rejection> {
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    gateway.check(&view).await
}

fn signed(nonce: u64, timestamp: i64) -> Signed {
    QuerySigner {
        nonce: nonce.to_string(),
        timestamp,
        ..QuerySigner::v2()
    }
    .sign()
}

/// A claim at the base timestamp, of a request dated `ahead` seconds later.
fn claim(number: u64, ahead: i64) -> NonceClaim<'static> {
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
fn told(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}

fn nonce_store_failed(refused: &Rejection) -> bool {
    let store = Store::Nonces;
    refused.reason() == &Reason::StoreFailed { store } && refused.code().number() == Some(6000)
}

// Admitted once.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_10000_requests_is_admitted_once_by_two_gateways() {
    const REQUESTS: usize = 10_000;
    const TASKS: usize = 16;
    let server = RedisServer::start();
    let requests: Arc<Vec<Signed>> = Arc::new(
        (0..REQUESTS)
            .map(|nonce| signed(u64::try_from(nonce).unwrap(), TIMESTAMP))
            .collect(),
    );
    let admitted: Arc<Vec<AtomicU32>> =
        Arc::new((0..REQUESTS).map(|_| AtomicU32::new(0)).collect());
    let mut tasks = Vec::new();
    for _ in 0..2 {
        // A connection and a validator of its own, as in another process.
        let redis = connected(settings(&server)).await;
        for task in 0..TASKS {
            let gateway = gateway(&redis, Policy::default());
            let (requests, admitted) = (Arc::clone(&requests), Arc::clone(&admitted));
            tasks.push(tokio::spawn(async move {
                for index in (task..REQUESTS).step_by(TASKS) {
                    match check(&gateway, &requests[index]).await {
                        Ok(_) => {
                            admitted[index].fetch_add(1, Ordering::SeqCst);
                        }
                        Err(refused) => {
                            assert_eq!(refused.reason(), &Reason::NonceRepeated, "{refused:?}");
                        }
                    }
                }
            }));
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
    for (index, times) in admitted.iter().enumerate() {
        assert_eq!(times.load(Ordering::SeqCst), 1, "request {index}");
    }
}

#[tokio::test]
async fn of_64_claims_at_once_one_is_fresh() {
    let server = RedisServer::start();
    let clients = [
        connected(settings(&server)).await.nonces(),
        connected(settings(&server)).await.nonces(),
    ];
    let verdicts = race(64, |index| {
        let nonces = Arc::clone(&clients[index % 2]);
        async move { nonces.claim(claim(1, 0)).await.unwrap() }
    })
    .await;
    assert_eq!(count(&verdicts, NonceVerdict::Fresh), 1);
    assert_eq!(count(&verdicts, NonceVerdict::Repeated), 63);
}

async fn race<F, T>(times: usize, start: impl Fn(usize) -> F) -> Vec<T>
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

fn count<T: PartialEq>(all: &[T], wanted: T) -> usize {
    all.iter().filter(|&one| *one == wanted).count()
}

#[tokio::test]
async fn each_part_of_a_claim_tells_it_from_others() {
    let server = RedisServer::start();
    let nonces = connected(settings(&server)).await.nonces();
    let now = UnixTime::from_seconds(TIMESTAMP);
    let claim = |secret_id, timestamp: Option<i64>, value| {
        NonceClaim::new(secret_id, timestamp, value, now, TIMESTAMP + 300)
    };
    let first = Some(TIMESTAMP);
    let claims = [
        claim("AKID1", first, NonceValue::Number(1)),
        claim("AKID2", first, NonceValue::Number(1)),
        claim("AKID1", Some(TIMESTAMP + 1), NonceValue::Number(1)),
        claim("AKID1", None, NonceValue::Number(1)),
        claim("AKID1", first, NonceValue::Number(2)),
        claim("AKID1", first, NonceValue::Signature([1; 32])),
        claim("AKID1", None, NonceValue::Signature([1; 32])),
        claim("AKID1", first, NonceValue::Signature([2; 32])),
        // Without separation these would be the same letters.
        claim("AKID", first, NonceValue::Number(1)),
        claim("", first, NonceValue::Number(1)),
    ];
    for expected in [NonceVerdict::Fresh, NonceVerdict::Repeated] {
        for claim in &claims {
            assert_eq!(nonces.claim(*claim).await.unwrap(), expected, "{claim:?}");
        }
    }
    // Neither the SecretId nor the signature can be read in Redis, and no key is longer than another.
    let keys = server.ask(&[b"KEYS", b"qv:n:*"]);
    assert!(!keys.contains("AKID"), "{keys:?}");
    let lengths: HashSet<String> = claims
        .iter()
        .map(|_| server.ask(&[b"RANDOMKEY"]))
        .filter(|key| key.starts_with("qv:n:"))
        .map(|key| key.chars().count().to_string())
        .collect();
    assert!(lengths.iter().all(|length| length == "37"), "{lengths:?}");
}

#[tokio::test]
async fn other_schemes_are_remembered_where_the_policy_says_so() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let policy = Policy::builder()
        .replay_v1(ReplayScope::SecretIdNonce)
        .replay_tc3(ReplayScope::SecretIdTimestampNonce)
        .build()
        .unwrap();
    let gateway = gateway(&redis, policy);
    for request in [QuerySigner::v1().sign(), Tc3Signer::post().sign()] {
        assert!(check(&gateway, &request).await.is_ok());
        let refused = check(&gateway, &request).await.unwrap_err();
        assert_eq!(refused.reason(), &Reason::NonceRepeated);
    }
}

#[tokio::test]
async fn a_forged_request_asks_redis_nothing() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    let mut forged = signed(1, TIMESTAMP);
    forged.target = forged.target.replace("Signature=", "Signature=A");
    let refused = check(&gateway, &forged).await.unwrap_err();
    assert_eq!(refused.reason(), &Reason::SignatureMismatch);
    assert_eq!(server.ask(&[b"KEYS", b"qv:n:*"]), "");
}

#[tokio::test]
async fn prefixes_part_services() {
    let server = RedisServer::start();
    let one = connected(settings(&server)).await.nonces();
    let other = connected(settings(&server).with_prefix("other"))
        .await
        .nonces();
    assert_eq!(one.claim(claim(1, 0)).await.unwrap(), NonceVerdict::Fresh);
    assert_eq!(other.claim(claim(1, 0)).await.unwrap(), NonceVerdict::Fresh);
}

// How long.

#[tokio::test]
async fn a_nonce_is_kept_until_it_expires_and_as_long_as_clocks_may_differ() {
    let server = RedisServer::start();
    let allowance = Duration::from_secs(7);
    let settings = settings(&server).with_clock_allowance(allowance);
    let nonces = connected(settings).await.nonces();
    // Dated by how much after the clock; how long it is kept: to the end of its last second, and the allowance.
    for (ahead, kept) in [(-300, 8_000), (0, 308_000), (300, 608_000)] {
        server.ask(&[b"FLUSHALL"]);
        assert_eq!(
            nonces.claim(claim(1, ahead)).await.unwrap(),
            NonceVerdict::Fresh
        );
        let key = server.ask(&[b"KEYS", b"qv:n:*"]);
        let key: Vec<u8> = key.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let left = server.ask(&[b"PTTL", &key]);
        let left: i64 = left.trim_start_matches(':').parse().unwrap();
        assert!((kept - 2_000..=kept).contains(&left), "{ahead}: {left}");
    }
}

#[tokio::test]
async fn a_nonce_that_has_expired_can_be_used_again_and_not_a_moment_before() {
    let server = RedisServer::start();
    let settings = RedisSettings::new(&server.url(), 1)
        .unwrap()
        .with_response_timeout(Duration::from_secs(1))
        .with_clock_allowance(Duration::from_secs(1))
        .with_clock(ManualClock::at(TIMESTAMP))
        .with_after_restart(AfterRestart::InsecureAdmit);
    let nonces = connected(settings).await.nonces();
    let now = UnixTime::from_seconds(TIMESTAMP);
    let value = NonceValue::Number(1);
    // In its last second, so kept for the rest of it and one second of allowance.
    let claim = NonceClaim::new("AKID1", Some(TIMESTAMP - 1), value, now, TIMESTAMP);
    let began = Instant::now();
    assert_eq!(nonces.claim(claim).await.unwrap(), NonceVerdict::Fresh);
    loop {
        let asked = began.elapsed();
        match nonces.claim(claim).await.unwrap() {
            NonceVerdict::Repeated => assert!(asked < Duration::from_secs(6)),
            NonceVerdict::Fresh => break,
            other => panic!("{other:?}"),
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(began.elapsed() >= Duration::from_secs(2));
}

#[tokio::test]
async fn a_claim_that_cannot_be_judged_is_an_error() {
    let server = RedisServer::start();
    let nonces = connected(settings(&server)).await.nonces();
    let expired = nonces.claim(claim(1, -301)).await.unwrap_err();
    assert_eq!(
        told(&expired),
        "the store did not answer: a nonce that expired at 1767225599 was claimed at 1767225600: the stores took too \
         long, or the clock of the nonce store is not that of the validator"
    );
    let too_far = nonces.claim(claim(1, 301)).await.unwrap_err();
    assert_eq!(
        told(&too_far),
        "the store did not answer: a nonce that expires at 1767226201 was claimed at 1767225600: the nonce store was \
         built for a window of 300 seconds, and the policy has a longer one"
    );
    assert_eq!(server.ask(&[b"KEYS", b"qv:n:*"]), "");
}

/// A clock that jumps ahead each time somebody looks.
#[derive(Debug)]
struct Jumping(ManualClock);

impl Clock for Jumping {
    fn now(&self) -> UnixTime {
        let now = self.0.now();
        self.0.advance(11);
        now
    }
}

#[tokio::test]
async fn a_claim_that_was_long_on_its_way_is_not_believed() {
    let server = RedisServer::start();
    let settings = settings(&server).with_clock(Jumping(ManualClock::at(TIMESTAMP)));
    let nonces = connected(settings).await.nonces();
    let late = nonces.claim(claim(1, 0)).await.unwrap_err();
    assert_eq!(
        told(&late),
        "the store did not answer: a claim was under way for 11 seconds, longer than the clock allowance"
    );
}

#[tokio::test]
async fn what_may_be_forgotten_because_the_clock_went_back_is_an_error() {
    let server = RedisServer::start();
    let clock = Arc::new(ManualClock::at(TIMESTAMP));
    let settings = settings(&server).with_clock(Arc::clone(&clock));
    let nonces = connected(settings).await.nonces();
    assert_eq!(
        nonces.claim(claim(1, 250)).await.unwrap(),
        NonceVerdict::Fresh
    );
    clock.advance(300);
    assert_eq!(
        nonces.claim(claim(1, 250)).await.unwrap(),
        NonceVerdict::Repeated
    );
    clock.advance(-100);
    // One that expired ten seconds before the latest second shown was kept just so long.
    assert_eq!(
        nonces.claim(claim(2, -10)).await.unwrap(),
        NonceVerdict::Fresh
    );
    let forgotten = nonces.claim(claim(2, -11)).await.unwrap_err();
    assert_eq!(
        told(&forgotten),
        "the store did not answer: a nonce that expires at 1767225889 was claimed at 1767225800, after the clock had \
         shown 1767225900: it may be forgotten"
    );
}

// How many of one SecretId.

#[tokio::test]
async fn a_secret_id_holds_its_share_exactly() {
    let server = RedisServer::start();
    let settings = || settings(&server).with_nonces_per_secret_id(10);
    let clients = [
        connected(settings()).await.nonces(),
        connected(settings()).await.nonces(),
    ];
    let verdicts = race(64, |index| {
        let nonces = Arc::clone(&clients[index % 2]);
        async move {
            // Over all of the window, so over all generations.
            let index = u64::try_from(index).unwrap();
            let ahead = i64::try_from(index * 9).unwrap() - 290;
            nonces.claim(claim(index, ahead)).await.unwrap()
        }
    })
    .await;
    assert_eq!(count(&verdicts, NonceVerdict::Fresh), 10);
    assert_eq!(count(&verdicts, NonceVerdict::ShareExhausted), 54);

    let now = UnixTime::from_seconds(TIMESTAMP);
    let value = NonceValue::Number(1);
    let of_another = NonceClaim::new("AKID2", Some(TIMESTAMP), value, now, TIMESTAMP + 300);
    let verdict = clients[0].claim(of_another).await.unwrap();
    assert_eq!(verdict, NonceVerdict::Fresh);
}

#[tokio::test]
async fn a_repeated_nonce_is_repeated_also_where_the_share_is_exhausted() {
    let server = RedisServer::start();
    let settings = settings(&server).with_nonces_per_secret_id(1);
    let nonces = connected(settings).await.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
    assert_eq!(
        nonces.claim(claim(2, 0)).await.unwrap(),
        NonceVerdict::ShareExhausted
    );
}

#[tokio::test]
async fn what_has_expired_counts_no_more() {
    let server = RedisServer::start();
    let settings = settings(&server).with_nonces_per_secret_id(2);
    let nonces = connected(settings).await.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    // A generation of 1970.
    let key = server.ask(&[b"KEYS", b"qv:s:*"]);
    let key: Vec<u8> = key.chars().map(|c| u8::try_from(c).unwrap()).collect();
    server.ask(&[b"HSET", &key, b"7", b"1000"]);
    assert_eq!(
        nonces.claim(claim(2, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    assert_eq!(server.ask(&[b"HEXISTS", &key, b"7"]), ":0");
    assert_eq!(
        nonces.claim(claim(3, 0)).await.unwrap(),
        NonceVerdict::ShareExhausted
    );
}

// When Redis forgets.

/// What makes a server forget, or a gateway meet another one that knows less.
type Loss = fn(&mut RedisServer, &RedisServer);

const LOSSES: [(&str, Loss); 4] = [
    ("killed and restarted", |server, _| {
        server.kill();
        server.restart();
    }),
    ("emptied", |server, _| {
        server.ask(&[b"FLUSHALL"]);
    }),
    ("marker removed", |server, _| {
        server.ask(&[b"DEL", b"qv:since"]);
    }),
    // The same process with the data of another, which may lag behind.
    ("demoted and promoted again", |server, other| {
        let port = other.port().to_string();
        server.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
        server.ask(&[b"REPLICAOF", b"NO", b"ONE"]);
    }),
];

/// A gateway that does what `rule` says, on a server that has forgotten nothing since 1970.
async fn remembering(server: &RedisServer, rule: AfterRestart) -> Arc<dyn RemoteNonceStore> {
    let redis = connected(settings(server).with_after_restart(rule)).await;
    let marker = server.ask(&[b"GET", b"qv:since"]);
    let (history, _) = marker.split_once(' ').unwrap();
    server.ask(&[b"SET", b"qv:since", format!("{history} 0").as_bytes()]);
    redis.nonces()
}

#[tokio::test]
async fn what_may_have_been_used_before_a_loss_is_refused() {
    let other = RedisServer::start();
    for (name, lose) in LOSSES {
        // Dated by so many seconds after the clock, and what comes of it. The allowance is 10 seconds.
        for (rule, refused, judged) in [
            (AfterRestart::RefuseDatedBefore, [-290, 0, 5], [13, 290]),
            (AfterRestart::RefuseForOneWindow, [-290, 0, 290], [0, 0]),
        ] {
            let mut server = RedisServer::start();
            let nonces = remembering(&server, rule).await;
            for ahead in refused {
                let verdict = nonces.claim(claim(1, ahead)).await.unwrap();
                assert_eq!(verdict, NonceVerdict::Fresh, "{name} {rule:?} {ahead}");
            }

            lose(&mut server, &other);
            // The gateway finds out by the connection that is gone; that request is refused.
            if name == "killed and restarted" {
                nonces.claim(claim(2, 0)).await.unwrap_err();
            }
            for ahead in refused {
                for number in [1, 2] {
                    let verdict = nonces.claim(claim(number, ahead)).await.unwrap();
                    let case = format!("{name} {rule:?} {ahead}");
                    assert_eq!(verdict, NonceVerdict::BeforeMemory, "{case}");
                }
            }
            if rule == AfterRestart::RefuseDatedBefore {
                for ahead in judged {
                    let verdict = nonces.claim(claim(3, ahead)).await.unwrap();
                    assert_eq!(verdict, NonceVerdict::Fresh, "{name} {ahead}");
                    let verdict = nonces.claim(claim(3, ahead)).await.unwrap();
                    assert_eq!(verdict, NonceVerdict::Repeated, "{name} {ahead}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_was_kept_on_disk_is_not_trusted_to_be_complete() {
    kept_on_disk(RedisServer::start_with(&["--appendonly", "yes"]), "PING").await;
    kept_on_disk(RedisServer::start(), "SAVE").await;
}

async fn kept_on_disk(mut server: RedisServer, keep: &str) {
    let before = remembering(&server, AfterRestart::RefuseDatedBefore).await;
    assert_eq!(
        before.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    server.ask(&[keep.as_bytes()]);
    server.kill();
    server.restart();
    // It has the nonce and the marker again.
    assert_ne!(server.ask(&[b"KEYS", b"qv:n:*"]), "");
    assert_eq!(server.ask(&[b"EXISTS", b"qv:since"]), ":1");
    let settings = settings(&server).with_after_restart(AfterRestart::RefuseDatedBefore);
    let after = connected(settings).await.nonces();
    for number in [1, 2] {
        let verdict = after.claim(claim(number, 0)).await.unwrap();
        assert_eq!(verdict, NonceVerdict::BeforeMemory);
    }
}

#[tokio::test]
async fn a_promoted_replica_is_not_trusted_to_be_complete() {
    let primary = RedisServer::start();
    let replica = RedisServer::start();
    let before = remembering(&primary, AfterRestart::RefuseDatedBefore).await;
    assert_eq!(
        before.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    let port = primary.port().to_string();
    replica.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
    for _ in 0..500 {
        if replica.ask(&[b"EXISTS", b"qv:since"]) == ":1" {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(replica.ask(&[b"EXISTS", b"qv:since"]), ":1");
    replica.ask(&[b"REPLICAOF", b"NO", b"ONE"]);

    let settings = settings(&replica).with_after_restart(AfterRestart::RefuseDatedBefore);
    let after = connected(settings).await.nonces();
    for number in [1, 2] {
        let verdict = after.claim(claim(number, 0)).await.unwrap();
        assert_eq!(verdict, NonceVerdict::BeforeMemory);
    }
}

/// That the tests above can fail: without the rule a loss lets a request in again.
#[tokio::test]
async fn without_the_rule_a_restart_lets_a_replay_in() {
    let mut server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    let request = signed(1, TIMESTAMP);
    assert!(check(&gateway, &request).await.is_ok());
    server.kill();
    server.restart();
    assert!(nonce_store_failed(
        &check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err()
    ));
    assert!(check(&gateway, &request).await.is_ok());
}

#[tokio::test]
async fn a_new_gateway_does_not_make_a_server_forget_since_when_it_remembers() {
    let server = RedisServer::start();
    let first = connected(settings(&server)).await.nonces();
    assert_eq!(first.claim(claim(1, 0)).await.unwrap(), NonceVerdict::Fresh);
    let since = server.ask(&[b"GET", b"qv:since"]);
    assert!(!since.is_empty());
    sleep(Duration::from_millis(20)).await;
    let second = connected(settings(&server)).await;
    second.ready().await.unwrap();
    assert_eq!(
        second.nonces().claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
    assert_eq!(server.ask(&[b"GET", b"qv:since"]), since);
}

#[tokio::test]
async fn the_client_reads_that_the_server_was_restarted() {
    let server = RedisServer::start();
    let settings = settings(&server).with_after_restart(AfterRestart::RefuseDatedBefore);
    let redis = connected(settings).await;
    let gateway = gateway(&redis, Policy::default());
    let refused = check(&gateway, &signed(1, TIMESTAMP)).await.unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceBeforeMemory);
    assert_eq!(refused.code().number(), Some(4500));
}

/// Gateways with the clock of the system, under load, while Redis is killed and restarted: every request is tried again
/// and again, and none is admitted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_under_load_redis_admits_nothing_twice() {
    const RESTARTS: u32 = 3;
    let mut server = RedisServer::start();
    let mut gateways = Vec::new();
    for _ in 0..2 {
        let settings = RedisSettings::new(&server.url(), WINDOW)
            .unwrap()
            .with_response_timeout(Duration::from_secs(1))
            .with_clock_allowance(Duration::from_secs(1));
        gateways.push(gateway_at(
            &connected(settings).await,
            Policy::default(),
            SystemClock,
        ));
    }
    let load = Arc::new(Load::default());
    let tasks: Vec<_> = (0..8_u64)
        .map(|task| {
            let load = Arc::clone(&load);
            let gateways = gateways.clone();
            tokio::spawn(async move { load.run(task, &gateways).await })
        })
        .collect();

    load.admits_more(200).await;
    for _ in 0..RESTARTS {
        let forgotten = load.done.lock().unwrap().len();
        load.forgotten.store(forgotten, Ordering::SeqCst);
        server.kill();
        sleep(Duration::from_millis(200)).await;
        server.restart();
        // Until requests dated after the restart are admitted again, and for some time more.
        load.admits_more(500).await;
    }
    load.stopped.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    let seen = [
        &load.failed,
        &load.before_memory,
        &load.repeated,
        &load.forgotten_tried,
    ]
    .map(|count| count.load(Ordering::SeqCst));
    assert!(
        seen.iter().all(|&times| times > 100),
        "too few of one kind: {seen:?}"
    );
}

#[derive(Default)]
struct Load {
    stopped: AtomicBool,
    admitted: AtomicUsize,
    failed: AtomicUsize,
    before_memory: AtomicUsize,
    repeated: AtomicUsize,
    /// How many of those admitted the server that runs cannot know.
    forgotten: AtomicUsize,
    /// How often one of them was tried again, and judged.
    forgotten_tried: AtomicUsize,
    /// Requests that were admitted, all different.
    done: Mutex<Vec<Signed>>,
}

impl Load {
    async fn run(&self, task: u64, gateways: &[AsyncValidator]) {
        let mut nonce = task << 32;
        while !self.stopped.load(Ordering::SeqCst) {
            nonce += 1;
            let index = usize::try_from(nonce).unwrap();
            let request = signed(nonce, SystemClock.now().seconds());
            // Both gateways get it, one after the other, and one of those that were admitted before.
            let mut times = 0;
            for gateway in [&gateways[index % 2], &gateways[(index + 1) % 2]] {
                if self.admits(gateway, &request).await {
                    times += 1;
                }
            }
            assert!(times <= 1, "{} was admitted twice", request.target);
            let old = {
                let mut done = self.done.lock().unwrap();
                if times == 1 {
                    done.push(request);
                }
                let count = done.len();
                // Half of them recent, half of them from any time.
                let back = if nonce.is_multiple_of(2) {
                    index % 50
                } else {
                    index * 7919 % count.max(1)
                };
                count.checked_sub(back + 1).map(|at| (at, done[at].clone()))
            };
            if let Some((at, old)) = old {
                let failed = self.failed.load(Ordering::SeqCst);
                let admitted = self.admits(&gateways[index % 2], &old).await;
                assert!(!admitted, "{} was admitted once more", old.target);
                let judged = failed == self.failed.load(Ordering::SeqCst);
                if judged && at < self.forgotten.load(Ordering::SeqCst) {
                    self.forgotten_tried.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    async fn admits(&self, gateway: &AsyncValidator, request: &Signed) -> bool {
        let refused = match check(gateway, request).await {
            Ok(_) => {
                self.admitted.fetch_add(1, Ordering::SeqCst);
                return true;
            }
            Err(refused) => refused,
        };
        let count = match refused.reason() {
            Reason::NonceRepeated => &self.repeated,
            Reason::NonceBeforeMemory => &self.before_memory,
            _ => {
                assert!(nonce_store_failed(&refused), "{refused:?}");
                &self.failed
            }
        };
        count.fetch_add(1, Ordering::SeqCst);
        false
    }

    async fn admits_more(&self, requests: usize) {
        let goal = self.admitted.load(Ordering::SeqCst) + requests;
        let began = Instant::now();
        while self.admitted.load(Ordering::SeqCst) < goal {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "nothing is admitted"
            );
            sleep(Duration::from_millis(10)).await;
        }
    }
}

// When Redis is not there, or not fit.

#[tokio::test]
async fn a_server_that_stands_still_is_a_failure_in_time() {
    let server = RedisServer::start();
    let settings = settings(&server)
        .with_response_timeout(Duration::from_millis(250))
        .with_connection_timeout(Duration::from_millis(400));
    let redis = connected(settings).await;
    let gateway = gateway(&redis, Policy::default());
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_ok());

    server.pause();
    // The first waits for its answer, the second for a connection; a little more for a busy machine.
    for (nonce, least, most, expected) in [
        (
            2,
            250,
            1_250,
            format!(
                "Redis at 127.0.0.1:{} did not answer in 250 ms",
                server.port()
            ),
        ),
        (
            3,
            400,
            1_400,
            format!(
                "Redis at 127.0.0.1:{} did not answer in 400 ms",
                server.port()
            ),
        ),
    ] {
        let began = Instant::now();
        let refused = check(&gateway, &signed(nonce, TIMESTAMP))
            .await
            .unwrap_err();
        let took = began.elapsed();
        assert!(nonce_store_failed(&refused));
        assert!(told(&refused).ends_with(&expected), "{}", told(&refused));
        assert!(took >= Duration::from_millis(least), "{took:?}");
        assert!(took < Duration::from_millis(most), "{took:?}");
    }
    // Those who come right after are told the same at once.
    let began = Instant::now();
    let refused = check(&gateway, &signed(4, TIMESTAMP)).await.unwrap_err();
    assert!(nonce_store_failed(&refused));
    assert!(began.elapsed() < Duration::from_millis(1_400));

    server.resume();
    sleep(Duration::from_millis(150)).await;
    assert!(check(&gateway, &signed(5, TIMESTAMP)).await.is_ok());
    // What was sent before the time-out may have been claimed, or not; once at most.
    let admitted = [
        check(&gateway, &signed(2, TIMESTAMP)).await.is_ok(),
        check(&gateway, &signed(2, TIMESTAMP)).await.is_ok(),
    ];
    assert!(count(&admitted, true) <= 1);
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_refused_and_its_nonce_is_used() {
    let server = RedisServer::start();
    let lose = Arc::new(AtomicBool::new(false));
    let redis = connected(settings_at(&in_between(&server, Arc::clone(&lose)).await)).await;
    let gateway = gateway(&redis, Policy::default());
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_ok());

    lose.store(true, Ordering::SeqCst);
    let refused = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    assert!(nonce_store_failed(&refused));
    assert!(!lose.load(Ordering::SeqCst), "no answer was lost");
    // Once there is a connection again.
    let mut again = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    while nonce_store_failed(&again) {
        sleep(Duration::from_millis(10)).await;
        again = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    }
    assert_eq!(again.reason(), &Reason::NonceRepeated);
    assert!(check(&gateway, &signed(3, TIMESTAMP)).await.is_ok());
}

/// The address of one who passes on between a gateway and Redis. Told to lose an answer, it passes on the question,
/// keeps the answer, and hangs up.
async fn in_between(server: &RedisServer, lose: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let redis = server.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, redis))
                .await
                .unwrap();
            tokio::spawn(pass_on(client, server, Arc::clone(&lose)));
        }
    });
    url
}

async fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    lose: Arc<AtomicBool>,
) -> io::Result<()> {
    let (mut question, mut answer) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => match read? {
                0 => return Ok(()),
                length => server.write_all(&question[..length]).await?,
            },
            read = server.read(&mut answer) => match read? {
                0 => return Ok(()),
                _ if lose.swap(false, Ordering::SeqCst) => return Ok(()),
                length => client.write_all(&answer[..length]).await?,
            },
        }
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_failure_at_once_and_found_again() {
    let mut server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    server.kill();
    let mut causes = Vec::new();
    for nonce in 0..3 {
        let refused = check(&gateway, &signed(nonce, TIMESTAMP))
            .await
            .unwrap_err();
        assert!(nonce_store_failed(&refused));
        causes.push(told(&refused));
    }
    let address = format!("no connection to Redis at 127.0.0.1:{}", server.port());
    assert!(
        causes.iter().all(|cause| cause.contains(&address)),
        "{causes:?}"
    );
    assert!(causes[2].contains("refused"), "{causes:?}");

    server.restart();
    sleep(Duration::from_millis(150)).await;
    assert!(check(&gateway, &signed(9, TIMESTAMP)).await.is_ok());
}

#[tokio::test]
async fn a_server_that_may_evict_is_refused() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nonces = redis.nonces();
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        server.ask(&[b"CONFIG", b"SET", b"maxmemory-policy", policy.as_bytes()]);
        let expected = format!(
            "Redis may forget nonces: its maxmemory-policy is {policy}; set `maxmemory-policy noeviction`"
        );
        assert_eq!(redis.ready().await.unwrap_err().to_string(), expected);
        let refused = RedisStores::connect(settings(&server)).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    // Also by a gateway that is connected already, once the marker is evicted or the server is another.
    server.ask(&[b"DEL", b"qv:since"]);
    let refused = nonces.claim(claim(1, 0)).await.unwrap_err();
    assert!(told(&refused).contains("its maxmemory-policy is allkeys-random"));

    server.ask(&[b"CONFIG", b"SET", b"maxmemory-policy", b"noeviction"]);
    redis.ready().await.unwrap();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
}

#[tokio::test]
async fn a_full_server_refuses_new_nonces_and_forgets_none() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_ok());
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let refused = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    assert!(nonce_store_failed(&refused));
    assert!(told(&refused).contains("OOM"), "{}", told(&refused));
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_err());
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]);
    assert!(check(&gateway, &signed(2, TIMESTAMP)).await.is_ok());
    let refused = check(&gateway, &signed(1, TIMESTAMP)).await.unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceRepeated);
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = RedisServer::start();
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let port = primary.port().to_string();
    server.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
    let expected =
        "Redis is a read-only replica: connect to the primary, by a name that follows a failover";
    assert_eq!(redis.ready().await.unwrap_err().to_string(), expected);
    let refused = RedisStores::connect(settings(&server)).await.unwrap_err();
    assert_eq!(refused.to_string(), expected);
    let refused = redis.nonces().claim(claim(1, 0)).await.unwrap_err();
    assert_eq!(
        told(&refused),
        format!("the store did not answer: {expected}")
    );
    let quotas = redis.quotas().with_rate(rate(1, 1));
    let principal = Principal::account("100000000001");
    let now = UnixTime::from_seconds(TIMESTAMP);
    let one = QuotaDraw::new(&principal, "AKID1", "DescribeInstances", now);
    let refused = quotas.draw(one).await.unwrap_err();
    assert_eq!(
        told(&refused),
        format!("the store did not answer: {expected}")
    );
    // Each time it connects anew, since a name may lead to the primary by now; one more is that of the question itself.
    let before = connections(&server);
    for _ in 0..3 {
        redis.nonces().claim(claim(1, 0)).await.unwrap_err();
    }
    assert_eq!(connections(&server) - before, 4);
}

/// How many connections the server has accepted.
fn connections(server: &RedisServer) -> u64 {
    let stats = server.ask(&[b"INFO", b"stats"]);
    let count = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_gets_them_again() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nonces = redis.nonces();
    let quotas = redis.quotas().with_rate(rate(1, 1));
    for number in 0..3 {
        server.ask(&[b"SCRIPT", b"FLUSH"]);
        assert_eq!(
            nonces.claim(claim(number, 0)).await.unwrap(),
            NonceVerdict::Fresh
        );
        assert_eq!(
            nonces.claim(claim(number, 0)).await.unwrap(),
            NonceVerdict::Repeated
        );
        redis.ready().await.unwrap();
        let at = NOW + i64::try_from(number).unwrap() * 1000;
        assert_eq!(draw(&quotas, at).await, QuotaVerdict::Drawn);
    }
}

#[tokio::test]
async fn a_user_with_the_documented_rights_suffices() {
    let server = RedisServer::start_with(&["--requirepass", "dummy-admin"]);
    let rights = "ACL SETUSER gateway on >dummy-password ~qv:* +evalsha +script|load +info +time +exists +get +set \
                  +hgetall +hdel +hincrby +pexpire";
    let words: Vec<&[u8]> = rights.split(' ').map(str::as_bytes).collect();
    let set = server.ask_as("dummy-admin", &words);
    assert_eq!(set, "+OK");
    let url = format!("redis://gateway:dummy-password@127.0.0.1:{}", server.port());
    let settings = RedisSettings::new(&url, WINDOW)
        .unwrap()
        .with_response_timeout(Duration::from_secs(5))
        .with_clock(ManualClock::at(TIMESTAMP))
        .with_after_restart(AfterRestart::InsecureAdmit);
    let redis = connected(settings).await;
    redis.ready().await.unwrap();
    let nonces = redis.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
    let quotas = redis.quotas().with_rate(rate(1, 1));
    assert_eq!(draw(&quotas, NOW).await, QuotaVerdict::Drawn);

    // And where one is missing, the answer says so.
    server.ask_as("dummy-admin", &[b"ACL", b"SETUSER", b"gateway", b"-info"]);
    let refused = redis.ready().await.unwrap_err();
    assert!(matches!(refused, RedisError::Refused { .. }), "{refused}");
}

#[tokio::test]
async fn passwords_are_shown_nowhere() {
    let server = RedisServer::start_with(&["--requirepass", "dummy-admin"]);
    let url = format!("redis://:dummy-pass%40word@127.0.0.1:{}", server.port());
    let patient = |url: &str| {
        let settings = RedisSettings::new(url, WINDOW).unwrap();
        settings.with_response_timeout(Duration::from_secs(5))
    };
    let settings = patient(&url);
    let mut shown = vec![format!("{settings:?}")];
    let refused = RedisStores::connect(settings).await.unwrap_err();
    shown.extend([format!("{refused:?}"), told(&refused)]);
    assert!(
        told(&refused).contains("authentication failed"),
        "{refused}"
    );

    let redis = connected(patient(&url.replace("dummy-pass%40word", "dummy-admin"))).await;
    shown.extend([format!("{redis:?}"), format!("{:?}", redis.quotas())]);
    for broken in [
        "redis:dummy-admin@host",
        "http://:dummy-admin@host",
        "redis://:dummy-admin@host/x",
    ] {
        let refused = RedisSettings::new(broken, WINDOW).unwrap_err();
        shown.extend([format!("{refused:?}"), told(&refused)]);
    }
    for text in shown {
        assert!(!text.contains("dummy"), "{text}");
    }
}

#[tokio::test]
async fn settings_out_of_range_are_named() {
    let base = || RedisSettings::new("redis://127.0.0.1:1", WINDOW).unwrap();
    let second = Duration::from_secs(1);
    for (settings, expected) in [
        (
            RedisSettings::new("redis://127.0.0.1:1", 0).unwrap(),
            "RedisSettings::new: must be for a window of 1 to 86400 seconds",
        ),
        (
            base().with_prefix("a b"),
            "RedisSettings::with_prefix: must be 1 to 64 printable ASCII characters without blanks",
        ),
        (
            base().with_clock_allowance(Duration::ZERO),
            "RedisSettings::with_clock_allowance: must be 1 second to 1 hour",
        ),
        (
            base().with_response_timeout(second * 11),
            "RedisSettings::with_response_timeout: must be 1 millisecond to the clock allowance",
        ),
        (
            base().with_connection_timeout(Duration::ZERO),
            "RedisSettings::with_connection_timeout: must be 1 millisecond to 1 minute",
        ),
        (
            base().with_in_flight(0),
            "RedisSettings::with_in_flight: must be 1 to 65536",
        ),
        (
            base().with_nonces_per_secret_id(0),
            "RedisSettings::with_nonces_per_secret_id: must be 1 or more",
        ),
    ] {
        let refused = RedisStores::connect(settings).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    let refused = RedisStores::connect(base()).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("no connection to Redis at 127.0.0.1:1: "),
        "{refused}"
    );
}

#[tokio::test]
async fn more_questions_than_may_be_under_way_wait_and_are_answered() {
    let server = RedisServer::start();
    let nonces = connected(settings(&server).with_in_flight(2))
        .await
        .nonces();
    let verdicts = race(200, |index| {
        let nonces = Arc::clone(&nonces);
        async move {
            nonces
                .claim(claim(u64::try_from(index).unwrap(), 0))
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(count(&verdicts, NonceVerdict::Fresh), 200);
}

// How often.

/// 2026-01-01T00:00:00Z in milliseconds.
const NOW: i64 = 1_767_225_600_000;
const HOUR: i64 = 3_600_000;

async fn draw(quotas: &RedisQuotas, milliseconds: i64) -> QuotaVerdict {
    draw_as(quotas, &Principal::account("100000000001"), milliseconds).await
}

async fn draw_as(quotas: &RedisQuotas, principal: &Principal, milliseconds: i64) -> QuotaVerdict {
    let now = UnixTime::from_nanos(milliseconds * 1_000_000);
    let draw = QuotaDraw::new(principal, "AKID1", "DescribeInstances", now);
    quotas.draw(draw).await.unwrap()
}

fn rate(limit: u32, period: u32) -> RateRule {
    RateRule::new(seconds(limit), seconds(period))
}

fn seconds(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn exceeded(limit: u32, period: u32, retry_after_millis: u64) -> QuotaVerdict {
    QuotaVerdict::RateExceeded {
        limit,
        period,
        retry_after_millis,
    }
}

fn exhausted(limit: u64, resets_at: i64) -> QuotaVerdict {
    QuotaVerdict::QuotaExhausted {
        limit,
        resets_at: UnixTime::from_seconds(resets_at),
    }
}

use QuotaVerdict::Drawn;

#[tokio::test]
async fn one_rule_gives_the_verdicts_that_it_gives_in_memory() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let rates = [
        rate(5, 1),
        rate(3, 2),
        rate(1, 60),
        rate(1000, 1),
        rate(7, 3600),
    ];
    let quotas = [
        QuotaRule::new(4, seconds(10)),
        QuotaRule::new(0, seconds(60)),
        QuotaRule::new(3, seconds(7)),
    ];
    let mut pairs: Vec<(MemoryQuotas, RedisQuotas)> = Vec::new();
    for rule in rates {
        let both = rule.on("Describe*").per(LimitScope::Principal);
        pairs.push((
            MemoryQuotas::new().with_rate(both.clone()),
            redis.quotas().with_rate(both),
        ));
    }
    for rule in quotas {
        let both = rule.for_account("100000000001");
        pairs.push((
            MemoryQuotas::new().with_quota(both.clone()),
            redis.quotas().with_quota(both),
        ));
    }
    let principals = [
        Principal::account("100000000001"),
        Principal::sub_account("100000000001", "200000000001"),
        Principal::account("100000000002"),
    ];
    // A generator of Marsaglia's, so that the steps are the same in every run.
    let mut state = 88_172_645_463_325_252_u64;
    let mut refused = 0;
    for (memory, redis) in &pairs {
        let mut now = NOW;
        for _ in 0..150 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            now += i64::try_from(state % 400).unwrap();
            let principal = &principals[usize::try_from(state >> 32).unwrap() % 3];
            let action =
                ["DescribeInstances", "StopInstances"][usize::try_from(state >> 40).unwrap() % 2];
            let now = UnixTime::from_nanos(now * 1_000_000);
            let draw = QuotaDraw::new(principal, "AKID1", action, now);
            let expected = memory.draw(&draw).unwrap();
            assert_eq!(
                redis.draw(draw).await.unwrap(),
                expected,
                "{memory:?} {draw:?}"
            );
            refused += usize::from(expected != Drawn);
        }
    }
    assert!(refused > 200, "{refused}");
}

#[tokio::test]
async fn a_rate_admits_a_burst_and_then_refills_evenly() {
    let server = RedisServer::start();
    let quotas = connected(settings(&server))
        .await
        .quotas()
        .with_rate(rate(3, 1));
    for _ in 0..3 {
        assert_eq!(draw(&quotas, NOW).await, Drawn);
    }
    // 333,334 microseconds.
    assert_eq!(draw(&quotas, NOW).await, exceeded(3, 1, 334));
    assert_eq!(draw(&quotas, NOW + 333).await, exceeded(3, 1, 1));
    assert_eq!(draw(&quotas, NOW + 334).await, Drawn);
    // A clock that goes back gives nothing, and takes nothing.
    assert_eq!(draw(&quotas, NOW - HOUR).await, exceeded(3, 1, 333));
    for _ in 0..3 {
        assert_eq!(draw(&quotas, NOW + 2000).await, Drawn);
    }
    assert_eq!(draw(&quotas, NOW + 2000).await, exceeded(3, 1, 334));
}

#[tokio::test]
async fn the_largest_and_the_smallest_limits() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let last = i64::MAX / 1_000_000;
    let slow = redis.quotas().with_rate(rate(1, u32::MAX));
    assert_eq!(draw(&slow, NOW).await, Drawn);
    assert_eq!(
        draw(&slow, NOW).await,
        exceeded(1, u32::MAX, 4_294_967_295_000)
    );
    assert_eq!(draw(&slow, last).await, Drawn);
    let fast = redis.quotas().with_rate(rate(u32::MAX, 1));
    let long = redis.quotas().with_rate(rate(u32::MAX, u32::MAX));
    let many = redis
        .quotas()
        .with_quota(QuotaRule::new(u64::MAX, seconds(u32::MAX)));
    for quotas in [fast, long, many] {
        for at in [-HOUR, 0, NOW, last] {
            assert_eq!(draw(&quotas, at).await, Drawn, "{quotas:?} {at}");
        }
    }
}

#[tokio::test]
async fn a_quota_is_full_again_with_the_next_period() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let quotas = redis
        .quotas()
        .with_quota(QuotaRule::new(2, seconds(86_400)));
    let noon = NOW + 12 * HOUR;
    assert_eq!(draw(&quotas, noon).await, Drawn);
    assert_eq!(draw(&quotas, NOW + 24 * HOUR - 1).await, Drawn);
    assert_eq!(draw(&quotas, noon).await, exhausted(2, 1_767_312_000));
    assert_eq!(draw(&quotas, NOW + 24 * HOUR).await, Drawn);
    // A clock that goes back to an earlier period gives nothing new.
    assert_eq!(draw(&quotas, noon).await, Drawn);
    assert_eq!(draw(&quotas, noon).await, exhausted(2, 1_767_398_400));
}

#[tokio::test]
async fn a_refused_draw_draws_nothing_from_any_limit() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let quotas = redis
        .quotas()
        .with_quota(QuotaRule::new(2, seconds(60)))
        .with_rate(rate(3, 10))
        .with_rate(rate(1, 1));
    let wide = redis.quotas().with_rate(rate(3, 10));
    assert_eq!(draw(&quotas, NOW).await, Drawn);
    // The first rate would do; the second refuses.
    for _ in 0..5 {
        assert_eq!(draw(&quotas, NOW).await, exceeded(1, 1, 1000));
    }
    assert_eq!(draw(&quotas, NOW + 1000).await, Drawn);
    // Both rates would do; the quota refuses.
    for _ in 0..5 {
        assert_eq!(draw(&quotas, NOW + 2000).await, exhausted(2, 1_767_225_660));
    }
    // So of the first rate two were drawn, and its count is the same under another set of rules.
    assert_eq!(draw(&wide, NOW + 2000).await, Drawn);
    assert_eq!(draw(&wide, NOW + 2000).await, exceeded(3, 10, 1334));
}

#[tokio::test]
async fn a_rule_that_is_added_twice_counts_once_and_a_changed_one_anew() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let quotas = redis
        .quotas()
        .with_rate(rate(2, 60))
        .with_rate(rate(2, 60))
        .with_quota(QuotaRule::new(5, seconds(60)))
        .with_quota(QuotaRule::new(5, seconds(60)));
    assert_eq!(draw(&quotas, NOW).await, Drawn);
    assert_eq!(draw(&quotas, NOW).await, Drawn);
    assert_eq!(draw(&quotas, NOW).await, exceeded(2, 60, 30_000));
    for other in [
        rate(3, 60),
        rate(2, 61),
        rate(2, 60).on("Describe*"),
        rate(2, 60).per(LimitScope::Principal),
    ] {
        let quotas = redis.quotas().with_rate(other);
        assert_eq!(draw(&quotas, NOW).await, Drawn, "{quotas:?}");
    }
}

#[tokio::test]
async fn limits_count_for_each_account_or_each_principal() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let main = Principal::account("100000000001");
    let sub = Principal::sub_account("100000000001", "200000000001");
    let stranger = Principal::account("100000000002");
    let per_account = redis.quotas().with_rate(rate(1, 1));
    assert_eq!(draw_as(&per_account, &main, NOW).await, Drawn);
    assert_eq!(draw_as(&per_account, &sub, NOW).await, exceeded(1, 1, 1000));
    assert_eq!(draw_as(&per_account, &stranger, NOW).await, Drawn);
    let per_principal = redis
        .quotas()
        .with_rate(rate(1, 1).per(LimitScope::Principal));
    for principal in [&main, &sub, &stranger] {
        assert_eq!(draw_as(&per_principal, principal, NOW).await, Drawn);
        assert_eq!(
            draw_as(&per_principal, principal, NOW).await,
            exceeded(1, 1, 1000)
        );
    }
}

#[tokio::test]
async fn two_gateways_draw_a_limit_exactly() {
    let server = RedisServer::start();
    let mut clients = Vec::new();
    for _ in 0..2 {
        let quotas = connected(settings(&server)).await.quotas();
        clients.push(
            quotas
                .with_rate(rate(20, 3600))
                .with_quota(QuotaRule::new(15, seconds(3600))),
        );
    }
    let verdicts = race(100, |index| {
        let quotas = clients[index % 2].clone();
        async move { draw(&quotas, NOW).await }
    })
    .await;
    assert_eq!(count(&verdicts, Drawn), 15);
    assert_eq!(count(&verdicts, exhausted(15, 1_767_229_200)), 85);
}

#[tokio::test]
async fn counts_expire_when_they_mean_nothing_any_more() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nothing = redis.quotas();
    assert_eq!(draw(&nothing, NOW).await, Drawn);
    assert_eq!(server.ask(&[b"KEYS", b"qv:q:*"]), "");
    // Refilled in 10 seconds, over in 3600; and the allowance of 10 seconds.
    for (quotas, kept) in [
        (redis.quotas().with_rate(rate(6, 60)), 20_000),
        (
            redis.quotas().with_quota(QuotaRule::new(6, seconds(3600))),
            3_610_000,
        ),
    ] {
        assert_eq!(draw(&quotas, NOW).await, Drawn);
        let key = server.ask(&[b"KEYS", b"qv:q:*"]);
        let key: Vec<u8> = key.chars().map(|c| u8::try_from(c).unwrap()).collect();
        let left = server.ask(&[b"PTTL", &key]);
        let left: i64 = left.trim_start_matches(':').parse().unwrap();
        assert!((kept - 2_000..=kept).contains(&left), "{left}");
        server.ask(&[b"FLUSHALL"]);
    }
}

#[tokio::test]
async fn a_draw_without_redis_is_an_error() {
    let mut server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let quotas: Arc<dyn RemoteQuotaStore> = Arc::new(redis.quotas().with_rate(rate(1, 1)));
    server.kill();
    let principal = Principal::account("100000000001");
    let now = UnixTime::from_seconds(TIMESTAMP);
    let refused: StoreError = quotas
        .draw(QuotaDraw::new(
            &principal,
            "AKID1",
            "DescribeInstances",
            now,
        ))
        .await
        .unwrap_err();
    assert!(
        told(&refused).contains("no connection to Redis"),
        "{}",
        told(&refused)
    );
}
