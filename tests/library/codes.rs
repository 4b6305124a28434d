//! The code of every reason in every dialect, written out; the rows of the vendor's page of common errors; what clients
//! read and how it is wrapped; and the page `src/manual/codes.md`, which `UPDATE_MANUAL=1` writes anew.

use std::collections::BTreeSet;

use qcloud_validator::{
    AuthorizationFault, Code, Dialect, Expected, Language, Reason, Rejection, Store, UnixTime,
};
use serde_json::{Value, json};

/// Reason, check, V2, numeric code and `codeDesc`, V3.
const CODES: [(&str, &str, &str, u16, &str, &str); 48] = [
    (
        "plain-http",
        "protocol",
        "InvalidRequest.UnsupportedProtocol",
        4600,
        "UnsupportedProtocol",
        "UnsupportedProtocol",
    ),
    (
        "method-not-allowed",
        "method",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "UnsupportedProtocol",
    ),
    (
        "query-too-long",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "RequestSizeLimitExceeded",
    ),
    (
        "form-too-long",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "AuthFailure.SignatureFailure",
    ),
    (
        "body-too-long",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "RequestSizeLimitExceeded",
    ),
    (
        "too-many-parameters",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "pair-without-equals",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "malformed-encoding",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "non-ascii-query",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "malformed-multipart",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidRequest",
    ),
    (
        "repeated-parameter",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "ambiguous-parameter",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "repeated-header",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "malformed-host",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "malformed-content-type",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "body-unseen",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "body-cut-off",
        "form",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "missing-parameter",
        "parameters",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "MissingParameter",
    ),
    (
        "invalid-authorization",
        "parameters",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "AuthFailure.InvalidAuthorization",
    ),
    (
        "invalid-parameter",
        "types",
        "InvalidParameter",
        4000,
        "InvalidParameter",
        "InvalidParameter",
    ),
    (
        "timestamp-outside-window",
        "timestamp",
        "InvalidRequest.ReplayAttack",
        4500,
        "ReplayAttack",
        "AuthFailure.SignatureExpire",
    ),
    (
        "secret-id-unknown",
        "secret-id",
        "InvalidParameter.SecretIdNotFound",
        4104,
        "SecretIdNotFound",
        "AuthFailure.SecretIdNotFound",
    ),
    (
        "secret-id-disabled",
        "secret-id",
        "InvalidParameter.SecretIdNotFound",
        4104,
        "SecretIdNotFound",
        "AuthFailure.SecretIdNotFound",
    ),
    (
        "token-missing",
        "token",
        "InvalidRequest.TokenCheckFailed",
        4105,
        "TokenCheckFailed",
        "AuthFailure.SecretIdNotFound",
    ),
    (
        "token-wrong",
        "token",
        "InvalidRequest.TokenCheckFailed",
        4105,
        "TokenCheckFailed",
        "AuthFailure.TokenFailure",
    ),
    (
        "token-expired",
        "token",
        "InvalidRequest.TokenCheckFailed",
        4105,
        "TokenCheckFailed",
        "AuthFailure.TokenFailure",
    ),
    (
        "token-unexpected",
        "token",
        "InvalidRequest.TokenCheckFailed",
        4105,
        "TokenCheckFailed",
        "AuthFailure.TokenFailure",
    ),
    (
        "signature-mismatch",
        "signature",
        "InvalidParameter.SignatureFailure",
        4100,
        "AuthFailure",
        "AuthFailure.SignatureFailure",
    ),
    (
        "scope-date-mismatch",
        "signature",
        "InvalidParameter.SignatureFailure",
        4100,
        "AuthFailure",
        "AuthFailure.SignatureFailure",
    ),
    (
        "nonce-repeated",
        "nonce",
        "InvalidRequest.ReplayAttack",
        4500,
        "ReplayAttack",
        "AuthFailure.SignatureExpire",
    ),
    (
        "nonce-before-memory",
        "nonce",
        "InvalidRequest.ReplayAttack",
        4500,
        "ReplayAttack",
        "AuthFailure.SignatureExpire",
    ),
    (
        "nonce-share-exhausted",
        "nonce",
        "InvalidRequest.RequestConcurrencyExceeded",
        4400,
        "LimitExceeded",
        "RequestLimitExceeded",
    ),
    (
        "account-banned",
        "account",
        "InvalidRequest.Forbidden",
        4300,
        "Forbidden",
        "UnauthorizedOperation",
    ),
    (
        "account-not-in-audience",
        "account",
        "InvalidRequest.Forbidden",
        4300,
        "Forbidden",
        "UnauthorizedOperation",
    ),
    (
        "mfa-failed",
        "mfa",
        "InvalidRequest.MFACheckFailed",
        4106,
        "MFACheckFailed",
        "AuthFailure.MFAFailure",
    ),
    (
        "action-unknown",
        "action",
        "InvalidAction.NotFound",
        6100,
        "NotFound",
        "InvalidAction",
    ),
    (
        "action-unavailable",
        "action",
        "InvalidAction.ActionUnavailable",
        6200,
        "ActionUnavailable",
        "ActionOffline",
    ),
    (
        "action-denied",
        "permission",
        "AuthFailure",
        4101,
        "AuthFailure",
        "AuthFailure.UnauthorizedOperation",
    ),
    (
        "resource-denied",
        "permission",
        "AuthFailure",
        4102,
        "AuthFailure",
        "AuthFailure.UnauthorizedOperation",
    ),
    (
        "action-resource-denied",
        "permission",
        "AuthFailure",
        4103,
        "AuthFailure",
        "AuthFailure.UnauthorizedOperation",
    ),
    (
        "rate-exceeded",
        "rate",
        "InvalidRequest.RequestConcurrencyExceeded",
        4400,
        "LimitExceeded",
        "RequestLimitExceeded",
    ),
    (
        "quota-exhausted",
        "quota",
        "InvalidRequest.LimitExceeded",
        4400,
        "LimitExceeded",
        "LimitExceeded",
    ),
    (
        "credential-store-failed",
        "secret-id",
        "InternalError",
        6000,
        "InternalError",
        "InternalError",
    ),
    (
        "nonce-store-failed",
        "nonce",
        "InternalError",
        6000,
        "InternalError",
        "InternalError",
    ),
    (
        "permission-store-failed",
        "account",
        "InternalError.CAMInnerError",
        4110,
        "CAMInnerError",
        "InternalError",
    ),
    (
        "quota-store-failed",
        "rate",
        "InternalError",
        6000,
        "InternalError",
        "InternalError",
    ),
    (
        "resource-operation-failed",
        "-",
        "InternalError.ResourceOpFailed",
        5100,
        "ResourceOpFailed",
        "FailedOperation",
    ),
    (
        "backend-failed",
        "-",
        "InternalError",
        6000,
        "InternalError",
        "InternalError",
    ),
];

#[test]
fn every_reason_has_its_code_in_every_dialect() {
    let found: Vec<_> = Reason::examples()
        .iter()
        .map(|reason| {
            let numeric = reason.code(Dialect::V2Numeric);
            (
                reason.id(),
                reason.check().map_or("-", |check| check.id()),
                reason.code(Dialect::V2).name(),
                numeric.number().unwrap(),
                numeric.name(),
                reason.code(Dialect::V3).name(),
            )
        })
        .collect();
    assert_eq!(found, CODES);
}

#[test]
fn every_reason_has_its_own_id() {
    let ids: BTreeSet<&str> = Reason::examples().iter().map(Reason::id).collect();
    assert_eq!(ids.len(), CODES.len());
}

#[test]
fn a_code_reads_as_its_number_or_its_name() {
    let shown = Dialect::ALL.map(|dialect| Reason::MfaFailed.code(dialect).to_string());
    assert_eq!(
        shown,
        [
            "InvalidRequest.MFACheckFailed",
            "4106",
            "AuthFailure.MFAFailure"
        ]
    );
    let numbers = Dialect::ALL.map(|dialect| Reason::MfaFailed.code(dialect).number());
    assert_eq!(numbers, [None, Some(4106), None]);
}

/// The page of common errors, row by row: code, number, and the reasons behind it.
const ROWS: [(&str, u16, &[&str]); 18] = [
    (
        "InvalidParameter",
        4000,
        &[
            "method-not-allowed",
            "query-too-long",
            "form-too-long",
            "body-too-long",
            "too-many-parameters",
            "pair-without-equals",
            "malformed-encoding",
            "non-ascii-query",
            "malformed-multipart",
            "repeated-parameter",
            "ambiguous-parameter",
            "repeated-header",
            "malformed-host",
            "malformed-content-type",
            "body-unseen",
            "body-cut-off",
            "missing-parameter",
            "invalid-authorization",
            "invalid-parameter",
        ],
    ),
    (
        "InvalidParameter.SignatureFailure",
        4100,
        &["signature-mismatch", "scope-date-mismatch"],
    ),
    ("AuthFailure", 4101, &["action-denied"]),
    ("AuthFailure", 4102, &["resource-denied"]),
    ("AuthFailure", 4103, &["action-resource-denied"]),
    (
        "InvalidParameter.SecretIdNotFound",
        4104,
        &["secret-id-unknown", "secret-id-disabled"],
    ),
    (
        "InvalidRequest.TokenCheckFailed",
        4105,
        &[
            "token-missing",
            "token-wrong",
            "token-expired",
            "token-unexpected",
        ],
    ),
    ("InvalidRequest.MFACheckFailed", 4106, &["mfa-failed"]),
    (
        "InternalError.CAMInnerError",
        4110,
        &["permission-store-failed"],
    ),
    (
        "InvalidRequest.Forbidden",
        4300,
        &["account-banned", "account-not-in-audience"],
    ),
    ("InvalidRequest.LimitExceeded", 4400, &["quota-exhausted"]),
    (
        "InvalidRequest.ReplayAttack",
        4500,
        &[
            "timestamp-outside-window",
            "nonce-repeated",
            "nonce-before-memory",
        ],
    ),
    ("InvalidRequest.UnsupportedProtocol", 4600, &["plain-http"]),
    (
        "InternalError.ResourceOpFailed",
        5100,
        &["resource-operation-failed"],
    ),
    (
        "InternalError",
        6000,
        &[
            "credential-store-failed",
            "nonce-store-failed",
            "quota-store-failed",
            "backend-failed",
        ],
    ),
    ("InvalidAction.NotFound", 6100, &["action-unknown"]),
    (
        "InvalidAction.ActionUnavailable",
        6200,
        &["action-unavailable"],
    ),
    (
        "InvalidRequest.RequestConcurrencyExceeded",
        4400,
        &["nonce-share-exhausted", "rate-exceeded"],
    ),
];

#[test]
fn every_row_of_the_common_error_page_is_some_reason() {
    for (name, number, ids) in ROWS {
        let found: Vec<&str> = Reason::examples()
            .iter()
            .filter(|reason| {
                reason.code(Dialect::V2).name() == name
                    && reason.code(Dialect::V2Numeric).number() == Some(number)
            })
            .map(Reason::id)
            .collect();
        assert_eq!(found, ids, "{name} {number}");
    }
    let listed: usize = ROWS.iter().map(|(.., ids)| ids.len()).sum();
    assert_eq!(listed, Reason::examples().len());
}

fn message(reason: &Reason, dialect: Dialect, language: Language) -> String {
    Rejection::new(reason.clone(), dialect, language).message()
}

#[test]
fn the_three_denials_differ_in_their_message() {
    for dialect in Dialect::ALL {
        for language in [Language::EnUs, Language::ZhCn] {
            let denied: BTreeSet<String> = Reason::examples()
                .iter()
                .filter(|reason| reason.code(Dialect::V2).name() == "AuthFailure")
                .map(|reason| message(reason, dialect, language))
                .collect();
            assert_eq!(denied.len(), 3);
        }
    }
}

#[test]
fn every_message_is_one_line_in_both_languages() {
    let mut reasons = Reason::examples();
    reasons.extend(FAULTS.map(|(fault, _)| Reason::InvalidAuthorization { fault }));
    reasons.extend(EXPECTATIONS.map(|(expected, _)| Reason::InvalidParameter {
        name: "Nonce",
        expected,
    }));
    for reason in reasons {
        for dialect in Dialect::ALL {
            let refused = Rejection::new(reason.clone(), dialect, Language::EnUs);
            let (english, chinese) = (refused.message(), refused.message_in(Language::ZhCn));
            assert!(english.is_ascii(), "{english}");
            assert!(english.ends_with('.'), "{english}");
            assert!(chinese.ends_with('。'), "{chinese}");
            for message in [english, chinese] {
                assert!(!message.contains(char::is_control), "{message}");
                assert!((8..600).contains(&message.len()), "{message}");
                assert!(
                    !message.contains("  ") && !message.contains(".."),
                    "{message}"
                );
            }
        }
    }
}

const FAULTS: [(AuthorizationFault, &str); 14] = [
    (
        AuthorizationFault::Absent,
        "the header is absent although `X-TC-Action` is there",
    ),
    (
        AuthorizationFault::Algorithm,
        "it must begin with `TC3-HMAC-SHA256`",
    ),
    (
        AuthorizationFault::Spelling,
        "it must read `TC3-HMAC-SHA256 Credential=<SecretId>/<Date>/<Service>/tc3_request, SignedHeaders=<names>, Signature=<hex>`",
    ),
    (
        AuthorizationFault::PartMissing {
            part: "SignedHeaders",
        },
        "`SignedHeaders` is missing",
    ),
    (
        AuthorizationFault::PartRepeated { part: "Signature" },
        "`Signature` occurs more than once",
    ),
    (
        AuthorizationFault::Scope,
        "Credential must read `<SecretId>/<Date>/<Service>/tc3_request`",
    ),
    (
        AuthorizationFault::SecretId,
        "`SecretId` in Credential not valid",
    ),
    (AuthorizationFault::Date, "`Date` in Credential not valid"),
    (
        AuthorizationFault::Service,
        "`Service` in Credential not valid",
    ),
    (
        AuthorizationFault::Terminator,
        "Credential must end in `tc3_request`",
    ),
    (
        AuthorizationFault::HeaderNotSigned { header: "host" },
        "`host` must be in SignedHeaders",
    ),
    (
        AuthorizationFault::SignedHeaders,
        "SignedHeaders must list each header once, in lower case and in order",
    ),
    (
        AuthorizationFault::SignedHeaderRepeated,
        "a header in SignedHeaders occurs more than once with different values",
    ),
    (
        AuthorizationFault::SignedHeaderAbsent,
        "a header in SignedHeaders did not arrive",
    ),
];

const EXPECTATIONS: [(Expected, &str); 7] = [
    (
        Expected::Seconds,
        "it must be the whole seconds since 1970-01-01T00:00:00Z in decimal digits, without leading zeros",
    ),
    (
        Expected::Unsigned,
        "it must be a whole number from 0 to 18446744073709551615 in at most 20 decimal digits",
    ),
    (
        Expected::ShortText,
        "it must be UTF-8 text of at most 256 bytes",
    ),
    (
        Expected::Action,
        "it must be one name of letters, digits and `_`, such as `DescribeInstances`",
    ),
    (
        Expected::Version,
        "it must be one date, such as `2017-03-12`",
    ),
    (
        Expected::Region,
        "it must be one region of letters, digits, `-` and `_`, such as `ap-guangzhou`",
    ),
    (
        Expected::Language,
        "it must be one language, such as `zh-CN` or `en-US`",
    ),
];

#[test]
fn a_message_says_what_is_wrong_with_an_authorization() {
    for (fault, says) in FAULTS {
        assert_eq!(
            message(
                &Reason::InvalidAuthorization { fault },
                Dialect::V3,
                Language::EnUs
            ),
            format!(
                "The request `Authorization` header does not conform to tencentcloud standards: {says}."
            )
        );
    }
}

#[test]
fn a_message_says_what_a_type_allows() {
    for (expected, says) in EXPECTATIONS {
        let reason = Reason::InvalidParameter {
            name: "Nonce",
            expected,
        };
        assert_eq!(
            message(&reason, Dialect::V2, Language::EnUs),
            format!("The value type of parameter `Nonce` is not valid: {says}.")
        );
    }
}

#[test]
fn a_timestamp_is_refused_with_both_clocks_and_the_window() {
    let stale = Reason::TimestampOutsideWindow {
        timestamp: 1_767_224_999,
        now: 1_767_225_600,
        window: 300,
    };
    for dialect in [Dialect::V2, Dialect::V2Numeric] {
        assert_eq!(
            message(&stale, dialect, Language::EnUs),
            "The request is rejected: its `Timestamp` 1767224999 (2025-12-31T23:49:59Z) is 601 s behind the server time 1767225600 (2026-01-01T00:00:00Z) and at most 300 s are allowed. Please synchronize the clock with NTP and sign again."
        );
    }
    assert_eq!(
        message(&stale, Dialect::V2Numeric, Language::ZhCn),
        "请求被拒绝，请求重复, 请注意 Nonce 参数两次请求不能重复, Timestamp 与腾讯服务器相差不能超过 300 秒, 腾讯服务器 Timestamp = 1767225600。本次原因：请求的 Timestamp 1767224999 (2025-12-31T23:49:59Z) 比服务器时间 1767225600 (2026-01-01T00:00:00Z) 早 601 秒，请通过 NTP 同步时钟后重新签名。"
    );
    let early = Reason::TimestampOutsideWindow {
        timestamp: 1_767_225_901,
        now: 1_767_225_600,
        window: 300,
    };
    assert_eq!(
        message(&early, Dialect::V3, Language::EnUs),
        "Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between `Timestamp` and the server time 1767225600 (2026-01-01T00:00:00Z). The request says 1767225901 (2026-01-01T00:05:01Z), which is 301 s ahead of the server; at most 300 s are allowed."
    );
    assert_eq!(
        message(&early, Dialect::V3, Language::ZhCn),
        "签名过期，请使用本地时间并开启 NTP 服务进行时间同步，避免 `Timestamp` 与服务器时间 1767225600 (2026-01-01T00:00:00Z) 存在偏差。请求中为 1767225901 (2026-01-01T00:05:01Z)，比服务器晚 301 秒，最多允许相差 300 秒。"
    );
    let milliseconds = Reason::TimestampOutsideWindow {
        timestamp: 1_767_225_600_123,
        now: 1_767_225_600,
        window: 300,
    };
    for dialect in Dialect::ALL {
        let english = message(&milliseconds, dialect, Language::EnUs);
        assert!(english.ends_with(" It looks like milliseconds; send seconds."));
        let chinese = message(&milliseconds, dialect, Language::ZhCn);
        assert!(chinese.ends_with("该值疑似毫秒，请改用秒。"));
    }
    for timestamp in [i64::MIN, -1, 0, i64::MAX] {
        for now in [i64::MIN, 0, i64::MAX] {
            let far = Reason::TimestampOutsideWindow {
                timestamp,
                now,
                window: 300,
            };
            let text = message(&far, Dialect::V3, Language::EnUs);
            assert!(
                text.contains(&format!("{} s ", now.abs_diff(timestamp))),
                "{text}"
            );
        }
    }
}

#[test]
fn messages_state_the_facts() {
    use Dialect::{V2, V2Numeric, V3};
    use Language::{EnUs, ZhCn};

    let missing = Reason::MissingParameter { name: "Timestamp" };
    let rate = Reason::RateExceeded {
        limit: 5,
        period: 1,
        retry_after_millis: 200,
    };
    let quota = Reason::QuotaExhausted {
        limit: 10_000,
        resets_at: UnixTime::from_seconds(1_767_312_000),
    };
    let expired = Reason::TokenExpired {
        expired_at: UnixTime::from_seconds(1_767_225_600),
    };
    let both = Reason::ActionResourceDenied {
        action: "StopInstances".to_owned(),
        resource: "ins-1".to_owned(),
    };
    let failed = |detail: &str| Reason::ResourceOperationFailed {
        detail: detail.to_owned(),
    };
    let store = |store| Reason::StoreFailed { store };
    let internal = "An internal error has occurred. Retry your request, but if the problem persists, contact us.";
    let cases = [
        (
            missing.clone(),
            V3,
            EnUs,
            "The request is missing a required parameter `Timestamp`.",
        ),
        (
            missing,
            V2Numeric,
            ZhCn,
            "请求失败，参数[Timestamp]不能为空。",
        ),
        (
            Reason::PairWithoutEquals {
                name: "DryRun".to_owned(),
            },
            V3,
            EnUs,
            "Url key and value should be splited by `=`. `DryRun` has no `=`; encode `&` inside a value as `%26`.",
        ),
        (
            Reason::FormTooLong { limit: 1_048_576 },
            V3,
            ZhCn,
            "由于请求包大小超过限制，请求签名验证失败，请使用新的签名方法 `TC3-HMAC-SHA256`。限制为 1048576 字节。",
        ),
        (
            Reason::SignatureMismatch,
            V2Numeric,
            ZhCn,
            "身份认证失败，用户身份验证失败。签名与请求不符，请检查您的签名计算是否正确。",
        ),
        (
            Reason::ScopeDateMismatch {
                expected: "2026-01-01".to_owned(),
            },
            V3,
            EnUs,
            "The provided credentials could not be validated. Please check your signature is correct. The date in `Credential` must be the UTC date of `X-TC-Timestamp`, 2026-01-01.",
        ),
        (
            expired,
            V2,
            EnUs,
            "Token verification failed: the Token expired at 1767225600 (2026-01-01T00:00:00Z). Request a new temporary key.",
        ),
        (
            both,
            V3,
            ZhCn,
            "操作未授权，请检查CAM策略。账号未被授权对资源 `ins-1` 调用接口 `StopInstances`。",
        ),
        (
            rate,
            V3,
            EnUs,
            "The frequency limit of `5` requests in 1 s is exceeded. Please reduce the frequency of calls; retry in 200 ms.",
        ),
        (
            quota,
            V2,
            EnUs,
            "The quota of `10000` requests is used up; it is full again at 1767312000 (2026-01-02T00:00:00Z).",
        ),
        (
            Reason::NonceBeforeMemory,
            V2,
            EnUs,
            "The request is rejected: the server has been restarted and cannot tell whether a request with this `Timestamp` was used before. Sign it anew with the current time; if that is rejected too, retry later.",
        ),
        (
            Reason::NonceBeforeMemory,
            V3,
            EnUs,
            "Signature expired: the server has been restarted and cannot tell whether a request with this timestamp was used before. Sign it anew with the current time; if that is rejected too, retry later.",
        ),
        (
            Reason::NonceBeforeMemory,
            V2Numeric,
            ZhCn,
            "请求被拒绝：服务器已重新启动，无法判断具有该 `Timestamp` 的请求此前是否已被使用。请用当前时间重新签名；如仍被拒绝，请稍后重试。",
        ),
        (
            Reason::NonceBeforeMemory,
            V3,
            ZhCn,
            "签名过期：服务器已重新启动，无法判断具有该时间戳的请求此前是否已被使用。请用当前时间重新签名；如仍被拒绝，请稍后重试。",
        ),
        (store(Store::Nonces), V2, EnUs, internal),
        (Reason::BackendFailed, V3, EnUs, internal),
        (
            store(Store::Permissions),
            V2,
            EnUs,
            "The access management check could not be completed. Retry your request, but if the problem persists, contact us.",
        ),
        (
            failed("the disk is in use."),
            V2,
            EnUs,
            "The operation on the resource failed: the disk is in use.",
        ),
        (
            failed("云硬盘正在使用。"),
            V2,
            ZhCn,
            "资源操作失败：云硬盘正在使用。",
        ),
    ];
    for (reason, dialect, language, text) in cases {
        assert_eq!(message(&reason, dialect, language), text);
    }
}

#[test]
fn what_a_client_names_is_bounded_and_on_one_line() {
    let named = |name: &str| {
        let reason = Reason::ActionUnknown {
            action: name.to_owned(),
        };
        message(&reason, Dialect::V3, Language::EnUs)
    };
    assert_eq!(
        named(&"默".repeat(1_000_000)),
        format!(
            "The request action=`{}…` is invalid or not found; check its name, the version and the domain.",
            "默".repeat(128)
        )
    );
    assert!(named("a\r\nSet-Cookie: b\u{202e}").contains(r"`a\r\nSet-Cookie: b\u{202e}`"));
}

#[test]
fn envelopes_to_the_byte() {
    let refused = |dialect, language| Rejection::new(Reason::SignatureMismatch, dialect, language);
    assert_eq!(
        refused(Dialect::V2, Language::EnUs).response("id-1"),
        r#"{"Response":{"Error":{"Code":"InvalidParameter.SignatureFailure","Message":"The provided credentials could not be validated. Please check your signature is correct."},"RequestId":"id-1"}}"#
    );
    assert_eq!(
        refused(Dialect::V3, Language::ZhCn).response("id-1"),
        r#"{"Response":{"Error":{"Code":"AuthFailure.SignatureFailure","Message":"请求签名验证失败，请检查您的签名计算是否正确。"},"RequestId":"id-1"}}"#
    );
    assert_eq!(
        refused(Dialect::V2Numeric, Language::EnUs).response("id-1"),
        r#"{"code":4100,"message":"Authentication failed. Please refer to the Authentication section in the document. The signature does not fit the request.","codeDesc":"AuthFailure"}"#
    );
    let banned = Rejection::new(Reason::AccountBanned, Dialect::V2Numeric, Language::ZhCn);
    assert_eq!(
        banned.response("id-1"),
        r#"{"code":4300,"message":"\u8d26\u53f7\u5df2\u88ab\u5c01\u7981\uff0c\u8bf7\u8054\u7cfb\u670d\u52a1\u63d0\u4f9b\u65b9\u3002","codeDesc":"Forbidden"}"#
    );
}

#[test]
fn every_refusal_travels_as_json_under_200() {
    for reason in Reason::examples() {
        for dialect in Dialect::ALL {
            for language in [Language::EnUs, Language::ZhCn] {
                let refused = Rejection::new(reason.clone(), dialect, language);
                let code: Code = refused.code();
                let expected = match code.number() {
                    Some(number) => {
                        json!({"code": number, "message": refused.message(), "codeDesc": code.name()})
                    }
                    None => {
                        json!({"Response": {"Error": {"Code": code.name(), "Message": refused.message()}, "RequestId": "id-1"}})
                    }
                };
                let body: Value = serde_json::from_str(&refused.response("id-1")).unwrap();
                assert_eq!(body, expected);
                assert_eq!(refused.http_status(), 200);
                assert_eq!(refused.content_type(), "application/json");
            }
        }
    }
}

#[test]
fn whatever_is_sent_the_envelope_holds() {
    for text in [
        "\"}],\"Response\":{",
        "\u{0}\u{1f}\u{7f}\u{2028}\u{2029}",
        "\\u0000\\",
        "默\u{1f600}\u{10ffff}",
        "\r\nSet-Cookie: a=b",
    ] {
        for dialect in Dialect::ALL {
            let reason = Reason::RepeatedParameter {
                name: text.to_owned(),
            };
            let refused = Rejection::new(reason, dialect, Language::EnUs);
            let body = refused.response(text);
            assert!(!body.contains(char::is_control), "{body}");
            let read: Value = serde_json::from_str(&body).unwrap();
            let (said, id) = match dialect {
                Dialect::V2Numeric => (&read["message"], None),
                _ => {
                    let response = &read["Response"];
                    (
                        &response["Error"]["Message"],
                        response["RequestId"].as_str(),
                    )
                }
            };
            assert_eq!(said.as_str(), Some(refused.message().as_str()));
            assert_eq!(id.unwrap_or(text), text);
        }
    }
}

#[test]
fn a_new_request_id_is_a_lower_case_uuid_each_time() {
    let refused = Rejection::new(Reason::BackendFailed, Dialect::V3, Language::EnUs);
    let (one, other) = (refused.respond(), refused.respond());
    assert_ne!(one.request_id(), other.request_id());
    for response in [one, other] {
        let id = response.request_id().to_owned();
        let groups: Vec<&str> = id.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
        assert!(groups[2].starts_with('4'), "{id}");
        assert!(
            id.chars()
                .all(|digit| matches!(digit, '0'..='9' | 'a'..='f' | '-')),
            "{id}"
        );
        assert_eq!(response.body(), refused.response(&id));
        assert_eq!(response.into_body(), refused.response(&id));
    }
}

const MANUAL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual/codes.md");

fn manual() -> String {
    let mut page = String::from(
        "# The codes of every reason\n\
        \n\
        Generated from the code, and a test keeps the two equal: `UPDATE_MANUAL=1 cargo test --test library codes` writes it anew.\n\
        \n\
        What a client is told, by reason and dialect, in the order of the checks. The numeric dialect sends a number and a\n\
        `codeDesc`. The message is the English one of `v2` with the facts of an example; in the other dialects it begins\n\
        with the vendor's text where that is another one. A reason without a check is reported by the backend.\n\
        \n\
        | Reason | Check | v2 | v2-numeric | v3 | Message |\n\
        |---|---|---|---|---|---|\n",
    );
    for reason in Reason::examples() {
        let numeric = reason.code(Dialect::V2Numeric);
        let cells = [
            format!("`{}`", reason.id()),
            reason
                .check()
                .map_or_else(|| "–".to_owned(), |check| format!("`{check}`")),
            format!("`{}`", reason.code(Dialect::V2)),
            format!("{numeric} `{}`", numeric.name()),
            format!("`{}`", reason.code(Dialect::V3)),
            message(&reason, Dialect::V2, Language::EnUs),
        ];
        assert!(cells.iter().all(|cell| !cell.contains('|')), "{cells:?}");
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    page
}

#[test]
fn the_manual_lists_the_same_codes() {
    let page = manual();
    if std::env::var_os("UPDATE_MANUAL").is_some() {
        std::fs::write(MANUAL, &page).unwrap();
    }
    let written = std::fs::read_to_string(MANUAL).unwrap();
    assert!(
        written == page,
        "src/manual/codes.md is out of date; run UPDATE_MANUAL=1 cargo test --test library codes"
    );
}
