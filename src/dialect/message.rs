//! What a client reads about a refusal: one line that says what is wrong and what to do, and nothing secret.
//!
//! Where the vendor's text is known (protocol.md §5.4) the line begins with it, since clients search for it; the facts of
//! this request follow.

use crate::reason::{AuthorizationFault, Expected, Reason, Store};
use crate::scheme::{Dialect, Language};

/// Formats one of two texts; both take their facts from the variables around them.
macro_rules! say {
    ($language:expr, $english:literal, $chinese:literal $(,)?) => {
        match $language {
            Language::EnUs => format!($english),
            Language::ZhCn => format!($chinese),
        }
    };
}

/// The line in this language. The dialect matters where the vendor's texts differ.
pub(crate) fn message(reason: &Reason, dialect: Dialect, language: Language) -> String {
    match reason {
        Reason::PlainHttp => say!(
            language,
            "Only HTTPS is supported and the request came over HTTP; send it over HTTPS.",
            "协议不支持，请参考文档说明。本次请求使用了 HTTP，请改用 HTTPS。",
        ),
        Reason::MethodNotAllowed => say!(
            language,
            "The request method is not supported; use GET or POST.",
            "请求方法不支持，请使用 GET 或 POST。",
        ),

        Reason::QueryTooLong { limit } => say!(
            language,
            "The query string exceeds {limit} bytes; send the parameters in the body of a POST.",
            "查询字符串超过 {limit} 字节，请改用 POST 请求体发送参数。",
        ),
        Reason::FormTooLong { limit } => match dialect {
            Dialect::V3 => say!(
                language,
                "The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`. The limit is {limit} bytes.",
                "由于请求包大小超过限制，请求签名验证失败，请使用新的签名方法 `TC3-HMAC-SHA256`。限制为 {limit} 字节。",
            ),
            Dialect::V2 | Dialect::V2Numeric => body_too_long(*limit, language),
        },
        Reason::BodyTooLong { limit } => body_too_long(*limit, language),
        Reason::TooManyParameters { limit } => say!(
            language,
            "The request has more than {limit} parameters; split it into several requests.",
            "请求参数超过 {limit} 个，请拆分为多个请求。",
        ),
        Reason::PairWithoutEquals { name } if name.is_empty() => say!(
            language,
            "Url key and value should be splited by `=`. An `&` has nothing before or after it; remove it.",
            "请求参数的键和值应以 `=` 分隔。某个 `&` 的前面或后面没有参数，请将其删除。",
        ),
        Reason::PairWithoutEquals { name } => {
            let name = shown(name, NAME);
            say!(
                language,
                "Url key and value should be splited by `=`. `{name}` has no `=`; encode `&` inside a value as `%26`.",
                "请求参数的键和值应以 `=` 分隔。`{name}` 缺少 `=`，值中的 `&` 应编码为 `%26`。",
            )
        }
        Reason::MalformedEncoding { offset } => say!(
            language,
            "The `%` at byte offset {offset} of the parameters is not followed by two hexadecimal digits; encode `%` itself as `%25`.",
            "请求参数字节偏移 {offset} 处的 `%` 之后不是两位十六进制数字，`%` 本身应编码为 `%25`。",
        ),
        Reason::NonAsciiQuery { offset } => say!(
            language,
            "The byte at offset {offset} of the query string is not ASCII; percent-encode values as UTF-8.",
            "查询字符串字节偏移 {offset} 处不是 ASCII 字符，请将参数值按 UTF-8 进行百分号编码。",
        ),
        Reason::MalformedMultipart => say!(
            language,
            "The multipart/form-data body does not follow the boundary in its Content-Type; send both from the same encoder.",
            "multipart/form-data 请求体与 Content-Type 中的 boundary 不符，请由同一编码器生成二者。",
        ),
        Reason::RepeatedParameter { name } => {
            let name = shown(name, NAME);
            say!(
                language,
                "The parameter `{name}` occurs more than once; send it once.",
                "参数 `{name}` 重复出现，请只发送一次。",
            )
        }
        Reason::AmbiguousParameter { name } => {
            let name = shown(name, NAME);
            say!(
                language,
                "Another parameter differs from `{name}` only in `_` and `.`; the two sign alike. Send one of them.",
                "另有参数与 `{name}` 仅在 `_` 和 `.` 上不同，二者签名原文相同，请只发送其中一个。",
            )
        }
        Reason::RepeatedHeader { name } if name == "host" => say!(
            language,
            "The request names more than one host: in `Host`, in its target, or in what a proxy forwards. Name one.",
            "请求在 `Host`、请求目标或代理转发的信息中给出了多个主机名，请只使用一个。",
        ),
        Reason::RepeatedHeader { name } => {
            let name = shown(name, NAME);
            say!(
                language,
                "The header `{name}` occurs more than once; send it once.",
                "请求头 `{name}` 重复出现，请只发送一次。",
            )
        }
        Reason::MalformedHost => say!(
            language,
            "The header `Host` is not a host with an optional port; send no path, and nothing else, in it.",
            "请求头 `Host` 不是合法的主机名（可带端口），请勿在其中加入路径或其他内容。",
        ),
        Reason::MalformedContentType => say!(
            language,
            "The header `Content-Type` is not one media type with an optional charset UTF-8 or boundary; send for instance `application/json; charset=utf-8`.",
            "请求头 `Content-Type` 不是单个媒体类型（可带 UTF-8 字符集或 boundary），请发送例如 `application/json; charset=utf-8`。",
        ),
        Reason::BodyUnseen => say!(
            language,
            "The signature covers the request body, which was not read. This is a fault of the service: report it to its operator.",
            "签名覆盖请求体，但服务未读取请求体。这是服务端的问题，请联系服务提供方。",
        ),
        Reason::BodyCutOff => say!(
            language,
            "The request body ended early or came too slowly. Sign the request again and send the whole body at once.",
            "请求体不完整或传输过慢。请重新签名并一次发送完整的请求体。",
        ),

        Reason::MissingParameter { name } => match dialect {
            Dialect::V2Numeric if language == Language::ZhCn => {
                format!("请求失败，参数[{name}]不能为空。")
            }
            Dialect::V2 | Dialect::V2Numeric | Dialect::V3 => say!(
                language,
                "The request is missing a required parameter `{name}`.",
                "请求缺少必要参数 `{name}`。",
            ),
        },
        Reason::InvalidAuthorization { fault } => {
            let fault = authorization(*fault, language);
            say!(
                language,
                "The request `Authorization` header does not conform to tencentcloud standards: {fault}.",
                "请求头 `Authorization` 不符合腾讯云标准：{fault}。",
            )
        }

        Reason::InvalidParameter { name, expected } => {
            let expected = expectation(*expected, language);
            say!(
                language,
                "The value type of parameter `{name}` is not valid: {expected}.",
                "参数 `{name}` 的值类型无效：{expected}。",
            )
        }

        Reason::TimestampOutsideWindow {
            timestamp,
            now,
            window,
        } => outside_window(*timestamp, *now, *window, dialect, language),

        Reason::SecretIdUnknown => say!(
            language,
            "The SecretId is not found, please ensure that your SecretId is correct.",
            "SecretId不存在，请输入正确的密钥。",
        ),
        Reason::SecretIdDisabled => say!(
            language,
            "The SecretId is disabled; enable it or use another one.",
            "SecretId已被禁用，请启用该密钥或更换密钥。",
        ),

        Reason::TokenMissing => say!(
            language,
            "The SecretId belongs to a temporary key and the request has no Token; send the Token that was issued with it.",
            "该 SecretId 属于临时密钥，而请求中没有 Token，请携带与其一同签发的 Token。",
        ),
        Reason::TokenWrong => say!(
            language,
            "Token verification failed, please check if your Token is correct. It must be the one that was issued with this SecretId.",
            "Token 校验失败，请检查 Token 是否正确，它必须与该 SecretId 一同签发。",
        ),
        Reason::TokenExpired { expired_at } => {
            let expired_at = instant(expired_at.seconds());
            say!(
                language,
                "Token verification failed: the Token expired at {expired_at}. Request a new temporary key.",
                "Token 校验失败：Token 已于 {expired_at} 过期，请重新申请临时密钥。",
            )
        }
        Reason::TokenUnexpected => say!(
            language,
            "Token verification failed: the SecretId belongs to a permanent key, which has no Token. Send none.",
            "Token 校验失败：该 SecretId 属于长期密钥，不需要 Token，请勿携带。",
        ),

        Reason::SignatureMismatch => signature_failure(dialect, language),
        Reason::ScopeDateMismatch { expected } => {
            let failure = signature_failure(dialect, language);
            let expected = shown(expected, NAME);
            say!(
                language,
                "{failure} The date in `Credential` must be the UTC date of `X-TC-Timestamp`, {expected}.",
                "{failure}`Credential` 中的日期必须是 `X-TC-Timestamp` 对应的 UTC 日期 {expected}。",
            )
        }

        Reason::NonceRepeated => match dialect {
            Dialect::V2 | Dialect::V2Numeric => say!(
                language,
                "The request is rejected as a repetition: its `Nonce` has been used before within the time window. Use a new `Nonce` and sign again, also for a retry.",
                "请求被拒绝，请求重复, 请注意 Nonce 参数两次请求不能重复。该 Nonce 在时间窗口内已被使用，请更换 Nonce 并重新签名，重试时也应如此。",
            ),
            Dialect::V3 => say!(
                language,
                "The request is rejected as a repetition: its `Nonce`, or with `TC3-HMAC-SHA256` its signature, has been used before within the time window. Sign each request anew, also for a retry.",
                "请求被拒绝，请求重复：其 `Nonce`（使用 `TC3-HMAC-SHA256` 时为其签名）在时间窗口内已被使用。请对每个请求重新签名，重试时也应如此。",
            ),
        },
        // Also told where the policy refuses later dates after a restart, so it does not say which date would do.
        Reason::NonceBeforeMemory => match dialect {
            Dialect::V2 | Dialect::V2Numeric => say!(
                language,
                "The request is rejected: the server has been restarted and cannot tell whether a request with this `Timestamp` was used before. Sign it anew with the current time; if that is rejected too, retry later.",
                "请求被拒绝：服务器已重新启动，无法判断具有该 `Timestamp` 的请求此前是否已被使用。请用当前时间重新签名；如仍被拒绝，请稍后重试。",
            ),
            Dialect::V3 => say!(
                language,
                "Signature expired: the server has been restarted and cannot tell whether a request with this timestamp was used before. Sign it anew with the current time; if that is rejected too, retry later.",
                "签名过期：服务器已重新启动，无法判断具有该时间戳的请求此前是否已被使用。请用当前时间重新签名；如仍被拒绝，请稍后重试。",
            ),
        },
        Reason::NonceShareExhausted => say!(
            language,
            "This SecretId has sent as many requests as the server remembers for one key within the time window. Please reduce the frequency of calls and retry later.",
            "该 SecretId 在时间窗口内的请求数已达服务器为单个密钥保留的上限，请降低调用频率并稍后重试。",
        ),

        Reason::AccountBanned => say!(
            language,
            "The account is banned; contact the operator of the service.",
            "账号已被封禁，请联系服务提供方。",
        ),
        Reason::AccountNotInAudience => say!(
            language,
            "The account is not among the users that this interface is for; apply for access to it.",
            "账号不在该接口的使用者范围内，请申请使用权限。",
        ),

        Reason::MfaFailed => say!(
            language,
            "MFA check failed: the action demands multi-factor authentication. Authenticate again and retry with that session.",
            "MFA 校验失败：该操作要求多因子认证，请重新认证后使用该会话重试。",
        ),

        Reason::ActionUnknown { action } => {
            let action = shown(action, NAME);
            say!(
                language,
                "The request action=`{action}` is invalid or not found; check its name, the version and the domain.",
                "接口 `{action}` 不存在，请检查接口名称、版本和域名。",
            )
        }
        Reason::ActionUnavailable { action } => {
            let action = shown(action, NAME);
            say!(
                language,
                "The action `{action}` is out of service at present; retry later.",
                "接口 `{action}` 目前已停止服务，请稍后重试。",
            )
        }

        // common-errors.md rows 3, 4 and 5 share a code and are told apart here.
        Reason::ActionDenied { action } => {
            let action = shown(action, NAME);
            say!(
                language,
                "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are using the correct access keys. The account has not been granted the interface `{action}`.",
                "操作未授权，请检查CAM策略。账号未被授权调用接口 `{action}`。",
            )
        }
        Reason::ResourceDenied { resource } => {
            let resource = shown(resource, NAME);
            say!(
                language,
                "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are using the correct access keys. The account has not been granted the resource `{resource}`.",
                "操作未授权，请检查CAM策略。账号未被授权访问资源 `{resource}`。",
            )
        }
        Reason::ActionResourceDenied { action, resource } => {
            let (action, resource) = (shown(action, NAME), shown(resource, NAME));
            say!(
                language,
                "You are not authorized to perform this operation. Check your CAM policies, and ensure that you are using the correct access keys. The account has not been granted the interface `{action}` on the resource `{resource}`.",
                "操作未授权，请检查CAM策略。账号未被授权对资源 `{resource}` 调用接口 `{action}`。",
            )
        }

        Reason::RateExceeded {
            limit,
            period,
            retry_after_millis,
        } => say!(
            language,
            "The frequency limit of `{limit}` requests in {period} s is exceeded. Please reduce the frequency of calls; retry in {retry_after_millis} ms.",
            "您已超过每 {period} 秒 `{limit}` 次的频率上限，请降低调用频率，并于 {retry_after_millis} 毫秒后重试。",
        ),
        Reason::QuotaExhausted { limit, resets_at } => {
            let resets_at = instant(resets_at.seconds());
            say!(
                language,
                "The quota of `{limit}` requests is used up; it is full again at {resets_at}.",
                "`{limit}` 次请求的配额已用完，将于 {resets_at} 恢复。",
            )
        }

        Reason::StoreFailed {
            store: Store::Permissions,
        } => say!(
            language,
            "The access management check could not be completed. Retry your request, but if the problem persists, contact us.",
            "访问管理（CAM）校验未能完成，请稍后重试。",
        ),
        Reason::StoreFailed {
            store: Store::Credentials | Store::Nonces | Store::Quotas,
        }
        | Reason::BackendFailed => say!(
            language,
            "An internal error has occurred. Retry your request, but if the problem persists, contact us.",
            "内部服务错误，请稍后重试。",
        ),
        Reason::ResourceOperationFailed { detail } => {
            let detail = shown(detail.trim_end_matches(['.', '。']), DETAIL);
            say!(
                language,
                "The operation on the resource failed: {detail}.",
                "资源操作失败：{detail}。",
            )
        }
    }
}

fn body_too_long(limit: usize, language: Language) -> String {
    say!(
        language,
        "The request body exceeds {limit} bytes; split the request or shorten it.",
        "请求包大小超过 {limit} 字节，请拆分或缩短请求。",
    )
}

fn signature_failure(dialect: Dialect, language: Language) -> String {
    match dialect {
        Dialect::V2Numeric => say!(
            language,
            "Authentication failed. Please refer to the Authentication section in the document. The signature does not fit the request.",
            "身份认证失败，用户身份验证失败。签名与请求不符，请检查您的签名计算是否正确。",
        ),
        Dialect::V2 | Dialect::V3 => say!(
            language,
            "The provided credentials could not be validated. Please check your signature is correct.",
            "请求签名验证失败，请检查您的签名计算是否正确。",
        ),
    }
}

fn outside_window(
    timestamp: i64,
    now: i64,
    window: i64,
    dialect: Dialect,
    language: Language,
) -> String {
    let distance = now.abs_diff(timestamp);
    let side = match (timestamp < now, language) {
        (true, Language::EnUs) => "behind",
        (false, Language::EnUs) => "ahead of",
        (true, Language::ZhCn) => "早",
        (false, Language::ZhCn) => "晚",
    };
    let hint = match (looks_like_milliseconds(timestamp, now), language) {
        (false, Language::EnUs | Language::ZhCn) => "",
        (true, Language::EnUs) => " It looks like milliseconds; send seconds.",
        (true, Language::ZhCn) => "该值疑似毫秒，请改用秒。",
    };
    let sent = instant(timestamp);
    let clock = instant(now);
    match dialect {
        // The vendor's text mentions the nonce for either cause; what follows says which it was.
        Dialect::V2Numeric if language == Language::ZhCn => format!(
            "请求被拒绝，请求重复, 请注意 Nonce 参数两次请求不能重复, Timestamp 与腾讯服务器相差不能超过 {window} 秒, 腾讯服务器 Timestamp = {now}。本次原因：请求的 Timestamp {sent} 比服务器时间 {clock} {side} {distance} 秒，请通过 NTP 同步时钟后重新签名。{hint}",
        ),
        Dialect::V2 | Dialect::V2Numeric => say!(
            language,
            "The request is rejected: its `Timestamp` {sent} is {distance} s {side} the server time {clock} and at most {window} s are allowed. Please synchronize the clock with NTP and sign again.{hint}",
            "请求被拒绝：`Timestamp` {sent} 比服务器时间 {clock} {side} {distance} 秒，最多允许相差 {window} 秒，请通过 NTP 同步时钟后重新签名。{hint}",
        ),
        Dialect::V3 => say!(
            language,
            "Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between `Timestamp` and the server time {clock}. The request says {sent}, which is {distance} s {side} the server; at most {window} s are allowed.{hint}",
            "签名过期，请使用本地时间并开启 NTP 服务进行时间同步，避免 `Timestamp` 与服务器时间 {clock} 存在偏差。请求中为 {sent}，比服务器{side} {distance} 秒，最多允许相差 {window} 秒。{hint}",
        ),
    }
}

/// Whether the number is near the clock once it is divided by 1000.
fn looks_like_milliseconds(timestamp: i64, now: i64) -> bool {
    const DAY: u64 = 86_400;
    now > 0 && now.abs_diff(timestamp.div_euclid(1_000)) <= DAY
}

/// What is wrong with the header, as the end of a sentence.
fn authorization(fault: AuthorizationFault, language: Language) -> String {
    match fault {
        AuthorizationFault::Absent => say!(
            language,
            "the header is absent although `X-TC-Action` is there",
            "存在 `X-TC-Action`，但缺少该请求头",
        ),
        AuthorizationFault::Algorithm => say!(
            language,
            "it must begin with `TC3-HMAC-SHA256`",
            "应以 `TC3-HMAC-SHA256` 开头",
        ),
        AuthorizationFault::Spelling => say!(
            language,
            "it must read `TC3-HMAC-SHA256 Credential=<SecretId>/<Date>/<Service>/tc3_request, SignedHeaders=<names>, Signature=<hex>`",
            "格式应为 `TC3-HMAC-SHA256 Credential=<SecretId>/<Date>/<Service>/tc3_request, SignedHeaders=<names>, Signature=<hex>`",
        ),
        AuthorizationFault::PartMissing { part } => {
            say!(language, "`{part}` is missing", "缺少 `{part}`")
        }
        AuthorizationFault::PartRepeated { part } => {
            say!(
                language,
                "`{part}` occurs more than once",
                "`{part}` 重复出现"
            )
        }
        AuthorizationFault::Scope => say!(
            language,
            "Credential must read `<SecretId>/<Date>/<Service>/tc3_request`",
            "Credential 的格式应为 `<SecretId>/<Date>/<Service>/tc3_request`",
        ),
        AuthorizationFault::SecretId => say!(
            language,
            "`SecretId` in Credential not valid",
            "Credential 中的 `SecretId` 无效",
        ),
        AuthorizationFault::Date => say!(
            language,
            "`Date` in Credential not valid",
            "Credential 中的 `Date` 无效",
        ),
        AuthorizationFault::Service => say!(
            language,
            "`Service` in Credential not valid",
            "Credential 中的 `Service` 无效",
        ),
        AuthorizationFault::Terminator => say!(
            language,
            "Credential must end in `tc3_request`",
            "Credential 应以 `tc3_request` 结尾",
        ),
        AuthorizationFault::HeaderNotSigned { header } => say!(
            language,
            "`{header}` must be in SignedHeaders",
            "SignedHeaders 中必须包含 `{header}`",
        ),
        AuthorizationFault::SignedHeaders => say!(
            language,
            "SignedHeaders must list each header once, in lower case and in order",
            "SignedHeaders 中每个请求头只能出现一次，且须为小写并按序排列",
        ),
        AuthorizationFault::SignedHeaderRepeated => say!(
            language,
            "a header in SignedHeaders occurs more than once with different values",
            "SignedHeaders 中的某个请求头多次出现且取值不同",
        ),
        AuthorizationFault::SignedHeaderAbsent => say!(
            language,
            "a header in SignedHeaders did not arrive",
            "SignedHeaders 中的某个请求头未收到",
        ),
    }
}

/// What the type allows, as the end of a sentence.
fn expectation(expected: Expected, language: Language) -> String {
    match expected {
        Expected::Seconds => say!(
            language,
            "it must be the whole seconds since 1970-01-01T00:00:00Z in decimal digits, without leading zeros",
            "应为自 1970-01-01T00:00:00Z 起的整秒数，仅含十进制数字且无前导零",
        ),
        Expected::Unsigned => say!(
            language,
            "it must be a whole number from 0 to 18446744073709551615 in at most 20 decimal digits",
            "应为 0 至 18446744073709551615 的整数，最多 20 位十进制数字",
        ),
        Expected::ShortText => say!(
            language,
            "it must be UTF-8 text of at most 256 bytes",
            "应为不超过 256 字节的 UTF-8 文本",
        ),
        Expected::Action => say!(
            language,
            "it must be one name of letters, digits and `_`, such as `DescribeInstances`",
            "应为单个接口名称，仅含字母、数字和 `_`，例如 `DescribeInstances`",
        ),
        Expected::Version => say!(
            language,
            "it must be one date, such as `2017-03-12`",
            "应为单个日期，例如 `2017-03-12`",
        ),
        Expected::Region => say!(
            language,
            "it must be one region of letters, digits, `-` and `_`, such as `ap-guangzhou`",
            "应为单个地域，仅含字母、数字、`-` 和 `_`，例如 `ap-guangzhou`",
        ),
        Expected::Language => say!(
            language,
            "it must be one language, such as `zh-CN` or `en-US`",
            "应为单个语言，例如 `zh-CN` 或 `en-US`",
        ),
    }
}

/// `1767225600 (2026-01-01T00:00:00Z)`; without the date where the calendar ends.
fn instant(seconds: i64) -> String {
    match time::OffsetDateTime::from_unix_timestamp(seconds) {
        Ok(at) => format!(
            "{seconds} ({:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z)",
            at.year(),
            u8::from(at.month()),
            at.day(),
            at.hour(),
            at.minute(),
            at.second(),
        ),
        Err(_) => seconds.to_string(),
    }
}

/// The most characters shown of a name, an action or a resource.
const NAME: usize = 128;
/// The most characters shown of what a backend reports.
const DETAIL: usize = 512;

/// Text that a client or a backend chose: of bounded length, on one line, and with nothing invisible in it.
///
/// Quotes stay, since the envelope escapes them; a backslash is doubled, so that no text can look like an escape.
fn shown(text: &str, longest: usize) -> String {
    let mut shown = String::new();
    for character in text.chars().take(longest) {
        match character {
            '"' | '\'' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    if text.chars().nth(longest).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_bounded_and_visible() {
        assert_eq!(shown("a\r\nb\u{0}", NAME), r"a\r\nb\0");
        assert_eq!(
            shown("\u{202e}\u{2028}\u{85}", NAME),
            r"\u{202e}\u{2028}\u{85}"
        );
        assert_eq!(shown(r#"\n "x" 'y' 默认"#, NAME), r#"\\n "x" 'y' 默认"#);
        assert_eq!(
            shown(&"默".repeat(200), NAME),
            format!("{}…", "默".repeat(128))
        );
        assert_eq!(shown(&"x".repeat(128), NAME), "x".repeat(128));
        assert_eq!(
            shown(&"x".repeat(129), NAME),
            format!("{}…", "x".repeat(128))
        );
    }

    #[test]
    fn instants_read_as_numbers_and_dates() {
        assert_eq!(instant(1_767_225_600), "1767225600 (2026-01-01T00:00:00Z)");
        assert_eq!(instant(0), "0 (1970-01-01T00:00:00Z)");
        assert_eq!(instant(-1), "-1 (1969-12-31T23:59:59Z)");
        assert_eq!(
            instant(253_402_300_799),
            "253402300799 (9999-12-31T23:59:59Z)"
        );
        assert_eq!(instant(253_402_300_800), "253402300800");
        assert_eq!(instant(i64::MAX), "9223372036854775807");
        assert_eq!(instant(i64::MIN), "-9223372036854775808");
    }

    #[test]
    fn milliseconds_are_recognised() {
        assert!(looks_like_milliseconds(1_767_225_600_123, 1_767_225_600));
        assert!(!looks_like_milliseconds(1_767_225_601, 1_767_225_600));
        assert!(!looks_like_milliseconds(0, 0));
        assert!(!looks_like_milliseconds(i64::MIN, i64::MAX));
    }
}
