//! What a gateway takes at its edges: beside forged forms that it diagnoses, with many keys, and with many connections that
//! say nothing.
//!
//! `cargo bench -p qcloud-validator-cli --bench edge` prints three tables. The clients run on the same machine and take their
//! share of it.

use std::env;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use qcloud_validator::testkit::Signer;
use test_support::gateway::{Gateway, MOCK, ask, config, folder, v2};

fn main() {
    raise_own_limit();
    beside_forged_forms();
    with_many_keys();
    with_idle_connections();
}

/// Forms that are sent at once.
const FORMS: usize = 12;
/// Each SecretId has six diagnoses in a minute, which is not to be the bound that is measured.
const KEYS: usize = 20;
const BURSTS: usize = 8;

fn beside_forged_forms() {
    println!(
        "Beside {FORMS} forged forms of 527 to 820 KiB, {BURSTS} times; honest requests, ms\n"
    );
    println!("| diagnosis | forms | answered | median | 99 % | longest | MiB before | most MiB |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for rule in ["off", "for-operator"] {
        for forms in [0, FORMS] {
            let keys: String = (0..KEYS).map(credential).collect();
            let rule_line = format!("[policy]\ndiagnosis = \"{rule}\"");
            let text = keys + &config(MOCK).replace("[policy]", &rule_line);
            let gateway = Gateway::start(&folder("edge"), &text, &[]);
            let at = gateway.address();
            // One that takes what every request takes.
            latencies(at, &AtomicBool::new(true), 100);
            let before = gateway.memory().now;
            let mut took = flooded(at, forms);
            took.sort();
            let at_most = |share: usize| took[(took.len() - 1) * share / 100];
            println!(
                "| {rule} | {forms} | {} | {:.2} | {:.2} | {:.2} | {before:.0} | {:.0} |",
                took.len(),
                millis(at_most(50)),
                millis(at_most(99)),
                millis(at_most(100)),
                gateway.memory().most
            );
        }
    }
    println!();
}

/// How long honest requests took while forms were sent, and a second longer each time, in which diagnoses are made.
fn flooded(at: SocketAddr, forms: usize) -> Vec<Duration> {
    let all: Vec<Vec<Vec<u8>>> = (0..BURSTS)
        .map(|burst| {
            (0..forms)
                .map(|number| forged_form(at, burst * forms + number))
                .collect()
        })
        .collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let honest = scope.spawn(|| latencies(at, &stop, 0));
        for burst in all {
            let strangers: Vec<_> = burst
                .into_iter()
                .map(|form| scope.spawn(move || ask(&mut connect(at), &form).unwrap().status))
                .collect();
            for stranger in strangers {
                assert_eq!(stranger.join().unwrap(), 200);
            }
            thread::sleep(Duration::from_secs(1));
        }
        stop.store(true, Ordering::Relaxed);
        honest.join().unwrap()
    })
}

/// Sends honest requests, one each millisecond, until it is stopped, but at least so many.
fn latencies(at: SocketAddr, stop: &AtomicBool, at_least: usize) -> Vec<Duration> {
    let mut stream = connect(at);
    let mut took = Vec::new();
    while took.len() < at_least || !stop.load(Ordering::Relaxed) {
        let request = v2(at).sign().to_raw();
        let began = Instant::now();
        assert_eq!(ask(&mut stream, &request).unwrap().code(), "OK");
        took.push(began.elapsed());
        thread::sleep(Duration::from_millis(1));
    }
    took
}

/// In turns 60,000 parameters, and one value that swells when it is encoded.
fn forged_form(at: SocketAddr, number: usize) -> Vec<u8> {
    let signed = Signer::v2(secret_id(number % KEYS), "another key")
        .host(at.to_string())
        .action("DescribeInstances")
        .post()
        .sign();
    let more = if number.is_multiple_of(2) {
        (0..60_000)
            .map(|number| format!("&p{number:05}=1"))
            .collect()
    } else {
        format!("&X={}", "%26+é".repeat(140_000))
    };
    let body = [signed.body(), more.as_bytes()].concat();
    signed.with_body(body).to_raw()
}

const MANY_KEYS: usize = 100_000;

fn with_many_keys() {
    println!("With {MANY_KEYS} keys\n");
    println!("| keys | MiB of file | s until it listens | MiB |");
    println!("|---:|---:|---:|---:|");
    for count in [0, MANY_KEYS / 10, MANY_KEYS] {
        let keys: String = (0..count).map(credential).collect();
        let text = config(MOCK) + &keys;
        let size = text.len() as f64 / MIB;
        let began = Instant::now();
        let started = std::panic::catch_unwind(|| Gateway::start(&folder("keys"), &text, &[]));
        let took = began.elapsed().as_secs_f64();
        match started {
            Ok(gateway) => println!(
                "| {count} | {size:.1} | {took:.2} | {:.0} |",
                gateway.memory().now
            ),
            Err(_) => println!("| {count} | {size:.1} | it did not start | |"),
        }
    }
    println!();
}

/// As many as the usual limit of 20,000 files allows, with room for those that a process has open anyway.
const IDLE: usize = 19_800;

fn with_idle_connections() {
    let most = own_limits().0.saturating_sub(200);
    let count = IDLE.min(most);
    println!("With {count} idle connections ({IDLE} are meant; one process may open {most})\n");
    println!("| connections | MiB | KiB for each |");
    println!("|---:|---:|---:|");
    let text = format!(
        "{}[connections]\ntotal = {IDLE}\nhead_seconds = 600\nidle_seconds = 600\n",
        config(MOCK)
    );
    let gateway = Gateway::start(&folder("idle"), &text, &[]);
    let at = gateway.address();
    latencies(at, &AtomicBool::new(true), 100);
    let before = gateway.memory().now;
    println!("| 0 | {before:.0} | |");
    let mut silent = Vec::new();
    let open = |streams: &mut Vec<TcpStream>| {
        while streams.len() < count {
            streams.push(connect(at));
        }
        let name = format!("qcloud_validator_connections{{listener=\"{at}\"}}");
        while gateway.metric(&name).unwrap_or_default() < count as f64 {
            thread::sleep(Duration::from_millis(50));
        }
    };
    let row = |what: &str| {
        let now = gateway.memory().now;
        println!(
            "| {count} {what} | {now:.0} | {:.1} |",
            (now - before) * 1024.0 / count as f64
        );
    };
    open(&mut silent);
    row("that said nothing");
    for stream in &mut silent {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(ask(stream, request).unwrap().status, 200);
    }
    row("that asked once");
}

fn secret_id(number: usize) -> String {
    format!("AKIDdummydummydummydummydummy{number:07}")
}

fn credential(number: usize) -> String {
    format!(
        "[[credential]]\nsecret_id = \"{}\"\nsecret_key = \"dummySecretKeyForTestsOnly{number:07}\"\naccount = \"1000{number:08}\"\n",
        secret_id(number)
    )
}

fn connect(at: SocketAddr) -> TcpStream {
    TcpStream::connect(at).unwrap()
}

const MIB: f64 = 1_048_576.0;

fn millis(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

/// How many files this process may open, and how many it may allow itself.
fn own_limits() -> (usize, usize) {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .unwrap();
    let mut numbers = line
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(usize::MAX));
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// Begins again with as many files as it may allow itself; the gateway inherits them.
fn raise_own_limit() {
    let (soft, hard) = own_limits();
    if soft < hard {
        let script = "ulimit -n \"$(ulimit -Hn)\" && exec \"$0\" \"$@\"";
        let failed = Command::new("sh")
            .args(["-c", script])
            .args(env::args_os())
            .exec();
        println!("the limit of open files stays at {soft}: {failed}");
    }
}
