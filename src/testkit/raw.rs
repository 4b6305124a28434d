//! Where one HTTP/1.1 request in a file ends and the next begins; takes each apart without decoding it, and writes it.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead, Read};

use crate::testkit::Request;

/// The most bytes of one request, head and framing included.
const MAX_BYTES: usize = 16 << 20;

/// The most header lines of one request.
const MAX_HEADERS: usize = 1024;

impl Request {
    /// Reads an HTTP/1.1 request as it came over the wire. Lines may end in LF alone, and a target that is a URL names
    /// the host as a `Host` header does. A POST without `Content-Length` and transfer coding has everything that follows
    /// its head as its body.
    ///
    /// ```
    /// use qcloud_validator::testkit::Request;
    ///
    /// let request = Request::from_raw(b"GET /?Action=DescribeZones HTTP/1.1\nHost: cvm.tencentcloudapi.com\n\n")?;
    /// assert_eq!(request.target(), b"/?Action=DescribeZones");
    /// # Ok::<(), qcloud_validator::testkit::UnreadableRequest>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If this is not one whole request and nothing else.
    pub fn from_raw(bytes: &[u8]) -> Result<Self, UnreadableRequest> {
        let mut requests = RawRequests::new(bytes);
        let request = requests
            .next()
            .unwrap_or_else(|| Err(Fault::Empty.into()))?;
        match requests.next() {
            None => Ok(request),
            Some(Ok(_)) => Err(Fault::Several.into()),
            Some(Err(error)) => Err(error),
        }
    }

    /// The HTTP/1.1 request as it would go over the wire, with its own headers and the right `Content-Length`.
    #[must_use]
    pub fn to_raw(&self) -> Vec<u8> {
        let mut raw = [self.method(), b" ", self.target(), b" HTTP/1.1\r\n"].concat();
        for (name, value) in self.headers() {
            if !is_framing(name) {
                raw.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
            }
        }
        if !self.body().is_empty() || self.method() == b"POST" {
            raw.extend_from_slice(format!("Content-Length: {}\r\n", self.body().len()).as_bytes());
        }
        raw.extend_from_slice(b"\r\n");
        raw.extend_from_slice(self.body());
        raw
    }
}

/// Headers that say where the body ends.
pub(super) fn is_framing(name: &str) -> bool {
    ["content-length", "transfer-encoding"]
        .iter()
        .any(|framing| name.eq_ignore_ascii_case(framing))
}

/// The HTTP/1.1 requests of one file, one after the other. The first that cannot be read is the last.
///
/// ```
/// use qcloud_validator::testkit::RawRequests;
///
/// let file = "GET /?a=1 HTTP/1.1\nHost: a.example\n\nGET /?a=2 HTTP/1.1\nHost: a.example\n\n";
/// let targets: Result<Vec<_>, _> = RawRequests::new(file.as_bytes())
///     .map(|request| request.map(|request| request.target().to_vec()))
///     .collect();
/// assert_eq!(targets?, [b"/?a=1", b"/?a=2"]);
/// # Ok::<(), qcloud_validator::testkit::UnreadableRequest>(())
/// ```
#[derive(Debug)]
pub struct RawRequests<R> {
    input: R,
    /// How many bytes the present request may still have.
    left: usize,
    /// How many requests were read.
    read: usize,
    ended: bool,
}

impl<R: BufRead> RawRequests<R> {
    /// The requests in `input`; an error if there is none.
    pub fn new(input: R) -> Self {
        Self {
            input,
            left: 0,
            read: 0,
            ended: false,
        }
    }

    /// `None` where the input ends before a request begins.
    fn request(&mut self) -> Result<Option<Request>, Fault> {
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
        // It becomes a header, and no header can hold these.
        if authority.iter().flatten().any(u8::is_ascii_control) {
            return Err(Fault::RequestLine);
        }
        let mut request = Request::new(method, target);
        for (name, value) in self.headers()? {
            request = request.with_header(name, value);
        }
        if let Some(authority) = authority
            && !values(&request, "host").any(|host| host == authority)
        {
            // Beside another one it contradicts it, as it would on the wire.
            request = request.with_header("Host", authority);
        }
        let body = self.body(&request)?;
        Ok(Some(request.with_body(body)))
    }

    fn headers(&mut self) -> Result<Vec<(String, Vec<u8>)>, Fault> {
        let mut head = Vec::new();
        loop {
            let start = head.len();
            if self.line(&mut head)? == 0 {
                return Err(Fault::CutShort("the head has no end".to_owned()));
            }
            if head.get(start..).is_some_and(is_blank) {
                break;
            }
        }
        let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(&head, &mut headers).map_err(Fault::Headers)? {
            httparse::Status::Complete((_, headers)) => Ok(headers
                .iter()
                .map(|header| (header.name.to_owned(), header.value.to_vec()))
                .collect()),
            httparse::Status::Partial => Err(Fault::CutShort("the head has no end".to_owned())),
        }
    }

    fn body(&mut self, request: &Request) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        let mut lengths = values(request, "content-length");
        let length = lengths.next();
        if lengths.any(|other| Some(other) != length) {
            return Err(Fault::ContentLength);
        }
        let mut codings = values(request, "transfer-encoding");
        match (codings.next(), length) {
            (Some(_), Some(_)) => return Err(Fault::TwoFramings),
            (Some(coding), None) => {
                if !coding.eq_ignore_ascii_case(b"chunked") || codings.next().is_some() {
                    return Err(Fault::TransferCoding);
                }
                self.chunks(&mut body)?;
            }
            (None, Some(length)) => {
                let length = decimal(length).ok_or(Fault::ContentLength)?;
                self.exactly(length, &mut body, "Content-Length")?;
            }
            (None, None) if matches!(request.method(), b"GET" | b"HEAD") => {}
            (None, None) => {
                self.input
                    .by_ref()
                    .take(bytes(self.left).saturating_add(1))
                    .read_to_end(&mut body)?;
                if body.len() > self.left {
                    return Err(Fault::TooLong);
                }
            }
        }
        Ok(body)
    }

    fn chunks(&mut self, body: &mut Vec<u8>) -> Result<(), Fault> {
        let mut line = Vec::new();
        loop {
            line.clear();
            if self.line(&mut line)? == 0 {
                let missing = "the last chunk is missing".to_owned();
                return Err(Fault::CutShort(missing));
            }
            let size = line.split(|&byte| byte == b';').next();
            let size = size
                .and_then(|digits| hexadecimal(digits.trim_ascii()))
                .ok_or(Fault::Chunk)?;
            if size == 0 {
                break;
            }
            self.exactly(size, body, "a chunk size")?;
            line.clear();
            self.line(&mut line)?;
            if !is_blank(&line) {
                return Err(Fault::Chunk);
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
    ) -> Result<(), Fault> {
        self.left = self.left.checked_sub(length).ok_or(Fault::TooLong)?;
        let got = self.input.by_ref().take(bytes(length)).read_to_end(into)?;
        if got < length {
            return Err(Fault::CutShort(format!(
                "{promised_by} promises {length} bytes and {got} are there"
            )));
        }
        Ok(())
    }

    /// Adds a line with its end; 0 where the input ends.
    fn line(&mut self, into: &mut Vec<u8>) -> Result<usize, Fault> {
        let mut limited = self.input.by_ref().take(bytes(self.left));
        let got = limited.read_until(b'\n', into)?;
        self.left = self.left.saturating_sub(got);
        if self.left == 0 && !into.ends_with(b"\n") {
            return Err(Fault::TooLong);
        }
        Ok(got)
    }
}

impl<R: BufRead> Iterator for RawRequests<R> {
    type Item = Result<Request, UnreadableRequest>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let request = match self.request() {
            Ok(None) if self.read == 0 => Some(Err(Fault::Empty)),
            Err(Fault::RequestLine) if self.read > 0 => Some(Err(Fault::Remainder)),
            request => request.transpose(),
        };
        self.read = self.read.saturating_add(1);
        self.ended = !matches!(request, Some(Ok(_)));
        request.map(|request| request.map_err(UnreadableRequest))
    }
}

/// Method and target. Their contents are left to the validator.
fn request_line(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let mut words = line.trim_ascii_end().split(|&byte| byte == b' ');
    let words = [words.next(), words.next(), words.next(), words.next()];
    match words {
        [
            Some(method),
            Some(target),
            Some(b"HTTP/1.1" | b"HTTP/1.0"),
            None,
        ] if !method.is_empty() && !target.is_empty() => Ok((method, target)),
        _ => Err(Fault::RequestLine),
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

/// The trimmed values of a header.
fn values<'r>(request: &'r Request, name: &str) -> impl Iterator<Item = &'r [u8]> {
    request
        .headers()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim_ascii())
}

/// Why there is no request.
#[derive(Debug)]
pub struct UnreadableRequest(Fault);

#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    Empty,
    Several,
    HostUnnamed,
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

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Fault> for UnreadableRequest {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl Error for UnreadableRequest {}

impl fmt::Display for UnreadableRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::Empty => f.write_str("there is no request in it"),
            Self::Several => f.write_str("there is more than one request in it"),
            Self::HostUnnamed => f.write_str("neither a header nor the URL names the host"),
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
