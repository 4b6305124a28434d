//! Headers by which proxies ask about a request, or services take it for another.

use qcloud_validator::testkit::Request;

use super::{Attack, last, text};
use crate::proxies::signed::{tc3_post, v2_get};
use crate::proxies::site::HOST;

/// An unsigned request that says that it is a signed one, in headers by which proxies ask or services rewrite.
pub(crate) fn originals() -> Vec<Attack> {
    let secret =
        |lines: String| format!("GET /secret HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n").into_bytes();
    let mut attacks = Vec::new();
    for names in [
        "X-Original-Method X-Original-URI",
        "X-Forwarded-Method X-Forwarded-Uri",
        "X-Original-Method X-Original-Url",
        "X-HTTP-Method-Override X-Rewrite-Url",
        "x-envoy-original-method x-envoy-original-path",
    ] {
        let (method, target) = names.split_once(' ').unwrap();
        let unsigned = |request: &Request| {
            let signed = text(request.target());
            secret(format!("{method}: GET\r\n{target}: {signed}\r\n"))
        };
        let title = format!("an unsigned request with {names} of a signed one");
        attacks.push(Attack::on(title, v2_get, unsigned).never());
        let signed =
            |request: &Request| last(request, &format!("{method}: DELETE\r\n{target}: /secret"));
        attacks.push(Attack::on(
            format!("a signed request with {names}"),
            v2_get,
            signed,
        ));
    }
    for line in [
        "X-Forwarded-Host: other.example",
        "X-Forwarded-Host: api.example.com",
        "X-Forwarded-Proto: http",
        "X-Forwarded-Proto: https",
        "X-Forwarded-For: 203.0.113.66",
        "X_Forwarded_For: 203.0.113.66",
        "X_Forwarded_Host: other.example",
        "X-Forwarded-Port: 80",
        "X-Forwarded-Prefix: /secret",
        "Forwarded: for=203.0.113.66;host=other.example;proto=http",
        "X-Real-IP: 203.0.113.66",
        "x-envoy-auth-partial-body: true",
        "x-envoy-auth-partial-body: false",
        "x-envoy-auth-headers-to-remove: x-qcloud-validator-sub-account",
        "X-HTTP-Method-Override: DELETE",
        "X-Rewrite-Url: /secret",
    ] {
        attacks.push(Attack::on(format!("{line} in a GET"), v2_get, |request| {
            last(request, line)
        }));
        attacks.push(Attack::on(
            format!("{line} in a POST"),
            tc3_post,
            |request| last(request, line),
        ));
    }
    attacks
}
