//! The captured requests of `tests/captures`, and an HTTP/1.1 parser just good enough to read them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// One real request of a published client; `tests/captures/README.md` explains the fields.
#[derive(Clone, Debug)]
pub struct Capture {
    pub client: String,
    pub case: String,
    pub received_unix: i64,
    pub transport: String,
    pub expected: String,
    pub rules: Vec<String>,
    pub public_host: Option<String>,
    pub request: Vec<u8>,
}

/// Every capture, sorted by client and case.
pub fn all() -> Vec<Capture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/captures");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the captures are in a directory")
        .map(|entry| entry.expect("the captures are readable").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "jsonl")
        })
        .collect();
    files.sort();
    files.iter().flat_map(|file| of_client(file)).collect()
}

fn of_client(file: &Path) -> Vec<Capture> {
    let client = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .expect("file names are UTF-8");
    fs::read_to_string(file)
        .expect("capture files are UTF-8")
        .lines()
        .map(|line| {
            capture(
                client,
                &serde_json::from_str(line).expect("each line is JSON"),
            )
        })
        .collect()
}

fn capture(client: &str, line: &Value) -> Capture {
    let request = match line["request"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => from_base64(&text(line, "request_base64")),
    };
    let rules = line["rules"].as_array().expect("rules is an array");
    Capture {
        client: client.to_owned(),
        case: text(line, "case"),
        received_unix: line["received_unix"]
            .as_i64()
            .expect("received_unix is an integer"),
        transport: text(line, "transport"),
        expected: text(line, "expected"),
        rules: rules
            .iter()
            .map(|rule| rule.as_str().expect("a rule is a string").to_owned())
            .collect(),
        public_host: line["public_host"].as_str().map(str::to_owned),
        request,
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; text.len()];
    let length = STANDARD
        .decode_slice(text, &mut bytes)
        .expect("request_base64 is base64");
    bytes.truncate(length);
    bytes
}

fn text(line: &Value, field: &str) -> String {
    line[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is a string"))
        .to_owned()
}

/// A request taken apart: the target in origin form, the header values trimmed, the body without chunk framing.
#[derive(Clone, Debug)]
pub struct RawRequest {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl RawRequest {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_slice())
    }

    /// The first `Host`, as sent.
    pub fn host(&self) -> &str {
        let host = self.header("host").expect("every request names its host");
        str::from_utf8(host).expect("hosts are UTF-8")
    }

    /// The target before the first `?`.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(&self.target, |(path, _)| path)
    }

    /// The target after the first `?`, undecoded.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Takes a complete request apart.
pub fn parse(request: &[u8]) -> RawRequest {
    let (head, body) = split_once(request, b"\r\n\r\n").expect("the head ends in an empty line");
    let head = str::from_utf8(head).expect("heads are UTF-8");
    let (request_line, fields) = head.split_once("\r\n").unwrap_or((head, ""));

    let mut words = request_line.split(' ');
    let method = words.next().expect("a method").to_owned();
    let target = origin_form(words.next().expect("a target"));

    let headers: Vec<_> = fields
        .split_terminator("\r\n")
        .map(|field| field.split_once(':').expect("a colon in every field"))
        .map(|(name, value)| {
            (
                name.to_owned(),
                value.trim_matches([' ', '\t']).as_bytes().to_vec(),
            )
        })
        .collect();
    let chunked = headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case(b"chunked")
    });

    RawRequest {
        method,
        target,
        headers,
        body: if chunked {
            unchunked(body)
        } else {
            body.to_vec()
        },
    }
}

fn origin_form(target: &str) -> String {
    let Some((_, rest)) = target
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
    else {
        return target.to_owned();
    };
    match rest.find(['/', '?']) {
        Some(end_of_authority) if rest[end_of_authority..].starts_with('/') => {
            rest[end_of_authority..].to_owned()
        }
        Some(end_of_authority) => format!("/{}", &rest[end_of_authority..]),
        None => "/".to_owned(),
    }
}

fn unchunked(mut framed: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let (line, rest) = split_once(framed, b"\r\n").expect("a chunk size line");
        let digits = line.split(|byte| *byte == b';').next().unwrap_or(line);
        let digits = str::from_utf8(digits).expect("a chunk size");
        let size = usize::from_str_radix(digits.trim(), 16).expect("a chunk size in hex");
        if size == 0 {
            return body;
        }
        body.extend_from_slice(&rest[..size]);
        framed = rest[size..]
            .strip_prefix(b"\r\n")
            .expect("a line end after each chunk");
    }
}

fn split_once<'b>(bytes: &'b [u8], separator: &[u8]) -> Option<(&'b [u8], &'b [u8])> {
    let at = bytes
        .windows(separator.len())
        .position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}
