//! How a client may have written the headers that it signed, and their list.

use super::header_set;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text;
use crate::diagnosis::Mistake;
use crate::request::{Field, RequestView};
use crate::signature::Authorization;

/// The canonical headers, with host and content type left to their own families.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HeaderForm {
    /// Names as written in the canonical headers, and values.
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the two values that have families of their own are put in lower case.
    pub(super) lower_case: bool,
    pub(super) signed_headers: Vec<u8>,
    pub(super) separator: &'static [u8],
}

impl HeaderForm {
    fn with_names(&self, name_of: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let mut form = self.clone();
        for (name, _) in &mut form.headers {
            *name = name_of(name);
        }
        form
    }

    fn with_values(&self, value_of: impl Fn(&[u8], &[u8]) -> Vec<u8>) -> Self {
        let mut form = self.clone();
        for (name, value) in &mut form.headers {
            *value = value_of(name, value);
        }
        form
    }

    /// A value in the case in which this form has its values.
    pub(super) fn cased(&self, value: &[u8]) -> Vec<u8> {
        if self.lower_case {
            value.to_ascii_lowercase()
        } else {
            value.to_vec()
        }
    }

    pub(super) fn with_list(&self, signed_headers: Vec<u8>) -> Self {
        Self {
            signed_headers,
            ..self.clone()
        }
    }

    /// The same headers, and a list that names just these.
    pub(super) fn listed(&self) -> Self {
        let names: Vec<&[u8]> = self.headers.iter().map(|(name, _)| &**name).collect();
        self.with_list(names.join(&b';'))
    }
}

/// Canonical headers that differ from `base`, the documented ones.
pub(super) fn choices(
    request: &RequestView<'_>,
    authorization: &Authorization<'_>,
    base: &HeaderForm,
) -> Vec<Choice<HeaderForm>> {
    if header_set::is_long(request, base) {
        return Vec::new();
    }
    let untrimmed = HeaderForm {
        lower_case: false,
        ..base.with_values(|name, _| sent(request, name))
    };
    let verbatim = untrimmed.with_values(|_, value| value.trim_ascii().to_vec());
    let case = name_case(authorization, base);
    let values = values(base, &verbatim, untrimmed);
    let families = [
        (Mistake::HeaderNameCase, case),
        (Mistake::HeaderValues, values),
        (Mistake::HeaderOrder, order(base)),
        (
            Mistake::HeaderSet,
            header_set::forms(request, base, &verbatim),
        ),
    ];
    families
        .into_iter()
        .flat_map(|(mistake, forms)| {
            forms.into_iter().map(move |(detail, data)| Choice {
                mistake,
                detail,
                data,
            })
        })
        .collect()
}

/// The value of a header as it was sent; empty if it was not, or not once.
pub(super) fn sent(request: &RequestView<'_>, name: &[u8]) -> Vec<u8> {
    match str::from_utf8(name).map(|name| request.header(name)) {
        Ok(Field::Once(value)) => value.to_vec(),
        _ => Vec::new(),
    }
}

/// A form, and where it differs from the documented one.
pub(super) type Forms = Vec<(String, HeaderForm)>;

/// As `SignedHeaders` spells the names, or as HTTP libraries do.
fn name_case(authorization: &Authorization<'_>, base: &HeaderForm) -> Forms {
    let mixed = base.with_names(train_case);
    let mixed_list: Vec<Vec<u8>> = base
        .signed_headers
        .split(|&byte| byte == b';')
        .map(train_case)
        .collect();
    let mixed_list = mixed_list.join(&b';');
    let spelled = authorization.signed_headers.as_bytes().to_vec();
    described([
        (
            "in the canonical headers and the list",
            mixed.with_list(mixed_list.clone()),
        ),
        ("in the canonical headers", mixed.clone()),
        ("in the list", base.with_list(mixed_list)),
        (
            "in the canonical headers, and the list as sent",
            mixed.with_list(spelled.clone()),
        ),
        ("in the list, as sent", base.with_list(spelled)),
        ("in upper case", base.with_names(<[u8]>::to_ascii_uppercase)),
    ])
}

fn values(base: &HeaderForm, verbatim: &HeaderForm, untrimmed: HeaderForm) -> Forms {
    let collapsed = |_: &[u8], value: &[u8]| {
        let words = value.split(|&byte| byte == b' ');
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        words.join(&b' ')
    };
    let separated = |separator| HeaderForm {
        separator,
        ..base.clone()
    };
    described([
        ("values in their own case", verbatim.clone()),
        ("values untrimmed", untrimmed),
        ("runs of blanks as one", base.with_values(collapsed)),
        (
            "runs of blanks as one, in their own case",
            verbatim.with_values(collapsed),
        ),
        ("a blank after `:`", separated(b": ")),
        ("blanks around `:`", separated(b" : ")),
        ("`=` for `:`", separated(b"=")),
        ("no `:`", separated(b"")),
    ])
}

fn order(base: &HeaderForm) -> Forms {
    let mut sorted = base.clone();
    sorted.headers.sort();
    let sorted_both = sorted.listed();
    let sorted_list = base.with_list(sorted_both.signed_headers.clone());

    let mut reversed = base.clone();
    reversed.headers.reverse();
    let mut list: Vec<&[u8]> = base.signed_headers.split(|&byte| byte == b';').collect();
    list.reverse();
    let reversed_both = reversed.with_list(list.join(&b';'));
    described([
        ("sorted in both places", sorted_both),
        ("canonical headers sorted", sorted),
        ("list sorted", sorted_list),
        ("canonical headers in reverse", reversed),
        ("in reverse in both places", reversed_both),
    ])
}

fn described<const N: usize>(forms: [(&str, HeaderForm); N]) -> Forms {
    let forms = forms.into_iter();
    forms
        .map(|(detail, form)| (detail.to_owned(), form))
        .collect()
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
