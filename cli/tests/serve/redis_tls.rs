//! A Redis behind TLS: certificates, users, and what is said where something is wrong.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use test_support::gateway::{Gateway, MOCK, call, config, eventually, folder, v2};
use test_support::redis_server::{RedisServer, free_port};

use crate::scene::{AT_ONCE, faulty_in};

/// As in the manual.
const RIGHTS: &str = "~qv:* +evalsha +script|load +info +time +get +set +unlink +zadd +zcard +zcount +zrange \
                      +zremrangebyrank +zscore +hgetall +hdel +hincrby +pexpire";

/// A folder with an authority, a certificate for `localhost`, one for a client, and an authority that no one trusts.
struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    fn make() -> Self {
        let folder = folder("redis-tls");
        let authority = authority("authority");
        let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
        write("ca.pem", authority.pem());
        write("other-ca.pem", self::authority("other authority").pem());
        for (name, usage) in [
            ("server", ExtendedKeyUsagePurpose::ServerAuth),
            ("client", ExtendedKeyUsagePurpose::ClientAuth),
        ] {
            let mut certificate = CertificateParams::new(["localhost".to_owned()]).unwrap();
            certificate.distinguished_name = named(name);
            certificate.extended_key_usages = vec![usage];
            let key = KeyPair::generate().unwrap();
            let certificate = certificate.signed_by(&key, &authority).unwrap();
            write(&format!("{name}.pem"), certificate.pem());
            write(&format!("{name}-key.pem"), key.serialize_pem());
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    /// A server that asks its clients for a certificate, or not, with the user of the manual.
    fn server(&self, clients: &str) -> RedisServer {
        let [certificate, key, ca] =
            ["server.pem", "server-key.pem", "ca.pem"].map(|name| self.path(name));
        let server = RedisServer::start_with_tls(&[
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            clients,
        ]);
        let user = format!("ACL SETUSER gateway on >dummy-p@ss {RIGHTS}");
        let words: Vec<&[u8]> = user.split_whitespace().map(str::as_bytes).collect();
        assert_eq!(server.ask(&words), "+OK");
        server
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name = named(name);
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap()
}

fn named(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}

/// The user of the manual, whose password is percent-encoded.
fn url(host: &str, port: u16) -> String {
    format!("rediss://gateway:dummy-p%40ss@{host}:{port}/0")
}

fn start(folder: &Path, redis: &str) -> Gateway {
    Gateway::start(
        folder,
        &config(&format!("{MOCK}{AT_ONCE}[redis]\n{redis}\n")),
        &[],
    )
}

/// What the command says of a set-up in which it does not start.
fn refused(folder: &Path, redis: &str) -> String {
    let text = config(&format!("{MOCK}[redis]\n{redis}\n"));
    let reported = faulty_in(folder, Some(&text), &[]);
    assert!(!reported.contains("dummy"), "{reported}");
    reported
}

/// A request is admitted once, and readiness says that all is well.
fn works(gateway: &Gateway, nonce: u64) {
    let request = v2(gateway.address()).nonce(nonce).sign().to_raw();
    let codes = [(); 2].map(|()| call(gateway.address(), &request).code());
    assert_eq!(codes, ["OK", "4500"]);
    assert_eq!(gateway.page("/readyz").0, 200);
}

#[test]
fn a_server_with_a_certificate_of_its_own_authority_and_a_user_with_the_documented_rights() {
    let certificates = Certificates::make();
    let server = certificates.server("no");
    let url = url("localhost", server.tls_port());
    let gateway = start(
        &certificates.folder,
        &format!("urls = [\"{url}\"]\nca = \"ca.pem\""),
    );
    works(&gateway, 1);
    // A connection is made again by the same rules.
    server.ask(&[b"CLIENT", b"KILL", b"TYPE", b"normal"]);
    eventually("it is ready", || gateway.page("/readyz").0 == 200);
    works(&gateway, 2);
}

#[test]
fn a_server_that_asks_for_a_certificate_is_shown_one() {
    let certificates = Certificates::make();
    let server = certificates.server("yes");
    let folder = &certificates.folder;
    fs::write(
        folder.join("urls"),
        url("localhost", server.tls_port()) + "\n",
    )
    .unwrap();
    let without = "urls_file = \"urls\"\nca = \"ca.pem\"";
    let gateway = start(
        folder,
        &format!("{without}\ncertificate = \"client.pem\"\nkey = \"client-key.pem\""),
    );
    works(&gateway, 1);
    let reported = refused(folder, without);
    assert!(
        reported.starts_with("redis: no connection to Redis at localhost:"),
        "{reported}"
    );
    assert!(reported.contains("ertificate"), "{reported}");
}

#[test]
fn a_server_that_cannot_be_trusted_is_refused_in_one_line() {
    let certificates = Certificates::make();
    let server = certificates.server("no");
    let port = server.tls_port();
    for (host, ca, expected) in [
        ("localhost", "other-ca.pem", "UnknownIssuer"),
        // Its certificate is for another name.
        ("127.0.0.1", "ca.pem", "not valid for name"),
    ] {
        let url = url(host, port);
        let reported = refused(
            &certificates.folder,
            &format!("url = \"{url}\"\nca = \"{ca}\""),
        );
        let begin = format!("redis: no connection to Redis at {host}:{port}: ");
        assert!(
            reported.starts_with(&begin) && reported.contains(expected),
            "{reported}"
        );
    }
    // Nor by the authorities of the system, and never without looking.
    let trusted = format!("url = \"{}\"", url("localhost", port));
    let reported = refused(&certificates.folder, &trusted);
    assert!(reported.contains("UnknownIssuer"), "{reported}");
    let reported = refused(
        &certificates.folder,
        &trusted.replace("/0\"", "/0#insecure\""),
    );
    assert!(
        reported.starts_with("gateway.toml:12: redis.url: expected a URL such as"),
        "{reported}"
    );
}

#[test]
fn what_is_wrong_with_urls_and_certificates_is_one_line() {
    let certificates = Certificates::make();
    fs::write(certificates.folder.join("empty.pem"), "nothing").unwrap();
    let secure = "url = \"rediss://localhost\"";
    for (redis, expected) in [
        (
            "urls = [\"redis://a\", \"redis://b\"]".to_owned(),
            "12: redis.urls: expected one URL: of several servers, as in a cluster, none can be used yet",
        ),
        (
            "urls = []".to_owned(),
            "12: redis.urls: expected one URL: of several servers, as in a cluster, none can be used yet",
        ),
        (
            "url = \"redis://a\"\nurls = [\"redis://b\"]".to_owned(),
            "12: redis.url: expected one of url, url_env, url_file, urls, urls_env, urls_file",
        ),
        (
            "url = \"redis://a\"\nca = \"ca.pem\"".to_owned(),
            "12: redis.url: expected rediss://, since there is a ca, certificate or key",
        ),
        (
            format!("{secure}\ncertificate = \"client.pem\""),
            "12: redis.key: missing",
        ),
        (
            format!("{secure}\nca = \"empty.pem\""),
            "14: redis.ca: expected a file of certificates in PEM",
        ),
        (
            format!("{secure}\ncertificate = \"client.pem\"\nkey = \"client.pem\""),
            "15: redis.key: expected a file with a private key in PEM",
        ),
        (
            format!("{secure}\nca = \"missing.pem\""),
            "14: redis.ca: expected a file of certificates in PEM: No such file or directory (os error 2)",
        ),
    ] {
        let reported = refused(&certificates.folder, &redis);
        assert_eq!(reported, format!("gateway.toml:{expected}"));
    }
}

/// `stunnel4`, which ends TLS for a server that has none, as a Valkey that was built without it.
struct Stunnel(Child);

impl Stunnel {
    fn start(certificates: &Certificates, server: &RedisServer) -> (Self, u16) {
        let port = free_port();
        let text = format!(
            "foreground = yes\npid =\n[redis]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{}\ncert = {}\n\
             key = {}\nCAfile = {}\nverifyChain = yes\n",
            server.port(),
            certificates.path("server.pem"),
            certificates.path("server-key.pem"),
            certificates.path("ca.pem"),
        );
        let file = certificates.folder.join("stunnel.conf");
        fs::write(&file, text).unwrap();
        let child = Command::new("stunnel4")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a command `stunnel4` (Debian: apt-get install stunnel4)");
        for _ in 0..500 {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        (Self(child), port)
    }
}

impl Drop for Stunnel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_behind_stunnel() {
    let certificates = Certificates::make();
    let server = RedisServer::start_valkey();
    let (_stunnel, port) = Stunnel::start(&certificates, &server);
    let gateway = start(
        &certificates.folder,
        &format!(
            "url = \"rediss://localhost:{port}\"\nca = \"ca.pem\"\ncertificate = \"client.pem\"\n\
             key = \"client-key.pem\""
        ),
    );
    works(&gateway, 1);
}
