//! nginx, with the configuration in `examples/nginx.conf`, asks the gateway about requests and hands those that pass to a
//! service: what the service sees, and what clients read.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use qcloud_validator::testkit::{Request, Signer};

use test_support::gateway::{Gateway, SECRET_ID, SECRET_KEY, eventually, folder, tc3, v2};

#[test]
fn a_signed_get_reaches_the_service_with_the_caller_named() {
    let site = Site::start(TRUSTED);
    for version in ["--http1.1", "--http2"] {
        let request = v2(site.address).parameter("Name", "a b+中文").sign();
        let seen = site.served(version, &request);
        seen.assert_caller(&[
            ("account", "100000000001"),
            ("action", "DescribeInstances"),
            ("scheme", "HmacSHA1"),
            ("secret-id", SECRET_ID),
            ("sub-account", "200000000001"),
            ("uncovered", "body"),
            ("unverified", "false"),
        ]);
        // The target as it was sent: the signature of TC3 covers the spelling.
        let query = "Limit=10&Name=a%20b%2Bc%e4";
        let request = tc3(site.address).get().query(query).sign();
        let seen = site.served(version, &request);
        assert_eq!(seen.request_line, format!("GET /?{query} HTTP/1.0"));
        seen.assert_caller(&[
            ("account", "100000000001"),
            ("action", "DescribeZones"),
            ("scheme", "TC3-HMAC-SHA256"),
            ("secret-id", SECRET_ID),
            ("sub-account", "200000000001"),
            ("uncovered", "body, header x-tc-action, header x-tc-version"),
            ("unverified", "false"),
        ]);
    }
}

#[test]
fn what_a_client_says_about_the_caller_does_not_get_through() {
    let site = Site::start(TRUSTED);
    let forged = [
        "Secret-Id",
        "Account",
        "Sub-Account",
        "Action",
        "Scheme",
        "Uncovered",
        "Request-Id",
        "Unverified",
        "Response",
    ];
    let mut signed = v2(site.address);
    for name in forged {
        signed = signed
            .header(format!("X-Qcloud-Validator-{name}"), "forged")
            .header(
                format!("X_Qcloud_Validator_{}", name.replace('-', "_")),
                "forged",
            );
    }
    // Nor about what is asked: the gateway would judge another request than the service gets.
    let signed = signed
        .header("X-Original-Method", "POST")
        .header("X-Original-URI", "/forged")
        .header("X-Forwarded-Host", "forged.example.com")
        .header("X-Forwarded-Proto", "http");
    let seen = site.served("--http1.1", &signed.sign());
    seen.assert_caller(&[
        ("account", "100000000001"),
        ("action", "DescribeInstances"),
        ("scheme", "HmacSHA1"),
        ("secret-id", SECRET_ID),
        ("sub-account", "200000000001"),
        ("uncovered", "body"),
        ("unverified", "false"),
    ]);
}

#[test]
fn a_refusal_reads_like_the_vendor_s() {
    let site = Site::start(TRUSTED);
    let stranger = Signer::tc3(SECRET_ID, "anotherSecretKeyForTestsOnly01234")
        .host(site.address.to_string())
        .action("DescribeZones")
        .version("2017-03-12")
        .get();
    let answer = site.call(&stranger.sign());
    answer.assert_refused("AuthFailure.SignatureFailure");
    let answer = site.call(&stranger.header("X-TC-Language", "zh-CN").sign());
    answer.assert_refused("AuthFailure.SignatureFailure");
    assert!(answer.body.contains("签名"), "{}", answer.body);

    let once = v2(site.address).sign();
    assert_eq!(site.call(&once).body, SERVED);
    site.service.take();
    site.call(&once).assert_refused("4500 ReplayAttack");

    site.call(&v2(site.address).timestamp(1_767_225_600).sign())
        .assert_refused("4500 ReplayAttack");
    site.call(&v2(site.address).action("StopInstances").sign())
        .assert_refused("4101 AuthFailure");
    site.call(&Request::new("GET", "/").with_header("Host", site.address.to_string()))
        .assert_refused("MissingParameter");
    site.service.assert_untouched();
}

#[test]
fn a_body_that_nginx_does_not_show_is_refused() {
    let site = Site::start(TRUSTED);
    site.call(&tc3(site.address).body("{}").sign())
        .assert_refused("InvalidParameter");
    site.call(&v2(site.address).post().sign())
        .assert_refused("4000 InvalidParameter");
    site.service.assert_untouched();
}

#[test]
fn a_body_that_is_not_signed_goes_through() {
    let site = Site::start(TRUSTED);
    let request = tc3(site.address).unsigned_payload().body("{\"Limit\":1}");
    let seen = site.served("--http1.1", &request.sign());
    assert_eq!(seen.body, "{\"Limit\":1}");
    assert_eq!(
        seen.header("x-qcloud-validator-uncovered"),
        Some("body, header x-tc-action, header x-tc-version")
    );
}

#[test]
fn an_unseen_body_can_be_passed_as_unverified() {
    let site = Site::start(&format!(
        "{TRUSTED}unseen_bodies = \"insecure-pass-unverified\"\n"
    ));
    let signed = tc3(site.address).body("{\"Limit\":1}").sign();
    let forged = signed
        .with_header("X-Qcloud-Validator-Account", "forged")
        .with_header("X-Qcloud-Validator-Unverified", "false");
    let seen = site.served("--http1.1", &forged);
    assert_eq!(seen.body, "{\"Limit\":1}");
    seen.assert_caller(&[
        ("account", "none"),
        ("action", "none"),
        ("scheme", "none"),
        ("secret-id", "none"),
        ("sub-account", "none"),
        ("uncovered", "all"),
        ("unverified", "true"),
    ]);

    // What can be judged is judged as ever.
    site.call(&v2(site.address).timestamp(1_767_225_600).sign())
        .assert_refused("4500 ReplayAttack");
    let answer = site.call(&v2(site.address).sign());
    assert_eq!(answer.body, SERVED);
    assert_eq!(
        site.service.take().header("x-qcloud-validator-unverified"),
        Some("false")
    );
}

#[test]
fn without_the_gateway_nothing_passes() {
    let mut site = Site::start(TRUSTED);
    let request = v2(site.address).sign();
    site.gateway.signal("TERM");
    site.gateway.ended();
    assert_eq!(site.call(&request).status, "500");
    site.service.assert_untouched();
}

#[test]
fn a_403_that_is_no_verdict_is_not_taken_for_one() {
    let site = Site::start("trusted_proxies = [\"192.0.2.1\"]\n");
    assert_eq!(site.call(&v2(site.address).sign()).status, "500");
    site.service.assert_untouched();
}

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1\"]\n";

/// nginx, which asks the gateway and has the service behind it.
struct Site {
    /// Of nginx.
    address: SocketAddr,
    gateway: Gateway,
    service: Service,
    authority: PathBuf,
    _nginx: Nginx,
}

impl Site {
    fn start(asked: &str) -> Self {
        let folder = folder("nginx");
        // A mock as well: it makes the certificate, which nginx shows.
        let config = format!(
            "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\"\n\
             account = \"100000000001\"\nsub_account = \"200000000001\"\n\
             [[account]]\nuin = \"100000000001\"\n\
             [[account.sub_account]]\nuin = \"200000000001\"\n\
             [[account.sub_account.rule]]\neffect = \"allow\"\nactions = [\"Describe*\"]\n\
             resources = [\"*\"]\n\
             [nonces]\nafter_restart = \"insecure-admit\"\n\
             [admin]\naddress = \"127.0.0.1:0\"\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"nginx\"\n\
             {asked}\
             [[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\nself_signed = \"tls\"\n"
        );
        let gateway = Gateway::start(&folder, &config, &[]);
        let service = Service::start();
        let (nginx, address) = Nginx::start(&folder, gateway.address(), service.address);
        Self {
            address,
            gateway,
            service,
            authority: folder.join("tls/ca.pem"),
            _nginx: nginx,
        }
    }

    fn call(&self, request: &Request) -> Answer {
        self.call_over("--http1.1", request)
    }

    /// What the service sees of a request that it answers.
    fn served(&self, version: &str, request: &Request) -> Seen {
        let answer = self.call_over(version, request);
        assert_eq!(
            (answer.status.as_str(), answer.body.as_str()),
            ("200", SERVED)
        );
        self.service.take()
    }

    /// Sends a request with curl, over HTTPS.
    fn call_over(&self, version: &str, request: &Request) -> Answer {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut curl = Command::new("curl");
        curl.args([
            version,
            "--silent",
            "--show-error",
            "--globoff",
            "--path-as-is",
        ])
        .args(["--noproxy", "*", "--max-time", "20", "--cacert"])
        .arg(&self.authority)
        .args(["--write-out", "\n%{http_code} %{content_type}", "--request"])
        .arg(text(request.method()));
        for (name, value) in request.headers() {
            curl.args(["--header", &format!("{name}: {}", text(value))]);
        }
        if !request.body().is_empty() {
            curl.args(["--data-binary", &text(request.body())]);
        }
        let output = curl
            .arg(format!(
                "https://{}{}",
                self.address,
                text(request.target())
            ))
            .output()
            .expect("curl is installed by `bash cli/tests/clients/install.sh`");
        assert!(output.status.success(), "curl: {}", text(&output.stderr));
        let printed = text(&output.stdout);
        let (body, told) = printed.rsplit_once('\n').unwrap();
        let (status, content_type) = told.split_once(' ').unwrap();
        Answer {
            status: status.to_owned(),
            content_type: content_type.to_owned(),
            body: body.to_owned(),
        }
    }
}

struct Answer {
    status: String,
    content_type: String,
    body: String,
}

impl Answer {
    fn assert_refused(&self, code: &str) {
        assert_eq!(
            (self.status.as_str(), self.content_type.as_str()),
            ("200", "application/json"),
            "{}",
            self.body
        );
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        let error = &body["Response"]["Error"]["Code"];
        let told = match error.as_str() {
            Some(code) => code.to_owned(),
            None => format!("{} {}", body["code"], body["codeDesc"].as_str().unwrap()),
        };
        assert_eq!(told, code, "{}", self.body);
    }
}

/// Killed when it is dropped.
struct Nginx(Child);

impl Nginx {
    /// With the example, in which nothing but addresses and paths is replaced.
    fn start(folder: &Path, gateway: SocketAddr, service: SocketAddr) -> (Self, SocketAddr) {
        for _ in 0..5 {
            // Free until somebody else takes it.
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let site = [
                ("listen 443", format!("listen {address}")),
                ("127.0.0.1:8082", gateway.to_string()),
                ("127.0.0.1:9000", service.to_string()),
                (
                    "/etc/ssl/certs/api.example.com.pem",
                    path(folder, "tls/certificate.pem"),
                ),
                (
                    "/etc/ssl/private/api.example.com.key",
                    path(folder, "tls/key.pem"),
                ),
            ];
            let mut example = fs::read_to_string("../examples/nginx.conf").unwrap();
            for (from, to) in site {
                let (comments, server) = example.split_once("server {").unwrap();
                assert_eq!(server.matches(from).count(), 1, "{from}");
                example = format!("{comments}server {{{}", server.replace(from, &to));
            }
            fs::write(folder.join("site.conf"), example).unwrap();
            fs::write(folder.join("nginx.conf"), around(folder)).unwrap();
            let mut nginx = Command::new("nginx")
                .env(
                    "PATH",
                    format!("{}:/usr/sbin", std::env::var("PATH").unwrap()),
                )
                .args(["-p", &path(folder, ""), "-c", &path(folder, "nginx.conf")])
                .args(["-e", &path(folder, "nginx.log")])
                .stderr(Stdio::null())
                .spawn()
                .map(Self)
                .expect("nginx is installed by `bash cli/tests/clients/install.sh`");
            let mut listens = false;
            eventually("nginx starts, or ends", || {
                listens = TcpStream::connect(address).is_ok();
                listens || nginx.0.try_wait().unwrap().is_some()
            });
            if listens {
                return (nginx, address);
            }
            let log = fs::read_to_string(folder.join("nginx.log")).unwrap_or_default();
            assert!(
                log.contains("Address already in use"),
                "nginx did not start: {log}"
            );
        }
        panic!("no port stayed free for nginx");
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().unwrap().to_owned()
}

/// What Debian's `nginx.conf` is to a file in `conf.d`, in one process and without a folder of the system's.
fn around(folder: &Path) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {};\n", path(folder, name)))
        .collect();
    format!(
        "daemon off;\nmaster_process off;\npid {};\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}include {};\n}}\n",
        path(folder, "nginx.pid"),
        path(folder, "site.conf")
    )
}

const SERVED: &str = r#"{"Response":{"RequestId":"from the service"}}"#;

/// A service that answers everything in the same way and remembers what it got.
struct Service {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                stream
                    .set_read_timeout(Some(Duration::from_secs(20)))
                    .unwrap();
                let mut stream = BufReader::new(stream);
                kept.lock().unwrap().push(Seen::read(&mut stream));
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                     Connection: close\r\n\r\n{SERVED}",
                    SERVED.len()
                );
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, seen }
    }

    /// The one request that it has got since.
    fn take(&self) -> Seen {
        let mut seen = self.seen.lock().unwrap();
        assert_eq!(seen.len(), 1, "requests that reached the service");
        seen.remove(0)
    }

    fn assert_untouched(&self) {
        assert_eq!(
            self.seen.lock().unwrap().len(),
            0,
            "requests that reached the service"
        );
    }
}

struct Seen {
    request_line: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    body: String,
}

impl Seen {
    fn read(stream: &mut impl BufRead) -> Self {
        let mut lines = stream.lines().map(Result::unwrap);
        let request_line = lines.next().unwrap();
        let headers: Vec<_> = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(": ").unwrap();
                (name.to_ascii_lowercase(), value.to_owned())
            })
            .collect();
        let mut seen = Self {
            request_line,
            headers,
            body: String::new(),
        };
        let length = seen
            .header("content-length")
            .map_or(0, |value| value.parse().unwrap());
        stream.take(length).read_to_string(&mut seen.body).unwrap();
        seen
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(field, _)| field == name);
        let first = named.next().map(|(_, value)| value.as_str());
        assert_eq!(named.next(), None, "{name} came twice");
        first
    }

    /// Nothing is said about the caller but this, and the id under which the gateway logged the request.
    fn assert_caller(&self, expected: &[(&str, &str)]) {
        let mut told = Vec::new();
        for (name, value) in &self.headers {
            let name = name.replace('_', "-");
            match name.strip_prefix("x-qcloud-validator-") {
                Some("request-id") => assert_eq!(value.len(), 36, "a UUID: {value}"),
                Some(name) => told.push((name.to_owned(), value.as_str())),
                None => {}
            }
        }
        told.sort();
        let told: Vec<(&str, &str)> = told
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        assert_eq!(told, expected);
    }
}
