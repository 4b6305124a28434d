//! Stores whose answers a test sets, and a validator over them.

use std::sync::{Arc, Mutex};

use qcloud_validator::store::{
    AccountStanding, ActionStanding, Credential, CredentialStore, MfaStanding, NonceClaim,
    NonceStore, NonceVerdict, PermissionQuery, PermissionStanding, PermissionStore, Principal,
    QuotaDraw, QuotaStore, QuotaVerdict, Standing, StoreError, Stores,
};
use qcloud_validator::{
    Admitted, ManualClock, Policy, Rejection, RequestView, SecretKey, Transport, Validator,
};

use crate::signer::{SECRET_ID, SECRET_KEY, Signed, TIMESTAMP};

pub const TOKEN: &str = "dummy-session-token-01234567890abcdef";

/// The answer of each store: a fact, or a failure.
#[derive(Clone, Debug)]
pub struct Answers {
    pub credential: Result<Option<Credential>, ()>,
    pub nonce: Result<NonceVerdict, ()>,
    pub standing: Result<Standing, ()>,
    pub quota: Result<QuotaVerdict, ()>,
}

impl Answers {
    /// Everything is known, new, allowed and within its limits.
    pub fn good() -> Self {
        Self {
            credential: Ok(Some(permanent())),
            nonce: Ok(NonceVerdict::Fresh),
            standing: Ok(Standing {
                account: AccountStanding::Active,
                mfa: MfaStanding::Satisfied,
                action: ActionStanding::Available,
                permission: PermissionStanding::Allowed,
            }),
            quota: Ok(QuotaVerdict::Drawn),
        }
    }
}

pub fn permanent() -> Credential {
    let key = SecretKey::new(SECRET_KEY).expect("the key is not empty");
    Credential::permanent(SECRET_ID, key, Principal::account("100000000001"))
}

pub fn temporary() -> Credential {
    let key = SecretKey::new(SECRET_KEY).expect("the key is not empty");
    Credential::temporary(
        SECRET_ID,
        key,
        Principal::account("100000000001"),
        TOKEN,
        None,
    )
}

/// Gives the answers that were set, and counts the questions that write.
#[derive(Debug)]
pub struct AnswerStore {
    answers: Answers,
    writes: Mutex<Vec<&'static str>>,
}

impl AnswerStore {
    pub fn new(answers: Answers) -> Arc<Self> {
        Arc::new(Self {
            answers,
            writes: Mutex::new(Vec::new()),
        })
    }

    /// Which stores were asked to change their state, in order.
    pub fn writes(&self) -> Vec<&'static str> {
        self.writes.lock().expect("no test panics inside").clone()
    }

    fn wrote(&self, what: &'static str) {
        self.writes
            .lock()
            .expect("no test panics inside")
            .push(what);
    }

    pub fn stores(self: &Arc<Self>) -> Stores {
        Stores {
            credentials: self.clone(),
            nonces: self.clone(),
            permissions: self.clone(),
            quotas: self.clone(),
        }
    }
}

fn failed<T: Clone>(answer: &Result<T, ()>) -> Result<T, StoreError> {
    answer
        .clone()
        .map_err(|()| StoreError::new("connection refused"))
}

impl CredentialStore for AnswerStore {
    fn find(&self, _: &str) -> Result<Option<Credential>, StoreError> {
        failed(&self.answers.credential)
    }
}

impl NonceStore for AnswerStore {
    fn claim(&self, _: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        self.wrote("nonce");
        failed(&self.answers.nonce)
    }
}

impl PermissionStore for AnswerStore {
    fn decide(&self, _: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
        failed(&self.answers.standing)
    }
}

impl QuotaStore for AnswerStore {
    fn draw(&self, _: &QuotaDraw<'_>) -> Result<QuotaVerdict, StoreError> {
        self.wrote("quota");
        failed(&self.answers.quota)
    }
}

/// A validator at the base timestamp.
pub fn validator(policy: Policy, stores: Stores) -> Validator {
    Validator::new(policy, stores).with_clock(ManualClock::at(TIMESTAMP))
}

/// A validator over memory that knows the base credential.
pub fn in_memory(policy: Policy) -> Validator {
    let credentials = qcloud_validator::memory::MemoryCredentials::new();
    credentials.insert(permanent());
    let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
    validator(policy, stores)
}

/// Checks a signed request as it would arrive over TLS.
pub fn check(validator: &Validator, request: &Signed) -> Result<Admitted, Rejection> {
    check_over(validator, request, Transport::Https)
}

pub fn check_over(
    validator: &Validator,
    request: &Signed,
    transport: Transport,
) -> Result<Admitted, Rejection> {
    validator.check(
        &RequestView::new(transport, &request.method, &request.target)
            .with_headers(&request.headers)
            .with_body(&request.body),
    )
}
