//! Running: reloads, signals, time-outs, limits, logs and metrics.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use qcloud_validator::{Clock, SystemClock};
use test_support::gateway::{
    Gateway, MOCK, SECRET_ID, SECRET_KEY, ask, call, config, eventually, folder, read_answer, tc3,
    v2,
};

use crate::scene::{AT_ONCE, echo, faulty, proxy, read_request};

/// Sends requests over four connections until it is stopped; how many were admitted, and what else came.
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
    eventually("no one is let in", || TcpStream::connect(at).is_err());
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
    let reported = faulty(
        Some(&text.replace("\"nonces\"", &format!("{:?}", folder.join("nonces")))),
        &[],
    );
    assert!(reported.starts_with("nonces.file: "), "{reported}");
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
    let reported = closed(half_a_body);
    assert!(
        reported.contains("\"Code\":\"InvalidParameter\""),
        "{reported}"
    );
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
    let connections = format!("qcloud_validator_connections{{listener=\"{at}\"}}");
    eventually("all are there", || {
        gateway.metric(&connections) == Some(2_000.0)
    });
    for _ in 0..100 {
        assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
    }
    drop(crowd);
    eventually("all are gone", || gateway.metric(&connections) == Some(0.0));
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
fn a_request_that_does_not_end_holds_up_a_stop_for_drain_seconds_alone() {
    let drain = "[connections]\ndrain_seconds = 1\nbody_seconds = 600\n";
    let text = config(&format!("{MOCK}{drain}"));
    let mut gateway = Gateway::start(&folder("endless"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at).body("{\"Limit\":1}").sign();
    let raw = request.with_header("Expect", "100-continue").to_raw();
    let (head, _) = raw.split_at(raw.len() - 11);
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(head).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    gateway.signal("TERM");
    assert!(gateway.ended().success());
    gateway.logged("stopped before all requests were answered");
}

/// Without a request that would make room: a load balancer sends none to a gateway that is not ready.
#[test]
fn a_gateway_without_room_for_nonces_is_not_ready_until_some_expire() {
    let text = config(MOCK).replace("[policy]\n", "[policy]\nwindow_seconds = 2\n");
    let nonces = "[nonces]\ntotal = 3\nper_secret_id = 3\n";
    let gateway = Gateway::start(&folder("no-room"), &format!("{text}{nonces}"), &[]);
    let at = gateway.address();
    for admitted in 0..3 {
        assert_eq!(gateway.page("/readyz").0, 200, "{admitted}");
        let answer = call(at, &v2(at).sign().to_raw()).text();
        assert!(answer.starts_with("{\"code\":0,"), "{answer}");
    }
    let full = (503, "nonces: all 3 places are taken\n".to_owned());
    assert_eq!(gateway.page("/readyz"), full);
    eventually("the nonces expire", || gateway.page("/readyz").0 == 200);
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
