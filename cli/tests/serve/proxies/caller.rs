//! The headers that name the caller: all of them on every request, whatever the client or a proxy sends.

use std::net::SocketAddr;

use qcloud_validator::testkit::Request;
use test_support::gateway::{Gateway, SECRET_ID, call, folder, tc3, v2};

use super::service::{Received, SERVED, Service};
use crate::scene::{AT_ONCE, forward_auth, proxy};

/// A listener of mode `proxy` in front of a service.
struct Site {
    gateway: Gateway,
    service: Service,
}

impl Site {
    fn start(more: &str) -> Self {
        let service = Service::start();
        let config = proxy(
            &format!("http://{}", service.address),
            &format!("{more}{AT_ONCE}"),
        );
        let gateway = Gateway::start(&folder("caller"), &config, &[]);
        Self { gateway, service }
    }

    fn at(&self) -> SocketAddr {
        self.gateway.address()
    }

    fn served(&self, request: &Request) -> Received {
        let answer = call(self.at(), &request.to_raw());
        assert_eq!((answer.status, answer.text().as_str()), (200, SERVED));
        self.service.take_one()
    }
}

#[test]
fn a_service_is_sent_every_header_also_where_there_is_nothing_to_name() {
    let site = Site::start("");
    // The form is signed as a whole, and the key is a main account's.
    site.served(&v2(site.at()).post().sign()).assert_caller(&[
        ("account", "100000000001"),
        ("action", "DescribeInstances"),
        ("scheme", "HmacSHA1"),
        ("secret-id", SECRET_ID),
        ("sub-account", "none"),
        ("uncovered", "none"),
        ("unverified", "false"),
    ]);
    // A body that is passed on as it comes.
    let request = tc3(site.at()).unsigned_payload().body("{}").sign();
    site.served(&request).assert_caller(&[
        ("account", "100000000001"),
        ("action", "DescribeZones"),
        ("scheme", "TC3-HMAC-SHA256"),
        ("secret-id", SECRET_ID),
        ("sub-account", "none"),
        ("uncovered", "body, header x-tc-action, header x-tc-version"),
        ("unverified", "false"),
    ]);
}

#[test]
fn connection_removes_neither_these_headers_nor_what_a_trusted_proxy_says() {
    let names = "X-Qcloud-Validator-Sub-Account, X-Qcloud-Validator-Unverified, X-Forwarded-For, X-Forwarded-Proto, \
                 X-Real-IP, Authorization, Content-Type, Content-Length, Host, X-TC-Action, X-TC-Region";
    for (trusted, address, real) in [
        ("", "127.0.0.1", &[][..]),
        (
            "trusted_proxies = [\"127.0.0.1\"]\n",
            "198.51.100.7, 127.0.0.1",
            &["198.51.100.7"],
        ),
    ] {
        let site = Site::start(trusted);
        let request = tc3(site.at())
            .header("X-TC-Region", "ap-guangzhou")
            .header("X-Forwarded-For", "198.51.100.7")
            .header("X-Real-IP", "198.51.100.7")
            .header("Connection", names)
            .body("{\"Limit\":1}");
        let received = site.served(&request.sign());
        received.assert_caller(&[
            ("account", "100000000001"),
            ("action", "DescribeZones"),
            ("scheme", "TC3-HMAC-SHA256"),
            ("secret-id", SECRET_ID),
            ("sub-account", "none"),
            (
                "uncovered",
                "header x-tc-action, header x-tc-version, header x-tc-region",
            ),
            ("unverified", "false"),
        ]);
        assert_eq!(received.header("x-forwarded-for").join(", "), address);
        assert_eq!(received.header("x-real-ip"), real);
        assert_eq!(received.header("x-forwarded-proto"), ["http"]);
        assert_eq!(received.header("x-tc-action"), ["DescribeZones"]);
        assert_eq!(received.header("x-tc-region"), ["ap-guangzhou"]);
        assert_eq!(received.header("host"), [site.at().to_string()]);
        assert_eq!(received.header("authorization").len(), 1);
        assert_eq!(received.header("connection"), [""; 0]);
        assert_eq!(received.body, "{\"Limit\":1}");
    }
}

#[test]
fn names_that_read_alike_are_removed() {
    let site = Site::start("");
    let mut request = v2(site.at()).post().sign();
    for name in [
        "X-Qcloud-Validator-Account",
        "X_Qcloud_Validator_Account",
        "x_QCLOUD-validator_sub-account",
        "X-Qcloud.Validator.Unverified",
        "X-Qcloud-Validator-",
        "X-Qcloud-Validator-Response",
        "X-Qcloud-Validator-Role",
    ] {
        request = request.with_header(name, "1").with_header(name, "2");
    }
    for name in [
        "X_TC_Action",
        "X-TC_Version",
        "X.TC.Region",
        "Content_Type",
        "X_Forwarded_For",
        "X-Forwarded_Host",
    ] {
        request = request.with_header(name, "forged");
    }
    let request = request
        .with_header("X-Qcloud-Validation", "kept")
        .with_header("X_Mine", "kept");
    let received = site.served(&request);
    received.assert_caller(&[
        ("account", "100000000001"),
        ("action", "DescribeInstances"),
        ("scheme", "HmacSHA1"),
        ("secret-id", SECRET_ID),
        ("sub-account", "none"),
        ("uncovered", "none"),
        ("unverified", "false"),
    ]);
    assert_eq!(received.header("x-qcloud-validation"), ["kept"]);
    assert_eq!(received.header("x_mine"), ["kept"]);
    let mut values = received.headers.iter().map(|(_, value)| value.as_str());
    assert!(!values.any(|value| value == "forged"), "{received:?}");
}

/// Asks a forward-auth listener as a proxy does; what it answers, without the headers of the connection.
fn approved(asked_by: &str, more: &str, signed: &Request) -> Vec<(String, String)> {
    let config = forward_auth(asked_by, &format!("{more}{AT_ONCE}"));
    let gateway = Gateway::start(&folder("approved"), &config, &[]);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (method, target) = (text(signed.method()), text(signed.target()));
    let named = match asked_by {
        "nginx" => Some(("X-Original-Method", "X-Original-URI")),
        "traefik" => Some(("X-Forwarded-Method", "X-Forwarded-Uri")),
        _ => None,
    };
    let question = match named {
        Some((method_name, target_name)) => signed
            .clone()
            .with_header(method_name, method)
            .with_header(target_name, target)
            .with_method("GET")
            .with_target("/"),
        None => signed.clone(),
    };
    let answer = call(gateway.address(), &question.to_raw());
    assert_eq!(answer.status, 200, "{asked_by}: {}", answer.text());
    let mut headers: Vec<_> = answer
        .headers()
        .filter(|(name, _)| !["date", "content-length"].contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let ids: Vec<_> = headers
        .extract_if(.., |(name, _)| name == "x-qcloud-validator-request-id")
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    headers.sort();
    headers
}

const HOST: &str = "203.0.113.9:443";

/// What Envoy is asked to remove, whatever the client sent.
const LOOK_ALIKES: &str = "x-qcloud-validator-response,x_qcloud_validator_account,x_qcloud_validator_action,\
                           x_qcloud_validator_request_id,x_qcloud_validator_response,x_qcloud_validator_scheme,\
                           x_qcloud_validator_secret_id,x_qcloud_validator_sub_account,\
                           x_qcloud_validator_uncovered,x_qcloud_validator_unverified";

#[test]
fn a_proxy_that_asks_is_told_every_header() {
    for asked_by in ["nginx", "traefik", "envoy"] {
        let signed = v2(HOST.parse().unwrap()).sign();
        let signed = signed
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", HOST);
        let reported = approved(asked_by, "", &signed);
        let caller = [
            ("x-qcloud-validator-account", "100000000001"),
            ("x-qcloud-validator-action", "DescribeInstances"),
            ("x-qcloud-validator-scheme", "HmacSHA1"),
            ("x-qcloud-validator-secret-id", SECRET_ID),
            ("x-qcloud-validator-sub-account", "none"),
            ("x-qcloud-validator-uncovered", "body"),
            ("x-qcloud-validator-unverified", "false"),
        ];
        let removed = [("x-envoy-auth-headers-to-remove", LOOK_ALIKES)];
        let removed = if asked_by == "envoy" {
            &removed[..]
        } else {
            &[]
        };
        assert_headers(&reported, removed, &caller);
    }
}

#[test]
fn a_proxy_that_passes_a_request_unverified_is_told_so_in_every_header() {
    for asked_by in ["nginx", "traefik", "envoy"] {
        let signed = tc3(HOST.parse().unwrap()).sign().with_body("");
        let signed = signed
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", HOST);
        let more = "unseen_bodies = \"insecure-pass-unverified\"\n";
        let reported = approved(asked_by, more, &signed);
        let unverified = [
            ("x-qcloud-validator-account", "none"),
            ("x-qcloud-validator-action", "none"),
            ("x-qcloud-validator-scheme", "none"),
            ("x-qcloud-validator-secret-id", "none"),
            ("x-qcloud-validator-sub-account", "none"),
            ("x-qcloud-validator-uncovered", "all"),
            ("x-qcloud-validator-unverified", "true"),
        ];
        let removed = [("x-envoy-auth-headers-to-remove", LOOK_ALIKES)];
        let removed = if asked_by == "envoy" {
            &removed[..]
        } else {
            &[]
        };
        assert_headers(&reported, removed, &unverified);
    }
}

#[test]
fn envoy_is_asked_to_remove_what_the_client_sent() {
    let signed = v2(HOST.parse().unwrap()).sign();
    let signed = signed
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Host", HOST)
        .with_header("X-Qcloud-Validator-Role", "admin")
        .with_header("X_Qcloud-Validator_Account", "100000000009")
        // Envoy overwrites this one, and would remove the gateway's if it were asked to remove it.
        .with_header("X-Qcloud-Validator-Account", "100000000009");
    let reported = approved("envoy", "", &signed);
    let removed = [(
        "x-envoy-auth-headers-to-remove",
        "x-qcloud-validator-response,x-qcloud-validator-role,x_qcloud-validator_account,\
         x_qcloud_validator_account,x_qcloud_validator_action,x_qcloud_validator_request_id,\
         x_qcloud_validator_response,x_qcloud_validator_scheme,x_qcloud_validator_secret_id,\
         x_qcloud_validator_sub_account,x_qcloud_validator_uncovered,x_qcloud_validator_unverified",
    )];
    assert_eq!(
        reported[..1],
        [(removed[0].0.to_owned(), removed[0].1.to_owned())]
    );
    assert_eq!(reported.len(), 8);
}

fn assert_headers(reported: &[(String, String)], first: &[(&str, &str)], then: &[(&str, &str)]) {
    let reported: Vec<(&str, &str)> = reported
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(reported, [first, then].concat());
}

#[test]
fn lines_that_a_proxy_may_have_joined_are_refused_where_one_decides() {
    let host: SocketAddr = HOST.parse().unwrap();
    let config = forward_auth("envoy", "bodies = \"forwarded\"\n");
    let gateway = Gateway::start(&folder("joined"), &config, &[]);
    let ask = |request: Request| {
        let request = request
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", HOST);
        let answer = call(gateway.address(), &request.to_raw());
        (answer.status, answer.text())
    };
    let boundary = "multipart/form-data; boundary=\"a,b\"";
    let form = "--a,b\r\nContent-Disposition: form-data; name=\"Limit\"\r\n\r\n1\r\n--a,b--\r\n";
    for (name, line, signed) in [
        (
            "X-TC-Action",
            "DescribeZones,TerminateInstances",
            "DescribeZones",
        ),
        ("X-TC-Version", "2017-03-12,2020-01-01", "2017-03-12"),
        ("X-TC-Region", "ap-guangzhou,ap-beijing", "ap-guangzhou"),
        ("Content-Type", boundary, boundary),
    ] {
        // One line after another is joined to it, and covered by the signature like the first.
        let request = |value: &str| {
            let signer = tc3(host).body(if name == "Content-Type" { form } else { "{}" });
            match name {
                "Content-Type" => signer.content_type(value).sign(),
                "X-TC-Action" => signer.action(value).sign(),
                "X-TC-Version" => signer.version(value).sign(),
                _ => signer.header(name, value).sign(),
            }
        };
        let (status, text) = ask(request(line));
        assert_eq!(status, 403, "{name}: {line}");
        assert!(text.contains("InvalidParameter"), "{name}: {line}: {text}");
        assert!(
            text.to_ascii_lowercase()
                .contains(&name.to_ascii_lowercase()),
            "{name}: {line}: {text}"
        );
        if signed != line {
            let look_alike = request(signed).with_header(name.replace('-', "_"), signed);
            assert_eq!(ask(look_alike).0, 403, "{name} with _");
            assert_eq!(ask(request(signed)).0, 200, "{name}: {signed}");
        }
    }
    let hosts = format!("{HOST},{HOST}");
    let question = tc3(host)
        .body("{}")
        .sign()
        .with_header("X-Forwarded-Proto", "https");
    let answer = call(
        gateway.address(),
        &question.with_header("X-Forwarded-Host", hosts).to_raw(),
    );
    assert_eq!(answer.status, 403, "{}", answer.text());
}
