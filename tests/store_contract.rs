//! What every nonce store must hold (`NonceStore`, "What an implementation must hold"): the one in memory, the one of
//! the example, and the one in Redis, each under the same tests.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "a test stops where it breaks"
)]

#[path = "../examples/custom_store.rs"]
#[allow(dead_code, reason = "the example runs by itself too")]
mod custom_store;
mod support;

use std::collections::HashSet;
use std::thread;

use custom_store::PlainNonces;
use qcloud_validator::store::{
    MemoryNonces, NonceCapacity, NonceClaim, NonceStore, NonceValue, NonceVerdict,
};
use qcloud_validator::{Clock, SystemClock, UnixTime};

const WINDOW: i64 = 300;

/// Stores that take the time from the claim alone, so that a test may move it.
fn timeless(capacity: usize) -> [(&'static str, Box<dyn NonceStore>); 2] {
    let room = NonceCapacity::new(capacity, capacity).unwrap();
    [
        ("memory", Box::new(MemoryNonces::new(room, 300))),
        ("example", Box::new(PlainNonces::with_room_for(capacity))),
    ]
}

/// Does something with each store, empty.
fn with_each(test: impl Fn(&str, &dyn NonceStore)) {
    for (name, store) in timeless(100_000) {
        test(name, &*store);
    }
    #[cfg(feature = "redis")]
    redis::with_redis(|store| test("Redis", store));
}

/// A claim in this very second, since Redis looks at a clock of its own.
fn at_once(secret_id: &str, ahead: i64, value: NonceValue) -> NonceClaim<'_> {
    let now = SystemClock.now();
    let timestamp = now.seconds() + ahead;
    NonceClaim::new(secret_id, Some(timestamp), value, now, timestamp + WINDOW)
}

#[test]
fn of_equal_claims_one_is_fresh_and_the_others_are_repeated() {
    with_each(|name, store| {
        let claims: Vec<NonceClaim<'_>> = (0..50)
            .map(|number| at_once("AKID1", 0, NonceValue::Number(number)))
            .collect();
        let verdicts: Vec<Vec<NonceVerdict>> = thread::scope(|scope| {
            let claim_all = || {
                claims
                    .iter()
                    .map(|claim| store.claim(claim).unwrap())
                    .collect()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(claim_all)).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for number in 0..50 {
            let of_one = || verdicts.iter().map(|verdicts| verdicts[number]);
            let fresh = of_one().filter(|&verdict| verdict == NonceVerdict::Fresh);
            assert_eq!(fresh.count(), 1, "{name}, {number}");
            let repeated = of_one().filter(|&verdict| verdict == NonceVerdict::Repeated);
            assert_eq!(repeated.count(), 7, "{name}, {number}");
        }
    });
}

#[test]
fn a_claim_that_differs_in_anything_is_another() {
    with_each(|name, store| {
        let first = at_once("AKID1", 0, NonceValue::Number(1));
        let mut untimed = first;
        untimed.timestamp = None;
        let mut earlier = first;
        earlier.timestamp = first.timestamp.map(|timestamp| timestamp - 1);
        let mut another = first;
        another.secret_id = "AKID2";
        let mut signature = first;
        signature.value = NonceValue::Signature([0; 32]);
        let mut number = first;
        number.value = NonceValue::Number(u64::MAX);
        let claims = [first, untimed, earlier, another, signature, number];
        for expected in [NonceVerdict::Fresh, NonceVerdict::Repeated] {
            for claim in &claims {
                assert_eq!(store.claim(claim).unwrap(), expected, "{name}: {claim:?}");
            }
        }
    });
}

/// 20,000 claims in the window of a clock that goes on, dated behind and ahead of it, against a plain list of all of
/// them.
#[test]
fn what_is_live_is_remembered_to_its_last_second_and_nothing_else_is_refused() {
    for (name, store) in timeless(100_000) {
        let mut claimed = HashSet::new();
        let (mut now, mut repeated) = (1_767_225_600, 0);
        for step in 0..20_000_u64 {
            let draw = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
            now += i64::from(draw.is_multiple_of(7));
            let timestamp = now - WINDOW + i64::try_from(draw % 601).unwrap();
            let value = NonceValue::Number(draw % 3);
            let claim = claim(value, timestamp, now);
            let expected = if claimed.insert((draw % 3, timestamp)) {
                NonceVerdict::Fresh
            } else {
                repeated += 1;
                NonceVerdict::Repeated
            };
            assert_eq!(store.claim(&claim).unwrap(), expected, "{name}: {claim:?}");
        }
        assert!(repeated > 1_000, "{repeated}");
    }
}

#[test]
fn a_clock_that_jumps_by_hours_makes_nothing_fresh_again() {
    for (name, store) in timeless(2) {
        let ask = |nonce, now| store.claim(&claim(NonceValue::Number(nonce), now, now));
        let now = 1_767_225_600;
        assert_eq!(ask(1, now).unwrap(), NonceVerdict::Fresh, "{name}");
        for hours in 1..=24 {
            // Two claims fill the store, and what has expired makes room.
            for nonce in [2, 3] {
                let verdict = ask(nonce, now + hours * 3600).unwrap();
                assert_eq!(verdict, NonceVerdict::Fresh, "{name}, {hours} h");
            }
            let replay = ask(1, now);
            let refused = matches!(replay, Err(_) | Ok(NonceVerdict::Repeated));
            assert!(refused, "{name}, {hours} h: {replay:?}");
        }
    }
}

#[test]
fn a_full_store_refuses_forgets_nothing_and_has_room_when_its_nonces_die() {
    for (name, store) in timeless(3) {
        let ask = |nonce, timestamp, now| {
            let claim = claim(NonceValue::Number(nonce), timestamp, now);
            store.claim(&claim).unwrap()
        };
        for nonce in 0..3 {
            assert_eq!(ask(nonce, 1000, 1000), NonceVerdict::Fresh, "{name}");
        }
        for now in [1000, 1150, 1300] {
            // The share of the only SecretId is the whole.
            let full = ask(9, 1000, now);
            let refused = [NonceVerdict::Full, NonceVerdict::ShareExhausted].contains(&full);
            assert!(refused, "{name} at {now}: {full:?}");
            for nonce in 0..3 {
                let verdict = ask(nonce, 1000, now);
                assert_eq!(verdict, NonceVerdict::Repeated, "{name} at {now}");
            }
        }
        assert_eq!(ask(9, 1400, 1400), NonceVerdict::Fresh, "{name}");
    }
}

fn claim(value: NonceValue, timestamp: i64, now: i64) -> NonceClaim<'static> {
    let time = UnixTime::from_seconds(now);
    NonceClaim::new("AKID1", Some(timestamp), value, time, timestamp + WINDOW)
}

#[cfg(feature = "redis")]
mod redis {
    use std::sync::Arc;

    use qcloud_validator::store::{
        AfterRestart, RedisSettings, RedisStores, RemoteNonceStore, StoreError,
    };
    use tokio::runtime::Runtime;

    use super::support::redis_server::RedisServer;
    use super::{NonceClaim, NonceStore, NonceVerdict};

    /// A store elsewhere, waited for.
    struct Waiting {
        runtime: Runtime,
        nonces: Arc<dyn RemoteNonceStore>,
    }

    impl NonceStore for Waiting {
        fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
            self.runtime.block_on(self.nonces.claim(*claim))
        }
    }

    pub(super) fn with_redis(test: impl FnOnce(&dyn NonceStore)) {
        let server = RedisServer::start();
        let runtime = Runtime::new().unwrap();
        let settings = RedisSettings::new(&server.url(), 300)
            .unwrap()
            .with_after_restart(AfterRestart::InsecureAdmit);
        let connected = runtime.block_on(RedisStores::connect(settings)).unwrap();
        let nonces = connected.nonces();
        test(&Waiting { runtime, nonces });
    }
}
