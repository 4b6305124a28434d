//! Messages that the gateway and what stands around it could read in two ways.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use test_support::gateway::{Gateway, MOCK, call, config, folder, tc3, v2};

/// A service that takes four seconds for the body of its answer is not cut off by an idle time of one second.
#[test]
fn an_answer_that_takes_longer_than_the_idle_time_arrives_whole() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let text = config(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"proxy\"\nupstream = \"http://{}\"\n[connections]\nidle_seconds = 1\nhead_seconds = 1\n",
        upstream.local_addr().unwrap()
    ));
    let gateway = Gateway::start(&folder("long-answer"), &text, &[]);
    let at = gateway.address();
    thread::spawn(move || {
        let (mut service, _) = upstream.accept().unwrap();
        let mut head = [0; 4096];
        let _ = service.read(&mut head).unwrap();
        service
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
            .unwrap();
        for _ in 0..8 {
            thread::sleep(Duration::from_millis(500));
            let _ = service.write_all(b"x");
        }
    });
    let mut client = TcpStream::connect(at).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    client.write_all(&tc3(at).sign().to_raw()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    while !answer.ends_with(b"xxxxxxxx") {
        let length = client.read(&mut piece).unwrap();
        assert_ne!(length, 0, "cut off: {}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..length]);
    }
}

/// What stands behind `#` goes to the service, so it is checked too, or the question refused.
#[test]
fn a_target_with_a_fragment_is_not_checked_without_it() {
    for (asked_by, method, target) in [
        ("nginx", "X-Original-Method", "X-Original-URI"),
        ("traefik", "X-Forwarded-Method", "X-Forwarded-Uri"),
    ] {
        let text = config(&format!(
            "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"{asked_by}\"\n\
             trusted_proxies = [\"127.0.0.1\"]\n[nonces]\nafter_restart = \"insecure-admit\"\n"
        ));
        let gateway = Gateway::start(&folder("fragment"), &text, &[]);
        let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
        let signed = v2(host).sign();
        let mut original = signed.target().to_vec();
        original.extend_from_slice(b"#&InstanceIds.0=ins-1");
        let question = signed
            .with_header("X-Forwarded-Proto", "https")
            .with_header("X-Forwarded-Host", host.to_string())
            .with_header(method, "GET")
            .with_header(target, original)
            .with_target("/auth");
        let answer = call(gateway.address(), &question.to_raw());
        assert_ne!(answer.status, 200, "{asked_by}");
    }
}

/// The header of another kind of proxy is the client's own.
#[test]
fn a_client_cannot_tell_that_its_body_was_cut_off() {
    let text = config(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"traefik\"\nbodies = \"forwarded\"\n\
         unseen_bodies = \"insecure-pass-unverified\"\ntrusted_proxies = [\"127.0.0.1\"]\n",
    );
    let gateway = Gateway::start(&folder("partial"), &text, &[]);
    let host: SocketAddr = "203.0.113.9:443".parse().unwrap();
    let forged = v2(host).post().sign();
    let mut body = forged.body().to_vec();
    body.extend_from_slice(b"&InstanceIds.0=ins-1");
    let question = forged
        .with_body(body)
        .with_header("X-Forwarded-Proto", "https")
        .with_header("X-Forwarded-Host", host.to_string())
        .with_header("X-Forwarded-Method", "POST")
        .with_header("X-Forwarded-Uri", "/v2/index.php")
        .with_header("X-Envoy-Auth-Partial-Body", "true")
        .with_target("/auth");
    assert_eq!(call(gateway.address(), &question.to_raw()).status, 403);
}

/// It is compared at each of its values, and would take the square of its length.
#[test]
fn a_json_field_with_a_name_without_end_is_refused() {
    let text = config(&format!(
        "{MOCK}[[action]]\nname = \"DescribeZones\"\nresources = [\"InstanceIds.*\"]\n[[account]]\nuin = \"100000000001\"\n\
         [[account.rule]]\neffect = \"deny\"\nactions = [\"*\"]\nresources = [\"ins-prod-*\"]\n"
    ));
    let gateway = Gateway::start(&folder("long-names"), &text, &[]);
    let at = gateway.address();
    let code = |body: String| call(at, &tc3(at).body(body).sign().to_raw()).code();
    let inner = "k".repeat(1021);
    assert_eq!(code(format!("{{\"{inner}\":[1,2]}}")), "OK");
    assert_eq!(code(format!("{{\"{inner}kk\":[1,2]}}")), "InternalError");
    assert_eq!(
        code(format!("{{\"a\":{{\"{inner}kk\":1}},\"b\":1}}")),
        "InternalError"
    );
    assert_eq!(
        code("{\"a\":{\"InstanceIds\":[1]},\"InstanceIds\":[\"ins-1\"]}".to_owned()),
        "OK"
    );
    assert_ne!(
        code("{\"a\":1,\"InstanceIds\":[\"ins-1\",\"ins-prod-1\"]}".to_owned()),
        "OK"
    );
}
