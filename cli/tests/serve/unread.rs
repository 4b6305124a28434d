//! Clients that take what they asked for slowly or not at all, or that keep a connection for nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use test_support::gateway::{Gateway, MOCK, config, eventually, folder, read_answer, tc3};

use crate::http2::{
    CONTINUATION, DATA, HEADERS, Http2, PING, RST_STREAM, Wire, connect, header_block,
};
use crate::scene::{AT_ONCE, read_request};

/// What a client does to hold its connection.
#[derive(Clone, Copy, Debug)]
enum Hold {
    /// HTTP/2 without a window, for the answers to so many unsigned requests.
    NoWindow { streams: u32 },
    /// HTTP/2 that opens its window by a byte a second.
    ByteByByte,
    /// HTTP/2 that stops in the middle of the answer to a signed request.
    HalfAnAnswer,
    /// HTTP/1.1 that sends requests and reads no answer.
    NeverReads,
    /// HTTP/2 with a head that never ends.
    EndlessHead,
    /// HTTP/2 with pings and no request.
    PingsOnly,
    /// HTTP/2 with a request and then with pings, which it reads.
    PingsAfterOne,
    /// HTTP/2 with nothing but its settings.
    Silent,
}

const HOLDS: [Hold; 9] = [
    Hold::NoWindow { streams: 1 },
    Hold::NoWindow { streams: 100 },
    Hold::ByteByByte,
    Hold::HalfAnAnswer,
    Hold::NeverReads,
    Hold::EndlessHead,
    Hold::PingsOnly,
    Hold::PingsAfterOne,
    Hold::Silent,
];

const INITIAL_WINDOW_SIZE: u16 = 4;
const UNSIGNED: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "cvm.tencentcloudapi.com"),
    (":path", "/"),
];

/// A gateway that has place for fifty clients.
struct Crowded {
    gateway: Gateway,
    tls: Option<PathBuf>,
}

/// What a client may take.
const LIMITS: &str = "head_seconds = 2\nbody_seconds = 2\nidle_seconds = 2\n";

impl Crowded {
    fn start(listener: &str, over_tls: bool) -> Self {
        Self::with_limits(LIMITS, listener, over_tls)
    }

    fn with_limits(limits: &str, listener: &str, over_tls: bool) -> Self {
        let folder = folder("unread");
        let tls = over_tls.then(|| folder.join("tls"));
        let self_signed = if over_tls {
            "self_signed = \"tls\"\n"
        } else {
            ""
        };
        let text = config(&format!(
            "{listener}{self_signed}[connections]\ntotal = 50\n{limits}{AT_ONCE}"
        ));
        Self {
            gateway: Gateway::start(&folder, &text, &[]),
            tls,
        }
    }

    fn connect(&self, protocol: &[u8]) -> Box<dyn Wire> {
        let tls = self.tls.as_deref().map(|folder| (folder, protocol));
        connect(self.gateway.address(), tls)
    }

    /// The code with which a signed request is answered, on a new connection.
    fn honest(&self) -> String {
        let at = self.gateway.address();
        let mut wire = self.connect(b"http/1.1");
        wire.write_all(&tc3(at).sign().to_raw()).unwrap();
        read_answer(&mut wire).unwrap().code()
    }

    fn is_held_in_each_way(&self) {
        for hold in HOLDS {
            self.is_held(hold);
        }
    }

    /// Fifty clients hold their connections, and each learns that it is gone.
    fn is_held(&self, hold: Hold) {
        let (gone, over) = mpsc::channel();
        let at = self.gateway.address();
        for _ in 0..50 {
            let protocol: &[u8] = match hold {
                Hold::NeverReads => b"http/1.1",
                _ => b"h2",
            };
            let (wire, gone) = (self.connect(protocol), gone.clone());
            thread::spawn(move || {
                hold.until_closed(wire, at);
                gone.send(()).unwrap();
            });
        }
        for _ in 0..5 {
            assert_eq!(self.honest(), "OK", "{hold:?}");
        }
        for number in 0..50 {
            let gone = over.recv_timeout(Duration::from_secs(20));
            assert!(gone.is_ok(), "{hold:?}: {number} of 50 are gone");
        }
        let at = self.gateway.address();
        let open = format!("qcloud_validator_connections{{listener=\"{at}\"}}");
        eventually("nothing is left", || {
            self.gateway.metric(&open) == Some(0.0)
        });
    }
}

impl Hold {
    /// Goes on until the connection is closed.
    fn until_closed(self, wire: Box<dyn Wire>, at: SocketAddr) {
        let window = match self {
            Self::NoWindow { .. } | Self::ByteByByte => vec![(INITIAL_WINDOW_SIZE, 0)],
            _ => Vec::new(),
        };
        if let Self::NeverReads = self {
            return never_reads(wire);
        }
        let Ok(mut client) = Http2::begin(wire, &window) else {
            return;
        };
        let pause = || thread::sleep(Duration::from_millis(500));
        match self {
            Self::NoWindow { streams } => {
                for number in 0..streams {
                    let _ = client.get(2 * number + 1, &UNSIGNED);
                }
                while client.frame().is_ok() {}
            }
            Self::ByteByByte => {
                let _ = client.get(1, &UNSIGNED);
                while client.open_window(1, 1).is_ok() {
                    thread::sleep(Duration::from_secs(1));
                }
            }
            Self::HalfAnAnswer => {
                let request = tc3(at).action("DescribeImages").sign();
                let _ = client.request(1, &request);
                while client.frame().is_ok() {}
            }
            Self::EndlessHead => {
                let _ = client.send(HEADERS, 1, 1, &header_block(&UNSIGNED));
                while client.send(CONTINUATION, 0, 1, &[]).is_ok() {
                    pause();
                }
            }
            Self::PingsOnly => {
                while client.send(PING, 0, 0, &[0; 8]).is_ok() {
                    pause();
                }
            }
            Self::PingsAfterOne => {
                let _ = client.get(1, &UNSIGNED);
                let _ = client.answer(1);
                while client.send(PING, 0, 0, &[0; 8]).is_ok() {
                    pause();
                }
            }
            Self::Silent => while client.frame().is_ok() {},
            Self::NeverReads => {}
        }
    }
}

/// Requests without end, of which no answer is read.
fn never_reads(mut wire: Box<dyn Wire>) {
    let requests = b"GET / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\n\r\n".repeat(100);
    while wire.write_all(&requests).is_ok() {}
}

/// A service that answers an action with a mebibyte, and others with little.
fn service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                while let Some(shown) = read_request(&mut stream) {
                    let shown = String::from_utf8(shown).unwrap();
                    let body = match shown.contains("DescribeImages") {
                        true => vec![b'x'; 1 << 20],
                        false => b"{}".to_vec(),
                    };
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                    if stream
                        .write_all(&[head.as_bytes(), &body].concat())
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn proxied() -> String {
    format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"proxy\"\nupstream = \"http://{}\"\n",
        service()
    )
}

#[test]
fn clients_that_hold_a_mock_are_sent_away() {
    let crowded = Crowded::start(MOCK, false);
    crowded.is_held_in_each_way();
}

#[test]
fn clients_that_hold_a_mock_over_tls_are_sent_away() {
    let crowded = Crowded::start(MOCK, true);
    crowded.is_held_in_each_way();
}

#[test]
fn clients_that_hold_a_proxy_are_sent_away() {
    let crowded = Crowded::start(&proxied(), false);
    crowded.is_held_in_each_way();
}

#[test]
fn clients_that_hold_a_proxy_over_tls_are_sent_away() {
    let crowded = Crowded::start(&proxied(), true);
    crowded.is_held_in_each_way();
}

/// It takes nine seconds, at 64 KiB a second. The operating system passes it on in lumps, a second or two apart.
#[test]
fn a_download_may_be_slow() {
    const STEP: usize = 16_384;
    const LENGTH: usize = 36 * STEP;
    const LIMITS: &str = "head_seconds = 1\nbody_seconds = 4\nidle_seconds = 1\n";
    let listener = service_of(|| vec![Piece::Bytes(vec![b'x'; LENGTH])]);
    let pause = || thread::sleep(Duration::from_millis(250));
    thread::scope(|scope| {
        for over_tls in [false, true] {
            let crowded = Arc::new(Crowded::with_limits(LIMITS, &listener, over_tls));
            let at = crowded.gateway.address();
            let also = Arc::clone(&crowded);
            scope.spawn(move || {
                let window = u32::try_from(STEP).unwrap();
                let settings = [(INITIAL_WINDOW_SIZE, window)];
                let mut client = Http2::begin(also.connect(b"h2"), &settings).unwrap();
                client.request(1, &tc3(at).sign()).unwrap();
                let (mut length, mut unacknowledged) = (0, 0);
                while length < LENGTH {
                    let frame = client.frame().unwrap();
                    assert!(
                        frame.kind == HEADERS || frame.kind == DATA,
                        "{}",
                        frame.kind
                    );
                    if frame.kind == DATA {
                        length += frame.payload.len();
                        unacknowledged += frame.payload.len();
                    }
                    if unacknowledged == STEP {
                        pause();
                        client.open_window(0, window).unwrap();
                        client.open_window(1, window).unwrap();
                        unacknowledged = 0;
                    }
                }
            });
            scope.spawn(move || {
                let mut wire = crowded.connect(b"http/1.1");
                wire.write_all(&tc3(at).sign().to_raw()).unwrap();
                let mut length = 0;
                while length < LENGTH {
                    pause();
                    let mut piece = [0; STEP];
                    let got = wire.read(&mut piece).unwrap();
                    assert_ne!(got, 0, "cut off after {length}");
                    length += got;
                }
            });
        }
    });
}

/// The connection goes on without it.
#[test]
fn a_stream_that_is_not_read_is_reset_beside_others_that_are() {
    const CANCEL: u32 = 8;
    let crowded = Crowded::start(&proxied(), false);
    let at = crowded.gateway.address();
    let mut client = Http2::begin(crowded.connect(b"h2"), &[]).unwrap();
    let large = || tc3(at).action("DescribeImages").sign();
    client.request(1, &large()).unwrap();
    let mut stream = 1;
    let mut reset = None;
    while reset.is_none() {
        stream += 2;
        client.request(stream, &large()).unwrap();
        let mut length = 0;
        while length < 1 << 20 {
            let frame = client.frame().unwrap();
            match (frame.kind, frame.stream) {
                (RST_STREAM, 1) => reset = Some(frame.payload),
                (RST_STREAM, other) => panic!("{other} was reset"),
                (DATA, of) => {
                    let taken = u32::try_from(frame.payload.len()).unwrap();
                    client.open_window(0, taken).unwrap();
                    if of == stream {
                        length += frame.payload.len();
                        client.open_window(stream, taken).unwrap();
                    }
                }
                _ => {}
            }
        }
    }
    assert_eq!(reset.unwrap(), CANCEL.to_be_bytes());
    client.request(stream + 2, &tc3(at).sign()).unwrap();
    assert_eq!(client.answer(stream + 2).unwrap().body, b"{}");
}

/// Without a key, no one keeps a connection for as long as they like.
#[test]
fn a_connection_without_an_admitted_request_ends() {
    let crowded = Crowded::start(MOCK, false);
    let at = crowded.gateway.address();
    let pause = || thread::sleep(Duration::from_millis(200));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut wire = crowded.connect(b"http/1.1");
            let unsigned = b"GET / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\n\r\n";
            let last = (0..100).find_map(|_| {
                pause();
                wire.write_all(unsigned).unwrap();
                let answer = read_answer(&mut wire).unwrap();
                assert_eq!(answer.code(), "MissingParameter");
                answer.header("connection").map(str::to_owned)
            });
            assert_eq!(last.as_deref(), Some("close"));
        });
        scope.spawn(|| {
            let mut client = Http2::begin(crowded.connect(b"h2"), &[]).unwrap();
            let ended = (0..100).find(|number| {
                pause();
                let stream = 2 * number + 1;
                client.get(stream, &UNSIGNED).is_err() || client.answer(stream).is_err()
            });
            assert!(ended.is_some());
        });
        scope.spawn(|| {
            let mut wire = crowded.connect(b"http/1.1");
            for _ in 0..30 {
                pause();
                wire.write_all(&tc3(at).sign().to_raw()).unwrap();
                let answer = read_answer(&mut wire).unwrap();
                assert_eq!(answer.code(), "OK");
                assert_eq!(answer.header("connection"), None);
            }
        });
    });
}

/// What a service sends, a piece at a time.
enum Piece {
    Bytes(Vec<u8>),
    /// Nothing, for longer than a client may be idle or slow.
    Silence,
}

/// A service that sends its answer in pieces, each as a chunk.
fn service_of(pieces: fn() -> Vec<Piece>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                read_request(&mut stream).unwrap();
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                for piece in pieces() {
                    match piece {
                        Piece::Silence => thread::sleep(Duration::from_secs(5)),
                        Piece::Bytes(bytes) => {
                            let size = format!("{:x}\r\n", bytes.len());
                            let _ = stream.write_all(&[size.as_bytes(), &bytes, b"\r\n"].concat());
                        }
                    }
                }
                let _ = stream.write_all(b"0\r\n\r\n");
            });
        }
    });
    format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"proxy\"\nupstream = \"http://{address}\"\n"
    )
}

/// Each limit is two seconds.
#[test]
fn a_stream_of_events_may_be_silent() {
    let events = || {
        vec![
            Piece::Bytes(b"one".to_vec()),
            Piece::Silence,
            Piece::Bytes(b"two".to_vec()),
        ]
    };
    let listener = service_of(events);
    thread::scope(|scope| {
        for over_tls in [false, true] {
            let crowded = Crowded::start(&listener, over_tls);
            scope.spawn(move || {
                let at = crowded.gateway.address();
                let mut client = Http2::begin(crowded.connect(b"h2"), &[]).unwrap();
                client.request(1, &tc3(at).sign()).unwrap();
                let mut wire = crowded.connect(b"http/1.1");
                wire.write_all(&tc3(at).sign().to_raw()).unwrap();
                assert_eq!(client.answer(1).unwrap().body, b"onetwo");
                assert_eq!(read_answer(&mut wire).unwrap().body, b"onetwo");
            });
        }
    });
}
