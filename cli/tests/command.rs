//! The command, run as a process: what it prints, and with which exit code. No secret is ever in it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, Tc3Signer};

const TOKEN: &str = "dummy-session-token-01234567890abcdef";
const EXAMPLE: &str = "examples/credentials.toml";
const ROWS: &str = "cli/tests/command/rows.toml";
/// The time at which the requests of the reference signer are made.
const AT: &str = "1767225600";

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ran {
    /// The JSON objects on stdout.
    fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is an object"))
            .collect()
    }
}

#[derive(Default)]
struct Run<'r> {
    args: Vec<&'r str>,
    environment: Vec<(&'r str, &'r str)>,
    stdin: Vec<u8>,
}

impl Run<'_> {
    fn run(&self) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"));
        for name in [
            "TENCENTCLOUD_SECRET_ID",
            "TENCENTCLOUD_SECRET_KEY",
            "TENCENTCLOUD_TOKEN",
            "CLICOLOR_FORCE",
            "NO_COLOR",
        ] {
            command.env_remove(name);
        }
        let mut process = command
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .args(&self.args)
            .envs(self.environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Fails if the command ends without reading it.
        let _ = process.stdin.take().unwrap().write_all(&self.stdin);
        let output = process.wait_with_output().unwrap();
        let ran = Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for text in [&ran.stdout, &ran.stderr] {
            assert!(!text.contains(SECRET_KEY), "a secret in {text}");
        }
        ran
    }
}

fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}

fn run_with(args: &[&str], stdin: &[u8]) -> Ran {
    Run {
        args: args.to_vec(),
        stdin: stdin.to_vec(),
        ..Run::default()
    }
    .run()
}

/// Checks what is on stdin, with the example credentials.
fn check(stdin: &[u8]) -> Ran {
    run_with(&["check", "--credentials", EXAMPLE, "--at", AT, "-"], stdin)
}

/// The verdicts about requests, all in one file, under a file of `tests/command`.
fn verdicts(credentials: &str, requests: &[Signed], more: &[&str]) -> Vec<Value> {
    let mut args = vec!["check", "--credentials", credentials, "--format", "json"];
    args.extend(["--at", AT]);
    args.extend(more);
    args.push("-");
    let stdin: Vec<u8> = requests.iter().flat_map(Signed::raw).collect();
    let ran = run_with(&args, &stdin);
    assert!(ran.code < 2, "{}", ran.stderr);
    ran.objects()
}

/// A revised v2 request, which is refused with codes in words.
fn v2() -> QuerySigner {
    QuerySigner::v2().with("Version", "2017-03-12")
}

fn v2_as(secret_id: &str, action: &str) -> QuerySigner {
    let mut signer = v2();
    signer.secret_id = secret_id.to_owned();
    signer.params[0].1 = action.to_owned();
    signer
}

fn temporary_file(name: &str, content: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("command-{name}"));
    fs::write(&path, content).unwrap();
    path
}

fn line_count(text: &str) -> usize {
    text.lines().count()
}

// The shipped examples.

#[test]
fn the_first_command_of_the_readme_shows_both_verdicts() {
    let mut files: Vec<String> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/requests"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| format!("examples/requests/{name}"))
            .collect();
    files.sort();
    assert_eq!(files.len(), 12);
    let mut args = vec!["check", "--credentials", EXAMPLE, "--at", "request"];
    args.extend(files.iter().map(String::as_str));
    let ran = run(&args);
    assert_eq!(ran.stdout, include_str!("command/demo.txt"));
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 1);
}

#[test]
fn every_setting_in_the_example_may_be_used() {
    // Uncommented, its alternatives apart, the sample must still be a credentials file.
    let sample = include_str!("../../examples/credentials.toml");
    let mut uncommented = String::new();
    for line in sample.lines() {
        let setting = line.strip_prefix("# ").filter(|rest| {
            let name: String = rest
                .chars()
                .take_while(|&letter| letter.is_ascii_alphanumeric() || letter == '_')
                .collect();
            rest.starts_with('[') || !name.is_empty() && rest[name.len()..].starts_with(" = ")
        });
        let alternative = ["secret_key_env", "secret_key_file", "file", "[permissions]"]
            .iter()
            .any(|name| setting.is_some_and(|setting| setting.starts_with(name)));
        match setting {
            Some(setting) if !alternative => uncommented.push_str(setting),
            _ => uncommented.push_str(line),
        }
        uncommented.push('\n');
    }
    assert!(uncommented.contains("\nresources = [\"InstanceIds.*\"]"));
    let path = temporary_file("uncommented.toml", uncommented.as_bytes());
    let path = path.to_str().unwrap();
    let ran = run(&[
        "check",
        "--credentials",
        path,
        "examples/requests/tc3-get.http",
    ]);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 1);
}

// Text.

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
    let mut signer = QuerySigner::v2();
    signer.params[0].1 = "Describe\u{1b}[2J\r\n\u{202e}Instances".to_owned();
    let ran = check(&signer.sign().raw());
    assert!(
        ran.stdout
            .starts_with("✔ admitted  -  Describe\\u{1b}[2J\\r\\n\\u{202e}Instances  HmacSHA1\n"),
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

// JSON.

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

// Several requests, several files.

#[test]
fn a_replay_shows_across_files_and_within_one() {
    let request = QuerySigner::v2().sign().raw();
    let twice = [&request[..], b"\r\n", &request].concat();
    let (once, twice) = (
        temporary_file("once.http", &request),
        temporary_file("twice.http", &twice),
    );
    let (once, twice) = (once.to_str().unwrap(), twice.to_str().unwrap());
    for at in [AT, "request"] {
        let ran = run(&[
            "check",
            "--credentials",
            EXAMPLE,
            "--at",
            at,
            "--format",
            "json",
            once,
            twice,
            once,
        ]);
        let verdicts: Vec<(String, Value)> = ran
            .objects()
            .iter()
            .map(|object| {
                (
                    object["file"].as_str().unwrap().to_owned(),
                    object["reason"].clone(),
                )
            })
            .collect();
        assert_eq!(
            verdicts,
            [
                (once.to_owned(), Value::Null),
                (twice.to_owned(), json!("nonce-repeated")),
                (format!("{twice}#2"), json!("nonce-repeated")),
                (once.to_owned(), json!("nonce-repeated")),
            ]
        );
        assert_eq!(ran.code, 1);
    }
}

#[test]
fn at_their_own_times_requests_come_in_any_order() {
    let mut requests = Vec::new();
    for (timestamp, repeated) in [
        (TIMESTAMP, false),
        (0, false),
        (TIMESTAMP * 2, false),
        (TIMESTAMP, true),
    ] {
        let mut signer = v2();
        signer.timestamp = timestamp;
        requests.push((signer.sign(), repeated));
    }
    let stdin: Vec<u8> = requests
        .iter()
        .flat_map(|(request, _)| request.raw())
        .collect();
    let ran = run_with(
        &[
            "check",
            "--credentials",
            EXAMPLE,
            "--at",
            "request",
            "--format",
            "json",
            "-",
        ],
        &stdin,
    );
    let refused: Vec<bool> = ran
        .objects()
        .iter()
        .map(|object| object["verdict"] == "refused")
        .collect();
    assert_eq!(refused, [false, false, false, true]);
}

#[test]
fn files_after_one_that_cannot_be_read_are_checked() {
    let request = temporary_file("good.http", &QuerySigner::v2().sign().raw());
    let request = request.to_str().unwrap();
    let ran = run(&[
        "check",
        "--credentials",
        EXAMPLE,
        "--at",
        AT,
        "tests/no-such.http",
        "tests",
        request,
    ]);
    assert_eq!(
        ran.stderr,
        "tests/no-such.http: cannot be read: No such file or directory (os error 2)\n\
         tests: cannot be read: Is a directory (os error 21)\n"
    );
    assert!(
        ran.stdout
            .ends_with("\n1 admitted, 0 refused, 2 could not be read\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.code, 2);
}

// How requests are read.

/// Admitted, whatever its spelling.
fn assert_admitted(request: &[u8]) {
    let ran = check(request);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.ends_with("\n1 admitted, 0 refused\n"),
        "{}",
        ran.stdout
    );
}

fn form() -> Signed {
    let mut signer = v2();
    signer.method = "POST".to_owned();
    signer.sign()
}

/// The head of a POST, without its framing.
fn head(request: &Signed) -> String {
    let mut head = format!("POST {} HTTP/1.1\r\n", request.target);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

#[test]
fn chunks_are_joined_and_trailers_left_out() {
    let request = form();
    let (first, second) = request.body.split_at(10);
    let chunked = [
        head(&request).as_bytes(),
        b"Transfer-Encoding: Chunked\r\n\r\nA;why=not\r\n",
        first,
        format!("\r\n{:x}\r\n", second.len()).as_bytes(),
        second,
        b"\r\n000\r\nX-Trailer: yes\r\n\r\n",
    ]
    .concat();
    assert_admitted(&chunked);
    let lines = String::from_utf8(chunked).unwrap().replace("\r\n", "\n");
    assert_admitted(lines.as_bytes());
}

#[test]
fn lines_may_end_without_a_carriage_return() {
    let request = String::from_utf8(form().raw()).unwrap();
    assert_admitted(request.replace("\r\n", "\n").as_bytes());
    let request = String::from_utf8(QuerySigner::v2().sign().raw()).unwrap();
    assert_admitted(format!("\n{}\n\n", request.replace("\r\n", "\n")).as_bytes());
}

#[test]
fn a_post_without_a_length_has_the_rest_of_the_file() {
    let request = form();
    let open = [head(&request).as_bytes(), b"\r\n", &request.body].concat();
    assert_admitted(&open);
}

#[test]
fn a_url_as_the_target_names_the_host_where_nothing_else_does() {
    let request = String::from_utf8(QuerySigner::v2().sign().raw()).unwrap();
    let absolute = request.replacen("GET /", "GET HTTP://cvm.api.qcloud.com/", 1);
    assert_admitted(absolute.as_bytes());
    assert_admitted(
        absolute
            .replace("Host: cvm.api.qcloud.com\r\n", "")
            .as_bytes(),
    );
    let elsewhere = request.replacen("GET /", "GET http://elsewhere.example/", 1);
    assert_admitted(elsewhere.as_bytes());
}

#[test]
fn what_a_request_holds_is_for_the_validator_to_judge() {
    let target = b"GET /v2/index.php?Action=\xff\"<>{} HTTP/1.1\r\nHost: cvm.api.qcloud.com\r\nX: \xff\r\n\r\n";
    let ran = check(target);
    assert!(ran.stdout.contains("(non-ascii-query)"), "{}", ran.stdout);
    let ran = check(b"BREW / HTTP/1.1\nHost: cvm.api.qcloud.com\n\n");
    assert!(
        ran.stdout.contains("(method-not-allowed)"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_not_a_request_is_one_line_on_stderr() {
    let head = "POST / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\n";
    let framed = |rest: &str| format!("{head}{rest}").into_bytes();
    let good = QuerySigner::v2().sign().raw();
    let long = [
        framed("Content-Length: 20000000\r\n\r\n"),
        vec![b'a'; 20_000_000],
    ]
    .concat();
    let cases: [(Vec<u8>, &str); 20] = [
        (Vec::new(), "-: there is no request in it"),
        (b"\r\n\n".to_vec(), "-: there is no request in it"),
        (
            b"hello".to_vec(),
            "-: does not begin with a request line such as `GET /path HTTP/1.1`",
        ),
        (
            b"GET / HTTP/2\r\n\r\n".to_vec(),
            "-: does not begin with a request line such as `GET /path HTTP/1.1`",
        ),
        (
            b"GET /a b HTTP/1.1\r\n\r\n".to_vec(),
            "-: does not begin with a request line such as `GET /path HTTP/1.1`",
        ),
        (framed(""), "-: cut short: the head has no end"),
        (framed("Content-"), "-: cut short: the head has no end"),
        (
            framed("no colon\r\n\r\n"),
            "-: the headers cannot be read: invalid header name",
        ),
        (
            framed(&format!("{}\r\n", "A: b\r\n".repeat(1024))),
            "-: there are more than 1024 headers",
        ),
        (
            framed("Content-Length: 5\r\n\r\nabc"),
            "-: cut short: Content-Length promises 5 bytes and 3 are there",
        ),
        (
            framed("Content-Length: +5\r\n\r\nabcde"),
            "-: Content-Length is not one decimal number",
        ),
        (
            framed("Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
            "-: Content-Length is not one decimal number",
        ),
        (
            framed("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabcde"),
            "-: there are both Content-Length and Transfer-Encoding",
        ),
        (
            framed("Transfer-Encoding: gzip\r\n\r\nabc"),
            "-: Transfer-Encoding is not `chunked`",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\n5\r\nabc"),
            "-: cut short: a chunk size promises 5 bytes and 3 are there",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            "-: cut short: the last chunk is missing",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n"),
            "-: a chunk does not begin with its size or end where it says",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
            "-: a request is longer than 16 MiB",
        ),
        (long, "-: a request is longer than 16 MiB"),
        (
            [&good[..], b"left over"].concat(),
            "-#2: what follows a complete request is not another one; is its Content-Length too small?",
        ),
    ];
    for (input, expected) in cases {
        let ran = check(&input);
        assert_eq!(ran.stderr, format!("{expected}\n"));
        assert_eq!(ran.code, 2, "{expected}");
    }
}

#[test]
fn a_request_without_an_end_is_not_read_for_ever() {
    let endless = vec![b'a'; 17 << 20];
    for head in [
        "",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nX: ",
        "POST / HTTP/1.1\r\n\r\n",
    ] {
        let ran = check(&[head.as_bytes(), &endless].concat());
        assert_eq!(ran.stderr, "-: a request is longer than 16 MiB\n");
        assert_eq!(ran.code, 2);
    }
}

// Keys on the command line and in the environment.

#[test]
fn flags_go_before_the_environment() {
    let request = QuerySigner::v2().sign().raw();
    let both = vec![
        ("TENCENTCLOUD_SECRET_ID", SECRET_ID),
        ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
    ];
    let wrong = vec![
        ("TENCENTCLOUD_SECRET_ID", SECRET_ID),
        ("TENCENTCLOUD_SECRET_KEY", "wrong"),
        ("TENCENTCLOUD_TOKEN", TOKEN),
    ];
    let key = vec![
        ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
        ("TENCENTCLOUD_TOKEN", ""),
    ];
    let flags = ["--secret-id", SECRET_ID, "--secret-key", SECRET_KEY];
    let file = ["--credentials", EXAMPLE];
    for (flags, environment, code) in [
        (&[][..], both.clone(), 0),
        (&[], wrong.clone(), 1),
        (&flags, wrong.clone(), 0),
        (&flags[..2], key, 0),
        (&file, wrong.clone(), 0),
        (
            &[
                &file[..],
                &["--secret-id", SECRET_ID, "--secret-key", "-other"],
            ]
            .concat(),
            both,
            1,
        ),
    ] {
        let args = [&["check", "--at", AT], flags, &["-"]].concat();
        let ran = Run {
            args: args.clone(),
            environment,
            stdin: request.clone(),
        }
        .run();
        assert_eq!(ran.code, code, "{args:?} {}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.stderr, "");
    }
}

#[test]
fn a_token_makes_the_key_temporary() {
    let request = QuerySigner::v2().with("Token", TOKEN).sign().raw();
    let args = ["check", "--at", AT, "--secret-id", SECRET_ID];
    let keyed = [&args[..], &["--secret-key", SECRET_KEY]].concat();
    let tokens = [&keyed[..], &["--token", TOKEN, "-"]].concat();
    assert_eq!(run_with(&tokens, &request).code, 0);
    assert_eq!(run_with(&[&keyed[..], &["-"]].concat(), &request).code, 1);
    let environment = vec![
        ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
        ("TENCENTCLOUD_TOKEN", TOKEN),
    ];
    let args = [&args[..], &["-"]].concat();
    let ran = Run {
        args,
        environment,
        stdin: request,
    }
    .run();
    assert_eq!(ran.code, 0);
}

#[test]
fn keys_that_are_not_whole_are_one_line_on_stderr() {
    let nothing = "no key to check with: give --credentials, or --secret-id and --secret-key, or set \
                   TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY";
    let id = ("TENCENTCLOUD_SECRET_ID", SECRET_ID);
    type Pairs = [(&'static str, &'static str)];
    let cases: [(&[&str], &Pairs, &str); 7] = [
        (&[], &[], nothing),
        (
            &[],
            &[
                ("TENCENTCLOUD_SECRET_ID", ""),
                ("TENCENTCLOUD_SECRET_KEY", ""),
            ],
            nothing,
        ),
        (
            &["--secret-id", SECRET_ID],
            &[],
            "a key needs --secret-key or TENCENTCLOUD_SECRET_KEY too",
        ),
        (
            &["--secret-key", SECRET_KEY],
            &[],
            "a key needs --secret-id or TENCENTCLOUD_SECRET_ID too",
        ),
        (
            &[],
            &[id],
            "a key needs --secret-key or TENCENTCLOUD_SECRET_KEY too",
        ),
        (
            &["--secret-id", SECRET_ID, "--secret-key", ""],
            &[],
            "--secret-key must not be empty",
        ),
        (
            &[
                "--secret-id",
                SECRET_ID,
                "--secret-key",
                SECRET_KEY,
                "--public-host",
                "",
            ],
            &[],
            "--public-host: there may be at most 8 public hosts, none of them empty",
        ),
    ];
    for (flags, environment, expected) in cases {
        let ran = Run {
            args: [&["check"], flags, &["-"]].concat(),
            environment: environment.to_vec(),
            stdin: Vec::new(),
        }
        .run();
        assert_eq!(ran.stderr, format!("{expected}\n"));
        assert_eq!(ran.stdout, "");
        assert_eq!(ran.code, 2);
    }
}

#[test]
fn a_mistyped_command_line_repeats_no_secret() {
    for args in [
        &["check", "--secret-kye", SECRET_KEY, "-"][..],
        &["check", &format!("--secret-kye={SECRET_KEY}"), "-"],
        &[
            "check",
            "--secret-key",
            SECRET_KEY,
            "--secret-key",
            SECRET_KEY,
            "-",
        ],
        &["check", "--secret-key", SECRET_KEY],
        &["check", "--token", SECRET_KEY, "--at", "noon", "-"],
    ] {
        let ran = run(args);
        assert_eq!(ran.code, 2);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    let environment = vec![
        ("TENCENTCLOUD_SECRET_ID", SECRET_KEY),
        ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
        ("TENCENTCLOUD_TOKEN", SECRET_KEY),
    ];
    let args = vec!["check", "--help"];
    let ran = Run {
        args,
        environment,
        stdin: Vec::new(),
    }
    .run();
    assert_eq!(ran.code, 0);
}

// Policy.

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

// Credentials files.

/// What is wrong with a credentials file, without the name of the file.
fn fault(name: &str, text: &str) -> String {
    let path = temporary_file(&format!("{name}.toml"), text.as_bytes());
    let path = path.to_str().unwrap();
    let request = QuerySigner::v2().sign().raw();
    let ran = run_with(&["check", "--credentials", path, "--at", AT, "-"], &request);
    assert_eq!(ran.code, 2, "{text}");
    assert_eq!(ran.stdout, "", "{text}");
    assert_eq!(line_count(&ran.stderr), 1, "{}", ran.stderr);
    ran.stderr
        .strip_prefix(&format!("{path}:"))
        .unwrap_or_else(|| panic!("{}", ran.stderr))
        .trim_end()
        .to_owned()
}

#[test]
fn what_is_wrong_with_a_key_is_one_line() {
    const ID: &str = "[[credential]]\nsecret_id = \"AKID1\"\n";
    let key = format!("{ID}secret_key = \"{SECRET_KEY}\"\n");
    let cases: [(String, &str); 27] = [
        (
            "[[credential]]\n".to_owned(),
            "1: credential.secret_id: missing",
        ),
        (
            "\n[[credential]]\nsecret_id = \"\"\n".to_owned(),
            "3: credential.secret_id: expected text that is not empty",
        ),
        (
            ID.to_owned(),
            "1: credential.secret_key: expected one of secret_key, secret_key_env, secret_key_file",
        ),
        (
            format!("{ID}secret_key = \"\"\n"),
            "3: credential.secret_key: expected text that is not empty",
        ),
        (
            format!("{ID}secret_key = 123456\n"),
            "3: credential.secret_key: expected text that is not empty",
        ),
        (
            format!("{ID}secret_key = [\"{SECRET_KEY}\"]\n"),
            "3: credential.secret_key: expected text that is not empty",
        ),
        (
            format!("{ID}secret_key = {SECRET_KEY}\n"),
            "3: not TOML: string values must be quoted, expected literal string",
        ),
        (
            format!("{ID}secret_key = \"{SECRET_KEY}\n"),
            "3: not TOML: invalid basic string, expected `\"`",
        ),
        (
            format!("{key}secret_key = \"{SECRET_KEY}\"\n"),
            "4: not TOML: duplicate key",
        ),
        (
            format!("{key}secret_key_env = \"{SECRET_KEY}\"\n"),
            "1: credential.secret_key: expected only one of secret_key, secret_key_env, secret_key_file",
        ),
        (
            format!("{ID}secret_key_env = \"{SECRET_KEY}\"\n"),
            "3: credential.secret_key_env: expected the name of an environment variable that is set and not empty",
        ),
        (
            format!("{ID}secret_key_file = \"{SECRET_KEY}\"\n"),
            "3: credential.secret_key_file: expected a file that can be read: No such file or directory (os error 2)",
        ),
        (
            format!("{ID}secret_key_file = \"command-empty\"\n"),
            "3: credential.secret_key_file: expected a file that is not empty",
        ),
        (
            format!("{key}secretkey = \"{SECRET_KEY}\"\n"),
            "4: credential.secretkey: unknown field; expected one of secret_id, secret_key, secret_key_env, \
             secret_key_file, token, token_env, token_file, token_expires, account, sub_account, state, mfa",
        ),
        (
            format!("{key}\n{key}"),
            "5: credential.secret_id: expected once; the table on line 1 has the same",
        ),
        (
            format!("{key}token = \"\"\n"),
            "4: credential.token: expected text that is not empty",
        ),
        (
            format!("{key}token = \"t\"\ntoken_file = \"{SECRET_KEY}\"\n"),
            "1: credential.token: expected only one of token, token_env, token_file",
        ),
        (
            format!("{key}token_expires = 1\n"),
            "4: credential.token_expires: expected only with token, token_env or token_file",
        ),
        (
            format!("{key}token = \"t\"\ntoken_expires = \"2026\"\n"),
            "5: credential.token_expires: expected seconds since 1970 or a time such as 2026-01-01T00:00:00Z",
        ),
        (
            format!("{key}token = \"t\"\ntoken_expires = 2026-01-01T00:00:00\n"),
            "5: credential.token_expires: expected seconds since 1970 or a time such as 2026-01-01T00:00:00Z",
        ),
        (
            format!("{key}account = 100000000001\n"),
            "4: credential.account: expected text that is not empty",
        ),
        (
            format!("{key}sub_account = \"\"\n"),
            "4: credential.sub_account: expected text that is not empty",
        ),
        (
            format!("{key}state = \"on\"\n"),
            "4: credential.state: expected \"enabled\" or \"disabled\"",
        ),
        (
            format!("{key}mfa = true\n"),
            "4: credential.mfa: expected \"verified\" or \"unverified\"",
        ),
        (
            "credential = \"x\"\n".to_owned(),
            "1: credential: expected tables [[credential]]",
        ),
        (
            "[credential]\nsecret_id = \"AKID1\"\n".to_owned(),
            "1: credential: expected tables [[credential]]",
        ),
        (
            "[[credentials]]\n".to_owned(),
            "1: credentials: unknown field; expected one of credential, account, action, permissions, rate, quota, \
             nonces, policy, listener, admin, log, connections, redis",
        ),
    ];
    temporary_file("empty", b"\n");
    for (text, expected) in cases {
        assert_eq!(fault("key", &text), expected, "{text}");
    }
}

#[test]
fn what_is_wrong_with_rules_is_one_line() {
    let cases = [
        ("[[account]]\n", "1: account.uin: missing"),
        (
            "[[account]]\nuin = \"1\"\nstate = \"closed\"\n",
            "3: account.state: expected \"active\" or \"banned\"",
        ),
        (
            "[[account]]\nuin = \"1\"\nmfa = \"yes\"\n",
            "3: account.mfa: expected \"demanded\" or \"not-demanded\"",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account]]\nuin = \"1\"\n",
            "3: account.uin: expected once; the table on line 1 has the same",
        ),
        (
            "[[account]]\nuin = \"1\"\nrules = []\n",
            "3: account.rules: unknown field; expected one of uin, state, mfa, rule, sub_account",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.rule]]\nactions = [\"*\"]\n",
            "3: account.rule.effect: missing",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.rule]]\neffect = \"permit\"\n",
            "4: account.rule.effect: expected \"allow\" or \"deny\"",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.rule]]\neffect = \"deny\"\nactions = [\"a\", 1]\n",
            "5: account.rule.actions: expected a list of texts that are not empty, such as [\"a\", \"b\"]",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.rule]]\neffect = \"deny\"\nactions = \"*\"\n",
            "5: account.rule.actions: expected a list of texts that are not empty, such as [\"a\", \"b\"]",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.rule]]\neffect = \"deny\"\nactions = [\"*\"]\n",
            "3: account.rule.resources: missing",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.sub_account]]\n",
            "3: account.sub_account.uin: missing",
        ),
        (
            "[[account]]\nuin = \"1\"\n[[account.sub_account]]\nuin = \"2\"\n[[account.sub_account]]\nuin = \"2\"\n",
            "5: account.sub_account.uin: expected once; the table on line 3 has the same",
        ),
        ("[[action]]\n", "1: action.name: missing"),
        (
            "[[action]]\nname = \"a\"\nstate = \"down\"\n",
            "3: action.state: expected \"available\" or \"unavailable\"",
        ),
        (
            "[[action]]\nname = \"a\"\naudience = []\n",
            "3: action.audience: expected at least one account; without the field the action is for all",
        ),
        (
            "[[action]]\nname = \"a\"\n[[action]]\nname = \"a\"\nservice = \"s\"\n[[action]]\nname = \"a\"\n",
            "6: action.name: expected once; the table on line 1 has the same",
        ),
        ("[permissions]\n", "1: permissions.file: missing"),
        (
            "[permissions]\nfile = \"f\"\n\n[[action]]\nname = \"a\"\n",
            "4: account: expected no [[account]] and [[action]] beside [permissions]",
        ),
        ("[[rate]]\n", "1: rate.limit: missing"),
        (
            "[[rate]]\nlimit = 0\n",
            "2: rate.limit: expected a whole number from 1 to 4294967295",
        ),
        (
            "[[rate]]\nlimit = 1.5\n",
            "2: rate.limit: expected a whole number from 1 to 4294967295",
        ),
        (
            "[[rate]]\nlimit = 1\nper = \"key\"\n",
            "3: rate.per: expected \"account\" or \"principal\"",
        ),
        ("[[quota]]\nlimit = 5\n", "1: quota.period_seconds: missing"),
        (
            "[[quota]]\nlimit = -1\n",
            "2: quota.limit: expected a whole number from 0 to 18446744073709551615",
        ),
        (
            "[nonces]\ntotal = 0\n",
            "2: nonces.total: expected a whole number from 1 to 1073741824",
        ),
        (
            "[nonces]\ntotal = 1\nper_secret_id = 2\n",
            "1: nonces.per_secret_id: the share of one SecretId is larger than the whole nonce store",
        ),
        ("nonces = 1\n", "1: nonces: expected a table [nonces]"),
        (
            "[policy]\nwindow_seconds = 86401\n",
            "2: policy.window_seconds: expected a whole number from 1 to 86400",
        ),
        (
            "[policy]\ntolerance = \"lax\"\n",
            "2: policy.tolerance: expected \"compatible\" or \"strict\"",
        ),
        (
            "[policy]\nhttps = \"never\"\n",
            "2: policy.https: expected \"everywhere\" or \"legacy-only\" or \"insecure-nowhere\"",
        ),
        (
            "[policy]\nreplay_v1 = true\n",
            "2: policy.replay_v1: expected \"off\" or \"secret-id-timestamp-nonce\" or \"secret-id-nonce\"",
        ),
        (
            "[policy]\ninsecure_accept_unsigned = [\"all\"]\n",
            "2: policy.insecure_accept_unsigned: expected a list of \"at-values\" or \"file-parts\" or \"empty-values\"",
        ),
        (
            "[policy]\npublic_hosts = [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]\n",
            "2: policy.public_hosts: expected at most 8 hosts",
        ),
        (
            "[policy]\nservices = []\n",
            "2: policy.services: expected at least one service; without the field the host tells the service",
        ),
        (
            "[policy]\nlanguage = \"en\"\n",
            "2: policy.language: expected \"en-US\" or \"zh-CN\"",
        ),
        (
            "[policy.limits]\nparameters = 1073741825\n",
            "2: policy.limits.parameters: expected a whole number from 1 to 1073741824",
        ),
        (
            "[policy]\nlimit = 1\n",
            "2: policy.limit: unknown field; expected one of window_seconds, tolerance, insecure_accept_unsigned, \
             https, replay_v2, replay_v1, replay_tc3, language, diagnosis, public_hosts, services, limits",
        ),
    ];
    let key = format!("[[credential]]\nsecret_id = \"AKID1\"\nsecret_key = \"{SECRET_KEY}\"\n");
    for (text, expected) in cases {
        assert_eq!(
            fault("rules", &format!("{text}\n{key}")),
            expected,
            "{text}"
        );
    }
}

#[test]
fn a_credentials_file_that_is_not_there_is_one_line() {
    let ran = run(&["check", "--credentials", "no-such.toml", "-"]);
    assert_eq!(
        ran.stderr,
        "no-such.toml: cannot be read: No such file or directory (os error 2)\n"
    );
    assert_eq!(ran.code, 2);
}

#[test]
fn secrets_may_stand_outside_the_file() {
    temporary_file("key.txt", format!("{SECRET_KEY}\r\n").as_bytes());
    let config = format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key_file = \"command-key.txt\"\ntoken_env = \"MY_TOKEN\"\n\
         token_expires = 1767225601\n"
    );
    let config = temporary_file("outside.toml", config.as_bytes());
    let args = [
        "check",
        "--credentials",
        config.to_str().unwrap(),
        "--at",
        AT,
        "-",
    ];
    let ran = Run {
        args: args.to_vec(),
        environment: vec![("MY_TOKEN", TOKEN)],
        stdin: QuerySigner::v2().with("Token", TOKEN).sign().raw(),
    }
    .run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);

    // One line end does not count, a second one does.
    temporary_file("key2.txt", format!("{SECRET_KEY}\n\n").as_bytes());
    let config = format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key_file = \"command-key2.txt\"\n"
    );
    let config = temporary_file("outside2.toml", config.as_bytes());
    let args = [
        "check",
        "--credentials",
        config.to_str().unwrap(),
        "--at",
        AT,
        "-",
    ];
    let ran = run_with(&args, &QuerySigner::v2().sign().raw());
    assert!(
        ran.stdout.contains("(signature-mismatch)"),
        "{}",
        ran.stdout
    );
}

/// A name in quotes may hold a line end, and a fault is one line.
#[test]
fn a_fault_in_a_credentials_file_is_one_line_whatever_a_field_is_called() {
    let file = std::env::temp_dir().join(format!("properties-{}.toml", std::process::id()));
    std::fs::write(&file, "\"a\\nb\" = 1\n").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .args(["check", "--credentials"])
        .arg(&file)
        .arg("examples/requests/v2-get-hmacsha1.http")
        .output()
        .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(":1: a\\nb: unknown field"), "{said}");
}

// The common errors.

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
    assert_row(
        "cli/tests/command/rules-gone.toml",
        &[v2().sign()],
        &[],
        "permission-store-failed",
        "InternalError.CAMInnerError",
    );
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
    // A field that comes twice is judged twice.
    assert_eq!(
        reason(r#"{"InstanceIds":["ins-prod-1"],"InstanceIds":["ins-dev-1"]}"#),
        "resource-denied"
    );
    assert_eq!(reason(r#"{"InstanceIds":[7]}"#), "resource-denied");
    // It names no resource, so it may touch all of them.
    assert_eq!(reason(r#"{"InstanceIds":[null]}"#), "action-denied");
    // Who cannot read it cannot judge it.
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
    let args = [
        "check",
        "--credentials",
        "cli/tests/command/rules-gone.toml",
        "--at",
        AT,
        "-",
    ];
    let request = v2().sign().raw();
    let ran = run_with(&args, &request);
    let cause = "the store did not answer: cli/tests/command/gone.toml: cannot be read: No such file or directory (os \
                 error 2)";
    let words: Vec<&str> = ran.stdout.split_whitespace().collect();
    assert!(words.join(" ").contains(cause), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 1);

    let ran = run_with(&[&args[..], &["--format", "json"]].concat(), &request);
    assert_eq!(ran.stderr, format!("-: {cause}\n"));
    assert!(!ran.objects()[0].to_string().contains("gone.toml"));
}

// The table of codes.

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

// Why a request was refused.

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

/// Signed with a key that nobody knows.
fn unexplained() -> Signed {
    let mut request = v2().sign();
    let signature = test_support::signer::signature(
        test_support::signer::Algorithm::UndeclaredSha1,
        "a key that nobody knows",
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

fn explain(stdin: &[u8], more: &[&str]) -> Ran {
    let mut args = vec!["check", "--credentials", EXAMPLE, "--at", AT, "--explain"];
    args.extend(more);
    args.push("-");
    run_with(&args, stdin)
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
    signer.secret_key = "a key that nobody knows".to_owned();
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

// Signing.

/// Signs at the time of the tests, with their key.
fn sign(args: &[&str]) -> Ran {
    let own = ["sign", "--timestamp", AT];
    Run {
        args: [&own, args].concat(),
        environment: vec![
            ("TENCENTCLOUD_SECRET_ID", SECRET_ID),
            ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
        ],
        ..Run::default()
    }
    .run()
}

const SIGNED: [&[&str]; 13] = [
    &["--dialect", "v2", "--signature", "hmac-sha1"],
    &[
        "--dialect",
        "v2",
        "--signature",
        "hmac-sha256",
        "--param",
        "Name=默认 a+b",
        "--param",
        "ids.0=",
    ],
    &[
        "--dialect",
        "v2",
        "--method",
        "POST",
        "--param",
        "Name=it's",
    ],
    &[
        "--dialect",
        "v2",
        "--version",
        "2017-03-12",
        "--signature",
        "hmac-sha256",
        "--method",
        "POST",
    ],
    &["--version", "2017-03-12", "--signature", "hmac-sha1"],
    &[
        "--version",
        "2017-03-12",
        "--signature",
        "hmac-sha256",
        "--method",
        "POST",
        "--param",
        "a=b=c",
    ],
    &["--version", "2017-03-12"],
    &[
        "--version",
        "2017-03-12",
        "--region",
        "ap-guangzhou",
        "--body",
        r#"{"Name": "it's 默认"}"#,
    ],
    &[
        "--version",
        "2017-03-12",
        "--param",
        "Limit=1",
        "--param",
        "Name=a b",
    ],
    &[
        "--version",
        "2017-03-12",
        "--body",
        "a\nb",
        "--content-type",
        "text/plain",
        "--unsigned-payload",
    ],
    &[
        "--version",
        "2017-03-12",
        "--signed-header",
        "X-TC-Action: DescribeZones",
        "--signed-header",
        "X-A: B c",
    ],
    &[
        "--version",
        "2017-03-12",
        "--body",
        "@cli/tests/command/demo.txt",
        "--content-type",
        "text/plain",
    ],
    &[
        "--version",
        "2017-03-12",
        "--host",
        "relay.example:8443",
        "--service",
        "cvm",
        "--method",
        "POST",
    ],
];

#[test]
fn what_is_signed_is_admitted_however_it_is_printed() {
    for args in SIGNED {
        for output in ["request", "curl", "url"] {
            let args = [args, &["--action", "DescribeZones", "--output", output]].concat();
            let signed = sign(&args);
            let no_url = args.contains(&"POST")
                || !args.iter().any(|arg| arg.starts_with("hmac")) && !args.contains(&"v2");
            if output == "url" && no_url {
                assert_eq!(
                    signed.stderr,
                    "a URL cannot hold a body or the headers of TC3; use --output curl or request\n"
                );
                assert_eq!(signed.code, 2);
                continue;
            }
            assert_eq!((signed.stderr.as_str(), signed.code), ("", 0), "{args:?}");
            let checked = check(signed.stdout.as_bytes());
            assert!(
                checked.stdout.starts_with("✔ admitted  -  DescribeZones  "),
                "{args:?}: {}{}{}",
                signed.stdout,
                checked.stdout,
                checked.stderr
            );
        }
    }
}

#[test]
fn a_signed_request_is_printed_in_three_forms() {
    let v2 = [
        "--dialect",
        "v2",
        "--action",
        "DescribeInstances",
        "--nonce",
        "11886",
        "--region",
        "ap-guangzhou",
    ];
    let url = "https://cvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Region=ap-guangzhou\
               &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600&Nonce=11886\
               &SignatureMethod=HmacSHA1&Signature=";
    let printed = |more: &[&str]| sign(&[&v2, more].concat()).stdout;
    let signature = {
        let mut signer = QuerySigner::v2();
        signer.algorithm = test_support::signer::Algorithm::Sha1;
        let target = signer.sign().target;
        target.split_once("Signature=").unwrap().1.to_owned()
    };
    assert_eq!(printed(&["--output", "url"]), format!("{url}{signature}\n"));
    assert_eq!(printed(&[]), format!("curl '{url}{signature}'\n"));
    let tc3 = [
        "--action",
        "DescribeInstances",
        "--version",
        "2017-03-12",
        "--region",
        "ap-guangzhou",
        "--body",
        "{\"Limit\":1}",
    ];
    let authorization = Tc3Signer::post().sign();
    let authorization = authorization.header("Authorization").unwrap();
    assert_eq!(
        sign(&[&tc3[..], &["--output", "request"]].concat()).stdout,
        format!(
            "POST / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\nContent-Type: application/json\r\n\
             X-TC-Action: DescribeInstances\r\nX-TC-Version: 2017-03-12\r\nX-TC-Timestamp: 1767225600\r\n\
             X-TC-Region: ap-guangzhou\r\nAuthorization: {authorization}\r\nContent-Length: 11\r\n\r\n{{\"Limit\":1}}"
        )
    );
    assert_eq!(
        sign(&tc3).stdout,
        format!(
            "curl https://cvm.tencentcloudapi.com/ -H 'Content-Type: application/json' \
             -H 'X-TC-Action: DescribeInstances' -H 'X-TC-Version: 2017-03-12' -H 'X-TC-Timestamp: 1767225600' \
             -H 'X-TC-Region: ap-guangzhou' -H 'Authorization: {authorization}' --data-raw '{{\"Limit\":1}}'\n"
        )
    );
}

#[test]
fn a_mistake_that_is_made_is_named() {
    for (args, mistake) in [
        (
            &["--dialect", "v2", "--param", "Name=a b"][..],
            "encoded-before-signing",
        ),
        (&["--dialect", "v2"], "secret-key-whitespace"),
        (
            &["--version", "2017-03-12", "--signature", "hmac-sha256"],
            "hex-instead-of-base64",
        ),
        (&["--version", "2017-03-12"], "tc3-crlf"),
        (&["--version", "2017-03-12"], "timestamp-in-milliseconds"),
        (
            &["--version", "2017-03-12", "--body", "{}"],
            "tc3-payload-digest",
        ),
    ] {
        for output in ["request", "curl"] {
            let more = [
                "--action",
                "DescribeZones",
                "--mistake",
                mistake,
                "--output",
                output,
            ];
            let signed = sign(&[args, &more].concat());
            assert_eq!(signed.code, 0, "{}", signed.stderr);
            let object = explain(signed.stdout.as_bytes(), &["--format", "json"])
                .objects()
                .remove(0);
            assert_eq!(object["diagnosis"][0]["id"], mistake);
        }
    }
}

#[test]
fn a_temporary_key_signs_its_token() {
    let config = format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\"\ntoken = \"{TOKEN}\"\n"
    );
    let config = temporary_file("sign-token.toml", config.as_bytes());
    let config = config.to_str().unwrap();
    for args in [&["--dialect", "v2"][..], &["--version", "2017-03-12"]] {
        let signed = sign(&[args, &["--action", "DescribeZones", "--token", TOKEN]].concat());
        let args = ["check", "--credentials", config, "--at", AT, "-"];
        let ran = run_with(&args, signed.stdout.as_bytes());
        assert_eq!(ran.code, 0, "{}", ran.stdout);
    }
}

#[test]
fn what_cannot_be_signed_is_one_line() {
    let v3 = ["--action", "A", "--version", "1"];
    for (args, message) in [
        (
            &["--action", "A"][..],
            "API 3.0 needs --version, such as 2017-03-12 for CVM\n",
        ),
        (
            &["--action", "A", "--dialect", "v2", "--signature", "tc3"],
            "--signature tc3 is of API 3.0: it does not go with --dialect v2\n",
        ),
        (
            &["--action", "A", "--dialect", "v2", "--body", "x"],
            "--body, --signed-header and --unsigned-payload are for TC3; the others sign --param\n",
        ),
        (
            &[&v3[..], &["--body", "@tests/no-such"]].concat(),
            "--body: tests/no-such: cannot be read: No such file or directory (os error 2)\n",
        ),
        (
            &[&v3[..], &["--mistake", "sort-missing"]].concat(),
            "the mistake sort-missing cannot show in this request\n",
        ),
        (
            &[&v3[..], &["--secret-key", ""]].concat(),
            "--secret-id and --secret-key must not be empty\n",
        ),
    ] {
        let ran = sign(args);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", message));
        assert_eq!(ran.code, 2);
    }
    let bytes = temporary_file("bytes.bin", &[0xff, 0xfe]);
    let body = format!("@{}", bytes.to_str().unwrap());
    let ran = sign(&[&v3[..], &["--body", &body]].concat());
    assert_eq!(ran.stderr, "the request is no text; use --output request\n");
    let ran = sign(&[&v3[..], &["--mistake", "no-such"]].concat());
    assert!(ran.stderr.contains("no known mistake"), "{}", ran.stderr);
    assert_eq!(ran.code, 2);
}

// Commands and URLs instead of raw requests.

#[test]
fn a_command_line_of_curl_or_a_url_may_be_checked() {
    let request = QuerySigner::v2().sign();
    let url = format!("https://{}{}", request.host(), request.target);
    assert_admitted(url.as_bytes());
    assert_admitted(format!("\n{url}\n").as_bytes());
    assert_admitted(format!("curl \\\n  -s '{url}' | jq .\n").as_bytes());
    assert_admitted(format!("$ curl --url \"{url}\"").as_bytes());
    for (wrong, message) in [
        ("curl 'https://", "-: a quote is not closed\n"),
        (
            "curl https://h -d @f",
            "-: part of the request is in the file `f`, and files are not read: put its content in the command\n",
        ),
        ("https://", "-: cannot be requested over HTTP: https://\n"),
    ] {
        let ran = check(wrong.as_bytes());
        assert_eq!(ran.stderr, message);
        assert_eq!(ran.code, 2);
    }
}
