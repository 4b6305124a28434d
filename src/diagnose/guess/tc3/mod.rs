//! How clients build the canonical request and the string to sign of TC3 wrongly.

mod content_type;
mod header_set;
mod headers;
mod lines;
mod payload;
mod query;
pub(crate) mod signing_key;
mod string_to_sign;

use sha2::{Digest, Sha256};

use super::{host, method, path, text};
use crate::diagnose::search::{Choice, Guess, Text, distinct, mistake_at};
use crate::diagnosis::{Finding, Mistake};
use crate::policy::Policy;
use crate::request::RequestView;
use crate::signature::{Authorization, hex};
use headers::HeaderForm;
use lines::Lines;
use string_to_sign::Form;

/// A request whose signed text can be built in many wrong ways.
pub(crate) struct Tc3Guess {
    timestamp: Vec<u8>,
    scope: Vec<u8>,
    base: Base,

    method_choices: Vec<Choice<Vec<u8>>>,
    path_choices: Vec<Choice<Vec<u8>>>,
    query_choices: Vec<Choice<Vec<u8>>>,
    host_choices: Vec<Choice<Vec<u8>>>,
    content_type_choices: Vec<Choice<Vec<u8>>>,
    header_choices: Vec<Choice<HeaderForm>>,
    payload_choices: Vec<Choice<Vec<u8>>>,
    line_choices: Vec<Choice<Lines>>,
    form_choices: Vec<Choice<Form>>,
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

impl Tc3Guess {
    pub(crate) fn new(
        request: &RequestView<'_>,
        authorization: &Authorization<'_>,
        policy: &Policy,
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
        let forms = string_to_sign::choices(timestamp, authorization);
        let payloads = payload::choices(body, get, unsigned, request.query());
        Self {
            method_choices: distinct(method::choices(request.method()), &base.method),
            path_choices: distinct(path::choices(request.path()), &base.path),
            query_choices: distinct(queries, &base.query),
            host_choices: distinct(hosts, &base.host),
            content_type_choices: distinct(
                content_type::choices(&base.content_type),
                &base.content_type,
            ),
            header_choices: distinct(
                headers::choices(request, authorization, &base.headers),
                &base.headers,
            ),
            payload_choices: distinct(payloads, &base.payload),
            line_choices: lines::choices(),
            form_choices: distinct(forms, &Form::Documented),
            timestamp: timestamp.to_vec(),
            scope,
            base,
        }
    }

    /// The documented text with another timestamp.
    pub(crate) fn with_timestamp(&self, timestamp: i64, canonical_digest: &[u8]) -> Vec<u8> {
        [
            b"TC3-HMAC-SHA256\n",
            timestamp.to_string().as_bytes(),
            b"\n",
            &self.scope,
            b"\n",
            canonical_digest,
        ]
        .concat()
    }

    /// The documented text with another scope.
    pub(crate) fn with_scope(&self, scope: &[u8], canonical_digest: &[u8]) -> Vec<u8> {
        [
            &b"TC3-HMAC-SHA256"[..],
            &self.timestamp,
            scope,
            canonical_digest,
        ]
        .join(&b'\n')
    }

    /// The digest of the documented canonical request.
    pub(crate) fn canonical_digest(&self) -> Vec<u8> {
        digest(&canonical(&self.parts(&[])))
    }

    fn parts<'p>(&'p self, chosen: &[Option<usize>]) -> Parts<'p> {
        fn pick<T>(choices: &[Choice<T>], index: Option<usize>) -> Option<&T> {
            index
                .and_then(|index| choices.get(index))
                .map(|choice| &choice.data)
        }
        let at = |family: usize| chosen.get(family).copied().flatten();
        let base = &self.base;
        Parts {
            content_type: pick(&self.content_type_choices, at(0)).unwrap_or(&base.content_type),
            content_type_is_guessed: at(0).is_some(),
            payload: pick(&self.payload_choices, at(1)).unwrap_or(&base.payload),
            lines: *pick(&self.line_choices, at(2)).unwrap_or(&Lines::Documented),
            query: pick(&self.query_choices, at(3)).unwrap_or(&base.query),
            headers: pick(&self.header_choices, at(4)).unwrap_or(&base.headers),
            host: pick(&self.host_choices, at(5)).unwrap_or(&base.host),
            host_is_guessed: at(5).is_some(),
            method: pick(&self.method_choices, at(6)).unwrap_or(&base.method),
            path: pick(&self.path_choices, at(7)).unwrap_or(&base.path),
            form: pick(&self.form_choices, at(8)).unwrap_or(&Form::Documented),
        }
    }
}

impl Guess for Tc3Guess {
    fn families(&self) -> Vec<usize> {
        vec![
            self.content_type_choices.len(),
            self.payload_choices.len(),
            self.line_choices.len(),
            self.query_choices.len(),
            self.header_choices.len(),
            self.host_choices.len(),
            self.method_choices.len(),
            self.path_choices.len(),
            self.form_choices.len(),
        ]
    }

    fn text(&self, chosen: &[Option<usize>]) -> Text {
        let parts = self.parts(chosen);
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

    fn mistake(&self, family: usize, index: usize) -> Finding {
        let found = match family {
            0 => mistake_at(&self.content_type_choices, index),
            1 => mistake_at(&self.payload_choices, index),
            2 => mistake_at(&self.line_choices, index),
            3 => mistake_at(&self.query_choices, index),
            4 => mistake_at(&self.header_choices, index),
            5 => mistake_at(&self.host_choices, index),
            6 => mistake_at(&self.method_choices, index),
            7 => mistake_at(&self.path_choices, index),
            _ => mistake_at(&self.form_choices, index),
        };
        found.unwrap_or_else(|| Finding::new(Mistake::StringToSignForm, ""))
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
