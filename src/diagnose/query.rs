//! How clients build the string of v1 and v2 wrongly.

use std::cmp::Ordering;

use sha2::Digest;

use super::host;
use super::hypothesis::Hypothesis;
use super::search::{Choice, Guess, Proved, distinct, mistake_at};
use super::text::{self, ALPHABETS, CHARSETS, SPELLINGS, shown};
use crate::form::{Kind, Parameters};
use crate::policy::Policy;
use crate::request::RequestView;
use crate::scheme::Family;
use crate::signature::hex;

/// A request whose string to sign can be built in many wrong ways.
pub(super) struct QueryGuess {
    method: Vec<u8>,
    host: Vec<u8>,
    path: Vec<u8>,
    names: Vec<Vec<u8>>,
    values: Vec<Vec<u8>>,
    order: Vec<usize>,
    included: Vec<bool>,

    method_choices: Vec<Choice<Vec<u8>>>,
    host_choices: Vec<Choice<Vec<u8>>>,
    path_choices: Vec<Choice<Vec<u8>>>,
    name_choices: Vec<Choice<Vec<Vec<u8>>>>,
    value_choices: Vec<Choice<Vec<Vec<u8>>>>,
    order_choices: Vec<Choice<Vec<usize>>>,
    presence_choices: Vec<Choice<Vec<bool>>>,
    join_choices: Vec<Choice<Join>>,
}

/// How the parts are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Join {
    Documented,
    NoQuestionMark,
    BlankLineAfterMethod,
    LineEnds,
    AmpersandAfterMethod,
    OnlyParameters,
    WithoutMethod,
    LeadingAmpersand,
    TrailingAmpersand,
    NoTrailingAmpersands,
    TrailingLineEnd,
    EncodedWhole,
    LowerCase,
    UpperCase,
    PathAndParameters,
    ParametersHashed,
    Sha256Hex,
    Sha1Hex,
    Colons,
    NoEquals,
}

const JOINS: [(Join, &str); 19] = [
    (Join::NoQuestionMark, "without `?`"),
    (
        Join::BlankLineAfterMethod,
        "with a line end after the method",
    ),
    (Join::LineEnds, "with line ends between the parts"),
    (
        Join::AmpersandAfterMethod,
        "with `&` between the parts, which are encoded (another vendor's form)",
    ),
    (Join::OnlyParameters, "the parameters alone"),
    (Join::WithoutMethod, "without the method"),
    (Join::LeadingAmpersand, "with `&` before the first pair"),
    (Join::TrailingAmpersand, "with `&` after the last pair"),
    (
        Join::NoTrailingAmpersands,
        "without the `&` at the end of the last value",
    ),
    (Join::TrailingLineEnd, "with a line end at the end"),
    (Join::EncodedWhole, "percent-encoded as a whole"),
    (Join::LowerCase, "in lower case as a whole"),
    (Join::UpperCase, "in upper case as a whole"),
    (Join::PathAndParameters, "without the host and the method"),
    (
        Join::ParametersHashed,
        "with the parameters hashed (`TC2-HmacSHA256`)",
    ),
    (Join::Sha256Hex, "hashed with SHA-256 before the HMAC"),
    (Join::Sha1Hex, "hashed with SHA-1 before the HMAC"),
    (Join::Colons, "with `:` between names and values"),
    (Join::NoEquals, "without `=` and `&`"),
];

/// A request with more is searched with its order, names and values as they are.
const MANY_PARAMETERS: usize = 200;
const MANY_BYTES: usize = 16 << 10;
/// Every order of so few parameters can be tried.
const FEW_PARAMETERS: usize = 6;

impl QueryGuess {
    pub(super) fn new(
        request: &RequestView<'_>,
        family: Family,
        parameters: &Parameters<'_>,
        policy: &Policy,
    ) -> Self {
        let post = request.method() == b"POST";
        let mut names: Vec<Vec<u8>> = Vec::new();
        let mut values: Vec<Vec<u8>> = Vec::new();
        let mut included = Vec::new();
        let mut files = Vec::new();
        let mut wire = Vec::new();
        for entry in parameters.entries() {
            let name = parameters.name(entry);
            names.push(name.to_vec());
            included.push(name != b"Signature");
            values.push(if name == b"Signature" {
                Vec::new()
            } else {
                parameters.value(entry).decoded().into_owned()
            });
            files.push(entry.kind() == Kind::File);
        }
        let own = names.len();
        let beside = if post { request.query() } else { &[] };
        let mut others = Parameters::none();
        if others.read_urlencoded(beside, MANY_PARAMETERS).is_ok() {
            for (name, value) in others.iter() {
                names.push(name.to_vec());
                values.push(value.to_vec());
                included.push(false);
                files.push(false);
            }
        }
        let sent = if post {
            request.payload().bytes().unwrap_or_default()
        } else {
            request.query()
        };
        wire.extend(names.iter().take(own).map(|name| wire_position(sent, name)));
        wire.resize(names.len(), usize::MAX);
        let beside = names.len();
        for array in arrays(&names) {
            names.push(array);
            values.push(b"Array".to_vec());
            included.push(false);
            files.push(false);
            wire.push(usize::MAX);
        }
        let size: usize = names.iter().chain(&values).map(Vec::len).sum();
        let large = own > MANY_PARAMETERS || size > MANY_BYTES;
        let mut order: Vec<usize> = (0..names.len()).collect();
        let name_at = |index: &usize| names.get(*index).map(Vec::as_slice).unwrap_or_default();
        order.sort_by(|a, b| name_at(a).cmp(name_at(b)));

        let find = |wanted: &[u8]| {
            let at = names.iter().position(|name| name == wanted)?;
            values.get(at).map(Vec::as_slice)
        };
        let region = find(b"Region").unwrap_or_default().to_vec();

        let mut guess = Self {
            method: request.method().to_vec(),
            host: request.host().to_vec(),
            path: request.path().to_vec(),
            method_choices: methods(request.method()),
            host_choices: host::choices(request, policy, &region, &[]),
            path_choices: paths(request.path()),
            name_choices: Vec::new(),
            value_choices: Vec::new(),
            order_choices: Vec::new(),
            presence_choices: presences(&names, &values, &included, &files, own..beside),
            join_choices: JOINS
                .iter()
                .map(|(join, detail)| Choice {
                    hypothesis: Hypothesis::JoinWrong,
                    detail: (*detail).to_owned(),
                    data: *join,
                })
                .collect(),
            names,
            values,
            order,
            included,
        };
        // The document of v2 reads `_` in names as `.`, after the sort.
        let sent_names = guess.names.clone();
        if family == Family::V2 {
            guess.names = guess
                .names
                .iter()
                .map(|name| text::replace(name, b"_", b"."))
                .collect();
        }
        if !large {
            guess.value_choices = value_choices(&sent_names, &guess.values, request, own);
            guess.name_choices = name_choices(&sent_names);
            guess.order_choices = orders(&sent_names, &guess.values, &wire, &guess.order);
        }
        guess.method_choices = distinct(guess.method_choices, &guess.method);
        guess.host_choices = distinct(guess.host_choices, &guess.host);
        guess.path_choices = distinct(guess.path_choices, &guess.path);
        guess.name_choices = distinct(guess.name_choices, &guess.names);
        guess.value_choices = distinct(guess.value_choices, &guess.values);
        guess.order_choices = distinct(guess.order_choices, &guess.order);
        guess.presence_choices = distinct(guess.presence_choices, &guess.included);
        guess
    }

    /// Strings with another timestamp, nearest first.
    pub(super) fn with_timestamp(&self, timestamp: i64) -> Vec<u8> {
        let values: Vec<Vec<u8>> = self
            .names
            .iter()
            .zip(&self.values)
            .map(|(name, value)| {
                if name == b"Timestamp" {
                    timestamp.to_string().into_bytes()
                } else {
                    value.clone()
                }
            })
            .collect();
        self.joined(Parts {
            values: &values,
            ..self.parts(&[])
        })
    }

    /// Every order of a few parameters.
    pub(super) fn permutations(&self) -> Vec<Vec<u8>> {
        let signed: Vec<usize> = self
            .order
            .iter()
            .copied()
            .filter(|&index| self.included.get(index) == Some(&true))
            .collect();
        if signed.len() > FEW_PARAMETERS {
            return Vec::new();
        }
        let mut orders = vec![Vec::new()];
        for _ in 0..signed.len() {
            orders = orders
                .into_iter()
                .flat_map(|order: Vec<usize>| {
                    let left: Vec<usize> = signed
                        .iter()
                        .copied()
                        .filter(|index| !order.contains(index))
                        .collect();
                    left.into_iter().map(move |next| {
                        let mut longer = order.clone();
                        longer.push(next);
                        longer
                    })
                })
                .collect();
        }
        orders
            .iter()
            .map(|order| {
                self.joined(Parts {
                    order,
                    ..self.parts(&[])
                })
            })
            .collect()
    }

    fn parts<'p>(&'p self, chosen: &[Option<usize>]) -> Parts<'p> {
        fn pick<'p, T>(
            chosen: Option<&Option<usize>>,
            choices: &'p [Choice<Vec<T>>],
            base: &'p [T],
        ) -> &'p [T] {
            chosen
                .copied()
                .flatten()
                .and_then(|index| choices.get(index))
                .map_or(base, |choice| &choice.data)
        }
        let join = chosen.get(7).copied().flatten();
        let join = join.and_then(|index| self.join_choices.get(index));
        Parts {
            values: pick(chosen.first(), &self.value_choices, &self.values),
            names: pick(chosen.get(1), &self.name_choices, &self.names),
            order: pick(chosen.get(2), &self.order_choices, &self.order),
            included: pick(chosen.get(3), &self.presence_choices, &self.included),
            method: pick(chosen.get(4), &self.method_choices, &self.method),
            host: pick(chosen.get(5), &self.host_choices, &self.host),
            path: pick(chosen.get(6), &self.path_choices, &self.path),
            join: join.map_or(Join::Documented, |choice| choice.data),
        }
    }

    fn joined(&self, parts: Parts<'_>) -> Vec<u8> {
        let (equals, ampersand): (&[u8], &[u8]) = match parts.join {
            Join::Colons => (b":", b"&"),
            Join::NoEquals => (b"", b""),
            _ => (b"=", b"&"),
        };
        let mut pairs = Vec::with_capacity(512);
        for &index in parts.order {
            if parts.included.get(index) != Some(&true) {
                continue;
            }
            if let (Some(name), Some(value)) = (parts.names.get(index), parts.values.get(index)) {
                if !pairs.is_empty() {
                    pairs.extend_from_slice(ampersand);
                }
                pairs.extend_from_slice(name);
                pairs.extend_from_slice(equals);
                pairs.extend_from_slice(value);
            }
        }
        let Parts {
            method, host, path, ..
        } = parts;
        let whole = || [method, host, path, b"?", pairs.as_slice()].concat();
        match parts.join {
            Join::Documented | Join::Colons | Join::NoEquals => whole(),
            Join::NoQuestionMark => [method, host, path, pairs.as_slice()].concat(),
            Join::BlankLineAfterMethod => [method, b"\n", host, path, b"?", &pairs].concat(),
            Join::LineEnds => [method, b"\n", host, b"\n", path, b"\n", &pairs].concat(),
            Join::AmpersandAfterMethod => {
                let encode = |text: &[u8]| match ALPHABETS.first() {
                    Some(alphabet) => text::encode(text, alphabet),
                    None => text.to_vec(),
                };
                [method, b"&", &encode(b"/"), b"&", &encode(&pairs)].concat()
            }
            Join::OnlyParameters => pairs,
            Join::WithoutMethod => [host, path, b"?", &pairs].concat(),
            Join::LeadingAmpersand => [method, host, path, b"?&", &pairs].concat(),
            Join::TrailingAmpersand => [whole().as_slice(), b"&"].concat(),
            Join::NoTrailingAmpersands => {
                let mut text = whole();
                while text.last() == Some(&b'&') {
                    text.pop();
                }
                text
            }
            Join::TrailingLineEnd => [whole().as_slice(), b"\n"].concat(),
            Join::EncodedWhole => ALPHABETS
                .first()
                .map_or_else(whole, |alphabet| text::encode(&whole(), alphabet)),
            Join::LowerCase => whole().to_ascii_lowercase(),
            Join::UpperCase => whole().to_ascii_uppercase(),
            Join::PathAndParameters => [path, b"?", &pairs].concat(),
            Join::Sha256Hex => hex::encode(&sha2::Sha256::digest(whole()).into()).to_vec(),
            Join::Sha1Hex => {
                let digest = sha1::Sha1::digest(whole());
                let digits = digest.iter().map(|byte| format!("{byte:02x}"));
                digits.collect::<String>().into_bytes()
            }
            Join::ParametersHashed => {
                let digest: [u8; 32] = sha2::Sha256::digest(&pairs).into();
                let digest = hex::encode(&digest);
                [method, host, path, b"?\n", &digest].concat()
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Parts<'p> {
    values: &'p [Vec<u8>],
    names: &'p [Vec<u8>],
    order: &'p [usize],
    included: &'p [bool],
    method: &'p [u8],
    host: &'p [u8],
    path: &'p [u8],
    join: Join,
}

impl Guess for QueryGuess {
    fn families(&self) -> Vec<usize> {
        vec![
            self.value_choices.len(),
            self.name_choices.len(),
            self.order_choices.len(),
            self.presence_choices.len(),
            self.method_choices.len(),
            self.host_choices.len(),
            self.path_choices.len(),
            self.join_choices.len(),
        ]
    }

    fn text(&self, chosen: &[Option<usize>]) -> Vec<u8> {
        self.joined(self.parts(chosen))
    }

    fn mistake(&self, family: usize, index: usize) -> Proved {
        let found = match family {
            0 => mistake_at(&self.value_choices, index),
            1 => mistake_at(&self.name_choices, index),
            2 => mistake_at(&self.order_choices, index),
            3 => mistake_at(&self.presence_choices, index),
            4 => mistake_at(&self.method_choices, index),
            5 => mistake_at(&self.host_choices, index),
            6 => mistake_at(&self.path_choices, index),
            _ => mistake_at(&self.join_choices, index),
        };
        found.unwrap_or(Proved {
            hypothesis: Hypothesis::JoinWrong,
            detail: String::new(),
        })
    }
}

pub(super) fn methods(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |hypothesis, method: &[u8]| {
        found.push(Choice {
            hypothesis,
            detail: format!("signed `{}`, arrived `{}`", shown(method), shown(sent)),
            data: method.to_vec(),
        });
    };
    for method in [
        "GET", "POST", "get", "post", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "Get", "Post",
    ] {
        add(Hypothesis::MethodMismatch, method.as_bytes());
    }
    for token in [
        "",
        "HmacSHA256",
        "HmacSHA1",
        "HMAC-SHA1",
        "HMAC-SHA256",
        "TC3-HMAC-SHA256",
        "None",
        "undefined",
        "null",
    ] {
        add(Hypothesis::MethodToken, token.as_bytes());
    }
    add(Hypothesis::MethodToken, &[sent, b" "].concat());
    add(Hypothesis::MethodToken, &[sent, b":"].concat());
    add(Hypothesis::MethodToken, &[sent, b"&"].concat());
    found
}

pub(super) fn paths(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |path: Vec<u8>| {
        found.push(Choice {
            hypothesis: Hypothesis::PathRewritten,
            detail: format!("signed path `{}`, arrived `{}`", shown(&path), shown(sent)),
            data: path,
        });
    };
    for path in [
        "/",
        "/v2/index.php",
        "",
        "/v2/index.php/",
        "/v2/",
        "/v2",
        "/index.php",
        "v2/index.php",
        "//",
    ] {
        add(path.as_bytes().to_vec());
    }
    add([sent, b"/"].concat());
    if let Some(path) = sent.strip_suffix(b"/") {
        add(path.to_vec());
    }
    // A proxy that adds a prefix: drop the first segments one by one.
    let mut rest = sent;
    for _ in 0..4 {
        let Some(slash) = rest.iter().skip(1).position(|&byte| byte == b'/') else {
            break;
        };
        rest = rest.get(slash.saturating_add(1)..).unwrap_or_default();
        add(rest.to_vec());
    }
    add(text::decode(sent));
    add(sent.to_ascii_lowercase());
    found
}

fn presences(
    names: &[Vec<u8>],
    values: &[Vec<u8>],
    included: &[bool],
    files: &[bool],
    beside: std::ops::Range<usize>,
) -> Vec<Choice<Vec<bool>>> {
    let own = beside.start;
    let mut found = Vec::new();
    let mut add = |hypothesis, detail: String, keep: &dyn Fn(usize, bool) -> bool| {
        let data = included
            .iter()
            .enumerate()
            .map(|(index, &included)| keep(index, included))
            .collect();
        found.push(Choice {
            hypothesis,
            detail,
            data,
        });
    };
    let name = |index: usize| names.get(index).map(Vec::as_slice).unwrap_or_default();
    let value = |index: usize| values.get(index).map(Vec::as_slice).unwrap_or_default();
    let file = |index: usize| files.get(index) == Some(&true);

    let empty: Vec<String> = (0..own)
        .filter(|&index| name(index) != b"Signature" && value(index).is_empty())
        .map(|index| shown(name(index)))
        .collect();
    add(
        Hypothesis::EmptyOmitted,
        empty.join(", "),
        &|index, included| included && !value(index).is_empty(),
    );
    add(
        Hypothesis::SignatureIncluded,
        String::new(),
        &|index, included| included || index < own && name(index) == b"Signature",
    );
    add(
        Hypothesis::QueryAndBodyMixed,
        "query and body together".to_owned(),
        &|index, included| included || beside.contains(&index),
    );
    add(
        Hypothesis::QueryAndBodyMixed,
        "the query instead of the body".to_owned(),
        &|index, _| beside.contains(&index),
    );
    add(
        Hypothesis::FilesLeftOut,
        "file parts".to_owned(),
        &|index, included| included && !file(index),
    );
    add(
        Hypothesis::FilesLeftOut,
        "values that begin with `@`".to_owned(),
        &|index, included| included && !value(index).starts_with(b"@"),
    );
    add(
        Hypothesis::FilesLeftOut,
        "file parts and values that begin with `@`".to_owned(),
        &|index, included| included && !file(index) && !value(index).starts_with(b"@"),
    );
    let arrays = arrays(names);
    for array in &arrays {
        add(
            Hypothesis::ArrayLiteral,
            format!("array `{}`", shown(array)),
            &|index, included| {
                let element = array_of(name(index)) == Some(array);
                index >= beside.end && name(index) == array || included && !element
            },
        );
    }
    add(
        Hypothesis::ArrayLiteral,
        "all arrays".to_owned(),
        &|index, included| index >= beside.end || included && array_of(name(index)).is_none(),
    );
    // One parameter, the action's own first; then common ones that a wrapper adds together.
    let mut singles: Vec<usize> = (0..own)
        .filter(|&index| name(index) != b"Signature")
        .collect();
    singles.sort_by_key(|&index| is_common(name(index)));
    for left_out in singles.into_iter().take(64) {
        add(
            Hypothesis::AddedAfterSigning,
            shown(name(left_out)),
            &|index, included| included && index != left_out,
        );
    }
    for group in [
        &["Token"][..],
        &["SignatureMethod"],
        &["Version"],
        &["RequestClient"],
        &["Language"],
        &["Region"],
        &["SignatureMethod", "Token"],
        &["Region", "Version"],
        &["RequestClient", "Language"],
        &["Action", "Version", "Region"],
        &["Nonce", "Timestamp"],
        &["SecretId"],
        &[
            "Action",
            "Nonce",
            "Region",
            "RequestClient",
            "SecretId",
            "SignatureMethod",
            "Timestamp",
            "Token",
            "Version",
            "Language",
        ],
    ] {
        add(
            Hypothesis::AddedAfterSigning,
            group.join(", "),
            &|index, included| {
                included && !group.iter().any(|common| common.as_bytes() == name(index))
            },
        );
    }
    found
}

/// Values in another form: all at once, as code does it, and one at a time where a lookup fails for one.
fn value_choices(
    names: &[Vec<u8>],
    values: &[Vec<u8>],
    request: &RequestView<'_>,
    own: usize,
) -> Vec<Choice<Vec<Vec<u8>>>> {
    let mut found: Vec<Choice<Vec<Vec<u8>>>> = Vec::new();
    // As on the wire: `+` taken literally, or values not decoded at all.
    let wire = if request.method() == b"GET" {
        request.query()
    } else {
        request.payload().bytes().unwrap_or_default()
    };
    for (hypothesis, what, decode) in [
        (Hypothesis::ValuePlusUnencoded, "`+` kept", true),
        (Hypothesis::EncodedBeforeSigning, "as sent", false),
    ] {
        let changed: Vec<Vec<u8>> = names
            .iter()
            .zip(values)
            .map(|(name, value)| match wire_value(wire, name) {
                Some(_) if name == b"Signature" => value.clone(),
                Some(sent) if decode => text::decode(sent),
                Some(sent) => sent.to_vec(),
                None => value.clone(),
            })
            .collect();
        if let Some(detail) = difference(names, values, &changed, what) {
            found.push(Choice {
                hypothesis,
                detail,
                data: changed,
            });
        }
    }

    let mut all = |hypothesis, what: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        let changed: Vec<Vec<u8>> = values.iter().map(|value| change(value)).collect();
        if let Some(detail) = difference(names, values, &changed, what) {
            found.push(Choice {
                hypothesis,
                detail,
                data: changed,
            });
        }
    };
    for alphabet in &ALPHABETS {
        all(Hypothesis::EncodedBeforeSigning, alphabet.name, &|value| {
            text::encode(value, alphabet)
        });
    }
    for alphabet in &ALPHABETS {
        all(
            Hypothesis::EncodedTwiceBeforeSigning,
            alphabet.name,
            &|value| text::encode(&text::encode(value, alphabet), alphabet),
        );
    }
    all(Hypothesis::BlankSignedAsPlus, "`+`", &|value| {
        text::replace(value, b" ", b"+")
    });
    all(Hypothesis::BlankSignedAsPlus, "`%20`", &|value| {
        text::replace(value, b" ", b"%20")
    });
    all(
        Hypothesis::EncodedBeforeSigning,
        "decoded once more",
        &text::decode,
    );
    for (charset, encode) in CHARSETS {
        all(
            Hypothesis::NonUtf8BytesSigned,
            charset,
            &|value| match str::from_utf8(value) {
                Ok(text) if !text.is_ascii() => encode(text),
                _ => value.to_vec(),
            },
        );
    }
    // The other way round: the bytes on the wire are another charset, and UTF-8 was signed.
    for (charset, name) in [
        (encoding_rs::GBK, "UTF-8, sent in GBK"),
        (encoding_rs::WINDOWS_1252, "UTF-8, sent in Latin-1"),
    ] {
        all(
            Hypothesis::NonUtf8BytesSigned,
            name,
            &|value| match str::from_utf8(value) {
                Ok(_) => value.to_vec(),
                Err(_) => charset
                    .decode_without_bom_handling(value)
                    .0
                    .into_owned()
                    .into_bytes(),
            },
        );
    }
    all(
        Hypothesis::UnicodeEscapesSigned,
        "`\\u` escapes",
        &|value| match str::from_utf8(value) {
            Ok(text) => text::unicode_escapes(text),
            Err(_) => value.to_vec(),
        },
    );
    for (spelling, spell) in SPELLINGS {
        all(Hypothesis::BooleanSpelling, spelling, &|value| spell(value));
    }
    all(Hypothesis::HtmlEscapedValue, "HTML", &text::html_escaped);
    all(Hypothesis::ValuesTrimmed, "trimmed", &|value| {
        value.trim_ascii().to_vec()
    });
    all(Hypothesis::ValueLineEnds, "CR LF", &|value| {
        text::replace(&text::replace(value, b"\r\n", b"\n"), b"\n", b"\r\n")
    });
    all(Hypothesis::ValueLineEnds, "LF", &|value| {
        text::replace(value, b"\r\n", b"\n")
    });
    all(
        Hypothesis::ValuesLowerCased,
        "lower case",
        &<[u8]>::to_ascii_lowercase,
    );

    // A lookup under the changed name finds nothing.
    let lost: Vec<Vec<u8>> = names
        .iter()
        .zip(values)
        .map(|(name, value)| {
            if name.contains(&b'_') {
                Vec::new()
            } else {
                value.clone()
            }
        })
        .collect();
    if let Some(detail) = difference(names, values, &lost, "names with `_`") {
        found.push(Choice {
            hypothesis: Hypothesis::ValueSignedEmpty,
            detail,
            data: lost,
        });
    }

    let mut one = |hypothesis, what: &str, index: usize, changed: Vec<u8>| {
        let mut all = values.to_vec();
        if let Some(slot) = all.get_mut(index) {
            *slot = changed;
        }
        if let Some(detail) = difference(names, values, &all, what) {
            found.push(Choice {
                hypothesis,
                detail,
                data: all,
            });
        }
    };
    // What is wrong in one value is wrong in one of the action's own more often than in a common one.
    let mut indices: Vec<usize> = (0..own)
        .filter(|&index| at(names, index) != b"Signature")
        .collect();
    indices.sort_by_key(|&index| is_common(at(names, index)));
    indices.truncate(48);
    for &index in &indices {
        one(Hypothesis::ValueSignedEmpty, "empty", index, Vec::new());
    }
    for (open, close) in [
        ("b'", "'"),
        ("'", "'"),
        ("\"", "\""),
        ("b\"", "\""),
        ("u'", "'"),
        ("['", "']"),
        ("[", "]"),
        ("[\"", "\"]"),
    ] {
        for &index in &indices {
            let printed = [open.as_bytes(), at(values, index), close.as_bytes()].concat();
            one(Hypothesis::PrintedByteString, "printed", index, printed);
        }
    }
    for &index in &indices {
        for spelling in text::number_spellings(at(values, index)) {
            one(Hypothesis::BooleanSpelling, "number", index, spelling);
        }
    }
    for alphabet in ALPHABETS.iter().take(2) {
        for &index in &indices {
            let encoded = text::encode(at(values, index), alphabet);
            one(
                Hypothesis::EncodedBeforeSigning,
                alphabet.name,
                index,
                encoded,
            );
        }
    }
    found
}

/// Names the first value that differs and shows both texts, unless it is the token.
fn difference(
    names: &[Vec<u8>],
    sent: &[Vec<u8>],
    signed: &[Vec<u8>],
    what: &str,
) -> Option<String> {
    let mut differing = names
        .iter()
        .zip(sent.iter().zip(signed))
        .filter(|(_, (sent, signed))| sent != signed);
    let (name, (sent, signed)) = differing.next()?;
    let more = differing.count();
    let more = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    Some(if name == b"Token" {
        format!("parameter `Token`{more} ({what})")
    } else {
        format!(
            "parameter `{}`{more}: signed `{}`, sent `{}` ({what})",
            shown(name),
            shown(signed),
            shown(sent)
        )
    })
}

/// The names of the arrays that a request holds, flattened to `name.0`, `name[0]` and so on.
fn arrays(names: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for array in names.iter().filter_map(|name| array_of(name)) {
        if found.iter().all(|known| known != array) {
            found.push(array.to_vec());
        }
    }
    found
}

fn array_of(name: &[u8]) -> Option<&[u8]> {
    let end = name.iter().position(|byte| matches!(byte, b'.' | b'['))?;
    let (array, index) = name.split_at(end);
    index.get(1).filter(|digit| digit.is_ascii_digit())?;
    Some(array)
}

/// Parameters of the protocol, as opposed to those of an action.
const COMMON: [&[u8]; 10] = [
    b"Action",
    b"Language",
    b"Nonce",
    b"Region",
    b"RequestClient",
    b"SecretId",
    b"SignatureMethod",
    b"Timestamp",
    b"Token",
    b"Version",
];

fn is_common(name: &[u8]) -> bool {
    COMMON.contains(&name)
}

fn at(texts: &[Vec<u8>], index: usize) -> &[u8] {
    texts.get(index).map(Vec::as_slice).unwrap_or_default()
}

/// Where a parameter stands in a query, form or multipart body; those that cannot be found come last.
fn wire_position(wire: &[u8], name: &[u8]) -> usize {
    let mut at = 0_usize;
    for piece in wire.split(|&byte| byte == b'&') {
        let key = piece.split(|&byte| byte == b'=').next().unwrap_or_default();
        if key == name || text::decode(key) == name {
            return at;
        }
        at = at.saturating_add(piece.len()).saturating_add(1);
    }
    let quoted = [b"name=\"", name, b"\""].concat();
    wire.windows(quoted.len())
        .position(|window| window == quoted)
        .unwrap_or(usize::MAX)
}

fn wire_value<'w>(wire: &'w [u8], name: &[u8]) -> Option<&'w [u8]> {
    wire.split(|&byte| byte == b'&').find_map(|piece| {
        let equals = piece.iter().position(|&byte| byte == b'=')?;
        let (key, value) = piece.split_at(equals);
        let key = text::decode(key);
        (key == name || text::replace(&key, b"_", b".") == name)
            .then(|| value.get(1..))
            .flatten()
    })
}

fn name_choices(sent: &[Vec<u8>]) -> Vec<Choice<Vec<Vec<u8>>>> {
    let mut found = Vec::new();
    let mut all = |hypothesis, detail: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        found.push(Choice {
            hypothesis,
            detail: detail.to_owned(),
            data: sent.iter().map(|name| change(name)).collect::<Vec<_>>(),
        });
    };
    all(
        Hypothesis::UnderscoreVsDot,
        "names kept as sent",
        &<[u8]>::to_vec,
    );
    all(Hypothesis::UnderscoreVsDot, "`_` read as `.`", &|name| {
        text::replace(name, b"_", b".")
    });
    all(Hypothesis::UnderscoreVsDot, "`.` read as `_`", &|name| {
        text::replace(name, b".", b"_")
    });
    all(
        Hypothesis::NamesChanged,
        "lower case",
        &<[u8]>::to_ascii_lowercase,
    );
    for alphabet in ALPHABETS.iter().take(2) {
        all(Hypothesis::NamesChanged, "percent-encoded", &|name| {
            text::encode(name, alphabet)
        });
    }
    all(Hypothesis::NamesChanged, "`.0` as `[0]`", &bracketed);
    all(
        Hypothesis::NamesChanged,
        "first letter in upper case",
        &|name| {
            let mut name = name.to_vec();
            if let Some(first) = name.first_mut() {
                first.make_ascii_uppercase();
            }
            name
        },
    );
    all(
        Hypothesis::NamesChanged,
        "first letter in lower case",
        &|name| {
            let mut name = name.to_vec();
            if let Some(first) = name.first_mut() {
                first.make_ascii_lowercase();
            }
            name
        },
    );
    found
}

fn bracketed(name: &[u8]) -> Vec<u8> {
    let mut pieces = name.split(|&byte| byte == b'.');
    let mut out = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        out.extend_from_slice(&[b"[", piece, b"]"].concat());
    }
    out
}

fn orders(
    names: &[Vec<u8>],
    values: &[Vec<u8>],
    wire: &[usize],
    base: &[usize],
) -> Vec<Choice<Vec<usize>>> {
    let name = |index: usize| names.get(index).map(Vec::as_slice).unwrap_or_default();
    let value = |index: usize| values.get(index).map(Vec::as_slice).unwrap_or_default();
    let sent_at = |index: usize| wire.get(index).copied().unwrap_or(usize::MAX);
    let mut found = Vec::new();
    let mut by = |hypothesis, detail: &str, order: &dyn Fn(usize, usize) -> Ordering| {
        let mut sorted = base.to_vec();
        sorted.sort_by(|&a, &b| order(a, b));
        found.push(Choice {
            hypothesis,
            detail: detail.to_owned(),
            data: sorted,
        });
    };
    by(Hypothesis::SortMissing, "in the order sent", &|a, b| {
        sent_at(a).cmp(&sent_at(b))
    });
    by(Hypothesis::SortNatural, "numbers by value", &|a, b| {
        text::natural(name(a), name(b))
    });
    let lower = |index: usize| name(index).to_ascii_lowercase();
    by(Hypothesis::SortCaseInsensitive, "", &|a, b| {
        lower(a).cmp(&lower(b))
    });
    by(
        Hypothesis::SortCaseInsensitive,
        "lower case before upper",
        &|a, b| lower(a).cmp(&lower(b)).then(name(b).cmp(name(a))),
    );
    by(
        Hypothesis::SortNatural,
        "numbers by value, without regard to case",
        &|a, b| text::natural(&lower(a), &lower(b)),
    );
    by(Hypothesis::SortByPair, "", &|a, b| {
        let pair = |index: usize| [name(index), b"=", value(index)].concat();
        pair(a).cmp(&pair(b))
    });
    by(Hypothesis::SortByPair, "by value", &|a, b| {
        value(a).cmp(value(b))
    });
    by(
        Hypothesis::UnderscoreVsDot,
        "sorted after `_` became `.`",
        &|a, b| text::replace(name(a), b"_", b".").cmp(&text::replace(name(b), b"_", b".")),
    );
    by(Hypothesis::SortEncoded, "after encoding", &|a, b| {
        let encoded = |index: usize| {
            ALPHABETS
                .first()
                .map(|alphabet| text::encode(name(index), alphabet))
        };
        encoded(a).cmp(&encoded(b))
    });
    by(Hypothesis::SortEncoded, "in reverse", &|a, b| {
        name(b).cmp(name(a))
    });
    by(
        Hypothesis::SortMissing,
        "common parameters first",
        &|a, b| {
            let business = |index: usize| !is_common(name(index));
            business(a).cmp(&business(b)).then(name(a).cmp(name(b)))
        },
    );
    by(
        Hypothesis::SortMissing,
        "common parameters last",
        &|a, b| {
            let common = |index: usize| is_common(name(index));
            common(a).cmp(&common(b)).then(name(a).cmp(name(b)))
        },
    );
    found
}
