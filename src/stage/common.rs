//! What a request says of itself, whatever its scheme: the common parameters, in v1 and v2 among the others, in TC3 as
//! headers (protocol.md §1.1).

use std::fmt;

use crate::check::types;
use crate::form::{Common, Parameters};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::scheme::{Dialect, Family, Language, Scheme};
use crate::signature::Authorization;

/// The common parameters, found to have their types. Text that is absent is empty.
#[derive(Clone, Copy)]
pub(crate) struct CommonParameters<'p> {
    pub(crate) family: Family,
    pub(crate) scheme: Scheme,
    pub(crate) secret_id: &'p str,
    pub(crate) action: &'p str,
    pub(crate) version: &'p str,
    pub(crate) region: &'p str,
    /// None if the request asks for none that there is.
    pub(crate) language: Option<Language>,
    /// Seconds.
    pub(crate) timestamp: i64,
    /// None in TC3.
    pub(crate) nonce: Option<u64>,
}

impl<'p> CommonParameters<'p> {
    /// Those of v1 and v2.
    pub(super) fn in_query(parameters: &'p Parameters<'p>, family: Family) -> Result<Self, Reason> {
        let bytes = |common| parameters.common(common);
        Ok(Self {
            family,
            timestamp: types::timestamp(bytes(Common::Timestamp), "Timestamp")?,
            nonce: Some(types::nonce(bytes(Common::Nonce))?),
            action: types::action(bytes(Common::Action), "Action")?,
            secret_id: types::short_text(bytes(Common::SecretId), "SecretId")?,
            version: types::version(bytes(Common::Version), "Version")?,
            region: types::region(bytes(Common::Region), "Region")?,
            language: types::language(bytes(Common::Language), "Language")?,
            scheme: family.scheme(bytes(Common::SignatureMethod)),
        })
    }

    /// Those of TC3.
    pub(super) fn in_headers(
        request: &'p RequestView<'p>,
        authorization: &Authorization<'p>,
    ) -> Result<Self, Reason> {
        let headers = request.known();
        let common = Self {
            family: Family::Tc3,
            timestamp: types::timestamp(headers.timestamp.trimmed(), "X-TC-Timestamp")?,
            nonce: None,
            action: types::action(headers.action.trimmed(), "X-TC-Action")?,
            version: types::version(headers.version.trimmed(), "X-TC-Version")?,
            region: types::region(headers.region.trimmed(), "X-TC-Region")?,
            secret_id: types::short_text(authorization.secret_id.as_bytes(), "SecretId")?,
            language: types::language(headers.language.trimmed(), "X-TC-Language")?,
            scheme: Scheme::Tc3HmacSha256,
        };
        types::short_text(authorization.service.as_bytes(), "Service")?;
        Ok(common)
    }

    pub(super) fn dialect(&self) -> Dialect {
        Dialect::of(self.family, !self.version.is_empty())
    }

    pub(super) fn language(&self, policy: &Policy) -> Language {
        self.language.unwrap_or(policy.language())
    }

    /// Refuses a request whose SecretId is known.
    #[cold]
    pub(super) fn refuse(&self, reason: Reason, policy: &Policy) -> Rejection {
        self.refuse_as(self.secret_id, reason, policy)
    }

    /// Refuses a request whose SecretId is not known. What was sent in its place may be somebody's secret key (bug reports
    /// on swapped id and key), so it is shown only if it looks like an id.
    #[cold]
    pub(super) fn refuse_stranger(&self, reason: Reason, policy: &Policy) -> Rejection {
        let shown = Some(self.secret_id).filter(|id| id.starts_with("AKID"));
        self.refuse_as(shown.unwrap_or_default(), reason, policy)
    }

    fn refuse_as(&self, secret_id: &str, reason: Reason, policy: &Policy) -> Rejection {
        Rejection::new(reason, self.dialect(), self.language(policy)).with_request(
            secret_id,
            self.action,
            self.scheme,
        )
    }
}

impl fmt::Debug for CommonParameters<'_> {
    /// Shows no token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommonParameters")
            .field("scheme", &self.scheme)
            .field("action", &self.action)
            .field("timestamp", &self.timestamp)
            .finish_non_exhaustive()
    }
}
