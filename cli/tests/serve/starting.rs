//! What would fail later is found before anything is opened, by a start and by `--dry-run` alike.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use test_support::gateway::{Gateway, MOCK, call, config, eventually, folder, tc3};

use crate::scene::{faulty, proxy};

/// What a start and a dry run say alike.
fn found(text: &str) -> String {
    let started = faulty(Some(text), &[]);
    assert_eq!(faulty(Some(text), &["--dry-run"]), started);
    started
}

#[test]
fn a_listener_that_would_refuse_everything_is_one_line() {
    let everywhere = |text: &str| text.replace("insecure-nowhere", "everywhere");
    assert_eq!(
        found(&everywhere(&config(MOCK))),
        "listener 127.0.0.1:0: expected a certificate or trusted_proxies: policy.https is \"everywhere\", so that plain \
         HTTP is refused (in a test, --insecure-http admits it)"
    );
    let ran = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .args(["serve", "--listen", "127.0.0.1:0", "--dry-run"])
        .env("TENCENTCLOUD_SECRET_ID", "AKID")
        .env("TENCENTCLOUD_SECRET_KEY", "key")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2), "{ran:?}");

    // A reload to such a policy is none.
    let gateway = Gateway::start(&folder("everywhere"), &config(MOCK), &[]);
    fs::write(&gateway.file, everywhere(&config(MOCK))).unwrap();
    gateway.signal("HUP");
    gateway.logged("not reloaded; everything stays as it was");
    let at = gateway.address();
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
}

#[test]
fn nonces_that_could_not_be_saved_are_one_line() {
    for file in ["missing/nonces", "/proc/nonces"] {
        let text = proxy(
            "http://127.0.0.1:1",
            &format!("[nonces]\nfile = \"{file}\"\n"),
        );
        assert_eq!(
            found(&text),
            format!(
                "nonces.file: {file}: expected a folder in which files can be made: No such file or directory (os error 2)"
            )
        );
    }
    let text = proxy("http://127.0.0.1:1", "[nonces]\nfile = \"/proc\"\n");
    assert_eq!(
        found(&text),
        "nonces.file: /proc: expected a file, not a folder"
    );

    // Nothing is left behind where they can be saved.
    let folder = folder("nonces-probed");
    let text = proxy("http://127.0.0.1:1", "[nonces]\nfile = \"nonces\"\n");
    drop(Gateway::start(&folder, &text, &[]));
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["gateway.toml", "stderr"]);
}

#[test]
fn a_password_in_the_command_line_is_in_no_error() {
    for upstream in [
        "http://user:pass-word@host",
        "http://user:pass word@host",
        "pass-word",
    ] {
        let reported = faulty(
            Some(&config("")),
            &[
                "--listen",
                "127.0.0.1:0",
                "--mode",
                "proxy",
                "--upstream",
                upstream,
            ],
        );
        assert_eq!(
            reported,
            "--upstream: expected http:// or https:// and a host, without a path: the path of the request is kept"
        );
    }
}

#[test]
fn two_listeners_on_any_port_are_told_apart() {
    let gateway = Gateway::start(&folder("two"), &config(&format!("{MOCK}{MOCK}")), &[]);
    let [first, second] = gateway.listeners[..] else {
        panic!("{:?}", gateway.listeners);
    };
    for (at, count) in [(first, 1), (second, 2)] {
        for _ in 0..count {
            assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
        }
    }
    let admitted = |at| {
        gateway.metric(&format!(
            "qcloud_validator_requests_total{{listener=\"{at}\",verdict=\"admitted\",reason=\"\",scheme=\"TC3-HMAC-SHA256\"}}"
        ))
    };
    assert_eq!((admitted(first), admitted(second)), (Some(1.0), Some(2.0)));
    let logged = |at| {
        let listener = format!("\"listener\":\"{at}\"");
        gateway.log().matches(&listener).count()
    };
    eventually("all is logged", || {
        (logged(first), logged(second)) == (1, 2)
    });
}

/// The first process of a container ignores signals that it does not handle.
#[test]
fn a_start_that_waits_for_a_file_can_be_ended() {
    let folder = folder("start-hangs");
    let key = folder.join("key-a");
    fs::write(&key, "first").unwrap();
    let credential = "[[credential]]\nsecret_id = \"AKIDkey-a\"\nsecret_key_file = \"key-a\"\n";
    let file = folder.join("gateway.toml");
    fs::write(&file, config(&format!("{MOCK}{credential}"))).unwrap();
    let _lease = crate::reloading::Lease::on(&key);
    let mut child = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .args(["serve", "--config"])
        .arg(&file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/task", child.id());
    eventually("it reads", || {
        let threads = fs::read_dir(&status).unwrap();
        let names = threads.map(|thread| fs::read_to_string(thread.unwrap().path().join("comm")));
        names.flatten().any(|name| name.trim() == "files")
    });
    let sent = Command::new("kill").arg(child.id().to_string()).status();
    assert!(sent.unwrap().success());
    let mut ended = None;
    eventually("it ends", || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(0));
    let output = BufReader::new(child.stdout.take().unwrap());
    assert_eq!(output.lines().count(), 0);
}
