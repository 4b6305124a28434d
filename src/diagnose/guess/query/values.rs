//! Values of parameters in another form than was sent.

use super::protocol_parameter::is_common;
use super::sent::Sent;
use super::wire::Wire;
use crate::diagnose::guess::text::{self, ALPHABETS, CHARSETS, SPELLINGS};
use crate::diagnose::guess::{Change, Choice, change};
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
    fn in_words(&self, sent: &Sent, what: &str) -> Option<String> {
        let ((index, signed), more) = self.0.split_first()?;
        let more = match more.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let name = sent.name(*index);
        Some(if name == b"Token" {
            format!("parameter `Token`{more} ({what})")
        } else {
            format!(
                "parameter `{}`{more}: signed `{}`, sent `{}` ({what})",
                shown(name),
                shown(signed),
                shown(sent.value(*index))
            )
        })
    }
}

/// Spellings of white space.
const BLANKS: [Change; 3] = [
    change(Mistake::BlankSignedAsPlus, "`+`", |value| {
        text::replace(value, b" ", b"+")
    }),
    change(Mistake::BlankSignedAsPlus, "`%20`", |value| {
        text::replace(value, b" ", b"%20")
    }),
    change(
        Mistake::EncodedBeforeSigning,
        "decoded once more",
        text::decode,
    ),
];

/// The bytes on the wire are in another charset, and UTF-8 was signed.
const CHARSETS_ON_THE_WIRE: [Change; 2] = [
    change(Mistake::NonUtf8BytesSigned, "UTF-8, sent in GBK", |value| {
        in_utf8(value, encoding_rs::GBK)
    }),
    change(
        Mistake::NonUtf8BytesSigned,
        "UTF-8, sent in Latin-1",
        |value| in_utf8(value, encoding_rs::WINDOWS_1252),
    ),
];

const TEXTS: [Change; 5] = [
    change(Mistake::HtmlEscapedValue, "HTML", text::html_escaped),
    change(Mistake::ValuesTrimmed, "trimmed", |value| {
        value.trim_ascii().to_vec()
    }),
    change(Mistake::ValueLineEnds, "CR LF", |value| {
        text::replace(&text::replace(value, b"\r\n", b"\n"), b"\n", b"\r\n")
    }),
    change(Mistake::ValueLineEnds, "LF", |value| {
        text::replace(value, b"\r\n", b"\n")
    }),
    change(
        Mistake::ValuesLowerCased,
        "lower case",
        <[u8]>::to_ascii_lowercase,
    ),
];

/// What stands before and after a value that was printed instead of written.
const PRINTED: [(&str, &str); 8] = [
    ("b'", "'"),
    ("'", "'"),
    ("\"", "\""),
    ("b\"", "\""),
    ("u'", "'"),
    ("['", "']"),
    ("[", "]"),
    ("[\"", "\"]"),
];

/// Returns values in other forms: all at once, as code changes them, and one at a time where a lookup fails for one.
pub(super) fn choices(sent: &Sent, wire: &Wire<'_>) -> Vec<Choice<Changed>> {
    let mut found = Found {
        sent,
        choices: Vec::new(),
    };
    found.as_on_the_wire(wire);
    found.all_in_other_forms();
    // A lookup under the changed name finds nothing.
    let lost = Changed::all(&sent.values, |index, value| {
        if sent.name(index).contains(&b'_') {
            Vec::new()
        } else {
            value.to_vec()
        }
    });
    found.add(Mistake::ValueSignedEmpty, "names with `_`", lost);
    found.one_in_other_forms();
    found.choices
}

struct Found<'s> {
    sent: &'s Sent,
    choices: Vec<Choice<Changed>>,
}

impl Found<'_> {
    fn add(&mut self, mistake: Mistake, what: &str, changed: Changed) {
        if let Some(detail) = changed.in_words(self.sent, what) {
            self.choices.push(Choice::new(mistake, detail, changed));
        }
    }

    fn all(&mut self, mistake: Mistake, what: &str, change: impl Fn(&[u8]) -> Vec<u8>) {
        let changed = Changed::all(&self.sent.values, |_, value| change(value));
        self.add(mistake, what, changed);
    }

    fn table(&mut self, rows: &[Change]) {
        for row in rows {
            self.all(row.mistake, row.detail, row.made);
        }
    }

    /// `+` taken literally, or values not decoded at all.
    fn as_on_the_wire(&mut self, wire: &Wire<'_>) {
        let rows: [Change; 2] = [
            change(Mistake::ValuePlusUnencoded, "`+` kept", text::decode),
            change(Mistake::EncodedBeforeSigning, "as sent", <[u8]>::to_vec),
        ];
        for row in rows {
            let changed = Changed::all(&self.sent.values, |index, value| match wire.value(index) {
                Some(sent) if self.sent.name(index) != b"Signature" => (row.made)(sent),
                _ => value.to_vec(),
            });
            self.add(row.mistake, row.detail, changed);
        }
    }

    fn all_in_other_forms(&mut self) {
        for alphabet in &ALPHABETS {
            self.all(Mistake::EncodedBeforeSigning, alphabet.name, |value| {
                text::encode(value, alphabet)
            });
        }
        for alphabet in &ALPHABETS {
            self.all(Mistake::EncodedTwiceBeforeSigning, alphabet.name, |value| {
                text::encode(&text::encode(value, alphabet), alphabet)
            });
        }
        self.table(&BLANKS);
        for (charset, encode) in CHARSETS {
            self.all(
                Mistake::NonUtf8BytesSigned,
                charset,
                |value| match str::from_utf8(value) {
                    Ok(text) if !text.is_ascii() => encode(text),
                    _ => value.to_vec(),
                },
            );
        }
        self.table(&CHARSETS_ON_THE_WIRE);
        self.all(
            Mistake::UnicodeEscapesSigned,
            "`\\u` escapes",
            |value| match str::from_utf8(value) {
                Ok(text) => text::unicode_escapes(text),
                Err(_) => value.to_vec(),
            },
        );
        for (spelling, spell) in SPELLINGS {
            self.all(Mistake::BooleanSpelling, spelling, spell);
        }
        self.table(&TEXTS);
    }

    fn one(&mut self, mistake: Mistake, what: &str, index: usize, changed: Vec<u8>) {
        if changed != self.sent.value(index) {
            self.add(mistake, what, Changed::one(index, changed));
        }
    }

    fn one_in_other_forms(&mut self) {
        const MOST_TRIED: usize = 48;
        let sent = self.sent;
        // What is wrong in one value is wrong in one of the action's own more often than in a common one.
        let mut indices: Vec<usize> = (0..sent.own())
            .filter(|&index| sent.name(index) != b"Signature")
            .collect();
        indices.sort_by_key(|&index| is_common(sent.name(index)));
        indices.truncate(MOST_TRIED);
        for &index in &indices {
            self.one(Mistake::ValueSignedEmpty, "empty", index, Vec::new());
        }
        for (open, close) in PRINTED {
            for &index in &indices {
                let printed = [open.as_bytes(), sent.value(index), close.as_bytes()].concat();
                self.one(Mistake::PrintedByteString, "printed", index, printed);
            }
        }
        for &index in &indices {
            for spelling in text::number_spellings(sent.value(index)) {
                self.one(Mistake::BooleanSpelling, "number", index, spelling);
            }
        }
        for alphabet in ALPHABETS.iter().take(2) {
            for &index in &indices {
                let encoded = text::encode(sent.value(index), alphabet);
                let what = alphabet.name;
                self.one(Mistake::EncodedBeforeSigning, what, index, encoded);
            }
        }
    }
}

/// The value in UTF-8, if it is not.
fn in_utf8(value: &[u8], charset: &'static encoding_rs::Encoding) -> Vec<u8> {
    match str::from_utf8(value) {
        Ok(_) => value.to_vec(),
        Err(_) => {
            let (text, _) = charset.decode_without_bom_handling(value);
            text.into_owned().into_bytes()
        }
    }
}
