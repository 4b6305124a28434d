//! The log: lines that wait in a queue for a thread that writes them. Each line that is lost on the way is counted.

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Level;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};

use crate::config::gateway::LogFormat;

/// The thread that writes the log. On drop it writes what waits, if the sink takes it within a second.
pub(crate) struct Log {
    _writer: WorkerGuard,
    lost: LostLines,
}

/// Lines that may wait to be written, of some 300 bytes each.
const WAITING: usize = 1 << 16;

impl Log {
    /// Begins to write to standard output. `RUST_LOG` is not read: the configuration alone says what is written.
    pub(crate) fn install(format: LogFormat) -> io::Result<Self> {
        // The standard library's handle has a buffer too, and does not say which of its lines were written.
        let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let colours = output.is_terminal();
        let unwritten = Arc::default();
        let (lines, writer) = NonBlockingBuilder::default()
            .buffered_lines_limit(WAITING)
            .thread_name("log")
            .finish(LineWriter::new(output, Arc::clone(&unwritten)));
        let unqueued = lines.error_counter();
        let subscriber = tracing_subscriber::fmt()
            .with_target(false)
            .with_max_level(Level::INFO)
            .with_writer(lines);
        match format {
            LogFormat::Json => subscriber.json().flatten_event(true).init(),
            LogFormat::Text => subscriber.with_ansi(colours).init(),
        }
        Ok(Self {
            _writer: writer,
            lost: LostLines {
                unqueued,
                unwritten,
            },
        })
    }

    pub(crate) fn lost_lines(&self) -> &LostLines {
        &self.lost
    }
}

/// The number of lines that were lost.
#[derive(Clone)]
pub(crate) struct LostLines {
    /// The queue was full.
    unqueued: ErrorCounter,
    /// The sink failed.
    unwritten: Arc<AtomicUsize>,
}

impl LostLines {
    /// Returns how many there are so far. A line that is lost is counted once, whatever the cause.
    pub(crate) fn count(&self) -> usize {
        let unwritten = self.unwritten.load(Ordering::Relaxed);
        self.unqueued.dropped_lines().saturating_add(unwritten)
    }
}

/// Writes lines in batches. When the sink fails, the batch is given up and its lines are counted. The caller never sees an
/// error: the thread of `tracing_appender` would ignore it.
struct LineWriter<W> {
    sink: W,
    batch: Vec<u8>,
    /// Where each line of the batch ends.
    ends: Vec<usize>,
    /// The sink has the beginning of the first of them.
    has_begun: bool,
    lost: Arc<AtomicUsize>,
}

/// A longer batch is written before the queue is empty.
const BATCH: usize = 1 << 13;

impl<W: Write> LineWriter<W> {
    fn new(sink: W, lost: Arc<AtomicUsize>) -> Self {
        Self {
            sink,
            batch: Vec::new(),
            ends: Vec::new(),
            has_begun: false,
            lost,
        }
    }

    /// Writes the batch, as far as the sink takes it, and returns how many bytes that were.
    fn written(&mut self) -> usize {
        let mut written = 0;
        while let Some(rest) = self.batch.get(written..).filter(|rest| !rest.is_empty()) {
            match self.sink.write(rest) {
                Ok(0) => break,
                Ok(bytes) => written = written.saturating_add(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        written
    }

    /// Gives up the lines that were not written. Of one that was written in part the rest is kept, or the next line would
    /// continue it.
    fn give_up(&mut self, written: usize) {
        let whole = self.ends.partition_point(|&end| end <= written);
        let begin = whole.checked_sub(1).and_then(|last| self.ends.get(last));
        self.has_begun = match begin {
            Some(&begin) => begin < written,
            None => self.has_begun || written > 0,
        };
        let kept = self.ends.get(whole).copied().filter(|_| self.has_begun);
        self.batch.truncate(kept.unwrap_or_default());
        self.batch.drain(..written.min(self.batch.len()));
        let lost = self.ends.len().saturating_sub(whole);
        let lost = lost.saturating_sub(usize::from(self.has_begun));
        self.lost.fetch_add(lost, Ordering::Relaxed);
        self.ends.clear();
        self.ends.extend(kept.map(|_| self.batch.len()));
    }
}

impl<W: Write> Write for LineWriter<W> {
    /// Takes one line, as a whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.batch.len().saturating_add(line.len()) > BATCH {
            self.flush()?;
        }
        self.batch.extend_from_slice(line);
        self.ends.push(self.batch.len());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.written();
        if written == self.batch.len() {
            self.batch.clear();
            self.ends.clear();
            self.has_begun = false;
        } else {
            self.give_up(written);
        }
        Ok(())
    }
}
