//! Places for connections and requests: how many there are, and who gets the next one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use test_support::gateway::{Gateway, MOCK, ask, call, config, eventually, folder, tc3};

use crate::http2::{END_HEADERS, HEADERS, Http2, RST_STREAM, connect, header_block};
use crate::scene::{AT_ONCE, proxy, read_request};

/// A service that answers a request when it is asked to, and counts those that it has.
struct Service {
    address: SocketAddr,
    most: Arc<AtomicUsize>,
    seen: Arc<AtomicUsize>,
}

impl Service {
    fn start(answer: impl Fn() + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            address: listener.local_addr().unwrap(),
            most: Arc::default(),
            seen: Arc::default(),
        };
        let open: Arc<AtomicUsize> = Arc::default();
        let (most, seen) = (Arc::clone(&service.most), Arc::clone(&service.seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (answer, open) = (answer.clone(), Arc::clone(&open));
                let (most, seen) = (Arc::clone(&most), Arc::clone(&seen));
                thread::spawn(move || {
                    while read_request(&mut stream).is_some() {
                        seen.fetch_add(1, Ordering::SeqCst);
                        most.fetch_max(open.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        answer();
                        open.fetch_sub(1, Ordering::SeqCst);
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
                    }
                });
            }
        });
        service
    }

    fn config(&self, limits: &str) -> String {
        let more = format!("[connections]\n{limits}{AT_ONCE}");
        proxy(&format!("http://{}", self.address), &more)
    }
}

/// One connection of HTTP/2 may have many requests, each of which may hold a whole body.
#[test]
fn requests_of_one_http2_connection_count_like_connections() {
    let service = Service::start(|| thread::sleep(Duration::from_millis(50)));
    let gateway = Gateway::start(&folder("streams"), &service.config("total = 3\n"), &[]);
    let at = gateway.address();
    let mut client = Http2::begin(connect(at, None), &[]).unwrap();
    for number in 0..12 {
        let request = tc3(at).body(format!("{{\"a\":{number}}}")).sign();
        client.request(2 * number + 1, &request).unwrap();
    }
    let mut answered = 0;
    while answered < 12 {
        let frame = client.frame().unwrap();
        assert_ne!(frame.kind, RST_STREAM);
        answered += usize::from(frame.kind == HEADERS);
    }
    assert_eq!(service.seen.load(Ordering::SeqCst), 12);
    assert_eq!(service.most.load(Ordering::SeqCst), 3);
}

/// Its client knows then that it can be sent again: RFC 9113 section 8.7.
#[test]
fn a_request_that_waits_too_long_for_its_place_is_refused_unseen() {
    const REFUSED_STREAM: u32 = 7;
    let (ask, asked) = mpsc::channel();
    let asked = Arc::new(Mutex::new(asked));
    let service = Service::start(move || asked.lock().unwrap().recv().unwrap());
    let limits = "total = 1\nbody_seconds = 1\n";
    let gateway = Gateway::start(&folder("refused-stream"), &service.config(limits), &[]);
    let at = gateway.address();
    let mut client = Http2::begin(connect(at, None), &[]).unwrap();
    client.request(1, &tc3(at).sign()).unwrap();
    eventually("it is there", || service.seen.load(Ordering::SeqCst) == 1);
    client.request(3, &tc3(at).body("{}").sign()).unwrap();
    assert_eq!(client.answer(3).unwrap().reset, Some(REFUSED_STREAM));
    assert_eq!(service.seen.load(Ordering::SeqCst), 1);
    ask.send(()).unwrap();
    assert_eq!(client.answer(1).unwrap().body, b"{}");
}

/// Requests that wait hold their heads in memory: four of full length, of one connection.
#[test]
fn long_heads_do_not_wait() {
    const REFUSED_STREAM: [u8; 4] = [0, 0, 0, 7];
    let (ask, asked) = mpsc::channel();
    let asked = Arc::new(Mutex::new(asked));
    let service = Service::start(move || asked.lock().unwrap().recv().unwrap());
    let limits = "total = 1\nhead_bytes = 8192\n";
    let gateway = Gateway::start(&folder("long-heads"), &service.config(limits), &[]);
    let at = gateway.address();
    let mut client = Http2::begin(connect(at, None), &[]).unwrap();
    client.request(1, &tc3(at).sign()).unwrap();
    eventually("it is there", || service.seen.load(Ordering::SeqCst) == 1);
    let long = "x".repeat(6_000);
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "cvm.tencentcloudapi.com"),
        (":path", "/"),
        ("x-long", &long),
    ];
    for number in 1..10 {
        client.get(2 * number + 1, &fields).unwrap();
    }
    // Five of them wait.
    for _ in 0..4 {
        let frame = client.frame().unwrap();
        assert_eq!(
            (frame.kind, &frame.payload[..]),
            (RST_STREAM, &REFUSED_STREAM[..])
        );
    }
    ask.send(()).unwrap();
    let mut answered = 0;
    while answered < 6 {
        let frame = client.frame().unwrap();
        assert_ne!(frame.kind, RST_STREAM);
        answered += usize::from(frame.kind == HEADERS);
    }
}

/// A hundred requests whose bodies never come would take turns for five minutes.
#[test]
fn the_requests_of_one_connection_do_not_keep_another_waiting() {
    let limits = "[connections]\ntotal = 2\nbody_seconds = 3\n";
    let text = config(&format!("{MOCK}{limits}"));
    let gateway = Gateway::start(&folder("turns-of-streams"), &text, &[]);
    let at = gateway.address();
    let mut client = Http2::begin(connect(at, None), &[]).unwrap();
    let endless = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "cvm.tencentcloudapi.com"),
        (":path", "/"),
    ];
    for number in 0..100 {
        let block = header_block(&endless);
        client
            .send(HEADERS, END_HEADERS, 2 * number + 1, &block)
            .unwrap();
    }
    for _ in 0..3 {
        assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
    }
}

#[test]
fn a_listener_without_clients_keeps_no_place() {
    let text = config(&format!("{MOCK}{MOCK}[connections]\ntotal = 1\n"));
    let gateway = Gateway::start(&folder("two-listeners"), &text, &[]);
    for _ in 0..3 {
        for at in &gateway.listeners {
            let answer = call(*at, &tc3(*at).sign().to_raw());
            assert_eq!(answer.code(), "OK");
        }
    }
}

/// Whatever the idle time, it is the idle time.
#[test]
fn an_idle_connection_is_closed_on_time() {
    let text = config(&format!("{MOCK}[connections]\nidle_seconds = 4\n"));
    let gateway = Gateway::start(&folder("idle"), &text, &[]);
    let at = gateway.address();
    let mut stream = TcpStream::connect(at).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // The second one, so that the time of the first head is over.
    for _ in 0..2 {
        let request = tc3(at).sign().to_raw();
        ask(&mut stream, &request).unwrap();
    }
    let began = Instant::now();
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    let took = began.elapsed();
    assert!((3_900..7_000).contains(&took.as_millis()), "{took:?}");
}
