//! Mode `proxy`: what reaches the service behind, and what does not.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};

use test_support::gateway::{Gateway, SECRET_ID, call, folder, read_answer, tc3, v2};

use crate::scene::{AT_ONCE, echo, proxy};

#[test]
fn the_service_is_shown_the_request_and_its_caller() {
    let text = proxy(&format!("http://{}", echo()), AT_ONCE);
    let gateway = Gateway::start(&folder("proxy"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at)
        .body("{\"Limit\":1}")
        .header("X-Qcloud-Validator-Account", "1")
        .header("X_Qcloud_Validator_Account", "2")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-For", "203.0.113.1")
        .header("X-Forwarded-Host", "other.example")
        .header("Forwarded", "for=203.0.113.1")
        .header("Connection", "X-TC-Region, X-Mine, Authorization")
        .header("X-TC-Region", "ap-guangzhou")
        .header("X-Mine", "1")
        .header("X-Kept", "1")
        .sign();
    let answer = call(at, &request.to_raw());
    assert_eq!(
        (answer.status, answer.header("x-from")),
        (201, Some("upstream"))
    );
    let shown = answer.text();
    let (head, body) = shown.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "{\"Limit\":1}");
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST / HTTP/1.1");
    let has = |line: &str| lines.iter().any(|other| other.eq_ignore_ascii_case(line));
    for line in [
        format!("host: {at}"),
        "x-tc-region: ap-guangzhou".to_owned(),
        "x-kept: 1".to_owned(),
        "x-forwarded-proto: http".to_owned(),
        "x-forwarded-for: 127.0.0.1".to_owned(),
        format!("x-qcloud-validator-secret-id: {SECRET_ID}"),
        "x-qcloud-validator-account: 100000000001".to_owned(),
        "x-qcloud-validator-action: DescribeZones".to_owned(),
        "x-qcloud-validator-scheme: TC3-HMAC-SHA256".to_owned(),
        "x-qcloud-validator-uncovered: header x-tc-action, header x-tc-version, header x-tc-region"
            .to_owned(),
    ] {
        assert!(has(&line), "{line} is not in {head}");
    }
    let lower = head.to_ascii_lowercase();
    assert!(
        lower.contains("\r\nauthorization: tc3-hmac-sha256"),
        "{head}"
    );
    for absent in [
        "x-mine",
        "\r\nconnection",
        "x_qcloud",
        "account: 1\r",
        "account: 2\r",
        "203.0.113.1",
        "other.example",
    ] {
        assert!(!lower.contains(absent), "{absent} is in {head}");
    }
}

#[test]
fn a_proxy_in_front_tells_the_service_who_came_to_it() {
    let more = format!("trusted_proxies = [\"127.0.0.1\"]\n{AT_ONCE}");
    let text = proxy(&format!("http://{}", echo()), &more);
    let gateway = Gateway::start(&folder("chain"), &text, &[]);
    let request = v2("203.0.113.9:443".parse().unwrap())
        .sign()
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Host", "203.0.113.9:443")
        .with_header("X-Forwarded-For", "198.51.100.7");
    let shown = call(gateway.address(), &request.to_raw()).text();
    for line in [
        "x-forwarded-for: 198.51.100.7\r\nx-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-proto: https\r\n",
        "x-forwarded-host: 203.0.113.9:443\r\n",
    ] {
        assert!(shown.contains(line), "{line} is not in {shown}");
    }
}

#[test]
fn an_unsigned_body_may_not_be_longer_than_another() {
    let limits = "[policy.limits]\nbody_bytes = 1000\nform_bytes = 1000\n";
    let text = proxy(&format!("http://{}", echo()), limits);
    let gateway = Gateway::start(&folder("long-stream"), &text, &[]);
    let at = gateway.address();
    let request = |length: usize| tc3(at).unsigned_payload().body(vec![b'a'; length]).sign();
    assert_eq!(call(at, &request(1_000).to_raw()).status, 201);
    let answer = call(at, &request(1_001).to_raw());
    assert_eq!(answer.code(), "RequestSizeLimitExceeded");

    // Its length is not announced.
    let announced = String::from_utf8(request(1_001).to_raw()).unwrap();
    let (head, body) = announced.split_once("\r\n\r\n").unwrap();
    let head = head.replace("Content-Length: 1001", "Transfer-Encoding: chunked");
    let chunked = format!("{head}\r\n\r\n3e9\r\n{body}\r\n0\r\n\r\n");
    assert_eq!(call(at, chunked.as_bytes()).code(), "InternalError");
}

#[test]
fn what_is_refused_never_reaches_the_service() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = proxy(&format!("http://{}", listener.local_addr().unwrap()), "");
    let gateway = Gateway::start(&folder("not-reached"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at).sign().with_body("{\"Limit\":2}");
    assert_eq!(
        call(at, &request.to_raw()).code(),
        "AuthFailure.SignatureFailure"
    );
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
}

/// The client goes away, or has nothing more to send, before its body is whole.
#[test]
fn a_body_that_is_cut_short_reaches_nobody_and_uses_nothing_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let service = format!("http://{}", listener.local_addr().unwrap());
    let gateway = Gateway::start(&folder("cut-short"), &proxy(&service, AT_ONCE), &[]);
    let at = gateway.address();
    let whole = v2(at).post().sign().to_raw();
    for missing in [1, 20] {
        for how in [Shutdown::Write, Shutdown::Both] {
            let mut stream = TcpStream::connect(at).unwrap();
            stream.write_all(&whole[..whole.len() - missing]).unwrap();
            stream.shutdown(how).unwrap();
            let answer = read_answer(&mut stream);
            assert!(answer.is_err() || answer.unwrap().code() != "OK");
        }
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err());
    drop(listener);
    // Refused for the service alone, which is gone: the nonce was unused until now, and is used from here on.
    assert_eq!(call(at, &whole).code(), "6000");
    assert_eq!(call(at, &whole).code(), "4500");
}

#[test]
fn a_dead_or_slow_service_is_told_in_the_dialect() {
    let dead = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let gateway = Gateway::start(
        &folder("dead"),
        &proxy(&format!("http://{dead}"), AT_ONCE),
        &[],
    );
    let at = gateway.address();
    let answer = call(at, &tc3(at).sign().to_raw());
    assert_eq!(
        (answer.status, answer.code()),
        (200, "InternalError".to_owned())
    );
    assert_eq!(call(at, &v2(at).sign().to_raw()).code(), "6000");
    assert_eq!(
        gateway.metric("qcloud_validator_upstream_failures_total"),
        Some(2.0)
    );

    // It accepts and says nothing.
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = slow.local_addr().unwrap();
    let text = proxy(&format!("http://{address}"), "upstream_seconds = 1\n");
    let gateway = Gateway::start(&folder("slow"), &text, &[]);
    let at = gateway.address();
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "InternalError");
    gateway.logged("the upstream failed");
}

#[test]
fn a_body_that_is_not_signed_goes_through_as_it_comes() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = proxy(&format!("http://{}", upstream.local_addr().unwrap()), "");
    let gateway = Gateway::start(&folder("stream"), &text, &[]);
    let at = gateway.address();
    let request = tc3(at)
        .unsigned_payload()
        .body("first, second")
        .sign()
        .to_raw();
    let middle = request.len() - "second".len();
    let mut client = TcpStream::connect(at).unwrap();
    client.write_all(&request[..middle]).unwrap();
    let (mut service, _) = upstream.accept().unwrap();
    let mut shown = Vec::new();
    // The first half is there although the client has not sent the second.
    while !shown.ends_with(b"first, ") {
        let mut piece = [0; 1024];
        let length = service.read(&mut piece).unwrap();
        assert_ne!(length, 0, "{}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&piece[..length]);
    }
    client.write_all(&request[middle..]).unwrap();
    let mut rest = [0; 6];
    service.read_exact(&mut rest).unwrap();
    assert_eq!(&rest, b"second");
    service
        .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
        .unwrap();
    assert_eq!(read_answer(&mut client).unwrap().status, 204);
}
