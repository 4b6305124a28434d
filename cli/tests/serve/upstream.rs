//! Connections to the service behind.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use test_support::gateway::{Gateway, ask, call, folder, tc3};

use crate::scene::{AT_ONCE, proxy, read_request};

/// A service that answers, and does something with each connection then.
struct Service {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Service {
    fn start(then: impl Fn(&mut TcpStream, usize) -> Then + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let service = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            requests: Arc::default(),
        };
        let connections = Arc::clone(&service.connections);
        let requests = Arc::clone(&service.requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let mut stream = stream.unwrap();
                let (then, requests) = (then.clone(), Arc::clone(&requests));
                thread::spawn(move || {
                    while read_request(&mut stream).is_some() {
                        let number = requests.fetch_add(1, Ordering::SeqCst);
                        stream
                            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                            .unwrap();
                        match then(&mut stream, number) {
                            Then::Keep => {}
                            Then::Close => return,
                        }
                    }
                });
            }
        });
        service
    }

    fn gateway(&self, more: &str) -> Gateway {
        let text = proxy(
            &format!("http://{}", self.address),
            &format!("{more}{AT_ONCE}"),
        );
        Gateway::start(&folder("upstream"), &text, &[])
    }
}

enum Then {
    Keep,
    Close,
}

/// Sixteen clients send a hundred requests each, and all are answered.
fn all_are_answered(service: &Service) {
    let gateway = service.gateway("");
    let at = gateway.address();
    thread::scope(|scope| {
        for client in 0..16 {
            scope.spawn(move || {
                let mut stream = TcpStream::connect(at).unwrap();
                for number in 0..100 {
                    let body = format!("{{\"Client\":{client},\"Number\":{number}}}");
                    let request = tc3(at).body(body).sign().to_raw();
                    let answer = ask(&mut stream, &request).unwrap();
                    assert_eq!(answer.text(), "{}", "{client}: {number}");
                }
            });
        }
    });
    assert_eq!(service.requests.load(Ordering::SeqCst), 1_600);
}

#[test]
fn a_service_that_closes_without_a_word_gets_every_request_once() {
    all_are_answered(&Service::start(|_, _| Then::Close));
}

/// As one that is slow to close, or busy with others.
#[test]
fn a_service_that_closes_later_gets_every_request_once() {
    all_are_answered(&Service::start(|_, number| {
        let millis = u64::try_from(number % 20).unwrap();
        thread::sleep(Duration::from_millis(millis));
        Then::Close
    }));
}

#[test]
fn a_service_that_keeps_connections_gets_one_for_many_requests() {
    let service = Service::start(|_, _| Then::Keep);
    let gateway = service.gateway("");
    let at = gateway.address();
    let code = || call(at, &tc3(at).sign().to_raw()).code();
    assert_eq!(code(), "OK");
    // Long enough to show that the service keeps it.
    thread::sleep(Duration::from_millis(600));
    for _ in 0..100 {
        assert_eq!(code(), "OK");
    }
    assert_eq!(service.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_connection_that_waits_too_long_is_closed() {
    let (closed, waited) = channel();
    let service = Service::start(move |stream, _| {
        let began = Instant::now();
        let end = stream.read(&mut [0]);
        closed.send((end.unwrap(), began.elapsed())).unwrap();
        Then::Close
    });
    let gateway = service.gateway("upstream_idle_seconds = 1\n");
    let at = gateway.address();
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
    let (read, took) = waited.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(read, 0);
    assert!((900..5_000).contains(&took.as_millis()), "{took:?}");
}
