//! The manual's page on diagnoses says what the code says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use qcloud_validator::Language;
use qcloud_validator::diagnose::{Family, Hypothesis, Occurrence};

const HEAD: &str = "\
# Diagnoses

After a signature does not match, these mistakes are tried one by one, then with a wrong key, then in pairs of different
families: the bytes are built in the mistaken way and the MAC is compared with the client's own, so what is named is
proved. Where nothing fits, nothing is claimed, and the string to sign is shown.

*Sometimes* means that only some requests of a client with this mistake fail.

This page is made from the list in the code: `UPDATE_MANUAL=1 cargo test --features diagnose --test features diagnosis::manual`.
";

const FAMILIES: [(Family, &str); 14] = [
    (
        Family::Request,
        "What the request says before any signature",
    ),
    (
        Family::Credential,
        "SecretId, key and token (told to the operator alone)",
    ),
    (Family::Time, "Timestamp and date"),
    (Family::Output, "Algorithm, and text form of the signature"),
    (Family::Values, "Values"),
    (Family::Order, "Names and order"),
    (Family::Presence, "Which parameters are in the string"),
    (Family::Method, "Method"),
    (Family::Host, "Host"),
    (Family::Path, "Path and joining"),
    (Family::Headers, "TC3: headers and lines"),
    (Family::Payload, "TC3: payload"),
    (Family::Query, "TC3: query"),
    (Family::Scope, "TC3: scope and key chain"),
];

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (family, title) in FAMILIES {
        let _ = write!(
            page,
            "\n## {title}\n\n| id | fails | cause | fix |\n|---|---|---|---|\n"
        );
        for hypothesis in Hypothesis::ALL
            .iter()
            .filter(|known| known.family() == family)
        {
            let fails = match hypothesis.occurrence() {
                Occurrence::Sometimes => "sometimes",
                _ => "always",
            };
            let _ = writeln!(
                page,
                "| `{}` | {fails} | {} | {} |",
                hypothesis.id(),
                hypothesis.cause(Language::EnUs),
                hypothesis.fix(Language::EnUs),
            );
        }
    }
    page
}

#[test]
fn the_manual_lists_every_known_mistake() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manual/diagnosis.md");
    if std::env::var_os("UPDATE_MANUAL").is_some() {
        fs::write(&path, page()).expect("the manual can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "src/manual/diagnosis.md is stale; its head says how to make it anew"
    );
    for hypothesis in Hypothesis::ALL {
        let listed = written
            .matches(&format!("| `{}` |", hypothesis.id()))
            .count();
        assert_eq!(listed, 1, "{}", hypothesis.id());
    }
}

#[test]
fn both_languages_say_something_of_their_own() {
    for hypothesis in Hypothesis::ALL {
        for text in [
            hypothesis.cause(Language::ZhCn),
            hypothesis.fix(Language::ZhCn),
        ] {
            assert!(
                !text.is_ascii() && !text.contains('\n'),
                "{}",
                hypothesis.id()
            );
        }
        assert!(
            hypothesis.cause(Language::EnUs).ends_with('.'),
            "{}",
            hypothesis.id()
        );
        assert!(
            hypothesis
                .id()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
    }
}
