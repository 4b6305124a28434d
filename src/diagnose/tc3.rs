//! How clients build the canonical request, the string to sign and the key chain of TC3 wrongly.

use sha2::{Digest, Sha256};

use super::chain::dates_around;
use super::host;
use super::hypothesis::Hypothesis;
use super::json::json_forms;
use super::query::{methods, paths};
use super::search::{Choice, Guess, Proved, distinct, mistake_at};
use super::text::{self, ALPHABETS, shown};
use crate::policy::Policy;
use crate::request::{Field, RequestView};
use crate::signature::{Authorization, hex};

/// A request whose signed text can be built in many wrong ways.
pub(super) struct Tc3Guess {
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

/// The canonical headers, with host and content type left to their own families.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HeaderForm {
    /// Names as written in the canonical headers, and values.
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the two values that have families of their own are put in lower case.
    lower_case: bool,
    signed_headers: Vec<u8>,
    separator: &'static [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lines {
    Documented,
    Crlf,
    CrlfInCanonicalRequest,
    CrlfInStringToSign,
    LiteralBackslashN,
    LiteralInCanonicalRequest,
    LiteralInStringToSign,
    NoBlankLine,
    ExtraBlankLine,
    NoQueryLine,
    TrailingLineEnd,
    TrailingLineEndInString,
    NoSignedHeadersLine,
    Blanks,
}

const LINES: [(Lines, Hypothesis, &str); 13] = [
    (Lines::Crlf, Hypothesis::Crlf, "in both texts"),
    (
        Lines::CrlfInCanonicalRequest,
        Hypothesis::Crlf,
        "in the canonical request",
    ),
    (
        Lines::CrlfInStringToSign,
        Hypothesis::Crlf,
        "in the string to sign",
    ),
    (
        Lines::LiteralBackslashN,
        Hypothesis::LiteralBackslashN,
        "in both texts",
    ),
    (
        Lines::LiteralInCanonicalRequest,
        Hypothesis::LiteralBackslashN,
        "in the canonical request",
    ),
    (
        Lines::LiteralInStringToSign,
        Hypothesis::LiteralBackslashN,
        "in the string to sign",
    ),
    (
        Lines::NoBlankLine,
        Hypothesis::MissingNewline,
        "no empty line after the headers",
    ),
    (
        Lines::ExtraBlankLine,
        Hypothesis::MissingNewline,
        "two empty lines after the headers",
    ),
    (
        Lines::NoQueryLine,
        Hypothesis::MissingNewline,
        "no line for an empty query",
    ),
    (
        Lines::TrailingLineEnd,
        Hypothesis::MissingNewline,
        "a line end after the payload digest",
    ),
    (
        Lines::TrailingLineEndInString,
        Hypothesis::StringToSignForm,
        "a line end after the string to sign",
    ),
    (
        Lines::NoSignedHeadersLine,
        Hypothesis::MissingNewline,
        "no line for SignedHeaders",
    ),
    (
        Lines::Blanks,
        Hypothesis::MissingNewline,
        "blanks instead of line ends",
    ),
];

/// The string to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Documented,
    Timestamp(Vec<u8>),
    Scope(Vec<u8>),
    Algorithm(&'static [u8]),
    UpperCaseDigest,
    NotHashed,
    CanonicalRequestAlone,
    DigestAlone,
    WithoutScope,
}

impl Tc3Guess {
    pub(super) fn new(
        request: &RequestView<'_>,
        authorization: &Authorization<'_>,
        policy: &Policy,
    ) -> Self {
        let header = |name: &str| match request.header(name) {
            Field::Once(value) => value.trim_ascii(),
            Field::Absent | Field::Repeated => &[],
        };
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
        let queries = queries(request.query(), get);
        let hosts = host::choices(
            request,
            policy,
            header("x-tc-region"),
            authorization.service.as_bytes(),
        );
        let forms = forms(timestamp, authorization);
        let payloads = payloads(body, get, unsigned, request.query());
        Self {
            method_choices: distinct(methods(request.method()), &base.method),
            path_choices: distinct(paths(request.path()), &base.path),
            query_choices: distinct(queries, &base.query),
            host_choices: distinct(hosts, &base.host),
            content_type_choices: distinct(content_types(&base.content_type), &base.content_type),
            header_choices: distinct(
                header_forms(request, authorization, &base.headers),
                &base.headers,
            ),
            payload_choices: distinct(payloads, &base.payload),
            line_choices: LINES
                .iter()
                .map(|(lines, hypothesis, detail)| Choice {
                    hypothesis: *hypothesis,
                    detail: (*detail).to_owned(),
                    data: *lines,
                })
                .collect(),
            form_choices: distinct(forms, &Form::Documented),
            timestamp: timestamp.to_vec(),
            scope,
            base,
        }
    }

    /// The documented text with another timestamp.
    pub(super) fn with_timestamp(&self, timestamp: i64, canonical_digest: &[u8]) -> Vec<u8> {
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
    pub(super) fn with_scope(&self, scope: &[u8], canonical_digest: &[u8]) -> Vec<u8> {
        [
            &b"TC3-HMAC-SHA256"[..],
            &self.timestamp,
            scope,
            canonical_digest,
        ]
        .join(&b'\n')
    }

    /// The digest of the documented canonical request.
    pub(super) fn canonical_digest(&self) -> Vec<u8> {
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

    fn text(&self, chosen: &[Option<usize>]) -> Vec<u8> {
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
            Form::CanonicalRequestAlone => return canonical,
            Form::DigestAlone => return digits.to_vec(),
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
        text
    }

    fn mistake(&self, family: usize, index: usize) -> Proved {
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
        found.unwrap_or(Proved {
            hypothesis: Hypothesis::StringToSignForm,
            detail: String::new(),
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

fn content_types(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let bare = sent
        .split(|&byte| byte == b';')
        .next()
        .unwrap_or_default()
        .trim_ascii();
    let mut types: Vec<Vec<u8>> = vec![bare.to_vec()];
    for media_type in [
        bare,
        b"application/json",
        b"application/x-www-form-urlencoded",
        b"multipart/form-data",
        b"application/octet-stream",
        b"text/plain",
        b"",
    ] {
        types.push(media_type.to_vec());
        if media_type.is_empty() {
            continue;
        }
        for suffix in [
            "; charset=utf-8",
            ";charset=utf-8",
            "; charset=UTF-8",
            ";charset=UTF-8",
            "; charset=utf8",
            "; charset=\"utf-8\"",
            "; charset=gbk",
            "; charset=ISO-8859-1",
        ] {
            types.push([media_type, suffix.as_bytes()].concat());
        }
    }
    types.push(text::replace(sent, b"; ", b";"));
    types.push(text::replace(sent, b";", b"; "));
    types
        .into_iter()
        .map(|signed| Choice {
            hypothesis: Hypothesis::ContentTypeAltered,
            detail: format!("signed `{}`, arrived `{}`", shown(&signed), shown(sent)),
            data: signed,
        })
        .collect()
}

fn header_forms(
    request: &RequestView<'_>,
    authorization: &Authorization<'_>,
    base: &HeaderForm,
) -> Vec<Choice<HeaderForm>> {
    let mut found = Vec::new();
    let mut add = |hypothesis, detail: &str, form: HeaderForm| {
        found.push(Choice {
            hypothesis,
            detail: detail.to_owned(),
            data: form,
        });
    };
    let value = |name: &[u8]| match str::from_utf8(name).map(|name| request.header(name)) {
        Ok(Field::Once(value)) => value.to_vec(),
        _ => Vec::new(),
    };
    let with_names = |form: &HeaderForm, rename: &dyn Fn(&[u8]) -> Vec<u8>| HeaderForm {
        headers: form
            .headers
            .iter()
            .map(|(name, value)| (rename(name), value.clone()))
            .collect(),
        ..form.clone()
    };
    // As the header spells them, or as HTTP libraries do.
    let mixed = with_names(base, &train_case);
    let mixed_list = |form: &HeaderForm| HeaderForm {
        signed_headers: train_case_list(&base.signed_headers),
        ..form.clone()
    };
    let spelled = authorization.signed_headers.as_bytes().to_vec();
    add(
        Hypothesis::HeaderNameCase,
        "in the canonical headers and the list",
        mixed_list(&mixed),
    );
    add(
        Hypothesis::HeaderNameCase,
        "in the canonical headers",
        mixed.clone(),
    );
    add(Hypothesis::HeaderNameCase, "in the list", mixed_list(base));
    add(
        Hypothesis::HeaderNameCase,
        "in the canonical headers, and the list as sent",
        HeaderForm {
            signed_headers: spelled.clone(),
            ..mixed
        },
    );
    add(
        Hypothesis::HeaderNameCase,
        "in the list, as sent",
        HeaderForm {
            signed_headers: spelled,
            ..base.clone()
        },
    );
    add(
        Hypothesis::HeaderNameCase,
        "in upper case",
        with_names(base, &<[u8]>::to_ascii_uppercase),
    );

    let verbatim = HeaderForm {
        headers: base
            .headers
            .iter()
            .map(|(name, _)| (name.clone(), value(name).trim_ascii().to_vec()))
            .collect(),
        lower_case: false,
        ..base.clone()
    };
    add(
        Hypothesis::HeaderValues,
        "values in their own case",
        verbatim.clone(),
    );
    let untrimmed = HeaderForm {
        headers: base
            .headers
            .iter()
            .map(|(name, _)| (name.clone(), value(name)))
            .collect(),
        ..verbatim.clone()
    };
    add(Hypothesis::HeaderValues, "values untrimmed", untrimmed);
    let collapsed = |form: &HeaderForm| HeaderForm {
        headers: form
            .headers
            .iter()
            .map(|(name, value)| {
                let words: Vec<&[u8]> = value
                    .split(|&byte| byte == b' ')
                    .filter(|word| !word.is_empty())
                    .collect();
                (name.clone(), words.join(&b' '))
            })
            .collect(),
        ..form.clone()
    };
    add(
        Hypothesis::HeaderValues,
        "runs of blanks as one",
        collapsed(base),
    );
    add(
        Hypothesis::HeaderValues,
        "runs of blanks as one, in their own case",
        collapsed(&verbatim),
    );
    for (separator, detail) in [
        (&b": "[..], "a blank after `:`"),
        (b" : ", "blanks around `:`"),
        (b"=", "`=` for `:`"),
        (b"", "no `:`"),
    ] {
        add(
            Hypothesis::HeaderValues,
            detail,
            HeaderForm {
                separator,
                ..base.clone()
            },
        );
    }

    let mut sorted = base.clone();
    sorted.headers.sort();
    let names: Vec<&[u8]> = sorted
        .headers
        .iter()
        .map(|(name, _)| name.as_slice())
        .collect();
    let sorted_list = names.join(&b';');
    let sorted_both = HeaderForm {
        signed_headers: sorted_list.clone(),
        ..sorted.clone()
    };
    add(
        Hypothesis::HeaderOrder,
        "sorted in both places",
        sorted_both,
    );
    add(Hypothesis::HeaderOrder, "canonical headers sorted", sorted);
    add(
        Hypothesis::HeaderOrder,
        "list sorted",
        HeaderForm {
            signed_headers: sorted_list,
            ..base.clone()
        },
    );
    let mut reversed = base.clone();
    reversed.headers.reverse();
    add(
        Hypothesis::HeaderOrder,
        "canonical headers in reverse",
        reversed.clone(),
    );
    let mut list: Vec<&[u8]> = base.signed_headers.split(|&byte| byte == b';').collect();
    list.reverse();
    let reversed_both = HeaderForm {
        signed_headers: list.join(&b';'),
        ..reversed
    };
    add(
        Hypothesis::HeaderOrder,
        "in reverse in both places",
        reversed_both,
    );
    for (to, detail) in [
        (&b","[..], "commas in the list"),
        (b"; ", "blanks in the list"),
    ] {
        let signed_headers = text::replace(&base.signed_headers, b";", to);
        add(
            Hypothesis::HeaderSet,
            detail,
            HeaderForm {
                signed_headers,
                ..base.clone()
            },
        );
    }

    // Other headers than the list says.
    let with_set = |names: &[&[u8]], lower: bool| HeaderForm {
        headers: names
            .iter()
            .map(|name| {
                let value = value(name).trim_ascii().to_vec();
                (
                    name.to_vec(),
                    if lower {
                        value.to_ascii_lowercase()
                    } else {
                        value
                    },
                )
            })
            .collect(),
        signed_headers: names.join(&b';'),
        lower_case: lower,
        separator: b":",
    };
    for names in [
        &[&b"content-type"[..], b"host"][..],
        &[b"content-type", b"host", b"x-tc-action"],
        &[b"content-type", b"host", b"x-tc-action", b"x-tc-timestamp"],
        &[b"content-type", b"host", b"x-tc-timestamp"],
        &[
            b"content-type",
            b"host",
            b"x-tc-action",
            b"x-tc-timestamp",
            b"x-tc-version",
        ],
        &[
            b"content-type",
            b"host",
            b"x-tc-action",
            b"x-tc-region",
            b"x-tc-timestamp",
            b"x-tc-version",
        ],
        &[b"host"],
        &[b"content-type"],
    ] {
        for lower in [true, false] {
            let form = with_set(names, lower);
            let detail = format!("signed `{}`", shown(&form.signed_headers));
            let listed = HeaderForm {
                signed_headers: base.signed_headers.clone(),
                ..form.clone()
            };
            add(Hypothesis::HeaderSet, &detail, form);
            add(
                Hypothesis::HeaderSet,
                &format!("{detail}, with the list as sent"),
                listed,
            );
        }
    }
    // One header more than listed.
    for more in [
        &b"x-tc-action"[..],
        b"x-tc-timestamp",
        b"x-tc-version",
        b"x-tc-region",
        b"x-tc-token",
        b"authorization",
        b"content-length",
        b"user-agent",
        b"date",
    ] {
        let sent = value(more);
        let listed = base.headers.iter().any(|(name, _)| name == more);
        if sent.is_empty() || listed {
            continue;
        }
        for lower in [true, false] {
            let mut form = if lower {
                base.clone()
            } else {
                verbatim.clone()
            };
            let sent = sent.trim_ascii();
            let sent = if lower {
                sent.to_ascii_lowercase()
            } else {
                sent.to_vec()
            };
            form.headers.push((more.to_vec(), sent));
            let detail = format!("`{}` was signed too", shown(more));
            add(
                Hypothesis::HeaderSet,
                &format!("{detail} and not listed"),
                form.clone(),
            );
            form.signed_headers
                .extend_from_slice(&[b";", more].concat());
            add(Hypothesis::HeaderSet, &detail, form.clone());
            form.headers.sort();
            let names: Vec<&[u8]> = form
                .headers
                .iter()
                .map(|(name, _)| name.as_slice())
                .collect();
            form.signed_headers = names.join(&b';');
            add(Hypothesis::HeaderSet, &detail, form);
        }
    }
    // One header that changed on its way is not among the signed ones, or reads otherwise.
    for (index, (name, _)) in base.headers.iter().enumerate() {
        let name = shown(name);
        for form in [base, &verbatim] {
            let mut without = form.clone();
            without.headers.remove(index);
            let names: Vec<&[u8]> = without
                .headers
                .iter()
                .map(|(name, _)| name.as_slice())
                .collect();
            without.signed_headers = names.join(&b';');
            add(
                Hypothesis::HeaderSet,
                &format!("`{name}` was not signed"),
                without,
            );
        }
        let mut without = base.clone();
        without.headers.remove(index);
        add(Hypothesis::HeaderSet, &format!("without `{name}`"), without);
        let mut empty = base.clone();
        if let Some((_, value)) = empty.headers.get_mut(index) {
            value.clear();
        }
        add(
            Hypothesis::HeaderSet,
            &format!("`{name}` signed as empty"),
            empty,
        );
        if let Some((_, value)) = base.headers.get(index) {
            // Proxies append to lists such as accept-encoding.
            for cut in [b", ".as_slice(), b","] {
                let mut first = base.clone();
                let at = value.windows(cut.len()).position(|window| window == cut);
                if let (Some((_, slot)), Some(at)) = (first.headers.get_mut(index), at) {
                    slot.truncate(at);
                    add(
                        Hypothesis::HeaderSet,
                        &format!("`{name}` was changed on the way"),
                        first,
                    );
                }
            }
        }
    }
    found
}

fn train_case(name: &[u8]) -> Vec<u8> {
    let mut out = name.to_vec();
    let mut start = true;
    for byte in &mut out {
        if start {
            byte.make_ascii_uppercase();
        }
        start = *byte == b'-';
    }
    // The vendor's own spelling.
    if out.starts_with(b"X-Tc-") {
        text::replace(&out, b"X-Tc-", b"X-TC-")
    } else {
        out
    }
}

fn train_case_list(list: &[u8]) -> Vec<u8> {
    list.split(|&byte| byte == b';')
        .map(train_case)
        .collect::<Vec<_>>()
        .join(&b';')
}

fn queries(sent: &[u8], get: bool) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |hypothesis, what: &str, query: Vec<u8>| {
        found.push(Choice {
            hypothesis,
            detail: format!(
                "{what}: signed `{}`, arrived `{}`",
                shown(&query),
                shown(sent)
            ),
            data: query,
        });
    };
    if !get {
        add(
            Hypothesis::QueryPresence,
            "the query of a POST was signed",
            sent.to_vec(),
        );
        let mut pieces: Vec<&[u8]> = sent.split(|&byte| byte == b'&').collect();
        pieces.sort_unstable();
        add(
            Hypothesis::QueryPresence,
            "the query of a POST was sorted and signed",
            pieces.join(&b'&'),
        );
        return found;
    }
    add(
        Hypothesis::QueryPresence,
        "the query was left out",
        Vec::new(),
    );
    add(
        Hypothesis::SpacePlusVsPercent20,
        "blanks as `%20`",
        text::replace(sent, b"+", b"%20"),
    );
    add(
        Hypothesis::SpacePlusVsPercent20,
        "blanks as `+`",
        text::replace(sent, b"%20", b"+"),
    );
    let pieces: Vec<&[u8]> = sent.split(|&byte| byte == b'&').collect();
    let sorted = |by: &dyn Fn(&&[u8]) -> Vec<u8>| {
        let mut pieces = pieces.clone();
        pieces.sort_by_key(by);
        pieces.join(&b'&')
    };
    let name_of = |piece: &&[u8]| {
        piece
            .split(|&byte| byte == b'=')
            .next()
            .unwrap_or_default()
            .to_vec()
    };
    add(
        Hypothesis::QuerySorted,
        "sorted",
        sorted(&|piece| piece.to_vec()),
    );
    add(Hypothesis::QuerySorted, "sorted by name", sorted(&name_of));
    let reencoded = |query: &[u8], encode: &dyn Fn(&[u8]) -> Vec<u8>| {
        query
            .split(|&byte| byte == b'&')
            .map(|piece| {
                let mut parts = piece.splitn(2, |&byte| byte == b'=');
                let decode = |part: &[u8]| text::decode(&text::replace(part, b"+", b" "));
                let name = encode(&decode(parts.next().unwrap_or_default()));
                match parts.next() {
                    Some(value) => [name.as_slice(), b"=", &encode(&decode(value))].concat(),
                    None => name,
                }
            })
            .collect::<Vec<_>>()
            .join(&b'&')
    };
    // Single characters that URI classes escape or bare.
    for (bare, escaped) in [
        ("~", "%7E"),
        ("!", "%21"),
        ("'", "%27"),
        ("(", "%28"),
        (")", "%29"),
        ("*", "%2A"),
        (":", "%3A"),
        ("/", "%2F"),
        ("@", "%40"),
        ("$", "%24"),
        (",", "%2C"),
        (";", "%3B"),
        ("[", "%5B"),
        ("]", "%5D"),
    ] {
        add(
            Hypothesis::QueryReencoded,
            bare,
            text::replace(sent, bare.as_bytes(), escaped.as_bytes()),
        );
        add(
            Hypothesis::QueryReencoded,
            bare,
            text::replace(sent, escaped.as_bytes(), bare.as_bytes()),
        );
    }
    let sorted = sorted(&name_of);
    for alphabet in &ALPHABETS {
        add(
            Hypothesis::QueryReencoded,
            alphabet.name,
            reencoded(sent, &|part| text::encode(part, alphabet)),
        );
    }
    let decoded = reencoded(sent, &<[u8]>::to_vec);
    add(Hypothesis::SignRawQuery, "decoded", decoded);
    for alphabet in ALPHABETS.iter().take(5) {
        add(
            Hypothesis::QuerySorted,
            &format!("sorted and encoded ({})", alphabet.name),
            reencoded(&sorted, &|part| text::encode(part, alphabet)),
        );
    }
    add(
        Hypothesis::SignRawQuery,
        "sorted and decoded",
        reencoded(&sorted, &<[u8]>::to_vec),
    );
    let lower = |text: &[u8]| {
        let mut out = text.to_vec();
        let mut escape = 0_u8;
        for byte in &mut out {
            if escape > 0 {
                byte.make_ascii_lowercase();
                escape = escape.saturating_sub(1);
            } else if *byte == b'%' {
                escape = 2;
            }
        }
        out
    };
    add(Hypothesis::QueryReencoded, "lower-case digits", lower(sent));
    add(
        Hypothesis::QueryReencoded,
        "with `?`",
        [b"?", sent].concat(),
    );
    add(
        Hypothesis::QueryReencoded,
        "`=` after bare names",
        pieces
            .iter()
            .map(|piece| {
                if piece.contains(&b'=') {
                    piece.to_vec()
                } else {
                    [piece, &b"="[..]].concat()
                }
            })
            .collect::<Vec<_>>()
            .join(&b'&'),
    );
    add(
        Hypothesis::QueryReencoded,
        "in lower case",
        sent.to_ascii_lowercase(),
    );
    found
}

fn payloads(body: &[u8], get: bool, unsigned: bool, query: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |hypothesis, detail: &str, text: Vec<u8>| {
        found.push(Choice {
            hypothesis,
            detail: detail.to_owned(),
            data: text,
        });
    };
    if unsigned {
        add(
            Hypothesis::UnsignedPayload,
            "the body was hashed although the header declares it unsigned",
            digest(body),
        );
    } else {
        add(
            Hypothesis::UnsignedPayload,
            "`UNSIGNED-PAYLOAD` was hashed and not declared",
            digest(b"UNSIGNED-PAYLOAD"),
        );
        add(
            Hypothesis::UnsignedPayload,
            "`UNSIGNED-PAYLOAD` was written for the digest",
            b"UNSIGNED-PAYLOAD".to_vec(),
        );
    }
    for (what, text) in json_forms(body) {
        add(Hypothesis::BodyReserialised, what, digest(&text));
    }
    let base = if get { &[][..] } else { body };
    if !get {
        add(Hypothesis::PayloadDigest, "an empty body", digest(b""));
    } else {
        add(Hypothesis::PayloadDigest, "the body of a GET", digest(body));
        add(
            Hypothesis::PayloadDigest,
            "the query of a GET",
            digest(query),
        );
    }
    for text in ["{}", "null", "\"\"", "[]", "undefined", "None"] {
        add(
            Hypothesis::PayloadDigest,
            &format!("the text `{text}`"),
            digest(text.as_bytes()),
        );
    }
    add(
        Hypothesis::PayloadDigest,
        "the digest in upper case",
        digest(base).to_ascii_uppercase(),
    );
    add(
        Hypothesis::PayloadDigest,
        "the body itself instead of its digest",
        base.to_vec(),
    );
    add(Hypothesis::PayloadDigest, "no digest", Vec::new());
    add(
        Hypothesis::PayloadDigest,
        "the digest of the digest",
        digest(&digest(base)),
    );
    for (what, end) in [
        ("a line end after the body", &b"\n"[..]),
        ("CR LF after the body", b"\r\n"),
        ("a blank after the body", b" "),
    ] {
        add(
            Hypothesis::PayloadDigest,
            what,
            digest(&[base, end].concat()),
        );
    }
    add(
        Hypothesis::PayloadDigest,
        "the body trimmed",
        digest(base.trim_ascii()),
    );
    add(
        Hypothesis::PayloadDigest,
        "the body with LF for CR LF",
        digest(&text::replace(base, b"\r\n", b"\n")),
    );
    add(
        Hypothesis::PayloadDigest,
        "the body with CR LF for LF",
        digest(&text::replace(base, b"\n", b"\r\n")),
    );
    add(
        Hypothesis::PayloadDigest,
        "the body with its backslash escapes expanded",
        digest(&text::replace(base, b"\\n", b"\n")),
    );
    {
        use base64::Engine;
        let raw = Sha256::digest(base);
        let mut out = [0; 44];
        if base64::engine::general_purpose::STANDARD
            .encode_slice(raw, &mut out)
            .is_ok()
        {
            add(
                Hypothesis::PayloadDigest,
                "the digest in base64",
                out.to_vec(),
            );
        }
    }
    let text = str::from_utf8(base).unwrap_or_default();
    for (charset, encode) in text::CHARSETS.iter().filter(|_| !text.is_ascii()) {
        add(
            Hypothesis::NonUtf8BytesSigned,
            charset,
            digest(&encode(text)),
        );
    }
    found
}

fn forms(timestamp: &[u8], authorization: &Authorization<'_>) -> Vec<Choice<Form>> {
    let mut found = Vec::new();
    let mut add = |hypothesis, detail: String, form: Form| {
        found.push(Choice {
            hypothesis,
            detail,
            data: form,
        });
    };
    for suffix in ["000", ".0", "\n"] {
        let other = [timestamp, suffix.as_bytes()].concat();
        add(
            Hypothesis::TimestampAfterSigning,
            format!("signed `{}`, sent `{}`", shown(&other), shown(timestamp)),
            Form::Timestamp(other),
        );
    }
    for other in dates_around(authorization.date) {
        let scope = format!("{other}/{}/tc3_request", authorization.service);
        add(
            Hypothesis::ScopeMismatch,
            format!("signed scope `{scope}`"),
            Form::Scope(scope.into_bytes()),
        );
    }
    let (date, service) = (authorization.date, authorization.service);
    for scope in [
        format!("{service}/{date}/tc3_request"),
        format!("{date}/{service}"),
        format!("{date}/{service}/tc3_request/"),
        format!("{date}/{service}/TC3_REQUEST"),
        format!("{date}/{service}/aws4_request"),
        format!("{}/{date}/{service}/tc3_request", authorization.secret_id),
        format!("{date}/{}/tc3_request", service.to_ascii_uppercase()),
        format!("{}/{service}/tc3_request", date.replace('-', "")),
        format!("{date}//tc3_request"),
        String::new(),
    ] {
        add(
            Hypothesis::ScopeMismatch,
            format!("signed scope `{scope}`"),
            Form::Scope(scope.into_bytes()),
        );
    }
    for algorithm in [
        &b"HMAC-SHA256"[..],
        b"AWS4-HMAC-SHA256",
        b"HmacSHA256",
        b"tc3-hmac-sha256",
        b"TC3-HMAC-SHA256 ",
        b"",
    ] {
        add(
            Hypothesis::StringToSignForm,
            format!("the first line is `{}`", shown(algorithm)),
            Form::Algorithm(algorithm),
        );
    }
    for (detail, form) in [
        (
            "the digest of the canonical request is in upper case",
            Form::UpperCaseDigest,
        ),
        ("the canonical request was not hashed", Form::NotHashed),
        (
            "only the canonical request was signed",
            Form::CanonicalRequestAlone,
        ),
        (
            "only the digest of the canonical request was signed",
            Form::DigestAlone,
        ),
        ("the line with the scope is missing", Form::WithoutScope),
    ] {
        add(Hypothesis::StringToSignForm, detail.to_owned(), form);
    }
    found
}
