//! The target and the host in other forms than the signed.

use qcloud_validator::testkit::Request;

use super::{Attack, first, last, replace, replaced, text};
use crate::proxies::signed::{Signed, doubled_slashes, encoded_path, long_target, tc3_get, v2_get};
use crate::proxies::site::HOST;

pub(crate) fn paths() -> Vec<Attack> {
    let mut attacks = vec![
        Attack::signed_otherwise("a path with doubled slashes", v2_get, doubled_slashes),
        Attack::signed_otherwise("a path that is encoded", v2_get, encoded_path),
        Attack::signed_otherwise("a target of 30 KB", v2_get, long_target),
    ];
    // A proxy that cleans paths may make the signed one of these.
    for path in [
        "//v2//index.php",
        "/secret/../v2/index.php",
        "/secret/%2e%2e/v2/index.php",
    ] {
        attacks.push(Attack::on(path, v2_get, sent_to(path)));
    }
    for path in [
        "/v2%2Findex.php",
        "/v2/index.php;a=b",
        "/v2\\index.php",
        "/v2/index.php/",
        "/V2/index.php",
        "/secret#/v2/index.php",
    ] {
        attacks.push(Attack::on(path, v2_get, sent_to(path)).never());
    }
    let fragment = |request: &Request| replaced(request, " HTTP/1.1", "#fragment HTTP/1.1");
    attacks.push(Attack::on("a fragment after the query", v2_get, fragment));
    // TC3 signs `/`, whatever the path.
    let elsewhere = |request: &Request| replaced(request, " /?", " /admin/../secret?");
    let unsigned = |signed: Signed| {
        let target = text(signed.request.target()).replace("/?", "/admin/../secret?");
        Signed {
            request: signed.request.with_target(target),
            uncovered: "path, header x-tc-action, header x-tc-version",
            ..signed
        }
    };
    attacks.push(Attack::on("a path that TC3 does not sign", tc3_get, elsewhere).seen_as(unsigned));
    attacks
}

fn sent_to(path: &'static str) -> impl Fn(&Request) -> Vec<u8> {
    move |request| replaced(request, " /v2/index.php?", &format!(" {path}?"))
}

pub(crate) fn hosts() -> Vec<Attack> {
    let other = "other.example";
    let own_line = format!("Host: {HOST}");
    let with_port = |signed: Signed| Signed {
        request: signed
            .request
            .without_header("Host")
            .with_header("Host", "api.example.com:8443"),
        ..signed
    };
    let two = |request: &Request| replaced(request, HOST, "api.example.com, other.example");
    let port = |request: &Request| replaced(request, HOST, "api.example.com:8443");
    let none = |request: &Request| request.clone().without_header("Host").to_raw();
    let before = |request: &Request| first(&request.to_raw(), "Host: other.example");
    vec![
        Attack::on("absolute form", v2_get, in_absolute_form(HOST, HOST)),
        Attack::on(
            "absolute form for another, Host signed",
            v2_get,
            in_absolute_form(other, HOST),
        ),
        Attack::on(
            "absolute form signed, Host another",
            v2_get,
            in_absolute_form(HOST, other),
        ),
        Attack::on(
            "absolute form for another, as Host",
            v2_get,
            in_absolute_form(other, other),
        )
        .never(),
        Attack::on("two equal Host lines", v2_get, |request| {
            last(request, &own_line)
        }),
        Attack::on("another Host after", v2_get, |request| {
            last(request, "Host: other.example")
        }),
        Attack::on("another Host before", v2_get, before),
        Attack::on("a Host of two", v2_get, two).never(),
        Attack::on("a Host with a port", v2_get, port).seen_as(with_port),
        Attack::on("no Host", v2_get, none).never(),
    ]
}

fn in_absolute_form(target: &'static str, host: &'static str) -> impl Fn(&Request) -> Vec<u8> {
    move |request| {
        let raw = replaced(request, "GET /", &format!("GET https://{target}/"));
        replace(&raw, &format!("Host: {HOST}"), &format!("Host: {host}"))
    }
}
