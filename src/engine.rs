//! The part of a validator that does not depend on how its stores are asked: policy, clock and the ration of diagnoses.

use std::fmt;
use std::sync::Arc;

use crate::clock::{Clock, SystemClock, UnixTime};
#[cfg(feature = "diagnose")]
use crate::diagnose::{Allowance, Evidence, diagnose};
use crate::policy::Policy;
#[cfg(feature = "diagnose")]
use crate::{
    diagnosis::Diagnosis, policy::DiagnosisRule, rejection::Rejection, request::RequestView,
    stage::Read, stage::Received, store::Credential,
};

/// What [`Validator`](crate::Validator) and [`AsyncValidator`](crate::AsyncValidator) share.
#[derive(Clone)]
pub(crate) struct Engine {
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    #[cfg(feature = "diagnose")]
    allowance: Arc<Allowance>,
}

impl Engine {
    /// How many credentials beside the claimed one lend a diagnosis their keys.
    #[cfg(feature = "diagnose")]
    pub(crate) const OTHERS: usize = 64;

    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy: Arc::new(policy),
            clock: Arc::new(SystemClock),
            #[cfg(feature = "diagnose")]
            allowance: Arc::new(Allowance::new()),
        }
    }

    pub(crate) fn with_clock(self, clock: impl Clock + 'static) -> Self {
        Self {
            clock: Arc::new(clock),
            ..self
        }
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn now(&self) -> UnixTime {
        self.clock.now()
    }

    /// Whether the policy has this rule and the SecretId has a diagnosis left in the minute of `now`, which this takes.
    #[cfg(feature = "diagnose")]
    pub(crate) fn grants(&self, rule: DiagnosisRule, refused: &Rejection, now: UnixTime) -> bool {
        let secret_id = refused.secret_id().unwrap_or_default();
        self.policy.diagnosis() == rule
            && self
                .allowance
                .take(secret_id, now, self.policy.diagnoses_per_minute())
    }

    /// Reads the request for a diagnosis, if it can be read.
    #[cfg(feature = "diagnose")]
    pub(crate) fn read<'r>(&'r self, request: &'r RequestView<'r>) -> Option<Read<'r>> {
        Received::new(request, &self.policy).read().ok()
    }

    /// The cause of a refusal, with what the credential store knows.
    #[cfg(feature = "diagnose")]
    pub(crate) fn explain(
        &self,
        request: &RequestView<'_>,
        read: Option<&Read<'_>>,
        refused: &Rejection,
        claimed: Option<&Credential>,
        others: &[Credential],
    ) -> Diagnosis {
        diagnose(&Evidence {
            request,
            read,
            policy: &self.policy,
            reason: refused.reason(),
            credential: claimed,
            others,
            macs: self.policy.diagnosis_macs(),
        })
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
