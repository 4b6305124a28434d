//! The gateway, run as a process and spoken to over sockets: what clients, services and operators see of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use qcloud_validator::diagnose::Hypothesis;
use qcloud_validator::{Clock, SystemClock};
use test_support::gateway::{
    Gateway, MOCK, SECRET_ID, SECRET_KEY, ask, call, config, eventually, folder, read_answer, tc3,
    v2,
};

// ---------------------------------------------------------------------------------------------------------------------
// Mock.

#[test]
fn an_admitted_request_is_answered_in_its_dialect() {
    let gateway = Gateway::start(&folder("mock"), &config(MOCK), &[]);
    let at = gateway.address();

    let answer = call(at, &tc3(at).body("{}").sign().to_raw());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let id = body["Response"]["RequestId"].as_str().unwrap();
    assert_eq!(
        answer.text(),
        format!("{{\"Response\":{{\"RequestId\":\"{id}\"}}}}")
    );
    eventually("its id is logged", || gateway.log().contains(id));

    let answer = call(at, &v2(at).sign().to_raw());
    assert_eq!(
        answer.text(),
        r#"{"code":0,"message":"","codeDesc":"Success"}"#
    );
}

#[test]
fn a_refused_request_is_answered_in_its_dialect() {
    let gateway = Gateway::start(&folder("refused"), &config(MOCK), &[]);
    let at = gateway.address();
    let once = v2(at).sign().to_raw();
    assert_eq!(call(at, &once).code(), "OK");
    assert_eq!(call(at, &once).code(), "4500");
    let stranger = qcloud_validator::testkit::Signer::tc3(SECRET_ID, "another key")
        .host(at.to_string())
        .action("DescribeZones")
        .version("2017-03-12")
        .sign();
    assert_eq!(
        call(at, &stranger.to_raw()).code(),
        "AuthFailure.SignatureFailure"
    );
    assert_eq!(
        call(at, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").code(),
        "MissingParameter"
    );
}

#[test]
fn one_connection_carries_many_requests() {
    let gateway = Gateway::start(&folder("keep-alive"), &config(MOCK), &[]);
    let at = gateway.address();
    let mut stream = TcpStream::connect(at).unwrap();
    for _ in 0..100 {
        assert_eq!(
            ask(&mut stream, &tc3(at).sign().to_raw()).unwrap().code(),
            "OK"
        );
        assert_eq!(
            ask(&mut stream, b"GET /?SecretId=1 HTTP/1.1\r\nHost: a\r\n\r\n")
                .unwrap()
                .code(),
            "MissingParameter"
        );
    }
    let samples = [
        (
            r#"requests_total{listener="AT",verdict="admitted",reason="",scheme="TC3-HMAC-SHA256"}"#,
            100.0,
        ),
        (r#"connections{listener="AT"}"#, 1.0),
    ];
    for (name, value) in samples {
        let name = format!("qcloud_validator_{}", name.replace("AT", "127.0.0.1:0"));
        assert_eq!(gateway.metric(&name), Some(value), "{name}");
    }
}

#[test]
fn the_cause_is_told_where_that_was_asked_for() {
    let gateway = Gateway::start(&folder("explain"), &config(MOCK), &["--explain"]);
    let at = gateway.address();
    let mistaken = tc3(at).with_mistake(Hypothesis::Crlf).sign().unwrap();
    // The policy's six in a minute would not do for a test suite.
    for _ in 0..20 {
        let answer = call(at, &mistaken.to_raw());
        assert_eq!(answer.code(), "AuthFailure.SignatureFailure");
        assert!(answer.text().contains("[tc3-crlf]"), "{}", answer.text());
    }
}

#[test]
fn https_is_served_with_a_certificate_of_its_own_making() {
    let folder = folder("self-signed");
    let listener =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\nself_signed = \"tls\"\n";
    let text = config(listener).replace("insecure-nowhere", "everywhere");
    let gateway = Gateway::start(&folder, &text, &[]);
    let mode = |file: &str| {
        fs::metadata(folder.join("tls").join(file))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("key.pem"), 0o600);
    assert_eq!((mode("certificate.pem"), mode("ca.pem")), (0o644, 0o644));

    let host = format!("localhost:{}", gateway.address().port());
    for version in ["--http1.1", "--http2"] {
        let request = qcloud_validator::testkit::Signer::tc3(SECRET_ID, SECRET_KEY)
            .host(&*host)
            .action("DescribeZones")
            .version("2017-03-12")
            .sign();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", version, "--cacert"])
            .arg(folder.join("tls/ca.pem"))
            .arg("--data-raw")
            .arg(String::from_utf8(request.body().to_vec()).unwrap());
        for (name, value) in request
            .headers()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        {
            curl.arg("--header")
                .arg(format!("{name}: {}", String::from_utf8_lossy(value)));
        }
        let output = curl.arg(format!("https://{host}/")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.starts_with("{\"Response\":{\"RequestId\":"),
            "{version}: {text} {output:?}"
        );
    }
    drop(gateway);

    // Started again, it shows the same certificate.
    let before = fs::read(folder.join("tls/certificate.pem")).unwrap();
    drop(Gateway::start(&folder, &text, &[]));
    assert_eq!(
        fs::read(folder.join("tls/certificate.pem")).unwrap(),
        before
    );
}

#[test]
fn what_came_in_the_clear_is_refused_by_default() {
    let text = config(MOCK).replace("insecure-nowhere", "everywhere");
    let gateway = Gateway::start(&folder("clear"), &text, &[]);
    gateway.logged("everything will be refused here: it is in the clear, without trusted_proxies, and policy.https is \
                    \\\"everywhere\\\" (in a test, --insecure-http helps)");
    let at = gateway.address();
    assert_eq!(call(at, &v2(at).sign().to_raw()).code(), "4600");
}

#[test]
fn a_trusted_proxy_is_believed_and_nobody_else() {
    let listener =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\ntrusted_proxies = [\"PROXY\"]\n";
    let text = config(listener).replace("insecure-nowhere", "everywhere");
    for (proxy, code) in [("127.0.0.1", "OK"), ("127.0.0.2", "4600")] {
        let gateway = Gateway::start(&folder("trusted"), &text.replace("PROXY", proxy), &[]);
        let at = gateway.address();
        let request = v2("203.0.113.9:443".parse().unwrap())
            .sign()
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", "203.0.113.9:443");
        assert_eq!(call(at, &request.to_raw()).code(), code, "{proxy}");
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Proxy.

/// A service that answers with what it was shown, and its address.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                while let Some(shown) = read_request(&mut stream) {
                    let head = format!(
                        "HTTP/1.1 201 Created\r\nX-From: upstream\r\nContent-Length: {}\r\n\r\n",
                        shown.len()
                    );
                    stream
                        .write_all(&[head.as_bytes(), &shown].concat())
                        .unwrap();
                }
            });
        }
    });
    address
}

/// A request as it came, with its whole body.
fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        shown.push(byte[0]);
    }
    let head = String::from_utf8(shown.clone())
        .unwrap()
        .to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if let Some(length) = length {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        shown.extend_from_slice(&body);
    } else if head.contains("transfer-encoding: chunked") {
        while !shown.ends_with(b"\r\n0\r\n\r\n") {
            if stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            shown.push(byte[0]);
        }
    }
    Some(shown)
}

/// Requests are dated in the second in which the gateway starts, and are to be admitted all the same.
const AT_ONCE: &str = "[nonces]\nafter_restart = \"insecure-admit\"\n";

fn proxy(upstream: &str, more: &str) -> String {
    let listener = "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"proxy\"\n";
    config(&format!("{listener}upstream = \"{upstream}\"\n{more}"))
}

#[test]
fn the_service_is_shown_the_request_and_its_caller() {
    let text = proxy(&format!("http://{}", echo()), AT_ONCE);
    let gateway = Gateway::start(&folder("proxy"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at)
        .body("{\"Limit\":1}")
        .header("X-Qcloud-Validator-Account", "1")
        .header("X_Qcloud_Validator_Account", "2")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-For", "203.0.113.1")
        .header("X-Forwarded-Host", "other.example")
        .header("Forwarded", "for=203.0.113.1")
        .header("Connection", "X-TC-Region, X-Mine, Authorization")
        .header("X-TC-Region", "ap-guangzhou")
        .header("X-Mine", "1")
        .header("X-Kept", "1")
        .sign();
    let answer = call(at, &request.to_raw());
    assert_eq!(
        (answer.status, answer.header("x-from")),
        (201, Some("upstream"))
    );
    let shown = answer.text();
    let (head, body) = shown.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "{\"Limit\":1}");
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST / HTTP/1.1");
    let has = |line: &str| lines.iter().any(|other| other.eq_ignore_ascii_case(line));
    for line in [
        format!("host: {at}"),
        "x-tc-region: ap-guangzhou".to_owned(),
        "x-kept: 1".to_owned(),
        "x-forwarded-proto: http".to_owned(),
        "x-forwarded-for: 127.0.0.1".to_owned(),
        format!("x-qcloud-validator-secret-id: {SECRET_ID}"),
        "x-qcloud-validator-account: 100000000001".to_owned(),
        "x-qcloud-validator-action: DescribeZones".to_owned(),
        "x-qcloud-validator-scheme: TC3-HMAC-SHA256".to_owned(),
        "x-qcloud-validator-uncovered: header x-tc-action, header x-tc-version, header x-tc-region"
            .to_owned(),
    ] {
        assert!(has(&line), "{line} is not in {head}");
    }
    let lower = head.to_ascii_lowercase();
    assert!(
        lower.contains("\r\nauthorization: tc3-hmac-sha256"),
        "{head}"
    );
    for absent in [
        "x-mine",
        "\r\nconnection",
        "x_qcloud",
        "account: 1\r",
        "account: 2\r",
        "203.0.113.1",
        "other.example",
    ] {
        assert!(!lower.contains(absent), "{absent} is in {head}");
    }
}

#[test]
fn a_proxy_in_front_tells_the_service_who_came_to_it() {
    let more = format!("trusted_proxies = [\"127.0.0.1\"]\n{AT_ONCE}");
    let text = proxy(&format!("http://{}", echo()), &more);
    let gateway = Gateway::start(&folder("chain"), &text, &[]);
    let request = v2("203.0.113.9:443".parse().unwrap())
        .sign()
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Host", "203.0.113.9:443")
        .with_header("X-Forwarded-For", "198.51.100.7");
    let shown = call(gateway.address(), &request.to_raw()).text();
    for line in [
        "x-forwarded-for: 198.51.100.7\r\nx-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: https\r\n",
        "x-forwarded-host: 203.0.113.9:443\r\n",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn an_unsigned_body_may_not_be_longer_than_another() {
    let limits = "[policy.limits]\nbody_bytes = 1000\nform_bytes = 1000\n";
    let text = proxy(&format!("http://{}", echo()), limits);
    let gateway = Gateway::start(&folder("long-stream"), &text, &[]);
    let at = gateway.address();
    let request = |length: usize| tc3(at).unsigned_payload().body(vec![b'a'; length]).sign();
    assert_eq!(call(at, &request(1_000).to_raw()).status, 201);
    let answer = call(at, &request(1_001).to_raw());
    assert_eq!(answer.code(), "RequestSizeLimitExceeded");

    // Its length is not announced.
    let announced = String::from_utf8(request(1_001).to_raw()).unwrap();
    let (head, body) = announced.split_once("\r\n\r\n").unwrap();
    let head = head.replace("Content-Length: 1001", "Transfer-Encoding: chunked");
    let chunked = format!("{head}\r\n\r\n3e9\r\n{body}\r\n0\r\n\r\n");
    assert_eq!(call(at, chunked.as_bytes()).code(), "InternalError");
}

#[test]
fn what_is_refused_never_reaches_the_service() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = proxy(&format!("http://{}", listener.local_addr().unwrap()), "");
    let gateway = Gateway::start(&folder("not-reached"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at).sign().with_body("{\"Limit\":2}");
    assert_eq!(
        call(at, &request.to_raw()).code(),
        "AuthFailure.SignatureFailure"
    );
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
}

/// The client goes away, or has nothing more to send, before its body is whole.
#[test]
fn a_body_that_is_cut_short_reaches_nobody_and_uses_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Gateway::start(&folder("cut-short"), &proxy(&service, AT_ONCE), &[]);
    let at = gateway.address();
    let whole = v2(at).post().sign().to_raw();
    for missing in [1, 20] {
        for how in [Shutdown::Write, Shutdown::Both] {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.write_all(&whole[..whole.len() - missing]).unwrap();
            stream.shutdown(how).unwrap();
            let answer = read_answer(&mut stream);
            assert!(answer.is_err() || answer.unwrap().code() != "OK");
        }
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
    drop(listener);
    // Refused for the service alone, which is gone: the nonce was unused until now, and is used from here on.
    assert_eq!(call(at, &whole).code(), "6000");
    assert_eq!(call(at, &whole).code(), "4500");
}

#[test]
fn a_dead_or_slow_service_is_told_in_the_dialect() {
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gateway = Gateway::start(
        &folder("dead"),
        &proxy(&format!("http://{dead}"), AT_ONCE),
        &[],
    );
    let at = gateway.address();
    let answer = call(at, &tc3(at).sign().to_raw());
    assert_eq!(
        (answer.status, answer.code()),
        (200, "InternalError".to_owned())
    );
    assert_eq!(call(at, &v2(at).sign().to_raw()).code(), "6000");
    assert_eq!(
        gateway.metric("qcloud_validator_upstream_failures_total"),
        Some(2.0)
    );

    // It accepts and says nothing.
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = slow.local_addr().unwrap();
    let text = proxy(&format!("http://{address}"), "upstream_seconds = 1\n");
    let gateway = Gateway::start(&folder("slow"), &text, &[]);
    let at = gateway.address();
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "InternalError");
    gateway.logged("the upstream failed");
}

#[test]
fn a_body_that_is_not_signed_goes_through_as_it_comes() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = proxy(&format!("http://{}", upstream.local_addr().unwrap()), "");
    let gateway = Gateway::start(&folder("stream"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at)
        .unsigned_payload()
        .body("first, second")
        .sign()
        .to_raw();
    let middle = request.len() - "second".len();
    let mut client = TcpStream::connect(at).unwrap();
    client.write_all(&request[..middle]).unwrap();
    let (mut service, _) = upstream.accept().unwrap();
    let mut shown = Vec::new();
    // The first half is there although the client has not sent the second.
    while !shown.ends_with(b"first, ") {
        let mut piece = [0; 1024];
        let length = service.read(&mut piece).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&piece[..length]);
    }
    client.write_all(&request[middle..]).unwrap();
    let mut rest = [0; 6];
    service.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"second");
    service
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .unwrap();
    assert_eq!(read_answer(&mut client).unwrap().status, 204);
}

// ---------------------------------------------------------------------------------------------------------------------
// Forward-auth.

fn forward_auth(asked_by: &str, more: &str) -> String {
    config(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"{asked_by}\"\n\
         trusted_proxies = [\"127.0.0.1\"]\n{more}"
    ))
}

#[test]
fn each_kind_of_proxy_names_the_request_in_its_own_way() {
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    for (asked_by, method, target) in [
        ("nginx", "X-Original-Method", "X-Original-URI"),
        ("traefik", "X-Forwarded-Method", "X-Forwarded-Uri"),
        ("envoy", "", ""),
    ] {
        let gateway = Gateway::start(&folder("asked"), &forward_auth(asked_by, AT_ONCE), &[]);
        let at = gateway.address();
        let question = |signed: qcloud_validator::testkit::Request| {
            let signed = signed
                .with_header("X-Forwarded-Proto", "https")
                .with_header("X-Forwarded-Host", host.to_string());
            if asked_by == "envoy" {
                return signed.to_raw();
            }
            let original = (signed.method().to_vec(), signed.target().to_vec());
            signed
                .with_header(method, original.0)
                .with_header(target, original.1)
                .with_method("GET")
                .with_target("/auth")
                .to_raw()
        };
        let answer = call(at, &question(v2(host).sign()));
        assert_eq!(answer.status, 200, "{asked_by}: {}", answer.text());
        assert_eq!(
            answer.header("x-qcloud-validator-account"),
            Some("100000000001")
        );
        assert_eq!(
            answer.header("x-qcloud-validator-action"),
            Some("DescribeInstances")
        );

        // What only its body could verify.
        let answer = call(at, &question(tc3(host).sign().with_body("")));
        assert_eq!(
            (answer.status, answer.code()),
            (403, "InvalidParameter".to_owned()),
            "{asked_by}"
        );
        let told = answer.header("x-qcloud-validator-response").unwrap();
        assert_eq!(told, answer.text());

        // A header of another kind of proxy is the client's own.
        let foreign = match asked_by {
            "nginx" => "X-Forwarded-Uri",
            _ => "X-Original-URI",
        };
        let signed = v2(host).sign();
        let forged = signed
            .clone()
            .with_target("/?Action=Other")
            .with_header(foreign, signed.target());
        assert_eq!(call(at, &question(forged)).status, 403, "{asked_by}");
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Operating.

/// Sends requests over four connections until it is told to stop; how many were admitted, and what else came.
struct Load {
    stop: Arc<AtomicBool>,
    admitted: Arc<AtomicUsize>,
    threads: Vec<thread::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(at: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let admitted = Arc::new(AtomicUsize::new(0));
        let threads = (0..4)
            .map(|_| {
                let (stop, admitted) = (Arc::clone(&stop), Arc::clone(&admitted));
                thread::spawn(move || {
                    let mut others = Vec::new();
                    let mut stream = TcpStream::connect(at).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        match ask(&mut stream, &v2(at).sign().to_raw()) {
                            Ok(answer) if answer.code() == "OK" => {
                                admitted.fetch_add(1, Ordering::Relaxed);
                            }
                            Ok(answer) => others.push(answer.text()),
                            Err(error) => {
                                others.push(error.to_string());
                                break;
                            }
                        }
                    }
                    others
                })
            })
            .collect();
        Self {
            stop,
            admitted,
            threads,
        }
    }

    fn goes_on(&self) {
        let before = self.admitted.load(Ordering::Relaxed);
        eventually("requests are admitted", || {
            self.admitted.load(Ordering::Relaxed) > before + 20
        });
    }

    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.threads.into_iter();
        ended.flat_map(|thread| thread.join().unwrap()).collect()
    }
}

#[test]
fn a_reload_drops_no_request_and_forgets_no_nonce() {
    let gateway = Gateway::start(&folder("reload"), &config(MOCK), &[]);
    let at = gateway.address();
    let used = v2(at).sign().to_raw();
    assert_eq!(call(at, &used).code(), "OK");
    let load = Load::start(at);
    load.goes_on();
    for (key, first, second) in [("key-b", "OK", "4104"), ("key-c", "4104", "OK")] {
        let more = format!("[[credential]]\nsecret_id = \"AKID{key}\"\nsecret_key = \"{key}\"\n");
        fs::write(&gateway.file, config(&format!("{MOCK}{more}"))).unwrap();
        let reloads = gateway
            .metric("qcloud_validator_reloads_total{outcome=\"done\"}")
            .unwrap();
        gateway.signal("HUP");
        eventually("it reloads", || {
            gateway.metric("qcloud_validator_reloads_total{outcome=\"done\"}")
                == Some(reloads + 1.0)
        });
        load.goes_on();
        for (id, code) in [("key-b", first), ("key-c", second)] {
            let request = qcloud_validator::testkit::Signer::v2(format!("AKID{id}"), id)
                .host(at.to_string())
                .action("DescribeInstances")
                .sign();
            assert_eq!(call(at, &request.to_raw()).code(), code, "{key} {id}");
        }
        assert_eq!(call(at, &used).code(), "4500");
    }
    assert_eq!(load.end(), Vec::<String>::new());
}

#[test]
fn a_reload_that_fails_changes_nothing() {
    let tls = "self_signed = \"tls\"\n";
    let before = config(&format!("{MOCK}{tls}{MOCK}"));
    let folder = folder("bad-reload");
    let gateway = Gateway::start(&folder, &before, &[]);
    let at = gateway.listeners[1];
    let other_key = before.replace(SECRET_KEY, "another");
    let mut failures = 0.0;
    for (text, wrong) in [
        ("[".to_owned(), "not TOML"),
        (
            other_key.replace("[admin]", "[admins]"),
            "admins: unknown field",
        ),
        (
            other_key.replace("[policy]", "[policy]\nwindow_seconds = 60"),
            "policy.window_seconds: expected 300 as at the start",
        ),
        (
            other_key.clone() + "[nonces]\ntotal = 5\n",
            "nonces: expected as at the start; restart to change them",
        ),
        (
            other_key.clone() + MOCK,
            "listeners, admin, log, connections and redis: expected as at the start",
        ),
    ] {
        fs::write(&gateway.file, &text).unwrap();
        gateway.signal("HUP");
        failures += 1.0;
        eventually("it fails to reload", || {
            gateway.metric("qcloud_validator_reloads_total{outcome=\"failed\"}") == Some(failures)
        });
        eventually(wrong, || gateway.log().contains(wrong));
        assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
    }
    // A certificate that cannot be read keeps the new key out too.
    fs::remove_file(folder.join("tls/ca.pem")).unwrap();
    fs::write(&gateway.file, &other_key).unwrap();
    gateway.signal("HUP");
    gateway.logged("not reloaded; everything stays as it was");
    eventually("it fails to reload", || {
        gateway.log().contains("expected all of certificate.pem")
    });
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
}

#[test]
fn a_new_certificate_is_shown_after_a_reload() {
    let folder = folder("certificate");
    let text = config(&format!("{MOCK}self_signed = \"tls\"\n"));
    let gateway = Gateway::start(&folder, &text, &[]);
    let trusted = |authority: &str| {
        let output = Command::new("curl")
            .args(["--silent", "--cacert"])
            .arg(folder.join(authority))
            .arg(format!("https://localhost:{}/", gateway.address().port()))
            .output();
        output.unwrap().status.success()
    };
    fs::rename(folder.join("tls"), folder.join("old")).unwrap();
    assert!(trusted("old/ca.pem"));
    gateway.signal("HUP");
    gateway.logged("reloaded");
    assert!(trusted("tls/ca.pem"));
    assert!(!trusted("old/ca.pem"));
}

#[test]
fn what_has_begun_is_answered_before_it_stops() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = proxy(&format!("http://{}", upstream.local_addr().unwrap()), "");
    let mut gateway = Gateway::start(&folder("stop"), &text, &[]);
    let at = gateway.address();
    let mut idle = TcpStream::connect(at).unwrap();
    let mut client = TcpStream::connect(at).unwrap();
    client.write_all(&tc3(at).sign().to_raw()).unwrap();
    let (mut service, _) = upstream.accept().unwrap();
    read_request(&mut service).unwrap();
    assert_eq!(gateway.page("/readyz"), (200, "ready\n".to_owned()));

    gateway.signal("TERM");
    gateway.logged("stopping");
    assert_eq!(gateway.page("/readyz"), (503, "stopping\n".to_owned()));
    assert_eq!(gateway.page("/healthz"), (200, "alive\n".to_owned()));
    eventually("nobody is let in", || TcpStream::connect(at).is_err());
    service
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")
        .unwrap();
    let answer = read_answer(&mut client).unwrap();
    assert_eq!(answer.text(), "done");
    assert_eq!(idle.read(&mut [0]).unwrap(), 0);
    assert!(gateway.ended().success());
    eventually("it is logged", || {
        gateway.log().contains("\"message\":\"stopped\"")
    });
}

#[test]
fn used_nonces_outlive_a_restart() {
    let folder = folder("nonces");
    let text = proxy(
        &format!("http://{}", echo()),
        "[nonces]\nfile = \"nonces\"\n",
    );
    let mut gateway = Gateway::start(&folder, &text, &[]);
    let host = gateway.address();
    // Dated ahead, so that it is not refused for its date after the first start.
    let now = SystemClock.now().seconds();
    let used = v2(host).timestamp(now + 60).sign().to_raw();
    let unused = v2(host).timestamp(now - 60).sign().to_raw();
    assert_eq!(call(gateway.address(), &used).status, 201);
    assert_eq!(call(gateway.address(), &unused).code(), "4500");
    gateway.signal("TERM");
    assert!(gateway.ended().success());
    let mode = fs::metadata(folder.join("nonces"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let gateway = Gateway::start(&folder, &text, &[]);
    assert!(!folder.join("nonces").exists());
    assert_eq!(call(gateway.address(), &used).code(), "4500");
    drop(gateway);

    // After a crash there is no file, and what is dated before the start is refused.
    let gateway = Gateway::start(&folder, &text, &[]);
    assert_eq!(call(gateway.address(), &unused).code(), "4500");
    eventually("it is logged", || {
        gateway.log().contains("nonce-before-memory")
    });
    drop(gateway);

    fs::write(folder.join("nonces"), b"damaged").unwrap();
    let told = faulty(
        Some(&text.replace("\"nonces\"", &format!("{:?}", folder.join("nonces")))),
        &[],
    );
    assert!(told.starts_with("nonces.file: "), "{told}");
    assert_eq!(fs::read(folder.join("nonces")).unwrap(), b"damaged");
}

#[test]
fn what_is_dated_before_the_start_may_be_admitted_by_name() {
    for (text, status) in [
        (proxy(&format!("http://{}", echo()), AT_ONCE), 201),
        // Nothing is at stake.
        (config(MOCK), 200),
    ] {
        let gateway = Gateway::start(&folder("insecure"), &text, &[]);
        let at = gateway.address();
        let dated = v2(at).timestamp(SystemClock.now().seconds() - 60).sign();
        let answer = call(at, &dated.to_raw());
        assert_eq!(
            (answer.status, answer.text().contains("4500")),
            (status, false)
        );
    }
}

#[test]
fn a_second_signal_stops_it_at_once() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = proxy(&format!("http://{}", upstream.local_addr().unwrap()), "");
    let mut gateway = Gateway::start(&folder("stop-at-once"), &text, &[]);
    let at = gateway.address();
    let mut client = TcpStream::connect(at).unwrap();
    client.write_all(&tc3(at).sign().to_raw()).unwrap();
    let (_service, _) = upstream.accept().unwrap();
    gateway.signal("TERM");
    gateway.logged("stopping");
    gateway.signal("INT");
    assert!(gateway.ended().success());
    eventually("it is logged", || gateway.log().contains("stopped at once"));
}

#[test]
fn slow_and_idle_clients_are_sent_away() {
    let limits = "[connections]\nhead_seconds = 1\nidle_seconds = 1\nbody_seconds = 1\n";
    let gateway = Gateway::start(
        &folder("slow-clients"),
        &config(&format!("{MOCK}{limits}")),
        &[],
    );
    let at = gateway.address();
    let closed = |mut stream: TcpStream| {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        let mut rest = Vec::new();
        // Whether it ends in order or is cut off.
        let _ = stream.read_to_end(&mut rest);
        String::from_utf8_lossy(&rest).into_owned()
    };
    let silent = TcpStream::connect(at).unwrap();
    let mut half_a_head = TcpStream::connect(at).unwrap();
    half_a_head.write_all(b"GET / HTTP/1.1\r\nHost: a").unwrap();
    let mut after_one = TcpStream::connect(at).unwrap();
    assert_eq!(
        ask(&mut after_one, &tc3(at).sign().to_raw())
            .unwrap()
            .code(),
        "OK"
    );
    let mut half_a_body = TcpStream::connect(at).unwrap();
    let whole = tc3(at).body("0123456789").sign().to_raw();
    half_a_body.write_all(&whole[..whole.len() - 5]).unwrap();

    assert_eq!(closed(silent), "");
    assert_eq!(closed(half_a_head), "");
    assert_eq!(closed(after_one), "");
    let told = closed(half_a_body);
    assert!(told.contains("\"Code\":\"InvalidParameter\""), "{told}");
    eventually("it is logged", || {
        gateway.log().contains("the body did not come in time")
    });
}

#[test]
fn two_thousand_idle_and_slow_clients_do_not_stop_it() {
    let gateway = Gateway::start(&folder("crowd"), &config(MOCK), &[]);
    let at = gateway.address();
    let crowd: Vec<TcpStream> = (0..2_000)
        .map(|number| {
            let mut stream = TcpStream::connect(at).unwrap();
            if number % 2 == 0 {
                stream.write_all(b"POST / HTTP/1.1\r\nHost:").unwrap();
            }
            stream
        })
        .collect();
    let connections = r#"qcloud_validator_connections{listener="127.0.0.1:0"}"#;
    eventually("all are there", || {
        gateway.metric(connections) == Some(2_000.0)
    });
    for _ in 0..100 {
        assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
    }
    drop(crowd);
    eventually("all are gone", || gateway.metric(connections) == Some(0.0));
}

#[test]
fn what_is_too_long_is_refused() {
    let limits = "[connections]\nhead_bytes = 8192\n[policy.limits]\nbody_bytes = 100\n";
    let gateway = Gateway::start(
        &folder("too-long"),
        &config(&format!("{MOCK}{limits}")),
        &[],
    );
    let at = gateway.address();
    let answer = call(at, &tc3(at).body(vec![b'a'; 101]).sign().to_raw());
    assert_eq!(answer.code(), "RequestSizeLimitExceeded");
    let long = tc3(at).header("X-Long", "a".repeat(9_000)).sign().to_raw();
    assert_eq!(call(at, &long).status, 431);
}

#[test]
fn more_connections_than_allowed_wait_their_turn() {
    let limits = "[connections]\ntotal = 2\n";
    let gateway = Gateway::start(&folder("turns"), &config(&format!("{MOCK}{limits}")), &[]);
    let at = gateway.address();
    let mut open: Vec<TcpStream> = (0..2).map(|_| TcpStream::connect(at).unwrap()).collect();
    for stream in &mut open {
        assert_eq!(ask(stream, &tc3(at).sign().to_raw()).unwrap().code(), "OK");
    }
    let (answered, answers) = mpsc::channel();
    thread::spawn(move || {
        answered
            .send(call(at, &tc3(at).sign().to_raw()).code())
            .unwrap();
    });
    assert!(answers.recv_timeout(Duration::from_millis(200)).is_err());
    open.pop();
    assert_eq!(answers.recv_timeout(Duration::from_secs(20)).unwrap(), "OK");
}

/// A pipe holds 64 KiB of the log, which is 200 requests.
#[test]
fn a_log_that_nobody_reads_holds_no_request_up() {
    let gateway = Gateway::start(&folder("unread"), &config(MOCK), &[]);
    let requests = 1_000;
    let mut stream = TcpStream::connect(gateway.address()).unwrap();
    let unread = gateway.unread();
    for _ in 0..requests {
        let request = tc3(gateway.address()).sign().to_raw();
        assert_eq!(ask(&mut stream, &request).unwrap().code(), "OK");
    }
    drop(unread);
    eventually("all is logged", || {
        gateway.log().matches("\"verdict\":\"admitted\"").count() == requests
    });
    let dropped = gateway.metric("qcloud_validator_log_lines_dropped_total");
    assert_eq!(dropped, Some(0.0));
}

#[test]
fn no_secret_is_in_the_log_or_the_metrics() {
    let gateway = Gateway::start(&folder("secrets"), &config(MOCK), &["--explain"]);
    let at = gateway.address();
    let token = "a-session-token-0123456789";
    let swapped = qcloud_validator::testkit::Signer::v2(SECRET_KEY, SECRET_ID)
        .host(at.to_string())
        .action("A")
        .sign();
    let requests = [
        v2(at).sign(),
        tc3(at).token(token).sign(),
        v2(at).token(token).sign(),
        tc3(at).sign().with_body("other"),
        swapped,
    ];
    let mut secrets = vec![SECRET_KEY.to_owned(), token.to_owned()];
    for request in &requests {
        let answer = call(at, &request.to_raw());
        assert_eq!(answer.status, 200);
        let raw = String::from_utf8(request.to_raw()).unwrap();
        let (_, signature) = raw.split_once("Signature=").unwrap();
        let (signature, _) = signature.split_once(['&', ' ', '\r']).unwrap();
        let pieces = signature.split(|letter: char| !letter.is_ascii_alphanumeric());
        secrets.push(pieces.max_by_key(|piece| piece.len()).unwrap().to_owned());
    }
    eventually("all is logged", || {
        gateway.log().matches("\"message\":\"request\"").count() == requests.len()
    });
    let (_, metrics) = gateway.page("/metrics");
    let all = gateway.log() + &metrics;
    for secret in secrets {
        assert!(
            secret.len() > 5 && !all.contains(&secret),
            "{secret} is in {all}"
        );
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// What is wrong with a configuration.

fn faulty(config: Option<&str>, arguments: &[&str]) -> String {
    let folder = folder("faulty");
    let mut command = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"));
    command.arg("serve").args(arguments).env_clear();
    if let Some(text) = config {
        fs::write(folder.join("gateway.toml"), text).unwrap();
        command.args(["--config", "gateway.toml"]);
    }
    let output = command.current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    text.trim_end().to_owned()
}

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
            "7: listener.upstream: unknown field; expected one of address, mode, certificate, key, self_signed, trusted_proxies",
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
            "4: listener.trusted_proxies: expected only without certificate, key and self_signed: there the connection itself tells",
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
            "7: listener.address: expected an address of its own; an earlier listener has the same",
        ),
    ] {
        let told = faulty(Some(&format!("{key}{text}")), &[]);
        assert_eq!(told, format!("gateway.toml:{expected}"), "{text}");
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
            with(&["--listen", "192.0.2.1:1"]),
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

// ---------------------------------------------------------------------------------------------------------------------
// What could be judged otherwise than it is used.

/// A service that takes four seconds for the body of its answer is not cut off by an idle time of one second.
#[test]
fn an_answer_that_takes_longer_than_the_idle_time_arrives_whole() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = config(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"proxy\"\nupstream = \"http://{}\"\n[connections]\nidle_seconds = 1\nhead_seconds = 1\n",
        upstream.local_addr().unwrap()
    ));
    let gateway = Gateway::start(&folder("long-answer"), &text, &[]);
    let at = gateway.address();
    thread::spawn(move || {
        let (mut service, _) = upstream.accept().unwrap();
        let mut head = [0; 4096];
        let _ = service.read(&mut head).unwrap();
        service
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            .unwrap();
        for _ in 0..8 {
            thread::sleep(Duration::from_millis(500));
            let _ = service.write_all(b"x");
        }
    });
    let mut client = TcpStream::connect(at).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    client.write_all(&tc3(at).sign().to_raw()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.ends_with(b"xxxxxxxx") {
        let length = client.read(&mut piece).unwrap();
        assert_ne!(length, 0, "cut off: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..length]);
    }
}

/// What stands behind `#` goes to the service, so it is judged too, or the question refused.
#[test]
fn a_target_with_a_fragment_is_not_judged_without_it() {
    for (asked_by, method, target) in [
        ("nginx", "X-Original-Method", "X-Original-URI"),
        ("traefik", "X-Forwarded-Method", "X-Forwarded-Uri"),
    ] {
        let text = config(&format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"{asked_by}\"\n\
             trusted_proxies = [\"127.0.0.1\"]\n[nonces]\nafter_restart = \"insecure-admit\"\n"
        ));
        let gateway = Gateway::start(&folder("fragment"), &text, &[]);
        let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
        let signed = v2(host).sign();
        let mut original = signed.target().to_vec();
        original.extend_from_slice(b"#&InstanceIds.0=ins-1");
        let question = signed
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", host.to_string())
            .with_header(method, "GET")
            .with_header(target, original)
            .with_target("/auth");
        let answer = call(gateway.address(), &question.to_raw());
        assert_ne!(answer.status, 200, "{asked_by}");
    }
}

/// The header of another kind of proxy is the client's own.
#[test]
fn a_client_cannot_tell_that_its_body_was_cut_off() {
    let text = config(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"traefik\"\nbodies = \"forwarded\"\n\
         unseen_bodies = \"insecure-pass-unverified\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
    );
    let gateway = Gateway::start(&folder("partial"), &text, &[]);
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    let forged = v2(host).post().sign();
    let mut body = forged.body().to_vec();
    body.extend_from_slice(b"&InstanceIds.0=ins-1");
    let question = forged
        .with_body(body)
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Host", host.to_string())
        .with_header("X-Forwarded-Method", "POST")
        .with_header("X-Forwarded-Uri", "/v2/index.php")
        .with_header("X-Envoy-Auth-Partial-Body", "true")
        .with_target("/auth");
    assert_eq!(call(gateway.address(), &question.to_raw()).status, 403);
}

/// It is compared at each of its values, and would take the square of its length.
#[test]
fn a_json_field_with_a_name_without_end_is_refused() {
    let text = config(&format!(
        "{MOCK}[[action]]\nname = \"DescribeZones\"\nresources = [\"InstanceIds.*\"]\n[[account]]\nuin = \"100000000001\"\n\
         [[account.rule]]\neffect = \"deny\"\nactions = [\"*\"]\nresources = [\"ins-prod-*\"]\n"
    ));
    let gateway = Gateway::start(&folder("long-names"), &text, &[]);
    let at = gateway.address();
    let code = |body: String| call(at, &tc3(at).body(body).sign().to_raw()).code();
    let inner = "k".repeat(1021);
    assert_eq!(code(format!("{{\"{inner}\":[1,2]}}")), "OK");
    assert_eq!(code(format!("{{\"{inner}kk\":[1,2]}}")), "InternalError");
    assert_eq!(
        code(format!("{{\"a\":{{\"{inner}kk\":1}},\"b\":1}}")),
        "InternalError"
    );
    assert_eq!(
        code("{\"a\":{\"InstanceIds\":[1]},\"InstanceIds\":[\"ins-1\"]}".to_owned()),
        "OK"
    );
    assert_ne!(
        code("{\"a\":1,\"InstanceIds\":[\"ins-1\",\"ins-prod-1\"]}".to_owned()),
        "OK"
    );
}

/// One connection may have many of them, and each may hold a whole body.
#[test]
fn requests_of_one_http2_connection_count_like_connections() {
    let text = config(&format!(
        "{MOCK}[connections]\ntotal = 1\nbody_seconds = 1\n"
    ));
    let gateway = Gateway::start(&folder("streams"), &text, &[]);
    let frame = |kind: u8, flags: u8, stream: u8, payload: &[u8]| {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [0, length[0], length[1], kind, flags, 0, 0, 0, stream];
        [&head[..], payload].concat()
    };
    let fields = || -> Vec<u8> {
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "cvm.tencentcloudapi.com"),
            (":path", "/"),
            ("x-tc-action", "DescribeZones"),
        ]
        .iter()
        .flat_map(|(name, value)| {
            let length = |text: &str| u8::try_from(text.len()).unwrap();
            // A literal without indexing, with a new name (RFC 7541 §6.2.2).
            let name = [&[0, length(name)], name.as_bytes()].concat();
            let value = [&[length(value)], value.as_bytes()].concat();
            [name, value].concat()
        })
        .collect()
    };
    let mut client = TcpStream::connect(gateway.address()).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let sent = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(4, 0, 0, &[]),
        // Two whose bodies never come.
        frame(1, 4, 1, &fields()),
        frame(1, 4, 3, &fields()),
    ];
    let began = SystemClock.now().nanos();
    client.write_all(&sent.concat()).unwrap();
    let mut answered = Vec::new();
    while answered.len() < 2 {
        let mut head = [0; 9];
        client.read_exact(&mut head).unwrap();
        let length = usize::from(u16::from_be_bytes([head[1], head[2]]));
        client.read_exact(&mut vec![0; length]).unwrap();
        if head[3] == 1 {
            answered.push(head[8]);
        }
    }
    answered.sort_unstable();
    assert_eq!(answered, [1, 3]);
    // Each waits a second for its body; the other one cannot have waited in the same second.
    assert!(SystemClock.now().nanos() - began >= 2_000_000_000);
}
