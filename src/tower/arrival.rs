//! How a request came: over TLS or not, for which host, and whom to believe about it.

use std::fmt;
use std::net::SocketAddr;

use http::header::HOST;
use http::{HeaderMap, Request};

use super::IpNetwork;
use crate::request::{Field, Headers, Payload, RequestView, Transport, trimmed};

/// [`Field::and`] joins lines with the same name, as in a list of pairs.
impl Headers for HeaderMap {
    fn find(&self, name: &str) -> Field<'_> {
        folded(Field::Absent, self, name)
    }

    /// In one pass: the map would hash each name that is looked for.
    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        for (header, value) in self {
            let mut wanted = names.iter().zip(&mut *found);
            // Names are in lower case on either side.
            if let Some((_, field)) = wanted.find(|(name, _)| **name == header.as_str()) {
                *field = field.and(value.as_bytes());
            }
        }
    }
}

fn folded<'h>(found: Field<'h>, headers: &'h HeaderMap, name: &str) -> Field<'h> {
    let values = headers.get_all(name).into_iter();
    values.fold(found, |found, value| found.and(value.as_bytes()))
}

/// The address of the peer: an extension of the request, inserted by the code that accepts connections.
///
/// Without it no forwarding header is believed. With axum it is made from `ConnectInfo`; `examples/tower_service.rs`
/// shows how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is an address with a name")]
pub struct PeerAddr(pub SocketAddr);

/// From what it is known whether a request came over TLS.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransportSource {
    /// The listener: all of its connections are alike. Forwarding headers are ignored.
    Connection(Transport),
    /// A proxy that ends TLS in front of a listener for plain HTTP.
    ///
    /// A request whose [`PeerAddr`] is in one of these networks came over TLS if every value of its `X-Forwarded-Proto`
    /// is `https`, and for the host in its `X-Forwarded-Host`, if it has one; hosts there that differ contradict each
    /// other, and the request is refused. Any other request came over plain HTTP, whatever its headers say.
    ///
    /// The proxy must **set** both headers, not add to what the client sent, and nobody else may be able to connect from
    /// these networks.
    ForwardedFrom(Vec<IpNetwork>),
}

/// Plain HTTP; no header is believed. Refused unless the policy allows plain HTTP.
impl Default for TransportSource {
    fn default() -> Self {
        Self::Connection(Transport::Http)
    }
}

impl TransportSource {
    /// Whether the request comes from a proxy that is believed: one in the list, by its [`PeerAddr`].
    #[must_use]
    pub fn believes<B>(&self, request: &Request<B>) -> bool {
        let peer: Option<&PeerAddr> = request.extensions().get();
        match (self, peer) {
            (Self::ForwardedFrom(proxies), Some(PeerAddr(peer))) => {
                proxies.iter().any(|proxy| proxy.contains(peer.ip()))
            }
            (Self::ForwardedFrom(_), None) | (Self::Connection(_), _) => false,
        }
    }
}

/// A request of crate `http` as the validator is shown it, before its body is there.
///
/// The host is, in this order: what a believed proxy forwards; the authority of the target, which is `:authority` in
/// HTTP/2 and there only with an absolute target in HTTP/1.1; the `Host` header. An authority and a `Host` header that
/// differ contradict each other, and the request is refused.
///
/// ```
/// use http::Request;
/// use qcloud_validator::tower::{Arrival, PeerAddr, TransportSource};
/// use qcloud_validator::{Field, Transport};
///
/// let source = TransportSource::ForwardedFrom(vec!["10.1.0.0/16".parse()?]);
/// let mut request = Request::get("/")
///     .header("Host", "10.1.0.7:8080")
///     .header("X-Forwarded-Proto", "https")
///     .header("X-Forwarded-Host", "cvm.tencentcloudapi.com")
///     .body(())?;
///
/// request.extensions_mut().insert(PeerAddr("10.1.0.2:40000".parse()?));
/// let arrival = Arrival::new(&request, &source);
/// assert_eq!(arrival.transport(), Transport::Https);
/// assert_eq!(arrival.host(), Field::Once(b"cvm.tencentcloudapi.com"));
///
/// request.extensions_mut().insert(PeerAddr("198.51.100.1:40000".parse()?));
/// let arrival = Arrival::new(&request, &source);
/// assert_eq!(arrival.transport(), Transport::Http);
/// assert_eq!(arrival.host(), Field::Once(b"10.1.0.7:8080"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Arrival<'r> {
    transport: Transport,
    host: Field<'r>,
    method: &'r str,
    target: &'r str,
    headers: &'r HeaderMap,
}

impl<'r> Arrival<'r> {
    /// Reads how the request came. Its body is not looked at.
    #[must_use]
    pub fn new<B>(request: &'r Request<B>, source: &TransportSource) -> Self {
        let believed = source.believes(request);
        let headers = request.headers();
        let transport = match source {
            TransportSource::Connection(transport) => *transport,
            TransportSource::ForwardedFrom(_) if believed => forwarded_transport(headers),
            TransportSource::ForwardedFrom(_) => Transport::Http,
        };
        let uri = request.uri();
        let authority = uri.authority().map_or(Field::Absent, |authority| {
            Field::Once(authority.as_str().as_bytes())
        });
        let host = match forwarded_host(headers) {
            Some(host) if believed => host,
            _ => folded(authority, headers, HOST.as_str()),
        };
        Self {
            transport,
            host,
            method: request.method().as_str(),
            target: uri.path_and_query().map_or("", |target| target.as_str()),
            headers,
        }
    }

    /// Whether it came over TLS, as far as anybody who is believed says so.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The host that the client named.
    #[must_use]
    pub fn host(&self) -> Field<'r> {
        self.host
    }

    /// What the validator is shown, once the body is known.
    #[must_use]
    pub fn view<'v>(&'v self, payload: Payload<'v>) -> RequestView<'v> {
        RequestView::new(self.transport, self.method, self.target)
            .with_headers(self)
            .with_payload(payload)
    }
}

/// The headers, but for the host.
impl Headers for Arrival<'_> {
    fn find(&self, name: &str) -> Field<'_> {
        match name {
            "host" => self.host,
            _ => self.headers.find(name),
        }
    }

    fn find_all<'h>(&'h self, names: &[&str], found: &mut [Field<'h>]) {
        self.headers.find_all(names, found);
        let mut wanted = names.iter().zip(found);
        if let Some((_, field)) = wanted.find(|(name, _)| **name == "host") {
            *field = self.host;
        }
    }
}

impl fmt::Debug for Arrival<'_> {
    /// Shows neither query nor headers: they may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arrival")
            .field("transport", &self.transport)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// A chain of proxies with one hop over plain HTTP counts as plain HTTP.
fn forwarded_transport(headers: &HeaderMap) -> Transport {
    let mut hops = headers
        .get_all("x-forwarded-proto")
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(|hop| hop.trim_ascii().eq_ignore_ascii_case(b"https"))
        .peekable();
    if hops.peek().is_some() && hops.all(|https| https) {
        Transport::Https
    } else {
        Transport::Http
    }
}

/// A proxy that adds to what it was sent, as Apache does by default, repeats the host in a list.
fn forwarded_host(headers: &HeaderMap) -> Option<Field<'_>> {
    let said = headers
        .get_all("x-forwarded-host")
        .into_iter()
        .flat_map(|value| value.as_bytes().split(|&byte| byte == b','))
        .map(trimmed)
        .fold(Field::Absent, Field::and);
    match said {
        Field::Absent | Field::Once(b"") => None,
        said => Some(said),
    }
}
