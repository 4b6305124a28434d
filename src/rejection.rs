//! A refusal: why, and what the client is told about it in the dialect and language that it spoke.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::check::Check;
#[cfg(feature = "diagnose")]
use crate::diagnosis::Diagnosis;
use crate::dialect::{Code, envelope, message};
#[cfg(feature = "diagnose")]
use crate::policy::DiagnosisRule;
use crate::reason::Reason;
use crate::scheme::{Dialect, Language, Scheme};
use crate::store::StoreError;

/// A refused request. One word wide; holds no secret.
///
/// [`reason`](Self::reason) is for programs, [`code`](Self::code) and [`message`](Self::message) are what the client is
/// told, [`respond`](Self::respond) and [`response`](Self::response) make the body to send it. The failure of a store is
/// only in [`source`](Error::source), for the operator.
///
/// ```
/// use qcloud_validator::{Dialect, Language, Reason, Rejection};
///
/// let refused = Rejection::new(Reason::NonceRepeated, Dialect::V2, Language::ZhCn);
/// assert_eq!(refused.reason(), &Reason::NonceRepeated);
/// assert_eq!(refused.code().name(), "InvalidRequest.ReplayAttack");
/// assert_eq!(refused.code_in(Dialect::V2Numeric).number(), Some(4500));
/// assert!(refused.message().starts_with("请求被拒绝"));
/// ```
#[derive(Clone)]
pub struct Rejection(Box<Inner>);

#[derive(Clone)]
struct Inner {
    reason: Reason,
    dialect: Dialect,
    language: Language,
    scheme: Option<Scheme>,
    secret_id: Option<Box<str>>,
    action: Option<Box<str>>,
    cause: Option<Arc<StoreError>>,
    #[cfg(feature = "diagnose")]
    diagnosis: Option<Arc<Diagnosis>>,
    #[cfg(feature = "diagnose")]
    told: DiagnosisRule,
}

impl Rejection {
    /// A refusal for something that the validator did not check, such as a failure of the service behind it, where there
    /// is no [`Admitted`](crate::Admitted) to [`refuse`](crate::Admitted::refuse).
    #[cold]
    #[must_use]
    pub fn new(reason: Reason, dialect: Dialect, language: Language) -> Self {
        Self(Box::new(Inner {
            reason,
            dialect,
            language,
            scheme: None,
            secret_id: None,
            action: None,
            cause: None,
            #[cfg(feature = "diagnose")]
            diagnosis: None,
            #[cfg(feature = "diagnose")]
            told: DiagnosisRule::Off,
        }))
    }

    /// Notes what the request said of itself; empty text is nothing said.
    pub(crate) fn with_request(mut self, secret_id: &str, action: &str, scheme: Scheme) -> Self {
        let said = |text: &str| (!text.is_empty()).then(|| text.into());
        self.0.secret_id = said(secret_id);
        self.0.action = said(action);
        self.0.scheme = Some(scheme);
        self
    }

    /// Keeps the failure of the store for the operator.
    pub(crate) fn with_cause(mut self, cause: StoreError) -> Self {
        self.0.cause = Some(Arc::new(cause));
        self
    }

    /// The same refusal with its cause, which `told` lets into the message or keeps for the operator. Causes that concern a
    /// key are never in the message.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn with_diagnosis(mut self, diagnosis: Diagnosis, told: DiagnosisRule) -> Self {
        self.0.diagnosis = Some(Arc::new(diagnosis));
        self.0.told = told;
        self
    }

    /// The cause, for the operator, if it was searched for: by a validator that tells it in the message
    /// ([`DiagnosisRule::InMessage`]), or by a caller that added it.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn diagnosis(&self) -> Option<&Diagnosis> {
        self.0.diagnosis.as_deref()
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.0.reason
    }

    /// The check that refused; none for what a backend reports.
    #[must_use]
    pub fn check(&self) -> Option<Check> {
        self.0.reason.check()
    }

    /// The dialect that the request spoke.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// The language that the request asked for, or the policy's.
    #[must_use]
    pub fn language(&self) -> Language {
        self.0.language
    }

    /// How the request is signed, if it could be read.
    #[must_use]
    pub fn scheme(&self) -> Option<Scheme> {
        self.0.scheme
    }

    /// The SecretId that the request claims, if it could be read. An unknown one is kept only if it begins with `AKID`:
    /// clients that swap id and key send their key here.
    #[must_use]
    pub fn secret_id(&self) -> Option<&str> {
        self.0.secret_id.as_deref()
    }

    /// The action that the request asks for, if it could be read. Not yet authenticated before
    /// [`Check::Nonce`].
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        self.0.action.as_deref()
    }

    /// The code in the dialect of the request.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code_in(self.0.dialect)
    }

    /// The code in another dialect.
    #[must_use]
    pub fn code_in(&self, dialect: Dialect) -> Code {
        self.0.reason.code(dialect)
    }

    /// One line for the client, in the language of the request: what is wrong and what to do.
    #[must_use]
    pub fn message(&self) -> String {
        self.message_in(self.0.language)
    }

    /// The same in another language.
    #[must_use]
    pub fn message_in(&self, language: Language) -> String {
        let message = message(&self.0.reason, self.0.dialect, language);
        #[cfg(feature = "diagnose")]
        if self.0.told == DiagnosisRule::InMessage {
            let cause = self
                .0
                .diagnosis
                .as_ref()
                .and_then(|known| known.for_client(language));
            return cause.map_or(message.clone(), |cause| format!("{message} {cause}"));
        }
        message
    }

    /// The HTTP status: 200, since errors travel in the body in all dialects and SDKs take any other status for a
    /// network failure (protocol.md §5.5).
    #[must_use]
    pub fn http_status(&self) -> u16 {
        200
    }

    /// The content type, exactly so: the official Python SDK reads errors under no other.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        "application/json"
    }

    /// The body to send under the caller's own request id, which may be any text: it is escaped, not checked. The numeric
    /// dialect has no place for it.
    ///
    /// ```
    /// use qcloud_validator::{Dialect, Language, Reason, Rejection};
    ///
    /// let refused = Rejection::new(Reason::BackendFailed, Dialect::V3, Language::EnUs);
    /// assert_eq!(
    ///     refused.response("f5b0ebe4-1d1f-4b5a-9d4e-4d3c2b1a0f9e"),
    ///     r#"{"Response":{"Error":{"Code":"InternalError","Message":"An internal error has occurred. Retry your request, but if the problem persists, contact us."},"RequestId":"f5b0ebe4-1d1f-4b5a-9d4e-4d3c2b1a0f9e"}}"#
    /// );
    /// ```
    #[must_use]
    pub fn response(&self, request_id: &str) -> String {
        envelope(self.code(), &self.message(), request_id, self.0.dialect)
    }

    /// The body to send under a new request id, and that id for the log.
    ///
    /// ```
    /// use qcloud_validator::{Dialect, Language, Reason, Rejection};
    ///
    /// let refused = Rejection::new(Reason::BackendFailed, Dialect::V3, Language::EnUs);
    /// let response = refused.respond();
    /// assert_eq!(response.body(), refused.response(response.request_id()));
    /// ```
    #[must_use]
    pub fn respond(&self) -> Response {
        let request_id = uuid::Uuid::new_v4().to_string();
        let body = self.response(&request_id);
        Response { request_id, body }
    }
}

/// The body of a refusal and the request id that it was given: a random UUID in lower case, as the vendor's are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    request_id: String,
    body: String,
}

impl Response {
    /// The request id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The JSON to send with [`http_status`](Rejection::http_status) and [`content_type`](Rejection::content_type).
    #[must_use]
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The same, without a copy.
    #[must_use]
    pub fn into_body(self) -> String {
        self.body
    }
}

impl fmt::Display for Rejection {
    /// Code and message in English, for the operator whatever the client speaks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code(), self.message_in(Language::EnUs))
    }
}

impl fmt::Debug for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejection")
            .field("reason", &self.0.reason)
            .field("dialect", &self.0.dialect)
            .field("language", &self.0.language)
            .field("scheme", &self.0.scheme)
            .field("secret_id", &self.0.secret_id)
            .field("action", &self.0.action)
            .field("cause", &self.0.cause)
            .finish()
    }
}

impl Error for Rejection {
    /// The [`StoreError`], if a store failed.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.cause {
            Some(cause) => Some(&**cause),
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::Store;

    #[test]
    fn a_rejection_is_one_word() {
        assert_eq!(size_of::<Rejection>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), Rejection>>(), size_of::<usize>());
    }

    #[test]
    fn a_rejection_crosses_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Rejection>();
    }

    #[test]
    fn the_cause_is_for_the_operator_alone() {
        let reason = Reason::StoreFailed {
            store: Store::Nonces,
        };
        let refused = Rejection::new(reason, Dialect::V3, Language::EnUs)
            .with_cause(StoreError::new("connection refused"));
        for refused in [refused.clone(), refused] {
            assert_eq!(
                refused.source().unwrap().to_string(),
                "the store did not answer"
            );
            let told = [
                refused.to_string(),
                refused.message_in(Language::ZhCn),
                refused.response("id"),
            ];
            for text in told {
                assert!(!text.contains("connection refused"), "{text}");
            }
        }
    }

    #[test]
    fn what_the_request_did_not_say_is_none() {
        let refused = Rejection::new(Reason::PlainHttp, Dialect::V2, Language::EnUs);
        assert_eq!(refused.scheme(), None);
        assert!(refused.source().is_none());
        let refused = refused.with_request("", "DescribeInstances", Scheme::HmacSha1);
        assert_eq!(refused.secret_id(), None);
        assert_eq!(refused.action(), Some("DescribeInstances"));
        assert_eq!(refused.scheme(), Some(Scheme::HmacSha1));
    }

    #[test]
    fn the_texts_for_the_operator() {
        let refused = Rejection::new(Reason::SecretIdUnknown, Dialect::V2Numeric, Language::ZhCn);
        assert_eq!(
            refused.to_string(),
            "4104: The SecretId is not found, please ensure that your SecretId is correct."
        );
        assert_eq!(
            format!("{refused:?}"),
            "Rejection { reason: SecretIdUnknown, dialect: V2Numeric, language: ZhCn, scheme: None, secret_id: None, action: None, cause: None }"
        );
    }
}
