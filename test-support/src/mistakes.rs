//! Requests that are signed wrongly on purpose.
//!
//! A draft holds apart what is sent and each step of what is signed. A mistake first prepares a correct draft, so that
//! it has something to go wrong with, and then spoils one step. Like the reference signer, it shares no code with the
//! crate: every mistake is written from its description alone.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use hmac::{Hmac, KeyInit, Mac as _};
use qcloud_validator::diagnose::Hypothesis;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::signer::{SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, hex, percent_encoded, utc_date};
use crate::stores::TOKEN;

pub type Bytes = Vec<u8>;
pub type Pairs = Vec<(Bytes, Bytes)>;

pub const OTHER_ID: &str = "AKIDANOTHERdummydummydummydummydummy34";
pub const OTHER_KEY: &str = "anotherSecretKeyForTestsOnly65432";
const BOUNDARY: &str = "----boundary0123456789";

// ---------------------------------------------------------------------------------------------------------- chance

/// A small generator of pseudo-random numbers (xorshift64*).
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % bound
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Letters and digits; begins with a letter.
    pub fn word(&mut self, shortest: usize, longest: usize) -> String {
        const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        let length = shortest + self.below(longest - shortest + 1);
        (0..length)
            .map(|at| {
                let signs = if at == 0 { &SIGNS[..52] } else { SIGNS };
                char::from(*self.pick(signs))
            })
            .collect()
    }

    /// A word that has letters of both cases.
    pub fn mixed_word(&mut self) -> String {
        format!("Q{}x{}", self.word(2, 4), self.word(2, 5))
    }

    pub fn chinese(&mut self) -> String {
        const TEXTS: [&str; 6] = [
            "默认",
            "广州测试",
            "云服务器",
            "负载均衡",
            "中文名称",
            "数据库",
        ];
        format!("{}{}", self.pick(&TEXTS), self.pick(&TEXTS))
    }

    pub fn bytes(&mut self, length: usize) -> Bytes {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

// ----------------------------------------------------------------------------------------------------------- hashes

pub fn hmac_sha1(key: &[u8], message: &[u8]) -> Bytes {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn hmac_sha256(key: &[u8], message: &[u8]) -> Bytes {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

pub fn sha256_hex(message: &[u8]) -> String {
    hex(&Sha256::digest(message))
}

pub fn base64(bytes: &[u8]) -> String {
    base64_with(&STANDARD, bytes)
}

fn base64_with(engine: &impl base64::Engine, bytes: &[u8]) -> String {
    let mut text = vec![0; bytes.len() * 2 + 8];
    let length = engine
        .encode_slice(bytes, &mut text)
        .expect("there is room");
    text.truncate(length);
    String::from_utf8(text).expect("base64 is ASCII")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
}

/// What is computed over key and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    Hmac,
    Swapped,
    HashOfText,
    HashOfTextAndKey,
    HashOfKeyAndText,
}

fn mac(kind: Mac, hash: Hash, key: &[u8], text: &[u8]) -> Bytes {
    let keyed = match hash {
        Hash::Sha1 => hmac_sha1,
        Hash::Sha256 => hmac_sha256,
    };
    let plain = |bytes: &[u8]| match hash {
        Hash::Sha1 => Sha1::digest(bytes).to_vec(),
        Hash::Sha256 => Sha256::digest(bytes).to_vec(),
    };
    match kind {
        Mac::Hmac => keyed(key, text),
        Mac::Swapped => keyed(text, key),
        Mac::HashOfText => plain(text),
        Mac::HashOfTextAndKey => plain(&[text, key].concat()),
        Mac::HashOfKeyAndText => plain(&[key, text].concat()),
    }
}

/// How the MAC is written.
pub type Writing = fn(&[u8]) -> String;

fn written_base64(mac: &[u8]) -> String {
    base64(mac)
}

fn written_hex(mac: &[u8]) -> String {
    hex(mac)
}

// ------------------------------------------------------------------------------------------------------------ drafts

/// In which order the pairs are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Bytes,
    AsListed,
    Natural,
    CaseInsensitive,
    ByPair,
    EncodedNames,
    Reversed,
}

/// What becomes of `_` in names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Underscore {
    Kept,
    DottedAfterSort,
    DottedBeforeSort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Urlencoded,
    Multipart,
}

/// How the signature is put into the query or form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureWire {
    Encoded,
    PlusRaw,
    PlusAsBlank,
    Twice,
}

/// How the parts of the string are put together.
pub type Joining = fn(&[u8], &[u8], &[u8], &[u8]) -> Bytes;

fn joined(method: &[u8], host: &[u8], path: &[u8], pairs: &[u8]) -> Bytes {
    [method, host, path, b"?", pairs].concat()
}

/// What the server knows and when the request arrives.
#[derive(Clone, Debug)]
pub struct World {
    pub secret_id: String,
    /// The key that is registered.
    pub secret: Bytes,
    /// The token that is registered, if the credential is temporary.
    pub token: Option<String>,
    pub now: i64,
}

impl World {
    fn base() -> Self {
        Self {
            secret_id: SECRET_ID.to_owned(),
            secret: SECRET_KEY.as_bytes().to_vec(),
            token: None,
            now: TIMESTAMP,
        }
    }
}

/// What both kinds of draft have in common.
pub trait Draft: Clone {
    fn world(&self) -> &World;
    fn request(&self) -> Signed;
    /// The text under the last MAC.
    fn string_to_sign(&self) -> Bytes;
}

/// A legacy v2 request or an API 3.0 request with signature v1.
#[derive(Clone, Debug)]
pub struct QueryDraft {
    pub world: World,
    pub legacy: bool,

    pub method: String,
    pub host: String,
    pub path: String,
    pub form: Form,
    /// In the order in which they are sent; `Signature` follows them.
    pub params: Pairs,
    /// Parameters in the query of a POST.
    pub beside_form: Pairs,
    /// Names of multipart parts that have a file name.
    pub files: Vec<Bytes>,
    pub headers: Vec<(String, String)>,
    /// Blanks are sent as `+`.
    pub blank_as_plus: bool,
    pub signature_wire: SignatureWire,

    pub signed_method: Bytes,
    pub signed_host: Bytes,
    pub signed_path: Bytes,
    pub signed: Pairs,
    pub order: Order,
    pub underscore: Underscore,
    pub join: Joining,
    pub key: Bytes,
    pub hash: Hash,
    pub mac: Mac,
    pub writing: Writing,
}

impl QueryDraft {
    fn correct(legacy: bool, method: &str, host: &str, path: &str, params: Pairs) -> Self {
        Self {
            world: World::base(),
            legacy,
            method: method.to_owned(),
            host: host.to_owned(),
            path: path.to_owned(),
            form: Form::Urlencoded,
            params: params.clone(),
            beside_form: Vec::new(),
            files: Vec::new(),
            headers: Vec::new(),
            blank_as_plus: false,
            signature_wire: SignatureWire::Encoded,
            signed_method: method.into(),
            signed_host: host.into(),
            signed_path: path.into(),
            signed: params,
            order: Order::Bytes,
            underscore: if legacy {
                Underscore::DottedAfterSort
            } else {
                Underscore::Kept
            },
            join: joined,
            key: SECRET_KEY.into(),
            hash: Hash::Sha1,
            mac: Mac::Hmac,
            writing: written_base64,
        }
    }

    /// The base request of the legacy dialect.
    pub fn v2() -> Self {
        let params = pairs(&[
            ("Action", "DescribeInstances"),
            ("Nonce", "11886"),
            ("Region", "ap-guangzhou"),
            ("SecretId", SECRET_ID),
            ("Timestamp", &TIMESTAMP.to_string()),
        ]);
        Self::correct(true, "GET", "cvm.api.qcloud.com", "/v2/index.php", params)
    }

    /// The base request of API 3.0 with signature v1.
    pub fn v1() -> Self {
        let mut params = Self::v2().params;
        params.push(("Version".into(), "2017-03-12".into()));
        Self::correct(false, "GET", "cvm.tencentcloudapi.com", "/", params)
    }

    /// The same as a POST of a form.
    pub fn post(mut self) -> Self {
        self.method = "POST".to_owned();
        self.signed_method = "POST".into();
        self
    }

    /// Sends and signs one more parameter.
    pub fn add(&mut self, name: impl Into<Bytes>, value: impl Into<Bytes>) {
        let pair = (name.into(), value.into());
        self.params.push(pair.clone());
        self.signed.push(pair);
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.add(name, value);
        self
    }

    /// Sends and signs another value.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.set_sent(name, value);
        self.set_signed(name, value);
        self
    }

    pub fn set_sent(&mut self, name: &str, value: &str) {
        for (key, old) in &mut self.params {
            if key == name.as_bytes() {
                *old = value.into();
            }
        }
    }

    pub fn set_signed(&mut self, name: &str, value: impl AsRef<[u8]>) {
        for (key, old) in &mut self.signed {
            if key == name.as_bytes() {
                *old = value.as_ref().to_vec();
            }
        }
    }

    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(key, _)| key != name.as_bytes());
        self.signed.retain(|(key, _)| key != name.as_bytes());
        self
    }

    /// Sends and signs the parameters in another order.
    pub fn shuffled(mut self, rng: &mut Rng) -> Self {
        rng.shuffle(&mut self.params);
        self.signed.clone_from(&self.params);
        self
    }

    /// Changes every signed value.
    fn map_signed(&mut self, change: impl Fn(&[u8]) -> Bytes) {
        for (_, value) in &mut self.signed {
            *value = change(value);
        }
    }

    fn map_signed_text(&mut self, change: impl Fn(&str) -> String) {
        self.map_signed(|value| match str::from_utf8(value) {
            Ok(text) => change(text).into_bytes(),
            Err(_) => value.to_vec(),
        });
    }

    fn signed_pairs(&self) -> Pairs {
        let dotted = |pairs: &mut Pairs| {
            for (name, _) in pairs {
                for byte in name {
                    if *byte == b'_' {
                        *byte = b'.';
                    }
                }
            }
        };
        let mut pairs = self.signed.clone();
        if self.underscore == Underscore::DottedBeforeSort {
            dotted(&mut pairs);
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self.order {
            Order::Bytes => pairs.sort_by(|(a, _), (b, _)| a.cmp(b)),
            Order::AsListed => {}
            Order::Natural => pairs.sort_by_key(|(name, _)| natural(name)),
            Order::CaseInsensitive => pairs.sort_by_key(|(name, _)| name.to_ascii_lowercase()),
            Order::ByPair => {
                pairs.sort_by_key(|(name, value)| [name.as_slice(), b"=", value].concat());
            }
            Order::EncodedNames => pairs.sort_by_key(|(name, _)| percent_encoded(&text(name))),
            Order::Reversed => pairs.sort_by(|(a, _), (b, _)| b.cmp(a)),
        }
        if self.underscore == Underscore::DottedAfterSort {
            dotted(&mut pairs);
        }
        pairs
    }

    pub fn signature(&self) -> String {
        let text = self.string_to_sign();
        (self.writing)(&mac(self.mac, self.hash, &self.key, &text))
    }

    fn wire(&self, text: &[u8]) -> String {
        let encoded = encoded(text);
        if self.blank_as_plus {
            encoded.replace("%20", "+")
        } else {
            encoded
        }
    }

    fn urlencoded(&self, params: &Pairs) -> Vec<String> {
        params
            .iter()
            .map(|(name, value)| format!("{}={}", self.wire(name), self.wire(value)))
            .collect()
    }

    fn multipart(&self, signature: &str) -> Bytes {
        let mut body = Vec::new();
        let signature = ("Signature".into(), signature.into());
        for (name, value) in self.params.iter().chain([&signature]) {
            let file = if self.files.contains(name) {
                "; filename=\"data.bin\"\r\nContent-Type: application/octet-stream"
            } else {
                ""
            };
            let name = String::from_utf8_lossy(name);
            body.extend_from_slice(
                format!(
                    "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"
                )
                .as_bytes(),
            );
            body.extend_from_slice(value);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        body
    }
}

impl Draft for QueryDraft {
    fn world(&self) -> &World {
        &self.world
    }

    fn string_to_sign(&self) -> Bytes {
        let pairs: Vec<Bytes> = self
            .signed_pairs()
            .into_iter()
            .map(|(name, value)| [name.as_slice(), b"=", &value].concat())
            .collect();
        (self.join)(
            &self.signed_method,
            &self.signed_host,
            &self.signed_path,
            &pairs.join(&b'&'),
        )
    }

    fn request(&self) -> Signed {
        let signature = self.signature();
        let on_the_wire = match self.signature_wire {
            SignatureWire::Encoded => percent_encoded(&signature),
            SignatureWire::PlusRaw => percent_encoded(&signature).replace("%2B", "+"),
            SignatureWire::PlusAsBlank => percent_encoded(&signature).replace("%2B", "%20"),
            SignatureWire::Twice => percent_encoded(&percent_encoded(&signature)),
        };
        let mut pieces = self.urlencoded(&self.params);
        pieces.push(format!("Signature={on_the_wire}"));
        let flat = pieces.join("&");

        let mut headers = vec![("Host".to_owned(), self.host.clone())];
        let mut target = self.path.clone();
        let mut body = Vec::new();
        if self.method == "POST" {
            let content_type = match self.form {
                Form::Urlencoded => {
                    body = flat.into_bytes();
                    "application/x-www-form-urlencoded".to_owned()
                }
                Form::Multipart => {
                    let signature = match self.signature_wire {
                        SignatureWire::Twice => percent_encoded(&signature),
                        _ => signature,
                    };
                    body = self.multipart(&signature);
                    format!("multipart/form-data; boundary={BOUNDARY}")
                }
            };
            headers.push(("Content-Type".to_owned(), content_type));
            if !self.beside_form.is_empty() {
                let query = self.urlencoded(&self.beside_form).join("&");
                target = format!("{target}?{query}");
            }
        } else {
            target = format!("{target}?{flat}");
        }
        headers.extend_from_slice(&self.headers);
        Signed {
            method: self.method.clone(),
            target,
            headers,
            body,
            string_to_sign: String::from_utf8_lossy(&self.string_to_sign()).into_owned(),
        }
    }
}

/// How the canonical request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    Right,
    NoBlankLine,
    FinalLineEnd,
    HeadersRunOn,
}

/// What the string to sign looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    Right,
    Unhashed,
    UpperCaseHash,
    NoScope,
    NoTimestamp,
    FinalLineEnd,
    CanonicalAlone,
}

/// How the signing key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    Right,
    NoPrefix,
    ServiceFirst,
    NoDate,
    NoService,
    NoTerminator,
    HexText,
    SecretItself,
    ArgumentsSwapped,
}

/// Date, service and terminator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub date: String,
    pub service: String,
    pub end: String,
}

impl Scope {
    fn text(&self) -> String {
        format!("{}/{}/{}", self.date, self.service, self.end)
    }
}

/// An API 3.0 request with TC3-HMAC-SHA256.
#[derive(Clone, Debug)]
pub struct Tc3Draft {
    pub world: World,

    pub method: String,
    pub host: String,
    pub path: String,
    pub query: String,
    pub content_type: String,
    /// Beyond Host, Content-Type, X-TC-Timestamp and Authorization.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub timestamp: String,
    pub secret_id: String,
    pub scope: Scope,
    pub header_list: String,

    pub signed_method: String,
    pub signed_path: String,
    pub signed_query: String,
    pub lines: Vec<(String, String)>,
    pub signed_list: String,
    pub digest: String,
    pub line_end: &'static str,
    pub frame: Frame,
    pub text: Text,
    pub algorithm: String,
    pub signed_timestamp: String,
    pub signed_scope: Scope,
    pub chain_scope: Scope,
    pub chain: Chain,
    pub key: Bytes,
    pub mac: Mac,
    pub writing: Writing,
}

impl Tc3Draft {
    fn correct(method: &str, service: &str, query: &str, content_type: &str, body: &[u8]) -> Self {
        let host = format!("{service}.tencentcloudapi.com");
        let scope = Scope {
            date: utc_date(TIMESTAMP),
            service: service.to_owned(),
            end: "tc3_request".to_owned(),
        };
        Self {
            world: World::base(),
            method: method.to_owned(),
            path: "/".to_owned(),
            query: query.to_owned(),
            content_type: content_type.to_owned(),
            headers: strings(&[
                ("X-TC-Action", "DescribeInstances"),
                ("X-TC-Version", "2017-03-12"),
                ("X-TC-Region", "ap-guangzhou"),
            ]),
            body: body.to_vec(),
            timestamp: TIMESTAMP.to_string(),
            secret_id: SECRET_ID.to_owned(),
            scope: scope.clone(),
            header_list: "content-type;host".to_owned(),
            signed_method: method.to_owned(),
            signed_path: "/".to_owned(),
            signed_query: if method == "GET" {
                query.to_owned()
            } else {
                String::new()
            },
            lines: strings(&[
                ("content-type", &content_type.to_lowercase()),
                ("host", &host),
            ]),
            host,
            signed_list: "content-type;host".to_owned(),
            digest: sha256_hex(body),
            line_end: "\n",
            frame: Frame::Right,
            text: Text::Right,
            algorithm: "TC3-HMAC-SHA256".to_owned(),
            signed_timestamp: TIMESTAMP.to_string(),
            signed_scope: scope.clone(),
            chain_scope: scope,
            chain: Chain::Right,
            key: SECRET_KEY.into(),
            mac: Mac::Hmac,
            writing: written_hex,
        }
    }

    /// The base request: a POST of JSON.
    pub fn post() -> Self {
        Self::correct("POST", "cvm", "", "application/json", br#"{"Limit":1}"#)
    }

    /// A GET with this query.
    pub fn get(query: &str) -> Self {
        Self::correct(
            "GET",
            "cvm",
            query,
            "application/x-www-form-urlencoded",
            b"",
        )
    }

    /// Another moment, in the header, the string and the scope.
    pub fn at(mut self, timestamp: i64) -> Self {
        self.timestamp = timestamp.to_string();
        self.signed_timestamp = timestamp.to_string();
        self.date(&utc_date(timestamp))
    }

    /// Another date in the scope, everywhere.
    pub fn date(mut self, date: &str) -> Self {
        for scope in [
            &mut self.scope,
            &mut self.signed_scope,
            &mut self.chain_scope,
        ] {
            scope.date = date.to_owned();
        }
        self
    }

    pub fn service(mut self, service: &str) -> Self {
        for scope in [
            &mut self.scope,
            &mut self.signed_scope,
            &mut self.chain_scope,
        ] {
            scope.service = service.to_owned();
        }
        self
    }

    /// Another body, sent and signed.
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.digest = sha256_hex(body);
        self
    }

    /// Another host, sent and signed.
    pub fn hosted(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self.set_line("host", host);
        self
    }

    /// Another content type, sent and signed.
    pub fn typed(mut self, content_type: &str) -> Self {
        self.content_type = content_type.to_owned();
        self.set_line("content-type", &content_type.to_lowercase());
        self
    }

    /// A header that is sent and signed.
    pub fn signed_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(old, _)| !old.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self.lines.push((name.to_lowercase(), value.to_lowercase()));
        self.lines.sort();
        let names: Vec<&str> = self.lines.iter().map(|(name, _)| name.as_str()).collect();
        self.header_list = names.join(";");
        self.signed_list = self.header_list.clone();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn set_line(&mut self, name: &str, value: &str) {
        for (key, old) in &mut self.lines {
            if key == name {
                *old = value.to_owned();
            }
        }
    }

    pub fn canonical_request(&self) -> String {
        let end = self.line_end;
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        let headers = match self.frame {
            Frame::Right | Frame::FinalLineEnd => format!("{}{end}", lines.join(end)),
            Frame::NoBlankLine => lines.join(end),
            Frame::HeadersRunOn => lines.concat(),
        };
        let mut text = [
            &self.signed_method,
            &self.signed_path,
            &self.signed_query,
            &headers,
            &self.signed_list,
            &self.digest,
        ]
        .map(String::as_str)
        .join(end);
        if self.frame == Frame::FinalLineEnd {
            text.push_str(end);
        }
        text
    }

    pub fn signing_key(&self) -> Bytes {
        let Scope { date, service, end } = &self.chain_scope;
        let secret = [b"TC3", self.key.as_slice()].concat();
        let through = |start: &[u8], steps: &[&String]| {
            steps.iter().fold(start.to_vec(), |key, step| {
                hmac_sha256(&key, step.as_bytes())
            })
        };
        match self.chain {
            Chain::Right => through(&secret, &[date, service, end]),
            Chain::NoPrefix => through(&self.key, &[date, service, end]),
            Chain::ServiceFirst => through(&secret, &[service, date, end]),
            Chain::NoDate => through(&secret, &[service, end]),
            Chain::NoService => through(&secret, &[date, end]),
            Chain::NoTerminator => through(&secret, &[date, service]),
            Chain::HexText => [date, service, end].iter().fold(secret, |key, step| {
                hex(&hmac_sha256(&key, step.as_bytes())).into_bytes()
            }),
            Chain::SecretItself => self.key.clone(),
            Chain::ArgumentsSwapped => [date, service, end]
                .iter()
                .fold(secret, |key, step| hmac_sha256(step.as_bytes(), &key)),
        }
    }

    pub fn signature(&self) -> String {
        (self.writing)(&mac(
            self.mac,
            Hash::Sha256,
            &self.signing_key(),
            &self.string_to_sign(),
        ))
    }
}

impl Draft for Tc3Draft {
    fn world(&self) -> &World {
        &self.world
    }

    fn string_to_sign(&self) -> Bytes {
        let canonical = self.canonical_request();
        let hashed = sha256_hex(canonical.as_bytes());
        let scope = self.signed_scope.text();
        let (algorithm, timestamp) = (&self.algorithm, &self.signed_timestamp);
        let lines = match self.text {
            Text::Right | Text::FinalLineEnd => vec![algorithm, timestamp, &scope, &hashed],
            Text::Unhashed => vec![algorithm, timestamp, &scope, &canonical],
            Text::UpperCaseHash => {
                return [algorithm, timestamp, &scope, &hashed.to_uppercase()]
                    .map(String::as_str)
                    .join(self.line_end)
                    .into_bytes();
            }
            Text::NoScope => vec![algorithm, timestamp, &hashed],
            Text::NoTimestamp => vec![algorithm, &scope, &hashed],
            Text::CanonicalAlone => vec![&canonical],
        };
        let lines: Vec<&str> = lines.into_iter().map(String::as_str).collect();
        let mut text = lines.join(self.line_end);
        if self.text == Text::FinalLineEnd {
            text.push_str(self.line_end);
        }
        text.into_bytes()
    }

    fn request(&self) -> Signed {
        let mut headers = strings(&[
            ("Host", &self.host),
            ("Content-Type", &self.content_type),
            ("X-TC-Timestamp", &self.timestamp),
        ]);
        headers.extend_from_slice(&self.headers);
        headers.push((
            "Authorization".to_owned(),
            format!(
                "TC3-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}",
                self.secret_id,
                self.scope.text(),
                self.header_list,
                self.signature()
            ),
        ));
        Signed {
            method: self.method.clone(),
            target: if self.query.is_empty() {
                self.path.clone()
            } else {
                format!("{}?{}", self.path, self.query)
            },
            headers,
            body: self.body.clone(),
            string_to_sign: String::from_utf8_lossy(&self.string_to_sign()).into_owned(),
        }
    }
}

// -------------------------------------------------------------------------------------------------------- generators

const SERVICES: [&str; 5] = ["cvm", "cbs", "vpc", "monitor", "cdb"];
const ACTIONS: [&str; 4] = [
    "DescribeInstances",
    "RunInstances",
    "DescribeZones",
    "InquiryPrice",
];
const NAMES: [&str; 10] = [
    "InstanceId",
    "Limit",
    "Offset",
    "ImageId",
    "Zone",
    "Label",
    "ProjectId",
    "VpcId",
    "SubnetId",
    "Memo",
];

/// A correct request with a few parameters of all sorts, in no order.
pub fn query_draft(rng: &mut Rng, legacy: bool) -> QueryDraft {
    let service = rng.pick(&SERVICES);
    let base = if legacy {
        QueryDraft::v2()
    } else {
        QueryDraft::v1()
    };
    let domain = if legacy {
        "api.qcloud.com"
    } else {
        "tencentcloudapi.com"
    };
    let mut draft = QueryDraft::correct(
        legacy,
        "GET",
        &format!("{service}.{domain}"),
        &base.path,
        base.params,
    )
    .set("Action", rng.pick::<&str>(&ACTIONS))
    .set("Nonce", &(10_000 + rng.below(50_000)).to_string());
    if rng.one_in(2) {
        draft = draft.post();
        if rng.one_in(4) {
            draft.form = Form::Multipart;
        }
    }
    match rng.below(4) {
        0 => draft.add("SignatureMethod", "HmacSHA1"),
        1 => {
            draft.add("SignatureMethod", "HmacSHA256");
            draft.hash = Hash::Sha256;
        }
        _ => {}
    }
    let mut names = NAMES;
    rng.shuffle(&mut names);
    for name in names.iter().take(2 + rng.below(3)) {
        let value = rng.word(5, 12);
        draft.add(*name, value);
    }
    if rng.one_in(4) {
        let value = format!("{} {}", rng.mixed_word(), rng.word(3, 5));
        draft.add("Title", value);
    }
    if rng.one_in(4) {
        let value = rng.chinese();
        draft.add("recordLine", value);
    }
    if rng.one_in(4) {
        let value = format!("{}/{}=:{}", rng.word(3, 5), rng.word(3, 5), rng.word(3, 5));
        draft.add("Prefix", value);
    }
    if rng.one_in(4) {
        for index in 0..3 {
            let value = format!("sg-{}", rng.word(4, 8));
            draft.add(format!("Groups.{index}"), value);
        }
    }
    draft.shuffled(rng)
}

/// A correct request: a GET with a query or a POST of JSON.
pub fn tc3_draft(rng: &mut Rng) -> Tc3Draft {
    if rng.one_in(2) {
        tc3_get(rng)
    } else {
        tc3_post(rng)
    }
}

fn tc3_get(rng: &mut Rng) -> Tc3Draft {
    let mut pieces = Vec::new();
    let mut names = NAMES;
    rng.shuffle(&mut names);
    for name in names.iter().take(2 + rng.below(3)) {
        pieces.push(format!("{name}={}", rng.word(5, 12)));
    }
    finish_tc3(
        rng,
        "GET",
        &pieces.join("&"),
        "application/x-www-form-urlencoded",
        b"",
    )
}

fn tc3_post(rng: &mut Rng) -> Tc3Draft {
    let body = compact_json(rng);
    let content_type = *rng.pick(&["application/json", "application/json; charset=utf-8"]);
    finish_tc3(rng, "POST", "", content_type, body.as_bytes())
}

fn finish_tc3(
    rng: &mut Rng,
    method: &str,
    query: &str,
    content_type: &str,
    body: &[u8],
) -> Tc3Draft {
    let service = rng.pick(&SERVICES);
    let at = TIMESTAMP + i64::try_from(rng.below(86_400)).expect("small");
    let mut draft = Tc3Draft::correct(method, service, query, content_type, body).at(at);
    draft.world.now = at + 2;
    draft.headers[0].1 = (*rng.pick(&ACTIONS)).to_owned();
    if rng.one_in(3) {
        let action = draft.headers[0].1.clone();
        draft = draft.signed_header("X-TC-Action", &action);
    }
    draft
}

/// An object without any blank.
fn compact_json(rng: &mut Rng) -> String {
    let mut fields = Vec::new();
    let mut names = NAMES;
    rng.shuffle(&mut names);
    for name in names.iter().take(2 + rng.below(3)) {
        fields.push(match rng.below(4) {
            0 => format!("\"{name}\":{}", 100 + rng.below(9000)),
            1 => format!("\"{name}\":[\"{}\",\"{}\"]", rng.word(4, 8), rng.word(4, 8)),
            2 => format!(
                "\"{name}\":{{\"{}\":\"{}\"}}",
                rng.word(3, 5),
                rng.word(4, 8)
            ),
            _ => format!("\"{name}\":\"{}\"", rng.word(4, 10)),
        });
    }
    format!("{{{}}}", fields.join(","))
}

// ------------------------------------------------------------------------------------------------------------- texts

pub fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter()
        .map(|&(name, value)| (name.into(), value.into()))
        .collect()
}

pub fn strings(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub fn encoded(bytes: &[u8]) -> String {
    encoded_but(bytes, b"-._~")
}

fn encoded_but(bytes: &[u8], plain: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

fn lower_case_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut left = 0;
    for sign in text.chars() {
        if sign == '%' {
            left = 3;
        }
        out.push(if left > 0 {
            sign.to_ascii_lowercase()
        } else {
            sign
        });
        left = usize::saturating_sub(left, 1);
    }
    out
}

/// Names with their numbers as numbers.
fn natural(name: &[u8]) -> Vec<(u64, Bytes)> {
    let mut parts: Vec<(u64, Bytes)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            let number = str::from_utf8(&rest[..digits])
                .expect("digits")
                .parse()
                .expect("short");
            parts.push((number, Vec::new()));
            rest = &rest[digits..];
        } else {
            let letters = rest
                .iter()
                .take_while(|byte| !byte.is_ascii_digit())
                .count();
            parts.push((0, rest[..letters].to_vec()));
            rest = &rest[letters..];
        }
    }
    parts
}

pub fn gbk(text: &str) -> Bytes {
    encoding_rs::GBK.encode(text).0.into_owned()
}

pub fn big5(text: &str) -> Bytes {
    encoding_rs::BIG5.encode(text).0.into_owned()
}

/// The low byte of each UTF-16 unit.
pub fn low_bytes(text: &str) -> Bytes {
    text.encode_utf16()
        .map(|unit| unit.to_le_bytes()[0])
        .collect()
}

pub fn question_marks(text: &str) -> Bytes {
    text.chars()
        .map(|sign| u8::try_from(sign).ok().filter(u8::is_ascii).unwrap_or(b'?'))
        .collect()
}

fn unicode_escapes(text: &str) -> String {
    text.chars()
        .map(|sign| {
            if sign.is_ascii() {
                sign.to_string()
            } else {
                format!("\\u{:04x}", u32::from(sign))
            }
        })
        .collect()
}

/// Puts a blank after each `:` and `,` outside texts.
pub fn spaced_json(compact: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for sign in compact.chars() {
        out.push(sign);
        match sign {
            '"' => inside = !inside,
            ':' | ',' if !inside => out.push(' '),
            _ => {}
        }
    }
    out
}

/// One field per line.
pub fn pretty_json(compact: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    let mut depth = 0;
    for sign in compact.chars() {
        let line = |depth: usize| format!("\n{}", indent.repeat(depth));
        match sign {
            '"' => {
                inside = !inside;
                out.push(sign);
            }
            '{' | '[' if !inside => {
                depth += 1;
                out.push(sign);
                out.push_str(&line(depth));
            }
            '}' | ']' if !inside => {
                depth -= 1;
                out.push_str(&line(depth));
                out.push(sign);
            }
            ',' if !inside => {
                out.push(sign);
                out.push_str(&line(depth));
            }
            ':' if !inside => out.push_str(": "),
            _ => out.push(sign),
        }
    }
    out
}

// ---------------------------------------------------------------------------------------------------------- mistakes

/// One way to go wrong.
pub struct Mistake<D: 'static> {
    pub hypothesis: Hypothesis,
    pub variant: &'static str,
    /// Makes a correct draft into another correct one in which the mistake shows. It may refuse a draft.
    pub prepare: fn(&mut D, &mut Rng) -> bool,
    pub spoil: fn(&mut D, &mut Rng),
}

impl<D> Mistake<D> {
    const fn new(
        hypothesis: Hypothesis,
        variant: &'static str,
        prepare: fn(&mut D, &mut Rng) -> bool,
        spoil: fn(&mut D, &mut Rng),
    ) -> Self {
        Self {
            hypothesis,
            variant,
            prepare,
            spoil,
        }
    }
}

fn any<D>(_: &mut D, _: &mut Rng) -> bool {
    true
}

fn has_text(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!("{}/{}={}", rng.word(2, 5), rng.word(2, 5), rng.word(2, 5));
    draft.add("Data", value);
    true
}

fn has_rich_text(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!(
        "{}*!'({}) /?:{}~",
        rng.word(2, 5),
        rng.word(2, 5),
        rng.word(2, 5)
    );
    draft.add("Data", value);
    let value = rng.chinese();
    draft.add("Line", value);
    true
}

/// A value with a blank and with a percent sign, which every way to encode changes.
fn has_blank(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!(
        "{} 5%!{}/{}",
        rng.word(2, 5),
        rng.word(2, 5),
        rng.word(2, 5)
    );
    draft.add("Notes", value);
    draft.form == Form::Urlencoded
}

fn has_chinese(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!("{}{}", rng.word(1, 3), rng.chinese());
    draft.add("Line", value);
    true
}

fn has_list(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    for index in 0..11 + rng.below(6) {
        let value = format!("ins-{}", rng.word(4, 8));
        draft.add(format!("InstanceIds.{index}"), value);
    }
    rng.shuffle(&mut draft.params);
    draft.signed.clone_from(&draft.params);
    true
}

fn has_short_list(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    for index in 0..2 + rng.below(3) {
        let value = format!("ins-{}", rng.word(4, 8));
        draft.add(format!("InstanceIds.{index}"), value);
    }
    true
}

fn has_underscores(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    for name in ["to_html", "Tag_1", "Tag1"] {
        let value = rng.word(4, 8);
        draft.add(name, value);
    }
    true
}

fn is_post(draft: &mut QueryDraft) -> bool {
    *draft = draft.clone().post();
    draft.form = Form::Urlencoded;
    true
}

fn keyed(world: &mut World, key: &mut Bytes, secret: &str) {
    world.secret = secret.into();
    *key = secret.into();
}

/// Mistakes with the key, for both kinds of draft.
macro_rules! key_mistakes {
    ($draft:ty) => {
        [
            Mistake::new(
                Hypothesis::IdAndKeySwapped,
                "id as key",
                any,
                |draft: &mut $draft, _| {
                    draft.key = SECRET_ID.into();
                },
            ),
            Mistake::new(Hypothesis::SecretKeyEmpty, "", any, |draft, _| {
                draft.key.clear()
            }),
            Mistake::new(Hypothesis::SecretKeyPlaceholder, "", any, |draft, rng| {
                draft.key = (*rng.pick(&["None", "undefined", "null"])).into();
            }),
            Mistake::new(
                Hypothesis::SecretKeyWhitespace,
                "after",
                any,
                |draft, rng| {
                    draft
                        .key
                        .extend_from_slice(rng.pick(&["\n", "\r\n", " ", "\t"]).as_bytes());
                },
            ),
            Mistake::new(
                Hypothesis::SecretKeyWhitespace,
                "before",
                any,
                |draft, rng| {
                    let blank = rng.pick(&["\n", " ", "\t"]).as_bytes();
                    draft.key = [blank, &draft.key].concat();
                },
            ),
            Mistake::new(Hypothesis::SecretKeyQuoted, "", any, |draft, rng| {
                let quote = rng.pick(&["\"", "'"]).as_bytes();
                draft.key = [quote, &draft.key, quote].concat();
            }),
            Mistake::new(Hypothesis::SecretKeyBom, "before", any, |draft, _| {
                draft.key = [b"\xEF\xBB\xBF", draft.key.as_slice()].concat();
            }),
            Mistake::new(Hypothesis::SecretKeyBom, "after", any, |draft, _| {
                draft.key.extend_from_slice(b"\xEF\xBB\xBF");
            }),
            Mistake::new(
                Hypothesis::SecretKeyMangled,
                "+ read as blank",
                |draft, rng| {
                    let secret = format!("{}+{}", rng.word(10, 16), rng.word(10, 16));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    for byte in &mut draft.key {
                        if *byte == b'+' {
                            *byte = b' ';
                        }
                    }
                },
            ),
            Mistake::new(
                Hypothesis::SecretKeyMangled,
                "percent-encoded",
                |draft, rng| {
                    let secret = format!("{}/{}=", rng.word(10, 16), rng.word(10, 16));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| draft.key = encoded(&draft.key).into_bytes(),
            ),
            Mistake::new(
                Hypothesis::SecretKeyMangled,
                "first character lost",
                |draft, rng| {
                    let secret = format!("/{}", rng.word(20, 30));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    draft.key.remove(0);
                },
            ),
            Mistake::new(
                Hypothesis::SecretKeyMangled,
                "last character lost",
                any,
                |draft, _| {
                    draft.key.pop();
                },
            ),
            Mistake::new(
                Hypothesis::SecretKeyDecoded,
                "base64",
                |draft, rng| {
                    let secret = base64(&rng.bytes(24));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    let mut bytes = vec![0; draft.key.len()];
                    let length = STANDARD
                        .decode_slice(&draft.key, &mut bytes)
                        .expect("base64");
                    bytes.truncate(length);
                    draft.key = bytes;
                },
            ),
            Mistake::new(
                Hypothesis::SecretKeyDecoded,
                "hex",
                |draft, rng| {
                    let secret = hex(&rng.bytes(16));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    let digits = String::from_utf8(draft.key.clone()).expect("hex");
                    draft.key = (0..digits.len())
                        .step_by(2)
                        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"))
                        .collect();
                },
            ),
            Mistake::new(Hypothesis::AnotherCredentialsKey, "", any, |draft, _| {
                draft.key = OTHER_KEY.into();
            }),
        ]
    };
}

pub fn query_mistakes() -> Vec<Mistake<QueryDraft>> {
    let mut all: Vec<Mistake<QueryDraft>> = Vec::new();
    all.extend(key_mistakes!(QueryDraft));
    all.extend([
        Mistake::new(
            Hypothesis::TokenUsedAsKey,
            "",
            |draft: &mut QueryDraft, _| {
                draft.world.token = Some(TOKEN.to_owned());
                draft.add("Token", TOKEN);
                true
            },
            |draft, _| draft.key = TOKEN.into(),
        ),
        Mistake::new(Hypothesis::TimestampAfterSigning, "", any, |draft, rng| {
            let offset = 1 + rng.below(250);
            let at = TIMESTAMP + i64::try_from(offset).expect("small") * [-1, 1][rng.below(2)];
            draft.set_signed("Timestamp", at.to_string());
        }),
    ]);
    all.extend(query_output());
    all.extend(query_values());
    all.extend(query_order());
    all.extend(query_presence());
    all.extend(query_frame());
    all
}

fn query_output() -> Vec<Mistake<QueryDraft>> {
    fn sha1(draft: &mut QueryDraft, _: &mut Rng) -> bool {
        draft.hash == Hash::Sha1
    }
    fn undeclared(draft: &mut QueryDraft, _: &mut Rng) -> bool {
        *draft = draft.clone().without("SignatureMethod");
        draft.hash = Hash::Sha1;
        true
    }
    fn flat(draft: &mut QueryDraft, _: &mut Rng) -> bool {
        draft.form == Form::Urlencoded
    }
    vec![
        Mistake::new(
            Hypothesis::Sha256NotDeclared,
            "no SignatureMethod",
            undeclared,
            |draft, _| {
                draft.hash = Hash::Sha256;
            },
        ),
        Mistake::new(
            Hypothesis::Sha256NotDeclared,
            "HmacSHA1 declared",
            sha1,
            |draft, _| {
                draft.hash = Hash::Sha256;
            },
        ),
        Mistake::new(
            Hypothesis::Sha1Declared256,
            "",
            |draft, _| {
                *draft = draft
                    .clone()
                    .without("SignatureMethod")
                    .with("SignatureMethod", "HmacSHA256");
                draft.hash = Hash::Sha256;
                true
            },
            |draft, _| draft.hash = Hash::Sha1,
        ),
        Mistake::new(Hypothesis::HexInsteadOfBase64, "lower", any, |draft, _| {
            draft.writing = written_hex;
        }),
        Mistake::new(Hypothesis::HexInsteadOfBase64, "upper", any, |draft, _| {
            draft.writing = |mac| hex(mac).to_uppercase();
        }),
        Mistake::new(Hypothesis::Base64OfHex, "lower", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).as_bytes());
        }),
        Mistake::new(Hypothesis::Base64OfHex, "upper", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).to_uppercase().as_bytes());
        }),
        Mistake::new(Hypothesis::UrlSafeBase64, "", any, |draft, _| {
            draft.writing = |mac| base64_with(&URL_SAFE, mac);
        }),
        Mistake::new(Hypothesis::UnpaddedBase64, "", any, |draft, _| {
            draft.writing = |mac| base64_with(&STANDARD_NO_PAD, mac);
        }),
        Mistake::new(Hypothesis::SignaturePlus, "raw", flat, |draft, _| {
            draft.signature_wire = SignatureWire::PlusRaw;
        }),
        Mistake::new(Hypothesis::SignaturePlus, "as %20", flat, |draft, _| {
            draft.signature_wire = SignatureWire::PlusAsBlank;
        }),
        Mistake::new(Hypothesis::SignatureDoubleEncoded, "", any, |draft, _| {
            draft.signature_wire = SignatureWire::Twice;
        }),
        Mistake::new(Hypothesis::SignatureTruncated, "to 20", any, |draft, _| {
            draft.writing = |mac| base64(mac)[..20].to_owned();
        }),
        Mistake::new(Hypothesis::SignatureTruncated, "by 4", any, |draft, _| {
            draft.writing = |mac| {
                let text = base64(mac);
                text[..text.len() - 4].to_owned()
            };
        }),
        Mistake::new(Hypothesis::SignatureDecorated, "quoted", any, |draft, _| {
            draft.writing = |mac| format!("\"{}\"", base64(mac));
        }),
        Mistake::new(
            Hypothesis::SignatureDecorated,
            "blank before",
            any,
            |draft, _| {
                draft.writing = |mac| format!(" {}", base64(mac));
            },
        ),
        Mistake::new(Hypothesis::PlainHash, "of text", any, |draft, _| {
            draft.mac = Mac::HashOfText;
        }),
        Mistake::new(Hypothesis::PlainHash, "of text and key", any, |draft, _| {
            draft.mac = Mac::HashOfTextAndKey;
        }),
        Mistake::new(Hypothesis::PlainHash, "of key and text", any, |draft, _| {
            draft.mac = Mac::HashOfKeyAndText;
        }),
        Mistake::new(Hypothesis::HmacArgumentsSwapped, "", any, |draft, _| {
            draft.mac = Mac::Swapped;
        }),
    ]
}

fn query_values() -> Vec<Mistake<QueryDraft>> {
    vec![
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "RFC 3986",
            has_text,
            |draft, _| {
                draft.map_signed(|value| encoded(value).into_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "one value",
            has_rich_text,
            |draft, _| {
                let line = draft
                    .signed
                    .iter()
                    .find(|(name, _)| name == b"Line")
                    .expect("prepared");
                let line = encoded(&line.1);
                draft.set_signed("Line", line);
            },
        ),
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "form",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| {
                    encoded_but(value, b"-._*").replace("%20", "+").into_bytes()
                });
            },
        ),
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "PHP urlencode",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| {
                    encoded_but(value, b"-._").replace("%20", "+").into_bytes()
                });
            },
        ),
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "URI component",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| encoded_but(value, b"-._~!*'()").into_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "Python quote",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| encoded_but(value, b"-._~/").into_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::EncodedBeforeSigning,
            "lower case",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| lower_case_escapes(&encoded(value)).into_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::EncodedTwiceBeforeSigning,
            "",
            has_text,
            |draft, _| {
                draft.map_signed(|value| encoded(encoded(value).as_bytes()).into_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::ValuePlusUnencoded,
            "",
            |draft, rng| {
                draft.blank_as_plus = true;
                has_blank(draft, rng)
            },
            |draft, _| draft.map_signed_text(|value| value.replace(' ', "+")),
        ),
        Mistake::new(Hypothesis::BlankSignedAsPlus, "+", has_blank, |draft, _| {
            draft.map_signed_text(|value| value.replace(' ', "+"));
        }),
        Mistake::new(
            Hypothesis::BlankSignedAsPlus,
            "%20",
            has_blank,
            |draft, _| {
                draft.map_signed_text(|value| value.replace(' ', "%20"));
            },
        ),
        Mistake::new(
            Hypothesis::NonUtf8BytesSigned,
            "GBK",
            has_chinese,
            |draft, _| {
                draft.map_signed(|value| gbk(str::from_utf8(value).expect("text")));
            },
        ),
        Mistake::new(
            Hypothesis::NonUtf8BytesSigned,
            "low bytes",
            has_chinese,
            |draft, _| {
                draft.map_signed(|value| low_bytes(str::from_utf8(value).expect("text")));
            },
        ),
        Mistake::new(
            Hypothesis::NonUtf8BytesSigned,
            "question marks",
            has_chinese,
            |draft, _| {
                draft.map_signed(|value| question_marks(str::from_utf8(value).expect("text")));
            },
        ),
        Mistake::new(
            Hypothesis::NonUtf8BytesSigned,
            "Latin-1",
            |draft, rng| {
                draft.add("City", format!("Orl\u{e9}ans {}", rng.word(3, 5)));
                *draft = draft.clone().without("recordLine");
                true
            },
            |draft, _| draft.map_signed(|value| low_bytes(str::from_utf8(value).expect("text"))),
        ),
        Mistake::new(
            Hypothesis::NonUtf8BytesSigned,
            "Big5",
            |draft, rng| {
                draft.add("Line", format!("預設線路{}", rng.word(3, 5)));
                *draft = draft.clone().without("recordLine");
                true
            },
            |draft, _| draft.map_signed(|value| big5(str::from_utf8(value).expect("text"))),
        ),
        Mistake::new(
            Hypothesis::UnicodeEscapesSigned,
            "",
            has_chinese,
            |draft, _| {
                draft.map_signed_text(unicode_escapes);
            },
        ),
        Mistake::new(
            Hypothesis::BooleanSpelling,
            "boolean",
            |draft, rng| {
                draft.add("DryRun", *rng.pick(&["true", "false"]));
                true
            },
            |draft, rng| {
                let style = rng.below(3);
                draft.map_signed_text(|value| {
                    match (value, style) {
                        ("true", 0) => "True",
                        ("true", 1) => "TRUE",
                        ("true", _) => "1",
                        ("false", 0) => "False",
                        ("false", 1) => "FALSE",
                        ("false", _) => "0",
                        _ => value,
                    }
                    .to_owned()
                });
            },
        ),
        Mistake::new(
            Hypothesis::BooleanSpelling,
            "sent as number",
            |draft, rng| {
                draft.add("DryRun", *rng.pick(&["1", "0"]));
                true
            },
            |draft, rng| {
                let style = rng.below(2);
                draft.map_signed_text(|value| {
                    match (value, style) {
                        ("1", 0) => "true",
                        ("1", _) => "True",
                        ("0", 0) => "false",
                        ("0", _) => "False",
                        _ => value,
                    }
                    .to_owned()
                });
            },
        ),
        Mistake::new(
            Hypothesis::BooleanSpelling,
            "number",
            |draft, rng| {
                draft.add("DiskSize", (20 + rng.below(900)).to_string());
                true
            },
            |draft, _| {
                let size = draft.signed.iter().find(|(name, _)| name == b"DiskSize");
                let size = [size.expect("prepared").1.as_slice(), b".0"].concat();
                draft.set_signed("DiskSize", size);
            },
        ),
        Mistake::new(Hypothesis::PrintedByteString, "", has_text, |draft, _| {
            let data = draft
                .signed
                .iter()
                .find(|(name, _)| name == b"Data")
                .expect("prepared");
            let data = [b"b'", data.1.as_slice(), b"'"].concat();
            draft.set_signed("Data", data);
        }),
        Mistake::new(
            Hypothesis::HtmlEscapedValue,
            "",
            |draft, rng| {
                draft.add(
                    "Html",
                    format!("<b>{}</b>&{}", rng.word(3, 5), rng.word(3, 5)),
                );
                true
            },
            |draft, _| {
                draft.map_signed_text(|value| {
                    value
                        .replace('&', "&amp;")
                        .replace('<', "&lt;")
                        .replace('>', "&gt;")
                });
            },
        ),
        Mistake::new(
            Hypothesis::ValuesTrimmed,
            "",
            |draft, rng| {
                draft.add("Comment", format!(" {} ", rng.word(4, 8)));
                true
            },
            |draft, _| draft.map_signed_text(|value| value.trim().to_owned()),
        ),
        Mistake::new(
            Hypothesis::ValueLineEnds,
            "LF signed",
            |draft, rng| {
                draft.add(
                    "Script",
                    format!("{}\r\n{}\r\n", rng.word(4, 8), rng.word(4, 8)),
                );
                true
            },
            |draft, _| draft.map_signed_text(|value| value.replace("\r\n", "\n")),
        ),
        Mistake::new(
            Hypothesis::ValueLineEnds,
            "CR LF signed",
            |draft, rng| {
                draft.add(
                    "Script",
                    format!("{}\n{}\n", rng.word(4, 8), rng.word(4, 8)),
                );
                true
            },
            |draft, _| draft.map_signed_text(|value| value.replace('\n', "\r\n")),
        ),
        Mistake::new(Hypothesis::ValuesLowerCased, "", any, |draft, _| {
            draft.map_signed(<[u8]>::to_ascii_lowercase);
        }),
        Mistake::new(Hypothesis::ValueSignedEmpty, "", has_text, |draft, rng| {
            let name = *rng.pick(&["Data", "Region"]);
            draft.set_signed(name, "");
        }),
    ]
}

fn query_order() -> Vec<Mistake<QueryDraft>> {
    fn several(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        for name in ["Limits", "orderBy", "zoneName"] {
            let value = rng.word(4, 8);
            draft.add(name, value);
        }
        *draft = draft.clone().shuffled(rng);
        true
    }
    fn bracketed(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        for name in ["Tags[0]", "Tags-Key", "Tags[1]"] {
            let value = rng.word(4, 8);
            draft.add(name, value);
        }
        *draft = draft.clone().shuffled(rng);
        true
    }
    fn prefixes(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        for name in ["Filter", "Filter.0", "Filter.1"] {
            let value = rng.word(4, 8);
            draft.add(name, value);
        }
        *draft = draft.clone().shuffled(rng);
        true
    }
    vec![
        Mistake::new(Hypothesis::SortMissing, "as sent", several, |draft, _| {
            draft.order = Order::AsListed;
        }),
        Mistake::new(Hypothesis::SortNatural, "", has_list, |draft, _| {
            draft.order = Order::Natural;
        }),
        Mistake::new(Hypothesis::SortCaseInsensitive, "", several, |draft, _| {
            draft.order = Order::CaseInsensitive;
        }),
        Mistake::new(Hypothesis::SortByPair, "", prefixes, |draft, _| {
            draft.order = Order::ByPair;
        }),
        Mistake::new(Hypothesis::SortEncoded, "encoded", bracketed, |draft, _| {
            draft.order = Order::EncodedNames;
        }),
        Mistake::new(Hypothesis::SortEncoded, "reversed", several, |draft, _| {
            draft.order = Order::Reversed;
        }),
        Mistake::new(
            Hypothesis::UnderscoreVsDot,
            "kept or dotted",
            has_underscores,
            |draft, _| {
                draft.underscore = if draft.legacy {
                    Underscore::Kept
                } else {
                    Underscore::DottedAfterSort
                };
            },
        ),
        Mistake::new(
            Hypothesis::UnderscoreVsDot,
            "before the sort",
            has_underscores,
            |draft, _| {
                draft.underscore = Underscore::DottedBeforeSort;
            },
        ),
        Mistake::new(
            Hypothesis::NamesChanged,
            "lower case",
            several,
            |draft, _| {
                for (name, _) in &mut draft.signed {
                    name.make_ascii_lowercase();
                }
            },
        ),
        Mistake::new(
            Hypothesis::NamesChanged,
            "encoded",
            bracketed,
            |draft, _| {
                for (name, _) in &mut draft.signed {
                    *name = encoded(name).into_bytes();
                }
            },
        ),
        Mistake::new(
            Hypothesis::NamesChanged,
            "brackets",
            has_short_list,
            |draft, _| {
                for (name, _) in &mut draft.signed {
                    let text = String::from_utf8_lossy(name).into_owned();
                    if let Some((list, index)) = text.split_once('.') {
                        *name = format!("{list}[{index}]").into_bytes();
                    }
                }
            },
        ),
    ]
}

fn query_presence() -> Vec<Mistake<QueryDraft>> {
    fn drop_signed(draft: &mut QueryDraft, name: &str) {
        draft.signed.retain(|(key, _)| key != name.as_bytes());
    }
    vec![
        Mistake::new(
            Hypothesis::EmptyOmitted,
            "",
            |draft, rng| {
                draft.add("Token2", "");
                if rng.one_in(2) {
                    draft.add("Hint", "");
                }
                true
            },
            |draft, _| draft.signed.retain(|(_, value)| !value.is_empty()),
        ),
        Mistake::new(
            Hypothesis::AddedAfterSigning,
            "one of its own",
            has_text,
            |draft, _| {
                drop_signed(draft, "Data");
            },
        ),
        Mistake::new(
            Hypothesis::AddedAfterSigning,
            "a common one",
            any,
            |draft, rng| {
                let common = ["Timestamp", "Nonce", "SecretId", "Region", "Action"];
                let name = *rng.pick(&common);
                drop_signed(draft, name);
            },
        ),
        Mistake::new(Hypothesis::SignatureIncluded, "", any, |draft, _| {
            draft.signed.push(("Signature".into(), Vec::new()));
        }),
        Mistake::new(
            Hypothesis::QueryAndBodyMixed,
            "",
            |draft, rng| {
                draft.beside_form = vec![("lang".into(), rng.word(3, 5).into())];
                if rng.one_in(2) {
                    draft
                        .beside_form
                        .push(("trace".into(), rng.word(5, 9).into()));
                }
                is_post(draft)
            },
            |draft, _| draft.signed.extend_from_slice(&draft.beside_form),
        ),
        Mistake::new(
            Hypothesis::FilesLeftOut,
            "file part",
            |draft, rng| {
                is_post(draft);
                draft.form = Form::Multipart;
                let content = rng.word(20, 40);
                draft.add("entityFile", content);
                draft.files.push("entityFile".into());
                true
            },
            |draft, _| drop_signed(draft, "entityFile"),
        ),
        Mistake::new(
            Hypothesis::FilesLeftOut,
            "at value",
            |draft, rng| {
                let path = format!("@/tmp/{}", rng.word(5, 9));
                draft.add("entityFile", path);
                is_post(draft)
            },
            |draft, _| drop_signed(draft, "entityFile"),
        ),
        Mistake::new(Hypothesis::ArrayLiteral, "", has_short_list, |draft, _| {
            let listed = |name: &Bytes| name.iter().position(|&byte| byte == b'.');
            let mut signed = Pairs::new();
            for (name, value) in &draft.signed {
                match listed(name) {
                    None => signed.push((name.clone(), value.clone())),
                    Some(dot) => {
                        let array = (name[..dot].to_vec(), b"Array".to_vec());
                        if !signed.contains(&array) {
                            signed.push(array);
                        }
                    }
                }
            }
            draft.signed = signed;
        }),
    ]
}

fn query_frame() -> Vec<Mistake<QueryDraft>> {
    fn ported(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        let port = *rng.pick(&["8443", "8080", "9000"]);
        draft.host = format!("{}:{port}", draft.host);
        draft.signed_host = draft.host.clone().into();
        true
    }
    fn forwarded(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        let public = draft.host.clone();
        draft.host = format!("{}:9000", rng.word(4, 8).to_lowercase());
        draft.signed_host = draft.host.clone().into();
        draft.headers.push(("X-Forwarded-Host".to_owned(), public));
        true
    }
    fn prefixed(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        draft.path = format!("/{}{}", rng.word(4, 7).to_lowercase(), draft.path);
        draft.signed_path = draft.path.clone().into();
        true
    }
    let mut all = vec![
        Mistake::new(
            Hypothesis::MethodMismatch,
            "other",
            any,
            |draft: &mut QueryDraft, _| {
                let other = if draft.method == "GET" { "POST" } else { "GET" };
                draft.signed_method = other.into();
            },
        ),
        Mistake::new(Hypothesis::MethodMismatch, "lower case", any, |draft, _| {
            draft.signed_method.make_ascii_lowercase();
        }),
        Mistake::new(Hypothesis::MethodToken, "algorithm", any, |draft, rng| {
            draft.signed_method = (*rng.pick(&["HmacSHA256", "HmacSHA1"])).into();
        }),
        Mistake::new(Hypothesis::MethodToken, "none", any, |draft, _| {
            draft.signed_method.clear();
        }),
        Mistake::new(Hypothesis::HostPort, "signed", any, |draft, rng| {
            draft
                .signed_host
                .extend_from_slice(rng.pick(&[":443", ":80"]).as_bytes());
        }),
        Mistake::new(Hypothesis::HostPort, "sent", ported, |draft, _| {
            let bare = draft.host.split(':').next().expect("a host");
            draft.signed_host = bare.into();
        }),
        Mistake::new(Hypothesis::HostCase, "upper label", any, |draft, _| {
            let dot = draft
                .signed_host
                .iter()
                .position(|&byte| byte == b'.')
                .expect("a dot");
            draft.signed_host[..dot].make_ascii_uppercase();
        }),
        Mistake::new(
            Hypothesis::HostCase,
            "sent in capitals",
            |draft, _| {
                draft.host = draft.host.to_uppercase();
                draft.signed_host.make_ascii_uppercase();
                true
            },
            |draft, _| draft.signed_host.make_ascii_lowercase(),
        ),
        Mistake::new(
            Hypothesis::HostRewritten,
            "forwarded",
            forwarded,
            |draft, _| {
                draft.signed_host = draft.headers.last().expect("prepared").1.clone().into();
            },
        ),
        Mistake::new(Hypothesis::HostOtherFamily, "", any, |draft, _| {
            let (service, _) = draft.host.split_once('.').expect("a dot");
            let domain = if draft.legacy {
                "tencentcloudapi.com"
            } else {
                "api.qcloud.com"
            };
            draft.signed_host = format!("{service}.{domain}").into();
        }),
        Mistake::new(Hypothesis::HostMissing, "", any, |draft, _| {
            draft.signed_host.clear();
        }),
        Mistake::new(
            Hypothesis::PathRewritten,
            "of the other dialect",
            any,
            |draft, _| {
                draft.signed_path = if draft.legacy { "/" } else { "/v2/index.php" }.into();
            },
        ),
        Mistake::new(Hypothesis::PathRewritten, "prefix", prefixed, |draft, _| {
            draft.signed_path = if draft.legacy { "/v2/index.php" } else { "/" }.into();
        }),
        Mistake::new(Hypothesis::PathRewritten, "slash", any, |draft, _| {
            draft.signed_path = if draft.legacy { "/v2/index.php/" } else { "" }.into();
        }),
        Mistake::new(
            Hypothesis::JoinWrong,
            "no question mark",
            any,
            |draft, _| {
                draft.join = |method, host, path, pairs| [method, host, path, pairs].concat();
            },
        ),
        Mistake::new(Hypothesis::JoinWrong, "line ends", any, |draft, _| {
            draft.join = |method, host, path, pairs| [method, host, path, pairs].join(&b'\n');
        }),
        Mistake::new(Hypothesis::JoinWrong, "final line end", any, |draft, _| {
            draft.join = |method, host, path, pairs| {
                [&joined(method, host, path, pairs), b"\n".as_slice()].concat()
            };
        }),
        Mistake::new(
            Hypothesis::JoinWrong,
            "encoded as a whole",
            any,
            |draft, _| {
                draft.join = |method, host, path, pairs| {
                    encoded(&joined(method, host, path, pairs)).into_bytes()
                };
            },
        ),
        Mistake::new(
            Hypothesis::JoinWrong,
            "SHA-256 of the whole",
            any,
            |draft, _| {
                draft.join = |method, host, path, pairs| {
                    sha256_hex(&joined(method, host, path, pairs)).into_bytes()
                };
            },
        ),
        Mistake::new(
            Hypothesis::JoinWrong,
            "SHA-1 of the whole",
            any,
            |draft, _| {
                draft.join = |method, host, path, pairs| {
                    hex(&Sha1::digest(joined(method, host, path, pairs))).into_bytes()
                };
            },
        ),
    ];
    all.extend([
        Mistake::new(
            Hypothesis::HostDecorated,
            "scheme",
            any,
            |draft: &mut QueryDraft, rng| {
                let scheme = rng.pick(&["https://", "http://"]).as_bytes();
                draft.signed_host = [scheme, &draft.signed_host].concat();
            },
        ),
        Mistake::new(Hypothesis::HostDecorated, "blank", any, |draft, _| {
            // A blank before the host is also one after the method.
            draft.signed_host.push(b' ');
        }),
    ]);
    all
}

pub fn tc3_mistakes() -> Vec<Mistake<Tc3Draft>> {
    let mut all: Vec<Mistake<Tc3Draft>> = Vec::new();
    all.extend(key_mistakes!(Tc3Draft));
    all.extend([
        Mistake::new(
            Hypothesis::TokenUsedAsKey,
            "",
            |draft: &mut Tc3Draft, _| {
                draft.world.token = Some(TOKEN.to_owned());
                draft
                    .headers
                    .push(("X-TC-Token".to_owned(), TOKEN.to_owned()));
                true
            },
            |draft, _| draft.key = TOKEN.into(),
        ),
        Mistake::new(
            Hypothesis::TimestampAfterSigning,
            "",
            |draft, rng| {
                let at = TIMESTAMP + 3600 + i64::try_from(rng.below(70_000)).expect("small");
                *draft = draft.clone().at(at);
                draft.world.now = at;
                true
            },
            |draft, rng| {
                let offset = i64::try_from(1 + rng.below(250)).expect("small");
                let at = draft.world.now + offset * [-1, 1][rng.below(2)];
                draft.signed_timestamp = at.to_string();
            },
        ),
        Mistake::new(
            Hypothesis::ScopeDate,
            "local date",
            |draft, rng| {
                let at = TIMESTAMP + 17 * 3600 + i64::try_from(rng.below(20_000)).expect("small");
                *draft = draft.clone().at(at);
                draft.world.now = at;
                true
            },
            |draft, _| {
                let local = utc_date(draft.world.now + 8 * 3600);
                *draft = draft.clone().date(&local);
            },
        ),
    ]);
    all.extend(tc3_output());
    all.extend(tc3_frame());
    all.extend(tc3_headers());
    all.extend(tc3_payload());
    all.extend(tc3_query());
    all.extend(tc3_scope());
    all
}

fn tc3_output() -> Vec<Mistake<Tc3Draft>> {
    vec![
        Mistake::new(
            Hypothesis::Base64InsteadOfHex,
            "",
            any,
            |draft: &mut Tc3Draft, _| {
                draft.writing = written_base64;
            },
        ),
        Mistake::new(Hypothesis::Base64OfHex, "", any, |draft, _| {
            draft.writing = |mac| base64(hex(mac).as_bytes());
        }),
        Mistake::new(Hypothesis::UpperCaseHex, "", any, |draft, _| {
            draft.writing = |mac| hex(mac).to_uppercase();
        }),
        Mistake::new(Hypothesis::SignatureTruncated, "to 40", any, |draft, _| {
            draft.writing = |mac| hex(mac)[..40].to_owned();
        }),
        Mistake::new(Hypothesis::PlainHash, "of text", any, |draft, _| {
            draft.mac = Mac::HashOfText;
        }),
        Mistake::new(Hypothesis::HmacArgumentsSwapped, "", any, |draft, _| {
            draft.mac = Mac::Swapped;
        }),
    ]
}

fn tc3_frame() -> Vec<Mistake<Tc3Draft>> {
    fn ported(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        let host = format!("{}:{}", draft.host, rng.pick(&["8443", "8080", "9000"]));
        *draft = draft.clone().hosted(&host);
        true
    }
    fn forwarded(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        let public = draft.host.clone();
        let host = format!("{}:9000", rng.word(4, 8).to_lowercase());
        *draft = draft
            .clone()
            .hosted(&host)
            .header("X-Forwarded-Host", &public);
        true
    }
    vec![
        Mistake::new(
            Hypothesis::MethodMismatch,
            "other",
            any,
            |draft: &mut Tc3Draft, _| {
                let other = if draft.method == "GET" { "POST" } else { "GET" };
                draft.signed_method = other.to_owned();
            },
        ),
        Mistake::new(Hypothesis::MethodMismatch, "lower case", any, |draft, _| {
            draft.signed_method = draft.method.to_lowercase();
        }),
        Mistake::new(Hypothesis::HostPort, "signed", any, |draft, rng| {
            let host = format!("{}{}", draft.host, rng.pick(&[":443", ":80"]));
            draft.set_line("host", &host);
        }),
        Mistake::new(Hypothesis::HostPort, "sent", ported, |draft, _| {
            let bare = draft.host.split(':').next().expect("a host").to_owned();
            draft.set_line("host", &bare);
        }),
        Mistake::new(Hypothesis::HostCase, "upper label", any, |draft, _| {
            let (label, rest) = draft.host.split_once('.').expect("a dot");
            let host = format!("{}.{rest}", label.to_uppercase());
            draft.set_line("host", &host);
        }),
        Mistake::new(
            Hypothesis::HostRewritten,
            "forwarded",
            forwarded,
            |draft, _| {
                let public = draft.headers.last().expect("prepared").1.clone();
                draft.set_line("host", &public);
            },
        ),
        Mistake::new(
            Hypothesis::HostRewritten,
            "address",
            |draft, rng| {
                let host = format!("10.0.{}.{}", rng.below(250), 1 + rng.below(250));
                *draft = draft.clone().hosted(&host);
                true
            },
            |draft, _| {
                let host = format!("{}.tencentcloudapi.com", draft.scope.service);
                draft.set_line("host", &host);
            },
        ),
        Mistake::new(Hypothesis::HostOtherFamily, "regional", any, |draft, _| {
            let host = format!("{}.ap-guangzhou.tencentcloudapi.com", draft.scope.service);
            draft.set_line("host", &host);
        }),
        Mistake::new(Hypothesis::HostOtherFamily, "legacy", any, |draft, _| {
            let host = format!("{}.api.qcloud.com", draft.scope.service);
            draft.set_line("host", &host);
        }),
        Mistake::new(Hypothesis::HostDecorated, "scheme", any, |draft, rng| {
            let host = format!("{}{}", rng.pick(&["https://", "http://"]), draft.host);
            draft.set_line("host", &host);
        }),
        Mistake::new(Hypothesis::HostMissing, "empty line", any, |draft, _| {
            draft.set_line("host", "");
        }),
        Mistake::new(Hypothesis::PathRewritten, "empty", any, |draft, _| {
            draft.signed_path.clear();
        }),
        Mistake::new(Hypothesis::PathRewritten, "legacy", any, |draft, _| {
            draft.signed_path = "/v2/index.php".to_owned();
        }),
        Mistake::new(
            Hypothesis::PathRewritten,
            "prefix",
            |draft, rng| {
                draft.path = format!("/{}/", rng.word(4, 7).to_lowercase());
                draft.signed_path = draft.path.clone();
                true
            },
            |draft, _| draft.signed_path = "/".to_owned(),
        ),
    ]
}

fn tc3_headers() -> Vec<Mistake<Tc3Draft>> {
    fn train_case(name: &str) -> String {
        let words: Vec<String> = name
            .split('-')
            .map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]))
            .collect();
        words.join("-").replace("X-Tc-", "X-TC-")
    }
    fn shouting_type(draft: &mut Tc3Draft, _: &mut Rng) -> bool {
        *draft = draft.clone().typed("Application/JSON; charset=UTF-8");
        true
    }
    vec![
        Mistake::new(
            Hypothesis::ContentTypeAltered,
            "charset added",
            |draft: &mut Tc3Draft, rng| {
                let charset = *rng.pick(&["utf-8", "UTF-8", "utf8"]);
                *draft = draft
                    .clone()
                    .typed(&format!("application/json; charset={charset}"));
                true
            },
            |draft, _| draft.set_line("content-type", "application/json"),
        ),
        Mistake::new(
            Hypothesis::ContentTypeAltered,
            "charset lost",
            |draft, _| {
                *draft = draft.clone().typed("application/json");
                true
            },
            |draft, _| draft.set_line("content-type", "application/json; charset=utf-8"),
        ),
        Mistake::new(
            Hypothesis::HeaderNameCase,
            "lines and list",
            any,
            |draft, _| {
                for (name, _) in &mut draft.lines {
                    *name = train_case(name);
                }
                let names: Vec<String> = draft.signed_list.split(';').map(train_case).collect();
                draft.signed_list = names.join(";");
            },
        ),
        Mistake::new(Hypothesis::HeaderNameCase, "lines", any, |draft, _| {
            for (name, _) in &mut draft.lines {
                *name = train_case(name);
            }
        }),
        Mistake::new(Hypothesis::HeaderNameCase, "list", any, |draft, _| {
            let names: Vec<String> = draft.signed_list.split(';').map(train_case).collect();
            draft.signed_list = names.join(";");
        }),
        Mistake::new(
            Hypothesis::HeaderValues,
            "as sent",
            shouting_type,
            |draft, _| {
                let mut sent = draft.headers.clone();
                sent.push(("Content-Type".to_owned(), draft.content_type.clone()));
                for (name, value) in sent {
                    draft.set_line(&name.to_lowercase(), &value);
                }
            },
        ),
        Mistake::new(
            Hypothesis::HeaderValues,
            "blank after the colon",
            any,
            |draft, _| {
                for (_, value) in &mut draft.lines {
                    *value = format!(" {value}");
                }
            },
        ),
        Mistake::new(
            Hypothesis::HeaderOrder,
            "lines and list",
            any,
            |draft, _| {
                draft.lines.reverse();
                let names: Vec<&str> = draft.signed_list.split(';').rev().collect();
                draft.signed_list = names.join(";");
            },
        ),
        Mistake::new(Hypothesis::HeaderOrder, "lines", any, |draft, _| {
            draft.lines.reverse();
        }),
        Mistake::new(Hypothesis::HeaderSet, "more", any, |draft, _| {
            // Signs X-TC-Version, which SignedHeaders does not list.
            draft
                .lines
                .push(("x-tc-version".to_owned(), "2017-03-12".to_owned()));
            draft.signed_list.push_str(";x-tc-version");
        }),
        Mistake::new(Hypothesis::HeaderSet, "fewer", any, |draft, _| {
            draft.lines.retain(|(name, _)| name != "content-type");
            draft.signed_list = draft.signed_list.replace("content-type;", "");
        }),
        Mistake::new(
            Hypothesis::MissingNewline,
            "no blank line",
            any,
            |draft, _| {
                draft.frame = Frame::NoBlankLine;
            },
        ),
        Mistake::new(
            Hypothesis::MissingNewline,
            "one too many",
            any,
            |draft, _| {
                draft.frame = Frame::FinalLineEnd;
            },
        ),
        Mistake::new(Hypothesis::Crlf, "", any, |draft, _| {
            draft.line_end = "\r\n";
        }),
        Mistake::new(Hypothesis::LiteralBackslashN, "", any, |draft, _| {
            draft.line_end = "\\n";
        }),
    ]
}

fn tc3_payload() -> Vec<Mistake<Tc3Draft>> {
    fn posting(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        if draft.method != "POST" {
            let old = draft.clone();
            *draft = tc3_post(rng);
            draft.world = old.world;
            draft.key = old.key;
            *draft = draft.clone().at(old.timestamp.parse().expect("a number"));
        }
        true
    }
    fn compact(draft: &Tc3Draft) -> String {
        String::from_utf8(draft.body.clone()).expect("text")
    }
    vec![
        Mistake::new(
            Hypothesis::BodyReserialised,
            "compact signed",
            |draft, rng| {
                posting(draft, rng);
                let spaced = spaced_json(&compact(draft));
                *draft = draft.clone().body(spaced.as_bytes());
                true
            },
            |draft, _| {
                let compact: String = compact(draft).replace(": ", ":").replace(", ", ",");
                draft.digest = sha256_hex(compact.as_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::BodyReserialised,
            "spaced signed",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(spaced_json(&compact(draft)).as_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::BodyReserialised,
            "pretty signed",
            posting,
            |draft, rng| {
                let indent = *rng.pick(&["  ", "    "]);
                draft.digest = sha256_hex(pretty_json(&compact(draft), indent).as_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::PayloadDigest,
            "of nothing",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(b"");
            },
        ),
        Mistake::new(
            Hypothesis::PayloadDigest,
            "upper case",
            posting,
            |draft, _| {
                draft.digest = draft.digest.to_uppercase();
            },
        ),
        Mistake::new(Hypothesis::PayloadDigest, "base64", posting, |draft, _| {
            draft.digest = base64(&Sha256::digest(&draft.body));
        }),
        Mistake::new(
            Hypothesis::PayloadDigest,
            "body itself",
            posting,
            |draft, _| {
                draft.digest = compact(draft);
            },
        ),
        Mistake::new(
            Hypothesis::UnsignedPayload,
            "undeclared",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(b"UNSIGNED-PAYLOAD");
            },
        ),
        Mistake::new(
            Hypothesis::UnsignedPayload,
            "declared and hashed",
            |draft, rng| {
                posting(draft, rng);
                draft.digest = sha256_hex(b"UNSIGNED-PAYLOAD");
                *draft = draft
                    .clone()
                    .header("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD");
                true
            },
            |draft, _| draft.digest = sha256_hex(&draft.body),
        ),
    ]
}

fn tc3_query() -> Vec<Mistake<Tc3Draft>> {
    fn getting(draft: &mut Tc3Draft, rng: &mut Rng, piece: &str) -> bool {
        if draft.method != "GET" {
            let old = draft.clone();
            *draft = tc3_get(rng);
            draft.world = old.world;
            draft.key = old.key;
            *draft = draft.clone().at(old.timestamp.parse().expect("a number"));
        }
        if !piece.is_empty() {
            draft.query = format!("{}&{piece}", draft.query);
            draft.signed_query.clone_from(&draft.query);
        }
        true
    }
    fn posting_query(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        draft.query = format!("Limit={}", 1 + rng.below(90));
        draft.signed_query.clear();
        draft.method == "POST"
    }
    vec![
        Mistake::new(
            Hypothesis::SignRawQuery,
            "",
            |draft, rng| {
                let piece = format!(
                    "Name={}%2F{}",
                    encoded(rng.chinese().as_bytes()),
                    rng.word(3, 5)
                );
                getting(draft, rng, &piece)
            },
            |draft, _| {
                let mut bytes = Vec::new();
                let query = draft.query.as_bytes();
                let mut at = 0;
                while at < query.len() {
                    if query[at] == b'%' {
                        let digits = &draft.query[at + 1..at + 3];
                        bytes.push(u8::from_str_radix(digits, 16).expect("hex"));
                        at += 3;
                    } else {
                        bytes.push(query[at]);
                        at += 1;
                    }
                }
                draft.signed_query = String::from_utf8(bytes).expect("text");
            },
        ),
        Mistake::new(
            Hypothesis::SpacePlusVsPercent20,
            "plus sent",
            |draft, rng| {
                let piece = format!("Name={}+{}", rng.word(3, 5), rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace('+', "%20"),
        ),
        Mistake::new(
            Hypothesis::SpacePlusVsPercent20,
            "%20 sent",
            |draft, rng| {
                let piece = format!("Name={}%20{}", rng.word(3, 5), rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace("%20", "+"),
        ),
        Mistake::new(
            Hypothesis::QueryReencoded,
            "encoded on the way",
            |draft, rng| {
                let piece = format!("Name=%24{}&Line=%E4%B8%AD", rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace("%24", "$"),
        ),
        Mistake::new(
            Hypothesis::QueryReencoded,
            "decoded on the way",
            |draft, rng| {
                let piece = format!("Time={}:{}", rng.word(2, 4), rng.word(2, 4));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace(':', "%3A"),
        ),
        Mistake::new(
            Hypothesis::QueryReencoded,
            "case of escapes",
            |draft, rng| {
                let piece = format!("Name={}", encoded(rng.chinese().as_bytes()));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = lower_case_escapes(&draft.query),
        ),
        Mistake::new(
            Hypothesis::QuerySorted,
            "",
            |draft, rng| {
                let piece = format!("Aa={}", rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| {
                let mut pieces: Vec<&str> = draft.query.split('&').collect();
                pieces.sort_unstable();
                draft.signed_query = pieces.join("&");
            },
        ),
        Mistake::new(
            Hypothesis::QueryPresence,
            "left out of a GET",
            |draft, rng| getting(draft, rng, ""),
            |draft, _| draft.signed_query.clear(),
        ),
        Mistake::new(
            Hypothesis::QueryPresence,
            "signed in a POST",
            posting_query,
            |draft, _| {
                draft.signed_query.clone_from(&draft.query);
            },
        ),
    ]
}

fn tc3_scope() -> Vec<Mistake<Tc3Draft>> {
    vec![
        Mistake::new(
            Hypothesis::ScopeMismatch,
            "another day",
            any,
            |draft: &mut Tc3Draft, rng| {
                let at: i64 = draft.timestamp.parse().expect("a number");
                let date = utc_date(at + [-86_400, 86_400][rng.below(2)]);
                draft.signed_scope.date.clone_from(&date);
                draft.chain_scope.date = date;
            },
        ),
        Mistake::new(
            Hypothesis::ScopeMismatch,
            "another terminator",
            any,
            |draft, _| {
                draft.signed_scope.end = "aws4_request".to_owned();
                draft.chain_scope.end = "aws4_request".to_owned();
            },
        ),
        Mistake::new(
            Hypothesis::ScopeMismatch,
            "date without dashes",
            any,
            |draft, _| {
                let date = draft.scope.date.replace('-', "");
                draft.signed_scope.date.clone_from(&date);
                draft.chain_scope.date = date;
            },
        ),
        Mistake::new(Hypothesis::KeyChain, "no prefix", any, |draft, _| {
            draft.chain = Chain::NoPrefix;
        }),
        Mistake::new(Hypothesis::KeyChain, "service first", any, |draft, _| {
            draft.chain = Chain::ServiceFirst;
        }),
        Mistake::new(Hypothesis::KeyChain, "step missing", any, |draft, rng| {
            draft.chain = *rng.pick(&[Chain::NoDate, Chain::NoService, Chain::NoTerminator]);
        }),
        Mistake::new(Hypothesis::KeyChain, "hexadecimal text", any, |draft, _| {
            draft.chain = Chain::HexText;
        }),
        Mistake::new(Hypothesis::KeyChain, "secret itself", any, |draft, _| {
            draft.chain = Chain::SecretItself;
        }),
        Mistake::new(Hypothesis::StringToSignForm, "unhashed", any, |draft, _| {
            draft.text = Text::Unhashed;
        }),
        Mistake::new(
            Hypothesis::StringToSignForm,
            "upper-case hash",
            any,
            |draft, _| {
                draft.text = Text::UpperCaseHash;
            },
        ),
        Mistake::new(Hypothesis::StringToSignForm, "no scope", any, |draft, _| {
            draft.text = Text::NoScope;
        }),
        Mistake::new(
            Hypothesis::StringToSignForm,
            "final line end",
            any,
            |draft, _| {
                draft.text = Text::FinalLineEnd;
            },
        ),
        Mistake::new(
            Hypothesis::StringToSignForm,
            "canonical request alone",
            any,
            |draft, _| {
                draft.text = Text::CanonicalAlone;
            },
        ),
    ]
}

// ------------------------------------------------------------------------------------------------------------- kinds

/// Whether a mistake shows in the signature, so that only the signature can prove it.
pub fn is_signature_matter(hypothesis: Hypothesis) -> bool {
    why_no_signature_matter(hypothesis).is_none()
}

/// What else shows a mistake that does not show in the signature.
pub fn why_no_signature_matter(hypothesis: Hypothesis) -> Option<&'static str> {
    const STATE: &str = "the credential store says so before any signature is looked at";
    const TIME: &str = "the timestamp says so before any signature is looked at";
    const REQUEST: &str = "the request says so before or after any signature is looked at";
    Some(match hypothesis {
        Hypothesis::SecretIdEmpty
        | Hypothesis::WrongCredentialType
        | Hypothesis::SecretIdWhitespace
        | Hypothesis::TokenMissing
        | Hypothesis::TokenExpired
        | Hypothesis::TokenWrong
        | Hypothesis::TokenWithPermanentKey => STATE,
        Hypothesis::ClockSkew
        | Hypothesis::TimestampMilliseconds
        | Hypothesis::TimestampMalformed
        | Hypothesis::TimestampLocalTimezone
        | Hypothesis::TimestampExample => TIME,
        Hypothesis::ScopeService => "the scope contradicts the host, whatever the signature",
        Hypothesis::AuthorizationUnreadable
        | Hypothesis::MissingParameter
        | Hypothesis::DuplicateParameter
        | Hypothesis::ValuelessParameter
        | Hypothesis::UnencodedCharacter
        | Hypothesis::AmbiguousNames
        | Hypothesis::InvalidValue
        | Hypothesis::BodyTooLarge
        | Hypothesis::MalformedBody
        | Hypothesis::PlainHttp
        | Hypothesis::MethodUnsupported
        | Hypothesis::NonceReused
        | Hypothesis::NotPermitted
        | Hypothesis::ActionWrong
        | Hypothesis::LimitReached => REQUEST,
        _ => return None,
    })
}
