//! A request that was read and is timely: whose signature it claims to bear, and whether it does.

use crate::check;
use crate::check::timestamp::WithinWindow;
use crate::clock::UnixTime;
use crate::form::Parameters;
use crate::policy::Policy;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::scheme::{Dialect, Family, Language, Scheme};
use crate::signature::{Authorization, LeftOut, QuerySigned, Tc3Signed, hex};
use crate::stage::Authenticated;
use crate::stage::received::{Read, dialect, header};
use crate::store::{Credential, StoreError};

/// A request that was read and is timely.
#[derive(Debug)]
#[must_use]
pub struct Parsed<'r> {
    pub(super) request: &'r RequestView<'r>,
    pub(super) policy: &'r Policy,
    pub(super) family: Family,
    pub(super) signed: Signed<'r>,
    pub(super) times: Times,
    pub(super) now: UnixTime,
    pub(super) within_window: WithinWindow,
}

/// What the signature stands over.
pub(crate) enum Signed<'r> {
    /// The parameters of v1 and v2.
    Query(Parameters<'r>),
    /// The headers and body of TC3.
    Tc3 {
        authorization: Authorization<'r>,
        timestamp: &'r [u8],
        /// The query of a GET, which names resources; none if it cannot be read as pairs.
        query: Option<Parameters<'r>>,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Seconds.
    pub(super) timestamp: i64,
    /// None in TC3.
    pub(super) nonce: Option<u64>,
}

impl<'r> Parsed<'r> {
    pub(super) fn new(
        request: &'r RequestView<'r>,
        policy: &'r Policy,
        read: Read<'r>,
        now: UnixTime,
        within_window: WithinWindow,
    ) -> Self {
        Self {
            request,
            policy,
            family: read.family,
            signed: read.signed,
            times: read.times,
            now,
            within_window,
        }
    }

    /// The question for the credential store; [`authenticate`](Self::authenticate) takes the answer.
    #[must_use]
    pub fn secret_id(&self) -> &str {
        self.signed.secret_id()
    }

    /// How the request is signed.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.signed.scheme(self.family)
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
        let found = match found {
            Ok(found) => found,
            Err(cause) => {
                let store = Store::Credentials;
                return Err(self.refuse(Reason::StoreFailed { store }).with_cause(cause));
            }
        };
        let known = found.is_some();
        match self.identify(found) {
            Ok((credential, signature, left_out)) => {
                Ok(Authenticated::new(self, credential, signature, left_out))
            }
            Err(reason) if known => Err(self.refuse(reason)),
            Err(reason) => Err(self.refuse_stranger(reason)),
        }
    }

    fn identify(
        &self,
        found: Option<Credential>,
    ) -> Result<(Credential, crate::signature::SignatureValid, LeftOut), Reason> {
        let credential = check::secret_id::check(found)?;
        check::token::check(&credential, self.token(), self.now)?;
        let (signature, left_out) = match &self.signed {
            Signed::Query(parameters) => {
                let signed = self.query_signed(parameters);
                let sent = parameters.get(b"Signature").unwrap_or_default();
                check::signature::query(&signed, sent, &credential, self.policy)?
            }
            Signed::Tc3 {
                authorization,
                timestamp,
                ..
            } => {
                let signed = Tc3Signed {
                    request: self.request,
                    authorization: *authorization,
                    timestamp,
                };
                let valid =
                    check::signature::tc3(&signed, self.times.timestamp, &credential, self.policy)?;
                (valid, LeftOut::default())
            }
        };
        Ok((credential, signature, left_out))
    }

    pub(super) fn query_signed<'s>(&'s self, parameters: &'s Parameters<'s>) -> QuerySigned<'s> {
        query_signed(self.request, self.family, self.scheme(), parameters)
    }

    fn token(&self) -> Option<&[u8]> {
        let token = match &self.signed {
            Signed::Query(parameters) => parameters.get(b"Token").unwrap_or_default(),
            Signed::Tc3 { .. } => header(self.request, "x-tc-token"),
        };
        Some(token).filter(|token| !token.is_empty())
    }

    pub(super) fn action(&self) -> &str {
        self.signed.common(self.request, "Action", "x-tc-action")
    }

    pub(super) fn version(&self) -> Option<&str> {
        let version = self.signed.common(self.request, "Version", "x-tc-version");
        Some(version).filter(|version| !version.is_empty())
    }

    pub(super) fn region(&self) -> Option<&str> {
        let region = self.signed.common(self.request, "Region", "x-tc-region");
        Some(region).filter(|region| !region.is_empty())
    }

    pub(super) fn service(&self) -> Option<&str> {
        match &self.signed {
            Signed::Query(_) => None,
            Signed::Tc3 { authorization, .. } => Some(authorization.service),
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        dialect(self.family, || self.version().is_some())
    }

    pub(super) fn language(&self) -> Language {
        let asked = self
            .signed
            .common(self.request, "Language", "x-tc-language");
        Language::from_name(asked.as_bytes()).unwrap_or(self.policy.language())
    }

    /// The decoded signature of a TC3 request.
    pub(super) fn tc3_signature(&self) -> Option<[u8; 32]> {
        match &self.signed {
            Signed::Query(_) => None,
            Signed::Tc3 { authorization, .. } => hex::decode(authorization.signature.as_bytes()),
        }
    }

    /// Refuses a request whose SecretId is known.
    #[cold]
    pub(super) fn refuse(&self, reason: Reason) -> Rejection {
        Rejection::new(reason, self.dialect(), self.language()).with_request(
            self.secret_id(),
            self.action(),
            self.scheme(),
        )
    }

    /// Refuses a request whose SecretId is not known.
    #[cold]
    fn refuse_stranger(&self, reason: Reason) -> Rejection {
        Rejection::new(reason, self.dialect(), self.language()).with_request(
            self.signed.secret_id_if_shown(),
            self.action(),
            self.scheme(),
        )
    }
}

impl Signed<'_> {
    pub(crate) fn secret_id(&self) -> &str {
        match self {
            Self::Query(parameters) => text(parameters.get(b"SecretId")),
            Self::Tc3 { authorization, .. } => authorization.secret_id,
        }
    }

    /// The SecretId of a request whose credential was not found. What was sent in its place may be somebody's secret key
    /// (bug reports on swapped id and key), so it is shown only if it looks like an id.
    pub(super) fn secret_id_if_shown(&self) -> &str {
        Some(self.secret_id())
            .filter(|id| id.starts_with("AKID"))
            .unwrap_or_default()
    }

    pub(crate) fn scheme(&self, family: Family) -> Scheme {
        match self {
            Self::Query(parameters) => family.scheme(parameters.get(b"SignatureMethod")),
            Self::Tc3 { .. } => Scheme::Tc3HmacSha256,
        }
    }

    /// A common parameter, which v1 and v2 carry as a parameter and TC3 as a header; empty if it is absent.
    pub(super) fn common<'s>(
        &'s self,
        request: &'s RequestView<'_>,
        parameter: &str,
        header_name: &str,
    ) -> &'s str {
        match self {
            Self::Query(parameters) => text(parameters.get(parameter.as_bytes())),
            Self::Tc3 { .. } => text(Some(header(request, header_name))),
        }
    }

    pub(super) fn string_to_sign(&self, request: &RequestView<'_>, family: Family) -> Vec<u8> {
        match self {
            Self::Query(parameters) => {
                query_signed(request, family, self.scheme(family), parameters).string_to_sign()
            }
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

impl std::fmt::Debug for Signed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Query(_) => "Query(..)",
            Self::Tc3 { .. } => "Tc3(..)",
        })
    }
}

fn query_signed<'s>(
    request: &'s RequestView<'_>,
    family: Family,
    scheme: Scheme,
    parameters: &'s Parameters<'s>,
) -> QuerySigned<'s> {
    QuerySigned {
        family,
        scheme,
        method: request.method(),
        host: request.host(),
        path: request.path(),
        parameters,
    }
}

/// Common parameters were found to be UTF-8 by the type check; optional ones that are not count as absent.
fn text(value: Option<&[u8]>) -> &str {
    value
        .and_then(|value| str::from_utf8(value).ok())
        .unwrap_or_default()
}
