//! Validation of requests with stores that may have to be awaited.

use std::fmt;

use crate::admitted::Admitted;
use crate::clock::{Clock, UnixTime};
use crate::engine::Engine;
use crate::policy::Policy;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::stage::Received;
use crate::store::{AsyncStores, NonceVerdict, Slot, StoreError};
use crate::validator::Validator;
#[cfg(feature = "diagnose")]
use crate::{diagnosis::Diagnosis, policy::DiagnosisRule, stage::Read};

/// Validates requests and can wait for its stores. Cheap to clone and to share between tasks; runs on any executor.
///
/// It asks the same questions in the same order as [`Validator`] and gives the same verdicts. A store that is
/// [`Local`](Slot::Local) is asked in place, without a future; one that is [`Remote`](Slot::Remote) is awaited. Nothing is
/// locked while it waits, and its futures are [`Send`].
///
/// # One instant
///
/// The clock is read once, when [`check`](Self::check) is first polled. Timestamp, token and limits are all checked
/// against that instant, however long a store takes.
///
/// That is not sufficient for the nonce. A request that waited until its timestamp left the window could be claimed after
/// an equal one, admitted in time, has been forgotten. So where credentials or nonces are remote, the clock is read again
/// when the claim is answered, and a [`Fresh`](NonceVerdict::Fresh) after
/// [`expires_at`](crate::store::NonceClaim::expires_at) counts as a failure of the store. A limit gives nothing back to
/// an earlier instant ([`MemoryQuotas`](crate::memory::MemoryQuotas)), so a caller gains nothing by waiting there.
///
/// # Dropping the future
///
/// A server drops the future when its client goes away; the request then has no verdict and is not admitted. Before the
/// nonce store was asked, nothing has changed. After that the nonce may be used, and a little later the quota drawn; the
/// same request sent again is refused as repeated and must be signed again. The failure is always the safe one: a nonce
/// may be consumed without a verdict, never the reverse.
///
/// ```
/// use qcloud_validator::memory::MemoryCredentials;
/// use qcloud_validator::store::Stores;
/// use qcloud_validator::{
///     AsyncValidator, Clock, Policy, Reason, RequestView, SystemClock, Transport,
/// };
///
/// # pollster::block_on(async {
/// let stores = Stores::in_memory(MemoryCredentials::new(), 300, SystemClock.now());
/// let validator = AsyncValidator::new(Policy::default(), stores);
///
/// let request = RequestView::new(Transport::Http, "GET", "/");
/// let refused = validator.check(&request).await.unwrap_err();
/// assert_eq!(refused.reason(), &Reason::PlainHttp);
/// # });
/// ```
#[derive(Clone)]
pub struct AsyncValidator {
    engine: Engine,
    stores: AsyncStores,
}

impl AsyncValidator {
    /// A validator that follows `policy`, asks `stores` and reads the clock of the operating system.
    #[must_use]
    pub fn new(policy: Policy, stores: impl Into<AsyncStores>) -> Self {
        Self {
            engine: Engine::new(policy),
            stores: stores.into(),
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

    /// Validates a request as of the first poll. Await it when the whole body has arrived.
    ///
    /// # Errors
    ///
    /// The first check in [`Check::ORDER`](crate::Check::ORDER) that refuses, with its code in the dialect of the
    /// request. A refusal before [`Check::Nonce`](crate::Check::Nonce) has changed no state; a later one has used the
    /// nonce.
    pub async fn check(&self, request: &RequestView<'_>) -> Result<Admitted, Rejection> {
        let now = self.engine.now();
        let verdict = self.decide(request, now).await;
        #[cfg(feature = "diagnose")]
        let verdict = match verdict {
            Err(refused) => Err(self.diagnosed(request, refused, now).await),
            admitted => admitted,
        };
        verdict
    }

    /// Why a request was refused, as [`Validator::explain`]. The search itself does not yield: run it where no other task
    /// waits for the thread, such as in Tokio's `spawn_blocking`.
    #[cfg(feature = "diagnose")]
    pub async fn explain(&self, request: &RequestView<'_>, refused: &Rejection) -> Diagnosis {
        let read = self.engine.read(request);
        let claimed = match read.as_ref().and_then(Read::secret_id) {
            Some(secret_id) => match &self.stores.credentials {
                Slot::Local(store) => store.find(secret_id),
                Slot::Remote(store) => store.find(secret_id).await,
            },
            None => Ok(None),
        };
        let claimed = claimed.ok().flatten();
        let others = match &self.stores.credentials {
            Slot::Local(store) => store.known(Engine::OTHERS),
            Slot::Remote(store) => store.known(Engine::OTHERS).await.unwrap_or_default(),
        };
        self.engine
            .explain(request, read.as_ref(), refused, claimed.as_ref(), &others)
    }

    /// As [`Validator::grants_diagnosis`].
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn grants_diagnosis(&self, refused: &Rejection) -> bool {
        let now = self.engine.now();
        self.engine.grants(DiagnosisRule::ForOperator, refused, now)
    }

    #[cfg(feature = "diagnose")]
    #[cold]
    async fn diagnosed(
        &self,
        request: &RequestView<'_>,
        refused: Rejection,
        now: UnixTime,
    ) -> Rejection {
        let told = DiagnosisRule::InMessage;
        if !self.engine.grants(told, &refused, now) {
            return refused;
        }
        let diagnosis = self.explain(request, &refused).await;
        refused.with_diagnosis(diagnosis, told)
    }

    async fn decide(
        &self,
        request: &RequestView<'_>,
        now: UnixTime,
    ) -> Result<Admitted, Rejection> {
        let stores = &self.stores;
        let read = Received::new(request, self.engine.policy()).read()?;
        let parsed = read.parse(now)?;
        let found = match &stores.credentials {
            Slot::Local(store) => store.find(parsed.secret_id()),
            Slot::Remote(store) => store.find(parsed.secret_id()).await,
        };
        let authenticated = parsed.authenticate(found)?;
        let verdict = match authenticated.nonce_claim() {
            Some(claim) => {
                let verdict = match &stores.nonces {
                    Slot::Local(store) => store.claim(&claim),
                    Slot::Remote(store) => store.claim(claim).await,
                };
                Some(verdict.and_then(|verdict| self.in_time(verdict, claim.expires_at)))
            }
            None => None,
        };
        let fresh = authenticated.claimed(verdict)?;
        let standing = match &stores.permissions {
            Slot::Local(store) => store.decide(&fresh.permission_query()),
            Slot::Remote(store) => store.decide(fresh.permission_query()).await,
        };
        let permitted = fresh.permitted(standing)?;
        let verdict = match &stores.quotas {
            Slot::Local(store) => store.draw(&permitted.quota_draw()),
            Slot::Remote(store) => store.draw(permitted.quota_draw()).await,
        };
        permitted.drawn(verdict)
    }

    /// Rejects a claim that was answered after it expired: by then the store may have forgotten an equal one.
    fn in_time(&self, verdict: NonceVerdict, expires_at: i64) -> Result<NonceVerdict, StoreError> {
        let waited = self.stores.credentials.is_remote() || self.stores.nonces.is_remote();
        if verdict != NonceVerdict::Fresh || !waited {
            return Ok(verdict);
        }
        let answered_at = self.engine.now().seconds();
        if answered_at > expires_at {
            return Err(StoreError::new(format!(
                "a nonce that expired at {expires_at} was claimed by {answered_at}: the stores took too long"
            )));
        }
        Ok(verdict)
    }
}

/// The same policy, stores and clock, all stores in place.
impl From<Validator> for AsyncValidator {
    fn from(validator: Validator) -> Self {
        Self {
            engine: validator.engine,
            stores: validator.stores.into(),
        }
    }
}

impl fmt::Debug for AsyncValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncValidator")
            .field("policy", self.policy())
            .field("stores", &self.stores)
            .finish_non_exhaustive()
    }
}
