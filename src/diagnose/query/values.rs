//! Which values a client may have signed instead of those that it sent.

use super::common::is_common;
use crate::diagnose::hypothesis::Hypothesis;
use crate::diagnose::search::Choice;
use crate::diagnose::text::{self, ALPHABETS, CHARSETS, SPELLINGS, shown};
use crate::request::RequestView;

/// Values in another form: all at once, as code does it, and one at a time where a lookup fails for one.
pub(super) fn choices(
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

fn at(texts: &[Vec<u8>], index: usize) -> &[u8] {
    texts.get(index).map(Vec::as_slice).unwrap_or_default()
}
