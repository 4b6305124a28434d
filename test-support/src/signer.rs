//! A reference signer for the three ways to sign, written from the rules alone and for reading rather than for speed.
//!
//! It shares no code with the crate, so that an error in one does not hide in the other. `tests/reference_signer.rs`
//! checks it against published vectors. The rules are Tencent's:
//!
//! * legacy v2: <https://cloud.tencent.com/document/api/213/6982>; API 3.0 signature v1 differs in host and path, and
//!   in that it leaves `_` in parameter names alone
//! * TC3-HMAC-SHA256: <https://intl.cloud.tencent.com/zh/document/api/1021/34193>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub const SECRET_ID: &str = "AKIDEXAMPLEdummydummydummydummydummy12";
pub const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";
/// 2026-01-01T00:00:00Z.
pub const TIMESTAMP: i64 = 1_767_225_600;

const FORM_CONTENT_TYPE: &str = "application/x-www-form-urlencoded";
const MULTIPART_BOUNDARY: &str = "----boundary0123456789";

/// A request as it goes on the wire, and the text its signature covers.
#[derive(Clone, Debug)]
pub struct Signed {
    pub method: String,
    /// Path and query as on the wire.
    pub target: String,
    /// All headers but `Content-Length`; `Host` is the first.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub string_to_sign: String,
}

impl Signed {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn host(&self) -> &str {
        self.header("Host").expect("the signers set Host")
    }

    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The HTTP/1.1 request with its `Content-Length`.
    pub fn raw(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }
}

/// The hash under the HMAC, and what `SignatureMethod` says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA1 with `SignatureMethod=HmacSHA1`.
    Sha1,
    /// HMAC-SHA256 with `SignatureMethod=HmacSHA256`.
    Sha256,
    /// HMAC-SHA1 without a `SignatureMethod`.
    UndeclaredSha1,
}

impl Algorithm {
    fn signature_method(self) -> Option<&'static str> {
        match self {
            Self::Sha1 => Some("HmacSHA1"),
            Self::Sha256 => Some("HmacSHA256"),
            Self::UndeclaredSha1 => None,
        }
    }
}

/// How a POST carries its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Urlencoded,
    Multipart,
}

/// What becomes of `_` in parameter names, and whether that happens before the sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Underscore {
    ReplacedAfterSort,
    ReplacedBeforeSort,
    /// Replaced after the sort, but a name that begins with `_` is left as it is.
    ReplacedUnlessLeading,
    Kept,
}

/// Signs a legacy v2 request or an API 3.0 request with signature v1.
#[derive(Clone, Debug)]
pub struct QuerySigner {
    pub method: String,
    pub host: String,
    pub path: String,
    pub secret_id: String,
    pub secret_key: String,
    pub algorithm: Algorithm,
    pub timestamp: i64,
    pub nonce: String,
    /// All parameters but SecretId, Timestamp, Nonce, SignatureMethod and Signature.
    pub params: Vec<(String, String)>,
    /// Parameters that are sent but left out of the signature.
    pub unsigned: Vec<(String, String)>,
    pub form: Form,
    pub underscore: Underscore,
}

impl QuerySigner {
    /// A legacy v2 GET without `Version`, so that refusals are numeric.
    pub fn v2() -> Self {
        Self {
            method: "GET".to_owned(),
            host: "cvm.api.qcloud.com".to_owned(),
            path: "/v2/index.php".to_owned(),
            secret_id: SECRET_ID.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            algorithm: Algorithm::UndeclaredSha1,
            timestamp: TIMESTAMP,
            nonce: "11886".to_owned(),
            params: owned(&[("Action", "DescribeInstances"), ("Region", "ap-guangzhou")]),
            unsigned: Vec::new(),
            form: Form::Urlencoded,
            underscore: Underscore::ReplacedBeforeSort,
        }
    }

    /// An API 3.0 GET with signature v1.
    pub fn v1() -> Self {
        Self {
            host: "cvm.tencentcloudapi.com".to_owned(),
            path: "/".to_owned(),
            underscore: Underscore::Kept,
            ..Self::v2()
        }
        .with("Version", "2017-03-12")
    }

    /// The same request with one more parameter.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn sign(&self) -> Signed {
        let mut params = self.params.clone();
        params.push(("SecretId".to_owned(), self.secret_id.clone()));
        params.push(("Timestamp".to_owned(), self.timestamp.to_string()));
        params.push(("Nonce".to_owned(), self.nonce.clone()));
        if let Some(declared) = self.algorithm.signature_method() {
            params.push(("SignatureMethod".to_owned(), declared.to_owned()));
        }

        let string_to_sign = self.string_to_sign(&params);
        let signature = signature(self.algorithm, &self.secret_key, &string_to_sign);

        params.extend_from_slice(&self.unsigned);
        params.push(("Signature".to_owned(), signature));

        let mut headers = owned(&[("Host", &self.host)]);
        let mut target = self.path.clone();
        let mut body = Vec::new();
        if self.method == "GET" {
            target = format!("{}?{}", self.path, urlencoded(&params));
        } else {
            let content_type = match self.form {
                Form::Urlencoded => {
                    body = urlencoded(&params).into_bytes();
                    FORM_CONTENT_TYPE.to_owned()
                }
                Form::Multipart => {
                    body = multipart(&params).into_bytes();
                    format!("multipart/form-data; boundary={MULTIPART_BOUNDARY}")
                }
            };
            headers.push(("Content-Type".to_owned(), content_type));
        }

        Signed {
            method: self.method.clone(),
            target,
            headers,
            body,
            string_to_sign,
        }
    }

    fn string_to_sign(&self, params: &[(String, String)]) -> String {
        let dotted = |name: &str| name.replace('_', ".");
        let dotted_unless_leading = |name: &str| {
            if name.starts_with('_') {
                name.to_owned()
            } else {
                dotted(name)
            }
        };
        let pairs = match self.underscore {
            Underscore::ReplacedBeforeSort => sorted(renamed(params.to_vec(), dotted)),
            Underscore::ReplacedAfterSort => renamed(sorted(params.to_vec()), dotted),
            Underscore::ReplacedUnlessLeading => {
                renamed(sorted(params.to_vec()), dotted_unless_leading)
            }
            Underscore::Kept => sorted(params.to_vec()),
        };
        let joined: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!(
            "{}{}{}?{}",
            self.method,
            self.host,
            self.path,
            joined.join("&")
        )
    }
}

/// Whether the canonical headers hold lower-cased values, as documented, or the values as sent, as every SDK signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderValues {
    LowerCased,
    Verbatim,
}

/// Signs an API 3.0 request with TC3-HMAC-SHA256.
#[derive(Clone, Debug)]
pub struct Tc3Signer {
    pub method: String,
    pub host: String,
    pub path: String,
    /// Raw: goes on the wire as it is.
    pub query: String,
    pub content_type: String,
    pub body: Vec<u8>,
    pub secret_id: String,
    pub secret_key: String,
    pub timestamp: i64,
    /// The date of the credential scope; `None` is the UTC date of `timestamp`.
    pub date: Option<String>,
    pub service: String,
    /// Headers that are sent and signed, beyond Content-Type and Host.
    pub extra_signed: Vec<(String, String)>,
    /// Headers that are sent but not signed.
    pub headers: Vec<(String, String)>,
    pub header_values: HeaderValues,
    /// Signs `UNSIGNED-PAYLOAD` in place of the body and says so in `X-TC-Content-SHA256`.
    pub unsigned_payload: bool,
}

impl Tc3Signer {
    /// A POST with a JSON body.
    pub fn post() -> Self {
        Self {
            method: "POST".to_owned(),
            host: "cvm.tencentcloudapi.com".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            content_type: "application/json".to_owned(),
            body: br#"{"Limit":1}"#.to_vec(),
            secret_id: SECRET_ID.to_owned(),
            secret_key: SECRET_KEY.to_owned(),
            timestamp: TIMESTAMP,
            date: None,
            service: "cvm".to_owned(),
            extra_signed: Vec::new(),
            headers: owned(&[
                ("X-TC-Action", "DescribeInstances"),
                ("X-TC-Version", "2017-03-12"),
                ("X-TC-Region", "ap-guangzhou"),
            ]),
            header_values: HeaderValues::LowerCased,
            unsigned_payload: false,
        }
    }

    /// A GET with a query.
    pub fn get() -> Self {
        Self {
            method: "GET".to_owned(),
            query: "Limit=1".to_owned(),
            content_type: FORM_CONTENT_TYPE.to_owned(),
            body: Vec::new(),
            ..Self::post()
        }
    }

    pub fn sign(&self) -> Signed {
        let payload: &[u8] = if self.unsigned_payload {
            b"UNSIGNED-PAYLOAD"
        } else if self.method == "GET" {
            b""
        } else {
            &self.body
        };
        self.sign_payload_sha256(&sha256_hex(payload))
    }

    /// Signs as if the payload had this SHA-256, in lower-case hex.
    pub fn sign_payload_sha256(&self, payload_sha256: &str) -> Signed {
        let mut signed_headers =
            owned(&[("content-type", &self.content_type), ("host", &self.host)]);
        signed_headers.extend(
            self.extra_signed
                .iter()
                .map(|(name, value)| (name.to_lowercase(), value.clone())),
        );
        signed_headers.sort();

        let mut canonical_headers = String::new();
        for (name, value) in &signed_headers {
            let value = match self.header_values {
                // The blanks that HTTP allows around a value, and no others.
                HeaderValues::LowerCased => value.trim_matches([' ', '\t']).to_lowercase(),
                HeaderValues::Verbatim => value.trim_matches([' ', '\t']).to_owned(),
            };
            canonical_headers.push_str(&format!("{name}:{value}\n"));
        }
        let names: Vec<&str> = signed_headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let names = names.join(";");
        let canonical_query = if self.method == "POST" {
            ""
        } else {
            &self.query
        };
        let canonical_request = format!(
            "{}\n{}\n{canonical_query}\n{canonical_headers}\n{names}\n{payload_sha256}",
            self.method, self.path
        );

        let date = self
            .date
            .clone()
            .unwrap_or_else(|| utc_date(self.timestamp));
        let scope = format!("{date}/{}/tc3_request", self.service);
        let string_to_sign = format!(
            "TC3-HMAC-SHA256\n{}\n{scope}\n{}",
            self.timestamp,
            sha256_hex(canonical_request.as_bytes())
        );
        let keys = tc3_keys(&self.secret_key, &date, &self.service);
        let signature = hex(&hmac_sha256(&keys.signing, string_to_sign.as_bytes()));

        let mut headers = owned(&[("Host", &self.host), ("Content-Type", &self.content_type)]);
        let is_signed = |name: &str| {
            self.extra_signed
                .iter()
                .any(|(signed, _)| signed.eq_ignore_ascii_case(name))
        };
        if !is_signed("x-tc-timestamp") {
            headers.push(("X-TC-Timestamp".to_owned(), self.timestamp.to_string()));
        }
        headers.extend_from_slice(&self.extra_signed);
        headers.extend(
            self.headers
                .iter()
                .filter(|(name, _)| !is_signed(name))
                .cloned(),
        );
        if self.unsigned_payload {
            headers.push((
                "X-TC-Content-SHA256".to_owned(),
                "UNSIGNED-PAYLOAD".to_owned(),
            ));
        }
        headers.push((
            "Authorization".to_owned(),
            format!(
                "TC3-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
                self.secret_id
            ),
        ));

        let target = if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        };
        Signed {
            method: self.method.clone(),
            target,
            headers,
            body: self.body.clone(),
            string_to_sign,
        }
    }
}

/// The keys that TC3 derives from a secret key.
#[derive(Clone, Debug)]
pub struct Tc3Keys {
    pub date: Vec<u8>,
    pub service: Vec<u8>,
    pub signing: Vec<u8>,
}

pub fn tc3_keys(secret_key: &str, date: &str, service: &str) -> Tc3Keys {
    let date = hmac_sha256(format!("TC3{secret_key}").as_bytes(), date.as_bytes());
    let service = hmac_sha256(&date, service.as_bytes());
    let signing = hmac_sha256(&service, b"tc3_request");
    Tc3Keys {
        date,
        service,
        signing,
    }
}

/// The signature of a v2 or v1 string to sign, in base64.
pub fn signature(algorithm: Algorithm, secret_key: &str, string_to_sign: &str) -> String {
    let digest = match algorithm {
        Algorithm::Sha256 => hmac_sha256(secret_key.as_bytes(), string_to_sign.as_bytes()),
        Algorithm::Sha1 | Algorithm::UndeclaredSha1 => {
            hmac_sha1(secret_key.as_bytes(), string_to_sign.as_bytes())
        }
    };
    let mut base64 = [0; 44];
    let length = STANDARD
        .encode_slice(digest, &mut base64)
        .expect("32 bytes are 44 characters of base64");
    base64[..length]
        .iter()
        .map(|&byte| char::from(byte))
        .collect()
}

/// The UTC calendar date of a moment, as `YYYY-MM-DD`.
pub fn utc_date(unix_seconds: i64) -> String {
    // Counting years from March puts the leap day at their end, and shifting the epoch to 0000-03-01 puts a new era
    // of 400 years (146 097 days) at day 0.
    let days = unix_seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next_year) = if month_from_march < 10 {
        (month_from_march + 3, 0)
    } else {
        (month_from_march - 9, 1)
    };
    let year = era * 400 + year_of_era + next_year;
    format!("{year:04}-{month:02}-{day:02}")
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn renamed(
    pairs: Vec<(String, String)>,
    new_name: impl Fn(&str) -> String,
) -> Vec<(String, String)> {
    pairs
        .into_iter()
        .map(|(name, value)| (new_name(&name), value))
        .collect()
}

/// By the bytes of the names: `A` before `_` before `a`, `Ids.10` before `Ids.2`.
fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    pairs
}

fn urlencoded(params: &[(String, String)]) -> String {
    let pairs: Vec<String> = params
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)))
        .collect();
    pairs.join("&")
}

fn multipart(params: &[(String, String)]) -> String {
    let mut body = String::new();
    for (name, value) in params {
        body.push_str(&format!(
            "--{MULTIPART_BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(&format!("--{MULTIPART_BOUNDARY}--\r\n"));
    body
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn hmac_sha1(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn sha256_hex(message: &[u8]) -> String {
    hex(&Sha256::digest(message))
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
