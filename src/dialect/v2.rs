//! The codes of legacy API v2 with `Version`: the rows of the vendor's page of common errors (common-errors.md; protocol.md
//! §5.1, §5.2).

use super::Code;
use crate::reason::{Reason, Store};

pub(super) fn code(reason: &Reason) -> Code {
    Code::named(match reason {
        // Row 13.
        Reason::PlainHttp => "InvalidRequest.UnsupportedProtocol",
        // Row 1; method, size, form and a TC3 header have no code of their own (protocol.md §5.1).
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
        | Reason::InvalidParameter { .. } => "InvalidParameter",
        // Row 12, which is both.
        Reason::TimestampOutsideWindow { .. }
        | Reason::NonceRepeated
        | Reason::NonceBeforeMemory => "InvalidRequest.ReplayAttack",
        // Row 6.
        Reason::SecretIdUnknown | Reason::SecretIdDisabled => "InvalidParameter.SecretIdNotFound",
        // Row 7.
        Reason::TokenMissing
        | Reason::TokenWrong
        | Reason::TokenExpired { .. }
        | Reason::TokenUnexpected => "InvalidRequest.TokenCheckFailed",
        // Row 2.
        Reason::SignatureMismatch | Reason::ScopeDateMismatch { .. } => {
            "InvalidParameter.SignatureFailure"
        }
        // Row 10.
        Reason::AccountBanned | Reason::AccountNotInAudience => "InvalidRequest.Forbidden",
        // Row 8.
        Reason::MfaFailed => "InvalidRequest.MFACheckFailed",
        // Row 16.
        Reason::ActionUnknown { .. } => "InvalidAction.NotFound",
        // Row 17.
        Reason::ActionUnavailable { .. } => "InvalidAction.ActionUnavailable",
        // Rows 3, 4 and 5, told apart by the message.
        Reason::ActionDenied { .. }
        | Reason::ResourceDenied { .. }
        | Reason::ActionResourceDenied { .. } => "AuthFailure",
        // Row 18; a key that fills its share of the nonces sends too fast.
        Reason::RateExceeded { .. } | Reason::NonceShareExhausted => {
            "InvalidRequest.RequestConcurrencyExceeded"
        }
        // Row 11.
        Reason::QuotaExhausted { .. } => "InvalidRequest.LimitExceeded",
        // Row 9.
        Reason::StoreFailed {
            store: Store::Permissions,
        } => "InternalError.CAMInnerError",
        // Row 14.
        Reason::ResourceOperationFailed { .. } => "InternalError.ResourceOpFailed",
        // Row 15.
        Reason::StoreFailed {
            store: Store::Credentials | Store::Nonces | Store::Quotas,
        }
        | Reason::BackendFailed => "InternalError",
    })
}
