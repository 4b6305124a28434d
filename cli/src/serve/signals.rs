//! Signals. They are received on a thread that does nothing else, so that a process that is asked to stop ends in bounded
//! time, whatever its other threads wait for.

use std::io;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::report::text::complain;

/// The signals that the process has received.
#[derive(Clone)]
pub(crate) struct Signals {
    /// SIGHUP. One that comes before the last was heeded is the same.
    pub(crate) reload: Arc<Notify>,
    /// SIGTERM or SIGINT.
    pub(crate) stop: CancellationToken,
    /// Another one of them.
    pub(crate) stop_at_once: CancellationToken,
    /// How long requests may go on after the first.
    drain: watch::Sender<Duration>,
}

/// How long the process may take for all that is not requests: the last nonces, the last lines of the log.
const CLOSING: Duration = Duration::from_secs(5);

impl Signals {
    /// Receives signals from here on.
    pub(crate) fn receive() -> io::Result<Self> {
        let signals = Self {
            reload: Arc::default(),
            stop: CancellationToken::new(),
            stop_at_once: CancellationToken::new(),
            drain: watch::Sender::new(Duration::ZERO),
        };
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (hangup, end) = {
            let _runtime = runtime.enter();
            let end = End {
                terminate: signal(SignalKind::terminate())?,
                interrupt: signal(SignalKind::interrupt())?,
            };
            (signal(SignalKind::hangup())?, end)
        };
        let received = signals.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(received.hear(hangup, end)))?;
        Ok(signals)
    }

    /// Gives requests so long to end after a signal to stop.
    pub(crate) fn let_drain(&self, drain: Duration) {
        self.drain.send_replace(drain);
    }

    async fn hear(self, mut hangup: Signal, mut end: End) {
        loop {
            select! {
                _ = hangup.recv() => self.reload.notify_one(),
                () = end.recv() => break,
            }
        }
        self.stop.cancel();
        let drain = *self.drain.borrow();
        select! {
            () = sleep(drain.saturating_add(CLOSING)) => {}
            () = end.recv() => {
                self.stop_at_once.cancel();
                sleep(CLOSING).await;
            }
        }
        // Standard error may be what hangs.
        thread::spawn(|| {
            complain("stopped by force: it did not end in time, and used nonces may not be saved");
        });
        sleep(Duration::from_millis(100)).await;
        process::exit(2);
    }
}

/// The signals that end the process.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl End {
    async fn recv(&mut self) {
        select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
