//! Guesses at the canonical request and the string to sign of TC3.

mod content_type;
mod header_set;
mod headers;
mod lines;
mod payload;
mod query;
pub(crate) mod signing_key;
mod string_to_sign;

use sha2::{Digest, Sha256};

use super::{Choice, Guess, Last, Text, distinct, family, host, method, path, text};
use crate::diagnosis::{Finding, Mistake, shown};
use crate::policy::Policy;
use crate::request::RequestView;
use crate::signature::{Authorization, hex};
use headers::HeaderForm;
use lines::Lines;
use string_to_sign::Form;

/// A request whose signed text can be built in many wrong ways.
pub(crate) struct Tc3Guess<'g> {
    secret: &'g [u8],
    authorization: Authorization<'g>,
    timestamp: Vec<u8>,
    scope: Vec<u8>,
    base: Base,
    /// Of the documented canonical request.
    canonical_digest: Vec<u8>,
    families: Vec<Vec<Choice<Part>>>,
}

/// A part of the two texts as a mistake makes it.
pub(crate) enum Part {
    ContentType(Vec<u8>),
    Payload(Vec<u8>),
    Lines(Lines),
    Query(Vec<u8>),
    Headers(HeaderForm),
    Host(Vec<u8>),
    Method(Vec<u8>),
    Path(Vec<u8>),
    Form(Form),
}

/// The request as it arrived, each part in its documented form.
struct Base {
    method: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    host: Vec<u8>,
    content_type: Vec<u8>,
    headers: HeaderForm,
    payload: Vec<u8>,
}

/// The parts of one guess.
#[derive(Clone, Copy)]
struct Parts<'p> {
    method: &'p [u8],
    path: &'p [u8],
    query: &'p [u8],
    host: &'p [u8],
    content_type: &'p [u8],
    /// Whether the two above are guesses, to be written as they are, or what arrived, to be put in lower case.
    host_is_guessed: bool,
    content_type_is_guessed: bool,
    headers: &'p HeaderForm,
    payload: &'p [u8],
    lines: Lines,
    form: &'p Form,
}

impl<'g> Tc3Guess<'g> {
    pub(crate) fn new(
        request: &RequestView<'_>,
        authorization: Authorization<'g>,
        policy: &Policy,
        secret: &'g [u8],
    ) -> Self {
        let header = |name: &str| request.header(name).trimmed();
        let timestamp = header("x-tc-timestamp");
        let names: Vec<String> = authorization
            .signed_header_names()
            .map(str::to_ascii_lowercase)
            .collect();
        let values: Vec<(Vec<u8>, Vec<u8>)> = names
            .iter()
            .map(|name| (name.as_bytes().to_vec(), header(name).to_ascii_lowercase()))
            .collect();
        let headers = HeaderForm {
            headers: values,
            lower_case: true,
            signed_headers: authorization
                .signed_headers
                .to_ascii_lowercase()
                .into_bytes(),
            separator: b":",
        };
        let get = request.method() == b"GET";
        let body = request.payload().bytes().unwrap_or_default();
        let unsigned = header("x-tc-content-sha256") == b"UNSIGNED-PAYLOAD";
        let hashed: &[u8] = if unsigned {
            b"UNSIGNED-PAYLOAD"
        } else if get {
            b""
        } else {
            body
        };
        let base = Base {
            method: request.method().to_vec(),
            path: request.path().to_vec(),
            query: if get {
                request.query().to_vec()
            } else {
                Vec::new()
            },
            host: request.host().to_vec(),
            content_type: header("content-type").to_vec(),
            headers,
            payload: digest(hashed),
        };
        let scope = [
            authorization.date.as_bytes(),
            b"/",
            authorization.service.as_bytes(),
            b"/tc3_request",
        ]
        .concat();
        let queries = query::choices(request.query(), get);
        let hosts = host::choices(
            request,
            policy,
            header("x-tc-region"),
            authorization.service.as_bytes(),
        );
        let methods = method::choices(request.method());
        let paths = path::choices(request.path());
        let forms = string_to_sign::choices(timestamp, &authorization);
        let payloads = payload::choices(body, get, unsigned, request.query());
        let content_types = content_type::choices(&base.content_type);
        let headers = headers::choices(request, &authorization, &base.headers);
        // The order in which they are tried.
        let families = vec![
            family(
                Part::ContentType,
                distinct(content_types, &base.content_type),
            ),
            family(Part::Payload, distinct(payloads, &base.payload)),
            family(Part::Lines, lines::choices()),
            family(Part::Query, distinct(queries, &base.query)),
            family(Part::Headers, distinct(headers, &base.headers)),
            family(Part::Host, distinct(hosts, &base.host)),
            family(Part::Method, distinct(methods, &base.method)),
            family(Part::Path, distinct(paths, &base.path)),
            family(Part::Form, distinct(forms, &Form::Documented)),
        ];
        Self {
            secret,
            authorization,
            canonical_digest: digest(&canonical(&base.parts(&[]))),
            timestamp: timestamp.to_vec(),
            scope,
            base,
            families,
        }
    }

    /// Writes the documented string to sign of this timestamp and scope.
    fn string_to_sign(&self, timestamp: &[u8], scope: &[u8]) -> Vec<u8> {
        let algorithm = &b"TC3-HMAC-SHA256"[..];
        [algorithm, timestamp, scope, &self.canonical_digest].join(&b'\n')
    }
}

impl Base {
    fn parts<'p>(&'p self, changed: &[&'p Part]) -> Parts<'p> {
        let mut parts = Parts {
            method: &self.method,
            path: &self.path,
            query: &self.query,
            host: &self.host,
            content_type: &self.content_type,
            host_is_guessed: false,
            content_type_is_guessed: false,
            headers: &self.headers,
            payload: &self.payload,
            lines: Lines::Documented,
            form: &Form::Documented,
        };
        for part in changed {
            match part {
                Part::ContentType(signed) => {
                    parts.content_type = signed;
                    parts.content_type_is_guessed = true;
                }
                Part::Payload(signed) => parts.payload = signed,
                Part::Lines(signed) => parts.lines = *signed,
                Part::Query(signed) => parts.query = signed,
                Part::Headers(signed) => parts.headers = signed,
                Part::Host(signed) => {
                    parts.host = signed;
                    parts.host_is_guessed = true;
                }
                Part::Method(signed) => parts.method = signed,
                Part::Path(signed) => parts.path = signed,
                Part::Form(signed) => parts.form = signed,
            }
        }
        parts
    }
}

impl Guess for Tc3Guess<'_> {
    type Part = Part;

    fn families(&self) -> &[Vec<Choice<Part>>] {
        &self.families
    }

    fn text(&self, changed: &[&Part]) -> Text {
        let parts = self.base.parts(changed);
        let mut canonical = canonical(&parts);
        match parts.lines {
            Lines::Crlf | Lines::CrlfInCanonicalRequest => {
                canonical = text::replace(&canonical, b"\n", b"\r\n");
            }
            Lines::LiteralBackslashN | Lines::LiteralInCanonicalRequest => {
                canonical = text::replace(&canonical, b"\n", b"\\n");
            }
            Lines::Blanks => canonical = text::replace(&canonical, b"\n", b" "),
            _ => {}
        }
        let mut digits = hex::encode(&Sha256::digest(&canonical).into());
        let mut timestamp = self.timestamp.as_slice();
        let mut scope = Some(self.scope.as_slice());
        let mut algorithm = &b"TC3-HMAC-SHA256"[..];
        match parts.form {
            Form::Documented | Form::NotHashed => {}
            Form::Timestamp(other) => timestamp = other,
            Form::Scope(other) => scope = Some(other),
            Form::Algorithm(other) => algorithm = other,
            Form::UpperCaseDigest => digits.make_ascii_uppercase(),
            Form::CanonicalRequestAlone => return canonical.into(),
            Form::DigestAlone => {
                return Text {
                    bytes: digits.to_vec(),
                    written: canonical.len(),
                };
            }
            Form::WithoutScope => scope = None,
        }
        let line: &[u8] = match parts.lines {
            Lines::Crlf | Lines::CrlfInStringToSign => b"\r\n",
            Lines::LiteralBackslashN | Lines::LiteralInStringToSign => b"\\n",
            Lines::Blanks => b" ",
            _ => b"\n",
        };
        let hashed: &[u8] = if *parts.form == Form::NotHashed {
            &canonical
        } else {
            &digits
        };
        let mut text = Vec::with_capacity(192);
        for piece in [Some(algorithm), Some(timestamp), scope]
            .into_iter()
            .flatten()
        {
            text.extend_from_slice(piece);
            text.extend_from_slice(line);
        }
        text.extend_from_slice(hashed);
        if parts.lines == Lines::TrailingLineEndInString {
            text.push(b'\n');
        }
        Text {
            written: canonical.len().saturating_add(text.len()),
            bytes: text,
        }
    }

    fn with_timestamp(&self, timestamp: i64) -> Vec<u8> {
        self.string_to_sign(timestamp.to_string().as_bytes(), &self.scope)
    }

    /// Other scopes, in the key and in the text.
    fn last(&self) -> impl Iterator<Item = Last> {
        let scopes = signing_key::other_scopes(self.secret, &self.authorization);
        scopes.into_iter().map(|(key, scope)| Last {
            finding: Finding::new(
                Mistake::ScopeMismatch,
                format!("signed scope `{}`", shown(&scope)),
            ),
            key: Some(key),
            text: self.string_to_sign(&self.timestamp, &scope).into(),
        })
    }
}

fn canonical(parts: &Parts<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(384);
    out.extend_from_slice(parts.method);
    out.push(b'\n');
    out.extend_from_slice(parts.path);
    out.push(b'\n');
    out.extend_from_slice(parts.query);
    if parts.lines != Lines::NoQueryLine {
        out.push(b'\n');
    }
    for (name, value) in &parts.headers.headers {
        out.extend_from_slice(name);
        out.extend_from_slice(parts.headers.separator);
        let own = if name.eq_ignore_ascii_case(b"host") {
            Some((parts.host, parts.host_is_guessed))
        } else if name.eq_ignore_ascii_case(b"content-type") {
            Some((parts.content_type, parts.content_type_is_guessed))
        } else {
            None
        };
        match own {
            Some((arrived, false)) if parts.headers.lower_case => {
                out.extend(arrived.iter().map(u8::to_ascii_lowercase));
            }
            Some((written, _)) => out.extend_from_slice(written),
            None => out.extend_from_slice(value),
        }
        out.push(b'\n');
    }
    match parts.lines {
        Lines::NoBlankLine => {}
        Lines::ExtraBlankLine => out.extend_from_slice(b"\n\n"),
        _ => out.push(b'\n'),
    }
    if parts.lines != Lines::NoSignedHeadersLine {
        out.extend_from_slice(&parts.headers.signed_headers);
        out.push(b'\n');
    }
    out.extend_from_slice(parts.payload);
    if parts.lines == Lines::TrailingLineEnd {
        out.push(b'\n');
    }
    out
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    hex::encode(&Sha256::digest(bytes).into()).to_vec()
}
