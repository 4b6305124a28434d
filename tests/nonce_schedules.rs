//! The nonce store under every order of threads that a scheduler draws: no nonce twice, no bound exceeded, nothing lost.
//!
//! These are the very sources of the store. Only what they stand on is another here: counters and locks whose every use is
//! a point at which the scheduler may switch threads, one lock for each partition as in the real map. The scheduler takes
//! all memory orders for sequential consistency, so weaker ones are not tried.
//!
//! `SCHEDULES_TIMES=30` tries thirty times as many schedules.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "the schedules use a part of the sources that they include"
)]

#[path = "../src/memory/nonces/capacity.rs"]
mod capacity;
#[path = "../src/store/nonces.rs"]
mod claims;
#[path = "../src/memory/nonces/keys.rs"]
mod keys;
#[path = "../src/memory/nonces/partitions.rs"]
mod partitions;
#[path = "../src/memory/ring.rs"]
mod ring;
#[path = "../src/memory/nonces/table.rs"]
mod table;

mod clock {
    pub(crate) use qcloud_validator::UnixTime;
}

mod store {
    pub(crate) use crate::StoreError;
    pub(crate) use crate::claims::{NonceClaim, NonceValue, NonceVerdict};
}

use std::cell::Cell;
use std::env;
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use qcloud_validator::store::StoreError;
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner, thread};

use capacity::NonceCapacity;
use claims::NonceVerdict::{self, Fresh, Full, Repeated, ShareExhausted};
use claims::{NonceClaim, NonceValue};
use clock::UnixTime;
use keys::{HashKey, Keys};
use table::Table;

/// With a window of six seconds each generation is one second.
const WINDOW: i64 = 6;

const KEY: HashKey = HashKey([7; 16]);

#[test]
fn of_equal_claims_exactly_one_is_fresh() {
    explore(2000, equal_claims);
}

#[test]
fn no_bound_is_exceeded_and_every_count_is_exact() {
    explore(1000, bounds);
}

#[test]
fn while_generations_die_nothing_live_is_forgotten() {
    explore(1000, turn_over);
}

#[test]
fn what_is_fresh_while_the_store_closes_is_in_its_copy() {
    explore(500, closing);
}

#[test]
fn every_history_could_have_come_about_one_claim_after_the_other() {
    SEEN.set([0; 5]);
    explore(1000, histories);
    let seen = SEEN.get();
    assert!(seen.iter().all(|&times| times > 100), "{seen:?}");
}

#[test]
fn what_dies_makes_room_at_once() {
    explore(300, room);
    explore(2000, room_made_by_another);
    explore(2000, room_made_twice);
}

/// The tests find what they look for.
#[test]
fn a_store_on_broken_ground_is_found_out() {
    let unexplained = "no order of single claims explains";
    let broken: [(Ground, fn(), &str); 6] = [
        (
            Ground::MakesPartitionsTwice,
            equal_claims,
            "left: 2\n right: 1",
        ),
        (Ground::MakesPartitionsTwice, histories, unexplained),
        (
            Ground::CountsInTwoSteps,
            bounds,
            "left: (3, 0)\n right: (2, 1)",
        ),
        (Ground::CountsInTwoSteps, histories, unexplained),
        (Ground::NeverCloses, closing, "in the copy"),
        (Ground::ForgetsTheTime, turn_over, "left: 3\n right: 2"),
    ];
    for (ground, scenario, says) in broken {
        GROUND.set(ground);
        let found = panic::catch_unwind(|| explore(2000, scenario));
        GROUND.set(Ground::Solid);
        let found = found.expect_err("it was not found out");
        let found = found.downcast::<String>().unwrap();
        assert!(found.contains(says), "{ground:?}: {found}");
    }
}

fn equal_claims() {
    for timestamp in [Some(1000), None] {
        let table = table(10, 10);
        let claim = claim(1000, timestamp, 1000, "AKID1", 7);
        let verdicts = at_threads(&table, [vec![claim], vec![claim], vec![claim]]);
        assert_eq!(count(&verdicts, Fresh), 1, "{verdicts:?}");
        assert_eq!(count(&verdicts, Repeated), 2, "{verdicts:?}");
        exact(&table, 1);
    }
}

fn bounds() {
    let dated = |secret_id, nonce| vec![claim(1000, Some(1000), 1000, secret_id, nonce)];
    let store = table(2, 2);
    let verdicts = at_threads(
        &store,
        [dated("AKID1", 1), dated("AKID2", 2), dated("AKID3", 3)],
    );
    assert_eq!((count(&verdicts, Fresh), count(&verdicts, Full)), (2, 1));
    exact(&store, 2);

    let store = table(10, 2);
    let verdicts = at_threads(
        &store,
        [dated("AKID1", 1), dated("AKID1", 2), dated("AKID1", 3)],
    );
    assert_eq!(
        (count(&verdicts, Fresh), count(&verdicts, ShareExhausted)),
        (2, 1)
    );
    exact(&store, 2);
}

/// Two nonces die in a full store, and two come.
fn room() {
    let store = table(2, 2);
    for nonce in [1, 2] {
        let dead = claim(1000, Some(1000), 1000, "AKID1", nonce);
        assert_eq!(store.claim(&dead).unwrap(), Fresh);
    }
    let new = |nonce| vec![claim(1007, Some(1007), 1007, "AKID2", nonce)];
    let verdicts = at_threads(&store, [new(3), new(4), vec![]]);
    assert_eq!(count(&verdicts, Fresh), 2, "{verdicts:?}");
    exact(&store, 2);
}

/// Of two nonces one dies. Whichever thread begins to clear it away, the other finds room.
fn room_made_by_another() {
    let store = table(2, 2);
    let (dead, live) = (tidied_next(1000), |now| {
        claim(now, Some(1001), 1001, "AKID1", 1)
    });
    assert_eq!(store.claim(&live(1000)).unwrap(), Fresh);
    assert_eq!(store.claim(&dead(1000)).unwrap(), Fresh);
    assert_eq!(store.len(), 2);
    let new = claim(1007, Some(1007), 1007, "AKID2", 3);
    let verdicts = at_threads(&store, [vec![live(1007)], vec![new], vec![]]);
    assert_eq!(verdicts, [Some(Repeated), Some(Fresh)]);
}

/// Two nonces die one after the other, the second one perhaps when its partition was just tidied for the first.
fn room_made_twice() {
    let store = table(2, 2);
    let (late, early) = (tidied_next(1001), claim(1000, Some(1000), 1000, "AKID1", 1));
    assert_eq!(store.claim(&early).unwrap(), Fresh);
    assert_eq!(store.claim(&late(1000)).unwrap(), Fresh);
    assert_eq!(store.len(), 2);
    let new = |nonce| claim(1008, Some(1008), 1008, "AKID2", nonce);
    let verdicts = at_threads(&store, [vec![late(1007)], vec![new(3), new(4)], vec![]]);
    assert_eq!(verdicts[1..], [Some(Fresh), Some(Fresh)]);
}

/// A claim in the partition that is tidied next, once a round has ended.
fn tidied_next(dated: i64) -> impl Fn(i64) -> NonceClaim<'static> {
    let nonce = (2..)
        .find(|&nonce| {
            let claim = claim(dated, Some(dated), dated, "AKID1", nonce);
            (Keys::of(&claim, &KEY).nonce >> 40) % 64 == 1
        })
        .unwrap();
    move |now| claim(now, Some(dated), dated, "AKID1", nonce)
}

fn turn_over() {
    // Full: one nonce expires in second 1006, the other one in 1007.
    let store = table(2, 2);
    let early = |now| claim(now, Some(1000), 1000, "AKID1", 1);
    let late = |now| claim(now, Some(1001), 1001, "AKID1", 2);
    assert_eq!(store.claim(&early(1000)).unwrap(), Fresh);
    assert_eq!(store.claim(&late(1000)).unwrap(), Fresh);
    // Then the clock is read by three threads, of which one is overtaken.
    let new = claim(1007, Some(1007), 1007, "AKID2", 3);
    let verdicts = at_threads(
        &store,
        [
            vec![early(1006), late(1006)],
            vec![late(1007), new],
            vec![new, late(1007)],
        ],
    );
    let of = |claim: usize| &verdicts[claim];
    // In its last second it is known, or nobody can tell; in the next it is not asked for.
    assert!(matches!(of(0), Some(Repeated) | None), "{verdicts:?}");
    for claim in [1, 2, 5] {
        assert_eq!(*of(claim), Some(Repeated), "{verdicts:?}");
    }
    assert_eq!(count(&verdicts, Fresh), 1, "{verdicts:?}");
    exact(&store, 2);
}

fn closing() {
    let table = Arc::new(table(10, 10));
    let threads: Vec<_> = [1_u64, 3]
        .map(|nonce| {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                [(1000, nonce), (1001, nonce + 1)].map(|(now, nonce)| {
                    let claim = claim(now, Some(now), now, "AKID1", nonce);
                    let verdict = table.claim(&claim).ok();
                    (claim, verdict)
                })
            })
        })
        .into();
    let contents = table.close();
    let answered: Vec<_> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    let fresh = answered
        .iter()
        .filter(|(_, verdict)| *verdict == Some(Fresh))
        .count();
    let copied = contents.nonces.iter().map(Vec::len).sum::<usize>();
    assert_eq!(copied, fresh, "in the copy");
    let next =
        Table::holding(NonceCapacity::new(10, 10).unwrap(), 6, contents).expect("it is whole");
    for (claim, verdict) in answered {
        if verdict == Some(Fresh) {
            assert_eq!(next.claim(&claim).unwrap(), Repeated);
        }
    }
    exact(&next, fresh);
}

/// Claims that share keys, tenants and generations, while the clock runs.
fn histories() {
    let store = table(3, 2);
    let time = Arc::new(AtomicUsize::new(0));
    let clock = Arc::new(shuttle::sync::atomic::AtomicI64::new(1000));
    let store = Arc::new(store);
    let programs: [[(i64, &str, u64); 3]; 3] = [
        [(1000, "AKID1", 1), (1003, "AKID1", 2), (1000, "AKID1", 1)],
        [(1000, "AKID1", 1), (1003, "AKID2", 3), (1006, "AKID1", 4)],
        [(1003, "AKID1", 2), (1000, "AKID2", 5), (1006, "AKID3", 6)],
    ];
    let threads: Vec<_> = programs
        .into_iter()
        .map(|program| {
            let (store, time, clock) = (Arc::clone(&store), Arc::clone(&time), Arc::clone(&clock));
            thread::spawn(move || {
                program
                    .into_iter()
                    .map(|(dated, secret_id, nonce)| {
                        // Each request moves the clock, and is claimed by what it read.
                        let now = clock.fetch_add(1, Ordering::SeqCst).max(dated - WINDOW);
                        let now = now.min(dated + WINDOW);
                        let claim = claim(now, Some(dated), dated, secret_id, nonce);
                        let invoked = time.fetch_add(1, Ordering::SeqCst);
                        let verdict = store.claim(&claim).ok();
                        let responded = time.fetch_add(1, Ordering::SeqCst);
                        Operation {
                            claim,
                            verdict,
                            invoked,
                            responded,
                        }
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let history: Vec<Vec<Operation>> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    for operation in history.iter().flatten() {
        let kind = match operation.verdict {
            Some(Fresh) => 0,
            Some(Repeated) => 1,
            Some(ShareExhausted) => 2,
            Some(Full) => 3,
            Some(NonceVerdict::BeforeMemory) => panic!("the table knows all"),
            None => 4,
        };
        let mut seen = SEEN.get();
        seen[kind] += 1;
        SEEN.set(seen);
    }
    let mut search = Search::new(&history);
    assert!(
        search.finds(Model::default()),
        "no order of single claims explains {history:#?}"
    );
}

/// A claim at a thread, and when it was asked and answered.
#[derive(Debug)]
struct Operation {
    claim: NonceClaim<'static>,
    verdict: Option<NonceVerdict>,
    invoked: usize,
    responded: usize,
}

/// Looks for an order of the claims, each at some moment between question and answer, in which a store that does one thing
/// at a time would have answered the same.
struct Search<'h> {
    history: &'h [Vec<Operation>],
    /// How far each thread is. A claim is two steps: it tells the time, then it is decided.
    steps: Vec<usize>,
}

impl<'h> Search<'h> {
    fn new(history: &'h [Vec<Operation>]) -> Self {
        Self {
            history,
            steps: vec![0; history.len()],
        }
    }

    fn finds(&mut self, model: Model) -> bool {
        if self.ended() {
            return true;
        }
        // What was asked after another claim was answered comes after it.
        let answered = (0..self.steps.len())
            .filter_map(|thread| self.next(thread))
            .map(|operation| operation.responded)
            .min();
        for thread in 0..self.steps.len() {
            let Some(operation) = self.next(thread) else {
                continue;
            };
            if Some(operation.invoked) > answered {
                continue;
            }
            let mut model = model.clone();
            let fits = if self.steps[thread].is_multiple_of(2) {
                model.tell(operation.claim.now.seconds());
                true
            } else {
                model.decide(&operation.claim) == operation.verdict
            };
            self.steps[thread] += 1;
            if fits && self.finds(model) {
                return true;
            }
            self.steps[thread] -= 1;
        }
        false
    }

    fn next(&self, thread: usize) -> Option<&'h Operation> {
        self.history[thread].get(self.steps[thread] / 2)
    }

    fn ended(&self) -> bool {
        (0..self.steps.len()).all(|thread| self.next(thread).is_none())
    }
}

/// A list of all claims that are live, with three places, two for a SecretId.
#[derive(Clone)]
struct Model {
    first: i64,
    held: Vec<(&'static str, Option<i64>, NonceValue, i64)>,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            first: i64::MIN,
            held: Vec::new(),
        }
    }
}

impl Model {
    fn tell(&mut self, now: i64) {
        self.first = self.first.max(now);
        self.held
            .retain(|&(.., expires_at)| expires_at >= self.first);
    }

    fn decide(&mut self, claim: &NonceClaim<'static>) -> Option<NonceVerdict> {
        if claim.expires_at < self.first {
            return None;
        }
        let held = (
            claim.secret_id,
            claim.timestamp,
            claim.value,
            claim.expires_at,
        );
        if self.held.contains(&held) {
            return Some(Repeated);
        }
        if self.held.iter().filter(|other| other.0 == held.0).count() >= 2 {
            return Some(ShareExhausted);
        }
        if self.held.len() >= 3 {
            return Some(Full);
        }
        self.held.push(held);
        Some(Fresh)
    }
}

/// Runs a scenario under many schedules: half of them drawn freely, half with few switches at chosen points. They are the
/// same ones each time.
fn explore(schedules: usize, scenario: fn()) {
    let times = env::var("SCHEDULES_TIMES").map_or(1, |times| times.parse().unwrap());
    let schedules = schedules * times;
    let mut config = Config::new();
    config.silence_warnings = true;
    config.failure_persistence = shuttle::FailurePersistence::None;
    let run = |scheduler: Box<dyn Scheduler + Send>| {
        Runner::new(scheduler, config.clone()).run(scenario);
    };
    run(Box::new(RandomScheduler::new_from_seed(1, schedules)));
    run(Box::new(PctScheduler::new_from_seed(1, 3, schedules)));
}

fn table(total: usize, per_secret_id: usize) -> Table {
    let capacity = NonceCapacity::new(total, per_secret_id).unwrap();
    Table::new(capacity, 6, KEY)
}

fn claim(
    now: i64,
    timestamp: Option<i64>,
    dated: i64,
    secret_id: &'static str,
    nonce: u64,
) -> NonceClaim<'static> {
    let now = UnixTime::from_seconds(now);
    NonceClaim::new(
        secret_id,
        timestamp,
        NonceValue::Number(nonce),
        now,
        dated + WINDOW,
    )
}

/// What is answered to each claim, `None` for an error, in the order of the programs.
fn at_threads(table: &Table, programs: [Vec<NonceClaim<'static>>; 3]) -> Vec<Option<NonceVerdict>> {
    thread::scope(|scope| {
        let threads = programs.map(|program| {
            scope.spawn(move || {
                program
                    .iter()
                    .map(|claim| table.claim(claim).ok())
                    .collect::<Vec<_>>()
            })
        });
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

fn count(verdicts: &[Option<NonceVerdict>], wanted: NonceVerdict) -> usize {
    verdicts
        .iter()
        .filter(|&&verdict| verdict == Some(wanted))
        .count()
}

/// So many nonces are live: by the count, in the partitions, and by what the tenants hold.
fn exact(table: &Table, live: usize) {
    assert_eq!(table.len(), live, "the count");
    let contents = table.close();
    let kept = contents.nonces.iter().map(Vec::len).sum::<usize>();
    assert_eq!(kept, live, "in the partitions");
    let held: u32 = contents.tenants.iter().flat_map(|(_, counts)| counts).sum();
    assert_eq!(usize::try_from(held).unwrap(), live, "by the tenants");
}

/// What the store stands on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Ground {
    Solid,
    /// A partition that two threads need at once is made by both, and one replaces the other.
    MakesPartitionsTwice,
    /// Counting up looks and writes in two steps.
    CountsInTwoSteps,
    /// The store does not notice that it was closed.
    NeverCloses,
    /// A later time replaces the one that was told, and so does an earlier one.
    ForgetsTheTime,
}

thread_local! {
    /// Each exploration runs at one thread of the system.
    static GROUND: Cell<Ground> = const { Cell::new(Ground::Solid) };
    /// How often each verdict, and an error, was answered in the histories.
    static SEEN: Cell<[u32; 5]> = const { Cell::new([0; 5]) };
}

mod locks {
    use std::ops::{Deref, DerefMut};

    use shuttle::sync::{Mutex, MutexGuard, atomic};

    use super::{GROUND, Ground};

    pub(super) use shuttle::sync::atomic::{AtomicU64, Ordering};

    pub(super) struct LockMap<T>(Vec<Mutex<Option<T>>>);

    impl<T> LockMap<T> {
        pub(super) fn new(count: usize) -> Self {
            Self((0..count).map(|_| Mutex::new(None)).collect())
        }

        pub(super) fn get_or_make(&self, number: u64, make: impl FnOnce() -> T) -> Guard<'_, T> {
            let mut guard = self.lock(number);
            if guard.is_none() {
                if GROUND.get() == Ground::MakesPartitionsTwice {
                    drop(guard);
                    guard = self.lock(number);
                }
                *guard = Some(make());
            }
            Guard(guard)
        }

        pub(super) fn get(&self, number: u64) -> Option<Guard<'_, T>> {
            Some(self.lock(number))
                .filter(|guard| guard.is_some())
                .map(Guard)
        }

        fn lock(&self, number: u64) -> MutexGuard<'_, Option<T>> {
            let count = u64::try_from(self.0.len()).unwrap();
            self.0[usize::try_from(number % count).unwrap()]
                .lock()
                .unwrap()
        }
    }

    pub(super) struct Guard<'a, T>(MutexGuard<'a, Option<T>>);

    impl<T> Deref for Guard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.0.as_ref().expect("it was made")
        }
    }

    impl<T> DerefMut for Guard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.0.as_mut().expect("it was made")
        }
    }

    pub(super) struct AtomicUsize(atomic::AtomicUsize);

    impl AtomicUsize {
        pub(super) fn new(value: usize) -> Self {
            Self(atomic::AtomicUsize::new(value))
        }

        pub(super) fn load(&self, order: Ordering) -> usize {
            self.0.load(order)
        }

        pub(super) fn fetch_add(&self, more: usize, order: Ordering) -> usize {
            self.0.fetch_add(more, order)
        }

        pub(super) fn fetch_sub(&self, less: usize, order: Ordering) -> usize {
            self.0.fetch_sub(less, order)
        }

        pub(super) fn fetch_update(
            &self,
            set: Ordering,
            fetch: Ordering,
            update: impl FnMut(usize) -> Option<usize>,
        ) -> Result<usize, usize> {
            let mut update = update;
            if GROUND.get() == Ground::CountsInTwoSteps {
                let value = self.0.load(fetch);
                self.0.store(update(value).ok_or(value)?, set);
                return Ok(value);
            }
            self.0.fetch_update(set, fetch, update)
        }
    }

    pub(super) struct AtomicI64(atomic::AtomicI64);

    impl AtomicI64 {
        pub(super) fn new(value: i64) -> Self {
            Self(atomic::AtomicI64::new(value))
        }

        pub(super) fn load(&self, order: Ordering) -> i64 {
            self.0.load(order)
        }

        pub(super) fn store(&self, value: i64, order: Ordering) {
            self.0.store(value, order);
        }

        pub(super) fn fetch_max(&self, value: i64, order: Ordering) -> i64 {
            if GROUND.get() == Ground::ForgetsTheTime {
                return self.0.swap(value, order);
            }
            self.0.fetch_max(value, order)
        }
    }

    pub(super) struct AtomicBool(atomic::AtomicBool);

    impl AtomicBool {
        pub(super) fn new(value: bool) -> Self {
            Self(atomic::AtomicBool::new(value))
        }

        pub(super) fn load(&self, order: Ordering) -> bool {
            self.0.load(order)
        }

        pub(super) fn store(&self, value: bool, order: Ordering) {
            if GROUND.get() != Ground::NeverCloses {
                self.0.store(value, order);
            }
        }
    }
}
