//! Permissions in a file of their own: read with the rest, or not at all.

use test_support::signer::SECRET_KEY;

use crate::run::{AT, run_with, temporary_file, v2};

#[test]
fn what_is_wrong_with_a_permissions_file_is_one_line() {
    let key = format!("[[credential]]\nsecret_id = \"AKID1\"\nsecret_key = \"{SECRET_KEY}\"\n");
    for (permissions, expected) in [
        ("[[account]]\n", "1: account.uin: missing"),
        (
            "\n[[account]]\nuin = \"1\"\n[[account.rule]]\neffect = \"permit\"\n",
            "5: account.rule.effect: expected \"allow\" or \"deny\"",
        ),
        (
            "[[credential]]\n",
            "1: credential: unknown field; expected one of account, action",
        ),
        (
            "uin = x\n",
            "1: not TOML: string values must be quoted, expected literal string",
        ),
    ] {
        let apart = temporary_file("broken-permissions.toml", permissions.as_bytes());
        let text = format!("{key}[permissions]\nfile = \"command-broken-permissions.toml\"\n");
        let file = temporary_file("permissions-apart.toml", text.as_bytes());
        let (file, apart) = (file.display(), apart.display());
        assert_eq!(
            refused(&file.to_string()),
            format!("{file}:5: permissions.file: {apart}:{expected}\n")
        );
    }
    assert_eq!(
        refused("cli/tests/command/rules-gone.toml"),
        "cli/tests/command/rules-gone.toml:8: permissions.file: expected a file that can be read: No such file or \
         directory (os error 2)\n"
    );
}

/// What is said of a credentials file that will not do.
fn refused(file: &str) -> String {
    let request = v2().sign().raw();
    let ran = run_with(&["check", "--credentials", file, "--at", AT, "-"], &request);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    ran.stderr
}
