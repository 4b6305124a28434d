#![expect(clippy::arithmetic_side_effects, reason = "small numbers")]

use std::collections::HashMap;
use std::error::Error;
use std::hash::Hasher;
use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use super::keys::{AlreadyHashed, HashKey};
use super::ring::Ring;
use super::table::{Nonces, live};
use super::*;
use crate::store::NonceValue;
use NonceVerdict::{BeforeMemory, Fresh, Full, Repeated, ShareExhausted};

#[test]
fn the_second_of_equal_claims_is_repeated() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    let claim = at(1000, "AKID1", 1000, 7, 1300);
    assert!(store.is_empty());
    assert_eq!(store.claim(&claim).unwrap(), Fresh);
    assert_eq!(store.claim(&claim).unwrap(), Repeated);
    assert_eq!(
        store.claim(&at(1200, "AKID1", 1000, 7, 1300)).unwrap(),
        Repeated
    );
    assert_eq!(store.len(), 1);
    assert!(!store.is_empty());
}

#[test]
fn claims_that_differ_in_anything_are_independent() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    let now = UnixTime::from_seconds(1000);
    let signature = |first: u8| {
        let mut bytes = [0; 32];
        bytes[0] = first;
        NonceValue::Signature(bytes)
    };
    let number = NonceValue::Number;
    for (secret_id, timestamp, value) in [
        ("AKID1", Some(1000), number(7)),
        ("AKID2", Some(1000), number(7)),
        ("AKID1", Some(1001), number(7)),
        ("AKID1", Some(1000), number(8)),
        ("AKID1", Some(1000), number(0)),
        ("AKID1", Some(1000), number(u64::MAX)),
        ("AKID1", Some(1000), signature(0)),
        ("AKID1", Some(1000), signature(7)),
        ("AKID1", None, signature(7)),
        ("AKID", Some(1000), signature(b'1')),
        ("A", Some(1000), number(7)),
        ("A\u{1}", Some(1000), number(7)),
    ] {
        let claim = NonceClaim::new(secret_id, timestamp, value, now, 1300);
        assert_eq!(store.claim(&claim).unwrap(), Fresh, "{claim:?}");
        assert_eq!(store.claim(&claim).unwrap(), Repeated, "{claim:?}");
    }
    assert_eq!(store.len(), 12);
}

#[test]
fn a_claim_is_kept_in_its_last_second_and_gone_in_the_next() {
    // With a window of six seconds each generation is one second.
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 6);
    assert_eq!(
        store.claim(&at(1000, "AKID1", 1000, 7, 1006)).unwrap(),
        Fresh
    );
    assert_eq!(
        store.claim(&at(1006, "AKID1", 1000, 7, 1006)).unwrap(),
        Repeated
    );
    assert_eq!(
        store.claim(&at(1006, "AKID2", 1006, 1, 1012)).unwrap(),
        Fresh
    );
    assert_eq!(store.len(), 2);
    assert_eq!(
        store.claim(&at(1007, "AKID2", 1007, 1, 1013)).unwrap(),
        Fresh
    );
    assert_eq!(store.len(), 2);
}

#[test]
fn a_request_dated_ahead_is_kept_for_twice_the_window() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    assert_eq!(
        store.claim(&at(1000, "AKID1", 1300, 7, 1600)).unwrap(),
        Fresh
    );
    for now in 1001..=1600 {
        let other = at(now, "AKID2", now, 1, now + 300);
        assert_eq!(store.claim(&other).unwrap(), Fresh);
        let replay = at(now, "AKID1", 1300, 7, 1600);
        assert_eq!(store.claim(&replay).unwrap(), Repeated, "at {now}");
    }
    assert!(store.claim(&at(1601, "AKID1", 1300, 7, 1600)).is_err());
}

#[test]
fn a_window_of_nothing_and_one_of_centuries() {
    let none = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 0);
    assert_eq!(
        none.claim(&at(1000, "AKID1", 1000, 7, 1000)).unwrap(),
        Fresh
    );
    assert_eq!(
        none.claim(&at(1000, "AKID1", 1000, 7, 1000)).unwrap(),
        Repeated
    );
    assert!(none.claim(&at(1000, "AKID1", 1001, 7, 1001)).is_err());

    let long = MemoryNonces::insecure_without_memory(NonceCapacity::default(), u32::MAX);
    let last = 1000 + 2 * 4_294_967_295;
    assert_eq!(long.claim(&at(1000, "AKID1", 1, 7, last)).unwrap(), Fresh);
    assert_eq!(
        long.claim(&at(last, "AKID1", 1, 7, last)).unwrap(),
        Repeated
    );
}

#[test]
fn before_1970_and_at_the_ends_of_time() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    assert_eq!(
        store.claim(&at(-100, "AKID1", -400, 7, -100)).unwrap(),
        Fresh
    );
    assert_eq!(
        store.claim(&at(-100, "AKID1", -400, 7, -100)).unwrap(),
        Repeated
    );
    assert!(store.claim(&at(0, "AKID1", 0, 7, i64::MAX)).is_err());
    assert!(store.claim(&at(0, "AKID1", 0, 7, i64::MIN)).is_err());
    let end = UnixTime::from_seconds(i64::MAX).seconds();
    assert_eq!(
        store.claim(&at(end, "AKID1", end, 7, end + 300)).unwrap(),
        Fresh
    );
}

#[test]
fn a_full_store_refuses_and_forgets_nothing() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(3, 3).unwrap(), 6);
    for nonce in 1..=3 {
        let claim = at(1000, "AKID1", 1000, nonce, 1006);
        assert_eq!(store.claim(&claim).unwrap(), Fresh);
    }
    assert_eq!(
        store.claim(&at(1000, "AKID2", 1000, 4, 1006)).unwrap(),
        Full
    );
    assert_eq!(
        store.claim(&at(1000, "AKID1", 1000, 1, 1006)).unwrap(),
        Repeated
    );
    assert_eq!(
        store.claim(&at(1006, "AKID2", 1000, 4, 1006)).unwrap(),
        Full
    );
    assert_eq!(store.len(), 3);
    // What was refused has not been claimed.
    assert_eq!(
        store.claim(&at(1007, "AKID2", 1007, 4, 1013)).unwrap(),
        Fresh
    );
    assert_eq!(store.len(), 1);
}

#[test]
fn a_noisy_caller_exhausts_its_share_and_nobody_elses() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(4, 2).unwrap(), 6);
    assert_eq!(
        store.claim(&at(1000, "NOISY", 1000, 1, 1006)).unwrap(),
        Fresh
    );
    assert_eq!(
        store.claim(&at(1000, "NOISY", 1001, 2, 1007)).unwrap(),
        Fresh
    );
    assert_eq!(
        store.claim(&at(1000, "NOISY", 1000, 3, 1006)).unwrap(),
        ShareExhausted
    );
    assert_eq!(
        store.claim(&at(1000, "NOISY", 1000, 1, 1006)).unwrap(),
        Repeated
    );
    assert_eq!(
        store.claim(&at(1000, "QUIET", 1000, 1, 1006)).unwrap(),
        Fresh
    );
    assert_eq!(
        store.claim(&at(1000, "QUIET", 1000, 2, 1006)).unwrap(),
        Fresh
    );
    // Both at the share and full: the caller hears of what it can do something about.
    assert_eq!(
        store.claim(&at(1000, "NOISY", 1000, 3, 1006)).unwrap(),
        ShareExhausted
    );
    assert_eq!(
        store.claim(&at(1000, "THIRD", 1000, 1, 1006)).unwrap(),
        Full
    );
    // One of its two has expired.
    assert_eq!(
        store.claim(&at(1007, "NOISY", 1007, 3, 1013)).unwrap(),
        Fresh
    );
    assert_eq!(
        store.claim(&at(1007, "NOISY", 1007, 4, 1013)).unwrap(),
        ShareExhausted
    );
}

#[test]
fn of_equal_claims_on_many_threads_exactly_one_is_fresh() {
    for nonce in 0..20 {
        let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
        let verdicts = together(|_| store.claim(&at(1000, "AKID1", 1000, nonce, 1300)));
        assert_eq!(count(&verdicts, Fresh), 1);
        assert_eq!(count(&verdicts, Repeated), 63);
        assert_eq!(store.len(), 1);
    }
}

#[test]
fn without_timestamps_equal_claims_meet_across_generations() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    let claim = |now, expires_at| {
        let now = UnixTime::from_seconds(now);
        NonceClaim::new("AKID1", None, NonceValue::Number(7), now, expires_at)
    };
    assert_eq!(store.claim(&claim(1000, 1600)).unwrap(), Fresh);
    assert_eq!(store.claim(&claim(1000, 1000)).unwrap(), Repeated);
    assert_eq!(store.claim(&claim(1300, 1900)).unwrap(), Repeated);
    assert_eq!(store.claim(&claim(1600, 1900)).unwrap(), Repeated);
    assert_eq!(store.claim(&claim(1700, 2000)).unwrap(), Fresh);
    assert_eq!(store.claim(&claim(1700, 1800)).unwrap(), Repeated);
}

#[test]
fn without_timestamps_a_clock_that_went_back_cannot_tell() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 6);
    let claim = |now, nonce, expires_at| {
        let now = UnixTime::from_seconds(now);
        NonceClaim::new("AKID1", None, NonceValue::Number(nonce), now, expires_at)
    };
    assert_eq!(store.claim(&claim(1000, 7, 1006)).unwrap(), Fresh);
    assert_eq!(store.claim(&claim(1010, 8, 1016)).unwrap(), Fresh);
    // Seven was used until 1006, which has been forgotten.
    assert!(store.claim(&claim(1006, 7, 1010)).is_err());
    assert!(store.claim(&claim(1007, 9, 1010)).is_err());
    assert_eq!(store.claim(&claim(1008, 9, 1010)).unwrap(), Fresh);
    assert_eq!(store.claim(&claim(1008, 8, 1010)).unwrap(), Repeated);
}

#[test]
fn without_timestamps_exactly_one_of_many_threads_is_fresh() {
    for nonce in 0..20 {
        let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
        let verdicts = together(|thread| {
            let now = UnixTime::from_seconds(1000);
            let value = NonceValue::Number(nonce);
            store.claim(&NonceClaim::new(
                "AKID1",
                None,
                value,
                now,
                1000 + 9 * thread,
            ))
        });
        assert_eq!(count(&verdicts, Fresh), 1);
        assert_eq!(count(&verdicts, Repeated), 63);
        assert_eq!(store.len(), 1);
    }
}

#[test]
fn the_bounds_hold_on_many_threads() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(10, 10).unwrap(), 300);
    let verdicts = together(|thread| store.claim(&at(1000, "AKID1", 1000 + thread, 7, 1300)));
    assert_eq!(count(&verdicts, Fresh), 10);
    assert_eq!(count(&verdicts, ShareExhausted), 54);

    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(10, 10).unwrap(), 300);
    let verdicts = together(|thread| {
        let secret_id = format!("AKID{thread}");
        store.claim(&at(1000, &secret_id, 1000, 7, 1300))
    });
    assert_eq!(count(&verdicts, Fresh), 10);
    assert_eq!(count(&verdicts, Full), 54);
    assert_eq!(store.len(), 10);
}

#[test]
#[cfg_attr(miri, ignore = "32,000 claims")]
fn the_count_is_right_after_many_threads_and_generations() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(50, 20).unwrap(), 6);
    let admitted = together(|thread| {
        for step in 0..500 {
            let now = 1000 + step / 10;
            let secret_id = format!("AKID{}", thread % 5);
            let claim = at(now, &secret_id, now, 64 * 500, now + 6);
            // A thread that was overtaken by a generation gets an error.
            let _ = store.claim(&claim);
            assert!(store.len() <= 50);
        }
        Ok(Fresh)
    });
    assert_eq!(admitted.len(), 64);
    // In each of the seconds 1043 to 1049, each of the five was fresh at most once.
    assert!(store.len() <= 35);
    assert_eq!(
        store.claim(&at(1055, "AKID9", 1055, 1, 1061)).unwrap(),
        Fresh
    );
    let len = store.len();
    assert_eq!((counted(&store), kept(&store)), (len, len));
    assert_eq!(
        store.claim(&at(2000, "AKID9", 2000, 1, 2006)).unwrap(),
        Fresh
    );
    assert_eq!(store.len(), 1);
    assert_eq!((counted(&store), kept(&store)), (1, 1));
}

#[test]
fn while_threads_move_the_clock_every_nonce_is_fresh_once() {
    const CLAIMS: usize = if cfg!(miri) { 100 } else { 10_000 };
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 6);
    let clock = AtomicI64::new(1000);
    let answers: Vec<((i64, u64), bool)> = thread::scope(|scope| {
        let threads: Vec<_> = (1..=8_u64)
            .map(|seed| {
                let (store, clock) = (&store, &clock);
                scope.spawn(move || {
                    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
                    let mut answers = Vec::new();
                    for _ in 0..CLAIMS {
                        let moves = i64::from(random.below(500) == 0);
                        let now = clock.fetch_add(moves, Ordering::AcqRel);
                        let dated = now + random.below(13) - 6;
                        let nonce = u64::try_from(random.below(4)).unwrap();
                        // A thread that was overtaken by a generation gets an error.
                        match store.claim(&at(now, "AKID1", dated, nonce, dated + 6)) {
                            Ok(verdict @ (Fresh | Repeated)) => {
                                answers.push(((dated, nonce), verdict == Fresh));
                            }
                            Ok(other) => panic!("{other:?}"),
                            Err(_) => {}
                        }
                    }
                    answers
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    let mut fresh = HashMap::new();
    for (key, is_fresh) in answers {
        *fresh.entry(key).or_insert(0) += i32::from(is_fresh);
    }
    assert!(fresh.len() > CLAIMS / 20, "{}", fresh.len());
    assert!(fresh.values().all(|&times| times == 1), "{fresh:?}");
    let now = clock.into_inner();
    assert_eq!(
        store.claim(&at(now, "AKID2", now, 1, now + 6)).unwrap(),
        Fresh
    );
    let live = fresh.keys().filter(|(dated, _)| dated + 6 >= now).count() + 1;
    let len = store.len();
    assert_eq!((len, counted(&store), kept(&store)), (live, live, live));
}

#[test]
fn what_was_forgotten_before_the_clock_went_back_is_not_fresh() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    assert_eq!(
        store.claim(&at(1000, "AKID1", 1000, 7, 1300)).unwrap(),
        Fresh
    );
    let ahead = 1000 + 5 * 3600;
    assert_eq!(
        store
            .claim(&at(ahead, "AKID1", ahead, 8, ahead + 300))
            .unwrap(),
        Fresh
    );
    let error = store.claim(&at(1000, "AKID1", 1000, 7, 1300)).unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "the clock went back to 1000: which nonces were used that expire at 1300 has been forgotten"
    );
    assert!(store.claim(&at(1000, "AKID1", 1000, 9, 1300)).is_err());
    // Nothing is forgotten where the generation is still there.
    let replay = at(ahead - 60, "AKID1", ahead, 8, ahead + 300);
    assert_eq!(store.claim(&replay).unwrap(), Repeated);
    // It heals when the clock has caught up.
    let later = ahead + 1;
    assert_eq!(
        store
            .claim(&at(later, "AKID1", later, 9, later + 300))
            .unwrap(),
        Fresh
    );
}

#[test]
fn a_claim_outside_of_the_window_is_an_error() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
    let expired = store.claim(&at(1000, "AKID1", 699, 7, 999)).unwrap_err();
    assert_eq!(
        expired.source().unwrap().to_string(),
        "a nonce that expired at 999 was claimed at 1000: the request should have been refused for its timestamp"
    );
    let ahead = store.claim(&at(1000, "AKID1", 1301, 7, 1601)).unwrap_err();
    assert_eq!(
        ahead.source().unwrap().to_string(),
        "a nonce that expires at 1601 was claimed at 1000: the nonce store was built for a window of 300 seconds, \
         and the policy has a longer one"
    );
    assert!(store.is_empty());
}

#[test]
fn requests_dated_before_the_start_are_not_judged() {
    let started = UnixTime::from_seconds(1000);
    let store = MemoryNonces::started_at(
        NonceCapacity::new(2, 1).unwrap(),
        300,
        started,
        AfterRestart::RefuseDatedBefore,
    );
    for now in [1000, 1150, 1299] {
        let before = at(now, "AKID1", 999, 7, 1299);
        assert_eq!(store.claim(&before).unwrap(), BeforeMemory, "at {now}");
    }
    assert!(store.is_empty());
    let dated = at(1000, "AKID1", 1000, 7, 1300);
    assert_eq!(store.claim(&dated).unwrap(), Fresh);
    assert_eq!(store.claim(&dated).unwrap(), Repeated);
    // Whatever else could be said about it.
    let before = at(1000, "AKID1", 999, 8, 1299);
    assert_eq!(store.claim(&before).unwrap(), BeforeMemory);
    let other = at(1000, "AKID2", 1000, 7, 1300);
    assert_eq!(store.claim(&other).unwrap(), Fresh);
    assert_eq!(store.claim(&before).unwrap(), BeforeMemory);
}

#[test]
fn without_timestamps_too_the_date_decides() {
    let started = UnixTime::from_seconds(1000);
    let store = MemoryNonces::started_at(
        NonceCapacity::default(),
        300,
        started,
        AfterRestart::default(),
    );
    let claim = |dated: i64| {
        let signature = NonceValue::Signature([7; 32]);
        store.claim(&NonceClaim::new(
            "AKID1",
            None,
            signature,
            started,
            dated + 300,
        ))
    };
    assert_eq!(claim(999).unwrap(), BeforeMemory);
    assert_eq!(claim(1000).unwrap(), Fresh);
    assert_eq!(claim(1000).unwrap(), Repeated);
}

#[test]
#[cfg_attr(miri, ignore = "ten thousand claims")]
fn memory_and_callers_are_released_after_expiry() {
    let store =
        MemoryNonces::insecure_without_memory(NonceCapacity::new(10_000, 10_000).unwrap(), 6);
    for nonce in 0..10_000 {
        let secret_id = format!("AKID{}", nonce % 3000);
        let claim = at(1000, &secret_id, 1000, nonce, 1006);
        assert_eq!(store.claim(&claim).unwrap(), Fresh);
    }
    assert_eq!(tenants(&store), 3000);
    assert!(room(&store) >= 10_000);
    assert!(room_for_tenants(&store) >= 3000);
    // One claim drops all from the count, and the following ones release the memory.
    for nonce in 0..200 {
        let claim = at(1007, "AKID1", 1007, nonce, 1013);
        assert_eq!(store.claim(&claim).unwrap(), Fresh);
        assert_eq!(store.len(), usize::try_from(nonce + 1).unwrap());
    }
    assert_eq!(tenants(&store), 1);
    assert!(room(&store) < 1000);
    assert!(room_for_tenants(&store) < 300);
    for nonce in 0..200 {
        let claim = at(2000, "AKID2", 2000, nonce, 2006);
        assert_eq!(store.claim(&claim).unwrap(), Fresh);
    }
    assert_eq!(tenants(&store), 1);
}

#[test]
fn a_full_store_has_all_of_its_room_again_when_everything_in_it_has_died() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(1000, 1000).unwrap(), 6);
    for start in [1000, 1007, 1014, 5000] {
        for nonce in 0..1000 {
            let claim = at(start, "AKID1", start, nonce, start + 6);
            assert_eq!(store.claim(&claim).unwrap(), Fresh);
        }
        let one_more = at(start, "AKID2", start, 1, start + 6);
        assert_eq!(store.claim(&one_more).unwrap(), Full);
        assert_eq!((counted(&store), kept(&store)), (1000, 1000));
    }
}

#[test]
fn a_refused_caller_leaves_no_trace() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(1, 1).unwrap(), 6);
    assert_eq!(
        store.claim(&at(1000, "AKID1", 1000, 1, 1006)).unwrap(),
        Fresh
    );
    for nonce in 0..100 {
        let secret_id = format!("AKID{}", nonce + 2);
        assert_eq!(
            store.claim(&at(1000, &secret_id, 1000, 1, 1006)).unwrap(),
            Full
        );
    }
    assert_eq!(tenants(&store), 1);
}

#[test]
#[cfg_attr(miri, ignore = "half a million claims")]
fn agrees_with_a_naive_model() {
    for (window, span) in [(6, 1), (30, 5), (300, 43)] {
        for scope in [Scope::WithTimestamp, Scope::WithoutTimestamp] {
            for seed in 1..=4 {
                compare_with_model(window, span, scope, seed);
            }
        }
    }
}

#[test]
fn capacities_that_make_no_sense_are_refused() {
    assert_eq!(NonceCapacity::new(0, 0), Err(CapacityError::Zero));
    assert_eq!(NonceCapacity::new(1, 0), Err(CapacityError::Zero));
    assert_eq!(
        NonceCapacity::new(1, 2),
        Err(CapacityError::ShareAboveTotal)
    );
    assert_eq!(
        CapacityError::ShareAboveTotal.to_string(),
        "the share of one SecretId is larger than the whole nonce store"
    );
    let capacity = NonceCapacity::default();
    assert_eq!(
        (capacity.total(), capacity.per_secret_id()),
        (1_000_000, 250_000)
    );
    assert_eq!(NonceCapacity::new(1_000_000, 250_000), Ok(capacity));
}

#[test]
fn debug_prints_only_counts() {
    let store = MemoryNonces::insecure_without_memory(NonceCapacity::new(5, 4).unwrap(), 300);
    store.claim(&at(1000, "AKID1", 1000, 7, 1300)).unwrap();
    assert_eq!(
        format!("{store:?}"),
        "MemoryNonces { len: 1, capacity: NonceCapacity { total: 5, per_secret_id: 4 }, .. }"
    );
}

fn at(now: i64, secret_id: &str, timestamp: i64, nonce: u64, expires_at: i64) -> NonceClaim<'_> {
    NonceClaim::new(
        secret_id,
        Some(timestamp),
        NonceValue::Number(nonce),
        UnixTime::from_seconds(now),
        expires_at,
    )
}

fn together(claim: impl Fn(i64) -> Result<NonceVerdict, StoreError> + Sync) -> Vec<NonceVerdict> {
    let barrier = Barrier::new(64);
    let (barrier, claim) = (&barrier, &claim);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..64)
            .map(|thread| {
                scope.spawn(move || {
                    barrier.wait();
                    claim(thread).unwrap()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn count(verdicts: &[NonceVerdict], wanted: NonceVerdict) -> usize {
    verdicts
        .iter()
        .filter(|&&verdict| verdict == wanted)
        .count()
}

fn counted(store: &MemoryNonces) -> usize {
    let first = store.table.first();
    let mut counted = 0;
    for mut tenants in store.table.tenants.by_number.by_key.iter_mut() {
        counted += tenants
            .values_mut()
            .map(|claimed| live(claimed, first))
            .sum::<u32>();
    }
    usize::try_from(counted).unwrap()
}

fn kept(store: &MemoryNonces) -> usize {
    let in_partition =
        |nonces: &Ring<Nonces>| nonces.iter().map(|(_, each)| each.len()).sum::<usize>();
    store
        .table
        .nonces
        .by_number
        .by_key
        .iter()
        .map(|each| in_partition(&each))
        .sum()
}

fn tenants(store: &MemoryNonces) -> usize {
    let partitions = store.table.tenants.by_number.by_key.iter();
    partitions.map(|tenants| tenants.len()).sum()
}

fn room_for_tenants(store: &MemoryNonces) -> usize {
    let partitions = store.table.tenants.by_number.by_key.iter();
    partitions.map(|tenants| tenants.capacity()).sum()
}

fn room(store: &MemoryNonces) -> usize {
    let in_partition = |nonces: &Ring<Nonces>| {
        nonces
            .iter()
            .map(|(_, each)| each.capacity())
            .sum::<usize>()
    };
    store
        .table
        .nonces
        .by_number
        .by_key
        .iter()
        .map(|each| in_partition(&each))
        .sum()
}

#[derive(Clone, Copy)]
enum Scope {
    WithTimestamp,
    WithoutTimestamp,
}

/// SecretId, timestamp and nonce.
type Key = (i64, Option<i64>, u64);

/// Claims and replays at random under a clock that moves both ways, and expects what a list of all claims says.
fn compare_with_model(window: u32, span: i64, scope: Scope, seed: u64) {
    let (total, share) = (12, 5);
    let store =
        MemoryNonces::insecure_without_memory(NonceCapacity::new(total, share).unwrap(), window);
    let window = i64::from(window);
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut now = 1_767_225_600;
    let mut first = i64::MIN;
    let mut held = Vec::<(Key, i64)>::new();
    let mut used_before = Vec::new();
    let mut last_second = HashMap::new();
    let mut seen = [0; 5];

    for step in 0..20_000 {
        now += match random.below(1000) {
            0..850 => 0,
            850..970 => 1,
            970..990 => random.below(window) + 1,
            990..993 => 3 * window,
            _ => -random.below(window) - 1,
        };
        let used = i64::try_from(used_before.len()).unwrap();
        let (key, expires_at) = if used > 0 && random.below(3) == 0 {
            let recent = used - 1 - random.below(used.min(40));
            used_before[usize::try_from(recent).unwrap()]
        } else {
            let caller = random.below(5) / 2;
            let nonce = u64::try_from(random.below(8)).unwrap();
            let timestamp = now + random.below(2 * window + 3) - window - 1;
            let compared = match scope {
                Scope::WithTimestamp => Some(timestamp),
                Scope::WithoutTimestamp => None,
            };
            ((caller, compared, nonce), timestamp + window)
        };
        let (caller, timestamp, nonce) = key;

        let expected = if expires_at < now || expires_at > now + 2 * window {
            None
        } else {
            first = first.max(now.div_euclid(span));
            held.retain(|(_, expires_at)| expires_at.div_euclid(span) >= first);
            let cannot_tell = timestamp.is_none() && now + 2 < first * span;
            if expires_at.div_euclid(span) < first || cannot_tell {
                None
            } else if held.iter().any(|(other, _)| *other == key) {
                Some(Repeated)
            } else if held
                .iter()
                .filter(|((other, ..), _)| *other == caller)
                .count()
                >= share
            {
                Some(ShareExhausted)
            } else if held.len() >= total {
                Some(Full)
            } else {
                held.push((key, expires_at));
                Some(Fresh)
            }
        };
        let secret_id = format!("AKID{caller}");
        let verdict = store
            .claim(&NonceClaim::new(
                &secret_id,
                timestamp,
                NonceValue::Number(nonce),
                UnixTime::from_seconds(now),
                expires_at,
            ))
            .ok();
        assert_eq!(verdict, expected, "window {window} seed {seed} step {step}");
        if verdict == Some(Fresh) {
            // Whatever the model says: no use of a nonce is admitted again before it has expired.
            used_before.push((key, expires_at));
            let before = last_second.insert(key, expires_at);
            let over = match scope {
                Scope::WithTimestamp => now,
                Scope::WithoutTimestamp => now + 2,
            };
            assert!(
                before.is_none_or(|last| last < over),
                "seed {seed} step {step}"
            );
        }
        if expected.is_some() {
            assert_eq!(store.len(), held.len());
        }
        seen[verdict.map_or(4, |verdict| match verdict {
            Fresh => 0,
            Repeated => 1,
            ShareExhausted => 2,
            Full => 3,
            BeforeMemory => panic!("the store knows all"),
        })] += 1;
    }
    assert!(seen.iter().all(|&times| times > 20), "{seen:?}");
}

/// Otherwise every claim would be looked for in one place, which is right and slow.
#[test]
fn a_hash_is_passed_on_as_it_is() {
    let mut hasher = AlreadyHashed::default();
    hasher.write_u64(0x0102_0304_0506_0708);
    assert_eq!(hasher.finish(), 0x0102_0304_0506_0708);
    let mut hasher = AlreadyHashed::default();
    hasher.write(&[1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(hasher.finish(), 0x0102_0304_0506_0708);
    hasher.write(&[9]);
    assert_eq!(hasher.finish(), 0x0203_0405_0607_0808);
}

#[test]
fn the_key_of_the_hashes_is_not_printed() {
    assert_eq!(format!("{:?}", HashKey([7; 16])), "HashKey(..)");
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 1).unwrap() % bound
    }
}
