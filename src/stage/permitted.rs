//! A request that its account may make: whether it is within its limits.

use crate::admitted::{Admitted, Uncovered, Witnesses};
use crate::check;
use crate::check::permission::Allowed;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::request::Payload;
use crate::signature::Tc3Signed;
use crate::stage::Fresh;
use crate::stage::parsed::Signed;
use crate::store::{QuotaDraw, QuotaVerdict, StoreError};

/// A request that its account may make.
#[derive(Debug)]
#[must_use]
pub struct Permitted<'r> {
    fresh: Fresh<'r>,
    allowed: Allowed,
}

impl<'r> Permitted<'r> {
    pub(super) fn new(fresh: Fresh<'r>, allowed: Allowed) -> Self {
        Self { fresh, allowed }
    }

    /// The question for the quota store; [`drawn`](Self::drawn) takes the answer.
    #[must_use]
    pub fn quota_draw(&self) -> QuotaDraw<'_> {
        let authenticated = &self.fresh.authenticated;
        QuotaDraw::new(
            authenticated.credential.principal(),
            authenticated.credential.secret_id(),
            authenticated.parsed.action(),
            authenticated.parsed.now,
        )
    }

    /// Checks rate and quota.
    ///
    /// # Errors
    ///
    /// When one of them is used up, or the store failed.
    pub fn drawn(self, verdict: Result<QuotaVerdict, StoreError>) -> Result<Admitted, Rejection> {
        let parsed = &self.fresh.authenticated.parsed;
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(cause) => {
                let store = Store::Quotas;
                let refused = parsed.refuse(Reason::StoreFailed { store });
                return Err(refused.with_cause(cause));
            }
        };
        let drawn = match check::quota::check(verdict) {
            Ok(drawn) => drawn,
            Err(reason) => return Err(parsed.refuse(reason)),
        };
        let witnesses = Witnesses {
            within_window: parsed.within_window,
            signature: self.fresh.authenticated.signature,
            nonce: self.fresh.nonce,
            allowed: self.allowed,
            drawn,
        };
        Ok(Admitted::new(
            witnesses,
            self.fresh.authenticated.credential.clone(),
            parsed.scheme(),
            parsed.dialect(),
            parsed.language(),
            parsed.action().into(),
            self.uncovered(),
        ))
    }

    /// What the signature does not cover and a careless application might trust.
    fn uncovered(&self) -> Vec<Uncovered> {
        let authenticated = &self.fresh.authenticated;
        let parsed = &authenticated.parsed;
        let request = parsed.request;
        let get = request.method() == b"GET";
        let mut uncovered = Vec::new();
        if !get && !request.query().is_empty() {
            uncovered.push(Uncovered::Query);
        }
        let body_is_hashed = match &parsed.signed {
            Signed::Query(_) => !get,
            Signed::Tc3 { .. } => !get && !Tc3Signed::payload_is_unsigned(request),
        };
        let no_body = matches!(request.payload(), Payload::Bytes([]));
        if !body_is_hashed && !no_body {
            uncovered.push(Uncovered::Body);
        }
        match &parsed.signed {
            Signed::Query(parameters) => {
                let signed = parsed.query_signed(parameters);
                uncovered.extend(
                    signed.left_out(authenticated.left_out).map(|name| {
                        Uncovered::Parameter(String::from_utf8_lossy(name).into_owned())
                    }),
                );
            }
            Signed::Tc3 { authorization, .. } => {
                let sent = |name: &&str| {
                    request.header(name) != crate::request::Field::Absent
                        && !authorization.signs(name)
                };
                uncovered.extend(
                    STEERING_HEADERS
                        .iter()
                        .filter(|name| sent(name))
                        .map(|&name| Uncovered::Header(name)),
                );
            }
        }
        uncovered
    }
}

/// Headers that steer a TC3 request. The timestamp is covered by the string to sign, the token compared on its own.
const STEERING_HEADERS: [&str; 4] = [
    "x-tc-action",
    "x-tc-version",
    "x-tc-region",
    "x-tc-language",
];
