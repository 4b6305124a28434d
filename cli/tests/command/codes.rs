//! The table of codes.

use serde_json::{Value, json};

use crate::run::run;

#[test]
fn the_table_of_codes_has_every_reason() {
    let ran = run(&["codes"]);
    assert_eq!(ran.code, 0);
    let mut lines = ran.stdout.lines();
    assert_eq!(
        lines.next().unwrap(),
        "reason                      check      v2                                       v2-numeric v3"
    );
    assert_eq!(
        lines.next().unwrap(),
        "plain-http                  protocol   InvalidRequest.UnsupportedProtocol       4600       UnsupportedProtocol"
    );
    let reasons = ran
        .stdout
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with(' '));
    assert_eq!(reasons.count(), qcloud_validator::Reason::examples().len());
    assert!(
        ran.stdout
            .lines()
            .all(|line| line.len() <= 132 && line == line.trim_end())
    );
}

#[test]
fn the_table_of_codes_may_be_of_one_dialect() {
    let ran = run(&["codes", "--dialect", "v2-numeric"]);
    assert!(
        ran.stdout
            .contains("\nnonce-repeated              nonce      4500\n    ")
    );
    assert!(!ran.stdout.contains("ReplayAttack"));
}

#[test]
fn the_table_of_codes_is_json_too() {
    let reasons = run(&["codes", "--format", "json"]).objects();
    let repeated = reasons
        .iter()
        .find(|reason| reason["reason"] == "nonce-repeated")
        .unwrap();
    assert_eq!(repeated["check"], "nonce");
    assert_eq!(
        repeated["codes"],
        json!({ "v2": "InvalidRequest.ReplayAttack", "v2_numeric": 4500, "v3": "AuthFailure.SignatureExpire" })
    );
    let backend = reasons
        .iter()
        .find(|reason| reason["reason"] == "backend-failed")
        .unwrap();
    assert_eq!(backend["check"], Value::Null);

    let reasons = run(&[
        "codes",
        "--format",
        "json",
        "--dialect",
        "v3",
        "--language",
        "zh-CN",
    ])
    .objects();
    assert_eq!(reasons[0]["codes"], json!({ "v3": "UnsupportedProtocol" }));
    assert!(!reasons[0]["message"].as_str().unwrap().is_ascii());
}

#[test]
fn the_command_explains_itself() {
    let version = run(&["--version"]);
    assert_eq!(
        version.stdout,
        format!("qcloud-validator {}\n", env!("CARGO_PKG_VERSION"))
    );
    for (args, expected) in [
        (
            &["--help"][..],
            "qcloud-validator check --credentials examples/credentials.toml",
        ),
        (&["check", "--help"], "Exit status:"),
        (&["codes", "--help"], "qcloud-validator codes --dialect v3"),
        (&["sign", "--help"], "--mistake tc3-crlf"),
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 0);
        assert!(ran.stdout.contains(expected), "{}", ran.stdout);
    }
    assert_eq!(run(&[]).code, 2);
    assert_eq!(run(&["check"]).code, 2);
}
