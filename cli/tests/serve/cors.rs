//! Scripts of other origins, whose browsers ask first.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use test_support::gateway::{Answer, Gateway, MOCK, call, config, folder, tc3};

use crate::scene::{AT_ONCE, faulty, proxy, read_request};

const CONSOLE: &str = "https://console.example.com";

fn preflight(origin: &str) -> Vec<u8> {
    format!(
        "OPTIONS /path?a=b HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\nOrigin: {origin}\r\n\
         Access-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: authorization,content-type,x-tc-action\r\n\
         Authorization: forged\r\nX-TC-Action: DescribeZones\r\nCookie: a=b\r\n\
         X-Qcloud-Validator-Account: 1\r\n\r\n"
    )
    .into_bytes()
}

/// A service that answers preflights in its own way.
fn service() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (shown, requests) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, shown) = (stream.unwrap(), shown.clone());
            thread::spawn(move || {
                while let Some(request) = read_request(&mut stream) {
                    let _ = shown.send(String::from_utf8(request).unwrap().to_ascii_lowercase());
                    let _ = stream.write_all(
                        b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: https://service.example\r\n\
                          Content-Length: 2\r\n\r\n{}",
                    );
                }
            });
        }
    });
    (origin, requests)
}

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[test]
fn by_default_a_preflight_is_refused_and_reaches_nobody() {
    let (origin, requests) = service();
    for text in [config(MOCK), proxy(&origin, AT_ONCE)] {
        let gateway = Gateway::start(&folder("preflight"), &text, &[]);
        let answer = call(gateway.address(), &preflight(CONSOLE));
        assert_ne!(answer.code(), "OK");
        assert_eq!(allowed(&answer), None);
    }
    assert!(requests.try_recv().is_err());
}

#[test]
fn a_listener_may_answer_preflights() {
    let (origin, requests) = service();
    let answering = format!("preflights = \"answer\"\norigins = [\"{CONSOLE}\"]\n");
    let text = proxy(&origin, &format!("{answering}{AT_ONCE}"));
    let gateway = Gateway::start(&folder("answered"), &text, &[]);
    let at = gateway.address();

    let answer = call(at, &preflight(CONSOLE));
    assert_eq!((answer.status, allowed(&answer)), (204, Some(CONSOLE)));
    for (name, value) in [
        ("access-control-allow-methods", "GET, POST"),
        (
            "access-control-allow-headers",
            "authorization,content-type,x-tc-action",
        ),
        ("access-control-max-age", "7200"),
        ("vary", "origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    let answer = call(at, &preflight("https://other.example"));
    assert_ne!(answer.code(), "OK");
    assert_eq!(allowed(&answer), None);
    // Not a preflight.
    let options = format!("OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: {CONSOLE}\r\n\r\n");
    let answer = call(at, options.as_bytes());
    assert_ne!(answer.code(), "OK");
    assert!(requests.try_recv().is_err());

    // Its script can read answers, refusals too, and others cannot.
    let signed = |origin: &str| tc3(at).sign().with_header("Origin", origin).to_raw();
    let answer = call(at, &signed(CONSOLE));
    assert_eq!(
        (answer.code().as_str(), allowed(&answer)),
        ("OK", Some(CONSOLE))
    );
    let unsigned = format!("GET / HTTP/1.1\r\nHost: a\r\nOrigin: {CONSOLE}\r\n\r\n");
    let answer = call(at, unsigned.as_bytes());
    assert_eq!(
        (answer.code().as_str(), allowed(&answer)),
        ("MissingParameter", Some(CONSOLE))
    );
    let answer = call(at, &signed("https://service.example"));
    assert_eq!((answer.code().as_str(), allowed(&answer)), ("OK", None));
}

#[test]
fn any_origin_may_be_allowed() {
    let text = config(&format!(
        "{MOCK}preflights = \"answer\"\norigins = [\"*\"]\n"
    ));
    let gateway = Gateway::start(&folder("any-origin"), &text, &[]);
    let answer = call(gateway.address(), &preflight("https://other.example"));
    assert_eq!((answer.status, allowed(&answer)), (204, Some("*")));
    assert_eq!(answer.header("vary"), None);
}

/// Without what it could take for a signature, and named as unverified.
#[test]
fn the_service_may_answer_preflights() {
    let (origin, requests) = service();
    let text = proxy(&origin, &format!("preflights = \"pass\"\n{AT_ONCE}"));
    let gateway = Gateway::start(&folder("passed"), &text, &[]);
    let at = gateway.address();
    let answer = call(at, &preflight(CONSOLE));
    assert_eq!(
        (answer.status, allowed(&answer)),
        (200, Some("https://service.example"))
    );
    let shown = requests.recv().unwrap();
    assert!(
        shown.starts_with("options /path?a=b http/1.1\r\n"),
        "{shown}"
    );
    for line in [
        "host: cvm.tencentcloudapi.com",
        "origin: https://console.example.com",
        "access-control-request-method: post",
        "x-qcloud-validator-account: none",
        "x-qcloud-validator-unverified: true",
    ] {
        assert!(
            shown.contains(&format!("\r\n{line}\r\n")),
            "{line}: {shown}"
        );
    }
    for absent in [
        "\r\nauthorization",
        "\r\nx-tc-",
        "\r\ncookie",
        "account: 1\r\n",
    ] {
        assert!(!shown.contains(absent), "{absent}: {shown}");
    }

    // Whatever only looks like one is refused.
    let with_body = [
        &preflight(CONSOLE)[..preflight(CONSOLE).len() - 2],
        b"Content-Length: 2\r\nConnection: close\r\n\r\n{}",
    ]
    .concat();
    let mut stream = TcpStream::connect(at).unwrap();
    stream.write_all(&with_body).unwrap();
    let mut refused = String::new();
    stream.read_to_string(&mut refused).unwrap();
    assert!(refused.contains("\"Error\""), "{refused}");
    assert!(requests.try_recv().is_err());
}

#[test]
fn what_is_wrong_with_the_settings_is_one_line() {
    let key = "[[credential]]\nsecret_id = \"AKID\"\nsecret_key = \"key\"\n";
    let listener = "[[listener]]\naddress = \"127.0.0.1:0\"\n";
    let mock = format!("{listener}mode = \"mock\"\n");
    let origins = "gateway.toml:8: listener.origins: expected origins as browsers send them, such as https://console.example.com, or \"*\" alone";
    for (text, expected) in [
        (
            format!("{mock}preflights = \"pass\"\n"),
            "gateway.toml:7: listener.preflights: expected \"refuse\" or \"answer\"",
        ),
        (
            format!("{mock}preflights = \"answer\"\n"),
            "gateway.toml:4: listener.origins: missing",
        ),
        (
            format!("{mock}origins = [\"*\"]\n"),
            "gateway.toml:7: listener.origins: expected only with preflights = \"answer\"",
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = []\n"),
            origins,
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = [\"*\", \"https://a\"]\n"),
            origins,
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = [\"https://a/\"]\n"),
            origins,
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = [\"https://a..b\"]\n"),
            origins,
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = [\"https://A\"]\n"),
            origins,
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = [\"https://a:443\"]\n"),
            origins,
        ),
        (
            format!("{mock}preflights = \"answer\"\norigins = [\"a\"]\n"),
            origins,
        ),
    ] {
        assert_eq!(faulty(Some(&format!("{key}{text}")), &[]), expected);
    }
}
