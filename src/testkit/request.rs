//! A request that a test owns.

use std::fmt;

use crate::clock::UnixTime;
use crate::policy::Policy;
use crate::request::{RequestView, Transport};
use crate::stage::Received;
use crate::testkit::UnreadableRequest;
use crate::testkit::raw::Fault;

/// A request as a client would send it: nothing in it is decoded or normalised.
///
/// It is built part by part, or read from raw bytes ([`from_raw`](Self::from_raw)), from a command line of curl
/// ([`from_curl`](Self::from_curl)), from a URL ([`from_url`](Self::from_url)) or from an [`http::Request`], or it comes
/// from a [`Signer`](crate::testkit::Signer).
///
/// ```
/// use qcloud_validator::testkit::Request;
///
/// let built = Request::new("GET", "/v2/index.php?Action=DescribeZones")
///     .with_header("Host", "cvm.api.qcloud.com");
/// let given: Request = http::Request::get("https://cvm.api.qcloud.com/v2/index.php?Action=DescribeZones")
///     .body("")?
///     .try_into()?;
/// assert_eq!(built, given);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    transport: Transport,
    method: Vec<u8>,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Request {
    /// A request over HTTPS with no headers and an empty body. `target` is the path, and after the first `?` the query.
    #[must_use]
    pub fn new(method: impl Into<Vec<u8>>, target: impl Into<Vec<u8>>) -> Self {
        Self {
            transport: Transport::Https,
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same request with one more header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same request without the headers of this name.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self
    }

    /// The same request with another body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The same request with another method.
    #[must_use]
    pub fn with_method(mut self, method: impl Into<Vec<u8>>) -> Self {
        self.method = method.into();
        self
    }

    /// The same request with another path and query.
    #[must_use]
    pub fn with_target(mut self, target: impl Into<Vec<u8>>) -> Self {
        self.target = target.into();
        self
    }

    /// The same request over HTTPS or plain HTTP.
    #[must_use]
    pub fn with_transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// How it is sent.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &[u8] {
        &self.method
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> &[u8] {
        &self.target
    }

    /// Names and values of the headers, in their order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// What a validator looks at.
    #[must_use]
    pub fn view(&self) -> RequestView<'_> {
        RequestView::new(self.transport, &self.method, &self.target)
            .with_headers(&self.headers)
            .with_body(&self.body)
    }

    /// When the request says that it was signed, if it can be read under this policy.
    ///
    /// ```
    /// use qcloud_validator::Policy;
    /// use qcloud_validator::testkit::Signer;
    ///
    /// let request = Signer::v2("AKIDEXAMPLE", "key").action("DescribeZones").timestamp(1_767_225_600).sign();
    /// assert_eq!(request.signed_at(&Policy::default()).map(|at| at.seconds()), Some(1_767_225_600));
    /// ```
    #[must_use]
    pub fn signed_at(&self, policy: &Policy) -> Option<UnixTime> {
        let view = self.view();
        let read = Received::new(&view, policy).read().ok()?;
        let common = read.common().ok()?;
        Some(UnixTime::from_seconds(common.timestamp))
    }
}

impl fmt::Debug for Request {
    /// Shows neither query, headers nor body: they may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.view().fmt(f)
    }
}

impl From<&Request> for Request {
    fn from(request: &Request) -> Self {
        request.clone()
    }
}

/// The scheme of the URI is the transport, HTTPS where it names none; its authority names the host as a `Host` header does.
impl<B: AsRef<[u8]>> TryFrom<http::Request<B>> for Request {
    type Error = UnreadableRequest;

    fn try_from(request: http::Request<B>) -> Result<Self, UnreadableRequest> {
        let (parts, body) = request.into_parts();
        let target = parts
            .uri
            .path_and_query()
            .map_or("/", |target| target.as_str());
        let mut taken = Self::new(parts.method.as_str(), target);
        let mut hosts = parts.headers.get_all("host").iter();
        match parts.uri.authority() {
            Some(authority) => {
                let named = authority.as_str();
                // Without a user name.
                let host = named.rsplit_once('@').map_or(named, |(_, host)| host);
                if !hosts.any(|sent| sent.as_bytes() == host.as_bytes()) {
                    taken = taken.with_header("Host", host);
                }
            }
            None if hosts.next().is_none() => return Err(Fault::HostUnnamed.into()),
            None => {}
        }
        for (name, value) in &parts.headers {
            taken = taken.with_header(name.as_str(), value.as_bytes());
        }
        let in_the_clear = parts.uri.scheme_str() == Some("http");
        Ok(taken
            .with_body(body.as_ref())
            .with_transport(if in_the_clear {
                Transport::Http
            } else {
                Transport::Https
            }))
    }
}
