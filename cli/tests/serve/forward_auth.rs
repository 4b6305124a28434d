//! Mode `forward-auth`: what a proxy that asks is answered.

use std::net::SocketAddr;

use test_support::gateway::{Gateway, call, folder, tc3, v2};

use crate::scene::{AT_ONCE, forward_auth};

#[test]
fn each_kind_of_proxy_names_the_request_in_its_own_way() {
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    for (asked_by, method, target) in [
        ("nginx", "X-Original-Method", "X-Original-URI"),
        ("traefik", "X-Forwarded-Method", "X-Forwarded-Uri"),
        ("envoy", "", ""),
    ] {
        let gateway = Gateway::start(&folder("asked"), &forward_auth(asked_by, AT_ONCE), &[]);
        let at = gateway.address();
        let question = |signed: qcloud_validator::testkit::Request| {
            let signed = signed
                .with_header("X-Forwarded-Proto", "https")
                .with_header("X-Forwarded-Host", host.to_string());
            if asked_by == "envoy" {
                return signed.to_raw();
            }
            let original = (signed.method().to_vec(), signed.target().to_vec());
            signed
                .with_header(method, original.0)
                .with_header(target, original.1)
                .with_method("GET")
                .with_target("/auth")
                .to_raw()
        };
        let answer = call(at, &question(v2(host).sign()));
        assert_eq!(answer.status, 200, "{asked_by}: {}", answer.text());
        assert_eq!(
            answer.header("x-qcloud-validator-account"),
            Some("100000000001")
        );
        assert_eq!(
            answer.header("x-qcloud-validator-action"),
            Some("DescribeInstances")
        );

        // What only its body could verify.
        let answer = call(at, &question(tc3(host).sign().with_body("")));
        assert_eq!(
            (answer.status, answer.code()),
            (403, "InvalidParameter".to_owned()),
            "{asked_by}"
        );
        let reported = answer.header("x-qcloud-validator-response").unwrap();
        assert_eq!(reported, answer.text());

        // A header of another kind of proxy is the client's own.
        let foreign = match asked_by {
            "nginx" => "X-Forwarded-Uri",
            _ => "X-Original-URI",
        };
        let signed = v2(host).sign();
        let forged = signed
            .clone()
            .with_target("/?Action=Other")
            .with_header(foreign, signed.target());
        assert_eq!(call(at, &question(forged)).status, 403, "{asked_by}");
    }
}

/// No signature covers such a body, so that nothing but these limits stands between it and the service.
#[test]
fn an_unsigned_body_that_is_too_long_or_too_slow_is_denied() {
    let limits = "bodies = \"forwarded\"\n[policy.limits]\nbody_bytes = 100\nform_bytes = 100\n\
                  [connections]\nbody_seconds = 1\n";
    let gateway = Gateway::start(
        &folder("unsigned"),
        &forward_auth("envoy", limits).replace("[policy]\n", "[policy]\nreplay_tc3 = \"off\"\n"),
        &[],
    );
    let at = gateway.address();
    let question = |framing: &str, sent: &str| {
        let signed = tc3(at).body("").unsigned_payload().sign();
        let raw = signed
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", at.to_string())
            .to_raw();
        let raw = String::from_utf8(raw).unwrap();
        let framed = raw.replace("Content-Length: 0", framing);
        assert_ne!(framed, raw);
        let answer = call(at, (framed + sent).as_bytes());
        // An approval has no body.
        let code = (answer.status != 200).then(|| answer.code());
        (answer.status, code.unwrap_or_default())
    };
    let long = format!("65\r\n{}\r\n0\r\n\r\n", "a".repeat(101));
    let fits = format!("64\r\n{}\r\n0\r\n\r\n", "a".repeat(100));
    let chunked = "Transfer-Encoding: chunked";
    let too_long = (403, "RequestSizeLimitExceeded".to_owned());
    assert_eq!(question("Content-Length: 101", &"a".repeat(101)), too_long);
    assert_eq!(question(chunked, &long), too_long);
    let cut_off = (403, "InvalidParameter".to_owned());
    assert_eq!(question("Content-Length: 100", "a"), cut_off);
    assert_eq!(question(chunked, &fits).0, 200);
    assert_eq!(question("Content-Length: 100", &"a".repeat(100)).0, 200);
}
