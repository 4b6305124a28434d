//! Configurations, services behind the gateway, and what the command says of a fault.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use test_support::gateway::{config, folder};

/// Requests are dated in the second in which the gateway starts, and are to be admitted all the same.
pub(crate) const AT_ONCE: &str = "[nonces]\nafter_restart = \"insecure-admit\"\n";

pub(crate) fn proxy(upstream: &str, more: &str) -> String {
    let listener = "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"proxy\"\n";
    config(&format!("{listener}upstream = \"{upstream}\"\n{more}"))
}

pub(crate) fn forward_auth(asked_by: &str, more: &str) -> String {
    config(&format!(
        "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"forward-auth\"\nasked_by = \"{asked_by}\"\n\
         trusted_proxies = [\"127.0.0.1\"]\n{more}"
    ))
}

/// A service that answers with what it was shown, and its address.
pub(crate) fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                while let Some(shown) = read_request(&mut stream) {
                    let head = format!(
                        "HTTP/1.1 201 Created\r\nX-From: upstream\r\nContent-Length: {}\r\n\r\n",
                        shown.len()
                    );
                    stream
                        .write_all(&[head.as_bytes(), &shown].concat())
                        .unwrap();
                }
            });
        }
    });
    address
}

/// A request as it came, with its whole body.
pub(crate) fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut shown = Vec::new();
    let mut byte = [0];
    while !shown.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        shown.push(byte[0]);
    }
    let head = String::from_utf8(shown.clone())
        .unwrap()
        .to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    if let Some(length) = length {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).ok()?;
        shown.extend_from_slice(&body);
    } else if head.contains("transfer-encoding: chunked") {
        let ends = |shown: &[u8]| {
            let last_chunk = shown.windows(5).any(|bytes| bytes == b"\r\n0\r\n");
            last_chunk && shown.ends_with(b"\r\n\r\n")
        };
        while !ends(&shown[head.len() - 2..]) {
            if stream.read(&mut byte).ok()? == 0 {
                return None;
            }
            shown.push(byte[0]);
        }
    }
    Some(shown)
}

pub(crate) fn faulty(config: Option<&str>, arguments: &[&str]) -> String {
    faulty_in(&folder("faulty"), config, arguments)
}

/// The one line of a command that does not start, in a folder with the files that the configuration names.
pub(crate) fn faulty_in(folder: &Path, config: Option<&str>, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qcloud-validator"));
    command.arg("serve").args(arguments).env_clear();
    if let Some(text) = config {
        fs::write(folder.join("gateway.toml"), text).unwrap();
        command.args(["--config", "gateway.toml"]);
    }
    let output = command.current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(output.stdout, b"");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.matches('\n').count(), 1, "{text}");
    text.trim_end().to_owned()
}
