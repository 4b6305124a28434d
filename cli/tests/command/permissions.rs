//! Rules about resources that a JSON body names.

use serde_json::Value;
use test_support::signer::{QuerySigner, SECRET_KEY, Signed, Tc3Signer};

use crate::run::{temporary_file, verdicts};

/// One may touch everything but production, the other development alone.
fn rules() -> String {
    let credential = |id: &str, sub_account: &str| {
        format!(
            "[[credential]]\nsecret_id = \"{id}\"\nsecret_key = \"{SECRET_KEY}\"\naccount = \"100000000001\"\n\
             sub_account = \"{sub_account}\"\n"
        )
    };
    let rule = |effect: &str, resources: &str| {
        format!(
            "[[account.sub_account.rule]]\neffect = \"{effect}\"\nactions = [\"*\"]\nresources = [\"{resources}\"]\n"
        )
    };
    let sub_account = |uin: &str| format!("[[account.sub_account]]\nuin = \"{uin}\"\n");
    [
        credential("AKIDmost", "200000000001"),
        credential("AKIDdevelopment", "200000000002"),
        "[[action]]\nname = \"StopInstances\"\nresources = [\"InstanceIds.*\", \"DiskId\"]\n"
            .to_owned(),
        "[[account]]\nuin = \"100000000001\"\n".to_owned(),
        sub_account("200000000001"),
        rule("allow", "*"),
        rule("deny", "ins-prod-*"),
        sub_account("200000000002"),
        rule("allow", "ins-dev-*"),
    ]
    .concat()
}

fn stop(secret_id: &str, body: &str) -> Signed {
    let mut signer = Tc3Signer {
        secret_id: secret_id.to_owned(),
        body: body.as_bytes().to_vec(),
        ..Tc3Signer::post()
    };
    signer.headers[0].1 = "StopInstances".to_owned();
    signer.sign()
}

/// The reason of each refusal, or `admitted`.
fn reasons(name: &str, requests: &[Signed]) -> Vec<String> {
    let rules = temporary_file(name, rules().as_bytes());
    let reason = |verdict: &Value| match verdict["reason"].as_str() {
        Some(reason) => reason.to_owned(),
        None => verdict["verdict"].as_str().unwrap().to_owned(),
    };
    let verdicts = verdicts(rules.to_str().unwrap(), requests, &[]);
    verdicts.iter().map(reason).collect()
}

#[test]
fn a_json_body_names_resources_in_every_spelling() {
    let cases = [
        ("AKIDmost", r#"{"InstanceIds":["ins-dev-1"]}"#, "admitted"),
        (
            "AKIDmost",
            r#"{"InstanceIds":["ins-prod-1"]}"#,
            "resource-denied",
        ),
        (
            "AKIDmost",
            r#"{"instanceids":["ins-prod-1"]}"#,
            "resource-denied",
        ),
        (
            "AKIDmost",
            r#"{"InstanceIds":"ins-prod-1"}"#,
            "resource-denied",
        ),
        (
            "AKIDmost",
            r#"{"INSTANCEIDS":[["ins-prod-1"]]}"#,
            "resource-denied",
        ),
        (
            "AKIDmost",
            "{\"In\u{17f}tanceIds\":[\"ins-prod-1\"]}",
            "resource-denied",
        ),
        (
            "AKIDmost",
            r#"{"\u0069nstanceIds":["ins-prod-1"]}"#,
            "resource-denied",
        ),
        (
            "AKIDmost",
            r#"{"DiskId":["ins-prod-1"]}"#,
            "resource-denied",
        ),
        ("AKIDmost", r#"{"diskid":"ins-prod-1"}"#, "resource-denied"),
        ("AKIDmost", r#"{"instanceids":["ins-dev-1"]}"#, "admitted"),
        ("AKIDmost", r#"{"Names":["ins-prod-1"]}"#, "admitted"),
        // In two spellings, and twice.
        (
            "AKIDmost",
            r#"{"InstanceIds":["ins-dev-1"],"InstanceIds.0":["ins-dev-2"],"Instanceids.9":"ins-dev-3"}"#,
            "resource-denied",
        ),
        (
            "AKIDmost",
            r#"{"InstanceIds":["ins-dev-1"],"instanceids":[]}"#,
            "permission-store-failed",
        ),
        (
            "AKIDmost",
            r#"{"InstanceIds":["ins-dev-1"],"InstanceIds":["ins-dev-1"]}"#,
            "permission-store-failed",
        ),
        (
            "AKIDdevelopment",
            r#"{"InstanceIds":["ins-dev-1"]}"#,
            "admitted",
        ),
        (
            "AKIDdevelopment",
            r#"{"InstanceIds":["ins-dev-1","ins-prod-1"]}"#,
            "resource-denied",
        ),
        // What is not named exactly is not granted.
        (
            "AKIDdevelopment",
            r#"{"instanceids":["ins-dev-1"]}"#,
            "action-denied",
        ),
        (
            "AKIDdevelopment",
            r#"{"InstanceIds":"ins-dev-1"}"#,
            "action-denied",
        ),
        (
            "AKIDdevelopment",
            r#"{"InstanceIds":["ins-dev-1"],"DISKID":"ins-dev-2"}"#,
            "resource-denied",
        ),
    ];
    let requests: Vec<Signed> = cases.iter().map(|(id, body, _)| stop(id, body)).collect();
    let reasons = reasons("spellings.toml", &requests);
    for ((id, body, expected), reason) in cases.iter().zip(&reasons) {
        assert_eq!(reason, expected, "{id}: {body}");
    }
}

#[test]
fn a_form_names_resources_in_every_spelling() {
    let stop = |name: &str, value: &str| {
        let mut signer = QuerySigner::v1().with(name, value);
        signer.secret_id = "AKIDmost".to_owned();
        signer.params[0] = ("Action".to_owned(), "StopInstances".to_owned());
        signer.sign()
    };
    let cases = [
        ("InstanceIds.0", "ins-dev-1", "admitted"),
        ("InstanceIds.0", "ins-prod-1", "resource-denied"),
        ("InstanceIds_0", "ins-prod-1", "resource-denied"),
        ("instanceids.0", "ins-prod-1", "resource-denied"),
        ("InstanceIds", "ins-prod-1", "resource-denied"),
        ("InstanceIds[]", "ins-prod-1", "resource-denied"),
        ("instanceIds[0]", "ins-prod-1", "resource-denied"),
        ("DiskId.0", "ins-prod-1", "resource-denied"),
        ("instanceids.0", "ins-dev-1", "admitted"),
        ("Zone", "ins-prod-1", "admitted"),
    ];
    let requests: Vec<Signed> = cases
        .iter()
        .map(|(name, value, _)| stop(name, value))
        .collect();
    let reasons = reasons("spellings-of-parameters.toml", &requests);
    for ((name, value, expected), reason) in cases.iter().zip(&reasons) {
        assert_eq!(reason, expected, "{name}={value}");
    }
}
