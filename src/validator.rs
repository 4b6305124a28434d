//! Whether a request may proceed: walks the stages with the stores it was given.

use std::fmt;
use std::sync::Arc;

use crate::admitted::Admitted;
use crate::clock::{Clock, SystemClock, UnixTime};
#[cfg(feature = "diagnose")]
use crate::diagnose::{Allowance, Diagnosis, Evidence, diagnose};
#[cfg(feature = "diagnose")]
use crate::policy::DiagnosisRule;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::stage::Received;
#[cfg(feature = "diagnose")]
use crate::store::Credential;
use crate::store::Stores;

/// Decides about requests. Cheap to clone and to share between threads.
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
    pub(crate) policy: Arc<Policy>,
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<dyn Clock>,
    #[cfg(feature = "diagnose")]
    pub(crate) allowance: Arc<Allowance>,
}

impl Validator {
    /// A validator that follows `policy`, asks `stores` and reads the clock of the operating system.
    #[must_use]
    pub fn new(policy: Policy, stores: Stores) -> Self {
        Self {
            policy: Arc::new(policy),
            stores,
            clock: Arc::new(SystemClock),
            #[cfg(feature = "diagnose")]
            allowance: Arc::new(Allowance::new()),
        }
    }

    /// The same validator with another clock.
    #[must_use]
    pub fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Decides about a request. Call it when the whole body is there: the time is judged now.
    ///
    /// # Errors
    ///
    /// The first check in [`Check::ORDER`](crate::Check::ORDER) that refuses, with its code in the dialect of the
    /// request. A refusal before [`Check::Nonce`](crate::Check::Nonce) has changed no state; a later one has used the
    /// nonce.
    pub fn check(&self, request: &RequestView<'_>) -> Result<Admitted, Rejection> {
        let now = self.clock.now();
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
        let claimed = claimed_id(request, &self.policy)
            .and_then(|secret_id| credentials.find(&secret_id).ok())
            .flatten();
        let others = credentials.known(OTHERS);
        explanation(request, &self.policy, refused, claimed.as_ref(), &others)
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
        let now = self.clock.now();
        grants(
            DiagnosisRule::ForOperator,
            refused,
            &self.policy,
            &self.allowance,
            now,
        )
    }

    #[cfg(feature = "diagnose")]
    #[cold]
    fn diagnosed(&self, request: &RequestView<'_>, refused: Rejection, now: UnixTime) -> Rejection {
        let told = DiagnosisRule::InMessage;
        if !grants(told, &refused, &self.policy, &self.allowance, now) {
            return refused;
        }
        let diagnosis = self.explain(request, &refused);
        refused.with_diagnosis(diagnosis, told)
    }

    fn decide(&self, request: &RequestView<'_>, now: UnixTime) -> Result<Admitted, Rejection> {
        let mut received = Received::new(request, &self.policy);
        let parsed = received.parse(now)?;
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
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// How many credentials beside the claimed one lend a diagnosis their keys.
#[cfg(feature = "diagnose")]
pub(crate) const OTHERS: usize = 64;

/// Whether the policy has this rule and the allowance has a diagnosis left for the SecretId, which this takes.
#[cfg(feature = "diagnose")]
pub(crate) fn grants(
    rule: DiagnosisRule,
    refused: &Rejection,
    policy: &Policy,
    allowance: &Allowance,
    now: UnixTime,
) -> bool {
    let secret_id = refused.secret_id().unwrap_or_default();
    policy.diagnosis() == rule && allowance.take(secret_id, now, policy.diagnoses_per_minute())
}

/// The SecretId whose credential a diagnosis needs, if the request can be read.
#[cfg(feature = "diagnose")]
pub(crate) fn claimed_id(request: &RequestView<'_>, policy: &Policy) -> Option<Box<str>> {
    let mut received = Received::new(request, policy);
    Some(received.read_untimed()?.common.secret_id.into())
}

/// The cause of a refusal, with what the credential store knows.
#[cfg(feature = "diagnose")]
pub(crate) fn explanation(
    request: &RequestView<'_>,
    policy: &Policy,
    refused: &Rejection,
    claimed: Option<&Credential>,
    others: &[Credential],
) -> Diagnosis {
    diagnose(&Evidence {
        request,
        policy,
        reason: refused.reason(),
        credential: claimed,
        others,
        macs: policy.diagnosis_macs(),
    })
}
