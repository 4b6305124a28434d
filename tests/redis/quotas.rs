//! Rates and quotas that gateways draw together.

use std::sync::Arc;

use qcloud_validator::UnixTime;
use qcloud_validator::memory::MemoryQuotas;
use qcloud_validator::redis::RedisQuotas;
use qcloud_validator::store::QuotaVerdict::Drawn;
use qcloud_validator::store::{
    LimitScope, Principal, QuotaDraw, QuotaRule, QuotaStore, RemoteQuotaStore, StoreError,
};
use test_support::redis_server::RedisServer;
use test_support::signer::TIMESTAMP;

use crate::scene::{
    HOUR, NOW, connected, count, draw, draw_as, exceeded, exhausted, race, rate, seconds, settings,
    told,
};

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
    assert_eq!(server.ask(&[b"KEYS", b"qv:2:*:q:*"]), "");
    // Refilled in 10 seconds, over in 3600; and the allowance of 10 seconds.
    for (quotas, kept) in [
        (redis.quotas().with_rate(rate(6, 60)), 20_000),
        (
            redis.quotas().with_quota(QuotaRule::new(6, seconds(3600))),
            3_610_000,
        ),
    ] {
        assert_eq!(draw(&quotas, NOW).await, Drawn);
        let key = server.ask(&[b"KEYS", b"qv:2:*:q:*"]);
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
