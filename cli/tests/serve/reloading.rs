//! Files that change while the gateway serves.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use qcloud_validator::testkit::Signer;
use test_support::gateway::{Gateway, MOCK, call, config, eventually, folder, tc3};

const DONE: &str = "qcloud_validator_reloads_total{outcome=\"done\"}";
const FAILED: &str = "qcloud_validator_reloads_total{outcome=\"failed\"}";
const IN_PROGRESS: &str = "qcloud_validator_reload_in_progress";

/// A configuration that is looked at each second.
fn watched(text: &str) -> String {
    format!("reload_seconds = 1\n{}", config(text))
}

/// A file is there complete or not at all.
fn replace(file: &Path, text: &str) {
    let partial = file.with_extension("new");
    fs::write(&partial, text).unwrap();
    fs::rename(partial, file).unwrap();
}

/// What a request under this key is answered.
fn code(at: SocketAddr, secret_id: &str, secret_key: &str) -> String {
    let signer = Signer::tc3(secret_id, secret_key);
    let request = signer
        .host(at.to_string())
        .action("DescribeZones")
        .version("2017-03-12")
        .sign();
    call(at, &request.to_raw()).code()
}

fn credential(name: &str) -> String {
    format!("[[credential]]\nsecret_id = \"AKID{name}\"\nsecret_key_file = \"{name}\"\n")
}

#[test]
fn what_the_configuration_names_counts_soon_after_it_has_changed() {
    let folder = folder("watched");
    fs::write(folder.join("key-a"), "first").unwrap();
    fs::write(folder.join("permissions.toml"), "").unwrap();
    let permissions = "[permissions]\nfile = \"permissions.toml\"\n";
    let text = watched(&format!("{MOCK}{permissions}{}", credential("key-a")));
    let gateway = Gateway::start(&folder, &text, &[]);
    let at = gateway.address();
    assert_eq!(code(at, "AKIDkey-a", "first"), "OK");

    replace(&folder.join("key-a"), "second");
    eventually("the secret is the second", || {
        code(at, "AKIDkey-a", "second") == "OK"
    });
    assert_eq!(
        code(at, "AKIDkey-a", "first"),
        "AuthFailure.SignatureFailure"
    );

    let banned = "[[account]]\nuin = \"default\"\nstate = \"banned\"\n";
    replace(&folder.join("permissions.toml"), banned);
    eventually("the account is banned", || {
        code(at, "AKIDkey-a", "second") == "UnauthorizedOperation"
    });
    replace(&folder.join("permissions.toml"), "");
    eventually("it is not banned", || {
        code(at, "AKIDkey-a", "second") == "OK"
    });

    fs::write(folder.join("key-b"), "third").unwrap();
    replace(&gateway.file, &format!("{text}{}", credential("key-b")));
    eventually("there is another key", || {
        code(at, "AKIDkey-b", "third") == "OK"
    });
    assert_eq!(gateway.metric(FAILED), Some(0.0));
    // Nothing is read again because nothing has changed.
    assert_eq!(gateway.metric(DONE), Some(4.0));
}

/// A folder of files that are all replaced at once, by one link to another folder.
#[test]
fn files_behind_a_link_that_is_swapped_change_together() {
    let folder = folder("swapped");
    let generation = |name: &str, key: &str| {
        let generation = folder.join(name);
        fs::create_dir(&generation).unwrap();
        fs::write(generation.join("key-a"), key).unwrap();
        let permissions = format!("[[account]]\nuin = \"{key}\"\n");
        fs::write(generation.join("permissions.toml"), permissions).unwrap();
    };
    generation("..1", "first");
    symlink("..1", folder.join("..data")).unwrap();
    for file in ["key-a", "permissions.toml"] {
        symlink(Path::new("..data").join(file), folder.join(file)).unwrap();
    }
    let permissions = "[permissions]\nfile = \"permissions.toml\"\n";
    let text = watched(&format!("{MOCK}{permissions}{}", credential("key-a")));
    let gateway = Gateway::start(&folder, &text, &[]);
    let at = gateway.address();
    assert_eq!(code(at, "AKIDkey-a", "first"), "OK");

    generation("..2", "second");
    symlink("..2", folder.join("..data_tmp")).unwrap();
    fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    fs::remove_dir_all(folder.join("..1")).unwrap();
    eventually("the secret is the second", || {
        code(at, "AKIDkey-a", "second") == "OK"
    });
    assert_eq!(gateway.metric(FAILED), Some(0.0));
    assert_eq!(gateway.metric(DONE), Some(1.0));
}

#[test]
fn a_certificate_that_is_renewed_is_shown_without_a_signal() {
    let folder = folder("renewed");
    let tls = |name: &str| format!("{MOCK}self_signed = \"{name}\"\n");
    drop(Gateway::start(&folder, &config(&tls("renewal")), &[]));
    let gateway = Gateway::start(&folder, &watched(&tls("tls")), &[]);
    let trusted = |authority: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--cacert"])
            .arg(folder.join(authority))
            .arg(format!("https://localhost:{}/", gateway.address().port()))
            .output();
        output.unwrap().status.success()
    };
    assert!(trusted("tls/ca.pem"));
    // One after the other: meanwhile key and certificate do not belong together.
    for file in ["certificate.pem", "key.pem"] {
        fs::rename(
            folder.join("renewal").join(file),
            folder.join("tls").join(file),
        )
        .unwrap();
    }
    eventually("the other one is shown", || trusted("renewal/ca.pem"));
    assert!(!trusted("tls/ca.pem"));
}

#[test]
fn a_change_that_will_not_do_is_told_once_and_changes_nothing() {
    let folder = folder("watched-broken");
    let rules = folder.join("permissions.toml");
    fs::write(&rules, "[[account]]\nuin = \"100000000001\"\n").unwrap();
    let permissions = "[permissions]\nfile = \"permissions.toml\"\n";
    let text = watched(&format!("{MOCK}{permissions}"));
    let gateway = Gateway::start(&folder, &text, &[]);
    let at = gateway.address();
    let ok = || assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");

    replace(&rules, "[[account]]\nstate = \"banned\"\n");
    eventually("it fails to reload", || gateway.metric(FAILED) == Some(1.0));
    let wrong = format!(
        "{}:14: permissions.file: {}:1: account.uin: missing",
        gateway.file.display(),
        rules.display()
    );
    gateway.logged("not reloaded; everything stays as it was");
    assert!(gateway.log().contains(&wrong), "{}", gateway.log());
    ok();
    // It is looked at again and again, and read again when it has changed again.
    fs::remove_file(&rules).unwrap();
    eventually("it fails to reload", || gateway.metric(FAILED) == Some(2.0));
    ok();
    replace(&rules, "");
    eventually("it reloads", || gateway.metric(DONE) == Some(1.0));
    assert_eq!(gateway.metric(FAILED), Some(2.0));
}

/// A process that holds a file so that no one can open it, as a file server does that has gone away: a lease.
pub(crate) struct Lease(Child);

impl Lease {
    pub(crate) fn on(file: &Path) -> Self {
        const SCRIPT: &str = r#"$SIG{IO} = "IGNORE"; open(my $file, "+<", $ARGV[0]) or die; fcntl($file, 1024, 1) or die;
            $| = 1; print "held\n"; <STDIN>"#;
        let mut holder = Command::new("perl")
            .args(["-e", SCRIPT])
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut held = [0; 5];
        let output = holder.stdout.as_mut().unwrap();
        std::io::Read::read_exact(output, &mut held).unwrap();
        Self(holder)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_a_key_that_can_be_held(folder: &Path) -> (Gateway, PathBuf) {
    let key = folder.join("key-a");
    fs::write(&key, "first").unwrap();
    let text = format!(
        "{}[connections]\ndrain_seconds = 1\n",
        config(&format!("{MOCK}{}", credential("key-a")))
    );
    (Gateway::start(folder, &text, &[]), key)
}

#[test]
fn a_file_that_hangs_holds_up_nothing_but_its_reload() {
    let (mut gateway, key) = with_a_key_that_can_be_held(&folder("hangs"));
    let at = gateway.address();
    assert_eq!(gateway.metric(IN_PROGRESS), Some(0.0));
    fs::write(&key, "second").unwrap();
    let lease = Lease::on(&key);
    gateway.signal("HUP");
    eventually("it reloads", || gateway.metric(IN_PROGRESS) == Some(1.0));
    gateway.logged("a reload waits for this file; everything stays as it was until then");
    let file = format!("\"file\":\"{}\"", key.display());
    assert!(gateway.log().contains(&file), "{}", gateway.log());
    for _ in 0..100 {
        assert_eq!(code(at, "AKIDkey-a", "first"), "OK");
    }
    assert_eq!(gateway.page("/readyz").0, 200);

    drop(lease);
    eventually("it has reloaded", || gateway.metric(DONE) == Some(1.0));
    assert_eq!(gateway.metric(IN_PROGRESS), Some(0.0));
    assert_eq!(code(at, "AKIDkey-a", "second"), "OK");

    let _lease = Lease::on(&key);
    gateway.signal("HUP");
    eventually("it reloads", || gateway.metric(IN_PROGRESS) == Some(1.0));
    gateway.signal("TERM");
    assert!(gateway.ended().success());
    gateway.logged("stopped");
}

/// The bytes of a pipe are gone when they have been read.
#[test]
fn only_regular_files_are_read() {
    let folder = folder("pipe");
    let made = Command::new("mkfifo").arg(folder.join("key-a")).status();
    assert!(made.unwrap().success());
    let file = folder.join("gateway.toml");
    fs::write(&file, config(&format!("{MOCK}{}", credential("key-a")))).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
        .args(["serve", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "{}:14: credential.secret_key_file: expected a file that can be read: it is not a regular file\n",
            file.display()
        )
    );

    // One that takes the place of a regular file does not hold up a reload either.
    let (gateway, key) = with_a_key_that_can_be_held(&test_support::gateway::folder("pipe-later"));
    fs::rename(folder.join("key-a"), &key).unwrap();
    gateway.signal("HUP");
    eventually("it fails to reload", || gateway.metric(FAILED) == Some(1.0));
    assert_eq!(code(gateway.address(), "AKIDkey-a", "first"), "OK");
}

#[test]
fn reloads_that_were_asked_for_during_one_are_one() {
    let (gateway, key) = with_a_key_that_can_be_held(&folder("asked-again"));
    let lease = Lease::on(&key);
    gateway.signal("HUP");
    eventually("it reloads", || gateway.metric(IN_PROGRESS) == Some(1.0));
    for _ in 0..5 {
        gateway.signal("HUP");
    }
    drop(lease);
    eventually("it has reloaded", || gateway.metric(DONE) == Some(2.0));
}
