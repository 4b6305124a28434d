//! The codes of API 3.0, both signatures (protocol.md §5.2, §5.3).

use super::Code;
use crate::reason::{Expected, Reason, Store};

pub(super) fn code(reason: &Reason) -> Code {
    Code::named(match reason {
        // Here the name stands for the method; the list has no other code for plain HTTP (protocol.md §0 fact 5).
        Reason::PlainHttp | Reason::MethodNotAllowed => "UnsupportedProtocol",
        Reason::QueryTooLong { .. } | Reason::BodyTooLong { .. } => "RequestSizeLimitExceeded",
        // Observed for signature v1 above 1 MB (protocol.md §0 fact 8).
        Reason::FormTooLong { .. } => "AuthFailure.SignatureFailure",
        // Observed for a piece without `=` (protocol.md §4.4 step 3); the others are like it.
        Reason::TooManyParameters { .. }
        | Reason::PairWithoutEquals { .. }
        | Reason::MalformedEncoding { .. }
        | Reason::NonAsciiQuery { .. }
        | Reason::RepeatedParameter { .. }
        | Reason::AmbiguousParameter { .. }
        | Reason::RepeatedHeader { .. }
        | Reason::MalformedHost
        | Reason::MalformedContentType
        | Reason::BodyUnseen
        | Reason::BodyCutOff
        | Reason::InvalidParameter {
            expected:
                Expected::Seconds
                | Expected::Unsigned
                | Expected::ShortText
                | Expected::Action
                | Expected::Version
                | Expected::Region
                | Expected::Language,
            ..
        } => "InvalidParameter",
        Reason::MalformedMultipart => "InvalidRequest",
        Reason::MissingParameter { .. } => "MissingParameter",
        // Observed for a wrong service (protocol.md §0 fact 9, §6 rows 18 and 19).
        Reason::InvalidAuthorization { .. } => "AuthFailure.InvalidAuthorization",
        // The list has no code for a nonce; where the policy remembers them the nearest one serves.
        Reason::TimestampOutsideWindow { .. }
        | Reason::NonceRepeated
        | Reason::NonceBeforeMemory => "AuthFailure.SignatureExpire",
        // A temporary key without its token is not found, says the vendor's help page on these codes.
        Reason::SecretIdUnknown | Reason::SecretIdDisabled | Reason::TokenMissing => {
            "AuthFailure.SecretIdNotFound"
        }
        Reason::TokenWrong | Reason::TokenExpired { .. } | Reason::TokenUnexpected => {
            "AuthFailure.TokenFailure"
        }
        // Observed for a wrong date (protocol.md §0 fact 9).
        Reason::SignatureMismatch | Reason::ScopeDateMismatch { .. } => {
            "AuthFailure.SignatureFailure"
        }
        Reason::AccountBanned | Reason::AccountNotInAudience => "UnauthorizedOperation",
        Reason::MfaFailed => "AuthFailure.MFAFailure",
        Reason::ActionUnknown { .. } => "InvalidAction",
        Reason::ActionUnavailable { .. } => "ActionOffline",
        Reason::ActionDenied { .. }
        | Reason::ResourceDenied { .. }
        | Reason::ActionResourceDenied { .. } => "AuthFailure.UnauthorizedOperation",
        Reason::RateExceeded { .. } | Reason::NonceShareExhausted => "RequestLimitExceeded",
        Reason::QuotaExhausted { .. } => "LimitExceeded",
        Reason::ResourceOperationFailed { .. } => "FailedOperation",
        // The list has no code for access management.
        Reason::StoreFailed {
            store: Store::Credentials | Store::Nonces | Store::Permissions | Store::Quotas,
        }
        | Reason::BackendFailed => "InternalError",
    })
}
