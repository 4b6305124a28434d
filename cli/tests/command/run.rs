//! Running the command, and the requests that most tests give it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use test_support::signer::{QuerySigner, SECRET_KEY, Signed};

pub(crate) const TOKEN: &str = "dummy-session-token-01234567890abcdef";
pub(crate) const EXAMPLE: &str = "examples/credentials.toml";
pub(crate) const ROWS: &str = "cli/tests/command/rows.toml";
/// The time at which the requests of the reference signer are made.
pub(crate) const AT: &str = "1767225600";

pub(crate) struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// The JSON objects on stdout.
    pub(crate) fn objects(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is an object"))
            .collect()
    }
}

#[derive(Default)]
pub(crate) struct Run<'r> {
    pub args: Vec<&'r str>,
    pub environment: Vec<(&'r str, &'r str)>,
    pub stdin: Vec<u8>,
}

impl Run<'_> {
    pub(crate) fn run(&self) -> Ran {
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

pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}

pub(crate) fn run_with(args: &[&str], stdin: &[u8]) -> Ran {
    Run {
        args: args.to_vec(),
        stdin: stdin.to_vec(),
        ..Run::default()
    }
    .run()
}

/// Checks what is on stdin, with the example credentials.
pub(crate) fn check(stdin: &[u8]) -> Ran {
    run_with(&["check", "--credentials", EXAMPLE, "--at", AT, "-"], stdin)
}

/// The verdicts about requests, all in one file, under a file of `tests/command`.
pub(crate) fn verdicts(credentials: &str, requests: &[Signed], more: &[&str]) -> Vec<Value> {
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
pub(crate) fn v2() -> QuerySigner {
    QuerySigner::v2().with("Version", "2017-03-12")
}

pub(crate) fn v2_as(secret_id: &str, action: &str) -> QuerySigner {
    let mut signer = v2();
    signer.secret_id = secret_id.to_owned();
    signer.params[0].1 = action.to_owned();
    signer
}

pub(crate) fn temporary_file(name: &str, content: &[u8]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("command-{name}"));
    fs::write(&path, content).unwrap();
    path
}

pub(crate) fn line_count(text: &str) -> usize {
    text.lines().count()
}

/// Admitted, whatever its spelling.
pub(crate) fn assert_admitted(request: &[u8]) {
    let ran = check(request);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.ends_with("\n1 admitted, 0 refused\n"),
        "{}",
        ran.stdout
    );
}

pub(crate) fn explain(stdin: &[u8], more: &[&str]) -> Ran {
    let mut args = vec!["check", "--credentials", EXAMPLE, "--at", AT, "--explain"];
    args.extend(more);
    args.push("-");
    run_with(&args, stdin)
}
