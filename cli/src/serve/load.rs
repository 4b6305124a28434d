//! Loads of the configuration. One thread reads all files: at the start, when it is asked to, and when they have changed.
//! Whatever it waits for, requests do not.

use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tracing::{error, info};

use super::metrics;
use super::running::Running;
use super::source::{Load, Loaded, Source};
use crate::config::files::{Files, Look, Reading};

/// The thread that reads files.
pub(crate) struct Loader {
    ask: SyncSender<()>,
    reading: Reading,
    /// The file that was being read when it was last asked about.
    before: Option<PathBuf>,
    /// The file that was last returned.
    reported: Option<PathBuf>,
}

/// The first load, and where what it became is awaited.
pub(crate) struct First {
    loaded: oneshot::Receiver<Result<Loaded, String>>,
    opened: SyncSender<Arc<Running>>,
}

impl Loader {
    /// Begins to load.
    pub(crate) fn start(source: Source) -> io::Result<(Self, First)> {
        let (ask, asked) = sync_channel(1);
        let (opened, awaited) = sync_channel(1);
        let (load, loaded) = oneshot::channel();
        let reading = Reading::default();
        let current = reading.clone();
        let run = move || {
            let Load { outcome, files } = source.load(&current);
            let period = outcome.as_ref().map_or(None, |loaded| loaded.config.reload);
            // No one waits if the process was asked to stop meanwhile.
            if load.send(outcome).is_ok()
                && let Ok(running) = awaited.recv()
            {
                let reloads = Reloads {
                    source,
                    running,
                    files,
                    period,
                    changed: None,
                };
                reloads.run(&asked);
            }
        };
        thread::Builder::new().name("files".to_owned()).spawn(run)?;
        let loader = Self {
            ask,
            reading,
            before: None,
            reported: None,
        };
        Ok((loader, First { loaded, opened }))
    }

    /// Reloads soon. One that is under way may have read too early, so that another one follows it.
    pub(crate) fn reload(&self) {
        // Where there is no place, one that has not begun waits already.
        let _ = self.ask.try_send(());
    }

    /// Returns the file that has been waited for since the last call, once.
    pub(crate) fn stuck_at(&mut self) -> Option<PathBuf> {
        let now = self.reading.get();
        let before = mem::replace(&mut self.before, now.clone());
        let stuck = now.filter(|_| before == self.before);
        let reported = mem::replace(&mut self.reported, stuck.clone());
        stuck.filter(|_| reported != self.reported)
    }
}

impl First {
    /// Returns what was read, once. The error is one line.
    pub(crate) async fn loaded(&mut self) -> Result<Loaded, String> {
        let gone = |_| Err("the thread that reads the configuration ended".to_owned());
        (&mut self.loaded).await.unwrap_or_else(gone)
    }

    /// Lets changes count for what was made of it.
    pub(crate) fn opened(self, running: Arc<Running>) {
        // Where the thread is gone there are no reloads.
        let _ = self.opened.try_send(running);
    }
}

/// What the thread knows.
struct Reloads {
    source: Source,
    running: Arc<Running>,
    /// Those of the last attempt.
    files: Files,
    period: Option<Duration>,
    /// What the last look found, if that is something else than what was read.
    changed: Option<Look>,
}

impl Reloads {
    fn run(mut self, asked: &Receiver<()>) {
        loop {
            let asked = match self.period {
                Some(period) => asked.recv_timeout(period),
                None => asked.recv().map_err(RecvTimeoutError::from),
            };
            match asked {
                Ok(()) => self.reload("signal"),
                Err(RecvTimeoutError::Timeout) if self.have_changed() => self.reload("files"),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Whether files have changed, and not since the last look: then somebody may still be writing.
    fn have_changed(&mut self) -> bool {
        let look = self.files.look();
        if look == *self.files.seen() {
            self.changed = None;
            return false;
        }
        let before = self.changed.replace(look);
        before == self.changed
    }

    /// Reads everything and takes it over as a whole, or not at all.
    fn reload(&mut self, trigger: &'static str) {
        let _in_progress = metrics::reload_begins();
        let Load { outcome, files } = self.source.load(&self.files.reading());
        self.files = files;
        self.changed = None;
        let taken = outcome.and_then(|loaded| {
            let period = loaded.config.reload;
            self.running.take(loaded)?;
            self.period = period;
            Ok(())
        });
        match taken {
            Ok(()) => {
                metrics::reloaded(metrics::Reload::Done);
                info!(trigger, "reloaded");
            }
            Err(wrong) => {
                metrics::reloaded(metrics::Reload::Failed);
                error!(trigger, wrong, "not reloaded; everything stays as it was");
            }
        }
    }
}
