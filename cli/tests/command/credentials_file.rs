//! Credentials files and their faults.

use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY};

use crate::run::{AT, Run, TOKEN, line_count, run, run_with, temporary_file};

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
    let cases: [(String, &str); 29] = [
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
            format!("{key}sub_account = \"none\"\n"),
            "4: credential.sub_account: expected printable ASCII without blanks, and not `none`",
        ),
        (
            format!("{key}account = \"1\\n2\"\n"),
            "4: credential.account: expected printable ASCII without blanks, and not `none`",
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
             nonces, policy, reload_seconds, listener, admin, log, connections, redis",
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
            "[policy]\npublic_hosts = [\"api.example.com\", \"http://x/y\"]\n",
            "2: policy.public_hosts: expected a host name or an IP address, with or without a port, such as api.example.com:8443",
        ),
        (
            "[policy]\nservices = []\n",
            "2: policy.services: expected at least one service; without the field the host names the service",
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
