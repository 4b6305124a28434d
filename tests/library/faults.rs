//! What the engine does when the world around it breaks: a clock that jumps, a store that fails at any of its calls, a
//! body that ends early, a store without room. `tests/README.md` has the whole list.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use qcloud_validator::memory::{MemoryCredentials, MemoryQuotas};
use qcloud_validator::store::{
    Credential, CredentialStore, NonceClaim, NonceStore, NonceVerdict, PermissionQuery,
    PermissionStore, QuotaDraw, QuotaRule, QuotaStore, QuotaVerdict, Standing, StoreError, Stores,
};
use qcloud_validator::{
    Admitted, Check, ManualClock, Policy, Reason, Rejection, Store, UnixTime, Validator,
};
use test_support::signer::{Form, QuerySigner, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::{check, in_memory, permanent};

const HOUR: i64 = 3600;

fn dated(timestamp: i64, nonce: u32) -> Signed {
    QuerySigner {
        timestamp,
        nonce: nonce.to_string(),
        ..QuerySigner::v2()
    }
    .sign()
}

/// Room for 100 requests an hour.
fn memory() -> Stores {
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let rule = QuotaRule::new(100, NonZeroU32::new(3600).unwrap());
    Stores {
        quotas: Arc::new(MemoryQuotas::new().with_quota(rule)),
        ..Stores::insecure_in_memory(credentials, 300)
    }
}

/// A validator and the hand on its clock.
fn under_a_clock() -> (Validator, impl Fn(i64)) {
    let clock = Arc::new(ManualClock::at(TIMESTAMP));
    let validator = Validator::new(Policy::default(), memory()).with_clock(Arc::clone(&clock));
    (validator, move |now| clock.set(UnixTime::from_seconds(now)))
}

fn nonces_failed(verdict: Result<Admitted, Rejection>) -> bool {
    let store = Store::Nonces;
    verdict.is_err_and(|refused| refused.reason() == &Reason::StoreFailed { store })
}

fn repeated(verdict: Result<Admitted, Rejection>) -> bool {
    verdict.is_err_and(|refused| refused.reason() == &Reason::NonceRepeated)
}

fn stale(verdict: Result<Admitted, Rejection>) -> bool {
    verdict.is_err_and(|refused| refused.check() == Some(Check::Timestamp))
}

// The clock.

/// Of what expired while the clock was ahead nobody knows any more whether it was used: it is refused until the clock
/// has caught up.
#[test]
fn a_clock_that_jumps_ahead_and_back_admits_nothing_twice() {
    for hours in [1, 5, 24, 24 * 365] {
        let (validator, set) = under_a_clock();
        let ahead = TIMESTAMP + hours * HOUR;
        assert!(check(&validator, &dated(TIMESTAMP, 1)).is_ok());
        set(ahead);
        assert!(stale(check(&validator, &dated(TIMESTAMP, 1))), "{hours} h");
        assert!(check(&validator, &dated(ahead, 1)).is_ok(), "{hours} h");
        set(TIMESTAMP);
        let used = check(&validator, &dated(TIMESTAMP, 1));
        assert!(nonces_failed(used), "{hours} h");
        let unused = check(&validator, &dated(TIMESTAMP, 2));
        assert!(nonces_failed(unused), "{hours} h");
        assert!(stale(check(&validator, &dated(ahead, 1))), "{hours} h");
        set(ahead + 300);
        assert!(repeated(check(&validator, &dated(ahead, 1))), "{hours} h");
        let healed = check(&validator, &dated(ahead + 300, 3));
        assert!(healed.is_ok(), "{hours} h");
    }
}

/// What was used before is still known when the clock comes back.
#[test]
fn a_clock_that_jumps_back_and_ahead_admits_nothing_twice() {
    for hours in [1, 5, 24, 24 * 365] {
        let (validator, set) = under_a_clock();
        let behind = TIMESTAMP - hours * HOUR;
        assert!(check(&validator, &dated(TIMESTAMP, 1)).is_ok());
        set(behind);
        assert!(stale(check(&validator, &dated(TIMESTAMP, 1))), "{hours} h");
        let of_then = check(&validator, &dated(behind, 1));
        assert!(nonces_failed(of_then), "{hours} h");
        set(TIMESTAMP + 300);
        let used = check(&validator, &dated(TIMESTAMP, 1));
        assert!(repeated(used), "{hours} h");
        let unused = check(&validator, &dated(TIMESTAMP, 2));
        assert!(unused.is_ok(), "{hours} h");
    }
}

// The stores.

/// What is lost on the way to a store that is elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lost {
    /// The store is not asked.
    Question,
    /// The store did what it was asked, and nobody learns of it.
    Answer,
}

/// Stores of which one call fails, counted over all of them.
struct Unlucky {
    stores: Stores,
    calls: AtomicUsize,
    fails: usize,
    lost: Lost,
}

impl Unlucky {
    fn call<T>(&self, ask: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let fails = self.calls.fetch_add(1, Ordering::SeqCst) == self.fails;
        if fails && self.lost == Lost::Question {
            return Err(StoreError::new("connection refused"));
        }
        let answer = ask();
        if fails {
            return Err(StoreError::new("connection reset by peer"));
        }
        answer
    }
}

impl CredentialStore for Unlucky {
    fn find(&self, secret_id: &str) -> Result<Option<Credential>, StoreError> {
        self.call(|| self.stores.credentials.find(secret_id))
    }
}

impl NonceStore for Unlucky {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        self.call(|| self.stores.nonces.claim(claim))
    }
}

impl PermissionStore for Unlucky {
    fn decide(&self, query: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
        self.call(|| self.stores.permissions.decide(query))
    }
}

impl QuotaStore for Unlucky {
    fn draw(&self, draw: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        self.call(|| self.stores.quotas.draw(draw))
    }
}

/// Three requests make twelve calls. Whichever fails, its request is refused and the two others are not. Sent again, it
/// is admitted if nobody had claimed its nonce.
#[test]
fn a_store_that_fails_at_any_call_refuses_that_request_alone() {
    let asked = [
        Store::Credentials,
        Store::Nonces,
        Store::Permissions,
        Store::Quotas,
    ];
    for lost in [Lost::Question, Lost::Answer] {
        for fails in 0..12 {
            let unlucky = Arc::new(Unlucky {
                stores: memory(),
                calls: AtomicUsize::new(0),
                fails,
                lost,
            });
            let stores = Stores {
                credentials: unlucky.clone(),
                nonces: unlucky.clone(),
                permissions: unlucky.clone(),
                quotas: unlucky.clone(),
            };
            let validator = test_support::stores::validator(Policy::default(), stores);
            let send = |nonce| check(&validator, &dated(TIMESTAMP, nonce));
            let verdicts = [0, 1, 2].map(send);
            let again = [0, 1, 2].map(send);
            let (unlucky, store) = (fails / 4, asked[fails % 4]);
            for (index, (verdict, again)) in verdicts.into_iter().zip(again).enumerate() {
                let case = format!("{lost:?}, call {fails}, request {index}");
                if index != unlucky {
                    assert!(verdict.is_ok(), "{case}: {verdict:?}");
                    assert!(repeated(again), "{case}");
                    continue;
                }
                let refused = verdict.unwrap_err();
                assert_eq!(refused.reason(), &Reason::StoreFailed { store }, "{case}");
                let unclaimed = match store {
                    Store::Credentials => true,
                    Store::Nonces => lost == Lost::Question,
                    _ => false,
                };
                assert_eq!(again.is_ok(), unclaimed, "{case}");
                assert_eq!(repeated(again), !unclaimed, "{case}");
            }
        }
    }
}

// The body.

#[test]
fn a_body_that_is_cut_short_is_refused_and_uses_nothing_up() {
    let post = |form| QuerySigner {
        method: "POST".to_owned(),
        form,
        ..QuerySigner::v2()
    };
    // The line end after the last boundary belongs to no part.
    let requests = [
        (post(Form::Urlencoded).sign(), ""),
        (post(Form::Multipart).sign(), "\r\n"),
        (Tc3Signer::post().sign(), ""),
    ];
    for (whole, end) in requests {
        let validator = in_memory(Policy::default());
        assert!(whole.body.ends_with(end.as_bytes()));
        for kept in 0..whole.body.len() - end.len() {
            let mut cut = whole.clone();
            cut.body.truncate(kept);
            let refused = check(&validator, &cut).unwrap_err();
            assert!(refused.check().unwrap() <= Check::Signature, "{refused:?}");
        }
        assert!(check(&validator, &whole).is_ok());
    }
}
