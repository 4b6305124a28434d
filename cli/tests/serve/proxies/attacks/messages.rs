//! Methods, versions, where a message begins and ends, and what is asked of a connection.

use qcloud_validator::testkit::Request;

use super::{Attack, insert, last, replaced};
use crate::proxies::signed::{Signed, tc3_post, v2_get};
use crate::proxies::site::HOST;

/// Methods and versions that are not the signed.
pub(crate) fn start_lines() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for version in ["HTTP/1.0", "HTTP/1.2"] {
        attacks.push(Attack::on(version, v2_get, |request| {
            replaced(request, "HTTP/1.1", version)
        }));
    }
    for method in ["CONNECT", "DELETE", "HEAD", "OPTIONS", "TRACE", "get"] {
        let edit = |request: &Request| replaced(request, "GET /", &format!("{method} /"));
        attacks.push(Attack::on(method, v2_get, edit).never());
    }
    let without_version = |request: &Request| [b"GET ", request.target(), b"\r\n\r\n"].concat();
    attacks.push(Attack::on("HTTP/0.9", v2_get, without_version).never());
    let preflight = |_: &Request| {
        let lines = "Origin: https://console.example\r\nAccess-Control-Request-Method: POST";
        format!("OPTIONS / HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n\r\n").into_bytes()
    };
    attacks.push(Attack::on("a preflight", v2_get, preflight).never());
    attacks
}

/// Several ways to say where a body ends, some with another request behind it.
pub(crate) fn framing() -> Vec<Attack> {
    let second = format!("GET /secret HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    // A program that reads a length finds one body; one that reads chunks finds an empty body, and a request behind it.
    let rest = format!("0\r\n\r\n{second}");
    let smuggled = |coding: &'static str| {
        let rest = rest.clone();
        move |request: &Request| {
            let lines = format!("Content-Length: {}\r\n{coding}", rest.len());
            [&last(request, &lines), rest.as_bytes()].concat()
        }
    };
    let mut attacks = Vec::new();
    for coding in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding : chunked",
    ] {
        let name = format!("a second request in the body after {coding:?}");
        attacks.push(Attack::on(name, v2_get, smuggled(coding)));
    }
    let as_body = |signed: Signed| Signed {
        request: signed.request.with_body(rest.clone()),
        uncovered: "body",
        ..signed
    };
    let underscored = smuggled("Transfer_Encoding: chunked");
    let name = "a second request in the body after Transfer_Encoding";
    attacks.push(Attack::on(name, v2_get, underscored).seen_as(as_body));
    for coding in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Length: 3\r\nTransfer-Encoding: chunked",
    ] {
        let edit = |request: &Request| in_chunks(request, coding);
        attacks.push(Attack::on(
            format!("a body after {coding:?}"),
            tc3_post,
            edit,
        ));
    }
    for length in ["Content-Length: 3", "Content-Length: 11"] {
        let edit = |request: &Request| last(request, length);
        attacks.push(Attack::on(format!("also {length}"), tc3_post, edit));
    }
    for length in ["+11", "11, 11", "0x0b", "011", "12"] {
        let edit = |request: &Request| {
            replaced(
                request,
                "Content-Length: 11",
                &format!("Content-Length: {length}"),
            )
        };
        attacks.push(Attack::on(
            format!("Content-Length: {length}"),
            tc3_post,
            edit,
        ));
    }
    let pipelined = |request: &Request| [&request.to_raw(), second.as_bytes()].concat();
    attacks.push(Attack::on(
        "a second request behind the first",
        v2_get,
        pipelined,
    ));
    attacks
}

/// What is asked of the next program on the way.
pub(crate) fn expectations() -> Vec<Attack> {
    let expect = |request: &Request| last(request, "Expect: 100-continue");
    let mut attacks = vec![Attack::on("Expect: 100-continue", tc3_post, expect)];
    for lines in [
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk",
        "Max-Forwards: 0",
        "TE: trailers",
    ] {
        let edit = |request: &Request| last(request, lines);
        attacks.push(Attack::on(lines, v2_get, edit));
    }
    attacks
}

fn in_chunks(request: &Request, lines: &str) -> Vec<u8> {
    let head = replaced(&request.clone().with_body(""), "Content-Length: 0\r\n", "");
    let body = request.body();
    let size = format!("{:x}\r\n", body.len());
    [
        &insert(&head, lines),
        size.as_bytes(),
        body,
        b"\r\n0\r\n\r\n",
    ]
    .concat()
}
