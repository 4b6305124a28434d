//! Policy on the command line and in a file.

use serde_json::Value;

use test_support::signer::{QuerySigner, Signed, TIMESTAMP, Tc3Signer};

use crate::run::{EXAMPLE, v2, verdicts};

#[test]
fn options_change_the_policy() {
    let example = |request: &Signed, more: &[&str]| -> Value {
        verdicts(EXAMPLE, std::slice::from_ref(request), more)[0]["reason"].clone()
    };
    let request = QuerySigner::v2().sign();
    assert_eq!(example(&request, &[]), Value::Null);
    assert_eq!(example(&request, &["--scheme", "http"]), "plain-http");

    let mut behind_a_proxy = request.clone();
    behind_a_proxy.headers[0].1 = "127.0.0.1:8080".to_owned();
    assert_eq!(example(&behind_a_proxy, &[]), "signature-mismatch");
    let host = ["--public-host", "cvm.api.qcloud.com"];
    assert_eq!(example(&behind_a_proxy, &host), Value::Null);

    let kept = Tc3Signer {
        host: "CVM.tencentcloudapi.com".to_owned(),
        ..Tc3Signer::post()
    };
    let kept = Tc3Signer {
        header_values: test_support::signer::HeaderValues::Verbatim,
        ..kept
    };
    assert_eq!(
        example(&kept.sign(), &["--policy", "compatible"]),
        Value::Null
    );
    assert_eq!(
        example(&kept.sign(), &["--policy", "strict"]),
        "signature-mismatch"
    );
}

#[test]
fn the_file_says_everything_that_a_policy_can() {
    const APART: &str = "cli/tests/command/rules-apart.toml";
    let reason = |request: Signed, more: &[&str]| verdicts(APART, &[request], more)[0].clone();
    let at = |timestamp| {
        let mut signer = v2();
        signer.timestamp = timestamp;
        signer.sign()
    };
    // A window of 60 seconds, in Chinese.
    assert_eq!(
        reason(at(TIMESTAMP - 61), &[])["reason"],
        "timestamp-outside-window"
    );
    assert!(
        !reason(at(TIMESTAMP - 61), &[])["message"]
            .as_str()
            .unwrap()
            .is_ascii()
    );
    let english = reason(at(TIMESTAMP - 61), &["--language", "en-US"]);
    assert!(english["message"].as_str().unwrap().is_ascii());
    // Service `cvm` of the action is for TC3 alone; elsewhere it is unknown.
    assert_eq!(reason(at(TIMESTAMP - 60), &[])["reason"], "action-unknown");
    let mut tc3 = Tc3Signer::post();
    assert_eq!(
        reason(tc3.sign(), &["--scheme", "http"])["verdict"],
        "admitted"
    );
    tc3.service = "vpc".to_owned();
    assert_eq!(reason(tc3.sign(), &[])["reason"], "invalid-authorization");
    let tc3 = Tc3Signer::post().sign();
    let twice = verdicts(APART, &[tc3.clone(), tc3], &[]);
    assert_eq!(twice[1]["reason"], "nonce-repeated");
    let mut tc3 = Tc3Signer::post();
    tc3.body = vec![b' '; 1001];
    assert_eq!(reason(tc3.sign(), &[])["reason"], "body-too-long");
    let long = v2().with("Limit", &"1".repeat(1000));
    assert_eq!(reason(long.sign(), &[])["reason"], "query-too-long");
}
