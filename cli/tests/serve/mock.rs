//! Mode `mock`: what clients get from a vendor that admits or refuses.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use qcloud_validator::diagnose::Mistake;
use test_support::gateway::{
    Gateway, MOCK, SECRET_ID, SECRET_KEY, ask, call, config, eventually, folder, tc3, v2,
};

#[test]
fn an_admitted_request_is_answered_in_its_dialect() {
    let gateway = Gateway::start(&folder("mock"), &config(MOCK), &[]);
    let at = gateway.address();

    let answer = call(at, &tc3(at).body("{}").sign().to_raw());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let id = body["Response"]["RequestId"].as_str().unwrap();
    assert_eq!(
        answer.text(),
        format!("{{\"Response\":{{\"RequestId\":\"{id}\"}}}}")
    );
    eventually("its id is logged", || gateway.log().contains(id));

    let answer = call(at, &v2(at).sign().to_raw());
    assert_eq!(
        answer.text(),
        r#"{"code":0,"message":"","codeDesc":"Success"}"#
    );
}

#[test]
fn a_refused_request_is_answered_in_its_dialect() {
    let gateway = Gateway::start(&folder("refused"), &config(MOCK), &[]);
    let at = gateway.address();
    let once = v2(at).sign().to_raw();
    assert_eq!(call(at, &once).code(), "OK");
    assert_eq!(call(at, &once).code(), "4500");
    let stranger = qcloud_validator::testkit::Signer::tc3(SECRET_ID, "another key")
        .host(at.to_string())
        .action("DescribeZones")
        .version("2017-03-12")
        .sign();
    assert_eq!(
        call(at, &stranger.to_raw()).code(),
        "AuthFailure.SignatureFailure"
    );
    assert_eq!(
        call(at, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").code(),
        "MissingParameter"
    );
}

#[test]
fn one_connection_carries_many_requests() {
    let gateway = Gateway::start(&folder("keep-alive"), &config(MOCK), &[]);
    let at = gateway.address();
    let mut stream = TcpStream::connect(at).unwrap();
    for _ in 0..100 {
        assert_eq!(
            ask(&mut stream, &tc3(at).sign().to_raw()).unwrap().code(),
            "OK"
        );
        assert_eq!(
            ask(&mut stream, b"GET /?SecretId=1 HTTP/1.1\r\nHost: a\r\n\r\n")
                .unwrap()
                .code(),
            "MissingParameter"
        );
    }
    let samples = [
        (
            r#"requests_total{listener="AT",verdict="admitted",reason="",scheme="TC3-HMAC-SHA256"}"#,
            100.0,
        ),
        (r#"connections{listener="AT"}"#, 1.0),
    ];
    for (name, value) in samples {
        let name = format!("qcloud_validator_{}", name.replace("AT", &at.to_string()));
        assert_eq!(gateway.metric(&name), Some(value), "{name}");
    }
}

#[test]
fn the_cause_is_told_where_that_was_asked_for() {
    let gateway = Gateway::start(&folder("explain"), &config(MOCK), &["--explain"]);
    let at = gateway.address();
    let mistaken = tc3(at).sign_with_mistake(Mistake::Crlf).unwrap();
    // The policy's six in a minute would not do for a test suite.
    for _ in 0..20 {
        let answer = call(at, &mistaken.to_raw());
        assert_eq!(answer.code(), "AuthFailure.SignatureFailure");
        assert!(answer.text().contains("[tc3-crlf]"), "{}", answer.text());
    }
}

#[test]
fn https_is_served_with_a_certificate_of_its_own_making() {
    let folder = folder("self-signed");
    let listener =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\nself_signed = \"tls\"\n";
    let text = config(listener).replace("insecure-nowhere", "everywhere");
    let gateway = Gateway::start(&folder, &text, &[]);
    let mode = |file: &str| {
        fs::metadata(folder.join("tls").join(file))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(mode("key.pem"), 0o600);
    assert_eq!((mode("certificate.pem"), mode("ca.pem")), (0o644, 0o644));

    let host = format!("localhost:{}", gateway.address().port());
    for version in ["--http1.1", "--http2"] {
        let request = qcloud_validator::testkit::Signer::tc3(SECRET_ID, SECRET_KEY)
            .host(&*host)
            .action("DescribeZones")
            .version("2017-03-12")
            .sign();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", version, "--cacert"])
            .arg(folder.join("tls/ca.pem"))
            .arg("--data-raw")
            .arg(String::from_utf8(request.body().to_vec()).unwrap());
        for (name, value) in request
            .headers()
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
        {
            curl.arg("--header")
                .arg(format!("{name}: {}", String::from_utf8_lossy(value)));
        }
        let output = curl.arg(format!("https://{host}/")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            text.starts_with("{\"Response\":{\"RequestId\":"),
            "{version}: {text} {output:?}"
        );
    }
    drop(gateway);

    // Started again, it shows the same certificate.
    let before = fs::read(folder.join("tls/certificate.pem")).unwrap();
    drop(Gateway::start(&folder, &text, &[]));
    assert_eq!(
        fs::read(folder.join("tls/certificate.pem")).unwrap(),
        before
    );
}

#[test]
fn a_trusted_proxy_is_believed_and_nobody_else() {
    let listener =
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\ntrusted_proxies = [\"PROXY\"]\n";
    let text = config(listener).replace("insecure-nowhere", "everywhere");
    for (proxy, code) in [("127.0.0.1", "OK"), ("127.0.0.2", "4600")] {
        let gateway = Gateway::start(&folder("trusted"), &text.replace("PROXY", proxy), &[]);
        let at = gateway.address();
        let request = v2("203.0.113.9:443".parse().unwrap())
            .sign()
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", "203.0.113.9:443");
        assert_eq!(call(at, &request.to_raw()).code(), code, "{proxy}");
    }
}
