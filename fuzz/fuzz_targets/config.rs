//! A credentials file is taken as a whole or refused in one line that quotes no secret.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use qcloud_validator_cli::config::toml_table::Fault;
use qcloud_validator_cli::config::validator::{self, Setup};

#[path = "../support.rs"]
mod support;

fuzz_target!(
    init: support::seed_with(seeds()),
    |bytes: &[u8]| {
        let Ok(text) = str::from_utf8(bytes) else {
            return;
        };
        // A path is not the fuzzer's to choose: it might name a device.
        if text.contains("_file") && text.contains(['/', '\\']) {
            return;
        }
        let independent = text.parse::<toml::Table>();
        match setup(text) {
            Ok(setup) => {
                let file = independent.expect("what was taken is TOML");
                let credentials = file.get("credential").and_then(|tables| tables.as_array());
                assert_eq!(setup.credentials.len(), credentials.map_or(0, Vec::len));
                setup.policy.build().expect("every setting was checked");
            }
            Err(fault) => {
                let line = fault.to_string();
                assert!(!line.contains(char::is_control), "{line:?}");
                let number = line.split(':').next().and_then(|number| number.parse().ok());
                let lines = text.split('\n').count();
                assert!(number.is_some_and(|number| (1..=lines).contains(&number)), "{line}");
                let other = setup(&with_other_secrets(text)).err().map(|fault| fault.to_string());
                assert_eq!(other, Some(line), "a fault depends on a secret");
            }
        }
    }
);

fn setup(text: &str) -> Result<Setup, Fault> {
    validator::parse(text, Path::new("/nowhere"))
}

/// The same file with each letter and digit of what stands in quotes after `secret_key` and `token` replaced.
fn with_other_secrets(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(with_other_secret).collect();
    lines.join("\n")
}

fn with_other_secret(line: &str) -> String {
    let Some((name, value)) = line.split_once('=') else {
        return line.to_owned();
    };
    let quoted = value.trim();
    let inner = ['"', '\'']
        .into_iter()
        .find_map(|quote| quoted.strip_prefix(quote)?.strip_suffix(quote));
    match inner {
        Some(inner)
            if ["secret_key", "token"].contains(&name.trim())
                && !inner.contains(['"', '\'', '\\']) =>
        {
            let other = inner.replace(|letter: char| letter.is_ascii_alphanumeric(), "x");
            format!("{name}={}", value.replace(inner, &other))
        }
        _ => line.to_owned(),
    }
}

/// The example with every line that is commented out, and each of its tables alone.
fn seeds() -> impl Iterator<Item = Vec<u8>> {
    let example = include_str!("../../examples/credentials.toml");
    let uncommented: Vec<&str> = example
        .split('\n')
        .map(|line| match line.strip_prefix("# ") {
            Some(setting) if setting.starts_with('[') || setting.contains(" = ") => setting,
            _ => line,
        })
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .collect();
    let mut tables: Vec<String> = Vec::new();
    for line in &uncommented {
        if line.starts_with('[') && !line.contains('.') {
            tables.push(String::new());
        }
        if let Some(table) = tables.last_mut() {
            table.push_str(line);
            table.push('\n');
        }
    }
    tables.push(uncommented.join("\n"));
    tables.into_iter().map(String::into_bytes)
}
