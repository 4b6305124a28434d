//! A draft of a legacy v2 request, or of one with signature v1.

use crate::mistakes::draft::*;
use crate::mistakes::random::Rng;
use crate::signer::{SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, percent_encoded};

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
    pub(crate) fn correct(
        legacy: bool,
        method: &str,
        host: &str,
        path: &str,
        params: Pairs,
    ) -> Self {
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
    pub(crate) fn map_signed(&mut self, change: impl Fn(&[u8]) -> Bytes) {
        for (_, value) in &mut self.signed {
            *value = change(value);
        }
    }

    pub(crate) fn map_signed_text(&mut self, change: impl Fn(&str) -> String) {
        self.map_signed(|value| match str::from_utf8(value) {
            Ok(text) => change(text).into_bytes(),
            Err(_) => value.to_vec(),
        });
    }

    pub(crate) fn signed_pairs(&self) -> Pairs {
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

    pub(crate) fn wire(&self, text: &[u8]) -> String {
        let encoded = encoded(text);
        if self.blank_as_plus {
            encoded.replace("%20", "+")
        } else {
            encoded
        }
    }

    pub(crate) fn urlencoded(&self, params: &Pairs) -> Vec<String> {
        params
            .iter()
            .map(|(name, value)| format!("{}={}", self.wire(name), self.wire(value)))
            .collect()
    }

    pub(crate) fn multipart(&self, signature: &str) -> Bytes {
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
