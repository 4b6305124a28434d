//! A request that was read and is timely: whose signature it claims to bear, and whether it does.

use std::fmt;

use crate::admitted::Authentic;
use crate::check;
use crate::check::timestamp::WithinWindow;
use crate::clock::UnixTime;
use crate::form::Parameters;
use crate::policy::Policy;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::scheme::Scheme;
use crate::signature::{Authorization, LeftOut, QuerySigned, Tc3Signed};
use crate::stage::common::CommonParameters;
use crate::stage::{Authenticated, Received};
use crate::store::{Credential, StoreError};

/// A request that was read and is timely.
#[derive(Debug)]
#[must_use]
pub struct Parsed<'r> {
    received: &'r Received<'r>,
    pub(super) common: CommonParameters<'r>,
    pub(super) now: UnixTime,
    pub(super) within_window: WithinWindow,
}

/// What the signature stands over.
#[derive(Clone, Copy)]
pub(crate) enum Signed<'r> {
    /// The parameters of v1 and v2.
    Query(&'r Parameters<'r>),
    /// The headers and body of TC3.
    Tc3 {
        authorization: &'r Authorization<'r>,
        timestamp: &'r [u8],
        /// The query of a GET, which names resources; none if it cannot be read as pairs.
        query: Option<&'r Parameters<'r>>,
    },
}

impl<'r> Parsed<'r> {
    /// Checks the timestamp.
    pub(super) fn new(
        received: &'r Received<'r>,
        common: CommonParameters<'r>,
        now: UnixTime,
    ) -> Result<Self, Rejection> {
        let policy = received.policy();
        match check::timestamp::check(common.timestamp, now, policy.window_seconds()) {
            Ok(within_window) => Ok(Self {
                received,
                common,
                now,
                within_window,
            }),
            Err(reason) => Err(common.refuse_stranger(reason, policy)),
        }
    }

    /// The question for the credential store; [`authenticate`](Self::authenticate) takes the answer.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        self.common.secret_id
    }

    /// How the request is signed.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.common.scheme
    }

    /// Checks SecretId, token and signature.
    ///
    /// # Errors
    ///
    /// The first of them that refuses, or the store's failure.
    pub fn authenticate(
        self,
        found: Result<Option<Credential>, StoreError>,
    ) -> Result<Authenticated<'r>, Rejection> {
        let credential = match found {
            Ok(Some(credential)) => credential,
            Ok(None) => return Err(self.refuse_stranger(Reason::SecretIdUnknown)),
            Err(cause) => {
                let store = Store::Credentials;
                let refused = self.refuse_stranger(Reason::StoreFailed { store });
                return Err(refused.with_cause(cause));
            }
        };
        match self.identify(&credential) {
            Ok((authentic, left_out)) => Ok(Authenticated {
                parsed: self,
                credential,
                authentic,
                left_out,
            }),
            Err(reason) => Err(self.refuse(reason)),
        }
    }

    /// Makes the three checks in their order; also returns what the signature leaves out.
    fn identify(&self, credential: &Credential) -> Result<(Authentic, LeftOut), Reason> {
        let secret_id = check::secret_id::check(credential)?;
        let token = check::token::check(credential, self.received.token(), self.now)?;
        let (signature, left_out) = match self.signed() {
            Signed::Query(parameters) => {
                let signed = query_signed(self.request(), &self.common, parameters);
                check::signature::query(&signed, credential, self.policy())?
            }
            Signed::Tc3 {
                authorization,
                timestamp,
                ..
            } => {
                let signed = Tc3Signed {
                    request: self.request(),
                    authorization: *authorization,
                    timestamp,
                };
                let timestamp = self.common.timestamp;
                check::signature::tc3(&signed, timestamp, credential, self.policy())?
            }
        };
        let authentic = Authentic {
            secret_id,
            token,
            signature,
        };
        Ok((authentic, left_out))
    }

    pub(super) fn request(&self) -> &'r RequestView<'r> {
        self.received.request()
    }

    pub(super) fn policy(&self) -> &'r Policy {
        self.received.policy()
    }

    pub(super) fn signed(&self) -> Signed<'r> {
        self.received.signed()
    }

    pub(super) fn service(&self) -> Option<&'r str> {
        match self.signed() {
            Signed::Query(_) => None,
            Signed::Tc3 { authorization, .. } => Some(authorization.service),
        }
    }

    /// What must not repeat of a TC3 request.
    pub(super) fn tc3_claim(&self) -> Option<[u8; 32]> {
        match self.signed() {
            Signed::Query(_) => None,
            Signed::Tc3 { authorization, .. } => authorization.claim(self.common.action),
        }
    }

    /// Refuses a request whose SecretId is known.
    #[cold]
    pub(super) fn refuse(&self, reason: Reason) -> Rejection {
        self.common.refuse(reason, self.policy())
    }

    #[cold]
    fn refuse_stranger(&self, reason: Reason) -> Rejection {
        self.common.refuse_stranger(reason, self.policy())
    }
}

impl<'r> Signed<'r> {
    /// The parameters that name resources, where they are in a query or form that can be read.
    pub(super) fn parameters(&self) -> Option<&'r Parameters<'r>> {
        match *self {
            Self::Query(parameters) => Some(parameters),
            Self::Tc3 { query, .. } => query,
        }
    }

    pub(super) fn string_to_sign(
        &self,
        request: &RequestView<'_>,
        common: &CommonParameters<'_>,
    ) -> Vec<u8> {
        match *self {
            Self::Query(parameters) => query_signed(request, common, parameters).string_to_sign(),
            Self::Tc3 {
                authorization,
                timestamp,
                ..
            } => {
                let signed = Tc3Signed {
                    request,
                    authorization: *authorization,
                    timestamp,
                };
                [signed.canonical_request(), signed.string_to_sign()].join(&b"\n\n"[..])
            }
        }
    }
}

impl fmt::Debug for Signed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Query(_) => "Query(..)",
            Self::Tc3 { .. } => "Tc3(..)",
        })
    }
}

pub(crate) fn query_signed<'s>(
    request: &'s RequestView<'_>,
    common: &CommonParameters<'_>,
    parameters: &'s Parameters<'s>,
) -> QuerySigned<'s> {
    QuerySigned {
        family: common.family,
        scheme: common.scheme,
        method: request.method(),
        host: request.host(),
        path: request.path(),
        parameters,
    }
}
