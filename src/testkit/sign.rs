//! How a client signs that makes no mistake.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::{Clock, SystemClock};
use crate::diagnose::{percent_encoded, tc3_key};
use crate::request::Transport;
use crate::signature::{Authorization, Tc3Signed};
use crate::testkit::Request;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Signs requests as a client does, by each of the schemes.
///
/// What is not set has a usual value: the present time, a random nonce, a domain of CVM. The method is GET for v2, v1 and
/// for a TC3 request with parameters and no body, and POST for every other TC3 request.
///
/// ```
/// use qcloud_validator::assert_admitted;
/// use qcloud_validator::testkit::Signer;
///
/// let request = Signer::tc3("AKIDEXAMPLE", "dummySecretKey")
///     .host("cvm.tencentcloudapi.com")
///     .action("DescribeInstances")
///     .version("2017-03-12")
///     .region("ap-guangzhou")
///     .body(r#"{"Limit":1}"#)
///     .sign();
/// assert_admitted!(&request, ("AKIDEXAMPLE", "dummySecretKey"));
/// ```
#[derive(Clone)]
pub struct Signer {
    pub(super) scheme: SignerScheme,
    pub(super) transport: Transport,
    pub(super) secret_id: String,
    pub(super) secret_key: Zeroizing<Vec<u8>>,
    pub(super) method: Option<String>,
    pub(super) host: Option<String>,
    pub(super) path: Option<String>,
    pub(super) declared: Option<Digest>,
    pub(super) timestamp: Option<i64>,
    pub(super) nonce: Option<u64>,
    pub(super) token: Option<String>,
    pub(super) service: Option<String>,
    /// `Action`, `Version`, `Region`.
    pub(super) common: Vec<(String, String)>,
    pub(super) parameters: Vec<(String, String)>,
    /// As it is, in the URL of TC3.
    pub(super) query: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) body: Option<Vec<u8>>,
    pub(super) unsigned_payload: bool,
    /// Headers, and whether they are signed.
    pub(super) headers: Vec<(String, String, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignerScheme {
    V2,
    V1,
    Tc3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
}

impl Signer {
    fn new(scheme: SignerScheme, secret_id: String, secret_key: Vec<u8>) -> Self {
        Self {
            scheme,
            transport: Transport::Https,
            secret_id,
            secret_key: Zeroizing::new(secret_key),
            method: None,
            host: None,
            path: None,
            declared: None,
            timestamp: None,
            nonce: None,
            token: None,
            service: None,
            common: Vec::new(),
            parameters: Vec::new(),
            query: None,
            content_type: None,
            body: None,
            unsigned_payload: false,
            headers: Vec::new(),
        }
    }

    /// Legacy API v2: all parameters in the query or, for a POST, in a form.
    ///
    /// ```
    /// use qcloud_validator::assert_admitted;
    /// use qcloud_validator::testkit::Signer;
    ///
    /// let signer = Signer::v2("AKIDEXAMPLE", "dummySecretKey")
    ///     .hmac_sha256()
    ///     .action("DescribeInstances")
    ///     .parameter("instanceIds.0", "ins-1");
    /// assert_admitted!(signer.sign(), ("AKIDEXAMPLE", "dummySecretKey"));
    /// assert_admitted!(signer.post().sign(), ("AKIDEXAMPLE", "dummySecretKey"));
    /// ```
    #[must_use]
    pub fn v2(secret_id: impl Into<String>, secret_key: impl Into<Vec<u8>>) -> Self {
        Self::new(SignerScheme::V2, secret_id.into(), secret_key.into())
    }

    /// API 3.0 with signature v1, which signs as v2 does on other domains.
    #[must_use]
    pub fn v1(secret_id: impl Into<String>, secret_key: impl Into<Vec<u8>>) -> Self {
        Self::new(SignerScheme::V1, secret_id.into(), secret_key.into())
    }

    /// API 3.0 with TC3-HMAC-SHA256: common parameters and signature in headers.
    #[must_use]
    pub fn tc3(secret_id: impl Into<String>, secret_key: impl Into<Vec<u8>>) -> Self {
        Self::new(SignerScheme::Tc3, secret_id.into(), secret_key.into())
    }

    /// Sets `Action`, the name of the API.
    #[must_use]
    pub fn action(self, action: impl Into<String>) -> Self {
        self.with_common("Action", action.into())
    }

    /// Sets `Version`, which API 3.0 demands.
    #[must_use]
    pub fn version(self, version: impl Into<String>) -> Self {
        self.with_common("Version", version.into())
    }

    /// Sets `Region`.
    #[must_use]
    pub fn region(self, region: impl Into<String>) -> Self {
        self.with_common("Region", region.into())
    }

    fn with_common(mut self, name: &str, value: String) -> Self {
        set(&mut self.common, name.to_owned(), value);
        self
    }

    /// Sets a parameter of the action: for v2 and v1, and for a TC3 GET. A TC3 POST holds its parameters in its body.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        set(&mut self.parameters, name.into(), value.into());
        self
    }

    /// Sets several parameters of the action.
    #[must_use]
    pub fn parameters<N: Into<String>, V: Into<String>>(
        self,
        parameters: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        parameters
            .into_iter()
            .fold(self, |signer, (name, value)| signer.parameter(name, value))
    }

    /// Sends a GET.
    #[must_use]
    pub fn get(mut self) -> Self {
        self.method = Some("GET".to_owned());
        self
    }

    /// Sends a POST.
    #[must_use]
    pub fn post(mut self) -> Self {
        self.method = Some("POST".to_owned());
        self
    }

    /// Sets the host, with its port if it has one.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Sets the path; it is `/v2/index.php` for v2 and `/` otherwise.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Sends it over HTTPS, the default, or over plain HTTP.
    #[must_use]
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Sets the time of signing, in seconds since 1970.
    #[must_use]
    pub fn timestamp(mut self, seconds: i64) -> Self {
        self.timestamp = Some(seconds);
        self
    }

    /// Sets the nonce of v2 and v1.
    #[must_use]
    pub fn nonce(mut self, nonce: u64) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Sets the token of a temporary key.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Signs v2 or v1 with HMAC-SHA256 and declares it.
    #[must_use]
    pub fn hmac_sha256(mut self) -> Self {
        self.declared = Some(Digest::Sha256);
        self
    }

    /// Signs v2 or v1 with HMAC-SHA1 and declares it; without a declaration it is the same hash.
    #[must_use]
    pub fn hmac_sha1(mut self) -> Self {
        self.declared = Some(Digest::Sha1);
        self
    }

    /// Sets the service in the scope of TC3; it is the first label of the host otherwise.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Sets the body of a TC3 request, in any format that [`content_type`](Self::content_type) names; JSON otherwise.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets the `Content-Type`.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Sets the query of TC3 as it goes on the wire, instead of [`parameters`](Self::parameters).
    #[must_use]
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// Leaves the body of a TC3 request out of its signature, and declares it.
    #[must_use]
    pub fn unsigned_payload(mut self) -> Self {
        self.unsigned_payload = true;
        self
    }

    /// Sends one more header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into(), false));
        self
    }

    /// Sends one more header and, with TC3, signs it. `X-TC-Action` and its like, which TC3 sends in any case, are sent
    /// with this value and signed.
    #[must_use]
    pub fn signed_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into(), true));
        self
    }

    /// Signs rightly.
    #[must_use]
    pub fn sign(&self) -> Request {
        let draft = self.draft();
        let mac = mac(draft.hash(), &draft.right_key(), &draft.right_text());
        draft.signed(&draft.written(&mac))
    }

    /// All that is sent but the signature, with the time and the nonce fixed.
    pub(super) fn draft(&self) -> Draft {
        let timestamp = self
            .timestamp
            .unwrap_or_else(|| SystemClock.now().seconds());
        match self.scheme {
            SignerScheme::V2 | SignerScheme::V1 => Draft::Query(self.query_draft(timestamp)),
            SignerScheme::Tc3 => Draft::Tc3(self.tc3_draft(timestamp)),
        }
    }

    fn query_draft(&self, timestamp: i64) -> QueryDraft {
        let (host, path) = match self.scheme {
            SignerScheme::V2 => ("cvm.api.qcloud.com", "/v2/index.php"),
            SignerScheme::V1 | SignerScheme::Tc3 => ("cvm.tencentcloudapi.com", "/"),
        };
        let nonce = self.nonce.unwrap_or_else(random_nonce);
        let mut parameters = self.common.clone();
        for (name, value) in &self.parameters {
            set(&mut parameters, name.clone(), value.clone());
        }
        let own = [
            ("SecretId", Some(self.secret_id.clone())),
            ("Timestamp", Some(timestamp.to_string())),
            ("Nonce", Some(nonce.to_string())),
            (
                "SignatureMethod",
                self.declared.map(|hash| hash.name().to_owned()),
            ),
            ("Token", self.token.clone()),
        ];
        for (name, value) in own {
            if let Some(value) = value
                && !parameters.iter().any(|(known, _)| known == name)
            {
                parameters.push((name.to_owned(), value));
            }
        }
        QueryDraft {
            transport: self.transport,
            method: self.method.clone().unwrap_or_else(|| "GET".to_owned()),
            host: self.host.clone().unwrap_or_else(|| host.to_owned()),
            path: self.path.clone().unwrap_or_else(|| path.to_owned()),
            content_type: self.content_type.clone().unwrap_or_else(|| FORM.to_owned()),
            headers: self.headers.clone(),
            parameters,
            dotted: self.scheme == SignerScheme::V2,
            hash: self.declared.unwrap_or(Digest::Sha1),
            key: self.secret_key.clone(),
        }
    }

    fn tc3_draft(&self, timestamp: i64) -> Tc3Draft {
        let in_query = self.body.is_none() && (self.query.is_some() || !self.parameters.is_empty());
        let method = match &self.method {
            Some(method) => method.as_str(),
            None if in_query => "GET",
            None => "POST",
        };
        let query = match &self.query {
            Some(query) => query.clone(),
            None => urlencoded(&self.parameters),
        };
        let path = self.path.as_deref().unwrap_or("/");
        let target = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        let (content_type, body) = if method == "GET" {
            (FORM, &b""[..])
        } else {
            (JSON, &b"{}"[..])
        };
        let host = self.host.as_deref().unwrap_or("cvm.tencentcloudapi.com");
        let content_type = self.content_type.as_deref().unwrap_or(content_type);
        let text = |value: Option<&str>| value.map(str::to_owned);
        let common = |name: &str| {
            let found = self.common.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let mut headers: Vec<(String, String, bool)> = [
            ("Host", text(Some(host)), true),
            ("Content-Type", text(Some(content_type)), true),
            ("X-TC-Action", common("Action"), false),
            ("X-TC-Version", common("Version"), false),
            ("X-TC-Timestamp", Some(timestamp.to_string()), false),
            ("X-TC-Region", common("Region"), false),
            ("X-TC-Token", self.token.clone(), false),
            (
                "X-TC-Content-SHA256",
                self.unsigned_payload.then(|| UNSIGNED_PAYLOAD.to_owned()),
                false,
            ),
        ]
        .into_iter()
        .filter_map(|(name, value, signed)| Some((name.to_owned(), value?, signed)))
        .collect();
        for (name, value, signed) in &self.headers {
            let known = headers
                .iter_mut()
                .find(|(known, ..)| known.eq_ignore_ascii_case(name));
            match known {
                Some((_, old, was_signed)) => {
                    old.clone_from(value);
                    *was_signed |= signed;
                }
                None => headers.push((name.clone(), value.clone(), *signed)),
            }
        }
        let mut request = Request::new(method, target)
            .with_transport(self.transport)
            .with_body(self.body.as_deref().unwrap_or(body));
        let mut names = Vec::new();
        for (name, value, signed) in headers {
            if signed {
                names.push(name.to_ascii_lowercase());
            }
            request = request.with_header(name, value);
        }
        names.sort_unstable();
        let service = host.split('.').next().unwrap_or_default();
        Tc3Draft {
            request,
            secret_id: self.secret_id.clone(),
            date: utc_date(timestamp),
            service: self.service.clone().unwrap_or_else(|| service.to_owned()),
            signed_headers: names.join(";"),
            timestamp: timestamp.to_string(),
            key: self.secret_key.clone(),
        }
    }
}

impl fmt::Debug for Signer {
    /// Shows no key, token, parameter or body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("scheme", &self.scheme)
            .field("secret_id", &self.secret_id)
            .finish_non_exhaustive()
    }
}

/// A request that lacks its signature.
pub(super) enum Draft {
    Query(QueryDraft),
    Tc3(Tc3Draft),
}

#[derive(Clone)]
pub(super) struct QueryDraft {
    transport: Transport,
    pub(super) method: String,
    host: String,
    pub(super) path: String,
    pub(super) content_type: String,
    headers: Vec<(String, String, bool)>,
    /// In the order in which they are sent.
    pub(super) parameters: Vec<(String, String)>,
    /// Whether `_` in names is signed as `.`.
    dotted: bool,
    hash: Digest,
    key: Zeroizing<Vec<u8>>,
}

#[derive(Clone)]
pub(super) struct Tc3Draft {
    pub(super) request: Request,
    secret_id: String,
    pub(super) date: String,
    service: String,
    signed_headers: String,
    timestamp: String,
    key: Zeroizing<Vec<u8>>,
}

impl Draft {
    pub(super) fn hash(&self) -> Digest {
        match self {
            Self::Query(draft) => draft.hash,
            Self::Tc3(_) => Digest::Sha256,
        }
    }

    /// What the HMAC is keyed with.
    pub(super) fn right_key(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Query(draft) => draft.key.clone(),
            Self::Tc3(draft) => tc3_key(&draft.key, &draft.authorization(NO_SIGNATURE)),
        }
    }

    /// The string to sign.
    pub(super) fn right_text(&self) -> Vec<u8> {
        match self {
            Self::Query(draft) => draft.right_text(),
            Self::Tc3(draft) => Tc3Signed {
                request: &draft.request.view(),
                authorization: draft.authorization(NO_SIGNATURE),
                timestamp: draft.timestamp.as_bytes(),
            }
            .string_to_sign(),
        }
    }

    /// An HMAC as the scheme writes it.
    pub(super) fn written(&self, mac: &[u8]) -> String {
        match self {
            Self::Query(_) => base64(mac),
            Self::Tc3(_) => hexadecimal(mac),
        }
    }

    /// The request with this signature.
    pub(super) fn signed(&self, signature: &str) -> Request {
        match self {
            Self::Query(draft) => draft.signed(signature),
            Self::Tc3(draft) => draft.signed(signature),
        }
    }
}

const NO_SIGNATURE: &str = "";

impl QueryDraft {
    pub(super) fn with_parameters(&self, parameters: Vec<(String, String)>) -> Self {
        Self {
            parameters,
            ..self.clone()
        }
    }

    /// Method, host, path and the pairs in byte order of their names; v2 then reads `_` in names as `.`.
    fn right_text(&self) -> Vec<u8> {
        let mut sorted: Vec<&(String, String)> = self.parameters.iter().collect();
        sorted.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
        let pairs: Vec<String> = sorted
            .iter()
            .map(|(name, value)| {
                if self.dotted {
                    format!("{}={value}", name.replace('_', "."))
                } else {
                    format!("{name}={value}")
                }
            })
            .collect();
        let path = self.path.split('?').next().unwrap_or_default();
        format!("{}{}{path}?{}", self.method, self.host, pairs.join("&")).into_bytes()
    }

    pub(super) fn signed(&self, signature: &str) -> Request {
        let mut parameters = self.parameters.clone();
        parameters.push(("Signature".to_owned(), signature.to_owned()));
        let pairs = urlencoded(&parameters);
        let request = if self.method == "GET" {
            Request::new("GET", format!("{}?{pairs}", self.path)).with_header("Host", &*self.host)
        } else {
            Request::new(&*self.method, &*self.path)
                .with_header("Host", &*self.host)
                .with_header("Content-Type", &*self.content_type)
                .with_body(pairs)
        };
        self.headers
            .iter()
            .fold(request, |request, (name, value, _)| {
                request.with_header(name, value.as_str())
            })
            .with_transport(self.transport)
    }
}

impl Tc3Draft {
    /// With another date in the scope.
    pub(super) fn with_date(&self, date: String) -> Self {
        Self {
            date,
            ..self.clone()
        }
    }

    /// With another path and query.
    pub(super) fn with_target(&self, target: Vec<u8>) -> Self {
        Self {
            request: self.request.clone().with_target(target),
            ..self.clone()
        }
    }

    fn authorization<'d>(&'d self, signature: &'d str) -> Authorization<'d> {
        Authorization {
            secret_id: &self.secret_id,
            date: &self.date,
            service: &self.service,
            signed_headers: &self.signed_headers,
            signature,
        }
    }

    pub(super) fn signed(&self, signature: &str) -> Request {
        let Self {
            secret_id,
            date,
            service,
            signed_headers,
            ..
        } = self;
        self.request.clone().with_header(
            "Authorization",
            format!(
                "TC3-HMAC-SHA256 Credential={secret_id}/{date}/{service}/tc3_request, \
                 SignedHeaders={signed_headers}, Signature={signature}"
            ),
        )
    }
}

impl Digest {
    /// The value of `SignatureMethod`.
    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "HmacSHA1",
            Self::Sha256 => "HmacSHA256",
        }
    }
}

pub(super) fn mac(hash: Digest, key: &[u8], text: &[u8]) -> Vec<u8> {
    fn of<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
        // HMAC takes keys of any length.
        let mac = <M as KeyInit>::new_from_slice(key).map(|mac| mac.chain_update(text));
        mac.map(|mac| mac.finalize().into_bytes().to_vec())
            .unwrap_or_default()
    }
    match hash {
        Digest::Sha1 => of::<Hmac<Sha1>>(key, text),
        Digest::Sha256 => of::<Hmac<Sha256>>(key, text),
    }
}

pub(super) fn base64(bytes: &[u8]) -> String {
    // Room for the usual expansion and the padding.
    let mut text = vec![0; bytes.len().saturating_mul(2).saturating_add(4)];
    let length = STANDARD.encode_slice(bytes, &mut text).unwrap_or_default();
    String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned()
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn urlencoded(parameters: &[(String, String)]) -> String {
    let encoded =
        |text: &str| String::from_utf8_lossy(&percent_encoded(text.as_bytes())).into_owned();
    let pairs: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
        .collect();
    pairs.join("&")
}

fn random_nonce() -> u64 {
    let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
    // As long as the numbers that every client language has.
    low >> 16
}

/// `YYYY-MM-DD`; the first day of all for a time that has no date.
pub(super) fn utc_date(timestamp: i64) -> String {
    let date = time::OffsetDateTime::from_unix_timestamp(timestamp)
        .unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
        .date();
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}-{:02}-{day:02}", u8::from(month))
}

/// Changes the value of a name, or adds it.
fn set(pairs: &mut Vec<(String, String)>, name: String, value: String) {
    match pairs.iter_mut().find(|(known, _)| *known == name) {
        Some((_, old)) => *old = value,
        None => pairs.push((name, value)),
    }
}
