//! What it costs to claim a nonce, and what a store does when it is full, when nonces expire, and when two ask at once.
#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use qcloud_validator::store::{NonceClaim, NonceStore, NonceVerdict};
use qcloud_validator_peers::nanos;
use qcloud_validator_peers::nonces::{Expiry, Key, Make, STORES, Store, Traffic, take};
use qcloud_validator_peers::rounds::{Contestant, Pair, Table, Turn, compare, wanted};

fn main() {
    for live in [1_000, 1_000_000] {
        let title = format!("Nonces: one thread, {live} live");
        if wanted(&title) {
            let key = &Key::default();
            let contestants = STORES.map(|store| one_thread(store, live, key));
            compare(&title, "hash", 31, contestants.into());
        }
        let title = format!("Nonces: two threads, {live} live");
        if wanted(&title) {
            let contestants = STORES.map(|store| two_threads(store, live));
            compare(&title, "one thread", 31, contestants.into());
        }
    }
    let title = "Nonces: conduct";
    if wanted(title) {
        conduct(title);
    }
}

fn one_thread<'a>(Store { name, make, .. }: Store, live: usize, key: &'a Key) -> Contestant<'a> {
    let traffic = Traffic::new(live);
    let store = traffic.fill(make);
    let pair = Pair {
        // Enough that a turn is not all about what the others left in the caches.
        inputs: (2 * live).min(20_000),
        prepare: move || traffic.next(),
        case: move |claim: &mut NonceClaim<'_>| take(&*store, claim),
        floor: |claim: &mut NonceClaim<'_>| key.of(claim),
    };
    pair.contestant(name)
}

/// Wall time for each claim, by both threads together and by one alone, all claims of the same SecretId.
fn two_threads(Store { name, make, .. }: Store, live: usize) -> Contestant<'static> {
    // The threads may drift apart by as many claims, which must not be a window.
    let inputs = (live / 2).min(10_000);
    let traffic = Traffic::new(live);
    let store = traffic.fill(make);
    Contestant::new(name, move || {
        let claims = |threads: usize| -> Vec<Vec<NonceClaim<'_>>> {
            let mut claims = vec![Vec::new(); threads];
            for number in 0..inputs * threads {
                claims[number % threads].push(traffic.next());
            }
            claims
        };
        let both = wall(&*store, &claims(2));
        let one = wall(&*store, &claims(1));
        Turn {
            case: both / (2 * inputs) as f64,
            floor: one / inputs as f64,
        }
    })
}

/// From the common start to the end of the slowest thread.
fn wall(store: &dyn NonceStore, claims: &[Vec<NonceClaim<'_>>]) -> f64 {
    let waiting = &AtomicUsize::new(claims.len());
    thread::scope(|scope| {
        let threads: Vec<_> = claims
            .iter()
            .map(|claims| {
                scope.spawn(move || {
                    waiting.fetch_sub(1, Ordering::AcqRel);
                    while waiting.load(Ordering::Acquire) > 0 {
                        std::hint::spin_loop();
                    }
                    let start = Instant::now();
                    for claim in claims {
                        black_box(store.claim(claim).expect("the store answers"));
                    }
                    nanos(start.elapsed())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the store answers"))
            .fold(0.0, f64::max)
    })
}

/// What a store does that a nonce store must not.
fn conduct(title: &str) {
    let mut table = Table::new(
        title,
        &[
            "",
            "taken",
            "refused",
            "replays of the newest tenth",
            "of the oldest tenth",
            "taken twice",
            "longest claim after expiry, µs",
        ],
    );
    for Store { name, make, expiry } in STORES {
        let (taken, refused) = overfill(&*make(CAPACITY));
        let newest = replayed(make, 9);
        let oldest = replayed(make, 0);
        table.row(&[
            name.to_owned(),
            taken.len().to_string(),
            refused.to_string(),
            format!("{newest:.0} %"),
            format!("{oldest:.0} %"),
            taken_twice(make).to_string(),
            match expiry {
                Expiry::OfClaims => format!("{:.0}", longest_after_expiry(make) / 1_000.0),
                Expiry::OwnClock => "has a clock of its own".to_owned(),
                Expiry::Never => "none expires".to_owned(),
            },
        ]);
    }
    table.print();
}

/// How much a store is made for where it has a bound.
const CAPACITY: usize = 100_000;

/// Makes twice as many claims as there is room for, all of them live. Those that were taken, and how many were not.
fn overfill(store: &dyn NonceStore) -> (Vec<NonceClaim<'static>>, usize) {
    let traffic = Traffic::new(2 * CAPACITY);
    let claims: Vec<_> = (0..2 * CAPACITY).map(|_| traffic.next()).collect();
    let taken: Vec<_> = claims
        .into_iter()
        .filter(|claim| is_fresh(store, claim))
        .collect();
    let refused = 2 * CAPACITY - taken.len();
    (taken, refused)
}

fn is_fresh(store: &dyn NonceStore, claim: &NonceClaim<'_>) -> bool {
    store.claim(claim).expect("the store answers") == NonceVerdict::Fresh
}

/// How many per cent of the live nonces in this tenth, the oldest being 0, are taken again.
fn replayed(make: Make, tenth: usize) -> f64 {
    let store = make(CAPACITY);
    let (taken, _) = overfill(&*store);
    let replays = &taken[tenth * taken.len() / 10..(tenth + 1) * taken.len() / 10];
    let let_in = replays.iter().filter(|claim| is_fresh(&*store, claim));
    100.0 * let_in.count() as f64 / replays.len() as f64
}

/// How many of 100 000 nonces two threads are both told to be fresh, when they ask for the same in step.
fn taken_twice(make: Make) -> usize {
    let store = &*make(4 * CAPACITY);
    let traffic = Traffic::new(CAPACITY);
    let claims: &Vec<_> = &(0..CAPACITY).map(|_| traffic.next()).collect();
    let asked = &[AtomicUsize::new(0), AtomicUsize::new(0)];
    let taken: usize = thread::scope(|scope| {
        let threads = [0, 1].map(|thread| {
            scope.spawn(move || {
                let mut taken = 0;
                for (number, claim) in claims.iter().enumerate() {
                    asked[thread].store(number, Ordering::Release);
                    let mut spins = 0;
                    while asked[1 - thread].load(Ordering::Acquire) < number {
                        spins += 1;
                        if spins % 10_000 == 0 {
                            thread::yield_now();
                        }
                        std::hint::spin_loop();
                    }
                    taken += usize::from(is_fresh(store, claim));
                }
                asked[thread].store(claims.len(), Ordering::Release);
                taken
            })
        });
        threads
            .into_iter()
            .map(|thread| thread.join().expect("the store answers"))
            .sum()
    });
    taken - claims.len()
}

/// The longest of the claims that come just after a million have expired, in nanoseconds: the median of three tries.
fn longest_after_expiry(make: Make) -> f64 {
    let mut longest: Vec<f64> = (0..3)
        .map(|_| {
            let traffic = Traffic::new(1_000_000);
            let store = traffic.fill(make);
            traffic.pass();
            let claims = (0..10_000).map(|_| {
                let claim = traffic.next();
                let start = Instant::now();
                take(&*store, &claim);
                nanos(start.elapsed())
            });
            claims.fold(0.0, f64::max)
        })
        .collect();
    longest.sort_by(f64::total_cmp);
    longest[1]
}
