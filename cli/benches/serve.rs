//! What a gateway costs beside a server that does not validate: both answer the same requests with the same text over
//! keep-alive connections on loopback, turn by turn.
//!
//! `cargo bench -p qcloud-validator-cli --bench serve` compares; with `-- --endure SECONDS` it keeps the gateway under load and
//! prints what memory it takes, with thousands of idle and slow clients beside.
//!
//! The clients run on the same machine and take their share of it, which flatters the slower server. So the processor time
//! of each server is shown too: that share is not in it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Bytes;
use qcloud_validator::testkit::Signer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

const SECRET_ID: &str = "AKIDEXAMPLEdummydummydummydummydummy12";
const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";

/// Connections that always have a request under way.
const BUSY: usize = 32;
/// How long each server is under load in a round.
const TURN: Duration = Duration::from_secs(1);
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|argument| argument == flag)?;
        Some(arguments.get(at + 1).cloned().unwrap_or_default())
    };
    if after("--without-validation").is_some() {
        return plain();
    }
    let runtime = Runtime::new().unwrap();
    match after("--endure") {
        Some(seconds) => runtime.block_on(endure(seconds.parse().expect("seconds"))),
        None => runtime.block_on(compare()),
    }
}

/// The server without validation: reads the body and answers.
fn plain() {
    Runtime::new().unwrap().block_on(async {
        let answer = |body: Bytes| async move {
            std::hint::black_box(body);
            let json = [("content-type", "application/json")];
            (
                json,
                r#"{"Response":{"RequestId":"38733840-1a5f-4297-a3cb-84b213b9a26b"}}"#,
            )
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let router: Router = Router::new().fallback(answer);
        axum::serve(listener, router).await.unwrap();
    });
}

/// A server, killed when it is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn plain() -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .arg("--without-validation")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let address = line.trim().parse().unwrap();
        Self { child, address }
    }

    fn gateway(logged: &str, window_seconds: u32) -> Self {
        let file = env::temp_dir().join(format!("bench-serve-{}.toml", std::process::id()));
        let port = free_port();
        fs::write(
            &file,
            format!(
                "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\"\n\
                 [policy]\nhttps = \"insecure-nowhere\"\nwindow_seconds = {window_seconds}\n\
                 [nonces]\ntotal = 20000000\nper_secret_id = 20000000\n\
                 [log]\nrequests = \"{logged}\"\nformat = \"json\"\n\
                 [[listener]]\naddress = \"127.0.0.1:{port}\"\nmode = \"mock\"\n"
            ),
        )
        .unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        while std::net::TcpStream::connect(address).is_err() {
            std::thread::sleep(Duration::from_millis(10));
        }
        fs::remove_file(file).unwrap();
        Self { child, address }
    }

    /// Seconds of processor time so far.
    fn processor(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        // 100 in a second, whatever the kernel counts with.
        ticks as f64 / 100.0
    }

    /// Resident memory in MiB.
    fn memory(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .unwrap();
        let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[derive(Clone, Copy)]
enum Kind {
    /// API 3.0, JSON of 1 KiB.
    Tc3,
    /// Legacy, ten parameters in the query.
    V2,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Tc3 => "TC3 POST, 1 KiB",
            Self::V2 => "v2 GET, 10 parameters",
        }
    }

    /// Requests signed now. TC3 needs no more than one: by default it may be repeated.
    fn sign(self, address: SocketAddr, count: usize, first_nonce: u64) -> Arc<Vec<Vec<u8>>> {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs() as i64;
        let host = address.to_string();
        Arc::new(match self {
            Self::Tc3 => vec![
                Signer::tc3(SECRET_ID, SECRET_KEY)
                    .host(host)
                    .action("DescribeZones")
                    .version("2017-03-12")
                    .timestamp(now)
                    .body(format!("{{\"Text\":\"{}\"}}", "x".repeat(1_013)))
                    .sign()
                    .to_raw(),
            ],
            Self::V2 => {
                let parameters: Vec<(String, String)> = (0..5)
                    .map(|n| (format!("instanceIds.{n}"), format!("ins-{n}")))
                    .collect();
                let signer = Signer::v2(SECRET_ID, SECRET_KEY)
                    .host(host)
                    .action("DescribeInstances")
                    .parameters(parameters)
                    .timestamp(now);
                (first_nonce..)
                    .take(count)
                    .map(|nonce| signer.clone().nonce(nonce).sign().to_raw())
                    .collect()
            }
        })
    }
}

/// What one turn brought.
struct Turn {
    per_second: f64,
    /// Microseconds of the server's processor time for a request.
    processor: f64,
    refused: usize,
}

/// Keeps a server busy for a while.
async fn turn(server: &Server, requests: Arc<Vec<Vec<u8>>>, how_long: Duration) -> Turn {
    let next = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let before = server.processor();
    let begin = Instant::now();
    let tasks: Vec<_> = (0..BUSY)
        .map(|_| {
            let (next, stop, requests) =
                (Arc::clone(&next), Arc::clone(&stop), Arc::clone(&requests));
            let address = server.address;
            tokio::spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut answered, mut refused) = (0_usize, 0_usize);
                let mut buffer = Vec::with_capacity(4_096);
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let request = match requests.as_slice() {
                        [one] => one,
                        many => match many.get(number) {
                            Some(request) => request,
                            None => break,
                        },
                    };
                    stream.write_all(request).await.unwrap();
                    read_answer(&mut stream, &mut buffer).await;
                    answered += 1;
                    let error = buffer
                        .windows(7)
                        .any(|text| text == b"\"Error\"" || text == b"\"code\":4");
                    refused += usize::from(error);
                }
                (answered, refused)
            })
        })
        .collect();
    tokio::time::sleep(how_long).await;
    stop.store(true, Ordering::Relaxed);
    let (mut answered, mut refused) = (0, 0);
    for task in tasks {
        let (of_answered, of_refused) = task.await.unwrap();
        answered += of_answered;
        refused += of_refused;
    }
    let took = begin.elapsed().as_secs_f64();
    assert!(
        requests.len() == 1 || next.load(Ordering::Relaxed) < requests.len(),
        "more requests must be signed in advance"
    );
    Turn {
        per_second: answered as f64 / took,
        processor: (server.processor() - before) * 1e6 / answered as f64,
        refused,
    }
}

/// Reads one answer; both servers name its length.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert_ne!(
            stream.read_buf(buffer).await.unwrap(),
            0,
            "the server hung up"
        );
        let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let head = std::str::from_utf8(&buffer[..end]).unwrap();
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
            .unwrap();
        while buffer.len() < end + 4 + length {
            assert_ne!(
                stream.read_buf(buffer).await.unwrap(),
                0,
                "the server hung up"
            );
        }
        return;
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

async fn compare() {
    println!(
        "{BUSY} connections, {ROUNDS} rounds of {} s each; requests per second, and microseconds of the server's processor\n",
        TURN.as_secs()
    );
    println!(
        "{:<24} {:<9} {:>12} {:>12} {:>7} {:>12} {:>12} {:>7}",
        "", "log", "without", "gateway", "ratio", "us without", "us gateway", "ratio"
    );
    let mut nonce = 1;
    for kind in [Kind::Tc3, Kind::V2] {
        for logged in ["none", "all"] {
            let (plain, gateway) = (Server::plain(), Server::gateway(logged, 300));
            let (mut rates, mut costs) = (Vec::new(), Vec::new());
            for round in 0..=ROUNDS {
                // What a server can answer in a turn, with room.
                let count = 250_000;
                // Signed for the gateway; the other server does not look.
                let requests = kind.sign(gateway.address, count, nonce);
                nonce += count as u64;
                let without = turn(&plain, Arc::clone(&requests), TURN).await;
                let with = turn(&gateway, requests, TURN).await;
                assert_eq!(with.refused, 0);
                if round > 0 {
                    rates.push((without.per_second, with.per_second));
                    costs.push((without.processor, with.processor));
                }
            }
            let of = |pairs: &[(f64, f64)], part: fn(&(f64, f64)) -> f64| {
                median(pairs.iter().map(part).collect())
            };
            println!(
                "{:<24} {:<9} {:>12.0} {:>12.0} {:>6.0}% {:>12.1} {:>12.1} {:>7.2}",
                kind.name(),
                logged,
                of(&rates, |pair| pair.0),
                of(&rates, |pair| pair.1),
                of(&rates, |pair| pair.1 / pair.0) * 100.0,
                of(&costs, |pair| pair.0),
                of(&costs, |pair| pair.1),
                of(&costs, |pair| pair.1 / pair.0),
            );
        }
    }
}

/// Connections beside those that are busy: half of them say nothing, half send a head, one byte in a second.
const CROWD: usize = 10_000;

async fn endure(seconds: u64) {
    // A short window, so that the store of nonces has its full size soon.
    let gateway = Server::gateway("all", 10);
    let address = gateway.address;
    for number in 0..CROWD {
        tokio::spawn(async move {
            loop {
                let Ok(mut stream) = TcpStream::connect(address).await else {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                };
                for byte in b"POST / HTTP/1.1\r\nHost: abcdefghijklmnopqrstuvwxyz"
                    .iter()
                    .cycle()
                {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if number % 2 == 0 {
                        if stream.write_all(&[*byte]).await.is_err() {
                            break;
                        }
                    } else if stream.read(&mut [0]).await.is_ok() {
                        break;
                    }
                }
            }
        });
        if number % 500 == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    println!("{BUSY} busy connections, {CROWD} idle or slow ones\n");
    println!(
        "{:>8} {:>14} {:>14} {:>10} {:>9}",
        "second", "TC3 per s", "v2 per s", "MiB", "refused"
    );
    let begin = Instant::now();
    let mut nonce = 1;
    while begin.elapsed().as_secs() < seconds {
        let tc3 = turn(
            &gateway,
            Kind::Tc3.sign(address, 1, 0),
            Duration::from_secs(5),
        )
        .await;
        let count = 150_000;
        let v2 = turn(&gateway, Kind::V2.sign(address, count, nonce), TURN).await;
        nonce += count as u64;
        println!(
            "{:>8} {:>14.0} {:>14.0} {:>10.1} {:>9}",
            begin.elapsed().as_secs(),
            tc3.per_second,
            v2.per_second,
            gateway.memory(),
            tc3.refused + v2.refused
        );
    }
}
