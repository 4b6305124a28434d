//! Validation of requests with stores that answer at once.

use std::fmt;

use crate::admitted::Admitted;
use crate::clock::{Clock, UnixTime};
use crate::engine::Engine;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::stage::Received;
use crate::store::Stores;
#[cfg(feature = "diagnose")]
use crate::{diagnosis::Diagnosis, policy::DiagnosisRule, stage::Read};

/// Validates requests. Cheap to clone and to share between threads.
///
/// ```
/// use qcloud_validator::memory::MemoryCredentials;
/// use qcloud_validator::store::{Credential, Principal, Stores};
/// use qcloud_validator::{Clock, ManualClock, Policy, RequestView, SecretKey, Transport, Validator};
///
/// let credentials = MemoryCredentials::new();
/// credentials.insert(Credential::permanent(
///     "AKIDEXAMPLEdummydummydummydummydummy12",
///     SecretKey::new("dummySecretKeyForTestsOnly0123456")?,
///     Principal::account("100000000001"),
/// ));
/// let policy = Policy::default();
/// let clock = ManualClock::at(1_767_225_600);
/// let stores = Stores::in_memory(credentials, policy.window_seconds(), clock.now());
/// let validator = Validator::new(policy, stores).with_clock(clock);
///
/// let headers = [("Host", "cvm.api.qcloud.com")];
/// let request = RequestView::new(
///     Transport::Https,
///     "GET",
///     "/v2/index.php?Action=DescribeInstances&Nonce=11886&Region=ap-guangzhou\
///      &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600\
///      &Signature=MPn%2Bq2Q8SUqL%2FrCLFmNeIuPH3aM%3D",
/// )
/// .with_headers(&headers);
///
/// let admitted = validator.check(&request)?;
/// assert_eq!(admitted.action(), "DescribeInstances");
///
/// let replayed = validator.check(&request).unwrap_err();
/// assert_eq!(replayed.code().number(), Some(4500));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Validator {
    pub(crate) engine: Engine,
    pub(crate) stores: Stores,
}

impl Validator {
    /// A validator that follows `policy`, asks `stores` and reads the clock of the operating system.
    #[must_use]
    pub fn new(policy: Policy, stores: Stores) -> Self {
        Self {
            engine: Engine::new(policy),
            stores,
        }
    }

    /// The same validator with another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self {
            engine: self.engine.with_clock(clock),
            ..self
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        self.engine.policy()
    }

    /// Validates a request as of now. Call it when the whole body has arrived.
    ///
    /// # Errors
    ///
    /// The first check in [`Check::ORDER`](crate::Check::ORDER) that refuses, with its code in the dialect of the
    /// request. A refusal before [`Check::Nonce`](crate::Check::Nonce) has changed no state; a later one has used the
    /// nonce.
    pub fn check(&self, request: &RequestView<'_>) -> Result<Admitted, Rejection> {
        let now = self.engine.now();
        let verdict = self.decide(request, now);
        #[cfg(feature = "diagnose")]
        let verdict = verdict.map_err(|refused| self.diagnosed(request, refused, now));
        verdict
    }

    /// Why a request was refused, whatever the policy says about diagnoses. Asks the credential store and changes nothing.
    ///
    /// A search takes up to a few hundred milliseconds and 20 MiB, however the request was made up. A server should run it
    /// beside the requests that it answers, one at a time.
    ///
    /// The result speaks about keys and holds the string to sign: it is for the owner of the request.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn explain(&self, request: &RequestView<'_>, refused: &Rejection) -> Diagnosis {
        let credentials = &self.stores.credentials;
        let read = self.engine.read(request);
        let claimed = read
            .as_ref()
            .and_then(Read::secret_id)
            .and_then(|secret_id| credentials.find(secret_id).ok())
            .flatten();
        let others = credentials.known(Engine::OTHERS);
        self.engine
            .explain(request, read.as_ref(), refused, claimed.as_ref(), &others)
    }

    /// Whether the policy asks for a diagnosis of this refusal ([`DiagnosisRule::ForOperator`]) and its SecretId has one
    /// left in this minute, which this takes.
    ///
    /// ```
    /// use qcloud_validator::memory::MemoryCredentials;
    /// use qcloud_validator::store::Stores;
    /// use qcloud_validator::{
    ///     Clock, DiagnosisRule, Policy, RequestView, SystemClock, Transport, Validator,
    /// };
    ///
    /// let policy = Policy::builder()
    ///     .diagnosis(DiagnosisRule::ForOperator)
    ///     .diagnoses_per_minute(1)
    ///     .build()?;
    /// let started = SystemClock.now();
    /// let stores = Stores::in_memory(MemoryCredentials::new(), policy.window_seconds(), started);
    /// let validator = Validator::new(policy, stores);
    ///
    /// let request = RequestView::new(Transport::Http, "GET", "/");
    /// let refused = validator.check(&request).unwrap_err();
    /// if validator.grants_diagnosis(&refused) {
    ///     // On another thread, with a copy of the request.
    ///     let diagnosis = validator.explain(&request, &refused);
    ///     assert_eq!(diagnosis.findings()[0].id(), "plain-http");
    /// }
    /// assert!(!validator.grants_diagnosis(&refused));
    /// # Ok::<(), qcloud_validator::PolicyError>(())
    /// ```
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn grants_diagnosis(&self, refused: &Rejection) -> bool {
        let now = self.engine.now();
        self.engine.grants(DiagnosisRule::ForOperator, refused, now)
    }

    #[cfg(feature = "diagnose")]
    #[cold]
    fn diagnosed(&self, request: &RequestView<'_>, refused: Rejection, now: UnixTime) -> Rejection {
        let told = DiagnosisRule::InMessage;
        if !self.engine.grants(told, &refused, now) {
            return refused;
        }
        let diagnosis = self.explain(request, &refused);
        refused.with_diagnosis(diagnosis, told)
    }

    fn decide(&self, request: &RequestView<'_>, now: UnixTime) -> Result<Admitted, Rejection> {
        let read = Received::new(request, self.engine.policy()).read()?;
        let parsed = read.parse(now)?;
        let found = self.stores.credentials.find(parsed.secret_id());
        let authenticated = parsed.authenticate(found)?;
        let verdict = authenticated
            .nonce_claim()
            .map(|claim| self.stores.nonces.claim(&claim));
        let fresh = authenticated.claimed(verdict)?;
        let standing = self.stores.permissions.decide(&fresh.permission_query());
        let permitted = fresh.permitted(standing)?;
        let verdict = self.stores.quotas.draw(&permitted.quota_draw());
        permitted.drawn(verdict)
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validator")
            .field("policy", self.policy())
            .finish_non_exhaustive()
    }
}
