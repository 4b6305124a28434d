//! The manual's page on diagnoses says what the code says.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use qcloud_validator::Language;
use qcloud_validator::diagnose::{Area, Mistake, Occurrence};

const HEAD: &str = "\
# Diagnoses

After a signature does not match, these mistakes are tried one by one, then with a wrong key, then in pairs of different
families: the bytes are built in the mistaken way and the MAC is compared with the client's own, so what is named is
proved. Where nothing fits, nothing is claimed, and the string to sign is shown.

*Sometimes* means that only some requests of a client with this mistake fail.

This page is made from the list in the code: `UPDATE_MANUAL=1 cargo test --features diagnose --test features diagnosis::manual`.
";

const AREAS: [(Area, &str); 14] = [
    (Area::Request, "What the request says before any signature"),
    (
        Area::Credential,
        "SecretId, key and token (told to the operator alone)",
    ),
    (Area::Time, "Timestamp and date"),
    (Area::Output, "Algorithm, and text form of the signature"),
    (Area::Values, "Values"),
    (Area::Order, "Names and order"),
    (Area::Presence, "Which parameters are in the string"),
    (Area::Method, "Method"),
    (Area::Host, "Host"),
    (Area::Path, "Path and joining"),
    (Area::Headers, "TC3: headers and lines"),
    (Area::Payload, "TC3: payload"),
    (Area::Query, "TC3: query"),
    (Area::Scope, "TC3: scope and key chain"),
];

fn page() -> String {
    let mut page = HEAD.to_owned();
    for (area, title) in AREAS {
        let _ = write!(
            page,
            "\n## {title}\n\n| id | fails | cause | fix |\n|---|---|---|---|\n"
        );
        for mistake in Mistake::ALL.iter().filter(|known| known.area() == area) {
            let fails = match mistake.occurrence() {
                Occurrence::Sometimes => "sometimes",
                _ => "always",
            };
            let _ = writeln!(
                page,
                "| `{}` | {fails} | {} | {} |",
                mistake.id(),
                mistake.cause(Language::EnUs),
                mistake.fix(Language::EnUs),
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
    for mistake in Mistake::ALL {
        let listed = written.matches(&format!("| `{}` |", mistake.id())).count();
        assert_eq!(listed, 1, "{}", mistake.id());
    }
}

#[test]
fn both_languages_say_something_of_their_own() {
    for mistake in Mistake::ALL {
        for text in [mistake.cause(Language::ZhCn), mistake.fix(Language::ZhCn)] {
            assert!(!text.is_ascii() && !text.contains('\n'), "{}", mistake.id());
        }
        assert!(
            mistake.cause(Language::EnUs).ends_with('.'),
            "{}",
            mistake.id()
        );
        assert!(
            mistake
                .id()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        );
    }
}
