//! Which headers a client may have signed: others than its list says, one more, or one that changed on its way.

use super::headers::{Forms, HeaderForm, sent};
use crate::diagnose::LONG;
use crate::diagnose::guess::text;
use crate::diagnosis::shown;
use crate::request::{Field, RequestView};

/// What clients sign, whatever they list.
const USUAL: [&[&[u8]]; 8] = [
    &[b"content-type", b"host"],
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
];

/// Headers that clients sign and forget to list.
const FORGOTTEN: [&[u8]; 9] = [
    b"x-tc-action",
    b"x-tc-timestamp",
    b"x-tc-version",
    b"x-tc-region",
    b"x-tc-token",
    b"authorization",
    b"content-length",
    b"user-agent",
    b"date",
];

/// So many of the signed headers are looked at one by one; clients sign two to six.
const MOST_CHANGED: usize = 24;

/// Whether the headers that were signed, or may have been, are more than [`LONG`] bytes together.
pub(super) fn is_long(request: &RequestView<'_>, base: &HeaderForm) -> bool {
    let signed = base
        .headers
        .iter()
        .map(|(name, value)| name.len().saturating_add(value.len()));
    let beside = FORGOTTEN
        .iter()
        .chain(USUAL.iter().copied().flatten())
        .filter_map(|name| match request.header(str::from_utf8(name).ok()?) {
            Field::Once(value) => Some(value.len()),
            _ => None,
        });
    signed.chain(beside).sum::<usize>() > LONG
}

/// Other sets than `base`, the documented form; `verbatim` is the same with values as sent.
pub(super) fn forms(request: &RequestView<'_>, base: &HeaderForm, verbatim: &HeaderForm) -> Forms {
    let with_separator = |separator| {
        let list = text::replace(&base.signed_headers, b";", separator);
        base.with_list(list)
    };
    let mut forms = vec![
        ("commas in the list".to_owned(), with_separator(b",")),
        ("blanks in the list".to_owned(), with_separator(b"; ")),
    ];
    for names in USUAL {
        for template in [base, verbatim] {
            usual(request, base, template, names, &mut forms);
        }
    }
    for name in FORGOTTEN {
        let value = sent(request, name);
        let listed = base.headers.iter().any(|(listed, _)| listed == name);
        if value.is_empty() || listed {
            continue;
        }
        for template in [base, verbatim] {
            one_more(template, name, value.trim_ascii(), &mut forms);
        }
    }
    for index in 0..base.headers.len().min(MOST_CHANGED) {
        one_changed(base, verbatim, index, &mut forms);
    }
    forms
}

fn usual(
    request: &RequestView<'_>,
    base: &HeaderForm,
    template: &HeaderForm,
    names: &[&[u8]],
    forms: &mut Forms,
) {
    let header = |name: &&[u8]| {
        let value = sent(request, name);
        (name.to_vec(), template.cased(value.trim_ascii()))
    };
    let form = HeaderForm {
        headers: names.iter().map(header).collect(),
        ..template.clone()
    }
    .listed();
    let detail = format!("signed `{}`", shown(&form.signed_headers));
    let as_sent = form.with_list(base.signed_headers.clone());
    let as_sent_detail = format!("{detail}, with the list as sent");
    forms.push((detail, form));
    forms.push((as_sent_detail, as_sent));
}

fn one_more(template: &HeaderForm, name: &[u8], value: &[u8], forms: &mut Forms) {
    let mut form = template.clone();
    form.headers.push((name.to_vec(), template.cased(value)));
    let detail = format!("`{}` was signed too", shown(name));
    let last = form.with_list([&form.signed_headers[..], b";", name].concat());
    let mut sorted = form.clone();
    sorted.headers.sort();
    forms.push((format!("{detail} and not listed"), form));
    forms.push((detail.clone(), last));
    forms.push((detail, sorted.listed()));
}

/// One header that changed on its way is not among the signed ones, or reads otherwise.
fn one_changed(base: &HeaderForm, verbatim: &HeaderForm, index: usize, forms: &mut Forms) {
    let Some((name, value)) = base.headers.get(index) else {
        return;
    };
    let name = shown(name);
    let without = |form: &HeaderForm| {
        let mut form = form.clone();
        form.headers.remove(index);
        form
    };
    for form in [base, verbatim] {
        let detail = format!("`{name}` was not signed");
        forms.push((detail, without(form).listed()));
    }
    forms.push((format!("without `{name}`"), without(base)));
    let truncated = |length: usize| {
        let mut form = base.clone();
        if let Some((_, value)) = form.headers.get_mut(index) {
            value.truncate(length);
        }
        form
    };
    forms.push((format!("`{name}` signed as empty"), truncated(0)));
    // Proxies append to lists such as accept-encoding.
    for cut in [&b", "[..], b","] {
        if let Some(length) = value.windows(cut.len()).position(|window| window == cut) {
            let detail = format!("`{name}` was changed on the way");
            forms.push((detail, truncated(length)));
        }
    }
}
