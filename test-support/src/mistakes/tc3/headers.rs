//! Mistakes with the signed headers.

use qcloud_validator::diagnose::Hypothesis;

use crate::mistakes::draft::*;
use crate::mistakes::random::Rng;
use crate::mistakes::*;

pub(crate) fn tc3_headers() -> Vec<Mistake<Tc3Draft>> {
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
        Mistake::new(
            Hypothesis::ContentTypeAltered,
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
        Mistake::new(
            Hypothesis::ContentTypeAltered,
            "charset lost",
            |draft, _| {
                *draft = draft.clone().typed("application/json");
                true
            },
            |draft, _| draft.set_line("content-type", "application/json; charset=utf-8"),
        ),
        Mistake::new(
            Hypothesis::HeaderNameCase,
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
        Mistake::new(Hypothesis::HeaderNameCase, "lines", any, |draft, _| {
            for (name, _) in &mut draft.lines {
                *name = train_case(name);
            }
        }),
        Mistake::new(Hypothesis::HeaderNameCase, "list", any, |draft, _| {
            let names: Vec<String> = draft.signed_list.split(';').map(train_case).collect();
            draft.signed_list = names.join(";");
        }),
        Mistake::new(
            Hypothesis::HeaderValues,
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
        Mistake::new(
            Hypothesis::HeaderValues,
            "blank after the colon",
            any,
            |draft, _| {
                for (_, value) in &mut draft.lines {
                    *value = format!(" {value}");
                }
            },
        ),
        Mistake::new(
            Hypothesis::HeaderOrder,
            "lines and list",
            any,
            |draft, _| {
                draft.lines.reverse();
                let names: Vec<&str> = draft.signed_list.split(';').rev().collect();
                draft.signed_list = names.join(";");
            },
        ),
        Mistake::new(Hypothesis::HeaderOrder, "lines", any, |draft, _| {
            draft.lines.reverse();
        }),
        Mistake::new(Hypothesis::HeaderSet, "more", any, |draft, _| {
            // Signs X-TC-Version, which SignedHeaders does not list.
            draft
                .lines
                .push(("x-tc-version".to_owned(), "2017-03-12".to_owned()));
            draft.signed_list.push_str(";x-tc-version");
        }),
        Mistake::new(Hypothesis::HeaderSet, "fewer", any, |draft, _| {
            draft.lines.retain(|(name, _)| name != "content-type");
            draft.signed_list = draft.signed_list.replace("content-type;", "");
        }),
        Mistake::new(
            Hypothesis::MissingNewline,
            "no blank line",
            any,
            |draft, _| {
                draft.frame = Frame::NoBlankLine;
            },
        ),
        Mistake::new(
            Hypothesis::MissingNewline,
            "one too many",
            any,
            |draft, _| {
                draft.frame = Frame::FinalLineEnd;
            },
        ),
        Mistake::new(Hypothesis::Crlf, "", any, |draft, _| {
            draft.line_end = "\r\n";
        }),
        Mistake::new(Hypothesis::LiteralBackslashN, "", any, |draft, _| {
            draft.line_end = "\\n";
        }),
    ]
}
