//! A draft of a TC3 request.

use crate::mistakes::draft::*;
use crate::signer::{SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, hex, utc_date};

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
    pub(crate) fn text(&self) -> String {
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
    pub(crate) fn correct(
        method: &str,
        service: &str,
        query: &str,
        content_type: &str,
        body: &[u8],
    ) -> Self {
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
