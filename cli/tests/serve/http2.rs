//! A client of HTTP/2 that speaks frames, so that it can do what no library would.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use hyper::http::response::Parts;
use qcloud_validator::testkit::Request;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Socket, Type};

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// What a connection runs over.
pub(crate) trait Wire: Read + Write + Send {}

impl<T: Read + Write + Send> Wire for T {}

/// Connects without TLS, or with it and the authority in `folder`, which a gateway with `self_signed` has made.
pub(crate) fn connect(address: SocketAddr, tls: Option<(&Path, &[u8])>) -> Box<dyn Wire> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // The operating system reads little ahead of the client.
    socket.set_recv_buffer_size(16_384).unwrap();
    socket.connect(&address.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let Some((folder, protocol)) = tls else {
        return Box::new(stream);
    };
    let authority = fs::read(folder.join("ca.pem")).unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(&authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(Arc::new(config), name).unwrap();
    Box::new(StreamOwned::new(session, stream))
}

/// A frame that came.
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

/// A connection of HTTP/2.
pub(crate) struct Http2 {
    wire: Box<dyn Wire>,
}

impl Http2 {
    /// Sends the preface and settings, each an identifier and a value.
    pub(crate) fn begin(wire: Box<dyn Wire>, settings: &[(u16, u32)]) -> io::Result<Self> {
        let mut client = Self { wire };
        client.wire.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")?;
        let settings: Vec<u8> = settings
            .iter()
            .flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        client.send(SETTINGS, 0, 0, &settings)?;
        Ok(client)
    }

    pub(crate) fn send(
        &mut self,
        kind: u8,
        flags: u8,
        stream: u32,
        payload: &[u8],
    ) -> io::Result<()> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.wire.write_all(&[&head, payload].concat())?;
        self.wire.flush()
    }

    /// Sends a request without a body.
    pub(crate) fn get(&mut self, stream: u32, fields: &[(&str, &str)]) -> io::Result<()> {
        self.send(
            HEADERS,
            END_STREAM | END_HEADERS,
            stream,
            &header_block(fields),
        )
    }

    /// Sends a signed request with its body.
    pub(crate) fn request(&mut self, stream: u32, request: &Request) -> io::Result<()> {
        let host = request.header("host").unwrap();
        let mut block = Vec::new();
        field(":method", request.method(), &mut block);
        field(":scheme", b"https", &mut block);
        field(":authority", host, &mut block);
        field(":path", request.target(), &mut block);
        let headers = request.headers();
        for (name, value) in headers.filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            field(&name.to_ascii_lowercase(), value, &mut block);
        }
        if request.body().is_empty() {
            return self.send(HEADERS, END_STREAM | END_HEADERS, stream, &block);
        }
        self.send(HEADERS, END_HEADERS, stream, &block)?;
        self.send(DATA, END_STREAM, stream, request.body())
    }

    pub(crate) fn open_window(&mut self, stream: u32, bytes: u32) -> io::Result<()> {
        self.send(WINDOW_UPDATE, 0, stream, &bytes.to_be_bytes())
    }

    /// The next frame; settings and pings are acknowledged on the way.
    pub(crate) fn frame(&mut self) -> io::Result<Frame> {
        loop {
            let mut head = [0; 9];
            self.wire.read_exact(&mut head)?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; usize::try_from(length).unwrap()];
            self.wire.read_exact(&mut payload)?;
            let frame = Frame {
                kind: head[3],
                flags: head[4],
                stream: u32::from_be_bytes([head[5], head[6], head[7], head[8]]),
                payload,
            };
            match frame.kind {
                SETTINGS | PING if frame.flags & ACK == 0 => {
                    let answer = if frame.kind == PING {
                        &frame.payload[..]
                    } else {
                        b""
                    };
                    self.send(frame.kind, ACK, 0, answer)?;
                }
                SETTINGS | PING | WINDOW_UPDATE => {}
                _ => return Ok(frame),
            }
        }
    }

    /// The whole answer on a stream, with windows opened for it.
    pub(crate) fn answer(&mut self, stream: u32) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let frame = self.frame()?;
            if frame.stream != stream {
                continue;
            }
            match frame.kind {
                HEADERS => answer.heads.push(frame.payload),
                DATA if !frame.payload.is_empty() => {
                    let length = u32::try_from(frame.payload.len()).unwrap();
                    answer.body.extend_from_slice(&frame.payload);
                    self.open_window(0, length)?;
                    if frame.flags & END_STREAM == 0 {
                        self.open_window(stream, length)?;
                    }
                }
                RST_STREAM => {
                    answer.reset = Some(u32::from_be_bytes(frame.payload.try_into().unwrap()));
                    return Ok(answer);
                }
                _ => {}
            }
            if frame.flags & END_STREAM != 0 {
                return Ok(answer);
            }
        }
    }
}

/// An answer: its header blocks as they came, the last of which may be trailers.
#[derive(Default)]
pub(crate) struct Answer {
    pub(crate) heads: Vec<Vec<u8>>,
    pub(crate) body: Vec<u8>,
    pub(crate) reset: Option<u32>,
}

/// Fields, in their order.
pub(crate) fn header_block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        field(name, value.as_bytes(), &mut block);
    }
    block
}

/// A field as a literal without indexing, with its name (RFC 7541 section 6.2.2).
fn field(name: &str, value: &[u8], block: &mut Vec<u8>) {
    block.push(0);
    for text in [name.as_bytes(), value] {
        length(text.len(), block);
        block.extend_from_slice(text);
    }
}

/// An integer with a prefix of seven bits (RFC 7541 section 5.1).
fn length(length: usize, block: &mut Vec<u8>) {
    let Some(mut rest) = length.checked_sub(127) else {
        block.push(u8::try_from(length).unwrap());
        return;
    };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128 + 128).unwrap());
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// An answer that a library has read.
pub(crate) struct Decoded {
    pub(crate) head: Parts,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Option<HeaderMap>,
}

/// Sends a request with a library, and reads its answer to the end.
pub(crate) fn ask(
    address: SocketAddr,
    request: hyper::Request<&[u8]>,
    trailers: Option<HeaderMap>,
) -> Decoded {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let (client, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let (head, body) = request.into_parts();
        let request = hyper::Request::from_parts(head, ());
        let ends = body.is_empty() && trailers.is_none();
        let (answer, mut sender) = client.send_request(request, ends).unwrap();
        if !body.is_empty() {
            let body = bytes::Bytes::copy_from_slice(body);
            sender.send_data(body, trailers.is_none()).unwrap();
        }
        if let Some(trailers) = trailers {
            sender.send_trailers(trailers).unwrap();
        }
        let (head, mut incoming) = answer.await.unwrap().into_parts();
        let mut body = Vec::new();
        while let Some(data) = incoming.data().await {
            body.extend_from_slice(&data.unwrap());
        }
        Decoded {
            head,
            body,
            trailers: incoming.trailers().await.unwrap(),
        }
    })
}

/// A signed request for the library, with more fields.
pub(crate) fn signed<'r>(
    request: &'r Request,
    fields: &[(&str, &str)],
) -> hyper::Request<&'r [u8]> {
    let text = |bytes: &'r [u8]| std::str::from_utf8(bytes).unwrap();
    let host = text(request.header("host").unwrap());
    let mut built = hyper::Request::builder()
        .method(request.method())
        .uri(format!("http://{host}{}", text(request.target())));
    for (name, value) in request.headers() {
        if !name.eq_ignore_ascii_case("host") {
            built = built.header(name, value);
        }
    }
    for (name, value) in fields {
        built = built.header(*name, *value);
    }
    built.body(request.body()).unwrap()
}
