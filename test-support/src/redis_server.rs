//! A Redis or Valkey server of a test's own: on a free port of the loopback address, with nothing on disk, gone with the
//! test.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    tls_port: Option<u16>,
    program: String,
    folder: PathBuf,
    options: Vec<String>,
    process: Child,
}

impl RedisServer {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts with more options, as on the command line.
    pub fn start_with(options: &[&str]) -> Self {
        Self::start_at(redis(), || None, options)
    }

    /// Starts with a second port for TLS, which the options say more about.
    pub fn start_with_tls(options: &[&str]) -> Self {
        Self::start_at(redis(), || Some(free_port()), options)
    }

    /// Starts the server that `VALKEY_SERVER` names, or else the same as for the others.
    pub fn start_valkey() -> Self {
        let program = std::env::var("VALKEY_SERVER");
        Self::start_at(program.unwrap_or_else(|_| redis()), || None, &[])
    }

    fn start_at(program: String, tls_port: fn() -> Option<u16>, options: &[&str]) -> Self {
        // Between looking for a port and using it another may take it.
        for _ in 0..10 {
            let port = free_port();
            let tls_port = tls_port();
            let mut options: Vec<String> =
                options.iter().map(|&option| option.to_owned()).collect();
            if let Some(port) = tls_port {
                options.extend(["--tls-port".to_owned(), port.to_string()]);
            }
            let folder = std::env::temp_dir().join(format!(
                "qcloud-validator-redis-{}-{port}",
                std::process::id()
            ));
            fs::create_dir_all(&folder).expect("the temporary folder is writable");
            let mut process = spawn(&program, port, &folder, &options);
            if answers(port, &mut process) {
                return Self {
                    port,
                    tls_port,
                    program,
                    folder,
                    options,
                    process,
                };
            }
            end(&mut process);
            let _ = fs::remove_dir_all(&folder);
        }
        panic!("a Redis server did not start in ten attempts");
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn tls_port(&self) -> u16 {
        self.tls_port.expect("the server was started with TLS")
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// As `kill -9`.
    pub fn kill(&mut self) {
        end(&mut self.process);
    }

    /// On the same port, after [`kill`](Self::kill).
    pub fn restart(&mut self) {
        self.process = spawn(&self.program, self.port, &self.folder, &self.options);
        assert!(
            answers(self.port, &mut self.process),
            "the Redis server did not start again"
        );
    }

    /// Lets it stand still, with its connections open.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.expect("there is a command `kill`").success());
    }

    /// Sends a command over a connection of its own; the answer as it came.
    pub fn ask(&self, words: &[&[u8]]) -> String {
        ask(self.port, &[words]).expect("the server answers")
    }

    /// The same, after the password.
    pub fn ask_as(&self, password: &str, words: &[&[u8]]) -> String {
        let login: &[&[u8]] = &[b"AUTH", password.as_bytes()];
        ask(self.port, &[login, words]).expect("the server answers")
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        end(&mut self.process);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A port of the loopback address without a listener.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound").port()
}

fn redis() -> String {
    std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned())
}

fn spawn(program: &str, port: u16, folder: &Path, options: &[String]) -> Child {
    // Valkey takes the same options.
    let started = Command::new(program)
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .arg("--dir")
        .arg(folder)
        .args(options)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        Ok(process) => process,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "there is no command `{program}`: install it (Debian: apt-get install redis-server), or name another one in \
             REDIS_SERVER"
        ),
        Err(error) => panic!("{program}: {error}"),
    }
}

/// Whether the server answers before long.
fn answers(port: u16, process: &mut Child) -> bool {
    for _ in 0..500 {
        if !matches!(process.try_wait(), Ok(None)) {
            return false;
        }
        if ask(port, &[&[b"PING"]])
            .is_ok_and(|answer| answer.starts_with('+') || answer.starts_with("-NOAUTH"))
        {
            return true;
        }
        thread::sleep(Duration::from_millis(10));
    }
    false
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}

/// Sends commands; the answer to the last.
fn ask(port: u16, commands: &[&[&[u8]]]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut last = String::new();
    for words in commands {
        let mut request = format!("*{}\r\n", words.len()).into_bytes();
        for word in *words {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        stream.write_all(&request)?;
        last = answer(&mut BufReader::new(&stream))?;
    }
    Ok(last)
}

/// One answer, in the bytes of the protocol but for the lengths of strings.
fn answer(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line)?;
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    if line.is_empty() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let count = |text: &str| text.parse::<i64>().unwrap_or(-1);
    if let Some(length) = line.strip_prefix('$') {
        let length = usize::try_from(count(length)).unwrap_or_default();
        let mut text = vec![0; length + 2];
        stream.read_exact(&mut text)?;
        return Ok(text[..length]
            .iter()
            .map(|&byte| char::from(byte))
            .collect());
    }
    if let Some(items) = line.strip_prefix('*') {
        let items = (0..count(items)).map(|_| answer(stream));
        return Ok(items.collect::<Result<Vec<_>, _>>()?.join("\n"));
    }
    Ok(line)
}
