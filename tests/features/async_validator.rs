//! The validator that waits and the one that does not give the same verdicts, wherever the stores are; and what only
//! waiting can do wrong.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{
    AccountStanding, ActionStanding, Answer, AsyncStores, Credential, MfaStanding, NonceClaim,
    NonceVerdict, PermissionQuery, PermissionStanding, QuotaDraw, QuotaVerdict,
    RemoteCredentialStore, RemoteNonceStore, RemotePermissionStore, RemoteQuotaStore, Slot,
    Standing, Stores,
};
use qcloud_validator::{
    Admitted, AsyncValidator, Check, Clock, ManualClock, Policy, Reason, Rejection, ReplayScope,
    RequestView, Store, Transport, UnixTime, Validator,
};
use test_support::signer::{QuerySigner, SECRET_ID, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::{AnswerStore, Answers, permanent, temporary};

/// A validator, driven to its verdict.
trait Drive: Send + Sync {
    fn decide(&self, request: &RequestView<'_>) -> Result<Admitted, Rejection>;
}

impl Drive for Validator {
    fn decide(&self, request: &RequestView<'_>) -> Result<Admitted, Rejection> {
        self.check(request)
    }
}

impl Drive for AsyncValidator {
    fn decide(&self, request: &RequestView<'_>) -> Result<Admitted, Rejection> {
        pollster::block_on(self.check(request))
    }
}

type Make = fn(Policy, Stores, i64) -> Box<dyn Drive>;

/// Both validators, over stores in place and elsewhere.
const DRIVERS: [(&str, Make); 5] = [
    ("at once", |policy, stores, now| {
        Box::new(Validator::new(policy, stores).with_clock(ManualClock::at(now)))
    }),
    ("converted", |policy, stores, now| {
        let validator = Validator::new(policy, stores).with_clock(ManualClock::at(now));
        Box::new(AsyncValidator::from(validator))
    }),
    ("local", |policy, stores, now| {
        Box::new(AsyncValidator::new(policy, stores).with_clock(ManualClock::at(now)))
    }),
    ("remote", |policy, stores, now| {
        let stores = Elsewhere::all(stores);
        Box::new(AsyncValidator::new(policy, stores).with_clock(ManualClock::at(now)))
    }),
    ("nonces remote", |policy, stores, now| {
        let stores = AsyncStores {
            nonces: Elsewhere::all(stores.clone()).nonces,
            ..stores.into()
        };
        Box::new(AsyncValidator::new(policy, stores).with_clock(ManualClock::at(now)))
    }),
];

/// Stores that make the caller wait before they ask and before they answer.
struct Elsewhere(Stores);

impl Elsewhere {
    fn all(stores: Stores) -> AsyncStores {
        let elsewhere = Arc::new(Self(stores));
        AsyncStores {
            credentials: Slot::Remote(elsewhere.clone()),
            nonces: Slot::Remote(elsewhere.clone()),
            permissions: Slot::Remote(elsewhere.clone()),
            quotas: Slot::Remote(elsewhere),
        }
    }
}

fn waited<'a, T: Send + 'a>(
    ask: impl FnOnce() -> Result<T, qcloud_validator::store::StoreError> + Send + 'a,
) -> Answer<'a, T> {
    Box::pin(async move {
        wait().await;
        let answer = ask();
        wait().await;
        answer
    })
}

/// Is pending once.
async fn wait() {
    let mut woken = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut woken, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl RemoteCredentialStore for Elsewhere {
    fn find<'a>(&'a self, secret_id: &'a str) -> Answer<'a, Option<Credential>> {
        waited(|| self.0.credentials.find(secret_id))
    }

    fn known(&self, limit: usize) -> Answer<'_, Vec<Credential>> {
        waited(move || Ok(self.0.credentials.known(limit)))
    }
}

impl RemoteNonceStore for Elsewhere {
    fn claim<'a>(&'a self, claim: NonceClaim<'a>) -> Answer<'a, NonceVerdict> {
        waited(move || self.0.nonces.claim(&claim))
    }
}

impl RemotePermissionStore for Elsewhere {
    fn decide<'a>(&'a self, query: PermissionQuery<'a>) -> Answer<'a, Standing> {
        waited(move || self.0.permissions.decide(&query))
    }
}

impl RemoteQuotaStore for Elsewhere {
    fn draw<'a>(&'a self, draw: QuotaDraw<'a>) -> Answer<'a, QuotaVerdict> {
        waited(move || self.0.quotas.draw(&draw))
    }
}

fn view(request: &Signed, transport: Transport) -> RequestView<'_> {
    RequestView::new(transport, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body)
}

fn https(request: &Signed) -> RequestView<'_> {
    view(request, Transport::Https)
}

fn in_memory() -> Stores {
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    Stores::insecure_in_memory(credentials, 300)
}

/// A v2 GET and the world it meets.
struct Scene {
    transport: Transport,
    signer: QuerySigner,
    method: &'static str,
    suffix: &'static str,
    answers: Answers,
    now: i64,
}

impl Scene {
    fn new() -> Self {
        Self {
            transport: Transport::Https,
            signer: QuerySigner::v2(),
            method: "GET",
            suffix: "",
            answers: Answers::good(),
            now: TIMESTAMP,
        }
    }

    fn fail(&mut self, check: Check) {
        let standing = self.answers.standing.as_mut().unwrap();
        match check {
            Check::Protocol => self.transport = Transport::Http,
            Check::Method => self.method = "PUT",
            Check::Form => self.suffix = "&bare",
            Check::Parameters => self.signer.params.retain(|(name, _)| name != "Action"),
            Check::Types => self.signer.nonce = "one".to_owned(),
            Check::Timestamp => self.now = TIMESTAMP + 301,
            Check::SecretId => self.answers.credential = Ok(None),
            Check::Token => {
                if let Ok(Some(credential)) = &mut self.answers.credential {
                    *credential = temporary();
                }
            }
            Check::Signature => self.signer.secret_key = "another".to_owned(),
            Check::Nonce => self.answers.nonce = Ok(NonceVerdict::Repeated),
            Check::Account => standing.account = AccountStanding::Banned,
            Check::Mfa => standing.mfa = MfaStanding::Failed,
            Check::Action => standing.action = ActionStanding::Unknown,
            Check::Permission => standing.permission = PermissionStanding::ActionDenied,
            Check::Rate => {
                self.answers.quota = Ok(QuotaVerdict::RateExceeded {
                    limit: 5,
                    period: 1,
                    retry_after_millis: 200,
                });
            }
            Check::Quota if self.answers.quota == Ok(QuotaVerdict::Drawn) => {
                self.answers.quota = Ok(QuotaVerdict::QuotaExhausted {
                    limit: 10,
                    resets_at: UnixTime::from_seconds(TIMESTAMP + 60),
                });
            }
            Check::Quota => {}
            other => panic!("no way to fail {other}"),
        }
    }

    fn verdict(&self, make: Make) -> (Result<Admitted, Rejection>, Vec<&'static str>) {
        let mut request = self.signer.sign();
        request.method = self.method.to_owned();
        request.target.push_str(self.suffix);
        let store = AnswerStore::new(self.answers.clone());
        let driver = make(Policy::default(), store.stores(), self.now);
        let verdict = driver.decide(&view(&request, self.transport));
        (verdict, store.writes())
    }
}

#[test]
fn an_admitted_request_is_admitted_by_all_alike() {
    let remembering = Policy::builder()
        .replay_v1(ReplayScope::SecretIdTimestampNonce)
        .replay_tc3(ReplayScope::SecretIdTimestampNonce)
        .build()
        .unwrap();
    let post = QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v2()
    };
    for request in [
        QuerySigner::v2().sign(),
        post.sign(),
        QuerySigner::v1().sign(),
        Tc3Signer::get().sign(),
        Tc3Signer::post().sign(),
    ] {
        let mut seen = Vec::new();
        for (name, make) in DRIVERS {
            let store = AnswerStore::new(Answers::good());
            let driver = make(remembering.clone(), store.stores(), TIMESTAMP);
            let admitted = driver.decide(&https(&request)).unwrap();
            assert_eq!(admitted.secret_id(), SECRET_ID, "{name}");
            assert_eq!(store.writes(), ["nonce", "quota"], "{name}");
            seen.push(format!("{admitted:?}"));
        }
        assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
    }
}

#[test]
fn the_earlier_of_two_failing_checks_refuses_in_all() {
    for (index, &first) in Check::ORDER.iter().enumerate() {
        for &second in &Check::ORDER[index..] {
            let mut scene = Scene::new();
            scene.fail(first);
            scene.fail(second);
            let expected: &[&str] = if first < Check::Nonce {
                &[]
            } else if first < Check::Rate {
                &["nonce"]
            } else {
                &["nonce", "quota"]
            };
            for (name, make) in DRIVERS {
                let (verdict, writes) = scene.verdict(make);
                let refused = verdict.unwrap_err();
                assert_eq!(
                    refused.check(),
                    Some(first),
                    "{name}: {first} and {second}: {refused:?}"
                );
                assert_eq!(writes, expected, "{name}: {first} and {second}");
            }
        }
    }
}

#[test]
fn a_store_that_fails_refuses_in_all() {
    type Break = fn(&mut Answers);
    let cases: [(Break, Store); 4] = [
        (|answers| answers.credential = Err(()), Store::Credentials),
        (|answers| answers.nonce = Err(()), Store::Nonces),
        (|answers| answers.standing = Err(()), Store::Permissions),
        (|answers| answers.quota = Err(()), Store::Quotas),
    ];
    for (break_it, store) in cases {
        for (name, make) in DRIVERS {
            let mut scene = Scene::new();
            break_it(&mut scene.answers);
            let refused = scene.verdict(make).0.unwrap_err();
            assert_eq!(refused.reason(), &Reason::StoreFailed { store }, "{name}");
            let source = std::error::Error::source(&refused).unwrap();
            assert_eq!(source.source().unwrap().to_string(), "connection refused");
        }
    }
}

fn forged() -> Signed {
    let mut request = QuerySigner::v2().sign();
    request.target = request.target.replace("Signature=M", "Signature=N");
    request
}

#[test]
fn a_replay_is_refused_and_a_forgery_burns_nothing_in_all() {
    for (name, make) in DRIVERS {
        let driver = make(Policy::default(), in_memory(), TIMESTAMP);
        let refused = driver.decide(&https(&forged())).unwrap_err();
        assert_eq!(refused.reason(), &Reason::SignatureMismatch, "{name}");
        let request = QuerySigner::v2().sign();
        assert!(driver.decide(&https(&request)).is_ok(), "{name}");
        let refused = driver.decide(&https(&request)).unwrap_err();
        assert_eq!(refused.code().number(), Some(4500), "{name}");
    }
}

#[test]
fn of_64_equal_requests_on_threads_all_admit_exactly_one() {
    let request = QuerySigner::v2().sign();
    for (name, make) in DRIVERS {
        let driver = make(Policy::default(), in_memory(), TIMESTAMP);
        let admitted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..64 {
                scope.spawn(|| match driver.decide(&https(&request)) {
                    Ok(_) => {
                        admitted.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(refused) => assert_eq!(refused.reason(), &Reason::NonceRepeated),
                });
            }
        });
        assert_eq!(admitted.load(Ordering::SeqCst), 1, "{name}");
    }
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn of_64_equal_requests_on_one_thread_exactly_one_is_admitted() {
    let stores = Elsewhere::all(in_memory());
    let validator =
        AsyncValidator::new(Policy::default(), stores).with_clock(ManualClock::at(TIMESTAMP));
    let request = QuerySigner::v2().sign();
    let request = https(&request);
    let mut waiting: Vec<_> = (0..64)
        .map(|_| Box::pin(validator.check(&request)))
        .collect();
    let mut admitted = 0;
    let mut rounds = 0;
    while !waiting.is_empty() {
        // Each goes one step, so that all of them are between claim and answer together.
        waiting.retain_mut(|check| match poll(check.as_mut()) {
            Poll::Pending => true,
            Poll::Ready(verdict) => {
                match verdict {
                    Ok(_) => admitted += 1,
                    Err(refused) => assert_eq!(refused.reason(), &Reason::NonceRepeated),
                }
                false
            }
        });
        rounds += 1;
    }
    assert_eq!(admitted, 1);
    assert_eq!(rounds, 9, "two waits for each of four stores, and the end");
}

#[test]
fn local_stores_are_not_waited_for() {
    let validator =
        AsyncValidator::new(Policy::default(), in_memory()).with_clock(ManualClock::at(TIMESTAMP));
    let request = QuerySigner::v2().sign();
    let request = https(&request);
    let check = pin!(validator.check(&request));
    assert!(matches!(poll(check), Poll::Ready(Ok(_))));
}

#[test]
fn what_waits_crosses_threads() {
    fn crosses<T: Send + Sync>(_: &T) {}
    fn moves<T: Send>(_: &T) {}
    let validator = AsyncValidator::new(Policy::default(), in_memory());
    crosses(&validator);
    let request = QuerySigner::v2().sign();
    let request = https(&request);
    moves(&validator.check(&request));
    #[cfg(feature = "diagnose")]
    {
        let reason = Reason::SignatureMismatch;
        let refused = Rejection::new(
            reason,
            qcloud_validator::Dialect::V2,
            qcloud_validator::Language::EnUs,
        );
        moves(&validator.explain(&request, &refused));
    }
}

/// A clock in the hands of the test, that counts who looks.
#[derive(Debug)]
struct Watched {
    clock: ManualClock,
    looks: AtomicUsize,
}

impl Watched {
    fn at(now: i64) -> Arc<Self> {
        Arc::new(Self {
            clock: ManualClock::at(now),
            looks: AtomicUsize::new(0),
        })
    }
}

impl Clock for Watched {
    fn now(&self) -> UnixTime {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.clock.now()
    }
}

#[test]
fn the_clock_is_read_at_the_first_poll_and_again_only_after_waiting_for_a_claim() {
    for (stores, looks) in [
        (AsyncStores::from(in_memory()), 1),
        (Elsewhere::all(in_memory()), 2),
    ] {
        let clock = Watched::at(TIMESTAMP + 1000);
        let validator = AsyncValidator::new(Policy::default(), stores).with_clock(clock.clone());
        let request = QuerySigner::v2().sign();
        let request = https(&request);
        let check = validator.check(&request);
        clock.clock.set(UnixTime::from_seconds(TIMESTAMP));
        assert!(pollster::block_on(check).is_ok());
        assert_eq!(clock.looks.load(Ordering::SeqCst), looks);
    }
}

/// The attack: an old copy of a request waits for a slow store until the nonce of the first one is forgotten.
#[test]
fn a_copy_that_waits_until_its_nonce_is_forgotten_is_refused() {
    // The steps at which the clock moves on: before the credential is found, and before and after the claim is made.
    for step in 1..=4 {
        for (late, admits) in [(300, true), (301, false), (100_000, false)] {
            // What a store is that forgets by its own clock.
            let forgetful = Stores {
                nonces: AnswerStore::new(Answers::good()).stores().nonces,
                ..in_memory()
            };
            let clock = Watched::at(TIMESTAMP);
            let validator = AsyncValidator::new(Policy::default(), Elsewhere::all(forgetful))
                .with_clock(clock.clone());
            let request = QuerySigner::v2().sign();
            let request = https(&request);
            let mut copy = pin!(validator.check(&request));
            for _ in 0..step {
                assert!(poll(copy.as_mut()).is_pending());
            }
            clock.clock.advance(late);
            let verdict = pollster::block_on(copy);
            if admits {
                assert!(verdict.is_ok(), "{late} s at step {step}");
            } else {
                let store = Store::Nonces;
                let refused = verdict.unwrap_err();
                assert_eq!(
                    refused.reason(),
                    &Reason::StoreFailed { store },
                    "{late} s at step {step}"
                );
                assert_eq!(refused.code().name(), "InternalError");
            }
        }
    }
}

#[test]
fn waiting_for_permissions_and_quotas_takes_nothing_away() {
    for step in 5..=8 {
        let clock = Watched::at(TIMESTAMP);
        let validator = AsyncValidator::new(Policy::default(), Elsewhere::all(in_memory()))
            .with_clock(clock.clone());
        let request = QuerySigner::v2().sign();
        let request = https(&request);
        let mut check = pin!(validator.check(&request));
        for _ in 0..step {
            assert!(poll(check.as_mut()).is_pending());
        }
        clock.clock.advance(100_000);
        assert!(pollster::block_on(check).is_ok(), "step {step}");
    }
}

#[test]
fn a_dropped_check_admits_nobody_and_may_have_used_the_nonce() {
    for steps in 0..=8 {
        let store = AnswerStore::new(Answers::good());
        let stores = Stores {
            quotas: store.stores().quotas,
            ..in_memory()
        };
        let validator = AsyncValidator::new(Policy::default(), Elsewhere::all(stores))
            .with_clock(ManualClock::at(TIMESTAMP));
        let request = QuerySigner::v2().sign();
        let request = https(&request);
        {
            let mut check = pin!(validator.check(&request));
            for _ in 0..steps {
                assert!(poll(check.as_mut()).is_pending());
            }
        }
        // Two steps for the credentials; the claim is made in the fourth, the draw in the eighth.
        let again = pollster::block_on(validator.check(&request));
        if steps < 4 {
            assert!(again.is_ok(), "{steps} steps");
        } else {
            let refused = again.unwrap_err();
            assert_eq!(refused.reason(), &Reason::NonceRepeated, "{steps} steps");
        }
        let drawn = usize::from(steps < 4 || steps == 8);
        assert_eq!(store.writes().len(), drawn, "{steps} steps");
    }
}

#[cfg(feature = "diagnose")]
#[test]
fn a_refusal_is_explained_by_all_alike() {
    use qcloud_validator::DiagnosisRule;

    let policy = Policy::builder()
        .diagnosis(DiagnosisRule::InMessage)
        .diagnoses_per_minute(2)
        .build()
        .unwrap();
    let mistaken = QuerySigner {
        secret_key: format!("{} ", test_support::signer::SECRET_KEY),
        ..QuerySigner::v2()
    };
    let request = mistaken.sign();
    let mut seen = Vec::new();
    for (name, make) in DRIVERS {
        let driver = make(policy.clone(), in_memory(), TIMESTAMP);
        for allowed in [true, true, false] {
            let refused = driver.decide(&https(&request)).unwrap_err();
            assert_eq!(refused.reason(), &Reason::SignatureMismatch, "{name}");
            assert_eq!(refused.diagnosis().is_some(), allowed, "{name}");
            seen.extend(refused.diagnosis().cloned());
        }
    }
    assert_eq!(seen[0].findings().len(), 1);
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:#?}");
}
