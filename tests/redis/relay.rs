//! A name that follows a fail-over, or a network with a long way.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::Duration;

/// An address that leads to a server.
pub(crate) struct Relay {
    address: u16,
    target: Arc<AtomicU16>,
}

impl Relay {
    pub(crate) fn to(port: u16) -> Self {
        Self::slow(port, Duration::ZERO)
    }

    /// Each way takes so long.
    pub(crate) fn slow(port: u16, way: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap().port();
        let target = Arc::new(AtomicU16::new(port));
        let current = Arc::clone(&target);
        thread::spawn(move || {
            for client in listener.incoming() {
                let target = (Ipv4Addr::LOCALHOST, current.load(Ordering::SeqCst));
                // The client sees that it is hung up.
                if let (Ok(client), Ok(server)) = (client, TcpStream::connect(target)) {
                    for (from, to) in [(&client, &server), (&server, &client)] {
                        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                        thread::spawn(move || pass_on(from, to, way));
                    }
                }
            }
        });
        Self { address, target }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.address)
    }

    /// Leads new connections to another server.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.store(port, Ordering::SeqCst);
    }
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, way: Duration) {
    let mut bytes = [0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        thread::sleep(way);
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
