//! Mistakes with the signed headers.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::random::Rng;
use crate::mistakes::*;

pub(crate) fn tc3_headers() -> Vec<Case<Tc3Draft>> {
    fn train_case(name: &str) -> String {
        let words: Vec<String> = name
            .split('-')
            .map(|word| format!("{}{}", word[..1].to_uppercase(), &word[1..]))
            .collect();
        words.join("-").replace("X-Tc-", "X-TC-")
    }
    fn shouting_type(draft: &mut Tc3Draft, _: &mut Rng) -> bool {
        *draft = draft.clone().typed("Application/JSON; charset=UTF-8");
        true
    }
    vec![
        Case::new(
            Mistake::ContentTypeAltered,
            "charset added",
            |draft: &mut Tc3Draft, rng| {
                let charset = *rng.pick(&["utf-8", "UTF-8", "utf8"]);
                *draft = draft
                    .clone()
                    .typed(&format!("application/json; charset={charset}"));
                true
            },
            |draft, _| draft.set_line("content-type", "application/json"),
        ),
        Case::new(
            Mistake::ContentTypeAltered,
            "charset lost",
            |draft, _| {
                *draft = draft.clone().typed("application/json");
                true
            },
            |draft, _| draft.set_line("content-type", "application/json; charset=utf-8"),
        ),
        Case::new(
            Mistake::HeaderNameCase,
            "lines and list",
            any,
            |draft, _| {
                for (name, _) in &mut draft.lines {
                    *name = train_case(name);
                }
                let names: Vec<String> = draft.signed_list.split(';').map(train_case).collect();
                draft.signed_list = names.join(";");
            },
        ),
        Case::new(Mistake::HeaderNameCase, "lines", any, |draft, _| {
            for (name, _) in &mut draft.lines {
                *name = train_case(name);
            }
        }),
        Case::new(Mistake::HeaderNameCase, "list", any, |draft, _| {
            let names: Vec<String> = draft.signed_list.split(';').map(train_case).collect();
            draft.signed_list = names.join(";");
        }),
        Case::new(
            Mistake::HeaderValues,
            "as sent",
            shouting_type,
            |draft, _| {
                let mut sent = draft.headers.clone();
                sent.push(("Content-Type".to_owned(), draft.content_type.clone()));
                for (name, value) in sent {
                    draft.set_line(&name.to_lowercase(), &value);
                }
            },
        ),
        Case::new(
            Mistake::HeaderValues,
            "blank after the colon",
            any,
            |draft, _| {
                for (_, value) in &mut draft.lines {
                    *value = format!(" {value}");
                }
            },
        ),
        Case::new(Mistake::HeaderOrder, "lines and list", any, |draft, _| {
            draft.lines.reverse();
            let names: Vec<&str> = draft.signed_list.split(';').rev().collect();
            draft.signed_list = names.join(";");
        }),
        Case::new(Mistake::HeaderOrder, "lines", any, |draft, _| {
            draft.lines.reverse();
        }),
        Case::new(Mistake::HeaderSet, "more", any, |draft, _| {
            // Signs X-TC-Version, which SignedHeaders does not list.
            draft
                .lines
                .push(("x-tc-version".to_owned(), "2017-03-12".to_owned()));
            draft.signed_list.push_str(";x-tc-version");
        }),
        Case::new(Mistake::HeaderSet, "fewer", any, |draft, _| {
            draft.lines.retain(|(name, _)| name != "content-type");
            draft.signed_list = draft.signed_list.replace("content-type;", "");
        }),
        Case::new(Mistake::MissingNewline, "no blank line", any, |draft, _| {
            draft.frame = Frame::NoBlankLine;
        }),
        Case::new(Mistake::MissingNewline, "one too many", any, |draft, _| {
            draft.frame = Frame::FinalLineEnd;
        }),
        Case::new(Mistake::Crlf, "", any, |draft, _| {
            draft.line_end = "\r\n";
        }),
        Case::new(Mistake::LiteralBackslashN, "", any, |draft, _| {
            draft.line_end = "\\n";
        }),
    ]
}
