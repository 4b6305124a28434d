//! Lines of the log that are lost because standard output fails, and the metric that counts them.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use test_support::gateway::{SECRET_ID, SECRET_KEY, ask, call, eventually, folder, program, tc3};

/// A gateway whose log is not read by the test, so that its addresses are chosen here.
struct Gateway {
    child: Child,
    listener: SocketAddr,
    admin: SocketAddr,
}

impl Gateway {
    /// Starts it from a shell, by a script in which `"$@"` is the gateway.
    fn start(folder: &Path, script: &str, output: Stdio) -> Self {
        let (listener, admin) = (unused(), unused());
        let child = Command::new("sh")
            .current_dir(folder)
            .args(["-c", script, "sh"])
            .arg(program())
            .args(["serve", "--insecure-http", "--log-format", "json"])
            .args(["--listen", &listener.to_string()])
            .args(["--admin", &admin.to_string()])
            .env("TENCENTCLOUD_SECRET_ID", SECRET_ID)
            .env("TENCENTCLOUD_SECRET_KEY", SECRET_KEY)
            .stdin(Stdio::null())
            .stdout(output)
            .spawn()
            .unwrap();
        let gateway = Self {
            child,
            listener,
            admin,
        };
        eventually("it listens", || TcpStream::connect(admin).is_ok());
        gateway
    }

    fn lost_lines(&self) -> usize {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        let request = b"GET /metrics HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n";
        let text = ask(&mut stream, request).unwrap().text();
        let name = "qcloud_validator_log_lines_dropped_total ";
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(name));
        found.unwrap().parse().unwrap()
    }

    /// Sends requests, each of which makes one line.
    fn requests(&self, count: usize) {
        for _ in 0..count {
            let request = tc3(self.listener).sign().to_raw();
            assert_eq!(call(self.listener, &request).code(), "OK");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address that was free a moment ago.
fn unused() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// The two lines of the start, `listening` and `administered`.
const START: usize = 2;

#[test]
fn each_line_that_a_full_disk_refuses_is_counted_once() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let gateway = Gateway::start(&folder("full"), "exec \"$@\"", full.into());
    eventually("the start is counted", || gateway.lost_lines() == START);
    gateway.requests(100);
    eventually("all are counted", || gateway.lost_lines() >= START + 100);
    assert_eq!(gateway.lost_lines(), START + 100);
}

#[test]
fn each_line_that_a_closed_pipe_refuses_is_counted_once() {
    let mut reader = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
    let pipe = reader.stdin.take().unwrap();
    reader.wait().unwrap();
    let gateway = Gateway::start(&folder("pipe"), "exec \"$@\"", pipe.into());
    gateway.requests(3);
    eventually("all are counted", || gateway.lost_lines() >= START + 3);
    assert_eq!(gateway.lost_lines(), START + 3);
}

/// The file takes 4 KiB, which is some ten lines, then nothing, then everything.
#[test]
fn a_disk_that_has_room_again_gets_whole_lines() {
    let folder = folder("room");
    let path = folder.join("log");
    let log = File::create(&path).unwrap();
    let script = "trap '' XFSZ; ulimit -S -f 8; exec \"$@\"";
    let gateway = Gateway::start(&folder, script, log.into());
    gateway.requests(50);
    eventually("lines are lost", || gateway.lost_lines() > 0);
    let id = gateway.child.id().to_string();
    let raised = Command::new("prlimit")
        .args(["--pid", &id, "--fsize=unlimited:"])
        .status();
    assert!(raised.unwrap().success());
    gateway.requests(1);
    let written = || {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines();
        lines
            .filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
            .count()
    };
    let all = START + 51;
    eventually("each line is written whole or counted", || {
        written() + gateway.lost_lines() == all
    });
    assert_eq!(
        fs::read_to_string(&path).unwrap().lines().count(),
        written()
    );
}
