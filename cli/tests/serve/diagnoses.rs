//! Why a request was refused: for the operator in a separate line, for a test's client in the answer, and for no one at
//! the cost of the others.

use std::net::{SocketAddr, TcpStream};
use std::thread;

use qcloud_validator::diagnose::Mistake;
use qcloud_validator::testkit::{Request, Signer};
use serde_json::Value;
use test_support::gateway::{
    Gateway, MOCK, SECRET_ID, SECRET_KEY, ask, call, config, eventually, folder, tc3, v2,
};

use crate::scene::{AT_ONCE, forward_auth, proxy};

/// Four keys, since each SecretId has six diagnoses in a minute.
const SECRET_IDS: [&str; 4] = ["AKIDone", "AKIDtwo", "AKIDthree", "AKIDfour"];

fn diagnosed(rule: &str, config: String) -> String {
    let keys: String = SECRET_IDS
        .iter()
        .map(|id| {
            format!(
                "[[credential]]\nsecret_id = \"{id}\"\nsecret_key = \"k\"\naccount = \"100000000001\"\n"
            )
        })
        .collect();
    keys + &config.replace("[policy]", &format!("[policy]\ndiagnosis = \"{rule}\""))
}

fn skipped(gateway: &Gateway, cause: &str) -> f64 {
    let name = format!("qcloud_validator_diagnoses_skipped_total{{cause=\"{cause}\"}}");
    gateway.metric(&name).unwrap()
}

fn made(gateway: &Gateway) -> f64 {
    let outcomes = ["explained", "unexplained", "cut-short"].map(|outcome| {
        let name = format!("qcloud_validator_diagnoses_total{{outcome=\"{outcome}\"}}");
        gateway.metric(&name).unwrap()
    });
    outcomes.iter().sum()
}

/// The lines of the log with this message.
fn lines(gateway: &Gateway, message: &str) -> Vec<Value> {
    let log = gateway.log();
    let lines = log.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &Value| line["message"] == message)
        .collect()
}

/// Twelve in turns: 60,000 parameters in 527 KiB, and one value of 820 KiB that swells when it is encoded.
fn forged_form(at: SocketAddr, number: usize) -> Request {
    let signer = Signer::v2(SECRET_IDS[number % 4], "another key")
        .host(at.to_string())
        .action("DescribeInstances")
        .post();
    let signed = signer.sign();
    let more = if number.is_multiple_of(2) {
        (0..60_000)
            .map(|number| format!("&p{number:05}=1"))
            .collect()
    } else {
        format!("&X={}", "%26+é".repeat(140_000))
    };
    let body = [signed.body(), more.as_bytes()].concat();
    signed.with_body(body)
}

#[test]
fn the_cause_is_a_second_line_with_the_id_of_the_request() {
    let text = diagnosed("for-operator", config(MOCK));
    let gateway = Gateway::start(&folder("second-line"), &text, &[]);
    let at = gateway.address();
    let mistaken = tc3(at).sign_with_mistake(Mistake::Crlf).unwrap();
    let answer = call(at, &mistaken.to_raw());
    assert_eq!(answer.code(), "AuthFailure.SignatureFailure");
    assert!(!answer.text().contains("tc3-crlf"), "{}", answer.text());
    let body: Value = serde_json::from_slice(&answer.body).unwrap();

    gateway.logged("diagnosis");
    let id = &body["Response"]["RequestId"];
    let (request, diagnosis) = (
        &lines(&gateway, "request")[0],
        &lines(&gateway, "diagnosis")[0],
    );
    assert_eq!((&request["request_id"], &diagnosis["request_id"]), (id, id));
    assert_eq!(request.get("diagnosis"), None);
    assert_eq!(diagnosis["diagnosis"], "tc3-crlf");
    assert_eq!(diagnosis["outcome"], "explained");
    assert_eq!(made(&gateway), 1.0);
}

#[test]
fn a_body_that_was_not_seen_is_no_hindrance() {
    let text = diagnosed("for-operator", proxy("http://127.0.0.1:9", AT_ONCE));
    let gateway = Gateway::start(&folder("unseen"), &text, &[]);
    let at = gateway.address();
    let key_with_a_blank = Signer::tc3(SECRET_ID, format!("{SECRET_KEY} "))
        .host(at.to_string())
        .action("DescribeZones")
        .version("2017-03-12")
        .unsigned_payload()
        .sign();
    let answer = call(at, &key_with_a_blank.to_raw());
    assert_eq!(answer.code(), "AuthFailure.SignatureFailure");
    gateway.logged("diagnosis");
    let line = &lines(&gateway, "diagnosis")[0];
    assert_eq!(line["diagnosis"], "secret-key-whitespace");
}

#[test]
fn no_second_line_where_requests_are_not_logged() {
    let text = diagnosed("for-operator", config(MOCK)) + "[log]\nrequests = \"none\"\n";
    let mut gateway = Gateway::start(&folder("no-second-line"), &text, &[]);
    let at = gateway.address();
    let mistaken = tc3(at).sign_with_mistake(Mistake::Crlf).unwrap();
    call(at, &mistaken.to_raw());
    assert_eq!(made(&gateway), 0.0);
    gateway.signal("TERM");
    gateway.ended();
    assert_eq!(lines(&gateway, "diagnosis"), Vec::<Value>::new());
}

#[test]
fn honest_requests_are_answered_beside_a_flood_of_forged_forms() {
    let text = diagnosed("for-operator", config(MOCK));
    let gateway = Gateway::start(&folder("flood"), &text, &[]);
    let at = gateway.address();
    let forms: Vec<Vec<u8>> = (0..12)
        .map(|number| forged_form(at, number).to_raw())
        .collect();
    let strangers: Vec<_> = forms
        .into_iter()
        .map(|forged| thread::spawn(move || call(at, &forged).code()))
        .collect();
    let mut stream = TcpStream::connect(at).unwrap();
    for _ in 0..200 {
        let answer = ask(&mut stream, &v2(at).sign().to_raw()).unwrap();
        assert_eq!(answer.code(), "OK");
    }
    for stranger in strangers {
        assert_eq!(stranger.join().unwrap(), "4100");
    }
    // One is being made, six wait at most, and after each one nothing is done for nine times as long as it took.
    assert!(skipped(&gateway, "no-place") >= 1.0);
    eventually("each was made or skipped", || {
        made(&gateway) + skipped(&gateway, "no-place") == 12.0
    });
    assert_eq!(skipped(&gateway, "too-long"), 0.0);
    let lines = lines(&gateway, "diagnosis");
    assert_eq!(lines.len() as f64, made(&gateway));
    assert!(lines.iter().all(|line| line["outcome"] == "cut-short"));
}

#[test]
fn what_is_too_long_is_answered_and_not_searched() {
    let text = diagnosed("for-operator", config(MOCK));
    let gateway = Gateway::start(&folder("too-long"), &text, &[]);
    let at = gateway.address();
    let body = vec![b'x'; 2 << 20];
    let long = tc3(at).body(body).sign().with_header("X-A", "a");
    let forged = long.with_body(vec![b'y'; 2 << 20]);
    let code = call(at, &forged.to_raw()).code();
    assert_eq!(code, "AuthFailure.SignatureFailure");
    assert_eq!(skipped(&gateway, "too-long"), 1.0);
    assert_eq!(made(&gateway), 0.0);
}

#[test]
fn a_cause_that_belongs_to_the_answer_is_never_skipped() {
    let text = diagnosed("in-message", config(MOCK));
    let gateway = Gateway::start(&folder("never-skipped"), &text, &["--explain"]);
    let at = gateway.address();
    let strangers: Vec<_> = (0..6)
        .map(|number| {
            let forged = forged_form(at, number).to_raw();
            thread::spawn(move || call(at, &forged).code())
        })
        .collect();
    let mistaken: Vec<_> = (0..24)
        .map(|_| {
            let mistaken = tc3(at).sign_with_mistake(Mistake::Crlf).unwrap();
            thread::spawn(move || call(at, &mistaken.to_raw()).text())
        })
        .collect();
    for client in mistaken {
        let text = client.join().unwrap();
        assert!(text.contains("[tc3-crlf]"), "{text}");
    }
    for stranger in strangers {
        assert_eq!(stranger.join().unwrap(), "4100");
    }
    assert_eq!(made(&gateway), 30.0);
    assert_eq!(skipped(&gateway, "no-place"), 0.0);
    // The line of the request has it; there is no other.
    assert_eq!(lines(&gateway, "diagnosis"), Vec::<Value>::new());
}

#[test]
fn a_key_is_the_business_of_its_owner_in_each_mode() {
    for (mode, text) in [
        ("mock", config(MOCK)),
        ("proxy", proxy("http://127.0.0.1:9", AT_ONCE)),
    ] {
        let text = diagnosed("in-message", text);
        let gateway = Gateway::start(&folder("key"), &text, &[]);
        let at = gateway.address();
        let wrong = Signer::tc3(SECRET_ID, format!("{SECRET_KEY}\n"))
            .host(at.to_string())
            .action("DescribeZones")
            .version("2017-03-12")
            .sign();
        let answer = call(at, &wrong.to_raw()).text();
        assert!(!answer.contains("secret-key"), "{mode}: {answer}");
        gateway.logged("request");
        let line = &lines(&gateway, "request")[0];
        assert_eq!(line["diagnosis"], "secret-key-whitespace", "{mode}");
    }
}

#[test]
fn a_proxy_that_asks_is_told_the_cause_in_both_places() {
    let text = diagnosed("in-message", forward_auth("nginx", AT_ONCE));
    let gateway = Gateway::start(&folder("asked"), &text, &[]);
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    let mistaken = v2(host).sign_with_mistake(Mistake::MethodMismatch);
    let signed = mistaken.unwrap();
    let target = signed.target().to_vec();
    let question = signed
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Host", host.to_string())
        .with_header("X-Original-Method", "GET")
        .with_header("X-Original-URI", target)
        .with_target("/auth");
    let answer = call(gateway.address(), &question.to_raw());
    assert_eq!(answer.status, 403);
    assert!(
        answer.text().contains("[method-mismatch]"),
        "{}",
        answer.text()
    );
    let header = answer.header("x-qcloud-validator-response").unwrap();
    assert!(header.contains("[method-mismatch]"), "{header}");
}
