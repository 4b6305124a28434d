//! Names of parameters in another form than was sent.

use crate::diagnose::guess::text::{self, ALPHABETS, RFC_3986};
use crate::diagnose::guess::{Change, Choice, change};
use crate::diagnosis::Mistake;

/// Each changes all names at once.
const CHANGES: [Change; 9] = [
    change(
        Mistake::UnderscoreVsDot,
        "names kept as sent",
        <[u8]>::to_vec,
    ),
    change(Mistake::UnderscoreVsDot, "`_` read as `.`", |name| {
        text::replace(name, b"_", b".")
    }),
    change(Mistake::UnderscoreVsDot, "`.` read as `_`", |name| {
        text::replace(name, b".", b"_")
    }),
    change(
        Mistake::NamesChanged,
        "lower case",
        <[u8]>::to_ascii_lowercase,
    ),
    change(Mistake::NamesChanged, "percent-encoded", |name| {
        text::encode(name, &RFC_3986)
    }),
    change(Mistake::NamesChanged, "percent-encoded", |name| {
        let [_, form, ..] = &ALPHABETS;
        text::encode(name, form)
    }),
    change(Mistake::NamesChanged, "`.0` as `[0]`", bracketed),
    change(
        Mistake::NamesChanged,
        "first letter in upper case",
        |name| with_first(name, u8::make_ascii_uppercase),
    ),
    change(
        Mistake::NamesChanged,
        "first letter in lower case",
        |name| with_first(name, u8::make_ascii_lowercase),
    ),
];

/// Returns the names in other forms.
pub(super) fn choices(sent: &[Vec<u8>]) -> Vec<Choice<Vec<Vec<u8>>>> {
    CHANGES
        .iter()
        .map(|row| {
            let names = sent.iter().map(|name| (row.made)(name)).collect();
            Choice::new(row.mistake, row.detail, names)
        })
        .collect()
}

fn with_first(name: &[u8], change: fn(&mut u8)) -> Vec<u8> {
    let mut name = name.to_vec();
    name.first_mut().map(change);
    name
}

fn bracketed(name: &[u8]) -> Vec<u8> {
    let mut pieces = name.split(|&byte| byte == b'.');
    let mut out = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        out.extend_from_slice(&[b"[", piece, b"]"].concat());
    }
    out
}
