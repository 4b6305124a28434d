//! Catalogue of the known mistakes: a stable id, the cause and the fix in both languages, and whether a mistake fails only
//! sometimes. The manual's page is made from this list.

use crate::scheme::Language;

/// The part of a client's work that a mistake belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Area {
    /// SecretId, secret key and token. Reported to the operator only.
    Credential,
    /// Timestamp and date.
    Time,
    /// Hash algorithm and the text form of the signature.
    Output,
    /// Values of parameters.
    Values,
    /// Names of parameters, and their order.
    Order,
    /// Which parameters are in the string.
    Presence,
    /// Method.
    Method,
    /// Host.
    Host,
    /// Path, and how the parts are joined.
    Path,
    /// Canonical headers of TC3.
    Headers,
    /// Payload digest of TC3.
    Payload,
    /// Canonical query of TC3.
    Query,
    /// Credential scope and key chain of TC3.
    Scope,
    /// What the request says before any signature: presence, form, size, nonce, permission.
    Request,
}

macro_rules! mistakes {
    ($($variant:ident $id:literal $area:ident $often:ident
        $cause_en:literal / $fix_en:literal
        $cause_zh:literal / $fix_zh:literal;)*) => {
        /// A mistake that clients are known to make.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Mistake {
            $(#[doc = $cause_en] $variant,)*
        }

        impl Mistake {
            /// Every known mistake, in the order of the manual.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// A stable kebab-case name.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// Returns the part of the client's work that it belongs to.
            #[must_use]
            pub const fn area(self) -> Area {
                match self { $(Self::$variant => Area::$area,)* }
            }

            /// Whether the mistake shows in every request or only in some.
            #[must_use]
            pub const fn occurrence(self) -> Occurrence {
                match self { $(Self::$variant => Occurrence::$often,)* }
            }

            /// What went wrong, in one sentence.
            #[must_use]
            pub const fn cause(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::EnUs) => $cause_en,
                      (Self::$variant, Language::ZhCn) => $cause_zh,)*
                }
            }

            /// What to change, in one sentence.
            #[must_use]
            pub const fn fix(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$variant, Language::EnUs) => $fix_en,
                      (Self::$variant, Language::ZhCn) => $fix_zh,)*
                }
            }
        }
    };
}

/// Whether a mistake shows in every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Occurrence {
    /// Every request that is built this way fails.
    Always,
    /// Only some fail: those with certain characters, at certain hours, with long lists, under load.
    Sometimes,
}

mistakes! {
    // Credentials.
    SecretIdEmpty "secret-id-empty" Credential Always
        "The SecretId was not sent: it was not loaded." / "Check the environment variable or the configuration that holds the SecretId."
        "未发送 SecretId：SecretId 未被加载。" / "请检查保存 SecretId 的环境变量或配置。";
    WrongCredentialType "wrong-credential-type" Credential Always
        "The SecretId does not look like the id of an API key (`AKID…`) but like an application id or a console token." / "Use the SecretId and SecretKey of an API key of the account."
        "SecretId 不像 API 密钥的 ID（`AKID…`），更像应用 ID 或控制台令牌。" / "请使用账号 API 密钥的 SecretId 和 SecretKey。";
    SecretIdWhitespace "secret-id-whitespace" Credential Always
        "The SecretId was sent with a blank, a line end or a quote around it; without it the SecretId is known." / "Trim the SecretId when it is loaded."
        "发送的 SecretId 两端带有空白、换行或引号；去掉后即为已知的 SecretId。" / "加载 SecretId 时请去除两端多余的字符。";
    IdAndKeySwapped "id-and-key-swapped" Credential Always
        "SecretId and SecretKey are swapped: one was used in place of the other." / "Swap the two settings back; if the key was sent or logged as an id, replace it."
        "SecretId 与 SecretKey 互换：其中一个被当作另一个使用。" / "请将两者换回；若密钥曾作为 ID 发送或写入日志，请更换密钥。";
    SecretKeyEmpty "secret-key-empty" Credential Always
        "The signature was made with an empty secret key: the key was not loaded." / "Check the environment variable or the configuration that holds the SecretKey."
        "签名使用了空的密钥：SecretKey 未被加载。" / "请检查保存 SecretKey 的环境变量或配置。";
    SecretKeyPlaceholder "secret-key-placeholder" Credential Always
        "The signature was made with a placeholder such as `None` or `undefined` instead of the secret key: the key was not loaded." / "Check how the SecretKey is loaded."
        "签名使用了 `None`、`undefined` 之类的占位文本而不是密钥：SecretKey 未被加载。" / "请检查 SecretKey 的加载方式。";
    SecretKeyWhitespace "secret-key-whitespace" Credential Always
        "The secret key was used with a blank or a line end at one of its ends." / "Trim the SecretKey when it is loaded; write secrets to files without a final line end."
        "使用的密钥首尾带有空白或换行。" / "加载 SecretKey 时请去除首尾空白；将密钥写入文件时不要带换行。";
    SecretKeyQuoted "secret-key-quoted" Credential Always
        "The secret key was used with quotes around it." / "Remove the quotes from the value of the setting."
        "使用的密钥带有引号。" / "请去掉配置值中的引号。";
    SecretKeyBom "secret-key-bom" Credential Always
        "The secret key was used with a byte order mark at one of its ends." / "Save the file that holds the key as UTF-8 without a byte order mark."
        "使用的密钥首尾带有 BOM。" / "请将保存密钥的文件存为不带 BOM 的 UTF-8。";
    SecretKeyMangled "secret-key-mangled" Credential Always
        "A layer between configuration and signature decoded, encoded or cut the secret key: it is the right one but for a few characters." / "Pass the SecretKey through as it is; do not URL-decode, escape or split it."
        "配置与签名之间的某一层对密钥做了解码、编码或截断：密钥正确，但有个别字符被改变。" / "请原样传递 SecretKey，不要对其进行 URL 解码、转义或拆分。";
    SecretKeyDecoded "secret-key-decoded" Credential Always
        "The secret key was base64- or hex-decoded before use." / "Use the text of the SecretKey as it is, as bytes."
        "密钥在使用前被进行了 base64 或十六进制解码。" / "请直接使用 SecretKey 文本本身的字节。";
    TokenUsedAsKey "token-used-as-key" Credential Always
        "The signature was made with the token instead of the secret key." / "Pass TmpSecretKey as the key and Token as the token."
        "签名使用了 Token 而不是密钥。" / "请将 TmpSecretKey 作为密钥、Token 作为令牌传入。";
    AnotherCredentialsKey "another-credentials-key" Credential Always
        "The signature was made with the key of another known SecretId." / "Use the SecretId and the SecretKey of one and the same API key."
        "签名使用了另一个已知 SecretId 的密钥。" / "请使用同一 API 密钥的 SecretId 和 SecretKey。";
    TokenMissing "token-missing" Credential Always
        "The SecretId is temporary and the token was not sent." / "Send `Token` (`X-TC-Token` with TC3), signed like any other parameter in v1 and v2."
        "SecretId 属于临时密钥，但未发送 Token。" / "请发送 `Token`（TC3 为 `X-TC-Token`）；在 v1、v2 中它与其他参数一样参与签名。";
    TokenExpired "token-expired" Credential Sometimes
        "The token of the temporary key has expired." / "Request new temporary credentials before the old ones expire; do not store them."
        "临时密钥的 Token 已过期。" / "请在过期前重新申请临时密钥，不要长期保存。";
    TokenWrong "token-wrong" Credential Always
        "The token was not issued with this SecretId." / "Take SecretId, SecretKey and Token from one and the same response."
        "Token 不是与该 SecretId 一同签发的。" / "请使用同一次响应中的 SecretId、SecretKey 和 Token。";
    TokenWithPermanentKey "token-with-permanent-key" Credential Always
        "A token was sent with a permanent key." / "Remove the token; an earlier log-in may have left it in a file or a variable."
        "使用长期密钥时发送了 Token。" / "请移除 Token，它可能是之前登录时残留在文件或变量中的。";

    // Time.
    ClockSkew "clock-skew" Time Sometimes
        "The timestamp is too far from the server's clock: the client's clock is off, or the request was signed long before it was sent." / "Synchronize the client's clock with NTP, and sign just before sending."
        "时间戳与服务器时钟相差过大：客户端时钟不准，或者请求签名后很久才发送。" / "请使用 NTP 同步客户端时钟，并在发送前再签名。";
    TimestampMilliseconds "timestamp-in-milliseconds" Time Always
        "The timestamp is in milliseconds." / "Divide it by 1000: the timestamp is in whole seconds."
        "时间戳单位为毫秒。" / "请除以 1000：时间戳应为整秒。";
    TimestampMalformed "timestamp-wrong-unit-or-format" Time Always
        "The timestamp is not written as whole seconds in decimal digits." / "Send the number of whole seconds since 1970-01-01 UTC."
        "时间戳不是十进制整秒数。" / "请发送自 1970-01-01 UTC 起的整秒数。";
    TimestampLocalTimezone "timestamp-local-timezone" Time Always
        "The timestamp is off by a whole time zone: local time was taken for UTC." / "Use the Unix time of the system, not a local date that is converted as if it were UTC."
        "时间戳恰好相差一个时区：本地时间被当作了 UTC。" / "请使用系统的 Unix 时间，不要把本地日期当作 UTC 转换。";
    TimestampExample "timestamp-hardcoded-or-late" Time Always
        "The timestamp is the one of a documentation example." / "Take the present time for every request."
        "时间戳是文档示例中的值。" / "请为每个请求取当前时间。";
    TimestampAfterSigning "tc3-timestamp-header-differs" Time Sometimes
        "Another timestamp was signed than was sent." / "Read the clock once per request and use that value in both places."
        "签名所用的时间戳与发送的时间戳不同。" / "每个请求只读取一次时钟，并在两处使用同一个值。";
    ScopeDate "tc3-date-not-utc" Time Sometimes
        "The date in the credential scope is not the UTC date of the timestamp: the local date was used." / "Format the date of the timestamp in UTC. Around midnight the local date is another one."
        "凭证范围中的日期不是时间戳对应的 UTC 日期：使用了本地日期。" / "请按 UTC 格式化时间戳的日期；午夜前后本地日期会不同。";

    // Algorithm and output.
    Sha256NotDeclared "sha256-not-declared" Output Always
        "The signature is HMAC-SHA256, but `SignatureMethod` does not say exactly `HmacSHA256`, so HMAC-SHA1 is expected." / "Send `SignatureMethod=HmacSHA256`, and sign it like any other parameter."
        "签名使用了 HMAC-SHA256，但 `SignatureMethod` 不是 `HmacSHA256`，因此服务端按 HMAC-SHA1 校验。" / "请发送 `SignatureMethod=HmacSHA256`，并使其参与签名。";
    Sha1Declared256 "sha1-although-sha256-declared" Output Always
        "The signature is HMAC-SHA1, but `SignatureMethod` says `HmacSHA256`." / "Compute HMAC-SHA256, or leave `SignatureMethod` out."
        "签名使用了 HMAC-SHA1，但 `SignatureMethod` 为 `HmacSHA256`。" / "请计算 HMAC-SHA256，或去掉 `SignatureMethod`。";
    HexInsteadOfBase64 "hex-instead-of-base64" Output Always
        "The signature is the right HMAC, written in hexadecimal digits." / "Encode the raw bytes of the HMAC in base64."
        "签名的 HMAC 正确，但写成了十六进制。" / "请将 HMAC 的原始字节进行 base64 编码。";
    Base64OfHex "base64-of-hex-digest" Output Always
        "The signature is the base64 of the hexadecimal text of the HMAC." / "Take the raw bytes of the HMAC, not its hexadecimal text, and encode those."
        "签名是对 HMAC 十六进制文本的 base64 编码。" / "请取 HMAC 的原始字节而不是十六进制文本进行编码。";
    Base64InsteadOfHex "base64-instead-of-hex" Output Always
        "The signature is the right HMAC, written in base64." / "Write the HMAC in 64 lower-case hexadecimal digits."
        "签名的 HMAC 正确，但写成了 base64。" / "请将 HMAC 写成 64 位小写十六进制。";
    UpperCaseHex "signature-upper-case-hex" Output Always
        "The signature is the right HMAC, in upper-case digits." / "Write it in lower case."
        "签名的 HMAC 正确，但使用了大写十六进制。" / "请使用小写。";
    UrlSafeBase64 "signature-url-safe-base64" Output Sometimes
        "The signature is in the URL-safe alphabet of base64 (`-` and `_`)." / "Use the standard alphabet (`+` and `/`) with padding, and percent-encode the result once."
        "签名使用了 URL 安全的 base64 字母表（`-` 和 `_`）。" / "请使用标准字母表（`+` 和 `/`）并保留填充，再进行一次百分号编码。";
    UnpaddedBase64 "signature-unpadded" Output Always
        "The signature lacks the `=` at its end." / "Keep the padding of base64, and percent-encode it as `%3D`."
        "签名缺少末尾的 `=`。" / "请保留 base64 的填充，并编码为 `%3D`。";
    SignaturePlus "signature-plus-unencoded" Output Sometimes
        "The signature holds a blank where `+` should be: it was not percent-encoded. It fails only when the signature has a `+`." / "Percent-encode the signature once when it is put into the query or form."
        "签名中本应为 `+` 的位置是空格：签名没有进行百分号编码。仅当签名含有 `+` 时才会失败。" / "将签名放入查询或表单时请进行一次百分号编码。";
    SignatureDoubleEncoded "signature-double-encoded" Output Always
        "The signature was percent-encoded twice." / "Encode it once: if a library builds the query, hand it the plain signature."
        "签名被百分号编码了两次。" / "只编码一次：若由库构造查询，请传入未编码的签名。";
    SignatureTruncated "signature-truncated" Output Always
        "The signature is the beginning of the right HMAC: it was cut." / "Send all of it; look for a column or buffer that is too short."
        "签名只是正确 HMAC 的前一部分：被截断了。" / "请发送完整的签名，并检查是否有过短的字段或缓冲区。";
    SignatureDecorated "signature-decorated" Output Always
        "The right signature is surrounded by blanks or quotes." / "Send the signature alone."
        "正确的签名两端带有空白或引号。" / "请只发送签名本身。";
    PlainHash "plain-hash-instead-of-hmac" Output Always
        "The signature is a plain hash of the string, or of string and key joined, and no HMAC." / "Use the HMAC function of the library with the SecretKey as its key."
        "签名是字符串（或字符串与密钥拼接）的普通哈希，而不是 HMAC。" / "请使用库中的 HMAC 函数，并以 SecretKey 为密钥。";
    HmacArgumentsSwapped "hmac-arguments-swapped" Output Always
        "Key and message of the HMAC are swapped." / "Pass the SecretKey as the key and the string to sign as the message."
        "HMAC 的密钥与消息互换了。" / "请以 SecretKey 为密钥、签名原文为消息。";

    // Values.
    EncodedBeforeSigning "encoded-before-signing" Values Sometimes
        "Values were percent-encoded before they were signed." / "Sign the raw values; encode them afterwards, when the request is built."
        "参数值在签名前进行了百分号编码。" / "请对原始值签名，构造请求时再编码。";
    EncodedTwiceBeforeSigning "encoded-twice-before-signing" Values Sometimes
        "Values were percent-encoded twice before they were signed." / "Sign the raw values; encode them once, when the request is built."
        "参数值在签名前进行了两次百分号编码。" / "请对原始值签名，构造请求时再编码一次。";
    ValuePlusUnencoded "value-plus-unencoded" Values Sometimes
        "A `+` in a value was signed as `+` and sent unencoded, so it arrived as a blank." / "Encode `+` as `%2B` when the request is built."
        "参数值中的 `+` 按 `+` 签名却未编码发送，因此到达时变成了空格。" / "构造请求时请将 `+` 编码为 `%2B`。";
    BlankSignedAsPlus "blank-signed-as-plus" Values Sometimes
        "Blanks in values were signed as `+` or `%20`." / "Sign the blank itself."
        "参数值中的空格按 `+` 或 `%20` 签名。" / "请对空格本身签名。";
    NonUtf8BytesSigned "non-utf8-bytes-signed" Values Sometimes
        "Text outside ASCII was signed in another charset than UTF-8." / "Convert text to UTF-8 bytes before hashing."
        "非 ASCII 文本按 UTF-8 以外的字符集签名。" / "计算哈希前请将文本转换为 UTF-8 字节。";
    UnicodeEscapesSigned "unicode-escapes-signed" Values Sometimes
        "Text outside ASCII was signed as `\\uXXXX` escapes." / "Sign the characters themselves, as UTF-8."
        "非 ASCII 文本按 `\\uXXXX` 转义签名。" / "请按 UTF-8 对字符本身签名。";
    BooleanSpelling "boolean-or-number-spelling" Values Sometimes
        "A boolean, a null or a number was signed in another spelling than was sent." / "Turn values into text once, and sign and send that text."
        "布尔值、空值或数字签名时的写法与发送时不同。" / "请只做一次文本转换，并对同一文本签名和发送。";
    PrintedByteString "printed-byte-string" Values Always
        "A value was signed as a printed byte string (`b'…'`)." / "Decode the bytes to text before signing."
        "参数值按字节串的打印形式（`b'…'`）签名。" / "签名前请将字节串解码为文本。";
    HtmlEscapedValue "html-escaped-before-signing" Values Sometimes
        "Values were HTML-escaped before they were signed." / "Sign the raw values."
        "参数值在签名前进行了 HTML 转义。" / "请对原始值签名。";
    ValuesTrimmed "values-trimmed" Values Sometimes
        "Values were signed without the blanks around them, which were sent." / "Sign and send the same text."
        "参数值签名时去除了首尾空白，发送时却保留。" / "请对同一文本签名和发送。";
    ValueLineEnds "value-line-ends" Values Sometimes
        "Line ends in values were signed as LF and sent as CR LF, or the other way round." / "Sign and send the same text."
        "参数值中的换行签名与发送时不同（LF 与 CRLF）。" / "请对同一文本签名和发送。";
    ValuesLowerCased "values-lower-cased" Values Sometimes
        "Values were signed in lower case." / "Sign the values as they are sent."
        "参数值按小写签名。" / "请对实际发送的值签名。";
    ValueSignedEmpty "value-signed-as-empty" Values Sometimes
        "A value was signed as empty and sent." / "Sign the value that is sent; look for a lookup under a changed name, or for `false` and `null`."
        "某个参数值按空值签名，发送时却有值。" / "请对实际发送的值签名，检查是否以改动后的名称取值，或值为 `false`、`null`。";

    // Names and order.
    SortMissing "sort-missing" Order Always
        "The parameters were signed in the order in which they were sent or added, unsorted." / "Sort the parameters by name, in byte order, before joining them."
        "参数按发送或添加的顺序签名，未排序。" / "拼接前请按参数名的字节序排序。";
    SortNatural "sort-natural-index" Order Sometimes
        "The parameters were sorted with numbers in their numeric order: `.2` before `.10`. It fails only for lists of more than ten." / "Sort names as plain bytes: `.10` comes before `.2`."
        "排序时数字按数值比较：`.2` 在 `.10` 之前。仅当列表超过十项时才会失败。" / "请按字节序排序：`.10` 在 `.2` 之前。";
    SortCaseInsensitive "sort-case-insensitive" Order Sometimes
        "The parameters were sorted without regard to case." / "Sort by bytes: upper case comes before lower case."
        "排序时忽略了大小写。" / "请按字节序排序：大写在小写之前。";
    SortByPair "sort-by-pair" Order Sometimes
        "The joined `name=value` texts were sorted instead of the names." / "Sort by name alone, then join."
        "对拼接后的 `name=value` 文本而不是参数名排序。" / "请仅按参数名排序后再拼接。";
    SortEncoded "sort-after-encoding" Order Sometimes
        "The names were sorted after encoding, or in reverse." / "Sort the plain names, in byte order, ascending."
        "参数名在编码后排序，或按逆序排序。" / "请对未编码的参数名按字节序升序排序。";
    UnderscoreVsDot "underscore-vs-dot" Order Sometimes
        "Names with `_` were signed in another reading than the policy accepts: kept, or turned into `.` before or after the sort." / "Legacy v2 signs `_` in names as `.`, after the sort; API 3.0 signs names as they are."
        "含 `_` 的参数名的签名方式不被策略接受：保留，或在排序前后替换为 `.`。" / "旧版 v2 在排序后将参数名中的 `_` 替换为 `.`；API 3.0 保持原样。";
    NamesChanged "names-changed-before-signing" Order Sometimes
        "Names were signed in another spelling than was sent: in lower case, percent-encoded, or with `[0]` for `.0`." / "Sign the names that are sent."
        "参数名签名时的写法与发送时不同：小写、百分号编码，或以 `[0]` 代替 `.0`。" / "请对实际发送的参数名签名。";

    // Presence.
    EmptyOmitted "empty-param-omitted" Presence Sometimes
        "Parameters with an empty value were left out of the string." / "Sign empty values as `name=`, or do not send them."
        "空值参数未参与签名。" / "空值参数请按 `name=` 签名，或不要发送。";
    AddedAfterSigning "added-after-signing" Presence Always
        "A parameter was added after signing." / "Add all parameters, the common ones too, before signing; only `Signature` is left out."
        "某个参数在签名之后才添加。" / "请在签名前加入全部参数（包括公共参数），仅排除 `Signature`。";
    SignatureIncluded "signature-included" Presence Always
        "`Signature` itself was part of the signed string, with an empty value." / "Leave `Signature` out of the string."
        "签名原文包含了空值的 `Signature` 本身。" / "请在签名原文中排除 `Signature`。";
    QueryAndBodyMixed "query-and-body-mixed" Presence Always
        "The parameters of the query were signed together with those of the body." / "A POST is read and signed from its body alone; send nothing in the query."
        "查询参数与请求体参数一起参与了签名。" / "POST 只读取并签名请求体，请不要在查询中发送参数。";
    FilesLeftOut "file-or-at-value-left-out" Presence Sometimes
        "File parts or values that begin with `@` were left out of the string, which leaves them unsigned." / "Sign them, or have the operator accept this form (`UnsignedPart`)."
        "文件部分或以 `@` 开头的值未参与签名。" / "请使其参与签名，或由服务方通过策略接受这种形式（`UnsignedPart`）。";
    ArrayLiteral "array-signed-as-one-pair" Presence Sometimes
        "An array was signed as the single pair `name=Array`." / "Flatten arrays into `name.0`, `name.1`… before signing."
        "数组按单个 `name=Array` 签名。" / "签名前请将数组展开为 `name.0`、`name.1`…。";

    // Method, host, path.
    MethodMismatch "method-mismatch" Method Always
        "Another method was signed than arrived, or it was signed in lower case." / "Sign the method that is sent, in upper case; a redirect or proxy may have changed it."
        "签名所用的方法与到达的方法不同，或使用了小写。" / "请以大写签名实际发送的方法；重定向或代理可能改变了它。";
    MethodToken "method-token-wrong" Method Always
        "The signed string begins with something that is no HTTP method." / "Begin the string with `GET` or `POST`, with nothing between method and host."
        "签名原文没有以 HTTP 方法开头。" / "请以 `GET` 或 `POST` 开头，方法与主机之间不加任何字符。";
    HostPort "host-port-mismatch" Host Sometimes
        "The host was signed with another port than arrived: with one, or without." / "Sign the value of the Host header as it is sent."
        "签名所用主机的端口与到达的不同。" / "请对实际发送的 Host 头的值签名。";
    HostCase "host-case" Host Always
        "The host was signed in another case than arrived." / "Write the endpoint in lower case."
        "签名所用主机的大小写与到达的不同。" / "请使用小写的接入域名。";
    HostRewritten "host-rewritten-by-proxy" Host Always
        "Another host was signed than arrived: a proxy or relay changed the Host header, or the client signs a fixed one." / "Forward the Host header unchanged, or have the operator name the public host (`--public-host`)."
        "签名所用的主机与到达的不同：代理或中转修改了 Host 头，或客户端使用了固定的主机。" / "请原样转发 Host 头，或由服务方配置公开域名（`--public-host`）。";
    HostOtherDomain "host-other-domain" Host Always
        "Another domain of the service was signed than arrived." / "Sign the domain that the request is sent to."
        "签名所用的是该服务的另一个域名。" / "请对请求实际发送到的域名签名。";
    HostDecorated "host-with-scheme-or-blank" Host Always
        "The host was signed with a scheme, a slash or a blank around it." / "Sign the bare host."
        "签名所用的主机带有协议、斜杠或空白。" / "请仅对主机名签名。";
    HostMissing "host-missing" Host Always
        "The host is missing from the signed string." / "The string is method + host + path + `?` + parameters."
        "签名原文中缺少主机。" / "签名原文应为：方法 + 主机 + 路径 + `?` + 参数。";
    PathRewritten "path-rewritten" Path Always
        "Another path was signed than arrived." / "Legacy v2 signs `/v2/index.php`, API 3.0 signs `/`; a proxy must not add or strip a prefix."
        "签名所用的路径与到达的不同。" / "旧版 v2 签名 `/v2/index.php`，API 3.0 签名 `/`；代理不得增删路径前缀。";
    JoinWrong "string-joined-wrongly" Path Always
        "The parts of the string are right and joined wrongly: without `?`, with line ends, encoded or hashed as a whole." / "Join method, host, path, `?` and the pairs with `&`, and hash that text as it is."
        "签名原文的各部分正确，但拼接方式错误：缺少 `?`、带有换行、整体编码或哈希。" / "请依次拼接方法、主机、路径、`?` 与以 `&` 连接的参数，并对该文本直接计算。";

    // TC3.
    SignRawQuery "sign-raw-send-encoded-path" Query Sometimes
        "The canonical query was signed decoded." / "Sign the query exactly as it is sent, percent-encoded."
        "规范查询字符串按解码后的文本签名。" / "请对实际发送的（已编码的）查询字符串签名。";
    SpacePlusVsPercent20 "space-as-plus-vs-percent20" Query Sometimes
        "The query differs only in `+` against `%20`." / "Sign the query exactly as it is sent."
        "查询字符串仅在 `+` 与 `%20` 上不同。" / "请对实际发送的查询字符串签名。";
    QueryReencoded "url-reencoded-in-transit" Query Sometimes
        "The query differs only in its percent-encoding: a library or proxy re-encoded it after signing." / "Sign the query exactly as it is sent, and keep what lies between from rewriting it."
        "查询字符串仅在百分号编码上不同：签名后被某个库或代理重新编码。" / "请对实际发送的查询字符串签名，并避免中间环节改写它。";
    QuerySorted "tc3-query-sorted" Query Sometimes
        "The canonical query was sorted and sent unsorted." / "Sign the query in the order in which it is sent."
        "规范查询字符串经过排序，发送时却未排序。" / "请按发送的顺序对查询字符串签名。";
    QueryPresence "tc3-query-presence" Query Always
        "The query of a POST was signed, or that of a GET was left out." / "The canonical query is the query for GET and empty for POST."
        "POST 的查询字符串参与了签名，或 GET 的查询字符串未参与签名。" / "规范查询字符串：GET 为查询字符串，POST 为空。";
    ContentTypeAltered "tc3-content-type-altered" Headers Always
        "Another Content-Type was signed than arrived: an HTTP library added, changed or removed its parameters." / "Set the header to exactly the value that is signed."
        "签名所用的 Content-Type 与到达的不同：HTTP 库增加、修改或删除了其参数。" / "请将请求头设为与签名完全相同的值。";
    HeaderNameCase "tc3-header-name-case" Headers Always
        "Header names were signed in mixed case." / "Write header names in lower case, in the canonical headers and in SignedHeaders."
        "请求头名称按混合大小写签名。" / "规范请求头和 SignedHeaders 中的名称请使用小写。";
    HeaderValues "tc3-header-values" Headers Sometimes
        "Header values were signed in another case or with other blanks than the policy accepts." / "Trim header values and put them in lower case in the canonical headers."
        "请求头的值按策略不接受的大小写或空白签名。" / "规范请求头中的值请去除首尾空白并转为小写。";
    HeaderOrder "tc3-header-order" Headers Sometimes
        "The canonical headers or SignedHeaders were signed in another order than the header lists." / "Sort the header names, and use the same list everywhere."
        "规范请求头或 SignedHeaders 的签名顺序与请求头中列出的不同。" / "请对请求头名称排序，并在各处使用同一列表。";
    HeaderSet "tc3-signed-headers-list" Headers Always
        "Other headers were signed than SignedHeaders lists, or the list itself is malformed or a header did not arrive." / "List exactly the signed headers, each once, and sign none that proxies change."
        "实际签名的请求头与 SignedHeaders 不一致，或列表有误，或某个请求头未到达。" / "请准确列出参与签名的请求头，每个一次，且不要签名会被代理修改的请求头。";
    MissingNewline "tc3-canonical-line-missing" Headers Always
        "A line end of the canonical request is missing or too many, most often the empty line after the headers." / "Each header ends in a line end, and one more follows the last."
        "规范请求中缺少或多出换行，最常见的是请求头之后的空行。" / "每个请求头以换行结尾，最后一个之后还有一个空行。";
    Crlf "tc3-crlf" Headers Always
        "The lines were joined with CR LF." / "Join them with a single LF on every platform."
        "各行以 CRLF 连接。" / "在任何平台上都请使用单个 LF。";
    LiteralBackslashN "tc3-literal-backslash-n" Headers Always
        "The lines were joined with the two characters `\\` and `n`." / "Use a real line feed; mind the quotes of the shell or language."
        "各行以 `\\` 和 `n` 两个字符连接。" / "请使用真正的换行符，注意 shell 或语言的引号规则。";
    BodyReserialised "tc3-body-reserialised" Payload Sometimes
        "The body was serialised again after signing: the JSON is the same and its bytes are not." / "Serialise once, and sign and send those bytes."
        "请求体在签名后被重新序列化：JSON 相同但字节不同。" / "请只序列化一次，并对同一字节签名和发送。";
    PayloadDigest "tc3-payload-digest" Payload Always
        "Another payload was hashed than was sent, or its digest was written in another form." / "Write the SHA-256 of the bytes of the body in lower-case hexadecimal digits."
        "计算哈希的请求体与发送的不同，或摘要的写法不同。" / "请将请求体字节的 SHA-256 写成小写十六进制。";
    UnsignedPayload "tc3-unsigned-payload-undeclared" Payload Always
        "`UNSIGNED-PAYLOAD` was signed and the header `X-TC-Content-SHA256` does not say so, or the other way round." / "Send `X-TC-Content-SHA256: UNSIGNED-PAYLOAD`, or hash the body."
        "签名使用了 `UNSIGNED-PAYLOAD` 而 `X-TC-Content-SHA256` 未声明，或者相反。" / "请发送 `X-TC-Content-SHA256: UNSIGNED-PAYLOAD`，或对请求体计算哈希。";
    ScopeService "tc3-service-scope-mismatch" Scope Always
        "The service in the credential scope is not the one that the host names." / "Use the first label of the domain, such as `cvm`, as the service."
        "凭证范围中的服务与主机名对应的服务不同。" / "请使用域名的第一段（如 `cvm`）作为服务名。";
    ScopeMismatch "tc3-scope-differs" Scope Always
        "Another credential scope was signed than was sent." / "Use the same date, service and `tc3_request` in the key chain, the string to sign and the header."
        "签名所用的凭证范围与发送的不同。" / "请在密钥派生、签名原文和请求头中使用相同的日期、服务和 `tc3_request`。";
    KeyChain "tc3-key-chain" Scope Always
        "The signing key was derived wrongly: without the prefix `TC3`, in another order, with a step missing, or from hexadecimal text." / "kDate = HMAC(\"TC3\" + key, date), kService = HMAC(kDate, service), kSigning = HMAC(kService, \"tc3_request\"), all in raw bytes."
        "签名密钥派生错误：缺少前缀 `TC3`、顺序不同、缺少步骤，或使用了十六进制文本。" / "kDate = HMAC(\"TC3\" + 密钥, 日期)，kService = HMAC(kDate, 服务)，kSigning = HMAC(kService, \"tc3_request\")，均使用原始字节。";
    StringToSignForm "tc3-string-to-sign-form" Scope Always
        "The string to sign has another form: the canonical request was not hashed, hashed in upper case, or a line differs." / "Four lines: `TC3-HMAC-SHA256`, the timestamp, the scope, the lower-case hexadecimal SHA-256 of the canonical request."
        "签名原文的形式不同：规范请求未哈希、哈希为大写，或某一行不同。" / "共四行：`TC3-HMAC-SHA256`、时间戳、凭证范围、规范请求 SHA-256 的小写十六进制。";

    // What the request says before any signature.
    AuthorizationUnreadable "tc3-authorization-unreadable" Request Always
        "The `Authorization` header could not be read." / "Write `TC3-HMAC-SHA256 Credential=<SecretId>/<date>/<service>/tc3_request, SignedHeaders=…, Signature=…`."
        "无法解析 `Authorization` 请求头。" / "格式：`TC3-HMAC-SHA256 Credential=<SecretId>/<日期>/<服务>/tc3_request, SignedHeaders=…, Signature=…`。";
    MissingParameter "missing-parameter" Request Always
        "A required parameter was not sent, or was sent empty." / "Send it. A POST of v1 and v2 is read from its form body alone, a GET from its query alone."
        "缺少必要参数，或参数为空。" / "请发送该参数。v1、v2 的 POST 只读取表单请求体，GET 只读取查询。";
    DuplicateParameter "duplicate-param" Request Sometimes
        "A parameter or header occurs twice." / "Send each name once; flatten lists into `name.0`, `name.1`…"
        "参数或请求头重复出现。" / "每个名称只发送一次；列表请展开为 `name.0`、`name.1`…。";
    ValuelessParameter "valueless-param" Request Sometimes
        "A piece of the query or form has no `=`: a bare name, or a value whose `&` was not encoded." / "Send `name=`, and encode `&` in values as `%26`."
        "查询或表单的某一段没有 `=`：只有名称，或值中的 `&` 未编码。" / "请发送 `name=`，并将值中的 `&` 编码为 `%26`。";
    UnencodedCharacter "unencoded-reserved-char" Request Sometimes
        "A character was sent raw that must be percent-encoded." / "Percent-encode every value as UTF-8 when the request is built."
        "发送了必须进行百分号编码的原始字符。" / "构造请求时请将每个值按 UTF-8 进行百分号编码。";
    AmbiguousNames "ambiguous-names" Request Sometimes
        "Two parameter names differ only in `_` and `.`, which sign alike." / "Send only one of the two spellings."
        "两个参数名仅在 `_` 和 `.` 上不同，签名原文相同。" / "请只发送其中一种写法。";
    InvalidValue "invalid-common-parameter" Request Always
        "A common parameter has a value that its type does not allow." / "See the message for what is allowed."
        "公共参数的值不符合其类型。" / "允许的取值请参见错误信息。";
    BodyTooLarge "v1-body-too-large" Request Sometimes
        "The request is larger than its signature method allows." / "Use TC3-HMAC-SHA256 for large bodies."
        "请求超过了该签名方法允许的大小。" / "较大的请求体请使用 TC3-HMAC-SHA256。";
    MalformedBody "malformed-body" Request Always
        "The body cannot be read as what its Content-Type says." / "Check the boundary of the multipart body."
        "无法按 Content-Type 解析请求体。" / "请检查 multipart 请求体的 boundary。";
    PlainHttp "plain-http" Request Always
        "The request came over HTTP, or the component that ends TLS did not say that it came over HTTPS." / "Use https:// in the endpoint."
        "请求使用了 HTTP，或终止 TLS 的组件未声明请求来自 HTTPS。" / "接入地址请使用 https://。";
    MethodUnsupported "method-unsupported" Request Always
        "The method is neither GET nor POST." / "Use GET or POST."
        "请求方法不是 GET 或 POST。" / "请使用 GET 或 POST。";
    NonceReused "nonce-reused" Request Sometimes
        "A request with the same Nonce and Timestamp was accepted before: a retry that was not signed again, or a nonce that is not random enough." / "Make a new random nonce of at least 48 bits and sign again for every attempt."
        "已接受过 Nonce 与 Timestamp 相同的请求：重试时未重新签名，或随机数不够随机。" / "每次尝试都请生成至少 48 位的新随机数并重新签名。";
    NotPermitted "cam-unauthorized" Request Always
        "The signature is valid; the account may not do this." / "Check account, CAM policies and MFA; the signing code is right."
        "签名有效，但账号无权执行该操作。" / "请检查账号、CAM 策略和 MFA；签名代码没有问题。";
    ActionWrong "action-not-available" Request Always
        "The signature is valid; the action does not exist or is out of service." / "Check the name of the action, the version and the domain."
        "签名有效，但接口不存在或已停止服务。" / "请检查接口名称、版本和域名。";
    LimitReached "limit-reached" Request Sometimes
        "The signature is valid; a rate or a quota is used up." / "Slow down, and retry after the time in the message."
        "签名有效，但频率或配额已用完。" / "请降低频率，并在提示的时间后重试。";
}
