//! Warnings about secrets that every user of the machine may read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use test_support::gateway::{Gateway, MOCK, SECRET_ID, SECRET_KEY, config, folder};

/// The warnings of a dry run.
fn warnings(arguments: &[&str]) -> String {
    let ran = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .args(["serve", "--dry-run"])
        .args(arguments)
        .env_remove("TENCENTCLOUD_SECRET_ID")
        .env_remove("TENCENTCLOUD_SECRET_KEY")
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(0), "{ran:?}");
    String::from_utf8(ran.stderr).unwrap()
}

fn written(file: &Path, text: &str, mode: u32) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_file_with_a_secret_that_others_may_read_is_one_line() {
    let folder = folder("exposed");
    let (gateway, key) = (folder.join("gateway.toml"), folder.join("key"));
    let line = |file: &Path| {
        format!(
            "warning: {}: every user of this machine may read this secret; expected mode 600 or 640\n",
            file.display()
        )
    };
    let inline = config(MOCK);
    let apart = inline.replace(
        &format!("secret_key = \"{SECRET_KEY}\""),
        "secret_key_file = \"key\"",
    );
    let arguments = ["--config", gateway.to_str().unwrap()];
    for (text, gateway_mode, key_mode, expected) in [
        (&inline, 0o644, 0o600, line(&gateway)),
        (&inline, 0o640, 0o600, String::new()),
        (&apart, 0o644, 0o600, String::new()),
        (&apart, 0o600, 0o644, line(&key)),
    ] {
        written(&gateway, text, gateway_mode);
        written(&key, SECRET_KEY, key_mode);
        assert_eq!(warnings(&arguments), expected);
    }
}

#[test]
fn the_private_key_of_a_listener_is_a_secret() {
    let folder = folder("exposed-tls");
    let text = config(&format!("{MOCK}self_signed = \"made\"\n"));
    // The start makes the key.
    drop(Gateway::start(&folder, &text, &[]));
    let (gateway, key) = (folder.join("gateway.toml"), folder.join("made/key.pem"));
    fs::set_permissions(&gateway, Permissions::from_mode(0o600)).unwrap();
    let arguments = ["--config", gateway.to_str().unwrap()];
    assert_eq!(warnings(&arguments), "");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        warnings(&arguments),
        format!(
            "warning: {}: every user of this machine may read this secret; expected mode 600 or 640\n",
            key.display()
        )
    );
}

#[test]
fn a_key_on_the_command_line_is_one_line() {
    let warned = warnings(&[
        "--listen",
        "127.0.0.1:0",
        "--insecure-http",
        "--secret-id",
        SECRET_ID,
        "--secret-key",
        SECRET_KEY,
    ]);
    assert_eq!(
        warned,
        "warning: --secret-key is visible to every user of this machine in the list of processes; set \
         TENCENTCLOUD_SECRET_KEY or name a file in --config\n"
    );
}
