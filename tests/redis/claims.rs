//! What two gateways admit together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use qcloud_validator::store::{NonceClaim, NonceValue, NonceVerdict};
use qcloud_validator::{Clock, ManualClock, Policy, Reason, ReplayScope, UnixTime};
use test_support::redis_server::RedisServer;
use test_support::signer::{QuerySigner, Signed, TIMESTAMP, Tc3Signer};

use crate::scene::{
    check, claim, connected, count, gateway, held, nonces_key, race, settings, signed, told,
};

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
    // Neither the SecretId nor the signature can be read in Redis, and no nonce is longer than another.
    let keys = server.ask(&[b"KEYS", b"*"]);
    assert!(!keys.contains("AKID"), "{keys:?}");
    assert_eq!(held(&server), 10);
    let key = nonces_key("AKID1");
    let members = server.ask(&[b"ZRANGE", key.as_bytes(), b"0", b"-1"]);
    // Seven of them, with a line end after each but the last.
    assert_eq!(members.chars().count(), 7 * 16 + 6, "{members:?}");
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
    assert_eq!(held(&server), 0);
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
    assert_eq!(held(&server), 0);
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
