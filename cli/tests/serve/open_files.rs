//! The limit of open files.

use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::Duration;

use test_support::gateway::{Gateway, MOCK, ask, call, config, eventually, folder, program, tc3};

fn open(gateway: &Gateway) -> Option<f64> {
    let listener = gateway.address();
    gateway.metric(&format!(
        "qcloud_validator_connections{{listener=\"{listener}\"}}"
    ))
}

#[test]
fn the_limit_is_raised_as_far_as_it_goes() {
    let text = config(&format!("{MOCK}[connections]\ntotal = 300\n"));
    let limits = "ulimit -Sn 64 && ulimit -Hn 400";
    let gateway = Gateway::start_under(limits, &folder("raised"), &text);
    let at = gateway.address();
    let mut clients: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(at).unwrap()).collect();
    for client in &mut clients {
        let answer = ask(client, &tc3(at).sign().to_raw()).unwrap();
        assert_eq!(answer.code(), "OK");
    }
    assert_eq!(open(&gateway), Some(300.0));
    assert!(!gateway.log().contains("open files"));
}

/// Sixty-four are kept for other things, and two for the listener.
#[test]
fn no_more_connections_are_opened_than_it_suffices_for() {
    let limits = "[connections]\ntotal = 1000\nhead_seconds = 3\n";
    let text = config(&format!("{MOCK}{limits}"));
    let gateway = Gateway::start_under("ulimit -n 100", &folder("few-files"), &text);
    gateway.logged(
        "only 34 connections of total = 1000 can be open at one time: the limit of open files \
         (ulimit -n, LimitNOFILE) is too low",
    );
    let at = gateway.address();
    let clients: Vec<TcpStream> = (0..200).map(|_| TcpStream::connect(at).unwrap()).collect();
    eventually("it is full", || open(&gateway) == Some(34.0));
    for _ in 0..20 {
        assert_eq!(gateway.page("/readyz"), (200, "ready\n".to_owned()));
    }
    assert!(!gateway.log().contains("could not be accepted"));
    drop(clients);
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
}

#[test]
fn a_limit_without_room_for_one_connection_is_one_line() {
    let folder = folder("no-room");
    std::fs::write(folder.join("gateway.toml"), config(MOCK)).unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -n 60 && exec \"$0\" serve --config gateway.toml",
        ])
        .arg(program())
        .current_dir(&folder)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "open files: expected a limit of at least 67 (ulimit -n, LimitNOFILE); it is 60\n"
    );
}

/// Others may take the files that the whole system has.
#[test]
fn failing_to_accept_is_one_line() {
    let text = config(&format!("{MOCK}[connections]\ntotal = 30\n"));
    let gateway = Gateway::start_under("ulimit -n 200", &folder("no-files"), &text);
    let at = gateway.address();
    gateway.limit_open_files(20);
    let clients: Vec<TcpStream> = (0..30).map(|_| TcpStream::connect(at).unwrap()).collect();
    let lines = || gateway.log().matches("could not be accepted").count();
    eventually("it is logged", || lines() == 1);
    // It is tried twenty times a second.
    thread::sleep(Duration::from_secs(1));
    assert_eq!(lines(), 1);
    gateway.limit_open_files(200);
    drop(clients);
    assert_eq!(call(at, &tc3(at).sign().to_raw()).code(), "OK");
}
