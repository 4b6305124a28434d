//! What a nonce costs in time and in memory. Ten million of them take a minute: only with `NONCES_10M=1`.

use std::alloc::System;
use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use qcloud_validator::UnixTime;
use qcloud_validator::memory::{MemoryNonces, NonceCapacity};
use qcloud_validator::store::{NonceClaim, NonceStore, NonceValue, NonceVerdict};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use test_support::measure::{Effort, Figures, Table, compare, nanos, of_rounds};
use test_support::requests;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const WINDOW: u32 = 300;
const IDS: [&str; 2] = [
    "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
    "AKIDanotherKBZQpn74WFkmLPx3EXAMPLE99",
];

fn main() {
    let mut sizes = vec![1_000, 1_000_000];
    if std::env::var_os("NONCES_10M").is_some() {
        sizes.push(10_000_000);
    }
    let table = Table::new(
        "Claims while so many are live; floor: the keyed hash of the claim",
        ["case", "ns", "floor ns", "ratio"],
    );
    for &live in &sizes {
        table.row(&format!("fresh, {live} live"), || fresh(live));
        table.row(&format!("repeated, {live} live"), || repeated(live));
    }

    let table = Table::new(
        "Expiry: claims just after so many expired at once; floor: claims in a store as large in which nothing did",
        ["case", "ns", "floor ns", "ratio"],
    );
    for &live in &sizes {
        table.row(&format!("fresh, after {live} expired"), || expiry(live));
    }

    let table = Table::new(
        "Two threads: wall time for each claim; ratio: how much more two threads do than one",
        ["case", "two", "one", "ratio"],
    );
    for &live in &sizes {
        table.row(&format!("a SecretId each, {live} live"), || {
            two_threads(live, IDS)
        });
        table.row(&format!("the same SecretId, {live} live"), || {
            two_threads(live, [IDS[0]; 2])
        });
    }

    let table = Table::new(
        "The longest single claim where nothing interrupted the thread; floor: the longest single hash",
        ["case", "ns", "floor ns", "ratio"],
    );
    for &live in &sizes {
        table.row(&format!("growing to {live}"), || {
            longest(live, Growth::Even)
        });
        table.row(&format!("growing to {live} in a second"), || {
            longest(live, Growth::Burst)
        });
        table.row(&format!("growing to {live}, a SecretId each"), || {
            longest(live, Growth::Strangers)
        });
        table.row(&format!("after {live} expired"), || {
            longest(live, Growth::Expired)
        });
    }

    let table = Table::new(
        "Bytes for each live nonce; floor: the eight of its hash",
        ["case", "bytes", "floor", "ratio"],
    );
    for &live in &sizes {
        table.row(&format!("one SecretId, {live} live"), || bytes(live));
    }
}

/// Requests of correct timestamps that come in evenly, so many in each window, and so many are live.
struct Traffic {
    store: MemoryNonces,
    per_window: u64,
    sent: Cell<u64>,
}

impl Traffic {
    fn new(live: u64) -> Self {
        let capacity = usize::try_from(live * 5 / 4)
            .expect("it fits")
            .max(1_000_000);
        Self {
            store: MemoryNonces::insecure_without_memory(
                NonceCapacity::new(capacity, capacity).expect("there is room"),
                WINDOW,
            ),
            per_window: live,
            sent: Cell::new(0),
        }
    }

    fn full_window(live: u64) -> Self {
        let traffic = Self::new(live);
        for _ in 0..live {
            traffic.claim(&traffic.next());
        }
        traffic
    }

    fn now(&self) -> i64 {
        let passed = self.sent.get() * u64::from(WINDOW) / self.per_window;
        1_767_225_600 + i64::try_from(passed).expect("it fits")
    }

    fn next(&self) -> NonceClaim<'static> {
        let number = self.sent.get();
        self.sent.set(number + 1);
        claim(IDS[0], number, self.now())
    }

    /// One of the last half window, again.
    fn again(&self) -> NonceClaim<'static> {
        let now = self.now();
        let back = requests::unused().wrapping_mul(0x9e37_79b9_7f4a_7c15) % (self.per_window / 2);
        self.sent.set(self.sent.get() - back - 1);
        let mut claim = self.next();
        claim.now = UnixTime::from_seconds(now);
        self.sent.set(self.sent.get() + back);
        claim
    }

    fn claim(&self, claim: &NonceClaim<'_>) {
        let verdict = self.store.claim(claim).expect("the store answers");
        assert_eq!(verdict, NonceVerdict::Fresh);
    }
}

fn claim(secret_id: &str, number: u64, now: i64) -> NonceClaim<'_> {
    NonceClaim::new(
        secret_id,
        Some(now),
        NonceValue::Number(number),
        UnixTime::from_seconds(now),
        now + i64::from(WINDOW),
    )
}

fn hash(state: &RandomState, claim: &NonceClaim<'_>) -> u64 {
    let mut hasher = state.build_hasher();
    hasher.write(claim.secret_id.as_bytes());
    hasher.write_i64(claim.timestamp.unwrap_or_default());
    if let NonceValue::Number(number) = claim.value {
        hasher.write_u64(number);
    }
    hasher.finish()
}

const EFFORT: Effort = Effort {
    rounds: 201,
    inputs: 2000,
};

fn fresh(live: u64) -> Figures {
    let traffic = Traffic::full_window(live);
    let state = RandomState::new();
    compare(
        EFFORT,
        || traffic.next(),
        |claim| traffic.claim(claim),
        |claim| hash(&state, claim),
    )
}

fn repeated(live: u64) -> Figures {
    let traffic = Traffic::full_window(live);
    let state = RandomState::new();
    let effort = Effort {
        inputs: 500,
        ..EFFORT
    };
    compare(
        effort,
        || traffic.again(),
        |claim| {
            let verdict = traffic.store.claim(claim).expect("the store answers");
            assert_eq!(verdict, NonceVerdict::Repeated);
        },
        |claim| hash(&state, claim),
    )
}

/// The claims in which the store lets go of everything.
fn expiry(live: u64) -> Figures {
    let claims = 2000;
    let mean = |traffic: &Traffic| {
        let claims: Vec<_> = (0..claims).map(|_| traffic.next()).collect();
        let start = Instant::now();
        for claim in &claims {
            traffic.claim(claim);
        }
        nanos(start.elapsed()) / f64::from(claims.len() as u32)
    };
    let rounds: Vec<_> = (0..5)
        .map(|_| {
            let traffic = Traffic::full_window(live);
            let before = mean(&traffic);
            traffic.sent.set(traffic.sent.get() + 3 * live);
            (mean(&traffic), before)
        })
        .collect();
    of_rounds(&rounds, |(after, before)| after / before)
}

fn two_threads(live: u64, secret_ids: [&'static str; 2]) -> Figures {
    let traffic = Traffic::full_window(live);
    let inputs = (live / 2).min(20_000);
    let wall = |secret_ids: &[&'static str]| {
        let claims = secret_ids.iter().map(|secret_id| {
            let mut claims: Vec<_> = (0..inputs).map(|_| traffic.next()).collect();
            for claim in &mut claims {
                claim.secret_id = secret_id;
            }
            claims
        });
        let claims: Vec<_> = claims.collect();
        let waiting = &AtomicUsize::new(claims.len());
        let store = &traffic.store;
        thread::scope(|scope| {
            let threads: Vec<_> = claims
                .into_iter()
                .map(|claims| {
                    scope.spawn(move || {
                        waiting.fetch_sub(1, Ordering::AcqRel);
                        while waiting.load(Ordering::Acquire) > 0 {
                            std::hint::spin_loop();
                        }
                        let start = Instant::now();
                        for claim in &claims {
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
    };
    let rounds: Vec<_> = (0..101)
        .map(|_| {
            let both = wall(&secret_ids) / (2.0 * inputs as f64);
            (both, wall(&secret_ids[..1]) / inputs as f64)
        })
        .collect();
    of_rounds(&rounds, |(both, one)| one / both)
}

#[derive(Clone, Copy, PartialEq)]
enum Growth {
    Even,
    /// All in the same second, and so in the same generation.
    Burst,
    /// No two of the same caller.
    Strangers,
    /// None: all that was there has expired.
    Expired,
}

fn longest(live: u64, growth: Growth) -> Figures {
    let traffic = match growth {
        Growth::Expired => Traffic::full_window(live),
        Growth::Even | Growth::Burst | Growth::Strangers => Traffic::new(live),
    };
    let count = match growth {
        Growth::Expired => {
            traffic.sent.set(traffic.sent.get() + 3 * live);
            10_000
        }
        Growth::Even | Growth::Burst | Growth::Strangers => live,
    };
    let second = traffic.now();
    let state = RandomState::new();
    let mut of_claims = Longest::new();
    let mut of_hashes = Longest::new();
    let mut secret_id = String::new();
    for number in 0..count {
        let mut claim = traffic.next();
        match growth {
            Growth::Even | Growth::Expired => {}
            Growth::Burst => claim = self::claim(IDS[0], number, second),
            Growth::Strangers => {
                secret_id.clear();
                write!(secret_id, "AKID{number:032}").expect("a string takes all");
                claim.secret_id = &secret_id;
            }
        }
        of_claims.time(|| traffic.claim(&claim));
        of_hashes.time(|| hash(&state, &claim));
    }
    Figures {
        case: of_claims.longest,
        floor: of_hashes.longest,
        ratio: of_claims.longest / of_hashes.longest,
    }
}

/// The longest time in which nothing took the processor from the thread, as far as the operating system tells.
struct Longest {
    longest: f64,
    interruptions: String,
}

impl Longest {
    fn new() -> Self {
        Self {
            longest: 0.0,
            interruptions: interruptions(),
        }
    }

    fn time<T>(&mut self, run: impl FnOnce() -> T) {
        let start = Instant::now();
        black_box(run());
        let elapsed = nanos(start.elapsed());
        if elapsed > self.longest {
            let interruptions = interruptions();
            if interruptions == self.interruptions {
                self.longest = elapsed;
            }
            self.interruptions = interruptions;
        }
    }
}

fn interruptions() -> String {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let line = |line: &&str| line.starts_with("nonvoluntary_ctxt_switches");
    status.lines().find(line).unwrap_or_default().to_owned()
}

fn bytes(live: u64) -> Figures {
    let region = Region::new(ALLOCATOR);
    let traffic = Traffic::full_window(live);
    let change = region.change();
    let held = (change.bytes_allocated - change.bytes_deallocated) as f64;
    let case = held / traffic.store.len() as f64;
    Figures {
        case,
        floor: 8.0,
        ratio: case / 8.0,
    }
}
