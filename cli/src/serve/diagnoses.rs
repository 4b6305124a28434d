//! Diagnoses of refused requests, beside those that are being answered: one at a time, and for all strangers together no
//! more than a tenth of one processor.

use std::sync::Arc;
use std::time::Duration;

use qcloud_validator::diagnose::{Diagnosis, Outcome};
use qcloud_validator::tower::{PendingDiagnosis, RequestId};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};

use super::{access_log, metrics};

/// Diagnoses that may wait.
const PLACES: usize = 16;
/// A longer request is not diagnosed beside others; the longest form of the default policy is.
const LONGEST: usize = 1 << 20;
/// What all that wait may take together.
const ROOM: usize = 4 * LONGEST;
/// After a diagnosis that took one second, none is begun for so many.
const REST: u32 = 9;

/// Where diagnoses are made.
pub(crate) struct Diagnoses {
    turn: Turn,
    waiting: mpsc::Sender<Waiting>,
    room: Arc<Semaphore>,
}

/// A refused request that waits for its diagnosis, which is written to the log.
struct Waiting {
    pending: PendingDiagnosis,
    id: RequestId,
    room: OwnedSemaphorePermit,
}

impl Diagnoses {
    /// Begins to take requests. Those that wait are forgotten when the runtime ends.
    pub(crate) fn start() -> Self {
        let (sender, waiting) = mpsc::channel(PLACES);
        let turn = Turn::new();
        tokio::spawn(make(waiting, turn.clone()));
        Self {
            turn,
            waiting: sender,
            room: Arc::new(Semaphore::new(ROOM)),
        }
    }

    /// Has a diagnosis made for the log, if there is a place; otherwise counts that it was skipped.
    pub(crate) fn make_for_log(&self, pending: PendingDiagnosis, id: RequestId) {
        if let Err(skipped) = self.queue(pending, id) {
            metrics::diagnosis_skipped(skipped);
        }
    }

    fn queue(&self, pending: PendingDiagnosis, id: RequestId) -> Result<(), Skipped> {
        let length = pending.kept_bytes();
        if length > LONGEST {
            return Err(Skipped::TooLong);
        }
        let length = u32::try_from(length).map_err(|_| Skipped::TooLong)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(length);
        let waiting = Waiting {
            pending,
            id,
            room: room.map_err(|_| Skipped::NoPlace)?,
        };
        let queued = self.waiting.try_send(waiting);
        queued.map_err(|_| Skipped::NoPlace)
    }

    /// Makes a diagnosis that is part of an answer, however many wait.
    pub(crate) async fn make(&self, pending: PendingDiagnosis) -> Option<Diagnosis> {
        let made = made(&self.turn, pending).await?;
        Some(made.diagnosis)
    }
}

/// Why a diagnosis was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    NoPlace,
    TooLong,
}

impl Skipped {
    pub(crate) const ALL: [Self; 2] = [Self::NoPlace, Self::TooLong];

    /// As in the metrics.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::NoPlace => "no-place",
            Self::TooLong => "too-long",
        }
    }
}

/// How far a diagnosis got, as in the log and the metrics.
pub(crate) fn outcome_id(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Explained => "explained",
        Outcome::BudgetSpent => "cut-short",
        _ => "unexplained",
    }
}

struct Made {
    diagnosis: Diagnosis,
    took: Duration,
}

/// Makes those that wait, and rests after each: what strangers can make it cost is a share of the time, whatever they send.
async fn make(mut waiting: mpsc::Receiver<Waiting>, turn: Turn) {
    while let Some(Waiting { pending, id, room }) = waiting.recv().await {
        let made = made(&turn, pending).await;
        drop(room);
        if let Some(Made { diagnosis, took }) = made {
            access_log::write_diagnosis(&id, &diagnosis, took);
            sleep(took.saturating_mul(REST)).await;
        }
    }
}

async fn made(turn: &Turn, pending: PendingDiagnosis) -> Option<Made> {
    let handle = Handle::current();
    let made = turn.take(move || {
        let began = Instant::now();
        let diagnosis = handle.block_on(pending.explain());
        Made {
            diagnosis,
            took: began.elapsed(),
        }
    });
    let made = made.await?;
    metrics::diagnosed(made.diagnosis.outcome());
    Some(made)
}

/// Runs one piece of work at a time, on a thread that answers no request.
#[derive(Clone)]
struct Turn(Arc<Semaphore>);

impl Turn {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// None if the work panicked. Work that has begun goes on if no request waits for it any more, and so do those behind it.
    async fn take<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let turn = Arc::clone(&self.0).acquire_owned().await.ok()?;
        let worked = spawn_blocking(move || {
            let result = work();
            drop(turn);
            result
        });
        worked.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use tokio::runtime::Builder;
    use tokio::task::JoinSet;

    use super::*;

    #[test]
    fn one_at_a_time_also_when_those_who_waited_have_gone() {
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let turn = Turn::new();
            let at_once = Arc::new(AtomicUsize::new(0));
            let ran = Arc::new(AtomicUsize::new(0));
            let mut waiting = JoinSet::new();
            for _ in 0..50 {
                let (turn, at_once, ran) = (turn.clone(), at_once.clone(), ran.clone());
                waiting.spawn(async move {
                    turn.take(move || {
                        assert_eq!(at_once.fetch_add(1, Ordering::SeqCst), 0);
                        ran.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        at_once.fetch_sub(1, Ordering::SeqCst);
                    })
                    .await
                });
            }
            for _ in 0..10 {
                assert!(waiting.join_next().await.unwrap().unwrap().is_some());
            }
            waiting.shutdown().await;
            assert!(turn.take(|| ()).await.is_some());
            assert!((10..=50).contains(&ran.load(Ordering::SeqCst)));
        });
    }

    #[test]
    fn work_that_panics_gives_its_turn_back() {
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let turn = Turn::new();
            assert_eq!(turn.take(|| -> u8 { panic!("on purpose") }).await, None);
            assert_eq!(turn.take(|| 1).await, Some(1));
        });
    }
}
