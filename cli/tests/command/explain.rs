//! Causes of a refusal: `--explain`.

use serde_json::{Value, json};

use test_support::signer::{SECRET_ID, SECRET_KEY, Signed, Tc3Signer};

use crate::run::{AT, EXAMPLE, TOKEN, explain, run_with, temporary_file, v2, verdicts};

/// Signed with its values as they stand in the URL.
fn encoded_before_signing() -> Vec<u8> {
    let mut request = v2().with("Name", "默认 a").sign();
    let encoded = request
        .string_to_sign
        .replace("默认 a", &test_support::signer::percent_encoded("默认 a"));
    let signature = test_support::signer::signature(
        test_support::signer::Algorithm::UndeclaredSha1,
        SECRET_KEY,
        &encoded,
    );
    resign(&mut request, &signature);
    request.raw()
}

/// Signed with a key that no one knows.
fn unexplained() -> Signed {
    let mut request = v2().sign();
    let signature = test_support::signer::signature(
        test_support::signer::Algorithm::UndeclaredSha1,
        "a key that no one knows",
        &request.string_to_sign,
    );
    resign(&mut request, &signature);
    request
}

fn resign(request: &mut Signed, signature: &str) {
    let (unsigned, _) = request.target.split_once("&Signature=").unwrap();
    let signature = test_support::signer::percent_encoded(signature);
    request.target = format!("{unsigned}&Signature={signature}");
}

#[test]
fn the_mistake_is_explained() {
    let ran = explain(&encoded_before_signing(), &[]);
    assert_eq!(
        ran.stdout,
        "\
✘ refused   -  DescribeInstances  HmacSHA1
    code         InvalidParameter.SignatureFailure
    check        signature (signature-mismatch)
    message      The provided credentials could not be validated. Please check your signature is
                 correct.
    diagnosis    encoded-before-signing (fails only sometimes)
    cause        Values were percent-encoded before they were signed.
    evidence     parameter `Name`: signed `%E9%BB%98%E8%AE%A4%20a`, sent `默认 a` (as sent)
    fix          Sign the raw values; encode them afterwards, when the request is built.
    to be signed GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Name=默认 a&Nonce=11886&Region=ap-guangzhou&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600&Version=2017-03-12

0 admitted, 1 refused
"
    );
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 1);
}

#[test]
fn the_mistake_is_explained_in_chinese() {
    let by_flag = explain(&encoded_before_signing(), &["--language", "zh-CN"]);
    let mut request = Tc3Signer::post();
    request.timestamp -= 4_000;
    request
        .headers
        .push(("X-TC-Language".to_owned(), "zh-CN".to_owned()));
    let by_request = explain(&request.sign().raw(), &[]);
    for (ran, shown) in [
        (
            by_flag,
            "\
    diagnosis    encoded-before-signing（仅在部分请求中失败）
    cause        参数值在签名前进行了百分号编码。
    evidence     parameter `Name`: signed `%E9%BB%98%E8%AE%A4%20a`, sent `默认 a` (as sent)
    fix          请对原始值签名，构造请求时再编码。
",
        ),
        (
            by_request,
            "\
    diagnosis    clock-skew（仅在部分请求中失败）
    cause        时间戳与服务器时钟相差过大：客户端时钟不准，或者请求签名后很久才发送。
    evidence     the timestamp 1767221600 is 4000 s behind the server's clock 1767225600; 300 s are
                 allowed; the signature itself is right
    fix          请使用 NTP 同步客户端时钟，并在发送前再签名。
",
        ),
    ] {
        assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    }
    let unexplained = explain(&unexplained().raw(), &["--language", "zh-CN"]);
    assert!(
        unexplained
            .stdout
            .contains("    diagnosis    没有已知错误可以解释\n    to be signed GETcvm"),
        "{}",
        unexplained.stdout
    );
}

#[test]
fn what_no_mistake_explains_shows_what_should_have_been_signed() {
    let ran = explain(&unexplained().raw(), &[]);
    assert!(
        ran.stdout.ends_with(
            "\
    diagnosis    no known mistake explains this
    to be signed GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Nonce=11886&Region=ap-guangzhou&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600&Version=2017-03-12

0 admitted, 1 refused
"
        ),
        "{}",
        ran.stdout
    );
}

#[test]
fn programs_read_the_mistakes_as_a_list() {
    let json = ["--format", "json"];
    let objects = |stdin: &[u8]| explain(stdin, &json).objects().remove(0);
    assert_eq!(
        objects(&encoded_before_signing())["diagnosis"],
        json!([{
            "id": "encoded-before-signing",
            "cause": "Values were percent-encoded before they were signed.",
            "fix": "Sign the raw values; encode them afterwards, when the request is built.",
            "evidence": "parameter `Name`: signed `%E9%BB%98%E8%AE%A4%20a`, sent `默认 a` (as sent)",
        }])
    );
    let raw = explain(&encoded_before_signing(), &json).stdout;
    assert!(
        raw.contains(r#","uncovered":[],"diagnosis":[{"id":"encoded-before-signing","cause":"#),
        "{raw}"
    );
    assert_eq!(objects(&unexplained().raw())["diagnosis"], json!([]));
    assert_eq!(objects(&v2().sign().raw())["diagnosis"], json!([]));
    for object in [
        objects(&unexplained().raw()),
        verdicts(EXAMPLE, &[unexplained()], &[]).remove(0),
    ] {
        assert_eq!(object.get("difference"), None);
    }
    let plain = verdicts(EXAMPLE, &[unexplained()], &[]).remove(0);
    assert_eq!(plain.get("diagnosis"), None);
}

#[test]
fn keys_of_other_credentials_in_the_file_are_known() {
    let config = format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"the key of the first\"\n\
         [[credential]]\nsecret_id = \"AKIDsecond\"\nsecret_key = \"{SECRET_KEY}\"\n"
    );
    let config = temporary_file("two-keys.toml", config.as_bytes());
    let object = verdicts(config.to_str().unwrap(), &[v2().sign()], &["--explain"]).remove(0);
    assert_eq!(object["diagnosis"][0]["id"], "another-credentials-key");
    assert_eq!(
        object["diagnosis"][0]["evidence"],
        "the key belongs to AKIDsecond"
    );
}

#[test]
fn the_first_difference_from_what_the_client_signed() {
    let request = unexplained();
    let client = request.string_to_sign.replace("&Region=ap", "&region=ap") + "\n";
    let client = temporary_file("signed.txt", client.as_bytes());
    let client = client.to_str().unwrap();
    // Given, it explains by itself.
    let args = ["check", "--credentials", EXAMPLE, "--at", AT];
    let with = |more: &[&str]| run_with(&[&args, more].concat(), &request.raw());
    let ran = with(&["--client-string", client, "-"]);
    assert!(
        ran.stdout.ends_with(
            "
    difference   after byte 72, in line 1
    both         n=DescribeInstances&Nonce=11886&
    server       Region=ap-guangzhou&SecretId=AKI
    client       region=ap-guangzhou&SecretId=AKI

0 admitted, 1 refused
"
        ),
        "{}",
        ran.stdout
    );
    let ran = with(&["--client-string", client, "--format", "json", "-"]);
    let object = ran.objects().remove(0);
    assert_eq!(object["diagnosis"], json!([]));
    assert_eq!(
        object["difference"],
        json!({
            "offset": 72,
            "line": 1,
            "before": "n=DescribeInstances&Nonce=11886&",
            "server": "Region=ap-guangzhou&SecretId=AKI",
            "client": "region=ap-guangzhou&SecretId=AKI",
        })
    );
}

#[test]
fn the_same_text_points_to_the_key() {
    let request = unexplained();
    let file = temporary_file("request.http", &request.raw());
    let file = file.to_str().unwrap();
    let args = [
        "check",
        "--credentials",
        EXAMPLE,
        "--at",
        AT,
        "--client-string",
        "-",
    ];
    let run = |more: &[&str]| {
        run_with(
            &[&args, more, &[file]].concat(),
            request.string_to_sign.as_bytes(),
        )
    };
    let ran = run(&[]);
    assert!(
        ran.stdout.contains(
            "
    difference   the same as the server's: the key, the algorithm or the form of the signature
                 differs
"
        ),
        "{}",
        ran.stdout
    );
    let object = run(&["--format", "json"]).objects().remove(0);
    assert_eq!(object.get("difference"), Some(&Value::Null));
}

#[test]
fn a_canonical_request_is_compared_line_by_line() {
    let mut signer = Tc3Signer::post();
    signer.secret_key = "a key that no one knows".to_owned();
    let client = "POST\n/\n\ncontent-type:application/json\nhost:cvm.tencentcloudapi.com\ncontent-type;host\n";
    let client = temporary_file("canonical.txt", client.as_bytes());
    let client = client.to_str().unwrap();
    let ran = explain(&signer.sign().raw(), &["--client-string", client]);
    assert!(
        ran.stdout.contains(
            "
    difference   after byte 67, in line 6
    both         on\\nhost:cvm.tencentcloudapi.com\\n
    server       \\ncontent-type;host\\n"
        ),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_token_is_not_shown_where_the_texts_differ() {
    let config = format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"another\"\ntoken = \"{TOKEN}\"\n"
    );
    let config = temporary_file("token-difference.toml", config.as_bytes());
    let config = config.to_str().unwrap();
    let request = v2().with("Token", TOKEN).sign();
    let right = &request.string_to_sign;
    for (name, client) in [
        ("before", right.replace("&Token", "&token")),
        ("within", right.replace("0abcdef", "0fedcba")),
        (
            "at the start",
            right.replace("=dummy-session", "=duplicate-session"),
        ),
        ("after", right.replace("&Version", "&version")),
        ("missing", right.replace(&format!("&Token={TOKEN}"), "")),
    ] {
        let file = format!("token-{}.txt", name.replace(' ', "-"));
        let client = temporary_file(&file, client.as_bytes());
        let client = client.to_str().unwrap();
        let args = [
            "check",
            "--credentials",
            config,
            "--at",
            AT,
            "--client-string",
            client,
            "-",
        ];
        let ran = run_with(&args, &request.raw());
        assert!(
            ran.stdout.contains("    difference   after byte"),
            "{}",
            ran.stdout
        );
        for piece in [
            "dummy-s", "mmy-se", "plicate", "0123456", "0abcde", "0fedcb",
        ] {
            assert!(!ran.stdout.contains(piece), "{name}: {}", ran.stdout);
        }
    }
}

#[test]
fn a_key_sent_as_the_secret_id_is_not_repeated_by_the_explanation() {
    let mut signer = v2();
    signer.secret_id = SECRET_KEY.to_owned();
    let client = temporary_file("empty.txt", b"");
    let client = client.to_str().unwrap();
    for format in ["json", "text"] {
        // `run_with` looks for the key.
        let more = ["--client-string", client, "--format", format];
        let ran = explain(&signer.sign().raw(), &more);
        assert!(ran.stdout.contains("id-and-key-swapped"), "{}", ran.stdout);
    }
}

#[test]
fn what_is_wrong_with_the_client_string_is_one_line() {
    for (file, message) in [
        (
            "-",
            "--client-string and the requests cannot both be read from standard input\n",
        ),
        (
            "tests/no-such.txt",
            "--client-string: tests/no-such.txt: cannot be read: No such file or directory (os error 2)\n",
        ),
    ] {
        let ran = explain(&v2().sign().raw(), &["--client-string", file]);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", message));
        assert_eq!(ran.code, 2);
    }
}
