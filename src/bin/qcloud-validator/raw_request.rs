//! Decides where one HTTP/1.1 request in a file ends and the next begins, and takes each apart without decoding it.

use std::fmt;
use std::io::{self, BufRead, Read};

use qcloud_validator::{RequestView, Transport};

/// The most bytes of one request, head and framing included.
const MAX_BYTES: usize = 16 << 20;

/// The most header lines of one request.
const MAX_HEADERS: usize = 1024;

/// A request without its framing.
pub(crate) struct RawRequest {
    method: Vec<u8>,
    /// In origin form.
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl RawRequest {
    /// What the validator looks at.
    pub(crate) fn view(&self, transport: Transport) -> RequestView<'_> {
        RequestView::new(transport, &self.method, &self.target)
            .with_headers(&self.headers)
            .with_body(&self.body)
    }

    fn header(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_ascii())
    }
}

/// The requests of one file, one after the other. The first that cannot be read is the last.
pub(crate) struct Requests<R> {
    input: R,
    /// How many bytes the present request may still have.
    left: usize,
    /// How many requests were read.
    read: usize,
    ended: bool,
}

impl<R: BufRead> Requests<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            left: 0,
            read: 0,
            ended: false,
        }
    }

    /// `None` where the input ends before a request begins.
    fn request(&mut self) -> Result<Option<RawRequest>, ReadError> {
        self.left = MAX_BYTES;
        let mut line = Vec::new();
        // A client may send, and an editor may leave, empty lines between requests.
        while is_blank(&line) {
            line.clear();
            if self.line(&mut line)? == 0 {
                return Ok(None);
            }
        }
        let (method, target) = request_line(&line)?;
        let (target, authority) = origin_form(target);
        let mut request = RawRequest {
            method: method.to_vec(),
            target,
            headers: self.headers()?,
            body: Vec::new(),
        };
        if let Some(authority) = authority
            && request.header("host").next().is_none()
        {
            request.headers.push(("Host".to_owned(), authority));
        }
        request.body = self.body(&request)?;
        Ok(Some(request))
    }

    fn headers(&mut self) -> Result<Vec<(String, Vec<u8>)>, ReadError> {
        let mut head = Vec::new();
        loop {
            let start = head.len();
            if self.line(&mut head)? == 0 {
                return Err(ReadError::CutShort("the head has no end".to_owned()));
            }
            if head.get(start..).is_some_and(is_blank) {
                break;
            }
        }
        let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(&head, &mut headers).map_err(ReadError::Headers)? {
            httparse::Status::Complete((_, headers)) => Ok(headers
                .iter()
                .map(|header| (header.name.to_owned(), header.value.to_vec()))
                .collect()),
            httparse::Status::Partial => Err(ReadError::CutShort("the head has no end".to_owned())),
        }
    }

    fn body(&mut self, request: &RawRequest) -> Result<Vec<u8>, ReadError> {
        let mut body = Vec::new();
        let mut lengths = request.header("content-length");
        let length = lengths.next();
        if lengths.any(|other| Some(other) != length) {
            return Err(ReadError::ContentLength);
        }
        let mut codings = request.header("transfer-encoding");
        match (codings.next(), length) {
            (Some(_), Some(_)) => return Err(ReadError::TwoFramings),
            (Some(coding), None) => {
                if !coding.eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
                    return Err(ReadError::TransferCoding);
                }
                self.chunks(&mut body)?;
            }
            (None, Some(length)) => {
                let length = decimal(length).ok_or(ReadError::ContentLength)?;
                self.exactly(length, &mut body, "Content-Length")?;
            }
            (None, None) if request.method == b"GET" || request.method == b"HEAD" => {}
            (None, None) => {
                self.input
                    .by_ref()
                    .take(bytes(self.left).saturating_add(1))
                    .read_to_end(&mut body)?;
                if body.len() > self.left {
                    return Err(ReadError::TooLong);
                }
            }
        }
        Ok(body)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), ReadError> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.line(&mut line)? == 0 {
                let missing = "the last chunk is missing".to_owned();
                return Err(ReadError::CutShort(missing));
            }
            let size = line.split(|&byte| byte == b';').next();
            let size = size
                .and_then(|digits| hexadecimal(digits.trim_ascii()))
                .ok_or(ReadError::Chunk)?;
            if size == 0 {
                break;
            }
            self.exactly(size, body, "a chunk size")?;
            line.clear();
            self.line(&mut line)?;
            if !is_blank(&line) {
                return Err(ReadError::Chunk);
            }
        }
        // Trailers are neither signed nor read.
        loop {
            line.clear();
            self.line(&mut line)?;
            if is_blank(&line) {
                return Ok(());
            }
        }
    }

    fn exactly(
        &mut self,
        length: usize,
        into: &mut Vec<u8>,
        promised_by: &str,
    ) -> Result<(), ReadError> {
        self.left = self.left.checked_sub(length).ok_or(ReadError::TooLong)?;
        let got = self.input.by_ref().take(bytes(length)).read_to_end(into)?;
        if got < length {
            return Err(ReadError::CutShort(format!(
                "{promised_by} promises {length} bytes and {got} are there"
            )));
        }
        Ok(())
    }

    /// Adds a line with its end; 0 where the input ends.
    fn line(&mut self, into: &mut Vec<u8>) -> Result<usize, ReadError> {
        let mut limited = self.input.by_ref().take(bytes(self.left));
        let got = limited.read_until(b'\n', into)?;
        self.left = self.left.saturating_sub(got);
        if self.left == 0 && !into.ends_with(b"\n") {
            return Err(ReadError::TooLong);
        }
        Ok(got)
    }
}

impl<R: BufRead> Iterator for Requests<R> {
    type Item = Result<RawRequest, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let request = match self.request() {
            Ok(None) if self.read == 0 => Some(Err(ReadError::Empty)),
            Err(ReadError::RequestLine) if self.read > 0 => Some(Err(ReadError::Remainder)),
            request => request.transpose(),
        };
        self.read = self.read.saturating_add(1);
        self.ended = !matches!(request, Some(Ok(_)));
        request
    }
}

/// Method and target. What they hold is for the validator to judge.
fn request_line(line: &[u8]) -> Result<(&[u8], &[u8]), ReadError> {
    let mut words = line.trim_ascii_end().split(|&byte| byte == b' ');
    let words = [words.next(), words.next(), words.next(), words.next()];
    match words {
        [
            Some(method),
            Some(target),
            Some(b"HTTP/1.1" | b"HTTP/1.0"),
            None,
        ] if !method.is_empty() && !target.is_empty() => Ok((method, target)),
        _ => Err(ReadError::RequestLine),
    }
}

/// The target as path and query; and the authority, where the target is a URL (RFC 9112 §3.2.2).
fn origin_form(target: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| {
        target
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let Some(rest) = scheme.and_then(|scheme| target.get(scheme.len()..)) else {
        return (target.to_vec(), None);
    };
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let slash: &[u8] = if rest.starts_with(b"/") { b"" } else { b"/" };
    ([slash, rest].concat(), Some(authority.to_vec()))
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"" | b"\n" | b"\r\n")
}

fn decimal(digits: &[u8]) -> Option<usize> {
    number(digits, 10)
}

fn hexadecimal(digits: &[u8]) -> Option<usize> {
    number(digits, 16)
}

/// Digits and nothing else: the standard library takes a sign too.
fn number(digits: &[u8], radix: u32) -> Option<usize> {
    let text = str::from_utf8(digits).ok()?;
    text.chars()
        .all(|digit| digit.is_digit(radix))
        .then_some(())?;
    usize::from_str_radix(text, radix).ok()
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Why there is no request to check.
#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    Empty,
    RequestLine,
    Remainder,
    Headers(httparse::Error),
    ContentLength,
    TransferCoding,
    TwoFramings,
    Chunk,
    CutShort(String),
    TooLong,
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::Empty => f.write_str("there is no request in it"),
            Self::RequestLine => {
                f.write_str("does not begin with a request line such as `GET /path HTTP/1.1`")
            }
            Self::Remainder => f.write_str(
                "what follows a complete request is not another one; is its Content-Length too small?",
            ),
            Self::Headers(httparse::Error::TooManyHeaders) => {
                write!(f, "there are more than {MAX_HEADERS} headers")
            }
            Self::Headers(error) => write!(f, "the headers cannot be read: {error}"),
            Self::ContentLength => f.write_str("Content-Length is not one decimal number"),
            Self::TransferCoding => f.write_str("Transfer-Encoding is not `chunked`"),
            Self::TwoFramings => {
                f.write_str("there are both Content-Length and Transfer-Encoding")
            }
            Self::Chunk => f.write_str("a chunk does not begin with its size or end where it says"),
            Self::CutShort(how) => write!(f, "cut short: {how}"),
            Self::TooLong => {
                let mebibytes = MAX_BYTES.checked_shr(20).unwrap_or_default();
                write!(f, "a request is longer than {mebibytes} MiB")
            }
        }
    }
}
