//! A request that was read: its parameters are found, their values not yet checked.

use std::fmt;

use crate::check;
use crate::check::types::CommonParameters;
use crate::clock::UnixTime;
use crate::form::{Common, Parameters, Text};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::scheme::Family;
use crate::signature::{Authorization, QuerySigned, Tc3Signed};
use crate::stage::Parsed;
use crate::stage::caller::Caller;

/// A request that was read. It owns the parameters, which the later stages borrow.
#[must_use]
pub struct Read<'r> {
    request: &'r RequestView<'r>,
    policy: &'r Policy,
    family: Family,
    /// Those of v1 and v2, or of the query of a TC3 GET.
    pub(super) parameters: Parameters<'r>,
    pub(super) content: Content<'r>,
}

/// What is signed.
pub(super) enum Content<'r> {
    /// The parameters of v1 and v2.
    Parameters,
    Tc3 {
        authorization: Authorization<'r>,
        query: Query,
    },
}

/// The query of a TC3 request.
#[derive(PartialEq, Eq)]
pub(super) enum Query {
    /// The pairs of a GET, which name resources.
    Pairs,
    /// No pairs, or not of a GET.
    Bytes,
}

/// What a signature is computed over.
pub(crate) enum Signed<'s> {
    Query(QuerySigned<'s>),
    Tc3(Tc3Signed<'s>),
}

impl<'r> Read<'r> {
    pub(super) fn new(request: &'r RequestView<'r>, policy: &'r Policy, family: Family) -> Self {
        Self {
            request,
            policy,
            family,
            parameters: Parameters::none(),
            content: Content::Parameters,
        }
    }

    /// Checks the types of the common parameters, and the timestamp. Read the clock for `now` when the whole body has
    /// arrived.
    ///
    /// # Errors
    ///
    /// The first of them that refuses, in the dialect of the request.
    pub fn parse(&self, now: UnixTime) -> Result<Parsed<'_>, Rejection> {
        match self.common() {
            Ok(common) => Parsed::new(self, common, now),
            Err(reason) => Err(self.caller().refuse(reason)),
        }
    }

    /// The string to sign by the documentation, over the client's own parameters; for TC3 preceded by the canonical
    /// request and a blank line.
    ///
    /// It holds every signed parameter, a token too: show it to the client and the operator, do not log it.
    #[must_use]
    pub fn string_to_sign(&self) -> String {
        let text = match self.signed() {
            Signed::Query(signed) => signed.string_to_sign(),
            Signed::Tc3(signed) => {
                [signed.canonical_request(), signed.string_to_sign()].join(&b"\n\n"[..])
            }
        };
        String::from_utf8_lossy(&text).into_owned()
    }

    /// The SecretId that the request claims, if its parameters have their types.
    #[cfg(feature = "diagnose")]
    pub(crate) fn secret_id(&self) -> Option<&str> {
        self.common().ok().map(|common| common.secret_id)
    }

    /// The common parameters, if they have their types.
    pub(crate) fn common(&self) -> Result<CommonParameters<'_>, Reason> {
        match &self.content {
            Content::Parameters => CommonParameters::in_query(&self.parameters, self.family),
            Content::Tc3 { authorization, .. } => {
                CommonParameters::in_headers(self.request, authorization)
            }
        }
    }

    pub(crate) fn signed(&self) -> Signed<'_> {
        match &self.content {
            Content::Parameters => Signed::Query(QuerySigned {
                family: self.family,
                scheme: self
                    .family
                    .scheme(self.parameters.common(Common::SignatureMethod)),
                method: self.request.method(),
                host: self.request.host(),
                path: self.request.path(),
                parameters: &self.parameters,
            }),
            Content::Tc3 { authorization, .. } => Signed::Tc3(Tc3Signed {
                request: self.request,
                authorization: *authorization,
                timestamp: self.request.known().timestamp.trimmed(),
            }),
        }
    }

    pub(super) fn check_parameters(&self) -> Result<(), Reason> {
        match &self.content {
            Content::Parameters => check::parameters::in_query(&self.parameters, self.family),
            Content::Tc3 { .. } => Ok(()), // Checked while the headers were read.
        }
    }

    pub(super) fn request(&self) -> &'r RequestView<'r> {
        self.request
    }

    pub(super) fn policy(&self) -> &'r Policy {
        self.policy
    }

    /// The token, empty if there is none.
    pub(super) fn token(&self) -> Text<'_> {
        match &self.content {
            Content::Parameters => self.parameters.token(),
            Content::Tc3 { .. } => Text::plain(self.request.known().token.trimmed()),
        }
    }

    /// The service of a TC3 credential scope.
    pub(super) fn service(&self) -> Option<&'r str> {
        match &self.content {
            Content::Parameters => None,
            Content::Tc3 { authorization, .. } => Some(authorization.service),
        }
    }

    /// The parameters that may name resources.
    pub(super) fn parameters(&self) -> Option<&Parameters<'r>> {
        match &self.content {
            Content::Parameters => Some(&self.parameters),
            Content::Tc3 { query, .. } => (*query == Query::Pairs).then_some(&self.parameters),
        }
    }

    /// The caller, before the types are checked. A form without parameters may be no form.
    #[cold]
    pub(super) fn caller(&self) -> Caller<'_> {
        match &self.content {
            Content::Parameters if !self.parameters.is_empty() => {
                Caller::of_parameters(&self.parameters, self.policy, self.family)
            }
            _ => Caller::of_unread(self.request, self.policy, self.family),
        }
    }
}

impl fmt::Debug for Read<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Read")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
