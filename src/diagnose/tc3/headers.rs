//! Which headers a client may have signed, and how it may have written them and their list.

use crate::diagnose::hypothesis::Hypothesis;
use crate::diagnose::search::Choice;
use crate::diagnose::text::{self, shown};
use crate::request::{Field, RequestView};
use crate::signature::Authorization;

/// The canonical headers, with host and content type left to their own families.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeaderForm {
    /// Names as written in the canonical headers, and values.
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    /// Whether the two values that have families of their own are put in lower case.
    pub(super) lower_case: bool,
    pub(super) signed_headers: Vec<u8>,
    pub(super) separator: &'static [u8],
}

/// Canonical headers that differ from `base`, the documented ones.
pub(super) fn choices(
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
