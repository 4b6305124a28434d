//! Several requests and several files in one run.

use serde_json::{Value, json};

use test_support::signer::{QuerySigner, TIMESTAMP};

use crate::run::{AT, EXAMPLE, run, run_with, temporary_file, v2};

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
