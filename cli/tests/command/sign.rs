//! The subcommand `sign`.

use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY, Tc3Signer};

use crate::run::{AT, Ran, Run, TOKEN, check, explain, run_with, temporary_file};

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
            "--body, --content-type, --service, --signed-header and --unsigned-payload are for TC3; the others sign --param\n",
        ),
        (
            &["--action", "A", "--dialect", "v2", "--param", "Nonce=1"],
            "--param Nonce: `sign` sets it itself; use the option for it\n",
        ),
        (
            &[&v3[..], &["--nonce", "1"]].concat(),
            "--nonce is for the hmac signatures; TC3 has no nonce\n",
        ),
        (
            &[&v3[..], &["--path", "/?x=1"]].concat(),
            "--path: expected a path that begins with / and has no query: use --param\n",
        ),
        (
            &[&v3[..], &["--host", "a.example/x"]].concat(),
            "--host: expected a host name or an IP address, with or without a port, such as api.example.com:8443\n",
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
            "--secret-key must not be empty\n",
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

#[test]
fn what_tc3_would_not_sign_is_refused() {
    let tc3 = ["--action", "DescribeZones", "--version", "2017-03-12"];
    let expected = [
        (
            &["--method", "POST", "--param", "x=1"][..],
            "a TC3 POST does not sign its query: use --body instead of --param\n",
        ),
        (
            &["--body", "{}", "--param", "x=1"],
            "--param and --body exclude each other for TC3: a POST does not sign its query\n",
        ),
        (
            &["--method", "POST", "--body", "{}", "--param", "x=1"],
            "--param and --body exclude each other for TC3: a POST does not sign its query\n",
        ),
        (
            &["--method", "GET", "--body", "{}"],
            "a TC3 GET does not sign its body: use --param, or --method POST\n",
        ),
    ];
    for (args, error) in expected {
        let ran = sign(&[&tc3, args].concat());
        assert_eq!((ran.code, &*ran.stderr), (2, error), "{args:?}");
        assert_eq!(ran.stdout, "");
    }
    for args in [
        &["--param", "x=1"][..],
        &["--body", "{}"],
        &["--method", "POST"],
    ] {
        assert_eq!(sign(&[&tc3, args].concat()).code, 0, "{args:?}");
    }
}

/// What an option says, anyone on the way could change otherwise. TC3 leaves its own headers unsigned, as the vendor's
/// clients do.
#[test]
fn what_an_option_says_is_signed_or_refused() {
    let schemes: [&[&str]; 5] = [
        &["--dialect", "v2", "--nonce", "1"],
        &[
            "--dialect",
            "v2",
            "--signature",
            "hmac-sha256",
            "--nonce",
            "1",
        ],
        &["--version", "1", "--signature", "hmac-sha1", "--nonce", "1"],
        &[
            "--version",
            "1",
            "--signature",
            "hmac-sha256",
            "--nonce",
            "1",
        ],
        &["--version", "1"],
    ];
    let methods: [&[&str]; 3] = [&[], &["--method", "GET"], &["--method", "POST"]];
    let others: [&[&str]; 3] = [&[], &["--param", "a=1"], &["--body", "{}"]];
    let options = [
        ("--param", ["x=1", "x=2"]),
        ("--body", ["1", "2"]),
        ("--content-type", ["text/a", "text/b"]),
        ("--signed-header", ["X-A: 1", "X-A: 2"]),
        ("--host", ["a.example", "b.example"]),
        ("--path", ["/a", "/b"]),
        ("--path", ["/?x=1", "/?x=2"]),
        ("--service", ["cvm", "cbs"]),
        ("--nonce", ["1", "2"]),
    ];
    let signature = |stdout: &str| {
        let (_, rest) = stdout.rsplit_once("Signature=").unwrap();
        let end = rest.find(|letter: char| letter.is_whitespace() || letter == '&');
        rest[..end.unwrap_or(rest.len())].to_owned()
    };
    let mut signed = 0;
    for scheme in schemes {
        for (method, other) in methods
            .iter()
            .flat_map(|method| others.map(|other| (method, other)))
        {
            let begin = ["--action", "A", "--output", "request"];
            let begin = [&begin, scheme, method, other].concat();
            for (option, values) in options {
                if begin.contains(&option) && option != "--param" {
                    continue;
                }
                let [first, second] =
                    values.map(|value| sign(&[&begin[..], &[option, value]].concat()));
                assert_eq!(first.code, second.code, "{begin:?} {option}");
                if first.code == 2 {
                    assert_eq!(first.stdout, "");
                    continue;
                }
                signed += 1;
                let (first, second) = (signature(&first.stdout), signature(&second.stdout));
                assert_ne!(first, second, "{begin:?} {option}");
            }
        }
    }
    assert!(signed > 50, "{signed}");
}

#[test]
fn a_key_is_demanded_in_one_line() {
    let request = ["sign", "--action", "A", "--version", "1"];
    let ran = run_with(&request, b"");
    assert_eq!(
        ran.stderr,
        "no key to sign with: give --secret-id and --secret-key, or set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY\n"
    );
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 2));
}

/// A token of another key would be sent and signed with this one.
#[test]
fn a_token_of_the_environment_belongs_to_the_key_there() {
    let request = [
        "sign",
        "--action",
        "A",
        "--version",
        "1",
        "--output",
        "request",
    ];
    for (key, has_token) in [
        (&[][..], true),
        (&["--secret-id", "b", "--secret-key", "b"], false),
    ] {
        let ran = Run {
            args: [&request, key].concat(),
            environment: vec![
                ("TENCENTCLOUD_SECRET_ID", SECRET_ID),
                ("TENCENTCLOUD_SECRET_KEY", SECRET_KEY),
                ("TENCENTCLOUD_TOKEN", TOKEN),
            ],
            ..Run::default()
        }
        .run();
        assert_eq!(ran.stdout.contains(TOKEN), has_token, "{}", ran.stdout);
        assert_eq!(ran.code, 0);
    }
}
