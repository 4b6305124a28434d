//! What an operator sets: rights, passwords, ranges.

use std::time::Duration;

use qcloud_validator::ManualClock;
use qcloud_validator::redis::{RedisError, RedisSettings, RedisStores};
use qcloud_validator::store::{AfterRestart, NonceVerdict, QuotaVerdict};
use test_support::redis_server::RedisServer;
use test_support::signer::TIMESTAMP;

use crate::scene::{NOW, WINDOW, claim, connected, draw, rate, told};

#[tokio::test]
async fn a_user_with_the_documented_rights_suffices() {
    let server = RedisServer::start_with(&["--requirepass", "dummy-admin"]);
    let rights = "ACL SETUSER gateway on >dummy-password ~qv:* +evalsha +script|load +info +time +get +set +unlink \
                  +zadd +zcard +zcount +zrange +zremrangebyrank +zscore +hgetall +hdel +hincrby +pexpire";
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
            base().with_failover_after(second / 2),
            "RedisSettings::with_failover_after: must be 1 second to 1 hour",
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
