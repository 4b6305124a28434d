//! Canonical query of TC3 in another form than arrived.

use crate::diagnose::LONG;
use crate::diagnose::guess::text::{self, ALPHABETS};
use crate::diagnose::guess::{Change, Choice, change};
use crate::diagnosis::{Mistake, shown};

/// For a POST, whose query is not signed.
const OF_A_POST: [Change; 2] = [
    change(
        Mistake::QueryPresence,
        "the query of a POST was signed",
        <[u8]>::to_vec,
    ),
    change(
        Mistake::QueryPresence,
        "the query of a POST was sorted and signed",
        sorted,
    ),
];

const OF_A_GET: [Change; 5] = [
    change(Mistake::QueryPresence, "the query was left out", |_| {
        Vec::new()
    }),
    change(Mistake::SpacePlusVsPercent20, "blanks as `%20`", |query| {
        text::replace(query, b"+", b"%20")
    }),
    change(Mistake::SpacePlusVsPercent20, "blanks as `+`", |query| {
        text::replace(query, b"%20", b"+")
    }),
    change(Mistake::QuerySorted, "sorted", sorted),
    change(Mistake::QuerySorted, "sorted by name", sorted_by_name),
];

/// Single characters that URI classes escape or bare.
const ESCAPES: [(&str, &str); 14] = [
    ("~", "%7E"),
    ("!", "%21"),
    ("'", "%27"),
    ("(", "%28"),
    (")", "%29"),
    ("*", "%2A"),
    (":", "%3A"),
    ("/", "%2F"),
    ("@", "%40"),
    ("$", "%24"),
    (",", "%2C"),
    (";", "%3B"),
    ("[", "%5B"),
    ("]", "%5D"),
];

/// After all else.
const RARE: [Change; 5] = [
    change(Mistake::SignRawQuery, "sorted and decoded", |query| {
        reencoded(&sorted_by_name(query), <[u8]>::to_vec)
    }),
    change(
        Mistake::QueryReencoded,
        "lower-case digits",
        with_lower_case_digits,
    ),
    change(Mistake::QueryReencoded, "with `?`", |query| {
        [b"?", query].concat()
    }),
    change(
        Mistake::QueryReencoded,
        "`=` after bare names",
        with_equals_signs,
    ),
    change(
        Mistake::QueryReencoded,
        "in lower case",
        <[u8]>::to_ascii_lowercase,
    ),
];

/// Returns the query in other forms; only that of a GET is signed at all.
pub(super) fn choices(sent: &[u8], get: bool) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    if sent.len() > LONG {
        return found;
    }
    let mut add = |mistake, what: &str, query: Vec<u8>| {
        let detail = format!(
            "{what}: signed `{}`, arrived `{}`",
            shown(&query),
            shown(sent)
        );
        found.push(Choice::new(mistake, detail, query));
    };
    let first: &[Change] = if get { &OF_A_GET } else { &OF_A_POST };
    for row in first {
        add(row.mistake, row.detail, (row.made)(sent));
    }
    if !get {
        return found;
    }
    for (bare, escaped) in ESCAPES {
        let (one, other) = (bare.as_bytes(), escaped.as_bytes());
        add(
            Mistake::QueryReencoded,
            bare,
            text::replace(sent, one, other),
        );
        add(
            Mistake::QueryReencoded,
            bare,
            text::replace(sent, other, one),
        );
    }
    for alphabet in &ALPHABETS {
        let query = reencoded(sent, |part| text::encode(part, alphabet));
        add(Mistake::QueryReencoded, alphabet.name, query);
    }
    let decoded = reencoded(sent, <[u8]>::to_vec);
    add(Mistake::SignRawQuery, "decoded", decoded);
    let sorted = sorted_by_name(sent);
    for alphabet in ALPHABETS.iter().take(5) {
        let what = format!("sorted and encoded ({})", alphabet.name);
        let query = reencoded(&sorted, |part| text::encode(part, alphabet));
        add(Mistake::QuerySorted, &what, query);
    }
    for row in &RARE {
        add(row.mistake, row.detail, (row.made)(sent));
    }
    found
}

fn pieces(query: &[u8]) -> Vec<&[u8]> {
    query.split(|&byte| byte == b'&').collect()
}

fn sorted(query: &[u8]) -> Vec<u8> {
    let mut pieces = pieces(query);
    pieces.sort_unstable();
    pieces.join(&b'&')
}

fn sorted_by_name(query: &[u8]) -> Vec<u8> {
    let mut pieces = pieces(query);
    pieces.sort_by_key(|piece| piece.split(|&byte| byte == b'=').next());
    pieces.join(&b'&')
}

/// Decodes names and values, and encodes them again.
fn reencoded(query: &[u8], encode: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let again = |part: &[u8]| encode(&text::decode(&text::replace(part, b"+", b" ")));
    let pieces: Vec<Vec<u8>> = pieces(query)
        .into_iter()
        .map(|piece| match piece.iter().position(|&byte| byte == b'=') {
            Some(equals) => {
                let (name, value) = piece.split_at(equals);
                let value = value.strip_prefix(b"=").unwrap_or(value);
                [&*again(name), b"=", &again(value)].concat()
            }
            None => again(piece),
        })
        .collect();
    pieces.join(&b'&')
}

fn with_lower_case_digits(query: &[u8]) -> Vec<u8> {
    let mut out = query.to_vec();
    let mut escape = 0_u8;
    for byte in &mut out {
        if escape > 0 {
            byte.make_ascii_lowercase();
            escape = escape.saturating_sub(1);
        } else if *byte == b'%' {
            escape = 2;
        }
    }
    out
}

fn with_equals_signs(query: &[u8]) -> Vec<u8> {
    let pieces: Vec<Vec<u8>> = pieces(query)
        .into_iter()
        .map(|piece| {
            let equals: &[u8] = if piece.contains(&b'=') { b"" } else { b"=" };
            [piece, equals].concat()
        })
        .collect();
    pieces.join(&b'&')
}
