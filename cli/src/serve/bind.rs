//! Opens addresses for listening.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

/// Listens on an address. The error is one line.
pub(crate) fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    /// Clients that connect faster than they are accepted wait here; beyond it they lose a second each. The operating
    /// system may allow fewer (`net.core.somaxconn`).
    const QUEUE: u32 = 4_096;
    let listener = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }
    .and_then(|socket| {
        // After a restart the port still has connections that are closing.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(QUEUE)
    });
    listener.map_err(|error| format!("{address}: cannot be listened on: {error}"))
}

/// Returns the address of a listener, with the port that was found where none was demanded.
pub(crate) fn local(listener: &TcpListener) -> String {
    listener
        .local_addr()
        .map_or_else(|_| "?".to_owned(), |address| address.to_string())
}
