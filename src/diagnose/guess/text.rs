//! Spellings of text that clients sign by mistake: percent-encodings, charsets, escapes, booleans.

use std::cmp::Ordering;

use crate::form::encoding::hex_digit;

/// Which bytes an encoder leaves as they are, beyond letters and digits.
#[derive(Clone, Copy)]
pub(crate) struct Alphabet {
    pub(crate) name: &'static str,
    bare: &'static [u8],
    blank: &'static [u8],
    digits: &'static [u8; 16],
}

const UPPER: &[u8; 16] = b"0123456789ABCDEF";
const LOWER: &[u8; 16] = b"0123456789abcdef";

/// All but letters, digits and `-_.~` are encoded.
pub(crate) const RFC_3986: Alphabet = Alphabet {
    name: "RFC 3986",
    bare: b"-_.~",
    blank: b"%20",
    digits: UPPER,
};

/// The usual encoders: RFC 3986, forms, JavaScript, Go and PHP, and the same with lower-case digits.
pub(crate) const ALPHABETS: [Alphabet; 10] = [
    RFC_3986,
    Alphabet {
        name: "form (Java, .NET)",
        bare: b"-_.*",
        blank: b"+",
        digits: UPPER,
    },
    Alphabet {
        name: "form (Python, Go)",
        bare: b"-_.~",
        blank: b"+",
        digits: UPPER,
    },
    Alphabet {
        name: "form (PHP)",
        bare: b"-_.",
        blank: b"+",
        digits: UPPER,
    },
    Alphabet {
        name: "encodeURIComponent",
        bare: b"-_.~!'()*",
        blank: b"%20",
        digits: UPPER,
    },
    Alphabet {
        name: "encodeURI",
        bare: b"-_.~!'()*;/?:@&=+$,#",
        blank: b"%20",
        digits: UPPER,
    },
    Alphabet {
        name: "path segments",
        bare: b"-_.~/",
        blank: b"%20",
        digits: UPPER,
    },
    Alphabet {
        name: "RFC 3986, lower-case digits",
        bare: b"-_.~",
        blank: b"%20",
        digits: LOWER,
    },
    Alphabet {
        name: "form, lower-case digits",
        bare: b"-_.*",
        blank: b"+",
        digits: LOWER,
    },
    Alphabet {
        name: "form with `{}\":,` bare",
        bare: b"-_.~{}\":,",
        blank: b"+",
        digits: UPPER,
    },
];

/// Percent-encodes.
pub(crate) fn encode(text: &[u8], alphabet: &Alphabet) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if byte.is_ascii_alphanumeric() || alphabet.bare.contains(&byte) {
            out.push(byte);
        } else if byte == b' ' {
            out.extend_from_slice(alphabet.blank);
        } else {
            let digit = |value: u8| alphabet.digits.get(usize::from(value)).copied();
            out.push(b'%');
            out.extend(digit(byte >> 4));
            out.extend(digit(byte & 0x0f));
        }
    }
    out
}

/// Percent-decodes what can be decoded and leaves the rest; `+` stays.
pub(crate) fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match after {
            [high, low, ..] if byte == b'%' => hex_digit(*high).zip(hex_digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

pub(crate) fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&byte) = rest.first() {
        if !from.is_empty() && rest.starts_with(from) {
            out.extend_from_slice(to);
            rest = rest.get(from.len()..).unwrap_or_default();
        } else {
            out.push(byte);
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    out
}

/// A charset by name, and how text reads in it.
type Charset = (&'static str, fn(&str) -> Vec<u8>);

/// A spelling by name, and how a value reads in it.
type Spelling = (&'static str, fn(&[u8]) -> Vec<u8>);

/// Charsets that clients sign in by mistake, each as a change of UTF-8 text; ASCII text is unchanged.
pub(crate) const CHARSETS: [Charset; 10] = [
    ("GBK", |text| in_charset(encoding_rs::GBK, text)),
    ("Latin-1", latin1),
    ("windows-1252", |text| {
        in_charset(encoding_rs::WINDOWS_1252, text)
    }),
    ("the low byte of each character", |text| {
        text.encode_utf16()
            .map(|unit| u8::try_from(unit & 0xff).unwrap_or_default())
            .collect()
    }),
    ("`?` for each character outside ASCII", |text| {
        let question = |c: char| if c.is_ascii() { c } else { '?' };
        text.chars().map(question).collect::<String>().into_bytes()
    }),
    ("Big5", |text| in_charset(encoding_rs::BIG5, text)),
    ("Shift_JIS", |text| in_charset(encoding_rs::SHIFT_JIS, text)),
    ("UTF-8 encoded twice", |text| {
        text.bytes()
            .map(char::from)
            .collect::<String>()
            .into_bytes()
    }),
    ("without the characters outside ASCII", |text| {
        text.chars()
            .filter(char::is_ascii)
            .collect::<String>()
            .into_bytes()
    }),
    ("UTF-16", |text| {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }),
];

fn in_charset(charset: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    charset.encode(text).0.into_owned()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

/// `\uXXXX` for each UTF-16 unit outside ASCII.
pub(crate) fn unicode_escapes(text: &str) -> Vec<u8> {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.into_bytes()
}

/// Other spellings of booleans, nulls and numbers, as languages print them.
pub(crate) const SPELLINGS: [Spelling; 9] = [
    ("Python booleans (`True`)", |value| match value {
        b"true" => b"True".to_vec(),
        b"false" => b"False".to_vec(),
        b"null" => b"None".to_vec(),
        other => other.to_vec(),
    }),
    ("lower-case booleans (`true`)", |value| match value {
        b"True" | b"TRUE" => b"true".to_vec(),
        b"False" | b"FALSE" => b"false".to_vec(),
        b"None" => b"null".to_vec(),
        other => other.to_vec(),
    }),
    ("upper-case booleans (`TRUE`)", |value| match value {
        b"true" | b"True" => b"TRUE".to_vec(),
        b"false" | b"False" => b"FALSE".to_vec(),
        other => other.to_vec(),
    }),
    ("booleans as 1 and 0", |value| match value {
        b"true" | b"True" => b"1".to_vec(),
        b"false" | b"False" => b"0".to_vec(),
        other => other.to_vec(),
    }),
    ("PHP booleans (1 and nothing)", |value| match value {
        b"true" | b"True" => b"1".to_vec(),
        b"false" | b"False" => Vec::new(),
        other => other.to_vec(),
    }),
    ("1 and 0 as booleans", |value| match value {
        b"1" => b"true".to_vec(),
        b"0" => b"false".to_vec(),
        other => other.to_vec(),
    }),
    ("1 and 0 as Python booleans", |value| match value {
        b"1" => b"True".to_vec(),
        b"0" => b"False".to_vec(),
        other => other.to_vec(),
    }),
    ("false as nothing (PHP)", |value| match value {
        b"0" | b"false" => Vec::new(),
        other => other.to_vec(),
    }),
    ("null as nothing", |value| match value {
        b"null" | b"None" | b"undefined" => Vec::new(),
        other => other.to_vec(),
    }),
];

/// Other spellings of one number: with and without a fraction, in exponents, with leading zeros, with separators.
pub(crate) fn number_spellings(value: &[u8]) -> Vec<Vec<u8>> {
    let Some(text) = str::from_utf8(value).ok().filter(|text| !text.is_empty()) else {
        return Vec::new();
    };
    let Ok(number) = text.parse::<f64>() else {
        return Vec::new();
    };
    if text.len() > 24
        || !text
            .bytes()
            .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b))
    {
        return Vec::new();
    }
    let mut spellings = vec![
        format!("{text}.0"),
        format!("{number}"),
        format!("{number:e}"),
        format!("{number:?}"),
        format!("{number:.1}"),
        format!("{number:.2}"),
        format!("{number:E}"),
    ];
    if let Some(whole) = text.strip_suffix(".0") {
        spellings.push(whole.to_owned());
    }
    spellings.retain(|spelling| spelling != text);
    spellings.dedup();
    spellings.into_iter().map(String::into_bytes).collect()
}

pub(crate) fn html_escaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Order with runs of digits compared as numbers.
pub(crate) fn natural(a: &[u8], b: &[u8]) -> Ordering {
    natural_pieces(a).cmp(natural_pieces(b))
}

fn natural_pieces(text: &[u8]) -> impl Iterator<Item = (bool, usize, &[u8])> {
    text.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit())
        .map(|piece| {
            if piece.first().is_some_and(u8::is_ascii_digit) {
                let significant = piece.iter().position(|&digit| digit != b'0');
                let digits = piece
                    .get(significant.unwrap_or(piece.len())..)
                    .unwrap_or_default();
                (false, digits.len(), digits)
            } else {
                (true, 0, piece)
            }
        })
}
