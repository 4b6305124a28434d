//! Which names of parameters a client may have signed instead of those that it sent.

use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text::{self, ALPHABETS};
use crate::diagnosis::Mistake;

/// Names in another form, all at once.
pub(super) fn choices(sent: &[Vec<u8>]) -> Vec<Choice<Vec<Vec<u8>>>> {
    let mut found = Vec::new();
    let mut all = |mistake, detail: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        found.push(Choice {
            mistake,
            detail: detail.to_owned(),
            data: sent.iter().map(|name| change(name)).collect::<Vec<_>>(),
        });
    };
    all(
        Mistake::UnderscoreVsDot,
        "names kept as sent",
        &<[u8]>::to_vec,
    );
    all(Mistake::UnderscoreVsDot, "`_` read as `.`", &|name| {
        text::replace(name, b"_", b".")
    });
    all(Mistake::UnderscoreVsDot, "`.` read as `_`", &|name| {
        text::replace(name, b".", b"_")
    });
    all(
        Mistake::NamesChanged,
        "lower case",
        &<[u8]>::to_ascii_lowercase,
    );
    for alphabet in ALPHABETS.iter().take(2) {
        all(Mistake::NamesChanged, "percent-encoded", &|name| {
            text::encode(name, alphabet)
        });
    }
    all(Mistake::NamesChanged, "`.0` as `[0]`", &bracketed);
    all(
        Mistake::NamesChanged,
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
        Mistake::NamesChanged,
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
