//! Faults of a configuration or a command line, each in one line.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use test_support::gateway::{Gateway, MOCK, config, folder};

use crate::scene::faulty;

#[test]
fn what_is_wrong_with_a_listener_is_one_line() {
    let key = "[[credential]]\nsecret_id = \"AKID\"\nsecret_key = \"key\"\n";
    let address = "[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let mock = format!("{address}mode = \"mock\"\n");
    let proxy = format!("{address}mode = \"proxy\"\n");
    let auth = format!("{address}mode = \"forward-auth\"\ntrusted_proxies = [\"127.0.0.1\"]\n");
    for (text, expected) in [
        ("[[listener]]\n".to_owned(), "4: listener.address: missing"),
        (
            "[[listener]]\naddress = \"localhost\"\n".to_owned(),
            "5: listener.address: expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080",
        ),
        (address.to_owned(), "4: listener.mode: missing"),
        (
            format!("{address}mode = \"test\"\n"),
            "6: listener.mode: expected \"mock\" or \"proxy\" or \"forward-auth\"",
        ),
        (
            format!("{mock}upstream = \"http://a\"\n"),
            "7: listener.upstream: unknown field; expected one of address, mode, certificate, key, self_signed, trusted_proxies, preflights, origins",
        ),
        (
            format!("{mock}certificate = \"a\"\n"),
            "4: listener.key: missing",
        ),
        (
            format!("{mock}key = \"a\"\n"),
            "4: listener.certificate: missing",
        ),
        (
            format!("{mock}key = \"a\"\nself_signed = \"b\"\n"),
            "8: listener.self_signed: expected either self_signed or certificate and key",
        ),
        (
            format!("{mock}trusted_proxies = [\"10.0.0.1/8\"]\n"),
            "7: listener.trusted_proxies: expected IP networks: an IP network is the first address of a range, and after a slash its prefix in bits: 10.1.0.0/16, fd00::/8",
        ),
        (
            format!("{mock}self_signed = \"a\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n"),
            "4: listener.trusted_proxies: expected only without certificate, key and self_signed: there the connection itself shows how a request came",
        ),
        (proxy.clone(), "4: listener.upstream: missing"),
        (
            format!("{proxy}upstream = \"ftp://a\"\n"),
            "7: listener.upstream: expected http:// or https:// and a host, without a path: the path of the request is kept",
        ),
        (
            format!("{proxy}upstream = \"http://a/b\"\n"),
            "7: listener.upstream: expected http:// or https:// and a host, without a path: the path of the request is kept",
        ),
        (
            format!("{proxy}upstream = \"http://a:99999\"\n"),
            "7: listener.upstream: expected http:// or https:// and a host, without a path: the path of the request is kept",
        ),
        (
            format!("{proxy}upstream = \"http://user:word@a\"\n"),
            "7: listener.upstream: expected http:// or https:// and a host, without a path: the path of the request is kept",
        ),
        (
            format!("{proxy}upstream = \"http://a\"\nupstream_seconds = 0\n"),
            "8: listener.upstream_seconds: expected a whole number from 1 to 3600",
        ),
        (
            format!("{address}mode = \"forward-auth\"\n"),
            "4: listener.trusted_proxies: missing",
        ),
        (auth.clone(), "4: listener.asked_by: missing"),
        (
            format!("{auth}asked_by = \"apache\"\n"),
            "8: listener.asked_by: expected \"nginx\" or \"traefik\" or \"envoy\"",
        ),
        (
            format!("{auth}asked_by = \"nginx\"\nunseen_bodies = \"pass\"\n"),
            "9: listener.unseen_bodies: expected \"refuse\" or \"insecure-pass-unverified\"",
        ),
        (
            format!("{mock}[admin]\nport = 1\n"),
            "7: admin.address: missing",
        ),
        (
            format!("{mock}[log]\nformat = \"xml\"\n"),
            "8: log.format: expected \"text\" or \"json\"",
        ),
        (
            format!("{mock}[connections]\nhead_bytes = 1\n"),
            "8: connections.head_bytes: expected a whole number from 8192 to 1048576",
        ),
        (
            format!("{mock}[connections]\ntotal = 0\n"),
            "8: connections.total: expected a whole number from 1 to 1000000",
        ),
        (
            format!(
                "{}{}",
                mock.replace(":0", ":8080"),
                mock.replace(":0", ":8080")
            ),
            "7: listener.address: expected an address that no earlier listener has",
        ),
    ] {
        let reported = faulty(Some(&format!("{key}{text}")), &[]);
        assert_eq!(reported, format!("gateway.toml:{expected}"), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_certificate_is_one_line() {
    let folder = folder("certificates");
    let made = folder.join("made");
    let text = config(&format!("{MOCK}self_signed = \"{}\"\n", made.display()));
    drop(Gateway::start(&folder, &text, &[]));
    let (certificate, key) = (made.join("certificate.pem"), made.join("key.pem"));
    let other = folder.join("other");
    let text = config(&format!("{MOCK}self_signed = \"{}\"\n", other.display()));
    drop(Gateway::start(&folder, &text, &[]));
    let wrong_key = other.join("key.pem");
    let missing = folder.join("missing.pem");
    for (certificate, key, expected) in [
        (
            &missing,
            &key,
            format!(
                "{}: cannot be read: No such file or directory (os error 2)",
                missing.display()
            ),
        ),
        (
            &key,
            &key,
            format!(
                "{}: expected a chain of certificates in PEM, that of the server first",
                key.display()
            ),
        ),
        (
            &certificate,
            &certificate,
            format!("{}: expected a private key in PEM", certificate.display()),
        ),
        (
            &certificate,
            &wrong_key,
            format!(
                "{}: expected the key of {}: keys may not be consistent: KeyMismatch",
                wrong_key.display(),
                certificate.display()
            ),
        ),
    ] {
        let text = config(&format!(
            "{MOCK}certificate = \"{}\"\nkey = \"{}\"\n",
            certificate.display(),
            key.display()
        ));
        assert_eq!(faulty(Some(&text), &[]), expected);
    }
}

#[test]
fn what_is_wrong_with_the_command_line_is_one_line() {
    let key = ["--secret-id", "AKID", "--secret-key", "key"];
    let with = |arguments: &[&'static str]| [&key[..], arguments].concat();
    for (config, arguments, expected) in [
        (
            None,
            vec![],
            "no key to check with: give --config with a [[credential]], or --secret-id and --secret-key, or set TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY",
        ),
        (
            None,
            with(&[]),
            "no listener: give --listen, or --config with a [[listener]]",
        ),
        (
            Some(""),
            with(&[]),
            "no listener: give --listen, or --config with a [[listener]]",
        ),
        (
            None,
            with(&["--listen", "127.0.0.1:0", "--upstream", "http://a"]),
            "--upstream: expected with --mode proxy",
        ),
        (
            None,
            with(&["--listen", "192.0.2.1:1", "--insecure-http"]),
            "192.0.2.1:1: cannot be listened on: Cannot assign requested address (os error 99)",
        ),
    ] {
        assert_eq!(faulty(config, &arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_dry_run_opens_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .args([
            "serve",
            "--dry-run",
            "--insecure-http",
            "--listen",
            &address,
            "--secret-id",
            "AKID",
            "--secret-key",
            "key",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn the_example_can_be_used() {
    assert!(!Path::new("../examples/tls").exists());
    let output = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .args(["serve", "--dry-run", "--config", "../examples/gateway.toml"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!Path::new("../examples/tls").exists());
}
