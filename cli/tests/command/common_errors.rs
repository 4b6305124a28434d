//! The common errors, each provoked from the command line.

use serde_json::Value;

use test_support::signer::{QuerySigner, SECRET_ID, Signed, Tc3Signer};

use crate::run::{AT, ROWS, TOKEN, run_with, v2, v2_as, verdicts};

/// The last of some requests is refused for this reason, with this code in the revised v2 dialect.
fn assert_row(credentials: &str, requests: &[Signed], more: &[&str], reason: &str, code: &str) {
    let verdicts = verdicts(credentials, requests, more);
    let (last, before) = verdicts.split_last().unwrap();
    assert!(
        before
            .iter()
            .all(|verdict| verdict["verdict"] == "admitted")
    );
    assert_eq!(last["reason"], reason, "{last}");
    assert_eq!(last["codes"]["v2"], code, "{last}");
    assert_eq!(last["dialect"], "v2");
    let response: Value = serde_json::from_str(last["response"].as_str().unwrap()).unwrap();
    assert_eq!(response["Response"]["Error"]["Code"], code);
}

/// All but row 14, which only a backend can bring about.
#[test]
fn every_common_error_can_be_provoked() {
    let with_nonce = |mut signer: QuerySigner, nonce: &str| {
        signer.nonce = nonce.to_owned();
        signer.sign()
    };
    let row = |request: QuerySigner, reason, code| {
        assert_row(ROWS, &[request.sign()], &[], reason, code);
    };
    let describe = |secret_id| v2_as(secret_id, "DescribeInstances");
    let on = |secret_id, action, resource| v2_as(secret_id, action).with("InstanceIds.0", resource);

    // 1
    let mut nonce = v2();
    nonce.nonce = "abc".to_owned();
    row(nonce, "invalid-parameter", "InvalidParameter");
    let mut missing = v2();
    missing.params.remove(0);
    row(missing, "missing-parameter", "InvalidParameter");
    // 2
    let mut wrong = v2();
    wrong.secret_key = "wrong".to_owned();
    row(
        wrong,
        "signature-mismatch",
        "InvalidParameter.SignatureFailure",
    );
    // 3
    row(
        v2_as("AKIDsubaccount", "RunInstances"),
        "action-denied",
        "AuthFailure",
    );
    // 4
    let elsewhere = on("AKIDsubaccount", "StopInstances", "ins-prod-1");
    row(elsewhere, "resource-denied", "AuthFailure");
    // 5
    let together = on("AKIDsubaccount", "StopInstances", "ins-test-1");
    row(together, "action-resource-denied", "AuthFailure");
    let denied = on(SECRET_ID, "TerminateInstances", "ins-prod-1");
    row(denied, "action-resource-denied", "AuthFailure");
    // 6
    let not_found = "InvalidParameter.SecretIdNotFound";
    row(describe("AKIDnobody"), "secret-id-unknown", not_found);
    row(describe("AKIDdisabled"), "secret-id-disabled", not_found);
    // 7
    let failed = "InvalidRequest.TokenCheckFailed";
    let temporary = || describe("AKIDtemporary");
    row(temporary(), "token-missing", failed);
    row(temporary().with("Token", "wrong"), "token-wrong", failed);
    row(temporary().with("Token", TOKEN), "token-expired", failed);
    row(v2().with("Token", TOKEN), "token-unexpected", failed);
    // 8
    let reset = |secret_id| v2_as(secret_id, "ResetInstancesPassword");
    row(
        reset(SECRET_ID),
        "mfa-failed",
        "InvalidRequest.MFACheckFailed",
    );
    let verified = verdicts(ROWS, &[reset("AKIDverified").sign()], &[]);
    assert_eq!(verified[0]["verdict"], "admitted");
    // 9
    let unreadable = &verdicts(ROWS, &[unreadable_body()], &[])[0];
    assert_eq!(unreadable["reason"], "permission-store-failed");
    assert_eq!(unreadable["codes"]["v2"], "InternalError.CAMInnerError");
    // 10
    let forbidden = "InvalidRequest.Forbidden";
    row(
        v2_as("AKIDbanned", "RunInstances"),
        "account-banned",
        forbidden,
    );
    row(
        describe("AKIDoutsider"),
        "account-not-in-audience",
        forbidden,
    );
    // 11
    let zones = || v2_as(SECRET_ID, "DescribeZones");
    let zones = [with_nonce(zones(), "1"), with_nonce(zones(), "2")];
    assert_row(
        ROWS,
        &zones,
        &[],
        "quota-exhausted",
        "InvalidRequest.LimitExceeded",
    );
    // 12
    let replay = "InvalidRequest.ReplayAttack";
    assert_row(
        ROWS,
        &[v2().sign(), v2().sign()],
        &[],
        "nonce-repeated",
        replay,
    );
    let mut stale = v2();
    stale.timestamp -= 301;
    row(stale, "timestamp-outside-window", replay);
    // 13
    let http = ["--scheme", "http"];
    assert_row(
        ROWS,
        &[v2().sign()],
        &http,
        "plain-http",
        "InvalidRequest.UnsupportedProtocol",
    );
    // 15
    assert_row(
        "cli/tests/command/full.toml",
        &[v2().sign(), describe("AKIDanother").sign()],
        &[],
        "nonce-store-failed",
        "InternalError",
    );
    // 16
    row(
        v2_as(SECRET_ID, "MakeCoffee"),
        "action-unknown",
        "InvalidAction.NotFound",
    );
    // 17
    let imports = v2_as(SECRET_ID, "ImportInstances");
    row(
        imports,
        "action-unavailable",
        "InvalidAction.ActionUnavailable",
    );
    // 18
    let regions = || v2_as(SECRET_ID, "DescribeRegions");
    let regions = [with_nonce(regions(), "1"), with_nonce(regions(), "2")];
    assert_row(
        ROWS,
        &regions,
        &[],
        "rate-exceeded",
        "InvalidRequest.RequestConcurrencyExceeded",
    );
}

#[test]
fn resources_are_read_from_json() {
    let reason = |body: &str| {
        let mut request = Tc3Signer::post();
        request.secret_id = "AKIDsubaccount".to_owned();
        request.headers[0].1 = "StopInstances".to_owned();
        request.body = body.as_bytes().to_vec();
        verdicts(ROWS, &[request.sign()], &[])[0]["reason"].clone()
    };
    assert_eq!(
        reason(r#"{"InstanceIds":["ins-dev-1","ins-dev-2"],"Force":true}"#),
        Value::Null
    );
    assert_eq!(
        reason(r#"{"InstanceIds":["ins-dev-1","ins-prod-2"]}"#),
        "resource-denied"
    );
    assert_eq!(
        reason(r#"{"InstanceIds":["ins-test-1"]}"#),
        "action-resource-denied"
    );
    assert_eq!(reason(r#"{"InstanceIds":[7]}"#), "resource-denied");
    // It names no resource, so it may touch all of them.
    assert_eq!(reason(r#"{"InstanceIds":[null]}"#), "action-denied");
    // Who cannot read it cannot check it.
    for unreadable in [
        "",
        "[",
        "InstanceIds.0=ins-dev-1",
        r#"{"InstanceIds":["ins-dev-1"]} x"#,
    ] {
        assert_eq!(
            reason(unreadable),
            "permission-store-failed",
            "{unreadable}"
        );
    }
}

#[test]
fn resources_in_the_query_of_a_tc3_get_are_not_passed_over() {
    let mut request = Tc3Signer::get();
    request.headers[0].1 = "TerminateInstances".to_owned();
    request.query = "InstanceIds.0=ins-prod-1".to_owned();
    let verdict = &verdicts(ROWS, &[request.sign()], &[])[0];
    assert_eq!(verdict["verdict"], "refused");
}

#[test]
fn the_operator_reads_why_a_store_failed() {
    let args = ["check", "--credentials", ROWS, "--at", AT, "-"];
    let request = unreadable_body().raw();
    let ran = run_with(&args, &request);
    let cause = "the store did not answer: the body of StopInstances cannot be read as JSON: EOF while parsing a list at line 1 column 1";
    let words: Vec<&str> = ran.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains(cause), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 1);

    let ran = run_with(&[&args[..], &["--format", "json"]].concat(), &request);
    assert_eq!(ran.stderr, format!("-: {cause}\n"));
    assert!(
        !ran.objects()[0]
            .to_string()
            .contains("cannot be read as JSON")
    );
}

/// A request of a sub-account whose rules depend on a body that is not JSON.
fn unreadable_body() -> Signed {
    let mut request = Tc3Signer::post();
    request.secret_id = "AKIDsubaccount".to_owned();
    request.headers[0].1 = "StopInstances".to_owned();
    request.body = b"[".to_vec();
    request.sign()
}
