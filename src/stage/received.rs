//! A request of which nothing is known yet: which dialect it speaks, and whether it can be read.

use std::fmt;

use memchr::memchr2_iter;

use crate::check;
use crate::clock::UnixTime;
use crate::form::{Common, ContentType, Parameters, Text};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::{Field, RequestView};
use crate::scheme::{Dialect, Family, Language, is_legacy_host};
use crate::signature::Authorization;
use crate::stage::common::CommonParameters;
use crate::stage::parsed::{Parsed, Signed};

/// A request as it arrived. It keeps what is read of it; the stages that follow borrow that.
#[must_use]
pub struct Received<'r> {
    request: &'r RequestView<'r>,
    policy: &'r Policy,
    parameters: Parameters<'r>,
    /// Whether they are those of the query of a TC3 GET, which names resources and is signed as bytes.
    query_is_pairs: bool,
    authorization: Option<Authorization<'r>>,
}

impl<'r> Received<'r> {
    /// Takes a request in.
    pub fn new(request: &'r RequestView<'r>, policy: &'r Policy) -> Self {
        Self {
            request,
            policy,
            parameters: Parameters::none(),
            query_is_pairs: false,
            authorization: None,
        }
    }

    /// Makes all checks that ask nobody: protocol, method, form, parameters, types, timestamp. `now` is read once, when
    /// the whole request is there.
    ///
    /// # Errors
    ///
    /// The first check that refuses, in the dialect of the request.
    pub fn parse(&mut self, now: UnixTime) -> Result<Parsed<'_>, Rejection> {
        let family = family(self.request);
        if let Err(reason) = self.take_in(family) {
            return Err(refusal(self.request, self.policy, family, reason));
        }
        let this = &*self;
        match this.common(family) {
            Ok(common) => Parsed::new(this, common, now),
            Err(reason) => Err(this.refuse(family, reason)),
        }
    }

    /// The string to sign as the documentation has it, from the client's own parameters; for TC3 preceded by the
    /// canonical request and a blank line. `None` if the request cannot be read. The time is not judged.
    ///
    /// It holds every signed parameter, a token too: it is for the client and the operator, not for logs.
    #[must_use]
    pub fn string_to_sign(&self) -> Option<String> {
        let mut received = Self::new(self.request, self.policy);
        let read = received.read_untimed()?;
        let text = read.signed.string_to_sign(self.request, &read.common);
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The longest body that a request with these headers may have, in bytes. Its payload is not looked at.
    #[cfg(feature = "tower")]
    pub(crate) fn body_limit(&self) -> usize {
        match family(self.request) {
            Family::Tc3 => self.policy.limits().body_bytes,
            Family::V1 | Family::V2 => self.policy.limits().form_bytes,
        }
    }

    /// Refuses a request whose body was not read to its end because it is longer than [`body_limit`](Self::body_limit).
    /// What was read of it is its payload and decides about the dialect of a form.
    #[cfg(feature = "tower")]
    pub(crate) fn refuse_too_long(&self) -> Rejection {
        let limit = self.body_limit();
        self.refuse_body(match family(self.request) {
            Family::Tc3 => Reason::BodyTooLong { limit },
            Family::V1 | Family::V2 => Reason::FormTooLong { limit },
        })
    }

    /// Refuses a request whose body could not be read to its end.
    #[cfg(feature = "tower")]
    pub(crate) fn refuse_cut_off(&self) -> Rejection {
        self.refuse_body(Reason::BodyCutOff)
    }

    /// Refuses for the body, unless a check refuses that comes before.
    #[cfg(feature = "tower")]
    fn refuse_body(&self, body: Reason) -> Rejection {
        let request = self.request;
        let family = family(request);
        let earlier = check::protocol::check(request.transport(), family, self.policy.https())
            .and_then(|()| check::method::check(request.method()));
        let reason = earlier.err().unwrap_or(body);
        refusal(request, self.policy, family, reason)
    }

    /// The request as read, if it can be read, whatever its time.
    pub(crate) fn read_untimed(&mut self) -> Option<Read<'_>> {
        let family = family(self.request);
        self.take_in(family).ok()?;
        Some(Read {
            common: self.common(family).ok()?,
            signed: self.signed(),
        })
    }

    /// Checks protocol, method and form, and for TC3 the headers; keeps the parameters.
    fn take_in(&mut self, family: Family) -> Result<(), Reason> {
        let request = self.request;
        check::protocol::check(request.transport(), family, self.policy.https())?;
        check::method::check(request.method())?;
        let limits = self.policy.limits();
        check::form::read(&mut self.parameters, request, family, limits)?;
        if family != Family::Tc3 {
            return Ok(());
        }
        self.authorization = Some(check::parameters::in_headers(request, self.policy)?);
        let query = request.query();
        self.query_is_pairs = request.method() == b"GET"
            && self
                .parameters
                .read_urlencoded(query, limits.parameters)
                .is_ok();
        Ok(())
    }

    /// Checks the parameters of v1 and v2, and types.
    fn common(&self, family: Family) -> Result<CommonParameters<'_>, Reason> {
        match &self.authorization {
            None => {
                check::parameters::in_query(&self.parameters, family)?;
                CommonParameters::in_query(&self.parameters, family)
            }
            Some(authorization) => CommonParameters::in_headers(self.request, authorization),
        }
    }

    pub(super) fn request(&self) -> &RequestView<'r> {
        self.request
    }

    pub(super) fn policy(&self) -> &Policy {
        self.policy
    }

    /// What the signature stands over, once it was taken in.
    pub(super) fn signed(&self) -> Signed<'_> {
        let parameters = &self.parameters;
        match &self.authorization {
            None => Signed::Query(parameters),
            Some(authorization) => Signed::Tc3 {
                authorization,
                timestamp: self.request.known().timestamp.trimmed(),
                query: self.query_is_pairs.then_some(parameters),
            },
        }
    }

    /// The token, empty if there is none.
    pub(super) fn token(&self) -> Text<'_> {
        match &self.authorization {
            None => self.parameters.token(),
            Some(_) => Text::plain(self.request.known().token.trimmed()),
        }
    }

    /// Refuses a request whose form was read; where it holds nothing it may have been none.
    #[cold]
    fn refuse(&self, family: Family, reason: Reason) -> Rejection {
        if family == Family::Tc3 || self.parameters.is_empty() {
            return refusal(self.request, self.policy, family, reason);
        }
        let version = self.parameters.common(Common::Version);
        let language = self.parameters.common(Common::Language);
        Rejection::new(
            reason,
            Dialect::of(family, !version.is_empty()),
            Language::from_name(language).unwrap_or(self.policy.language()),
        )
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// A request that could be read.
pub(crate) struct Read<'p> {
    pub(crate) common: CommonParameters<'p>,
    pub(crate) signed: Signed<'p>,
}

/// What a request is (protocol.md §1.3). `X-TC-Action` without a TC3 `Authorization` is a TC3 request gone wrong.
fn family(request: &RequestView<'_>) -> Family {
    let authorization = request.known().authorization.value();
    if authorization.is_some_and(Authorization::is_tc3) {
        return Family::Tc3;
    }
    if request.known().action != Field::Absent {
        return Family::Tc3;
    }
    if request.path().ends_with(b"/v2/index.php") || is_legacy_host(request.host()) {
        return Family::V2;
    }
    Family::V1
}

/// Words a refusal in the dialect and language of a request that could not be read, by looking for what decides both.
#[cold]
fn refusal(
    request: &RequestView<'_>,
    policy: &Policy,
    family: Family,
    reason: Reason,
) -> Rejection {
    let (has_version, language) = match family {
        Family::Tc3 => (
            false,
            Language::from_name(request.known().language.trimmed()),
        ),
        Family::V1 | Family::V2 => peek(request, policy),
    };
    let dialect = Dialect::of(family, has_version);
    Rejection::new(reason, dialect, language.unwrap_or(policy.language()))
}

/// Whether a query or form that may not parse has a `Version` that is not empty, and which `Language` it asks for.
fn peek(request: &RequestView<'_>, policy: &Policy) -> (bool, Option<Language>) {
    let limits = policy.limits();
    if request.method() != b"POST" {
        let query = request.query();
        return peek_at(query.get(..limits.query_bytes).unwrap_or(query));
    }
    let body = request.payload().bytes().unwrap_or_default();
    let body = body.get(..limits.form_bytes).unwrap_or(body);
    let content_type = ContentType::read(request.known().content_type.trimmed());
    let Some(boundary) = content_type.ok().and_then(|declared| declared.boundary()) else {
        return peek_at(body);
    };
    let mut parts = Parameters::none();
    match parts.read_multipart(body, boundary, limits.parameters) {
        Ok(()) => (
            !parts.common(Common::Version).is_empty(),
            Language::from_name(parts.common(Common::Language)),
        ),
        Err(_) => (false, None),
    }
}

/// In one pass, since the text may be as long as the policy allows and both may stand at its end. Of several with one
/// name the first counts.
fn peek_at(text: &[u8]) -> (bool, Option<Language>) {
    let (mut version, mut language) = (None, None);
    for at in memchr2_iter(b'V', b'L', text) {
        let (before, piece) = text.split_at(at);
        if !matches!(before, [] | [.., b'&']) {
            continue;
        }
        let value = |name| {
            let value: &[u8] = piece.strip_prefix(name)?;
            value.split(|&byte| byte == b'&').next()
        };
        version = version.or_else(|| value(&b"Version="[..]));
        language = language.or_else(|| value(b"Language="));
        if version.is_some() && language.is_some() {
            break;
        }
    }
    (
        version.is_some_and(|version| !version.is_empty()),
        language.and_then(Language::from_name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_and_language_are_found_where_nothing_can_be_read() {
        let zh = Some(Language::ZhCn);
        for (text, version, language) in [
            ("", false, None),
            ("Version=1", true, None),
            ("%zz&Version=1&=&Language=zh-CN", true, zh),
            ("Language=zh-CN&%zz", false, zh),
            ("Versions=1&xVersion=1&Version", false, None),
            ("V=1&Version=&Version=1", false, None),
            ("Language=de&Language=zh-CN", false, None),
        ] {
            assert_eq!(peek_at(text.as_bytes()), (version, language), "{text}");
        }
        let long = format!("{}&Version=1", "%=VL&".repeat(10_000));
        assert_eq!(peek_at(long.as_bytes()), (true, None));
    }
}
