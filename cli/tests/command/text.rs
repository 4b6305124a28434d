//! Verdicts as text.

use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY, Tc3Signer};

use crate::run::{AT, EXAMPLE, ROWS, Run, TOKEN, check, run_with, temporary_file};

#[test]
fn an_admitted_request_is_named_with_its_principal() {
    let ran = check(&QuerySigner::v2().sign().raw());
    assert_eq!(
        ran.stdout,
        "\
✔ admitted  -  DescribeInstances  HmacSHA1
    principal    account 100000000001, key AKIDEXAMPLEdummydummydummydummydummy12

1 admitted, 0 refused
"
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 0);
}

#[test]
fn a_sub_account_and_what_is_not_covered_are_named() {
    let mut request = Tc3Signer::post();
    request.secret_id = "AKIDsubaccount".to_owned();
    request.headers[0].1 = "StopInstances".to_owned();
    request.body = br#"{"InstanceIds":["ins-dev-1"]}"#.to_vec();
    let ran = run_with(
        &["check", "--credentials", ROWS, "--at", AT, "-"],
        &request.sign().raw(),
    );
    assert_eq!(
        ran.stdout,
        "\
✔ admitted  -  StopInstances  TC3-HMAC-SHA256
    principal    sub-account 200000000001 of account 100000000001, key AKIDsubaccount
    not covered  header x-tc-action, header x-tc-version, header x-tc-region

1 admitted, 0 refused
"
    );
    assert_eq!(ran.code, 0);
}

#[test]
fn what_should_have_been_signed_is_shown_without_the_token() {
    let mut request = QuerySigner::v2().with("Token", TOKEN).sign();
    request.target = request.target.replace("ap-guangzhou", "ap-beijing");
    let config = format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\"\ntoken = \"{TOKEN}\"\n"
    );
    let config = temporary_file("token.toml", config.as_bytes());
    let config = config.to_str().unwrap();
    let ran = run_with(
        &["check", "--credentials", config, "--at", AT, "-"],
        &request.raw(),
    );
    let shown = "    to be signed GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Nonce=11886\
                 &Region=ap-beijing&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600&Token=***\n";
    assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    assert!(!ran.stdout.contains(TOKEN));
    assert_eq!(ran.code, 1);
}

#[test]
fn colour_is_for_terminals_and_those_who_force_it() {
    let request = QuerySigner::v2().sign().raw();
    let args = vec!["check", "--credentials", EXAMPLE, "--at", AT, "-"];
    let plain = run_with(&args, &request);
    assert!(!plain.stdout.contains('\u{1b}'));
    let coloured = Run {
        args,
        environment: vec![("CLICOLOR_FORCE", "1")],
        stdin: request,
    }
    .run();
    assert!(
        coloured.stdout.starts_with("\u{1b}[1m\u{1b}[32m✔ admitted"),
        "{:?}",
        coloured.stdout
    );
}

#[test]
fn a_request_cannot_write_to_the_terminal() {
    let mut signer = QuerySigner::v2().with("Name", "a\u{1b}[2J\r\n\u{202e}b");
    signer.secret_key = "another".to_owned();
    let ran = check(&signer.sign().raw());
    // The string to sign ends a line where the value does.
    for shown in ["&Name=a\\u{1b}[2J\\r\n", "  \\u{202e}b&Nonce="] {
        assert!(ran.stdout.contains(shown), "{:?}", ran.stdout);
    }
    assert!(
        !ran.stdout.contains(['\u{1b}', '\r', '\u{202e}']),
        "{:?}",
        ran.stdout
    );
}

#[test]
fn chinese_messages_are_wrapped_too() {
    let mut request = QuerySigner::v2();
    request.timestamp -= 301;
    let ran = run_with(
        &[
            "check",
            "--credentials",
            EXAMPLE,
            "--at",
            AT,
            "--language",
            "zh-CN",
            "-",
        ],
        &request.sign().raw(),
    );
    let columns = |line: &str| -> usize {
        line.chars()
            .map(|character| if character.is_ascii() { 1 } else { 2 })
            .sum()
    };
    assert!(ran.stdout.contains("    message      "));
    assert!(
        ran.stdout.lines().all(|line| columns(line) <= 100),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.is_ascii());
}
