//! Keys on the command line and in the environment.

use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY};

use crate::run::{AT, EXAMPLE, Run, TOKEN, run, run_with};

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
    let cases: [(&[&str], &Pairs, &str); 8] = [
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
            "--public-host: expected a host name or an IP address, with or without a port, such as api.example.com:8443",
        ),
        (
            &[
                "--secret-id",
                SECRET_ID,
                "--secret-key",
                SECRET_KEY,
                "--public-host",
                "http://x/y",
            ],
            &[],
            "--public-host: expected a host name or an IP address, with or without a port, such as api.example.com:8443",
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
