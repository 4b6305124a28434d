//! What a caller must show of a request: the raw parts as they arrived, borrowed and undecoded.

use std::fmt;

/// A request as it arrived. Nothing in it is decoded, normalised or re-ordered: the bytes on the wire are what was signed.
///
/// ```
/// use qcloud_validator::{RequestView, Transport};
///
/// let headers = [("Host", "cvm.api.qcloud.com")];
/// let request = RequestView::new(
///     Transport::Https,
///     "GET",
///     "/v2/index.php?Action=DescribeInstances&Nonce=11886",
/// )
/// .with_headers(&headers);
/// assert_eq!(request.path(), b"/v2/index.php");
/// ```
#[derive(Clone, Copy)]
pub struct RequestView<'r> {
    transport: Transport,
    method: &'r [u8],
    /// That of a target in absolute form, and that of HTTP/2.
    authority: Field<'r>,
    path: &'r [u8],
    query: &'r [u8],
    headers: &'r dyn Headers,
    known: KnownHeaders<'r>,
    payload: Payload<'r>,
}

/// What the headers say that every request is asked for, looked up once.
#[derive(Clone, Copy)]
pub(crate) struct KnownHeaders<'r> {
    host: Field<'r>,
    pub(crate) content_type: Field<'r>,
    pub(crate) authorization: Field<'r>,
    pub(crate) action: Field<'r>,
    pub(crate) version: Field<'r>,
    pub(crate) timestamp: Field<'r>,
    pub(crate) region: Field<'r>,
    pub(crate) token: Field<'r>,
    pub(crate) language: Field<'r>,
    pub(crate) content_sha256: Field<'r>,
}

impl<'r> RequestView<'r> {
    /// A request with no headers and an empty body. `target` is the path, and after the first `?` the query.
    ///
    /// A target in absolute form, as clients send it to a proxy, is taken apart (RFC 9112 §3.2.2): its authority is the
    /// host, and a `Host` header that differs is refused. Its scheme says nothing about the transport.
    ///
    /// ```
    /// use qcloud_validator::{Field, RequestView, Transport};
    ///
    /// let target = "https://cvm.api.qcloud.com/v2/index.php?Action=DescribeInstances";
    /// let request = RequestView::new(Transport::Https, "GET", target);
    /// assert_eq!(request.header("host"), Field::Once(b"cvm.api.qcloud.com"));
    /// assert_eq!(request.path(), b"/v2/index.php");
    /// ```
    #[must_use]
    pub fn new<M, T>(transport: Transport, method: &'r M, target: &'r T) -> Self
    where
        M: AsRef<[u8]> + ?Sized,
        T: AsRef<[u8]> + ?Sized,
    {
        let Target {
            authority,
            path,
            query,
        } = Target::from(target.as_ref());
        Self {
            transport,
            method: method.as_ref(),
            authority,
            path,
            query,
            headers: &NoHeaders,
            known: KnownHeaders::NONE,
            payload: Payload::Bytes(&[]),
        }
    }

    /// Shows the headers.
    #[inline]
    #[must_use]
    pub fn with_headers(self, headers: &'r dyn Headers) -> Self {
        let known = KnownHeaders::among(headers);
        Self {
            headers,
            known,
            ..self
        }
    }

    /// Shows the `:authority` of HTTP/2, which stands for the `Host` header. A `Host` header that differs is refused.
    #[must_use]
    pub fn with_authority<A: AsRef<[u8]> + ?Sized>(self, authority: &'r A) -> Self {
        Self {
            authority: self.authority.and(authority.as_ref()),
            ..self
        }
    }

    /// Shows the whole body, without its transfer coding.
    #[inline]
    #[must_use]
    pub fn with_body<B: AsRef<[u8]> + ?Sized>(self, body: &'r B) -> Self {
        self.with_payload(Payload::Bytes(body.as_ref()))
    }

    /// Shows the body, its digest, or that the body was not read.
    #[inline]
    #[must_use]
    pub fn with_payload(self, payload: Payload<'r>) -> Self {
        Self { payload, ..self }
    }

    /// How the request came.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The method as sent.
    #[must_use]
    pub fn method(&self) -> &'r [u8] {
        self.method
    }

    /// The path as sent, without the query.
    #[must_use]
    pub fn path(&self) -> &'r [u8] {
        self.path
    }

    /// What follows the first `?` of the target, as sent.
    #[must_use]
    pub fn query(&self) -> &'r [u8] {
        self.query
    }

    /// The body.
    #[must_use]
    pub fn payload(&self) -> Payload<'r> {
        self.payload
    }

    /// The value of the header with this lower-case name. `host` is also what the target and HTTP/2 name.
    #[must_use]
    pub fn header(&self, name: &str) -> Field<'r> {
        match name {
            "host" => self.host_header(),
            "content-type" => self.known.content_type,
            _ => self.headers.find(name),
        }
    }

    pub(crate) fn known(&self) -> &KnownHeaders<'r> {
        &self.known
    }

    /// The host in all places that name one: the target, the authority of HTTP/2, the header.
    pub(crate) fn host_header(&self) -> Field<'r> {
        match (self.authority, self.known.host) {
            (Field::Absent, host) => host,
            (authority, Field::Absent) => authority,
            (authority, Field::Once(host) | Field::Equal(host)) => authority.and(host),
            (_, Field::Repeated) => Field::Repeated,
        }
    }

    /// The host that the request names, empty if it names none or several.
    pub(crate) fn host(&self) -> &'r [u8] {
        self.host_header().trimmed()
    }
}

/// The parts of a request target.
struct Target<'r> {
    authority: Field<'r>,
    path: &'r [u8],
    query: &'r [u8],
}

impl<'r> From<&'r [u8]> for Target<'r> {
    fn from(target: &'r [u8]) -> Self {
        let (authority, target) = match after_scheme(target) {
            None => (Field::Absent, target),
            Some(rest) => {
                let end = rest.iter().position(|byte| b"/?#".contains(byte));
                let (authority, rest) = rest.split_at(end.unwrap_or(rest.len()));
                (Field::Once(authority), rest)
            }
        };
        let (path, query) = match target.iter().position(|&byte| byte == b'?') {
            Some(mark) => {
                let (path, rest) = target.split_at(mark);
                (path, rest.get(1..).unwrap_or_default())
            }
            None => (target, &[][..]),
        };
        Self {
            authority,
            // An absolute target without a path asks for the root.
            path: if path.is_empty() && authority != Field::Absent {
                b"/"
            } else {
                path
            },
            query,
        }
    }
}

/// What follows `http://` or `https://`, in any letter case.
fn after_scheme(target: &[u8]) -> Option<&[u8]> {
    if target.starts_with(b"/") {
        // Nearly every target.
        return None;
    }
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find_map(|scheme| {
            let (start, rest) = target.split_at_checked(scheme.len())?;
            start.eq_ignore_ascii_case(scheme).then_some(rest)
        })
}

impl<'r> KnownHeaders<'r> {
    const NAMES: [&'static str; 10] = [
        "host",
        "content-type",
        "authorization",
        "x-tc-action",
        "x-tc-version",
        "x-tc-timestamp",
        "x-tc-region",
        "x-tc-token",
        "x-tc-language",
        "x-tc-content-sha256",
    ];
    const NONE: Self = Self::in_order([Field::Absent; 10]);

    fn among(headers: &'r dyn Headers) -> Self {
        let mut found = [Field::Absent; 10];
        headers.find_all(&Self::NAMES, &mut found);
        Self::in_order(found)
    }

    const fn in_order(found: [Field<'r>; 10]) -> Self {
        let [
            host,
            content_type,
            authorization,
            action,
            version,
            timestamp,
            region,
            token,
            language,
            content_sha256,
        ] = found;
        Self {
            host,
            content_type,
            authorization,
            action,
            version,
            timestamp,
            region,
            token,
            language,
            content_sha256,
        }
    }
}

impl fmt::Debug for RequestView<'_> {
    /// Shows neither query, headers nor body: they may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestView")
            .field("transport", &self.transport)
            .field("method", &String::from_utf8_lossy(self.method))
            .field("path", &String::from_utf8_lossy(self.path))
            .finish_non_exhaustive()
    }
}

/// Whether the request came encrypted, as the component that ends TLS saw it; never a guess from the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a request comes over TLS or it does not"
)]
pub enum Transport {
    /// Over TLS.
    Https,
    /// In the clear.
    Http,
}

/// The body of a request.
#[derive(Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "a caller matches all three")]
pub enum Payload<'r> {
    /// All of it.
    Bytes(&'r [u8]),
    /// Its SHA-256, computed by the caller over the bytes it will use. Enough for TC3, not for a form.
    Sha256([u8; 32]),
    /// There may be one; it was not read. Enough for GET and for a payload declared unsigned.
    Unseen,
}

impl<'r> Payload<'r> {
    /// The bytes, if they were shown.
    #[must_use]
    pub fn bytes(self) -> Option<&'r [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Sha256(_) | Self::Unseen => None,
        }
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Sha256(_) => f.write_str("Sha256"),
            Self::Unseen => f.write_str("Unseen"),
        }
    }
}

/// The headers of a request, wherever the caller keeps them. They are shared with whatever thread goes on with the request
/// after a wait.
pub trait Headers: Sync {
    /// The value of the header called `name`, which is in lower case.
    ///
    /// [`Field::and`] joins several lines with the same name.
    fn find(&self, name: &str) -> Field<'_>;

    /// Puts what [`find`](Self::find) finds under each of `names` into `found`, in the same order; every place holds
    /// [`Field::Absent`] before. Override it where one pass over the headers is cheaper than many look-ups.
    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        for (name, field) in names.iter().zip(found) {
            *field = self.find(name);
        }
    }
}

/// What a request says under one header name.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "no line, one, equal ones and different ones are all there is"
)]
pub enum Field<'r> {
    /// No such header.
    Absent,
    /// The value of one line.
    Once(&'r [u8]),
    /// The value of several lines that are equal. Another program may join them to another value.
    Equal(&'r [u8]),
    /// Several lines that differ.
    Repeated,
}

impl fmt::Debug for Field<'_> {
    /// Does not show the value: it may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Once(_) => "Once(..)",
            Self::Equal(_) => "Equal(..)",
            Self::Repeated => "Repeated",
        })
    }
}

impl<'r> Field<'r> {
    /// The value, unless there is none or lines differ.
    #[must_use]
    pub fn value(self) -> Option<&'r [u8]> {
        match self {
            Self::Once(value) | Self::Equal(value) => Some(value),
            Self::Absent | Self::Repeated => None,
        }
    }

    /// The value without blanks around it; empty if there is none or lines differ.
    pub(crate) fn trimmed(self) -> &'r [u8] {
        self.value().map_or(&[], trimmed)
    }

    /// Adds a further line with the same name.
    #[must_use]
    pub fn and(self, value: &'r [u8]) -> Self {
        match self {
            Self::Absent => Self::Once(value),
            Self::Once(first) | Self::Equal(first) if trimmed(first) == trimmed(value) => {
                Self::Equal(first)
            }
            Self::Once(_) | Self::Equal(_) | Self::Repeated => Self::Repeated,
        }
    }
}

/// Without the blanks that HTTP allows around the value of a header (RFC 9110 §5.6.3), and no others: a line end or a
/// form feed is part of the value to some programs.
pub(crate) fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// A list of names and values, in any case and order.
impl<N: AsRef<str> + Sync, V: AsRef<[u8]> + Sync> Headers for &[(N, V)] {
    fn find(&self, name: &str) -> Field<'_> {
        find_in(self, name)
    }

    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        find_all_in(self, names, found);
    }
}

impl<N: AsRef<str> + Sync, V: AsRef<[u8]> + Sync, const COUNT: usize> Headers for [(N, V); COUNT] {
    fn find(&self, name: &str) -> Field<'_> {
        find_in(self, name)
    }

    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        find_all_in(self, names, found);
    }
}

impl<N: AsRef<str> + Sync, V: AsRef<[u8]> + Sync> Headers for Vec<(N, V)> {
    fn find(&self, name: &str) -> Field<'_> {
        find_in(self, name)
    }

    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        find_all_in(self, names, found);
    }
}

fn find_in<'h, N: AsRef<str>, V: AsRef<[u8]>>(headers: &'h [(N, V)], name: &str) -> Field<'h> {
    headers
        .iter()
        .filter(|(key, _)| key.as_ref().eq_ignore_ascii_case(name))
        .fold(Field::Absent, |found, (_, value)| found.and(value.as_ref()))
}

fn find_all_in<'h, N: AsRef<str>, V: AsRef<[u8]>>(
    headers: &'h [(N, V)],
    names: &[&str],
    found: &mut [Field<'h>],
) {
    for (key, value) in headers {
        let key = key.as_ref();
        let mut wanted = names.iter().zip(&mut *found);
        if let Some((_, field)) = wanted.find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            *field = field.and(value.as_ref());
        }
    }
}

struct NoHeaders;

impl Headers for NoHeaders {
    fn find(&self, _: &str) -> Field<'_> {
        Field::Absent
    }
}
