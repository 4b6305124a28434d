//! A request that its account may make.

use crate::admitted::{Admitted, Allowed, Uncovered, Witnesses};
use crate::check;
use crate::reason::Store;
use crate::rejection::Rejection;
use crate::request::{Field, Payload};
use crate::signature::Tc3Signed;
use crate::stage::Fresh;
use crate::stage::read::Signed;
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
            authenticated.parsed.common.action,
            authenticated.parsed.now,
        )
    }

    /// Checks rate and quota.
    ///
    /// # Errors
    ///
    /// When one of them is used up, or the store failed.
    pub fn drawn(self, verdict: Result<QuotaVerdict, StoreError>) -> Result<Admitted, Rejection> {
        let authenticated = &self.fresh.authenticated;
        let verdict =
            verdict.map_err(|cause| authenticated.caller().refuse_for(Store::Quotas, cause))?;
        let drawn =
            check::quota::check(verdict).map_err(|reason| authenticated.caller().refuse(reason))?;
        let parsed = &authenticated.parsed;
        let caller = authenticated.caller();
        let witnesses = Witnesses {
            within_window: parsed.within_window,
            authentic: self.fresh.authenticated.authentic,
            nonce: self.fresh.nonce,
            allowed: self.allowed,
            drawn,
        };
        let common = &parsed.common;
        Ok(Admitted {
            scheme: common.scheme,
            dialect: caller.dialect,
            language: caller.language,
            action: common.action.into(),
            uncovered: self.uncovered(),
            credential: self.fresh.authenticated.credential,
            witnesses,
        })
    }

    /// What the signature does not cover and a careless application might trust.
    fn uncovered(&self) -> Vec<Uncovered> {
        let authenticated = &self.fresh.authenticated;
        let parsed = &authenticated.parsed;
        let request = parsed.request();
        let get = request.method() == b"GET";
        let mut uncovered = Vec::new();
        if authenticated.left_out.path {
            uncovered.push(Uncovered::Path);
        }
        if !get && !request.query().is_empty() {
            uncovered.push(Uncovered::Query);
        }
        let signed = parsed.read.signed();
        let body_is_hashed = match &signed {
            Signed::Query(_) => !get,
            Signed::Tc3(_) => !get && !Tc3Signed::payload_is_unsigned(request),
        };
        let no_body = matches!(request.payload(), Payload::Bytes([]));
        if !body_is_hashed && !no_body {
            uncovered.push(Uncovered::Body);
        }
        match &signed {
            Signed::Query(signed) => {
                uncovered.extend(
                    signed.left_out(authenticated.left_out).map(|name| {
                        Uncovered::Parameter(String::from_utf8_lossy(name).into_owned())
                    }),
                );
            }
            Signed::Tc3(Tc3Signed { authorization, .. }) => {
                let headers = request.known();
                // The timestamp is covered by the string to sign, the token compared on its own.
                let steering = [
                    ("x-tc-action", headers.action),
                    ("x-tc-version", headers.version),
                    ("x-tc-region", headers.region),
                    ("x-tc-language", headers.language),
                ];
                let unsigned = steering
                    .into_iter()
                    .filter(|(name, sent)| *sent != Field::Absent && !authorization.signs(name));
                uncovered.extend(unsigned.map(|(name, _)| Uncovered::Header(name)));
                if authenticated.left_out.content_type_parameters {
                    uncovered.push(Uncovered::ContentTypeParameters);
                }
            }
        }
        uncovered
    }
}
