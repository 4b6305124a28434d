//! Whether a store of one's own keeps the contract of its trait: assertions for its tests.
//!
//! Each takes a store that is empty. A store that must be waited for is asked through one that blocks. A store that goes by
//! a clock of its own, as a database may, cannot be shown another time: of its nonces [`claims_are_exact`] alone can be
//! asserted, at the present.
//!
//! ```
//! use std::num::NonZeroU32;
//! use qcloud_validator::UnixTime;
//! use qcloud_validator::memory::{MemoryNonces, MemoryQuotas, NonceCapacity};
//! use qcloud_validator::store::QuotaRule;
//! use qcloud_validator::testkit::conformance;
//!
//! let now = UnixTime::from_seconds(1_767_225_600);
//! let with_room_for = |room| {
//!     NonceCapacity::new(room, room).map(|capacity| MemoryNonces::insecure_without_memory(capacity, 300))
//! };
//! conformance::claims_are_exact(&with_room_for(1_000)?, now);
//! conformance::live_nonces_are_remembered(&with_room_for(20_000)?);
//! conformance::a_full_store_refuses(&with_room_for(3)?, 3);
//! conformance::a_jumping_clock_frees_nothing(&with_room_for(2)?);
//!
//! let ten_a_minute = QuotaRule::new(10, NonZeroU32::new(60).unwrap());
//! conformance::draws_are_counted(&MemoryQuotas::new().with_quota(ten_a_minute), 10, now);
//! # Ok::<(), qcloud_validator::memory::CapacityError>(())
//! ```

use std::collections::HashSet;
use std::fmt::Debug;
use std::panic::resume_unwind;
use std::thread;

use crate::clock::UnixTime;
use crate::store::{
    NonceClaim, NonceStore, NonceValue, NonceVerdict, Principal, QuotaDraw, QuotaStore,
    QuotaVerdict, StoreError,
};

/// Seconds.
const WINDOW: i64 = 300;
const HOUR: i64 = 3_600;
/// Where the time is ours to choose.
const START: i64 = 1_767_225_600;
const THREADS: usize = 8;

/// Asserts that of equal claims at eight threads one is fresh and all others are repeated, and that a claim which differs
/// in SecretId, timestamp or value is another. The store needs room for 60 nonces of one SecretId.
///
/// # Panics
///
/// If that is not so, or the store fails.
pub fn claims_are_exact(store: &dyn NonceStore, now: UnixTime) {
    let timestamp = now.seconds();
    let expires_at = timestamp.saturating_add(WINDOW);
    let of = |value| NonceClaim::new("AKID1", Some(timestamp), value, now, expires_at);

    let raced: Vec<NonceClaim<'_>> = (0..50).map(NonceValue::Number).map(of).collect();
    let raced = &raced;
    let verdicts = at_all_threads(|| raced.iter().map(|claim| store.claim(claim)).collect());
    for (number, claim) in raced.iter().enumerate() {
        let of_one = verdicts.iter().filter_map(|verdicts| verdicts.get(number));
        let of_one: Vec<&NonceVerdict> = of_one.map(|verdict| answered(verdict, claim)).collect();
        let count = |wanted| of_one.iter().filter(|&&&verdict| verdict == wanted).count();
        let fresh = count(NonceVerdict::Fresh);
        assert_eq!(
            fresh, 1,
            "{THREADS} threads made {claim:?} and {fresh} got it"
        );
        let others = count(NonceVerdict::Repeated);
        assert_eq!(others, THREADS.saturating_sub(1), "{claim:?}: {of_one:?}");
    }

    let first = of(NonceValue::Number(1_000));
    let mut untimed = first;
    untimed.timestamp = None;
    let mut earlier = first;
    earlier.timestamp = Some(timestamp.saturating_sub(1));
    let mut of_another = first;
    of_another.secret_id = "AKID2";
    let largest = of(NonceValue::Number(u64::MAX));
    let signature = of(NonceValue::Signature([0; 32]));
    let claims = [first, untimed, earlier, of_another, largest, signature];
    for expected in [NonceVerdict::Fresh, NonceVerdict::Repeated] {
        for claim in &claims {
            let verdict = *answered(&store.claim(claim), claim);
            assert_eq!(verdict, expected, "{claim:?}");
        }
    }
}

/// Asserts that every nonce is remembered to its last second and none is refused that was not claimed: 20,000 claims
/// within the window of a clock that goes on, against a list of all of them. The store needs room for 20,000 nonces of
/// one SecretId.
///
/// # Panics
///
/// If that is not so, or the store fails.
pub fn live_nonces_are_remembered(store: &dyn NonceStore) {
    let mut claimed = HashSet::new();
    let mut now = START;
    for step in 0..20_000_u64 {
        // Each step draws the same number in every run.
        let draw = step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        now = now.saturating_add(i64::from(draw.is_multiple_of(7)));
        let ahead = i64::try_from(draw.checked_rem(601).unwrap_or_default()).unwrap_or_default();
        let timestamp = now.saturating_sub(WINDOW).saturating_add(ahead);
        let nonce = draw & 3;
        let claim = claim(nonce, timestamp, now);
        let expected = if claimed.insert((nonce, timestamp)) {
            NonceVerdict::Fresh
        } else {
            NonceVerdict::Repeated
        };
        let verdict = *answered(&store.claim(&claim), &claim);
        assert_eq!(verdict, expected, "{claim:?}");
    }
}

/// Asserts that a store which is full refuses what is new, still knows what it has, and has room when that expires. `room`
/// is for how many nonces of one SecretId it has room.
///
/// # Panics
///
/// If that is not so, or the store fails.
pub fn a_full_store_refuses(store: &dyn NonceStore, room: u64) {
    let ask = |nonce, timestamp, now| {
        let claim = claim(nonce, timestamp, now);
        *answered(&store.claim(&claim), &claim)
    };
    for nonce in 0..room {
        let verdict = ask(nonce, START, START);
        assert_eq!(verdict, NonceVerdict::Fresh, "there is room for {room}");
    }
    let last = START.saturating_add(WINDOW);
    for now in [START, last] {
        let verdict = ask(room, START, now);
        let refused = [NonceVerdict::Full, NonceVerdict::ShareExhausted].contains(&verdict);
        assert!(refused, "one more than {room} at {now}: {verdict:?}");
        for nonce in 0..room {
            let verdict = ask(nonce, START, now);
            assert_eq!(verdict, NonceVerdict::Repeated, "{nonce} at {now}");
        }
    }
    let after = last.saturating_add(100);
    let verdict = ask(room, after, after);
    assert_eq!(verdict, NonceVerdict::Fresh, "all had expired at {after}");
}

/// Asserts that a clock which jumps ahead by hours and back makes nothing fresh that was used: it is repeated, or the
/// store says that it cannot tell. The store has room for two nonces of one SecretId, so that it must forget what expires.
///
/// # Panics
///
/// If that is not so, or the store fails otherwise.
pub fn a_jumping_clock_frees_nothing(store: &dyn NonceStore) {
    let used = claim(1, START, START);
    let verdict = *answered(&store.claim(&used), &used);
    assert_eq!(verdict, NonceVerdict::Fresh, "{used:?}");
    for hours in 1..=24 {
        let ahead = START.saturating_add(HOUR.saturating_mul(hours));
        for nonce in [2, 3] {
            let claim = claim(nonce, ahead, ahead);
            let verdict = *answered(&store.claim(&claim), &claim);
            assert_eq!(verdict, NonceVerdict::Fresh, "{claim:?}");
        }
        let replay = store.claim(&used);
        let refused = matches!(replay, Err(_) | Ok(NonceVerdict::Repeated));
        assert!(
            refused,
            "used {hours} h before and claimed again: {replay:?}"
        );
    }
}

/// Asserts that a store which grants each account `limit` requests at `now` grants just as many to eight threads, states
/// the limit when it refuses, takes nothing with a refused draw, and grants again when it said that it would.
///
/// # Panics
///
/// If that is not so, or the store fails.
pub fn draws_are_counted(store: &dyn QuotaStore, limit: u64, now: UnixTime) {
    let [one, other] = ["100000000001", "100000000002"].map(Principal::account);
    let ask = |principal: &Principal, now| {
        store.draw(&QuotaDraw::new(
            principal,
            "AKID1",
            "DescribeInstances",
            now,
        ))
    };
    let verdicts = at_all_threads(|| (0..limit).map(|_| ask(&one, now)).collect());
    let verdicts: Vec<&QuotaVerdict> = verdicts
        .iter()
        .flatten()
        .map(|verdict| answered(verdict, &one))
        .collect();
    let drawn = verdicts
        .iter()
        .filter(|&&&verdict| verdict == QuotaVerdict::Drawn);
    let drawn = u64::try_from(drawn.count()).unwrap_or(u64::MAX);
    assert_eq!(drawn, limit, "so many were granted at {THREADS} threads");

    let verdict = *answered(&ask(&one, now), &one);
    let again = match verdict {
        QuotaVerdict::RateExceeded {
            limit: stated,
            retry_after_millis,
            ..
        } => {
            assert_eq!(u64::from(stated), limit, "{verdict:?}");
            let wait = i64::try_from(retry_after_millis.div_ceil(1_000)).unwrap_or(i64::MAX);
            UnixTime::from_seconds(now.seconds().saturating_add(wait))
        }
        QuotaVerdict::QuotaExhausted {
            limit: stated,
            resets_at,
        } => {
            assert_eq!(stated, limit, "{verdict:?}");
            resets_at
        }
        QuotaVerdict::Drawn => now,
    };
    assert_ne!(verdict, QuotaVerdict::Drawn, "{limit} were granted before");
    for (whose, principal, at) in [("another account", &other, now), ("it later", &one, again)] {
        let verdict = *answered(&ask(principal, at), principal);
        assert_eq!(verdict, QuotaVerdict::Drawn, "{whose}, at {at:?}");
    }
}

fn claim(nonce: u64, timestamp: i64, now: i64) -> NonceClaim<'static> {
    NonceClaim::new(
        "AKID1",
        Some(timestamp),
        NonceValue::Number(nonce),
        UnixTime::from_seconds(now),
        timestamp.saturating_add(WINDOW),
    )
}

/// What each of the threads got.
fn at_all_threads<T: Send>(ask: impl Fn() -> Vec<T> + Sync) -> Vec<Vec<T>> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(&ask)).collect();
        let threads = threads.into_iter();
        threads
            .map(|thread| thread.join().unwrap_or_else(|cause| resume_unwind(cause)))
            .collect()
    })
}

#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
fn answered<'v, V>(verdict: &'v Result<V, StoreError>, asked: &dyn Debug) -> &'v V {
    match verdict {
        Ok(verdict) => verdict,
        Err(failed) => panic!("the store failed when it was asked {asked:?}: {failed:?}"),
    }
}
