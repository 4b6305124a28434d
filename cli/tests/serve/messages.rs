//! HTTP on both sides of the gateway: what a message is before and after it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use hyper::header::{ALLOW, CONTENT_LENGTH, HeaderMap, HeaderValue};
use test_support::gateway::{Answer, Gateway, MOCK, ask, call, config, folder, tc3, v2};

use crate::http2;
use crate::scene::{AT_ONCE, forward_auth, proxy, read_request};

/// A service that gives one answer, byte for byte, to each request.
struct Service {
    gateway: Gateway,
    requests: Receiver<String>,
}

impl Service {
    fn start(answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let text = proxy(
            &format!("http://{}", listener.local_addr().unwrap()),
            AT_ONCE,
        );
        let (shown, requests) = channel();
        let answer = answer.to_owned();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, answer, shown) = (stream.unwrap(), answer.clone(), shown.clone());
                thread::spawn(move || {
                    while let Some(request) = read_request(&mut stream) {
                        let _ = shown.send(String::from_utf8(request).unwrap());
                        let _ = stream.write_all(answer.as_bytes());
                    }
                });
            }
        });
        Self {
            gateway: Gateway::start(&folder("messages"), &text, &[]),
            requests,
        }
    }

    fn at(&self) -> SocketAddr {
        self.gateway.address()
    }

    /// The answer to a signed request with more header lines.
    fn answer(&self, lines: &[(&str, &str)]) -> Answer {
        let mut request = tc3(self.at()).sign();
        for (name, value) in lines {
            request = request.with_header(*name, *value);
        }
        call(self.at(), &request.to_raw())
    }

    fn answer_over_http2(&self, fields: &[(&str, &str)]) -> http2::Decoded {
        let request = tc3(self.at()).sign();
        http2::ask(self.at(), http2::signed(&request, fields), None)
    }

    /// The last request as the service was shown it.
    fn shown(&self) -> String {
        self.requests.recv().unwrap()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

#[test]
fn an_answer_to_head_has_no_content() {
    let gateway = Gateway::start(&folder("head"), &config(MOCK), &[]);
    let at = gateway.address();
    let head = || {
        hyper::Request::head(format!("http://{at}/"))
            .body(&b""[..])
            .unwrap()
    };
    let answer = http2::ask(at, head(), None);
    assert_eq!(
        (answer.head.status.as_u16(), &answer.body[..]),
        (200, &b""[..])
    );
    let length = answer.head.headers.get(CONTENT_LENGTH).cloned();
    let mut stream = TcpStream::connect(at).unwrap();
    stream
        .write_all(b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.ends_with("\r\n\r\n"), "{text}");
    let length = length.unwrap();
    let line = format!("content-length: {}\r\n", length.to_str().unwrap());
    assert!(text.contains(&line), "{text}: {line}");

    let url = format!("http://{at}/");
    let curl = Command::new("curl")
        .args(["-sI", "--http2-prior-knowledge", &url])
        .output();
    assert!(curl.unwrap().status.success());
}

#[test]
fn an_answer_without_content_has_none_in_either_version() {
    for status in ["204 No Content", "304 Not Modified"] {
        let service = Service::start(&format!("HTTP/1.1 {status}\r\nETag: \"1\"\r\n\r\n"));
        let answer = service.answer_over_http2(&[]);
        assert_eq!(answer.head.status.as_str(), &status[..3]);
        assert_eq!(answer.head.headers.get(CONTENT_LENGTH), None);
        assert_eq!(answer.body, b"");
        let answer = service.answer(&[]);
        assert_eq!(answer.status.to_string(), &status[..3]);
        assert_eq!(answer.header("content-length"), None);
    }
}

#[test]
fn crumbs_of_a_cookie_are_one_line_for_the_service() {
    let service = Service::start(OK);
    service.answer_over_http2(&[("cookie", "a=1"), ("cookie", "b=2; c=3"), ("x-other", "1")]);
    let shown = service.shown().to_ascii_lowercase();
    assert!(shown.contains("\r\ncookie: a=1; b=2; c=3\r\n"), "{shown}");
    assert_eq!(shown.matches("cookie").count(), 1, "{shown}");
}

#[test]
fn connect_is_refused_in_either_version() {
    for text in [config(MOCK), proxy("http://127.0.0.1:1", AT_ONCE)] {
        let gateway = Gateway::start(&folder("connect"), &text, &[]);
        let at = gateway.address();
        let answer = call(at, b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n");
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("GET, POST"))
        );
        let connect = hyper::Request::connect("db:5432").body(&b""[..]).unwrap();
        let answer = http2::ask(at, connect, None);
        assert_eq!(answer.head.status, 405);
        assert_eq!(answer.head.headers[ALLOW], "GET, POST");
    }
}

/// RFC 9112 section 6.3: the encoding counts.
#[test]
fn a_length_beside_an_encoding_is_left_out() {
    let service = Service::start(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n\
         a\r\n0123456789\r\n0\r\n\r\n",
    );
    let answer = service.answer(&[]);
    assert_eq!(answer.text(), "0123456789");
    assert_eq!(answer.header("content-length"), None);
    let answer = service.answer_over_http2(&[]);
    assert_eq!(answer.body, b"0123456789");
    assert_eq!(answer.head.headers.get(CONTENT_LENGTH), None);
}

#[test]
fn a_service_may_not_switch_protocols() {
    let service = Service::start(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    );
    let upgrade = [("Connection", "upgrade"), ("Upgrade", "websocket")];
    for lines in [&[][..], &upgrade] {
        assert_eq!(service.answer(lines).code(), "InternalError");
        let shown = service.shown().to_ascii_lowercase();
        assert!(!shown.contains("upgrade"), "{shown}");
    }
    service.gateway.logged("the upstream failed");
}

#[test]
fn informational_answers_are_swallowed() {
    let service = Service::start(&format!(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n{OK}"
    ));
    assert_eq!(service.answer(&[]).text(), "{}");
    assert_eq!(service.answer_over_http2(&[]).body, b"{}");
}

#[test]
fn an_answer_may_have_many_fields() {
    for (fields, code) in [(150, "OK"), (500, "OK"), (600, "InternalError")] {
        let lines: String = (0..fields)
            .map(|number| format!("X-{number}: 1\r\n"))
            .collect();
        let service =
            Service::start(&OK.replace("Content-Length", &format!("{lines}Content-Length")));
        assert_eq!(service.answer(&[]).code(), code, "{fields}");
    }
}

#[test]
fn trailers_of_an_answer_are_passed_on() {
    let service = Service::start(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Connection\r\n\r\n\
         2\r\n{}\r\n0\r\nX-Sum: 7\r\nConnection: close\r\n\r\n",
    );
    let answer = service.answer_over_http2(&[("te", "trailers")]);
    let mut expected = HeaderMap::new();
    expected.insert("x-sum", HeaderValue::from_static("7"));
    assert_eq!(
        (&answer.body[..], answer.trailers),
        (&b"{}"[..], Some(expected))
    );
    let shown = service.shown().to_ascii_lowercase();
    assert!(shown.contains("\r\nte: trailers\r\n"), "{shown}");

    // In HTTP/1.1 to clients that ask for them.
    for (line, end) in [
        ("TE: trailers\r\n", "\r\n0\r\nx-sum: 7\r\n\r\n"),
        ("", "\r\n0\r\n\r\n"),
    ] {
        let mut stream = TcpStream::connect(service.at()).unwrap();
        let request = tc3(service.at()).sign().to_raw();
        let request = String::from_utf8(request).unwrap();
        let request = request.replacen("\r\n", &format!("\r\nConnection: close\r\n{line}"), 1);
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        assert!(text.ends_with(end), "{text}");
    }
}

/// None that the service could take for a header that was checked, or that only the gateway sets.
#[test]
fn trailers_of_a_request_are_passed_on() {
    let service = Service::start(OK);
    let mut trailers = HeaderMap::new();
    for name in [
        "x-sum",
        "x-qcloud-validator-account",
        "x_qcloud_validator_account",
        "x-tc-action",
        "x-forwarded-for",
        "authorization",
        "host",
    ] {
        trailers.insert(name, HeaderValue::from_static("7"));
    }
    let kept = tc3(service.at()).body("{\"Limit\":1}").sign();
    let passed = tc3(service.at())
        .body("{\"Limit\":1}")
        .unsigned_payload()
        .sign();
    for (request, announced) in [
        (kept, ""),
        (
            passed,
            "x-sum, x-tc-action, authorization, x-qcloud-validator-account",
        ),
    ] {
        let fields = [("trailer", announced)];
        let fields = if announced.is_empty() {
            &[][..]
        } else {
            &fields
        };
        let request = http2::signed(&request, fields);
        let answer = http2::ask(service.at(), request, Some(trailers.clone()));
        assert_eq!(answer.body, b"{}");
        let shown = service.shown().to_ascii_lowercase();
        assert!(
            shown.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{shown}"
        );
        assert!(
            shown.ends_with("{\"limit\":1}\r\n0\r\nx-sum: 7\r\n\r\n"),
            "{shown}"
        );
    }
}

/// RFC 9112 section 3.2.2 lets the target count alone; here the two must agree, since both reach the service.
#[test]
fn an_absolute_target_names_the_host_that_was_signed() {
    let service = Service::start(OK);
    let at = service.at();
    let absolute = |host: &str| {
        let raw = String::from_utf8(tc3(at).sign().to_raw()).unwrap();
        raw.replacen("POST /", &format!("POST http://{host}/"), 1)
    };
    let code = |request: String| call(at, request.as_bytes()).code();
    assert_eq!(code(absolute(&at.to_string())), "OK");
    let shown = service.shown();
    assert!(shown.starts_with("POST / HTTP/1.1\r\n"), "{shown}");
    assert!(shown.contains(&format!("\r\nhost: {at}\r\n")), "{shown}");
    assert_ne!(code(absolute("other.example")), "OK");
}

#[test]
fn a_client_that_waits_for_100_gets_it() {
    let service = Service::start(OK);
    let at = service.at();
    let request = tc3(at).body("{\"Limit\":1}").sign();
    let raw = request.with_header("Expect", "100-continue").to_raw();
    let (head, body) = raw.split_at(raw.len() - 11);
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(head).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(ask(&mut stream, body).unwrap().text(), "{}");
    let shown = service.shown().to_ascii_lowercase();
    assert!(!shown.contains("expect"), "{shown}");
}

/// The client sends none of the body, so that every answer comes without it.
#[test]
fn a_client_that_waits_for_100_with_too_long_a_body_is_not_asked_for_it() {
    let limits = "[policy.limits]\nbody_bytes = 100\nform_bytes = 100\n";
    let service = TcpListener::bind("127.0.0.1:0").unwrap();
    let service = format!("http://{}", service.local_addr().unwrap());
    for (text, status) in [
        (config(&format!("{MOCK}{limits}")), 200),
        (proxy(&service, limits), 200),
        (
            forward_auth("envoy", &format!("bodies = \"forwarded\"\n{limits}")),
            403,
        ),
    ] {
        let gateway = Gateway::start(&folder("too-long"), &text, &[]);
        let at = gateway.address();
        let tc3 = || tc3(at).body(vec![b'a'; 101]);
        for signed in [
            tc3().sign(),
            tc3().unsigned_payload().sign(),
            v2(at).post().parameter("x", "1".repeat(100)).sign(),
        ] {
            let raw = signed
                .with_header("Expect", "100-continue")
                .with_header("X-Forwarded-Proto", "https")
                .with_header("X-Forwarded-Host", at.to_string())
                .to_raw();
            let head = raw.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
            let answer = call(at, &raw[..head]);
            assert_eq!(answer.status, status, "{text}: {}", answer.text());
            assert_ne!(answer.code(), "OK");
        }
    }
}
