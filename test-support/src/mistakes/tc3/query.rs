//! Mistakes with the canonical query.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::generate::*;
use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;

pub(crate) fn tc3_query() -> Vec<Case<Tc3Draft>> {
    fn getting(draft: &mut Tc3Draft, rng: &mut Rng, piece: &str) -> bool {
        if draft.method != "GET" {
            let old = draft.clone();
            *draft = tc3_get(rng);
            draft.world = old.world;
            draft.key = old.key;
            *draft = draft.clone().at(old.timestamp.parse().expect("a number"));
        }
        if !piece.is_empty() {
            draft.query = format!("{}&{piece}", draft.query);
            draft.signed_query.clone_from(&draft.query);
        }
        true
    }
    fn posting_query(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        draft.query = format!("Limit={}", 1 + rng.below(90));
        draft.signed_query.clear();
        draft.method == "POST"
    }
    vec![
        Case::new(
            Mistake::SignRawQuery,
            "",
            |draft, rng| {
                let piece = format!(
                    "Name={}%2F{}",
                    encoded(rng.chinese().as_bytes()),
                    rng.word(3, 5)
                );
                getting(draft, rng, &piece)
            },
            |draft, _| {
                let mut bytes = Vec::new();
                let query = draft.query.as_bytes();
                let mut at = 0;
                while at < query.len() {
                    if query[at] == b'%' {
                        let digits = &draft.query[at + 1..at + 3];
                        bytes.push(u8::from_str_radix(digits, 16).expect("hex"));
                        at += 3;
                    } else {
                        bytes.push(query[at]);
                        at += 1;
                    }
                }
                draft.signed_query = String::from_utf8(bytes).expect("text");
            },
        ),
        Case::new(
            Mistake::SpacePlusVsPercent20,
            "plus sent",
            |draft, rng| {
                let piece = format!("Name={}+{}", rng.word(3, 5), rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace('+', "%20"),
        ),
        Case::new(
            Mistake::SpacePlusVsPercent20,
            "%20 sent",
            |draft, rng| {
                let piece = format!("Name={}%20{}", rng.word(3, 5), rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace("%20", "+"),
        ),
        Case::new(
            Mistake::QueryReencoded,
            "encoded on the way",
            |draft, rng| {
                let piece = format!("Name=%24{}&Line=%E4%B8%AD", rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace("%24", "$"),
        ),
        Case::new(
            Mistake::QueryReencoded,
            "decoded on the way",
            |draft, rng| {
                let piece = format!("Time={}:{}", rng.word(2, 4), rng.word(2, 4));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = draft.query.replace(':', "%3A"),
        ),
        Case::new(
            Mistake::QueryReencoded,
            "case of escapes",
            |draft, rng| {
                let piece = format!("Name={}", encoded(rng.chinese().as_bytes()));
                getting(draft, rng, &piece)
            },
            |draft, _| draft.signed_query = lower_case_escapes(&draft.query),
        ),
        Case::new(
            Mistake::QuerySorted,
            "",
            |draft, rng| {
                let piece = format!("Aa={}", rng.word(3, 5));
                getting(draft, rng, &piece)
            },
            |draft, _| {
                let mut pieces: Vec<&str> = draft.query.split('&').collect();
                pieces.sort_unstable();
                draft.signed_query = pieces.join("&");
            },
        ),
        Case::new(
            Mistake::QueryPresence,
            "left out of a GET",
            |draft, rng| getting(draft, rng, ""),
            |draft, _| draft.signed_query.clear(),
        ),
        Case::new(
            Mistake::QueryPresence,
            "signed in a POST",
            posting_query,
            |draft, _| {
                draft.signed_query.clone_from(&draft.query);
            },
        ),
    ]
}
