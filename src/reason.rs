//! Why a request is refused: structured facts, free of secrets. Codes and messages are made from them in `dialect/`.

use crate::check::Check;
use crate::clock::UnixTime;

/// Why a request is refused.
///
/// A reason holds what a reader needs to act on it and nothing that must stay secret: names of parameters, both clocks,
/// limits. Each has one [`Check`] behind it (none for what a backend reports) and one code in every dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The request came over plain HTTP.
    PlainHttp,
    /// The method is neither GET nor POST.
    MethodNotAllowed,

    /// The query is longer than the policy allows.
    QueryTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The form of a POST is longer than the policy allows.
    FormTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body of a TC3 request is longer than the policy allows.
    BodyTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// There are more parameters than the policy allows.
    TooManyParameters {
        /// The limit.
        limit: usize,
    },
    /// A piece of the query or form has no `=`.
    PairWithoutEquals {
        /// The name that stands alone; empty where an `&` has nothing before or after it.
        name: String,
    },
    /// A `%` is not followed by two hexadecimal digits.
    MalformedEncoding {
        /// Offset in bytes of the `%` in the query or form.
        offset: usize,
    },
    /// A byte above 0x7F stands unescaped in the query.
    NonAsciiQuery {
        /// Offset in bytes in the query.
        offset: usize,
    },
    /// A multipart body does not follow its own boundary.
    MalformedMultipart,
    /// A parameter occurs twice.
    RepeatedParameter {
        /// Its name.
        name: String,
    },
    /// Two parameter names differ only in `_` and `.`, which sign alike.
    AmbiguousParameter {
        /// One of the two names.
        name: String,
    },
    /// A header that decides how the request is read occurs twice; for `host` also: the target, the authority of HTTP/2 or
    /// what a proxy forwards names another host.
    RepeatedHeader {
        /// Its name, in lower case.
        name: String,
    },
    /// The `Host` is not one host. What v1 and v2 sign has nothing between host and path, so that a host with a `/` would
    /// say where the path begins.
    MalformedHost,
    /// The `Content-Type` is not one media type that every program reads alike.
    MalformedContentType,
    /// The body is needed and was not shown to the validator.
    BodyUnseen,
    /// The body did not come to its end, or not in time.
    BodyCutOff,

    /// A required parameter or header is absent or empty.
    MissingParameter {
        /// Its name as the scheme spells it, such as `Timestamp` or `X-TC-Timestamp`.
        name: &'static str,
    },
    /// The `Authorization` header is not what TC3 demands.
    InvalidAuthorization {
        /// What is wrong with it.
        fault: AuthorizationFault,
    },

    /// A common parameter has a value that its type does not allow.
    InvalidParameter {
        /// Its name as the scheme spells it.
        name: &'static str,
        /// What is allowed.
        expected: Expected,
    },

    /// The timestamp is further from the clock than the window.
    TimestampOutsideWindow {
        /// What the request says, in seconds.
        timestamp: i64,
        /// What the clock said, in seconds.
        now: i64,
        /// The window, in seconds.
        window: i64,
    },

    /// No such SecretId.
    SecretIdUnknown,
    /// The SecretId exists and is disabled.
    SecretIdDisabled,

    /// The SecretId is temporary and no token was sent.
    TokenMissing,
    /// The token is not the one issued with this SecretId.
    TokenWrong,
    /// The token is right and no longer valid.
    TokenExpired {
        /// When it expired.
        expired_at: UnixTime,
    },
    /// A token was sent with a permanent key.
    TokenUnexpected,

    /// The signature does not fit the request.
    SignatureMismatch,
    /// The date in the credential scope is not the UTC date of the timestamp.
    ScopeDateMismatch {
        /// The UTC date of `X-TC-Timestamp`, as `YYYY-MM-DD`.
        expected: String,
    },

    /// An admitted request has used this nonce already.
    NonceRepeated,
    /// The request is dated before the nonce store began to remember, so whether it was used is not known.
    NonceBeforeMemory,
    /// This SecretId has more live nonces than its share.
    NonceShareExhausted,

    /// The account is banned.
    AccountBanned,
    /// The account is not among those that the action is for.
    AccountNotInAudience,

    /// The action needs a session verified by MFA, and this one is not.
    MfaFailed,

    /// There is no such action.
    ActionUnknown {
        /// The action asked for.
        action: String,
    },
    /// The action is out of service.
    ActionUnavailable {
        /// The action asked for.
        action: String,
    },

    /// The account may not call this action.
    ActionDenied {
        /// The action asked for.
        action: String,
    },
    /// The account may not touch this resource.
    ResourceDenied {
        /// The resource.
        resource: String,
    },
    /// The account may call this action and touch the resource, but not both together.
    ActionResourceDenied {
        /// The action asked for.
        action: String,
        /// The resource.
        resource: String,
    },

    /// More requests per second than allowed.
    RateExceeded {
        /// The limit in requests.
        limit: u32,
        /// The period of the limit, in seconds.
        period: u32,
        /// Milliseconds until a request will pass.
        retry_after_millis: u64,
    },
    /// The quota is used up.
    QuotaExhausted {
        /// The quota in requests.
        limit: u64,
        /// When it is full again.
        resets_at: UnixTime,
    },

    /// A store did not answer, or answered with a failure.
    StoreFailed {
        /// Which.
        store: Store,
    },

    /// The backend reports that an operation on a resource failed.
    ResourceOperationFailed {
        /// What the caller shall read.
        detail: String,
    },
    /// The backend failed.
    BackendFailed,
}

impl Reason {
    /// The rule that refuses with this reason; none for what a backend reports.
    #[must_use]
    pub const fn check(&self) -> Option<Check> {
        Some(match self {
            Self::PlainHttp => Check::Protocol,
            Self::MethodNotAllowed => Check::Method,
            Self::QueryTooLong { .. }
            | Self::FormTooLong { .. }
            | Self::BodyTooLong { .. }
            | Self::TooManyParameters { .. }
            | Self::PairWithoutEquals { .. }
            | Self::MalformedEncoding { .. }
            | Self::NonAsciiQuery { .. }
            | Self::MalformedMultipart
            | Self::RepeatedParameter { .. }
            | Self::AmbiguousParameter { .. }
            | Self::RepeatedHeader { .. }
            | Self::MalformedHost
            | Self::MalformedContentType
            | Self::BodyUnseen
            | Self::BodyCutOff => Check::Form,
            Self::MissingParameter { .. } | Self::InvalidAuthorization { .. } => Check::Parameters,
            Self::InvalidParameter { .. } => Check::Types,
            Self::TimestampOutsideWindow { .. } => Check::Timestamp,
            Self::SecretIdUnknown | Self::SecretIdDisabled => Check::SecretId,
            Self::TokenMissing
            | Self::TokenWrong
            | Self::TokenExpired { .. }
            | Self::TokenUnexpected => Check::Token,
            Self::SignatureMismatch | Self::ScopeDateMismatch { .. } => Check::Signature,
            Self::NonceRepeated | Self::NonceBeforeMemory | Self::NonceShareExhausted => {
                Check::Nonce
            }
            Self::AccountBanned | Self::AccountNotInAudience => Check::Account,
            Self::MfaFailed => Check::Mfa,
            Self::ActionUnknown { .. } | Self::ActionUnavailable { .. } => Check::Action,
            Self::ActionDenied { .. }
            | Self::ResourceDenied { .. }
            | Self::ActionResourceDenied { .. } => Check::Permission,
            Self::RateExceeded { .. } => Check::Rate,
            Self::QuotaExhausted { .. } => Check::Quota,
            Self::StoreFailed { store } => match store {
                Store::Credentials => Check::SecretId,
                Store::Nonces => Check::Nonce,
                Store::Permissions => Check::Account,
                Store::Quotas => Check::Rate,
            },
            Self::ResourceOperationFailed { .. } | Self::BackendFailed => return None,
        })
    }

    /// A stable kebab-case name, for logs, metrics and the command's output.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::PlainHttp => "plain-http",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::QueryTooLong { .. } => "query-too-long",
            Self::FormTooLong { .. } => "form-too-long",
            Self::BodyTooLong { .. } => "body-too-long",
            Self::TooManyParameters { .. } => "too-many-parameters",
            Self::PairWithoutEquals { .. } => "pair-without-equals",
            Self::MalformedEncoding { .. } => "malformed-encoding",
            Self::NonAsciiQuery { .. } => "non-ascii-query",
            Self::MalformedMultipart => "malformed-multipart",
            Self::RepeatedParameter { .. } => "repeated-parameter",
            Self::AmbiguousParameter { .. } => "ambiguous-parameter",
            Self::RepeatedHeader { .. } => "repeated-header",
            Self::MalformedHost => "malformed-host",
            Self::MalformedContentType => "malformed-content-type",
            Self::BodyUnseen => "body-unseen",
            Self::BodyCutOff => "body-cut-off",
            Self::MissingParameter { .. } => "missing-parameter",
            Self::InvalidAuthorization { .. } => "invalid-authorization",
            Self::InvalidParameter { .. } => "invalid-parameter",
            Self::TimestampOutsideWindow { .. } => "timestamp-outside-window",
            Self::SecretIdUnknown => "secret-id-unknown",
            Self::SecretIdDisabled => "secret-id-disabled",
            Self::TokenMissing => "token-missing",
            Self::TokenWrong => "token-wrong",
            Self::TokenExpired { .. } => "token-expired",
            Self::TokenUnexpected => "token-unexpected",
            Self::SignatureMismatch => "signature-mismatch",
            Self::ScopeDateMismatch { .. } => "scope-date-mismatch",
            Self::NonceRepeated => "nonce-repeated",
            Self::NonceBeforeMemory => "nonce-before-memory",
            Self::NonceShareExhausted => "nonce-share-exhausted",
            Self::AccountBanned => "account-banned",
            Self::AccountNotInAudience => "account-not-in-audience",
            Self::MfaFailed => "mfa-failed",
            Self::ActionUnknown { .. } => "action-unknown",
            Self::ActionUnavailable { .. } => "action-unavailable",
            Self::ActionDenied { .. } => "action-denied",
            Self::ResourceDenied { .. } => "resource-denied",
            Self::ActionResourceDenied { .. } => "action-resource-denied",
            Self::RateExceeded { .. } => "rate-exceeded",
            Self::QuotaExhausted { .. } => "quota-exhausted",
            Self::StoreFailed { store } => match store {
                Store::Credentials => "credential-store-failed",
                Store::Nonces => "nonce-store-failed",
                Store::Permissions => "permission-store-failed",
                Store::Quotas => "quota-store-failed",
            },
            Self::ResourceOperationFailed { .. } => "resource-operation-failed",
            Self::BackendFailed => "backend-failed",
        }
    }

    /// One example of every reason, in the order of the checks: what `codes` prints and what tests walk.
    #[must_use]
    pub fn examples() -> Vec<Self> {
        let action = || "DescribeInstances".to_owned();
        let resource = || "ins-09dx96dg".to_owned();
        vec![
            Self::PlainHttp,
            Self::MethodNotAllowed,
            Self::QueryTooLong { limit: 32_768 },
            Self::FormTooLong { limit: 1_048_576 },
            Self::BodyTooLong { limit: 10_485_760 },
            Self::TooManyParameters { limit: 65_536 },
            Self::PairWithoutEquals {
                name: "DryRun".to_owned(),
            },
            Self::MalformedEncoding { offset: 17 },
            Self::NonAsciiQuery { offset: 17 },
            Self::MalformedMultipart,
            Self::RepeatedParameter {
                name: "Region".to_owned(),
            },
            Self::AmbiguousParameter {
                name: "Filter.1".to_owned(),
            },
            Self::RepeatedHeader {
                name: "host".to_owned(),
            },
            Self::MalformedHost,
            Self::MalformedContentType,
            Self::BodyUnseen,
            Self::BodyCutOff,
            Self::MissingParameter { name: "Timestamp" },
            Self::InvalidAuthorization {
                fault: AuthorizationFault::Service,
            },
            Self::InvalidParameter {
                name: "Nonce",
                expected: Expected::Unsigned,
            },
            Self::TimestampOutsideWindow {
                timestamp: 1_465_185_768,
                now: 1_767_225_600,
                window: 300,
            },
            Self::SecretIdUnknown,
            Self::SecretIdDisabled,
            Self::TokenMissing,
            Self::TokenWrong,
            Self::TokenExpired {
                expired_at: UnixTime::from_seconds(1_767_225_600),
            },
            Self::TokenUnexpected,
            Self::SignatureMismatch,
            Self::ScopeDateMismatch {
                expected: "2026-01-01".to_owned(),
            },
            Self::NonceRepeated,
            Self::NonceBeforeMemory,
            Self::NonceShareExhausted,
            Self::AccountBanned,
            Self::AccountNotInAudience,
            Self::MfaFailed,
            Self::ActionUnknown { action: action() },
            Self::ActionUnavailable { action: action() },
            Self::ActionDenied { action: action() },
            Self::ResourceDenied {
                resource: resource(),
            },
            Self::ActionResourceDenied {
                action: action(),
                resource: resource(),
            },
            Self::RateExceeded {
                limit: 5,
                period: 1,
                retry_after_millis: 200,
            },
            Self::QuotaExhausted {
                limit: 10_000,
                resets_at: UnixTime::from_seconds(1_767_312_000),
            },
            Self::StoreFailed {
                store: Store::Credentials,
            },
            Self::StoreFailed {
                store: Store::Nonces,
            },
            Self::StoreFailed {
                store: Store::Permissions,
            },
            Self::StoreFailed {
                store: Store::Quotas,
            },
            Self::ResourceOperationFailed {
                detail: "the disk is attached to another instance".to_owned(),
            },
            Self::BackendFailed,
        ]
    }
}

/// What a store keeps, and so which question went unanswered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Store {
    /// [`CredentialStore`](crate::store::CredentialStore).
    Credentials,
    /// [`NonceStore`](crate::store::NonceStore), also when the whole store is full.
    Nonces,
    /// [`PermissionStore`](crate::store::PermissionStore).
    Permissions,
    /// [`QuotaStore`](crate::store::QuotaStore).
    Quotas,
}

/// What the type of a common parameter allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// Whole seconds since 1970 in decimal digits, without sign, blank, fraction or leading zero.
    Seconds,
    /// A whole number from 0 to 2^64−1 in at most 20 decimal digits.
    Unsigned,
    /// UTF-8 text of at most 256 bytes.
    ShortText,
    /// One action: ASCII letters, digits and `_`, at most 256 of them.
    Action,
    /// One date such as `2017-03-12`.
    Version,
    /// One region such as `ap-guangzhou`: ASCII letters, digits, `-` and `_`, at most 256 of them.
    Region,
    /// One language tag such as `zh-CN`: ASCII letters, digits and `-`, at most 256 of them.
    Language,
}

/// What is wrong with an `Authorization` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthorizationFault {
    /// It is absent although `X-TC-Action` says that the request is signed with TC3.
    Absent,
    /// It does not begin with `TC3-HMAC-SHA256`.
    Algorithm,
    /// It is not a list of `name=value` parts, or is spelled in a way that the strict policy refuses.
    Spelling,
    /// `Credential`, `SignedHeaders` or `Signature` is absent.
    PartMissing {
        /// Which.
        part: &'static str,
    },
    /// A part occurs twice.
    PartRepeated {
        /// Which.
        part: &'static str,
    },
    /// The credential has not the four parts `<SecretId>/<Date>/<Service>/tc3_request`.
    Scope,
    /// The credential has no SecretId.
    SecretId,
    /// The credential has no date.
    Date,
    /// The service in the credential scope is not the one that the request went to.
    Service,
    /// The credential scope does not end in `tc3_request`.
    Terminator,
    /// `SignedHeaders` lists no `content-type` or no `host`.
    HeaderNotSigned {
        /// Which.
        header: &'static str,
    },
    /// `SignedHeaders` holds an empty name, a name twice or, under the strict policy, names out of order.
    SignedHeaders,
    /// A header in `SignedHeaders` arrived twice with different values.
    SignedHeaderRepeated,
    /// A header in `SignedHeaders` did not arrive.
    SignedHeaderAbsent,
}
