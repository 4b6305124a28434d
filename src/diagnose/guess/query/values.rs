//! Which values a client may have signed instead of those that it sent.

use super::protocol_parameter::is_common;
use super::sent::Sent;
use super::wire::Wire;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text::{self, ALPHABETS, CHARSETS, SPELLINGS};
use crate::diagnosis::{Mistake, shown};

/// The values that differ from those sent, by the index of their parameter, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Changed(Vec<(usize, Vec<u8>)>);

impl Changed {
    /// Every value as sent.
    pub(super) const NONE: &'static Self = &Self(Vec::new());

    /// One value changed.
    pub(super) fn one(index: usize, value: Vec<u8>) -> Self {
        Self(vec![(index, value)])
    }

    fn all(sent: &[Vec<u8>], change: impl Fn(usize, &[u8]) -> Vec<u8>) -> Self {
        let changed = sent.iter().enumerate().filter_map(|(index, sent)| {
            let changed = change(index, sent);
            (changed != *sent).then_some((index, changed))
        });
        Self(changed.collect())
    }

    /// A value: as changed, or as sent.
    pub(super) fn value<'v>(&'v self, index: usize, sent: &'v [Vec<u8>]) -> Option<&'v [u8]> {
        let changed = self.0.binary_search_by_key(&index, |(index, _)| *index);
        let changed = changed.ok().and_then(|at| self.0.get(at));
        changed
            .map(|(_, value)| value)
            .or_else(|| sent.get(index))
            .map(Vec::as_slice)
    }

    /// Names the first value that differs and shows both texts, unless it is the token; none if nothing differs.
    fn in_words(&self, names: &[Vec<u8>], sent: &[Vec<u8>], what: &str) -> Option<String> {
        let ((index, signed), more) = self.0.split_first()?;
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let name = at(names, *index);
        Some(if name == b"Token" {
            format!("parameter `Token`{more} ({what})")
        } else {
            format!(
                "parameter `{}`{more}: signed `{}`, sent `{}` ({what})",
                shown(name),
                shown(signed),
                shown(at(sent, *index))
            )
        })
    }
}

/// Values in another form: all at once, as code does it, and one at a time where a lookup fails for one.
pub(super) fn choices(sent: &Sent, wire: &Wire<'_>) -> Vec<Choice<Changed>> {
    let (names, values, own) = (&sent.names, &sent.values, sent.own());
    let mut found: Vec<Choice<Changed>> = Vec::new();
    let mut add = |mistake, what: &str, data: Changed| {
        if let Some(detail) = data.in_words(names, values, what) {
            found.push(Choice {
                mistake,
                detail,
                data,
            });
        }
    };
    // As on the wire: `+` taken literally, or values not decoded at all.
    for (mistake, what, decode) in [
        (Mistake::ValuePlusUnencoded, "`+` kept", true),
        (Mistake::EncodedBeforeSigning, "as sent", false),
    ] {
        let changed = Changed::all(values, |index, value| match wire.value(index) {
            Some(_) if at(names, index) == b"Signature" => value.to_vec(),
            Some(sent) if decode => text::decode(sent),
            Some(sent) => sent.to_vec(),
            None => value.to_vec(),
        });
        add(mistake, what, changed);
    }

    let mut all = |mistake, what: &str, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        let changed = Changed::all(values, |_, value| change(value));
        add(mistake, what, changed);
    };
    for alphabet in &ALPHABETS {
        all(Mistake::EncodedBeforeSigning, alphabet.name, &|value| {
            text::encode(value, alphabet)
        });
    }
    for alphabet in &ALPHABETS {
        all(
            Mistake::EncodedTwiceBeforeSigning,
            alphabet.name,
            &|value| text::encode(&text::encode(value, alphabet), alphabet),
        );
    }
    all(Mistake::BlankSignedAsPlus, "`+`", &|value| {
        text::replace(value, b" ", b"+")
    });
    all(Mistake::BlankSignedAsPlus, "`%20`", &|value| {
        text::replace(value, b" ", b"%20")
    });
    all(
        Mistake::EncodedBeforeSigning,
        "decoded once more",
        &text::decode,
    );
    for (charset, encode) in CHARSETS {
        all(
            Mistake::NonUtf8BytesSigned,
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
            Mistake::NonUtf8BytesSigned,
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
        Mistake::UnicodeEscapesSigned,
        "`\\u` escapes",
        &|value| match str::from_utf8(value) {
            Ok(text) => text::unicode_escapes(text),
            Err(_) => value.to_vec(),
        },
    );
    for (spelling, spell) in SPELLINGS {
        all(Mistake::BooleanSpelling, spelling, &|value| spell(value));
    }
    all(Mistake::HtmlEscapedValue, "HTML", &text::html_escaped);
    all(Mistake::ValuesTrimmed, "trimmed", &|value| {
        value.trim_ascii().to_vec()
    });
    all(Mistake::ValueLineEnds, "CR LF", &|value| {
        text::replace(&text::replace(value, b"\r\n", b"\n"), b"\n", b"\r\n")
    });
    all(Mistake::ValueLineEnds, "LF", &|value| {
        text::replace(value, b"\r\n", b"\n")
    });
    all(
        Mistake::ValuesLowerCased,
        "lower case",
        &<[u8]>::to_ascii_lowercase,
    );

    // A lookup under the changed name finds nothing.
    let lost = Changed::all(values, |index, value| {
        if at(names, index).contains(&b'_') {
            Vec::new()
        } else {
            value.to_vec()
        }
    });
    add(Mistake::ValueSignedEmpty, "names with `_`", lost);

    let mut one = |mistake, what: &str, index: usize, changed: Vec<u8>| {
        if changed != at(values, index) {
            add(mistake, what, Changed::one(index, changed));
        }
    };
    // What is wrong in one value is wrong in one of the action's own more often than in a common one.
    let mut indices: Vec<usize> = (0..own)
        .filter(|&index| at(names, index) != b"Signature")
        .collect();
    indices.sort_by_key(|&index| is_common(at(names, index)));
    indices.truncate(48);
    for &index in &indices {
        one(Mistake::ValueSignedEmpty, "empty", index, Vec::new());
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
            one(Mistake::PrintedByteString, "printed", index, printed);
        }
    }
    for &index in &indices {
        for spelling in text::number_spellings(at(values, index)) {
            one(Mistake::BooleanSpelling, "number", index, spelling);
        }
    }
    for alphabet in ALPHABETS.iter().take(2) {
        for &index in &indices {
            let encoded = text::encode(at(values, index), alphabet);
            one(Mistake::EncodedBeforeSigning, alphabet.name, index, encoded);
        }
    }
    found
}

fn at(texts: &[Vec<u8>], index: usize) -> &[u8] {
    texts.get(index).map(Vec::as_slice).unwrap_or_default()
}
