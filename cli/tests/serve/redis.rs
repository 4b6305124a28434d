//! Two gateways, each a separate process, that share one Redis.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;

use test_support::gateway::{Gateway, MOCK, ask, call, config, eventually, folder, v2};
use test_support::redis_server::RedisServer;

use crate::scene::faulty;

/// Two gateways over one server.
fn gateways(server: &RedisServer, more: &str) -> [Gateway; 2] {
    let text = config(&format!(
        "{MOCK}[redis]\nurl = \"{}\"\n{more}",
        server.url()
    ));
    [(); 2].map(|()| Gateway::start(&folder("shared"), &text, &[]))
}

/// A request for one host, which came to both gateways.
fn request(nonce: u64) -> Vec<u8> {
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    v2(host).nonce(nonce).sign().to_raw()
}

#[test]
fn of_10000_raced_pairs_each_is_admitted_once_by_two_processes() {
    const PAIRS: usize = 10_000;
    const CONNECTIONS: usize = 8;
    let server = RedisServer::start();
    let gateways = gateways(&server, "");
    let requests: Arc<Vec<Vec<u8>>> = Arc::new((1..).take(PAIRS).map(request).collect());
    let admitted: Arc<Vec<AtomicU32>> = Arc::new((0..PAIRS).map(|_| AtomicU32::new(0)).collect());
    let mut threads = Vec::new();
    for gateway in &gateways {
        for first in 0..CONNECTIONS {
            let at = gateway.address();
            let (requests, admitted) = (Arc::clone(&requests), Arc::clone(&admitted));
            threads.push(thread::spawn(move || {
                let mut stream = TcpStream::connect(at).unwrap();
                for index in (first..PAIRS).step_by(CONNECTIONS) {
                    let answer = ask(&mut stream, &requests[index]).unwrap();
                    match answer.code().as_str() {
                        "OK" => {
                            admitted[index].fetch_add(1, Ordering::SeqCst);
                        }
                        code => assert_eq!(code, "4500", "{}", answer.text()),
                    }
                }
            }));
        }
    }
    for thread in threads {
        thread.join().unwrap();
    }
    for (index, times) in admitted.iter().enumerate() {
        assert_eq!(times.load(Ordering::SeqCst), 1, "pair {index}");
    }
}

#[test]
fn a_redis_that_dies_under_load_admits_no_replay_and_loses_no_refusal() {
    let mut server = RedisServer::start();
    let after_restart = "[nonces]\nafter_restart = \"refuse-for-one-window\"\n";
    let text = config(&format!(
        "{MOCK}[redis]\nurl = \"{}\"\nclock_allowance_seconds = 1\n",
        server.url()
    ))
    // A window so short that requests are admitted again before the test ends.
    .replace("[policy]\n", "[policy]\nwindow_seconds = 2\n")
        + after_restart;
    let gateways = [(); 2].map(|()| Gateway::start(&folder("dying"), &text, &[]));
    let stop = Arc::new(AtomicBool::new(false));
    let nonces = Arc::new(AtomicUsize::new(1));
    let admitted = Arc::new(AtomicUsize::new(0));
    let failed = Arc::new(AtomicUsize::new(0));
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    let addresses = gateways.each_ref().map(Gateway::address);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (stop, nonces) = (Arc::clone(&stop), Arc::clone(&nonces));
            let (admitted, failed) = (Arc::clone(&admitted), Arc::clone(&failed));
            thread::spawn(move || {
                let mut streams = addresses.map(|at| TcpStream::connect(at).unwrap());
                while !stop.load(Ordering::Relaxed) {
                    let nonce = u64::try_from(nonces.fetch_add(1, Ordering::Relaxed)).unwrap();
                    let request = v2(host).nonce(nonce).sign().to_raw();
                    let mut times = 0;
                    // Each request goes to one gateway, to the other, and to the first again.
                    for which in [0, 1, 0] {
                        let answer = ask(&mut streams[which], &request).unwrap();
                        match answer.code().as_str() {
                            "OK" => times += 1,
                            // Repeated, too old, or dated before Redis remembers.
                            "4500" => {}
                            "6000" => {
                                failed.fetch_add(1, Ordering::Relaxed);
                            }
                            code => panic!("{code}: {}", answer.text()),
                        }
                    }
                    assert!(times <= 1, "{nonce} was admitted {times} times");
                    admitted.fetch_add(times, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let counted = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
    for _ in 0..2 {
        let before = counted(&admitted);
        eventually("requests are admitted", || counted(&admitted) > before + 50);
        server.kill();
        let before = counted(&failed);
        eventually("requests fail", || counted(&failed) > before + 50);
        assert_eq!(gateways[0].page("/readyz").0, 503);
        server.restart();
        eventually("it is ready", || gateways[0].page("/readyz").0 == 200);
    }
    let before = counted(&admitted);
    eventually("requests are admitted", || counted(&admitted) > before + 50);
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    let failures = "qcloud_validator_store_failures_total{check=\"nonce\"}";
    assert!(gateways[0].metric(failures).unwrap() > 0.0);
}

#[test]
fn readiness_follows_what_requests_meet() {
    let server = RedisServer::start();
    let [gateway, other] = gateways(&server, "[nonces]\nafter_restart = \"insecure-admit\"\n");
    let set = |name: &str, value: &str| {
        let words = ["CONFIG", "SET", name, value].map(str::as_bytes);
        assert_eq!(server.ask(&words), "+OK");
    };
    let mut nonces = 1_u64..;
    let mut code =
        |gateway: &Gateway| call(gateway.address(), &request(nonces.next().unwrap())).code();
    for (name, value, cause) in [
        ("maxmemory", "1", "OOM"),
        ("maxmemory-policy", "allkeys-lru", "allkeys-lru"),
        ("min-replicas-to-write", "1", "NOREPLICAS"),
    ] {
        assert_eq!(
            (gateway.page("/readyz").0, code(&gateway)),
            (200, "OK".to_owned())
        );
        let was = match name {
            "maxmemory-policy" => "noeviction",
            _ => "0",
        };
        set(name, value);
        let (status, text) = gateway.page("/readyz");
        assert_eq!(status, 503, "{name}");
        assert!(
            text.starts_with("redis: ") && text.contains(cause),
            "{text}"
        );
        for gateway in [&gateway, &other] {
            assert_eq!(code(gateway), "6000", "{name}");
        }
        assert_eq!(gateway.page("/readyz").0, 503, "{name}");
        set(name, was);
    }
    assert_eq!(
        (gateway.page("/readyz").0, code(&other)),
        (200, "OK".to_owned())
    );
}

#[test]
fn rates_are_counted_together() {
    let server = RedisServer::start();
    let gateways = gateways(&server, "[[rate]]\nlimit = 5\nperiod_seconds = 3600\n");
    let codes: Vec<String> = (1..=8)
        .map(|nonce| {
            let which = usize::try_from(nonce % 2).unwrap();
            call(gateways[which].address(), &request(nonce)).code()
        })
        .collect();
    assert_eq!(
        codes,
        ["OK", "OK", "OK", "OK", "OK", "4400", "4400", "4400"]
    );
}

#[test]
fn what_is_wrong_with_redis_is_one_line() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]);
    let node = RedisServer::start_with(&["--cluster-enabled", "yes"]);
    let unused = "redis://127.0.0.1:1";
    let evicting = server.url();
    for (redis, expected) in [
        (
            format!("url = \"{unused}\""),
            "redis: no connection to Redis at 127.0.0.1:1: Connection refused (os error 111)",
        ),
        (format!("url = \"{evicting}\""), "redis: "),
        (
            format!("url = \"{}\"", node.url()),
            "redis: Redis is a node of a cluster, where keys are spread over nodes: connect to a server without \
             `cluster-enabled`",
        ),
        (
            "url = \"http://a:secret-word@b\"".to_owned(),
            "gateway.toml:12: redis.url: expected a URL such as redis://user:password@host:6379/0",
        ),
        (
            "url = \"redis://a\"\nprefix = \"a b\"".to_owned(),
            "gateway.toml:14: redis.prefix: expected at most 64 printable ASCII characters without blanks",
        ),
        (
            "prefix = \"a\"".to_owned(),
            "gateway.toml:12: redis.url: expected one of url, url_env, url_file",
        ),
        (
            format!("url = \"{unused}\"\nclock_allowance_seconds = 0"),
            "gateway.toml:14: redis.clock_allowance_seconds: expected a whole number from 1 to 3600",
        ),
        (
            format!("url = \"{unused}\"\nfailover_after_seconds = 0"),
            "gateway.toml:14: redis.failover_after_seconds: expected a whole number from 1 to 3600",
        ),
    ] {
        let reported = faulty(Some(&config(&format!("{MOCK}[redis]\n{redis}\n"))), &[]);
        assert!(
            reported.starts_with(expected) && !reported.contains("secret-word"),
            "{reported}"
        );
        if redis.contains(&evicting) {
            assert!(reported.contains("noeviction"), "{reported}");
        }
    }
}
