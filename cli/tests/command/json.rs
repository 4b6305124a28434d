//! Verdicts as JSON.

use serde_json::{Value, json};

use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY, Tc3Signer};

use crate::run::{AT, EXAMPLE, run_with, v2};

#[test]
fn an_admitted_request_is_an_object_with_every_field() {
    let ran = run_with(
        &[
            "check",
            "--credentials",
            EXAMPLE,
            "--at",
            AT,
            "--format",
            "json",
            "-",
        ],
        &QuerySigner::v2().sign().raw(),
    );
    assert_eq!(
        ran.stdout,
        concat!(
            r#"{"file":"-","verdict":"admitted","scheme":"HmacSHA1","dialect":"v2-numeric","#,
            r#""secret_id":"AKIDEXAMPLEdummydummydummydummydummy12","action":"DescribeInstances","#,
            r#""reason":null,"check":null,"codes":null,"message":null,"response":null,"#,
            r#""string_to_sign":"GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Nonce=11886"#,
            r#"&Region=ap-guangzhou&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600","#,
            r#""uncovered":[]}"#,
            "\n"
        )
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 0);
}

#[test]
fn a_refused_request_is_an_object_with_codes_and_the_response() {
    let request = Tc3Signer::post().sign().raw();
    let ran = run_with(
        &[
            "check",
            "--secret-id",
            "AKIDanother",
            "--secret-key",
            "x",
            "--at",
            AT,
            "--format",
            "json",
            "-",
        ],
        &request,
    );
    let mut object = ran.objects().remove(0);
    assert!(
        object["string_to_sign"]
            .as_str()
            .unwrap()
            .starts_with("POST\n/\n\ncontent-type:application/json\n")
    );
    object["string_to_sign"] = Value::Null;
    let message = "The SecretId is not found, please ensure that your SecretId is correct.";
    assert_eq!(
        object,
        json!({
            "file": "-",
            "verdict": "refused",
            "scheme": "TC3-HMAC-SHA256",
            "dialect": "v3",
            "secret_id": SECRET_ID,
            "action": "DescribeInstances",
            "reason": "secret-id-unknown",
            "check": "secret-id",
            "codes": {
                "v2": "InvalidParameter.SecretIdNotFound",
                "v2_numeric": 4104,
                "v3": "AuthFailure.SecretIdNotFound",
            },
            "message": message,
            "response": format!(
                "{{\"Response\":{{\"Error\":{{\"Code\":\"AuthFailure.SecretIdNotFound\",\"Message\":\"{message}\"}},\
                 \"RequestId\":\"00000000-0000-0000-0000-000000000000\"}}}}"
            ),
            "string_to_sign": null,
            "uncovered": [],
        })
    );
    assert_eq!(ran.code, 1);
}

#[test]
fn what_cannot_be_read_as_a_signed_request_has_nulls() {
    let objects = run_with(
        &["check", "--credentials", EXAMPLE, "--format", "json", "-"],
        b"GET /v2/index.php?Action=x HTTP/1.1\r\nHost: cvm.api.qcloud.com\r\n\r\n",
    )
    .objects();
    let object = &objects[0];
    assert_eq!(object["reason"], "missing-parameter");
    for field in ["scheme", "secret_id", "action", "string_to_sign"] {
        assert_eq!(object[field], Value::Null, "{field}");
    }
    assert_eq!(object["codes"]["v2_numeric"], 4000);
}

#[test]
fn a_key_sent_as_the_secret_id_is_not_repeated() {
    let mut signer = v2();
    signer.secret_id = SECRET_KEY.to_owned();
    let request = signer.sign().raw();
    for (at, reason) in [(AT, "secret-id-unknown"), ("1", "timestamp-outside-window")] {
        for format in ["json", "text"] {
            let args = [
                "check",
                "--credentials",
                EXAMPLE,
                "--at",
                at,
                "--format",
                format,
                "-",
            ];
            // `run_with` looks for the key.
            let ran = run_with(&args, &request);
            assert!(ran.stdout.contains(reason), "{}", ran.stdout);
        }
    }
}
