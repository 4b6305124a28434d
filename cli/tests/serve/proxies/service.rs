//! A service behind the gateway, which records what reaches it and applies the check that the manual asks of services.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The body of an answer to a request that passed the check.
pub(crate) const SERVED: &str = r#"{"Response":{"RequestId":"from the service"}}"#;

/// The headers that name the caller, without their prefix.
pub(crate) const CALLER: [&str; 8] = [
    "account",
    "action",
    "request-id",
    "scheme",
    "secret-id",
    "sub-account",
    "uncovered",
    "unverified",
];

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Service {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let record = Arc::clone(&record);
                thread::spawn(move || serve(stream, &record));
            }
        });
        Self { address, received }
    }

    /// What has come since the last time, in order.
    pub(crate) fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    /// The one request that has come since the last time.
    pub(crate) fn take_one(&self) -> Received {
        let mut received = self.take();
        assert_eq!(received.len(), 1, "{received:#?}");
        received.remove(0)
    }
}

/// A request as it reached the service.
#[derive(Debug, PartialEq)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) version: String,
    /// One entry a line, names in lower case, in order.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Received {
    /// The values of all lines with this name.
    pub(crate) fn header(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(field, _)| field == name);
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether the service may trust what the request says about its caller: each header is there once.
    pub(crate) fn names_its_caller(&self) -> bool {
        CALLER
            .iter()
            .all(|name| self.header(&format!("x-qcloud-validator-{name}")).len() == 1)
    }

    /// What a program that turns header names into variables reads about the caller: names without their prefix, sorted,
    /// and without the id of the request.
    pub(crate) fn caller(&self) -> Vec<(String, &str)> {
        let mut caller: Vec<_> = self
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let name = name.replace(|sign: char| !sign.is_ascii_alphanumeric(), "-");
                let name = name.strip_prefix("x-qcloud-validator-")?;
                Some((name.to_owned(), value.as_str()))
            })
            .filter(|(name, _)| name != "request-id")
            .collect();
        caller.sort();
        caller
    }

    #[track_caller]
    pub(crate) fn assert_caller(&self, expected: &[(&str, &str)]) {
        assert!(self.names_its_caller(), "{self:#?}");
        let caller = self.caller();
        let caller: Vec<(&str, &str)> = caller
            .iter()
            .map(|(name, value)| (&**name, *value))
            .collect();
        assert_eq!(caller, expected);
        let id = self.header("x-qcloud-validator-request-id");
        assert_eq!(id[0].len(), 36, "a UUID: {id:?}");
    }
}

/// Answers the requests of one connection.
fn serve(stream: TcpStream, record: &Mutex<Vec<Received>>) {
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut stream = BufReader::new(stream);
    while let Some(received) = read(&mut stream) {
        let (status, body) = if received.names_its_caller() {
            ("200 OK", SERVED)
        } else {
            ("400 Bad Request", "")
        };
        let head = received.method == "HEAD";
        let last = received.version == "HTTP/1.0" || received.header("connection") == ["close"];
        record.lock().unwrap().push(received);
        let length = body.len();
        let body = if head { "" } else { body };
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        if stream.get_mut().write_all(answer.as_bytes()).is_err() || last {
            return;
        }
    }
}

/// Reads one request; none if the client is gone or cuts it off.
fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let start = line(stream)?;
    let (method, rest) = start.split_once(' ')?;
    let (target, version) = rest.rsplit_once(' ')?;
    let mut received = Received {
        method: method.to_owned(),
        target: target.to_owned(),
        version: version.to_owned(),
        headers: Vec::new(),
        body: String::new(),
    };
    loop {
        let line = line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let value = value.trim_matches([' ', '\t']);
        received
            .headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }
    if !received.header("expect").is_empty() {
        stream
            .get_mut()
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
            .ok()?;
    }
    let body = if received.header("transfer-encoding").is_empty() {
        let length = received.header("content-length");
        let length = length
            .first()
            .map_or(Some(0), |length| length.parse().ok())?;
        exactly(stream, length)?
    } else {
        chunks(stream)?
    };
    received.body = text(&body);
    Some(received)
}

fn chunks(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = usize::from_str_radix(&line(stream)?, 16).ok()?;
        if size == 0 {
            while !line(stream)?.is_empty() {}
            return Some(body);
        }
        body.extend(exactly(stream, size)?);
        line(stream)?;
    }
}

fn exactly(stream: &mut BufReader<TcpStream>, length: usize) -> Option<Vec<u8>> {
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// A line without its end.
fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = Vec::new();
    stream.read_until(b'\n', &mut line).ok()?;
    let line = line.strip_suffix(b"\n")?;
    Some(text(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Each byte as one character, so that none is lost.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
