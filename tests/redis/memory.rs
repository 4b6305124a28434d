//! What a bucket keeps and removes, and what it makes of clocks.

use std::sync::Arc;
use std::time::Duration;

use qcloud_validator::ManualClock;
use qcloud_validator::store::{AfterRestart, NonceClaim, NonceValue, NonceVerdict};
use qcloud_validator::{Clock, UnixTime};
use test_support::redis_server::RedisServer;
use test_support::signer::TIMESTAMP;

use crate::scene::{
    Marker, claim, connected, held, nonces_key, number, remember_since_1970, settings,
};

/// A claim of a request dated now, by a clock.
fn claim_at(clock: &ManualClock, number: u64) -> NonceClaim<'static> {
    let now = clock.now();
    let value = NonceValue::Number(number);
    NonceClaim::new(
        "AKID1",
        Some(now.seconds()),
        value,
        now,
        now.seconds() + 300,
    )
}

#[tokio::test]
async fn a_nonce_is_kept_until_it_expires_and_as_long_as_clocks_may_differ() {
    // Dated by so many seconds after the clock.
    for ahead in [-300, 0, 300] {
        let server = RedisServer::start();
        let clock = Arc::new(ManualClock::at(TIMESTAMP));
        let settings = settings(&server)
            .with_clock_allowance(Duration::from_secs(7))
            .with_clock(Arc::clone(&clock));
        let nonces = connected(settings).await.nonces();
        let first = nonces.claim(claim(1, ahead)).await.unwrap();
        assert_eq!(first, NonceVerdict::Fresh);

        // To the end of its last second, and the allowance.
        let lives = ahead + 300 + 7;
        clock.advance(lives);
        nonces.claim(claim_at(&clock, 2)).await.unwrap();
        assert_eq!(held(&server), 2, "{ahead}");
        clock.advance(1);
        nonces.claim(claim_at(&clock, 3)).await.unwrap();
        assert_eq!(held(&server), 2, "{ahead}");
        assert_eq!(Marker::of(&server, "AKID1").floor, TIMESTAMP + ahead + 300);
    }
}

#[tokio::test]
async fn what_was_removed_is_refused_whatever_a_clock_shows() {
    let server = RedisServer::start();
    let clock = Arc::new(ManualClock::at(TIMESTAMP));
    let right = connected(settings(&server).with_clock(Arc::clone(&clock)))
        .await
        .nonces();
    let behind = connected(settings(&server)).await.nonces();
    assert_eq!(right.claim(claim(1, 0)).await.unwrap(), NonceVerdict::Fresh);
    clock.advance(311);
    right.claim(claim_at(&clock, 2)).await.unwrap();
    assert_eq!(held(&server), 1);
    // For a gateway whose clock stands still the request is as valid as it was.
    let verdict = behind.claim(claim(1, 0)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::BeforeMemory);
    // So is one that was never used: nobody can tell.
    let verdict = behind.claim(claim(3, 0)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::BeforeMemory);
    let verdict = behind.claim(claim(3, 1)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::Fresh);
}

#[tokio::test]
async fn a_gateway_whose_clock_is_ahead_removes_nothing_alone() {
    let server = RedisServer::start();
    let right = connected(settings(&server)).await.nonces();
    assert_eq!(
        right.claim(claim(1, -280)).await.unwrap(),
        NonceVerdict::Fresh
    );
    let ahead = Arc::new(ManualClock::at(TIMESTAMP + 250));
    let wrong = connected(settings(&server).with_clock(Arc::clone(&ahead)))
        .await
        .nonces();
    let now = ahead.now();
    let value = NonceValue::Number(2);
    // The client's clock is right.
    let honest = NonceClaim::new("AKID1", Some(TIMESTAMP), value, now, TIMESTAMP + 300);
    assert_eq!(wrong.claim(honest).await.unwrap(), NonceVerdict::Fresh);
    assert_eq!(
        right.claim(claim(1, -280)).await.unwrap(),
        NonceVerdict::Repeated
    );
}

#[tokio::test]
async fn a_bucket_in_which_nothing_is_claimed_any_more_is_emptied() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nonces = redis.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    // Twice the window, the allowance of 10 seconds, and the rest of a second.
    let life = 611_000;
    let marker = Marker::of(&server, "AKID1");
    let claimed_before = |milliseconds| Marker {
        claimed: marker.claimed - milliseconds,
        ..Marker::of(&server, "AKID1")
    };
    claimed_before(life - 10_000).write(&server, "AKID1");
    redis.ready().await.unwrap();
    assert_eq!(held(&server), 1);
    claimed_before(life + 1).write(&server, "AKID1");
    redis.ready().await.unwrap();
    assert_eq!(held(&server), 0);
    let left = Marker::of(&server, "AKID1");
    assert_eq!((left.count, left.floor), (0, TIMESTAMP + 300));
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::BeforeMemory
    );
    assert_eq!(
        nonces.claim(claim(1, 1)).await.unwrap(),
        NonceVerdict::Fresh
    );
}

#[tokio::test]
async fn much_that_has_expired_is_removed_in_short_steps() {
    let server = RedisServer::start();
    let clock = Arc::new(ManualClock::at(TIMESTAMP));
    let redis = connected(settings(&server).with_clock(Arc::clone(&clock))).await;
    let nonces = redis.nonces();
    // As if so many had been claimed.
    let text = "for i = 1, 10000 do redis.call('ZADD', KEYS[1], ARGV[1], i) end return 1";
    let (key, expires) = (nonces_key("AKID1"), (TIMESTAMP + 300).to_string());
    server.ask(&[
        b"EVAL",
        text.as_bytes(),
        b"1",
        key.as_bytes(),
        expires.as_bytes(),
    ]);
    let marker = Marker {
        count: 10_000,
        ..Marker::of(&server, "AKID1")
    };
    marker.write(&server, "AKID1");
    clock.advance(311);
    nonces.claim(claim_at(&clock, 1)).await.unwrap();
    assert_eq!(held(&server), 10_000 - 4_096 + 1);
    // Of what is left nothing can be used.
    let verdict = connected(settings(&server)).await.nonces();
    let verdict = verdict.claim(claim(1, 0)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::BeforeMemory);
    for _ in 0..2 {
        redis.ready().await.unwrap();
    }
    assert_eq!(held(&server), 1);
    assert_eq!(Marker::of(&server, "AKID1").count, 1);
}

#[tokio::test]
async fn a_full_server_has_room_again_when_nonces_expire() {
    let server = RedisServer::start();
    let clock = Arc::new(ManualClock::at(TIMESTAMP));
    let redis = connected(settings(&server).with_clock(Arc::clone(&clock))).await;
    let nonces = redis.nonces();
    for number in 0..3 {
        nonces.claim(claim(number, 0)).await.unwrap();
    }
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    nonces.claim(claim_at(&clock, 10)).await.unwrap_err();
    clock.advance(311);
    // Frees three, and takes one.
    let verdict = nonces.claim(claim_at(&clock, 11)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::Fresh);
    assert_eq!(held(&server), 1);
    nonces.claim(claim_at(&clock, 12)).await.unwrap_err();
    // Also where nothing is claimed any more.
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]);
    let long_ago = Marker {
        claimed: 0,
        ..Marker::of(&server, "AKID1")
    };
    long_ago.write(&server, "AKID1");
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let _ = redis.ready().await;
    assert_eq!(held(&server), 0);
    redis.ready().await.unwrap_err();
}

/// The clock of a server that jumps ahead leaves the times of its markers behind.
fn jump(server: &RedisServer, milliseconds: i64) {
    let marker = Marker::of(server, "AKID1");
    let jumped = Marker {
        since: (marker.since - milliseconds).max(0),
        seen: marker.seen - milliseconds,
        claimed: marker.claimed - milliseconds,
        ..marker
    };
    jumped.write(server, "AKID1");
}

fn time(server: &RedisServer) -> i64 {
    let answer = server.ask(&[b"TIME"]);
    number::<i64>(answer.lines().next().unwrap()) * 1000
}

#[tokio::test]
async fn a_server_whose_clock_jumps_remembers_no_longer_than_it_did() {
    let hour = 3_600_000;
    let server = RedisServer::start();
    let rule = AfterRestart::RefuseDatedBefore;
    let redis = connected(settings(&server).with_after_restart(rule)).await;
    let nonces = redis.nonces();
    for jumps in [hour, -hour, 10 * hour] {
        jump(&server, jumps);
        let verdict = nonces.claim(claim(1, 0)).await.unwrap();
        assert_eq!(verdict, NonceVerdict::BeforeMemory, "{jumps}");
        let marker = Marker::of(&server, "AKID1");
        let remembered = time(&server) - marker.since;
        assert!(remembered.abs() < 20_000, "{jumps}: {remembered}");
    }
    // That the test can fail: time that passes while somebody looks counts.
    for _ in 0..2 {
        jump(&server, 9_000);
        redis.ready().await.unwrap();
    }
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
}

#[tokio::test]
async fn where_a_replica_may_take_over_a_primary_that_was_not_seen_has_forgotten() {
    let server = RedisServer::start();
    let settings = || settings(&server).with_after_restart(AfterRestart::RefuseDatedBefore);
    let alone = connected(settings()).await.nonces();
    remember_since_1970(&server, "qv");
    jump(&server, 8_000);
    assert_eq!(alone.claim(claim(1, 0)).await.unwrap(), NonceVerdict::Fresh);
    let replaced = connected(settings().with_failover_after(Duration::from_secs(10)))
        .await
        .nonces();
    remember_since_1970(&server, "qv");
    jump(&server, 6_000);
    let verdict = replaced.claim(claim(2, 0)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::Fresh);
    remember_since_1970(&server, "qv");
    jump(&server, 8_000);
    let verdict = replaced.claim(claim(3, 0)).await.unwrap();
    assert_eq!(verdict, NonceVerdict::BeforeMemory);
}

#[tokio::test]
async fn the_time_of_a_claim_is_that_of_the_gateway_when_it_asks() {
    let server = RedisServer::start();
    let nonces = connected(settings(&server)).await.nonces();
    let early = UnixTime::from_seconds(TIMESTAMP - 1000);
    let value = NonceValue::Number(1);
    let claim = NonceClaim::new("AKID1", Some(TIMESTAMP), value, early, TIMESTAMP + 300);
    assert_eq!(nonces.claim(claim).await.unwrap(), NonceVerdict::Fresh);
    // By the time of the claim it would be 1000 seconds earlier.
    assert_eq!(Marker::of(&server, "AKID1").floor, TIMESTAMP - 11);
}
