//! A site: a service, the gateway, and whatever is in front of it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use qcloud_validator::testkit::Request;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use test_support::gateway::{Gateway, SECRET_ID, SECRET_KEY, eventually, folder};

use super::programs::{Places, Program};
use super::service::Service;
use super::setups::Setup;
use crate::scene::AT_ONCE;

/// Where a site is reached.
pub(crate) const HOST: &str = "api.example.com";

pub(crate) struct Site {
    address: SocketAddr,
    pub(crate) gateway: Gateway,
    pub(crate) service: Service,
    tls: Arc<ClientConfig>,
    authority: PathBuf,
    _proxy: Option<Program>,
}

impl Site {
    pub(crate) fn start(setup: &Setup) -> Self {
        let folder = folder("site");
        let service = Service::start();
        let upstream = match setup.listener.contains("\"proxy\"") {
            true => format!("upstream = \"http://{}\"\n", service.address),
            false => String::new(),
        };
        // A mock makes the certificate, where the listener does not.
        let config = format!(
            "[[credential]]\nsecret_id = \"{SECRET_ID}\"\nsecret_key = \"{SECRET_KEY}\"\n\
             account = \"100000000001\"\nsub_account = \"200000000001\"\n\
             [[account]]\nuin = \"100000000001\"\n\
             [[account.sub_account]]\nuin = \"200000000001\"\n\
             [[account.sub_account.rule]]\neffect = \"allow\"\nactions = [\"Describe*\"]\n\
             resources = [\"*\"]\n\
             [admin]\naddress = \"127.0.0.1:0\"\n\
             [[listener]]\naddress = \"127.0.0.1:0\"\n{}{upstream}\
             [[listener]]\naddress = \"127.0.0.1:0\"\nmode = \"mock\"\nself_signed = \"tls\"\n{AT_ONCE}",
            setup.listener
        );
        let gateway = Gateway::start(&folder, &config, &[]);
        let places = Places {
            folder: &folder,
            gateway: gateway.address(),
            service: service.address,
        };
        let proxy = setup.proxy.map(|start| start(places));
        let site = Self {
            address: proxy
                .as_ref()
                .map_or(gateway.address(), |proxy| proxy.address),
            gateway,
            service,
            tls: trusting(&folder.join("tls/ca.pem")),
            authority: folder.join("tls/ca.pem"),
            _proxy: proxy,
        };
        // Some listen before they have read their routes.
        let unsigned = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
        eventually("the site answers", || {
            let answer = site.ask(unsigned.as_bytes());
            !answer.is_empty() && !answer.starts_with("HTTP/1.1 404 ")
        });
        site
    }

    /// Sends one request over a new connection; the answer to it, or nothing if there is none.
    pub(crate) fn ask(&self, request: &[u8]) -> String {
        self.exchange(request, Until::Answered)
    }

    /// Sends bytes over a connection of their own; whatever comes back until it is closed.
    pub(crate) fn send(&self, bytes: &[u8]) -> String {
        self.exchange(bytes, Until::Closed)
    }

    /// Sends a request with curl.
    pub(crate) fn ask_over_http_2(&self, request: &Request) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut curl = Command::new("curl");
        curl.args([
            "--http2",
            "--silent",
            "--show-error",
            "--globoff",
            "--path-as-is",
        ])
        .args(["--noproxy", "*", "--max-time", "20", "--cacert"])
        .arg(&self.authority)
        .args(["--request", &text(request.method())]);
        for (name, value) in request.headers() {
            curl.args(["--header", &format!("{name}: {}", text(value))]);
        }
        let url = format!(
            "https://localhost:{}{}",
            self.address.port(),
            text(request.target())
        );
        let output = curl
            .args(["--write-out", " over HTTP/%{http_version}", &url])
            .output();
        let output = output.expect("curl is installed by `bash cli/tests/clients/install.sh`");
        let printed = text(&output.stdout);
        assert!(
            printed.ends_with(" over HTTP/2"),
            "{printed}{}",
            text(&output.stderr)
        );
    }

    fn exchange(&self, bytes: &[u8], until: Until) -> String {
        let mut answer = Vec::new();
        // An error is the other side's way to refuse.
        let _ = self.read_answers(bytes, until, &mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn read_answers(&self, bytes: &[u8], until: Until, answer: &mut Vec<u8>) -> io::Result<()> {
        let socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(2)))?;
        let name = ServerName::try_from("localhost").unwrap();
        let session = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let mut stream = StreamOwned::new(session, socket);
        stream.write_all(bytes)?;
        let head_only = bytes.starts_with(b"HEAD ");
        let mut piece = [0; 16_384];
        let mut answered = false;
        loop {
            let length = stream.read(&mut piece)?;
            answer.extend_from_slice(&piece[..length]);
            if length == 0 {
                return Ok(());
            }
            if !answered && is_whole(answer, head_only) {
                if until == Until::Answered {
                    return Ok(());
                }
                // The other side answers what else it has read, and then it closes.
                answered = true;
                stream.conn.send_close_notify();
                stream.flush()?;
                stream.sock.shutdown(Shutdown::Write)?;
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Until {
    Answered,
    Closed,
}

/// Whether a final answer has come to its end.
fn is_whole(mut answer: &[u8], head_only: bool) -> bool {
    loop {
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            return false;
        };
        let (head, rest) = answer.split_at(head + 4);
        if head.get(9) == Some(&b'1') {
            answer = rest;
            continue;
        }
        if head_only {
            return true;
        }
        let head = String::from_utf8_lossy(head).to_ascii_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        return match length.and_then(|length| length.parse::<usize>().ok()) {
            Some(length) => rest.len() >= length,
            None if head.contains("\r\ntransfer-encoding: chunked") => rest.ends_with(b"0\r\n\r\n"),
            None => false,
        };
    }
}

fn trusting(authority: &Path) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_file(authority).unwrap())
        .unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}
