//! Published clients, unchanged and at pinned versions, call a gateway over real sockets: their callers learn the exact
//! code of a refusal. `tests/clients/README.md` says how they are driven.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use test_support::gateway::{Gateway, folder};

#[test]
fn clients_for_python() {
    test(Driver::Python);
}

#[test]
fn clients_for_node() {
    test(Driver::Node);
}

#[test]
fn client_for_rust() {
    test(Driver::Rust);
}

#[test]
fn curl_and_openssl() {
    test(Driver::Shell);
}

/// Each with every way to sign, method and key that it knows.
const CLIENTS: &[Client] = &[
    Client {
        driver: Driver::Python,
        name: "tencentcloud-sdk-python",
        scheme: "http",
        signings: &["HmacSHA1", "HmacSHA256", "TC3-HMAC-SHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "TencentCloudSDKException",
    },
    Client {
        driver: Driver::Python,
        name: "tencentcloud-sdk-python",
        scheme: "https",
        signings: &["TC3-HMAC-SHA256"],
        methods: &["POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "TencentCloudSDKException",
    },
    Client {
        driver: Driver::Python,
        name: "qcloudapi-sdk-python",
        scheme: "https",
        signings: &["HmacSHA1", "HmacSHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V2Numeric,
        success_from: "answer",
        refusal_from: "answer",
    },
    Client {
        driver: Driver::Python,
        name: "qcloudapi-sdk-python",
        scheme: "https",
        signings: &["HmacSHA1+Version", "HmacSHA256+Version"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V2,
        success_from: "answer",
        refusal_from: "answer",
    },
    Client {
        driver: Driver::Python,
        name: "kumori",
        scheme: "http",
        signings: &["HmacSHA1"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "ApiError",
    },
    Client {
        driver: Driver::Python,
        name: "ddns",
        scheme: "http",
        signings: &["TC3-HMAC-SHA256"],
        methods: &["POST"],
        keys: &[Key::Permanent],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "log",
    },
    Client {
        driver: Driver::Node,
        name: "tencentcloud-sdk-nodejs",
        scheme: "http",
        signings: &["HmacSHA1", "HmacSHA256", "TC3-HMAC-SHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "TencentCloudSDKHttpException",
    },
    Client {
        driver: Driver::Node,
        name: "tencentcloud-sdk-nodejs",
        scheme: "https",
        signings: &["TC3-HMAC-SHA256"],
        methods: &["POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "TencentCloudSDKHttpException",
    },
    Client {
        driver: Driver::Node,
        name: "qcloudapi-sdk",
        scheme: "http",
        signings: &["HmacSHA1", "HmacSHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V2Numeric,
        success_from: "answer",
        refusal_from: "answer",
    },
    Client {
        driver: Driver::Node,
        name: "qcloudapi-sdk",
        scheme: "http",
        signings: &["HmacSHA1+Version", "HmacSHA256+Version"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V2,
        success_from: "answer",
        refusal_from: "answer",
    },
    Client {
        driver: Driver::Rust,
        name: "tencent-sdk",
        scheme: "http",
        signings: &["TC3-HMAC-SHA256"],
        methods: &["POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V3,
        success_from: "",
        refusal_from: "Error::Auth",
    },
    Client {
        driver: Driver::Shell,
        name: "curl",
        scheme: "http",
        signings: &["HmacSHA1", "HmacSHA256", "TC3-HMAC-SHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V3,
        success_from: "HTTP/1.1",
        refusal_from: "HTTP/1.1",
    },
    Client {
        driver: Driver::Shell,
        name: "curl",
        scheme: "https",
        signings: &["TC3-HMAC-SHA256"],
        methods: &["POST"],
        keys: &[Key::Permanent],
        dialect: Dialect::V3,
        success_from: "HTTP/1.1",
        refusal_from: "HTTP/1.1",
    },
    Client {
        driver: Driver::Shell,
        name: "curl-http2",
        scheme: "https",
        signings: &["HmacSHA1", "TC3-HMAC-SHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent],
        dialect: Dialect::V3,
        success_from: "HTTP/2",
        refusal_from: "HTTP/2",
    },
    Client {
        driver: Driver::Shell,
        name: "curl-v2",
        scheme: "http",
        signings: &["HmacSHA1", "HmacSHA256"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V2Numeric,
        success_from: "HTTP/1.1",
        refusal_from: "HTTP/1.1",
    },
    Client {
        driver: Driver::Shell,
        name: "curl-v2",
        scheme: "https",
        signings: &["HmacSHA256+Version"],
        methods: &["GET", "POST"],
        keys: &[Key::Permanent, Key::Temporary],
        dialect: Dialect::V2,
        success_from: "HTTP/1.1",
        refusal_from: "HTTP/1.1",
    },
];

/// What the caller of a client learns.
#[rustfmt::skip]
fn code(dialect: Dialect, case: Case) -> &'static str {
    match (dialect, case) {
        (_, Case::Right) => "OK",
        (Dialect::V3, Case::WrongKey) => "AuthFailure.SignatureFailure",
        (Dialect::V3, Case::StaleClock | Case::Replay) => "AuthFailure.SignatureExpire",
        (Dialect::V3, Case::MissingPermission) => "AuthFailure.UnauthorizedOperation",
        (Dialect::V3, Case::WrongToken) => "AuthFailure.TokenFailure",
        (Dialect::V2, Case::WrongKey) => "InvalidParameter.SignatureFailure",
        (Dialect::V2, Case::StaleClock | Case::Replay) => "InvalidRequest.ReplayAttack",
        (Dialect::V2, Case::MissingPermission) => "AuthFailure",
        (Dialect::V2, Case::WrongToken) => "InvalidRequest.TokenCheckFailed",
        (Dialect::V2Numeric, Case::WrongKey) => "4100 AuthFailure",
        (Dialect::V2Numeric, Case::StaleClock | Case::Replay) => "4500 ReplayAttack",
        (Dialect::V2Numeric, Case::MissingPermission) => "4101 AuthFailure",
        (Dialect::V2Numeric, Case::WrongToken) => "4105 TokenCheckFailed",
    }
}

/// What the gateway logs, request by request: other mistakes have the same code.
fn verdicts(case: Case) -> &'static [&'static str] {
    match case {
        Case::Right => &["admitted"],
        Case::WrongKey => &["signature-mismatch"],
        Case::StaleClock => &["timestamp-outside-window"],
        Case::Replay => &["admitted", "nonce-repeated"],
        Case::MissingPermission => &["action-denied"],
        Case::WrongToken => &["token-wrong"],
    }
}

const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";
const ANOTHER_SECRET_KEY: &str = "anotherSecretKeyForTestsOnly01234";
const TOKEN: &str = "dummy-session-token-01234567890abcdef";

#[derive(Clone, Copy, PartialEq)]
enum Driver {
    Python,
    Node,
    Rust,
    Shell,
}

struct Client {
    driver: Driver,
    name: &'static str,
    scheme: &'static str,
    signings: &'static [&'static str],
    methods: &'static [&'static str],
    keys: &'static [Key],
    dialect: Dialect,
    /// Where its driver finds out about a success.
    success_from: &'static str,
    /// And about a refusal: the type of the exception, if it has one.
    refusal_from: &'static str,
}

#[derive(Clone, Copy, PartialEq)]
enum Key {
    Permanent,
    Temporary,
}

#[derive(Clone, Copy)]
enum Dialect {
    V2,
    V2Numeric,
    V3,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Case {
    Right,
    WrongKey,
    StaleClock,
    Replay,
    MissingPermission,
    WrongToken,
}

impl Key {
    fn cases(self) -> &'static [Case] {
        match self {
            Self::Permanent => &[
                Case::Right,
                Case::WrongKey,
                Case::StaleClock,
                Case::Replay,
                Case::MissingPermission,
            ],
            Self::Temporary => &[Case::Right, Case::WrongToken],
        }
    }
}

/// One call of one client. Its key is its own, so that nothing but a replay repeats: kumori has but one nonce, and TC3 none.
struct Job {
    client: &'static Client,
    signing: &'static str,
    method: &'static str,
    key: Key,
    case: Case,
    secret_id: String,
}

impl Job {
    fn all(driver: Driver) -> Vec<Self> {
        let mut jobs = Vec::new();
        for client in CLIENTS.iter().filter(|client| client.driver == driver) {
            for signing in client.signings {
                for method in client.methods {
                    for key in client.keys {
                        for case in key.cases() {
                            if *case == Case::Replay && client.name == "curl-http2" {
                                // The replaying proxy speaks HTTP/1.1 alone.
                                continue;
                            }
                            jobs.push(Self {
                                client,
                                signing,
                                method,
                                key: *key,
                                case: *case,
                                secret_id: format!("AKIDjob{}", jobs.len()),
                            });
                        }
                    }
                }
            }
        }
        jobs
    }

    fn credential(&self) -> String {
        let mut table = format!(
            "[[credential]]\nsecret_id = \"{}\"\nsecret_key = \"{SECRET_KEY}\"\naccount = \"100000000001\"\n",
            self.secret_id
        );
        if self.key == Key::Temporary {
            table += &format!("token = \"{TOKEN}\"\n");
        }
        if self.case == Case::MissingPermission {
            table += "sub_account = \"200000000001\"\n";
        }
        table
    }

    /// The line that a driver reads.
    fn line(&self, gateway: &Endpoints, replaying: &Endpoints) -> String {
        let endpoints = match self.case {
            Case::Replay => replaying,
            _ => gateway,
        };
        let scheme = self.client.scheme;
        let address = match scheme {
            "https" => endpoints.https,
            _ => endpoints.http,
        };
        let secret_key = match self.case {
            Case::WrongKey => ANOTHER_SECRET_KEY,
            _ => SECRET_KEY,
        };
        let token = match (self.key, self.case) {
            (Key::Permanent, _) => "-",
            (Key::Temporary, Case::WrongToken) => "another-token",
            (Key::Temporary, _) => TOKEN,
        };
        let (secret_id, signing, method) = (&self.secret_id, self.signing, self.method);
        format!(
            "{} {scheme}://{address} {secret_id} {secret_key} {token} {signing} {method}",
            self.client.name
        )
    }

    fn expected(&self) -> Reported {
        Reported {
            code: code(self.client.dialect, self.case).to_owned(),
            from: match self.case {
                Case::Right => self.client.success_from.to_owned(),
                _ => self.client.refusal_from.to_owned(),
            },
            verdicts: verdicts(self.case)
                .iter()
                .map(|&text| text.to_owned())
                .collect(),
        }
    }
}

#[derive(Debug, PartialEq)]
struct Reported {
    code: String,
    from: String,
    verdicts: Vec<String>,
}

struct Endpoints {
    http: SocketAddr,
    https: SocketAddr,
}

fn test(driver: Driver) {
    let program = installed(driver);
    let jobs = Job::all(driver);
    let folder = folder("clients");
    let gateway = Gateway::start(&folder, &config(&jobs), &[]);
    let direct = Endpoints {
        http: gateway.listeners[0],
        https: gateway.listeners[1],
    };
    let replaying = Endpoints {
        http: replaying_proxy(direct.http, None),
        https: replaying_proxy(direct.http, Some(tls(&folder.join("tls")))),
    };
    let (stale, honest): (Vec<&Job>, Vec<&Job>) =
        jobs.iter().partition(|job| job.case == Case::StaleClock);
    let lines = |jobs: &[&Job]| -> String {
        let lines = jobs.iter().map(|job| job.line(&direct, &replaying) + "\n");
        lines.collect()
    };
    let (honest_lines, stale_lines) = (lines(&honest), lines(&stale));
    let (answers, late_answers) = thread::scope(|scope| {
        let late = scope.spawn(|| drive(&program, Clock::TenMinutesBehind, &stale_lines, &folder));
        let answers = drive(&program, Clock::Right, &honest_lines, &folder);
        (answers, late.join().unwrap())
    });
    // The last line: all before it are there then.
    gateway.signal("TERM");
    gateway.logged("stopping");
    let log = gateway.log();
    let mut wrong = String::new();
    for (jobs, ran) in [(honest, answers), (stale, late_answers)] {
        for (index, job) in jobs.iter().enumerate() {
            let expected = job.expected();
            let got = ran.reported(index, &logged(&log, &job.secret_id));
            if got.as_ref() != Some(&expected) {
                let Job {
                    client,
                    signing,
                    method,
                    case,
                    ..
                } = job;
                let _ = writeln!(
                    wrong,
                    "{} {signing} {method} over {}, {case:?}:\n  expected {expected:?}\n  got      {got:?}",
                    client.name, client.scheme
                );
            }
        }
        if !wrong.is_empty() && !ran.errors.is_empty() {
            let _ = writeln!(wrong, "the driver says:\n{}", ran.errors);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The command of a driver, if everything that it needs is there.
fn installed(driver: Driver) -> Vec<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    // The folder of `tests/clients/install.sh`.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    let is_installed = |pins: &str| {
        let installed = fs::read(target.join(pins)).ok();
        installed.is_some() && installed == fs::read(source.join(pins)).ok()
    };
    let (is_installed, command) = match driver {
        Driver::Python => (
            is_installed("python/requirements.txt"),
            vec![
                target.join("python/bin/python"),
                source.join("python/drive.py"),
            ],
        ),
        Driver::Node => (
            is_installed("node/package-lock.json"),
            vec!["node".into(), source.join("node/drive.js")],
        ),
        Driver::Rust => {
            let program = target.join("rust/debug/drive");
            (program.exists(), vec![program])
        }
        Driver::Shell => (true, vec!["bash".into(), source.join("shell/drive.sh")]),
    };
    let has_faketime = Command::new("faketime").arg("--version").output().is_ok();
    assert!(
        is_installed && has_faketime,
        "the clients are not installed, or not at the pinned versions: run `bash cli/tests/clients/install.sh`"
    );
    command
}

/// Replays are refused under every way to sign.
fn config(jobs: &[Job]) -> String {
    let credentials: String = jobs.iter().map(Job::credential).collect();
    format!(
        "{credentials}\
         [[account]]\nuin = \"100000000001\"\n\
         [[account.sub_account]]\nuin = \"200000000001\"\n\
         [policy]\nhttps = \"insecure-nowhere\"\n\
         replay_v1 = \"secret-id-timestamp-nonce\"\nreplay_tc3 = \"secret-id-timestamp-nonce\"\n\
         [admin]\naddress = \"127.0.0.1:0\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\n\
         [[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\nself_signed = \"tls\"\n"
    )
}

/// What the log says about the requests with a key, in order.
fn logged(log: &str, secret_id: &str) -> Vec<String> {
    let lines = log.lines().filter(|line| !line.is_empty());
    let events = lines.map(|line| serde_json::from_str(line).unwrap());
    events
        .filter(|event: &Value| event["secret_id"] == secret_id)
        .map(|event| match event["reason"].as_str() {
            Some(reason) => reason.to_owned(),
            None => event["verdict"].as_str().unwrap().to_owned(),
        })
        .collect()
}

// ---------------------------------------------------------------------------------------------------------------------
// Drivers.

#[derive(Clone, Copy, Debug)]
enum Clock {
    Right,
    TenMinutesBehind,
}

struct Ran {
    /// One for each job, unless the driver broke.
    answers: Vec<Value>,
    errors: String,
}

impl Ran {
    fn reported(&self, index: usize, verdicts: &[String]) -> Option<Reported> {
        let answer = self.answers.get(index)?;
        Some(Reported {
            code: answer["code"].as_str()?.to_owned(),
            from: answer["from"].as_str()?.to_owned(),
            verdicts: verdicts.to_vec(),
        })
    }
}

fn drive(program: &[PathBuf], clock: Clock, jobs: &str, folder: &Path) -> Ran {
    let input = folder.join(format!("jobs-{clock:?}"));
    fs::write(&input, jobs).unwrap();
    // A client that hangs must not hang the test.
    let mut command = Command::new("timeout");
    command.arg("100");
    if let Clock::TenMinutesBehind = clock {
        command.args(["faketime", "--exclude-monotonic", "-f", "-10m"]);
    }
    let authority = folder.join("tls/ca.pem");
    let node = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients/node/node_modules");
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    let output = command
        .args(program)
        .env("CLIENTS_CA", &authority)
        // For those that have no setting for it.
        .env("SSL_CERT_FILE", &authority)
        .env("NODE_EXTRA_CA_CERTS", &authority)
        .env("NODE_PATH", node)
        .stdin(Stdio::from(File::open(&input).unwrap()))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let answers = text.lines().map(|line| {
        let reported: Result<Value, _> = serde_json::from_str(line);
        reported.unwrap_or_else(|_| panic!("{}: not JSON: {line}\n{errors}", program[0].display()))
    });
    Ran {
        answers: answers.collect(),
        errors: format!("{errors}it ended with {}", output.status),
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// A proxy that sends every request twice, byte for byte, and gives its client the second answer.

fn replaying_proxy(gateway: SocketAddr, tls: Option<Arc<rustls::ServerConfig>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let tls = tls.clone();
            thread::spawn(move || match tls {
                Some(tls) => {
                    let connection = rustls::ServerConnection::new(tls).unwrap();
                    replay(rustls::StreamOwned::new(connection, client), gateway);
                }
                None => replay(client, gateway),
            });
        }
    });
    address
}

fn replay(client: impl Read + Write, gateway: SocketAddr) {
    let mut client = BufReader::new(client);
    while let Some(request) = message(&mut client) {
        // Connections of their own: some clients have theirs closed after the answer.
        let ask = || {
            let mut gateway = TcpStream::connect(gateway).unwrap();
            gateway.write_all(&request).unwrap();
            message(&mut BufReader::new(gateway)).unwrap()
        };
        ask();
        let second = ask();
        client.get_mut().write_all(&second).unwrap();
        client.get_mut().flush().unwrap();
    }
}

/// A request or an answer, as it is; nothing at the end.
fn message(stream: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let begin = bytes.len();
        if stream.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[begin..]).to_ascii_lowercase();
        assert!(
            !line.starts_with("transfer-encoding:"),
            "a chunked message: {line}"
        );
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    stream.read_exact(&mut bytes[head..]).ok()?;
    Some(bytes)
}

/// With the certificate that the gateway made.
fn tls(folder: &Path) -> Arc<rustls::ServerConfig> {
    let chain = CertificateDer::pem_file_iter(folder.join("certificate.pem")).unwrap();
    let chain = chain.map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}
