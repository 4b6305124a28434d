//! Which query a client may have signed instead of the one that arrived.

use crate::diagnose::LONG;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text::{self, ALPHABETS};
use crate::diagnosis::{Mistake, shown};

/// Queries in another form; only that of a GET is signed at all.
pub(super) fn choices(sent: &[u8], get: bool) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    if sent.len() > LONG {
        return found;
    }
    let mut add = |mistake, what: &str, query: Vec<u8>| {
        found.push(Choice {
            mistake,
            detail: format!(
                "{what}: signed `{}`, arrived `{}`",
                shown(&query),
                shown(sent)
            ),
            data: query,
        });
    };
    if !get {
        add(
            Mistake::QueryPresence,
            "the query of a POST was signed",
            sent.to_vec(),
        );
        let mut pieces: Vec<&[u8]> = sent.split(|&byte| byte == b'&').collect();
        pieces.sort_unstable();
        add(
            Mistake::QueryPresence,
            "the query of a POST was sorted and signed",
            pieces.join(&b'&'),
        );
        return found;
    }
    add(Mistake::QueryPresence, "the query was left out", Vec::new());
    add(
        Mistake::SpacePlusVsPercent20,
        "blanks as `%20`",
        text::replace(sent, b"+", b"%20"),
    );
    add(
        Mistake::SpacePlusVsPercent20,
        "blanks as `+`",
        text::replace(sent, b"%20", b"+"),
    );
    let pieces: Vec<&[u8]> = sent.split(|&byte| byte == b'&').collect();
    let sorted = |by: &dyn Fn(&&[u8]) -> Vec<u8>| {
        let mut pieces = pieces.clone();
        pieces.sort_by_key(by);
        pieces.join(&b'&')
    };
    let name_of = |piece: &&[u8]| {
        piece
            .split(|&byte| byte == b'=')
            .next()
            .unwrap_or_default()
            .to_vec()
    };
    add(
        Mistake::QuerySorted,
        "sorted",
        sorted(&|piece| piece.to_vec()),
    );
    add(Mistake::QuerySorted, "sorted by name", sorted(&name_of));
    let reencoded = |query: &[u8], encode: &dyn Fn(&[u8]) -> Vec<u8>| {
        query
            .split(|&byte| byte == b'&')
            .map(|piece| {
                let mut parts = piece.splitn(2, |&byte| byte == b'=');
                let decode = |part: &[u8]| text::decode(&text::replace(part, b"+", b" "));
                let name = encode(&decode(parts.next().unwrap_or_default()));
                match parts.next() {
                    Some(value) => [name.as_slice(), b"=", &encode(&decode(value))].concat(),
                    None => name,
                }
            })
            .collect::<Vec<_>>()
            .join(&b'&')
    };
    // Single characters that URI classes escape or bare.
    for (bare, escaped) in [
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
    ] {
        add(
            Mistake::QueryReencoded,
            bare,
            text::replace(sent, bare.as_bytes(), escaped.as_bytes()),
        );
        add(
            Mistake::QueryReencoded,
            bare,
            text::replace(sent, escaped.as_bytes(), bare.as_bytes()),
        );
    }
    let sorted = sorted(&name_of);
    for alphabet in &ALPHABETS {
        add(
            Mistake::QueryReencoded,
            alphabet.name,
            reencoded(sent, &|part| text::encode(part, alphabet)),
        );
    }
    let decoded = reencoded(sent, &<[u8]>::to_vec);
    add(Mistake::SignRawQuery, "decoded", decoded);
    for alphabet in ALPHABETS.iter().take(5) {
        add(
            Mistake::QuerySorted,
            &format!("sorted and encoded ({})", alphabet.name),
            reencoded(&sorted, &|part| text::encode(part, alphabet)),
        );
    }
    add(
        Mistake::SignRawQuery,
        "sorted and decoded",
        reencoded(&sorted, &<[u8]>::to_vec),
    );
    let lower = |text: &[u8]| {
        let mut out = text.to_vec();
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
    };
    add(Mistake::QueryReencoded, "lower-case digits", lower(sent));
    add(Mistake::QueryReencoded, "with `?`", [b"?", sent].concat());
    add(
        Mistake::QueryReencoded,
        "`=` after bare names",
        pieces
            .iter()
            .map(|piece| {
                if piece.contains(&b'=') {
                    piece.to_vec()
                } else {
                    [piece, &b"="[..]].concat()
                }
            })
            .collect::<Vec<_>>()
            .join(&b'&'),
    );
    add(
        Mistake::QueryReencoded,
        "in lower case",
        sent.to_ascii_lowercase(),
    );
    found
}
