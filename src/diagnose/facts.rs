//! What a refusal says by itself, before any guess: state of the credential, distance and shape of the time, form of the
//! request.

use crate::diagnosis::{Finding, Mistake, shown};
use crate::reason::{AuthorizationFault, Reason};
use crate::request::RequestView;
use crate::store::Credential;

/// Timestamps of the vendor's documentation, which samples and their readers leave in.
const EXAMPLES: [i64; 7] = [
    1_465_185_768,
    1_408_704_141,
    1_539_084_154,
    1_551_113_065,
    1_512_393_162,
    1_640_995_200,
    1_527_672_334,
];

fn fact(mistake: Mistake, detail: impl Into<String>) -> Vec<Finding> {
    vec![Finding::new(mistake, detail)]
}

/// The mistake that a reason states. Reasons that leave the cause open yield none.
pub(super) fn of_reason(reason: &Reason, request: &RequestView<'_>) -> Vec<Finding> {
    match reason {
        Reason::PlainHttp => fact(Mistake::PlainHttp, ""),
        Reason::MethodNotAllowed => fact(Mistake::MethodUnsupported, shown(request.method())),
        Reason::QueryTooLong { limit } | Reason::BodyTooLong { limit } => {
            fact(Mistake::BodyTooLarge, format!("the limit is {limit} bytes"))
        }
        Reason::FormTooLong { limit } => fact(
            Mistake::BodyTooLarge,
            format!("a form may have {limit} bytes; TC3-HMAC-SHA256 takes larger bodies"),
        ),
        Reason::TooManyParameters { limit } => {
            fact(Mistake::BodyTooLarge, format!("at most {limit} parameters"))
        }
        Reason::PairWithoutEquals { name } if name.is_empty() => fact(
            Mistake::ValuelessParameter,
            "an `&` has nothing before or after it",
        ),
        Reason::PairWithoutEquals { name } => {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
            if name.chars().all(plain) {
                fact(
                    Mistake::ValuelessParameter,
                    format!("`{}` has no `=`", shown(name.as_bytes())),
                )
            } else {
                fact(
                    Mistake::UnencodedCharacter,
                    format!(
                        "`{}` stands alone: it follows a `&` that belongs to a value",
                        shown(name.as_bytes())
                    ),
                )
            }
        }
        Reason::MalformedEncoding { offset } => fact(
            Mistake::UnencodedCharacter,
            format!("the `%` at byte {offset}"),
        ),
        Reason::NonAsciiQuery { offset } => fact(
            Mistake::UnencodedCharacter,
            format!(
                "byte {offset} of the query is not ASCII; browsers encode it silently, programs do not"
            ),
        ),
        Reason::MalformedMultipart => fact(Mistake::MalformedBody, ""),
        Reason::RepeatedParameter { name } => fact(
            Mistake::DuplicateParameter,
            format!("parameter `{}`", shown(name.as_bytes())),
        ),
        Reason::RepeatedHeader { name } => fact(
            Mistake::DuplicateParameter,
            format!("header `{}`", shown(name.as_bytes())),
        ),
        Reason::MalformedHost => fact(
            Mistake::HostDecorated,
            format!("`{}`", shown(request.host())),
        ),
        Reason::MalformedContentType => fact(Mistake::InvalidValue, "`Content-Type`"),
        Reason::AmbiguousParameter { name } => fact(
            Mistake::AmbiguousNames,
            format!("`{}`", shown(name.as_bytes())),
        ),
        Reason::MissingParameter { name: "SecretId" } => fact(Mistake::SecretIdEmpty, ""),
        Reason::MissingParameter { name } => {
            let elsewhere = request.method() == b"POST"
                && request
                    .query()
                    .split(|&byte| byte == b'&')
                    .any(|piece| piece.starts_with(&[name.as_bytes(), b"="].concat()));
            fact(
                Mistake::MissingParameter,
                if elsewhere {
                    format!("`{name}` is in the query, and a POST is read from its body")
                } else {
                    format!("`{name}` was not sent or is empty")
                },
            )
        }
        Reason::InvalidAuthorization { fault } => match fault {
            AuthorizationFault::Service => fact(
                Mistake::ScopeService,
                format!("the request went to `{}`", shown(request.host())),
            ),
            AuthorizationFault::SecretId => fact(Mistake::SecretIdEmpty, ""),
            AuthorizationFault::HeaderNotSigned { header } => {
                fact(Mistake::HeaderSet, format!("`{header}` must be signed"))
            }
            AuthorizationFault::SignedHeaders => fact(
                Mistake::HeaderSet,
                "a name is empty, occurs twice, or is out of order",
            ),
            AuthorizationFault::SignedHeaderAbsent => fact(
                Mistake::HeaderSet,
                "a signed header did not arrive; a proxy may have removed it",
            ),
            AuthorizationFault::SignedHeaderRepeated => fact(
                Mistake::HeaderSet,
                "a signed header arrived twice with different values",
            ),
            AuthorizationFault::Absent
            | AuthorizationFault::Algorithm
            | AuthorizationFault::Spelling
            | AuthorizationFault::PartMissing { .. }
            | AuthorizationFault::PartRepeated { .. }
            | AuthorizationFault::Scope
            | AuthorizationFault::Date
            | AuthorizationFault::Terminator => fact(Mistake::AuthorizationUnreadable, ""),
        },
        Reason::InvalidParameter {
            name: "Timestamp" | "X-TC-Timestamp",
            ..
        } => fact(Mistake::TimestampMalformed, ""),
        Reason::InvalidParameter { name, .. } => fact(Mistake::InvalidValue, format!("`{name}`")),
        Reason::TimestampOutsideWindow {
            timestamp,
            now,
            window,
        } => time(*timestamp, *now, *window),
        Reason::TokenMissing => fact(Mistake::TokenMissing, ""),
        Reason::TokenWrong => fact(Mistake::TokenWrong, ""),
        Reason::TokenExpired { expired_at } => fact(
            Mistake::TokenExpired,
            format!("it expired at {}", expired_at.seconds()),
        ),
        Reason::TokenUnexpected => fact(Mistake::TokenWithPermanentKey, ""),
        Reason::ScopeDateMismatch { expected } => fact(
            Mistake::ScopeDate,
            format!("the UTC date of the timestamp is {expected}"),
        ),
        Reason::NonceRepeated => fact(Mistake::NonceReused, ""),
        Reason::AccountBanned
        | Reason::AccountNotInAudience
        | Reason::MfaFailed
        | Reason::ActionDenied { .. }
        | Reason::ResourceDenied { .. }
        | Reason::ActionResourceDenied { .. } => fact(Mistake::NotPermitted, ""),
        Reason::ActionUnknown { action } | Reason::ActionUnavailable { action } => fact(
            Mistake::ActionWrong,
            format!("`{}`", shown(action.as_bytes())),
        ),
        Reason::NonceShareExhausted
        | Reason::RateExceeded { .. }
        | Reason::QuotaExhausted { .. } => fact(Mistake::LimitReached, ""),
        Reason::BodyUnseen
        | Reason::BodyCutOff
        | Reason::NonceBeforeMemory
        | Reason::SecretIdUnknown
        | Reason::SecretIdDisabled
        | Reason::SignatureMismatch
        | Reason::StoreFailed { .. }
        | Reason::ResourceOperationFailed { .. }
        | Reason::BackendFailed => Vec::new(),
    }
}

fn time(timestamp: i64, now: i64, window: i64) -> Vec<Finding> {
    let distance = now.abs_diff(timestamp);
    let side = if timestamp < now {
        "behind"
    } else {
        "ahead of"
    };
    let detail = format!(
        "the timestamp {timestamp} is {distance} s {side} the server's clock {now}; {window} s are allowed"
    );
    if EXAMPLES.contains(&timestamp) {
        return fact(Mistake::TimestampExample, detail);
    }
    let in_seconds = timestamp.div_euclid(1000);
    if timestamp > 100_000_000_000 && in_seconds.abs_diff(now) < 86_400 * 366 {
        return fact(
            Mistake::TimestampMilliseconds,
            format!("{timestamp} has thirteen digits"),
        );
    }
    // Local time read as UTC is ahead by the offset of the zone: between -12 and +14 hours, in quarters.
    const QUARTER: i64 = 900;
    let ahead = timestamp.saturating_sub(now);
    let quarters = ahead.saturating_add(QUARTER / 2).div_euclid(QUARTER);
    let whole = quarters.saturating_mul(QUARTER);
    let zone = (-48..=56).contains(&quarters) && quarters.abs() >= 4 && quarters.rem_euclid(2) == 0;
    if zone && ahead.abs_diff(whole) <= 30 {
        let hours = whole.div_euclid(1800);
        let (hours, half) = (hours.div_euclid(2), hours.rem_euclid(2) == 1);
        let half = if half { " and a half" } else { "" };
        return fact(
            Mistake::TimestampLocalTimezone,
            format!("{detail}: {hours:+}{half} h, the offset of a time zone"),
        );
    }
    fact(Mistake::ClockSkew, detail)
}

/// What an unknown SecretId looks like, given the credentials that are known.
pub(super) fn of_unknown_id(sent: &str, known: &[Credential]) -> Vec<Finding> {
    let is_key = |credential: &&Credential| credential.key().is(sent.as_bytes());
    if let Some(owner) = known.iter().find(is_key) {
        return fact(
            Mistake::IdAndKeySwapped,
            format!(
                "the SecretId sent is the secret key of {}",
                owner.secret_id()
            ),
        );
    }
    let bare = sent.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '\u{feff}' | '\u{200b}')
    });
    if bare != sent
        && known
            .iter()
            .any(|credential| credential.secret_id() == bare)
    {
        return fact(Mistake::SecretIdWhitespace, "");
    }
    if !sent.is_empty() && sent.bytes().all(|byte| byte.is_ascii_digit()) {
        return fact(Mistake::WrongCredentialType, "it consists of digits only");
    }
    Vec::new()
}
