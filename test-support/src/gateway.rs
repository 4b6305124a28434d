//! A gateway that runs: the command's `serve` as a process of its own, and a client that speaks to it in raw bytes.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use qcloud_validator::testkit::Signer;

pub const SECRET_ID: &str = "AKIDEXAMPLEdummydummydummydummydummy12";
pub const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";

/// How long anything may take that happens at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder of its own for a test, under the target folder, empty.
pub fn folder(name: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = target_folder()
        .join("tmp")
        .join(format!("{name}-{}-{number}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// The command that cargo built beside the test that runs.
pub fn program() -> PathBuf {
    profile_folder().join("qcloud-validator")
}

/// `target/debug`, from `target/debug/deps/serve-0123456789abcdef`.
fn profile_folder() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

fn target_folder() -> PathBuf {
    profile_folder().parent().unwrap().to_owned()
}

/// One key, requests in the clear admitted, and an admin listener.
pub fn config(listeners: &str) -> String {
    format!(
        "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\"\n\
         account = \"100000000001\"\n[policy]\nhttps = \"insecure-nowhere\"\n\
         [admin]\naddress = \"127.0.0.1:0\"\n{listeners}"
    )
}

pub const MOCK: &str = "[[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\n";

/// A gateway. Killed when it is dropped.
pub struct Gateway {
    child: Child,
    pub file: PathBuf,
    lines: Arc<Mutex<Vec<String>>>,
    pub listeners: Vec<SocketAddr>,
    pub admin: SocketAddr,
}

impl Gateway {
    /// Writes the configuration into a folder and starts; waits until every listener is there.
    pub fn start(folder: &Path, config: &str, arguments: &[&str]) -> Self {
        Self::launch(Command::new(program()), folder, config, arguments)
    }

    /// The same under limits that the shell sets, such as `ulimit -n 64`.
    pub fn start_under(limits: &str, folder: &Path, config: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("{limits} && exec \"$0\" \"$@\"")])
            .arg(program());
        Self::launch(command, folder, config, &[])
    }

    fn launch(mut command: Command, folder: &Path, config: &str, arguments: &[&str]) -> Self {
        let file = folder.join("gateway.toml");
        fs::write(&file, config).unwrap();
        let errors = File::create(folder.join("stderr")).unwrap();
        let mut child = command
            .args(["serve", "--log-format", "json", "--config"])
            .arg(&file)
            .args(arguments)
            .env_remove("TENCENTCLOUD_SECRET_ID")
            .env_remove("TENCENTCLOUD_SECRET_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let (mut listeners, mut admin) = (Vec::new(), None);
        let mut started = Vec::new();
        while admin.is_none() {
            let mut line = String::new();
            if output.read_line(&mut line).unwrap() == 0 {
                let errors = fs::read_to_string(folder.join("stderr")).unwrap();
                panic!("the gateway did not start: {errors}");
            }
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            match event["message"].as_str().unwrap() {
                "listening" => {
                    let url = event["url"].as_str().unwrap();
                    let (_, address) = url.split_once("://").unwrap();
                    listeners.push(address.parse().unwrap());
                }
                "administered" => admin = Some(event["address"].as_str().unwrap().parse().unwrap()),
                _ => {}
            }
            started.push(line);
        }
        let lines = Arc::new(Mutex::new(started));
        let kept = Arc::clone(&lines);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                kept.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            file,
            lines,
            listeners,
            admin: admin.unwrap(),
        }
    }

    /// Where the first listener is.
    pub fn address(&self) -> SocketAddr {
        self.listeners[0]
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Changes how many files it may have open, while it runs.
    pub fn limit_open_files(&self, files: u32) {
        let id = self.child.id().to_string();
        let limited = Command::new("prlimit")
            .args(["--pid", &id, &format!("--nofile={files}:")])
            .status();
        assert!(limited.unwrap().success());
    }

    /// Waits until it has ended.
    pub fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.try_wait().unwrap();
        eventually("the gateway ends", || {
            child = self.child.try_wait().unwrap();
            child.is_some()
        });
        child.unwrap()
    }

    /// Its resident memory.
    pub fn memory(&self) -> Memory {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let mib = |field: &str| {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(field)).unwrap();
            let kib = line.split_whitespace().next().unwrap();
            kib.parse::<f64>().unwrap() / 1024.0
        };
        Memory {
            now: mib("VmRSS:"),
            most: mib("VmHWM:"),
        }
    }

    /// The log so far.
    pub fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// Nobody reads the log until what this returns is dropped.
    pub fn unread(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap()
    }

    /// Waits until the log has a line with this message.
    pub fn logged(&self, message: &str) {
        let needle = format!("\"message\":\"{message}\"");
        eventually(message, || self.log().contains(&needle));
    }

    /// An admin page: status and text.
    pub fn page(&self, path: &str) -> (u16, String) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n");
        let mut stream = TcpStream::connect(self.admin).unwrap();
        let answer = ask(&mut stream, request.as_bytes()).unwrap();
        (answer.status, answer.text())
    }

    /// One sample of the metrics, by its whole name with labels.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let (_, text) = self.page("/metrics");
        let mut lines = text.lines();
        lines.find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

/// Resident memory of a process in MiB.
pub struct Memory {
    pub now: f64,
    /// The most that it was since the start.
    pub most: f64,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tries until it is so, and gives up after a while.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let step = Duration::from_millis(10);
    for _ in 0..PATIENCE.as_millis() / step.as_millis() {
        if is_so() {
            return;
        }
        thread::sleep(step);
    }
    panic!("it did not come to pass that {what}");
}

/// An answer of HTTP/1.1.
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// The first header with a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Names and values of all headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.head.lines().skip(1);
        lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name, value.trim()))
        })
    }

    /// The code of a refusal, or "OK".
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        let code = &body["Response"]["Error"]["Code"];
        match (code.as_str(), body["code"].as_i64()) {
            (Some(code), _) => code.to_owned(),
            (None, Some(number)) if number != 0 => number.to_string(),
            _ => "OK".to_owned(),
        }
    }
}

/// Sends a request over a connection and reads the answer to its end.
pub fn ask(stream: &mut TcpStream, request: &[u8]) -> io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    read_answer(stream)
}

/// Reads one answer.
pub fn read_answer(stream: &mut impl Read) -> io::Result<Answer> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let mut answer = Answer {
        status: head[9..12].parse().unwrap(),
        head,
        body: Vec::new(),
    };
    if answer.header("transfer-encoding").is_some() {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = usize::from_str_radix(size.trim(), 16).unwrap();
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            if size == 0 {
                break;
            }
            answer.body.extend_from_slice(&chunk[..size]);
        }
    } else if let Some(length) = answer.header("content-length") {
        answer.body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut answer.body)?;
    }
    Ok(answer)
}

/// Sends a request over a connection of its own.
pub fn call(address: SocketAddr, request: &[u8]) -> Answer {
    ask(&mut TcpStream::connect(address).unwrap(), request).unwrap()
}

/// A signer for a host, at the time of now.
pub fn v2(host: SocketAddr) -> Signer {
    Signer::v2(SECRET_ID, SECRET_KEY)
        .host(host.to_string())
        .action("DescribeInstances")
        .get()
}

pub fn tc3(host: SocketAddr) -> Signer {
    Signer::tc3(SECRET_ID, SECRET_KEY)
        .host(host.to_string())
        .action("DescribeZones")
        .version("2017-03-12")
}
