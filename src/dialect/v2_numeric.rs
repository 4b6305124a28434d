//! The codes of legacy API v2 without `Version`: number and `codeDesc` (protocol.md §5.2, the newer generation of the table).
//!
//! `codeDesc` is what was observed, else the last segment of the code with `Version`.

use super::Code;
use crate::reason::{Reason, Store};

pub(super) fn code(reason: &Reason) -> Code {
    let (number, name) = match reason {
        Reason::PlainHttp => (4600, "UnsupportedProtocol"),
        // Method, size and form have no number of their own (protocol.md §4.4 steps 2 and 3).
        Reason::MethodNotAllowed
        | Reason::QueryTooLong { .. }
        | Reason::FormTooLong { .. }
        | Reason::BodyTooLong { .. }
        | Reason::TooManyParameters { .. }
        | Reason::PairWithoutEquals { .. }
        | Reason::MalformedEncoding { .. }
        | Reason::NonAsciiQuery { .. }
        | Reason::MalformedMultipart
        | Reason::RepeatedParameter { .. }
        | Reason::AmbiguousParameter { .. }
        | Reason::RepeatedHeader { .. }
        | Reason::MalformedHost
        | Reason::MalformedContentType
        | Reason::BodyUnseen
        | Reason::BodyCutOff
        | Reason::MissingParameter { .. }
        | Reason::InvalidAuthorization { .. }
        | Reason::InvalidParameter { .. } => (4000, "InvalidParameter"),
        Reason::TimestampOutsideWindow { .. }
        | Reason::NonceRepeated
        | Reason::NonceBeforeMemory => (4500, "ReplayAttack"),
        // 4100 before 2017 (protocol.md §6 row 8).
        Reason::SecretIdUnknown | Reason::SecretIdDisabled => (4104, "SecretIdNotFound"),
        Reason::TokenMissing
        | Reason::TokenWrong
        | Reason::TokenExpired { .. }
        | Reason::TokenUnexpected => (4105, "TokenCheckFailed"),
        // The only `codeDesc` ever seen with 4100 (protocol.md §6 row 7).
        Reason::SignatureMismatch | Reason::ScopeDateMismatch { .. } => (4100, "AuthFailure"),
        Reason::AccountBanned | Reason::AccountNotInAudience => (4300, "Forbidden"),
        Reason::MfaFailed => (4106, "MFACheckFailed"),
        Reason::ActionUnknown { .. } => (6100, "NotFound"),
        Reason::ActionUnavailable { .. } => (6200, "ActionUnavailable"),
        // Here common-errors.md rows 3, 4 and 5 have numbers of their own.
        Reason::ActionDenied { .. } => (4101, "AuthFailure"),
        Reason::ResourceDenied { .. } => (4102, "AuthFailure"),
        Reason::ActionResourceDenied { .. } => (4103, "AuthFailure"),
        // One number for rate and quota.
        Reason::RateExceeded { .. }
        | Reason::NonceShareExhausted
        | Reason::QuotaExhausted { .. } => (4400, "LimitExceeded"),
        Reason::StoreFailed {
            store: Store::Permissions,
        } => (4110, "CAMInnerError"),
        Reason::ResourceOperationFailed { .. } => (5100, "ResourceOpFailed"),
        Reason::StoreFailed {
            store: Store::Credentials | Store::Nonces | Store::Quotas,
        }
        | Reason::BackendFailed => (6000, "InternalError"),
    };
    Code::numbered(number, name)
}
