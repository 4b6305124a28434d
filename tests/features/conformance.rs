//! The stores that come with the crate, that of the example and those in Redis under the assertions of
//! `testkit::conformance`; and that those fail for a store that breaks its contract.

#[path = "../../examples/custom_store.rs"]
#[allow(dead_code, reason = "the example runs by itself too")]
mod custom_store;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Barrier, Mutex};

use custom_store::PlainNonces;
use qcloud_validator::UnixTime;
use qcloud_validator::memory::{MemoryNonces, MemoryQuotas, NonceCapacity};
use qcloud_validator::store::{
    LimitScope, NonceClaim, NonceStore, NonceValue, NonceVerdict, QuotaDraw, QuotaRule, QuotaStore,
    QuotaVerdict, RateRule, StoreError,
};
use qcloud_validator::testkit::conformance;

const NOW: UnixTime = UnixTime::from_seconds(1_767_225_600);

fn memory(room: usize) -> MemoryNonces {
    MemoryNonces::insecure_without_memory(NonceCapacity::new(room, room).unwrap(), 300)
}

fn assert_nonces<S: NonceStore>(with_room_for: impl Fn(usize) -> S) {
    conformance::claims_are_exact(&with_room_for(60), NOW);
    conformance::live_nonces_are_remembered(&with_room_for(20_000));
    conformance::a_full_store_refuses(&with_room_for(3), 3);
    conformance::a_jumping_clock_frees_nothing(&with_room_for(2));
}

#[test]
fn nonces_in_memory() {
    assert_nonces(memory);
}

#[test]
fn nonces_of_the_example() {
    assert_nonces(PlainNonces::with_room_for);
}

fn ten(period: u32) -> (RateRule, QuotaRule) {
    let period = NonZeroU32::new(period).unwrap();
    let ten = NonZeroU32::new(10).unwrap();
    (RateRule::new(ten, period), QuotaRule::new(10, period))
}

#[test]
fn rates_and_quotas_in_memory() {
    for period in [1, 60, 86_400] {
        for scope in [LimitScope::Account, LimitScope::Principal] {
            let (rate, quota) = ten(period);
            let rate = MemoryQuotas::new().with_rate(rate.per(scope));
            conformance::draws_are_counted(&rate, 10, NOW);
            let quota = MemoryQuotas::new().with_quota(quota.per(scope));
            conformance::draws_are_counted(&quota, 10, NOW);
        }
    }
}

// What breaks its contract.

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// Looks and remembers in two steps; another may look in between.
    TwoSteps,
    IgnoresSecretId,
    IgnoresTimestamp,
    IgnoresKind,
    ForgetsASecondEarly,
    ForgetsTheOldestWhenFull,
    NeverForgets,
    TakesAClockThatWentBackForNew,
}

type Key = (String, Option<i64>, NonceValue);

struct Flawed {
    flaw: Flaw,
    room: usize,
    used: Mutex<(HashMap<Key, i64>, i64)>,
    in_between: Barrier,
}

impl NonceStore for Flawed {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let Self { flaw, .. } = *self;
        let mut key: Key = (claim.secret_id.to_owned(), claim.timestamp, claim.value);
        match (flaw, claim.value) {
            (Flaw::IgnoresSecretId, _) => key.0.clear(),
            (Flaw::IgnoresTimestamp, _) => key.1 = None,
            (Flaw::IgnoresKind, NonceValue::Signature(_)) => {
                key.2 = NonceValue::Number(u64::MAX);
            }
            _ => {}
        }
        if flaw == Flaw::TwoSteps {
            let known = self.used.lock().unwrap().0.contains_key(&key);
            self.in_between.wait();
            self.used.lock().unwrap().0.insert(key, claim.expires_at);
            return Ok(if known {
                NonceVerdict::Repeated
            } else {
                NonceVerdict::Fresh
            });
        }
        let now = claim.now.seconds();
        let mut used = self.used.lock().unwrap();
        let (used, forgotten) = &mut *used;
        if claim.expires_at < *forgotten && flaw != Flaw::TakesAClockThatWentBackForNew {
            return Err(StoreError::new("the clock went back"));
        }
        if flaw != Flaw::NeverForgets {
            let early = i64::from(flaw == Flaw::ForgetsASecondEarly);
            used.retain(|_, expires_at| *expires_at >= now + early);
            *forgotten = now.max(*forgotten);
        }
        if used.contains_key(&key) {
            return Ok(NonceVerdict::Repeated);
        }
        if used.len() >= self.room {
            if flaw != Flaw::ForgetsTheOldestWhenFull {
                return Ok(NonceVerdict::Full);
            }
            let oldest = used.iter().min_by_key(|(_, expires_at)| **expires_at);
            let oldest = oldest.unwrap().0.clone();
            used.remove(&oldest);
        }
        used.insert(key, claim.expires_at);
        Ok(NonceVerdict::Fresh)
    }
}

fn flawed(flaw: Flaw, room: usize) -> Flawed {
    Flawed {
        flaw,
        room,
        used: Mutex::default(),
        in_between: Barrier::new(8),
    }
}

fn fails(assertion: impl FnOnce()) -> bool {
    panic::catch_unwind(AssertUnwindSafe(assertion)).is_err()
}

#[test]
fn each_flaw_of_a_nonce_store_is_found() {
    assert_nonces(|room| flawed(Flaw::None, room));
    for flaw in [
        Flaw::TwoSteps,
        Flaw::IgnoresSecretId,
        Flaw::IgnoresTimestamp,
        Flaw::IgnoresKind,
    ] {
        let store = flawed(flaw, 60);
        assert!(
            fails(|| conformance::claims_are_exact(&store, NOW)),
            "{flaw:?}"
        );
    }
    let store = flawed(Flaw::ForgetsASecondEarly, 20_000);
    assert!(fails(|| conformance::live_nonces_are_remembered(&store)));
    for flaw in [Flaw::ForgetsTheOldestWhenFull, Flaw::NeverForgets] {
        let store = flawed(flaw, 3);
        assert!(
            fails(|| conformance::a_full_store_refuses(&store, 3)),
            "{flaw:?}"
        );
    }
    let store = flawed(Flaw::TakesAClockThatWentBackForNew, 2);
    assert!(fails(|| conformance::a_jumping_clock_frees_nothing(&store)));
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Miscount {
    None,
    OneTooMany,
    OneTooFew,
    AllAccountsTogether,
    StatesAnotherLimit,
    NeverResets,
}

/// A quota of ten a minute.
struct Miscounted(Miscount, Mutex<HashMap<(String, i64), u64>>);

impl QuotaStore for Miscounted {
    fn draw(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        let Self(miscount, drawn) = self;
        let account = match miscount {
            Miscount::AllAccountsTogether => "",
            _ => draw.principal.uin(),
        };
        let period = match miscount {
            Miscount::NeverResets => 0,
            _ => draw.now.seconds() / 60,
        };
        let granted = match miscount {
            Miscount::OneTooMany => 11,
            Miscount::OneTooFew => 9,
            _ => 10,
        };
        let mut drawn = drawn.lock().unwrap();
        let count = drawn.entry((account.to_owned(), period)).or_default();
        if *count >= granted {
            return Ok(QuotaVerdict::QuotaExhausted {
                limit: if *miscount == Miscount::StatesAnotherLimit {
                    11
                } else {
                    10
                },
                resets_at: UnixTime::from_seconds((draw.now.seconds() / 60 + 1) * 60),
            });
        }
        *count += 1;
        Ok(QuotaVerdict::Drawn)
    }
}

#[test]
fn each_miscount_of_a_quota_store_is_found() {
    let store = |miscount| Miscounted(miscount, Mutex::default());
    conformance::draws_are_counted(&store(Miscount::None), 10, NOW);
    for miscount in [
        Miscount::OneTooMany,
        Miscount::OneTooFew,
        Miscount::AllAccountsTogether,
        Miscount::StatesAnotherLimit,
        Miscount::NeverResets,
    ] {
        let store = store(miscount);
        let found = fails(|| conformance::draws_are_counted(&store, 10, NOW));
        assert!(found, "{miscount:?}");
    }
}

#[cfg(feature = "redis")]
mod redis {
    use std::sync::Arc;

    use qcloud_validator::redis::{RedisSettings, RedisStores};
    use qcloud_validator::store::{
        AfterRestart, QuotaDraw, QuotaStore, QuotaVerdict, RemoteNonceStore, RemoteQuotaStore,
        StoreError,
    };
    use qcloud_validator::testkit::conformance;
    use qcloud_validator::{Clock, SystemClock};
    use tokio::runtime::Runtime;

    use super::{NonceClaim, NonceStore, NonceVerdict, ten};
    use test_support::redis_server::RedisServer;

    /// A store elsewhere, waited for.
    struct Waiting<S>(Runtime, S);

    impl NonceStore for Waiting<Arc<dyn RemoteNonceStore>> {
        fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
            self.0.block_on(self.1.claim(*claim))
        }
    }

    impl QuotaStore for Waiting<Arc<dyn RemoteQuotaStore>> {
        fn draw(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
            self.0.block_on(self.1.draw(*draw))
        }
    }

    fn connected(server: &RedisServer) -> (Runtime, RedisStores) {
        let runtime = Runtime::new().unwrap();
        let settings = RedisSettings::new(&server.url(), 300)
            .unwrap()
            .with_after_restart(AfterRestart::InsecureAdmit);
        let stores = runtime.block_on(RedisStores::connect(settings)).unwrap();
        (runtime, stores)
    }

    #[test]
    fn nonces_in_redis() {
        let server = RedisServer::start();
        let (runtime, stores) = connected(&server);
        let nonces: Arc<dyn RemoteNonceStore> = stores.nonces();
        conformance::claims_are_exact(&Waiting(runtime, nonces), SystemClock.now());
    }

    /// Rates go by the clock of the server, which nobody here can move on.
    #[test]
    fn quotas_in_redis() {
        let server = RedisServer::start();
        let (_, quota) = ten(60);
        let (runtime, stores) = connected(&server);
        let quota: Arc<dyn RemoteQuotaStore> = Arc::new(stores.quotas().with_quota(quota));
        conformance::draws_are_counted(&Waiting(runtime, quota), 10, SystemClock.now());
    }
}
