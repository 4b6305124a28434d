//! The examples that are shipped.

use std::fs;
use std::path::Path;

use crate::run::{EXAMPLE, run, temporary_file};

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
    assert_eq!(ran.stdout, include_str!("demo.txt"));
    assert_eq!(ran.stderr, "");
    assert_eq!(ran.code, 1);
}

#[test]
fn every_setting_in_the_example_may_be_used() {
    // Uncommented, its alternatives apart, the sample must still be a credentials file.
    let sample = include_str!("../../../examples/credentials.toml");
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
