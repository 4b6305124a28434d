//! Whether a server can be relied on: readiness says so, and claims meet the same.

use std::sync::Arc;
use std::time::Duration;

use qcloud_validator::redis::{RedisError, RedisStores};
use qcloud_validator::store::{AfterRestart, NonceVerdict};
use test_support::redis_server::RedisServer;
use tokio::time::{Instant, sleep};

use crate::scene::{claim, connected, remember_since_1970, settings, told};

const EVICTING: [&str; 3] = ["allkeys-lru", "allkeys-lfu", "allkeys-random"];
const KEEPING: [&str; 5] = [
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "noeviction",
];

fn set_policy(server: &RedisServer, policy: &str) {
    let set = server.ask(&[b"CONFIG", b"SET", b"maxmemory-policy", policy.as_bytes()]);
    assert_eq!(set, "+OK");
}

#[tokio::test]
async fn a_server_that_may_evict_is_refused() {
    let server = RedisServer::start();
    let settings = || settings(&server).with_after_restart(AfterRestart::RefuseDatedBefore);
    let redis = connected(settings()).await;
    let nonces = redis.nonces();
    for policy in EVICTING {
        remember_since_1970(&server, "qv");
        assert_eq!(
            nonces.claim(claim(1, 0)).await.unwrap(),
            NonceVerdict::Fresh,
            "{policy}"
        );
        set_policy(&server, policy);
        let expected = format!(
            "Redis may forget nonces: its maxmemory-policy is {policy}; set `maxmemory-policy noeviction`"
        );
        assert_eq!(redis.ready().await.unwrap_err().to_string(), expected);
        let refused = RedisStores::connect(settings()).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
        let refused = nonces.claim(claim(1, 0)).await.unwrap_err();
        assert!(told(&refused).ends_with(&expected), "{}", told(&refused));

        set_policy(&server, "noeviction");
        redis.ready().await.unwrap();
        // What was used before may have been evicted.
        assert_eq!(
            nonces.claim(claim(2, 0)).await.unwrap(),
            NonceVerdict::BeforeMemory,
            "{policy}"
        );
        server.ask(&[b"FLUSHALL"]);
        redis.ready().await.unwrap();
    }
}

#[tokio::test]
async fn claims_are_refused_soon_after_a_policy_is_set() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nonces = redis.nonces();
    set_policy(&server, "allkeys-lru");
    let began = Instant::now();
    let mut number = 0;
    let refused = loop {
        number += 1;
        match nonces.claim(claim(number, 0)).await {
            Err(refused) => break refused,
            // Until somebody looks, claims are exact.
            Ok(verdict) => assert_eq!(verdict, NonceVerdict::Fresh),
        }
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20)).await;
    };
    assert!(told(&refused).contains("allkeys-lru"), "{}", told(&refused));
}

#[tokio::test]
async fn policies_that_evict_what_expires_do_no_harm() {
    let server = RedisServer::start();
    let rule = AfterRestart::RefuseDatedBefore;
    let redis = connected(settings(&server).with_after_restart(rule)).await;
    let nonces = redis.nonces();
    remember_since_1970(&server, "qv");
    for (index, policy) in (1..).zip(KEEPING) {
        set_policy(&server, policy);
        // Whatever may be evicted is.
        server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
        for _ in 0..3 {
            let full = nonces.claim(claim(1000 + index, 0)).await.unwrap_err();
            assert!(told(&full).contains("OOM"), "{}", told(&full));
        }
        server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]);
        for earlier in 1..index {
            let verdict = nonces.claim(claim(earlier, 0)).await.unwrap();
            assert_eq!(verdict, NonceVerdict::Repeated, "{policy}");
        }
        let verdict = nonces.claim(claim(index, 0)).await.unwrap();
        assert_eq!(verdict, NonceVerdict::Fresh, "{policy}");
        redis.ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_full_server_is_not_ready_until_there_is_room() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nonces = redis.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    for _ in 0..3 {
        let refused = redis.ready().await.unwrap_err();
        assert!(matches!(refused, RedisError::Refused { .. }), "{refused}");
        assert!(refused.to_string().contains("OOM"), "{refused}");
        let refused = nonces.claim(claim(2, 0)).await.unwrap_err();
        assert!(told(&refused).contains("OOM"), "{}", told(&refused));
    }
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]);
    redis.ready().await.unwrap();
    assert_eq!(
        nonces.claim(claim(2, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
}

#[tokio::test]
async fn a_server_without_its_replicas_is_not_ready() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    server.ask(&[b"CONFIG", b"SET", b"min-replicas-to-write", b"1"]);
    let refused = redis.ready().await.unwrap_err();
    assert!(refused.to_string().contains("NOREPLICAS"), "{refused}");
    let refused = redis.nonces().claim(claim(1, 0)).await.unwrap_err();
    assert!(told(&refused).contains("NOREPLICAS"), "{}", told(&refused));
}

#[tokio::test]
async fn a_node_of_a_cluster_is_refused_in_one_line() {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let expected = "Redis is a node of a cluster, where keys are spread over nodes: connect to a server without \
                    `cluster-enabled`";
    // Without slots, and with all of them.
    for _ in 0..2 {
        let refused = RedisStores::connect(settings(&server)).await.unwrap_err();
        assert_eq!(refused.to_string(), expected);
        server.ask(&[b"CLUSTER", b"ADDSLOTSRANGE", b"0", b"16383"]);
        for _ in 0..500 {
            if server
                .ask(&[b"CLUSTER", b"INFO"])
                .starts_with("cluster_state:ok")
            {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// A bucket in which nothing is claimed notices a loss all the same, so that it is long past when a claim comes.
#[tokio::test]
async fn a_loss_is_noticed_without_a_claim() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    server.ask(&[b"FLUSHALL"]);
    let began = Instant::now();
    let markers = || server.ask(&[b"DBSIZE"]);
    while markers() != ":256" {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", markers());
        sleep(Duration::from_millis(20)).await;
    }
    drop(redis);
}

#[tokio::test]
async fn nobody_looks_any_more_when_the_stores_are_gone() {
    let server = RedisServer::start();
    let second = Duration::from_secs(1);
    let settings = settings(&server)
        .with_clock_allowance(second)
        .with_response_timeout(second);
    let redis = connected(settings).await;
    let nonces = redis.nonces();
    let looks = || {
        let stats = server.ask(&[b"INFO", b"commandstats"]);
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix("cmdstat_evalsha:calls="));
        let calls = line.and_then(|line| line.split(',').next());
        calls.unwrap().parse::<u32>().unwrap()
    };
    let before = looks();
    drop(redis);
    let began = Instant::now();
    while looks() < before + 2 {
        assert!(began.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20)).await;
    }
    // The last of them.
    let weak = Arc::downgrade(&nonces);
    drop(nonces);
    assert!(weak.upgrade().is_none());
    sleep(Duration::from_millis(400)).await;
    let after = looks();
    sleep(Duration::from_millis(600)).await;
    assert_eq!(looks(), after);
}
