//! Socket of a client, which notes what the operating system takes for it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::activity::Activity;
use crate::config::gateway::ConnectionLimits;

/// A socket. Closed by a reset if its [`Activity`] is aborted: otherwise the operating system would go on to offer what
/// no one reads.
pub(super) struct ClientSocket {
    stream: TcpStream,
    activity: Arc<Activity>,
}

/// How many bytes the operating system may keep for a client beyond what is on its way to it. The more it keeps, the less
/// its taking them says about the client.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT: u32 = 32_768;

impl ClientSocket {
    /// Sets what the socket needs. Where the operating system lacks a setting, it does without.
    pub(super) fn new(
        stream: TcpStream,
        limits: &ConnectionLimits,
        activity: Arc<Activity>,
    ) -> Self {
        // Answers are small and must not wait for more of them.
        let _ = stream.set_nodelay(true);
        let socket = SockRef::from(&stream);
        // A client that vanished while it waited for an answer.
        let alive = TcpKeepalive::new()
            .with_time(limits.idle)
            .with_interval(limits.head);
        let _ = socket.set_tcp_keepalive(&alive);
        #[cfg(any(target_os = "android", target_os = "linux"))]
        let _ = socket.set_tcp_notsent_lowat(UNSENT);
        Self { stream, activity }
    }

    fn note(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &written {
            Poll::Ready(Ok(count)) => self.activity.wrote(*count),
            Poll::Pending => self.activity.blocked(),
            Poll::Ready(Err(_)) => {}
        }
        written
    }
}

impl AsyncRead for ClientSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ClientSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Drop for ClientSocket {
    fn drop(&mut self) {
        if self.activity.is_aborted() {
            // If that fails, the operating system closes it in its own time.
            let _ = self.stream.set_zero_linger();
        }
    }
}
