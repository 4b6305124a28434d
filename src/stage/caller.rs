//! The caller of a request: the dialect and language of the response, and what a refusal may repeat of the request.

use memchr::memchr2_iter;

use crate::check::types::CommonParameters;
use crate::form::{Common, ContentType, Parameters};
use crate::policy::Policy;
use crate::reason::{Reason, Store};
use crate::rejection::Rejection;
use crate::request::RequestView;
use crate::scheme::{Dialect, Family, Language, Scheme};
use crate::store::StoreError;

/// The caller of a request that is being checked. Makes every refusal of the stages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'r> {
    pub(super) dialect: Dialect,
    pub(super) language: Language,
    claimed: Option<Claimed<'r>>,
}

/// What a request with well-formed common parameters says of itself.
#[derive(Clone, Copy, Debug)]
struct Claimed<'r> {
    secret_id: SecretId<'r>,
    action: &'r str,
    scheme: Scheme,
}

#[derive(Clone, Copy, Debug)]
enum SecretId<'r> {
    /// In the credential store.
    Known(&'r str),
    /// As sent. Clients swap SecretId and SecretKey, so this may be a key.
    Unconfirmed(&'r str),
}

impl<'r> Caller<'r> {
    /// The caller of a request that cannot be read, found by a search for what decides dialect and language.
    #[cold]
    pub(super) fn of_unread(request: &RequestView<'_>, policy: &Policy, family: Family) -> Self {
        let (has_version, language) = match family {
            Family::Tc3 => (
                false,
                Language::from_name(request.known().language.trimmed()),
            ),
            Family::V1 | Family::V2 => peek(request, policy),
        };
        Self::unnamed(Dialect::of(family, has_version), language, policy)
    }

    /// The caller of a request whose parameters may lack their types.
    #[cold]
    pub(super) fn of_parameters(
        parameters: &Parameters<'_>,
        policy: &Policy,
        family: Family,
    ) -> Self {
        let has_version = !parameters.common(Common::Version).is_empty();
        let language = Language::from_name(parameters.common(Common::Language));
        Self::unnamed(Dialect::of(family, has_version), language, policy)
    }

    /// The caller of a request whose common parameters have their types.
    pub(super) fn of_common(common: &CommonParameters<'r>, policy: &Policy) -> Self {
        Self {
            dialect: Dialect::of(common.family, !common.version.is_empty()),
            language: common.language.unwrap_or(policy.language()),
            claimed: Some(Claimed {
                secret_id: SecretId::Unconfirmed(common.secret_id),
                action: common.action,
                scheme: common.scheme,
            }),
        }
    }

    /// The same caller, once the credential store knows the SecretId.
    pub(super) fn known(mut self) -> Self {
        if let Some(Claimed { secret_id, .. }) = &mut self.claimed
            && let SecretId::Unconfirmed(sent) = *secret_id
        {
            *secret_id = SecretId::Known(sent);
        }
        self
    }

    /// Refuses the request.
    #[cold]
    pub(super) fn refuse(&self, reason: Reason) -> Rejection {
        let refused = Rejection::new(reason, self.dialect, self.language);
        match self.claimed {
            Some(Claimed {
                secret_id,
                action,
                scheme,
            }) => refused.with_request(secret_id.shown(), action, scheme),
            None => refused,
        }
    }

    /// Refuses the request because a store failed.
    #[cold]
    pub(super) fn refuse_for(&self, store: Store, cause: StoreError) -> Rejection {
        self.refuse(Reason::StoreFailed { store }).with_cause(cause)
    }

    fn unnamed(dialect: Dialect, language: Option<Language>, policy: &Policy) -> Self {
        Self {
            dialect,
            language: language.unwrap_or(policy.language()),
            claimed: None,
        }
    }
}

impl<'r> SecretId<'r> {
    /// The SecretId as a refusal shows it; empty if it may be a key.
    fn shown(self) -> &'r str {
        match self {
            Self::Known(id) => id,
            Self::Unconfirmed(sent) if sent.starts_with("AKID") => sent,
            Self::Unconfirmed(_) => "",
        }
    }
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
