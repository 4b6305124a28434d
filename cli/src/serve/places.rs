//! Places for connections and requests, shared so that one client cannot keep the others out.

use std::sync::Arc;
use std::time::Duration;

use hyper::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// As many as connections may be open. Each connection holds one, in which one of its requests may be answered; further
/// requests at the same time, which only HTTP/2 has, take a further one each where no connection waits for it.
#[derive(Clone)]
pub(super) struct Places(Arc<Semaphore>);

/// The place of a connection.
pub(super) struct Place {
    all: Arc<Semaphore>,
    /// For one request at a time.
    own: Arc<Semaphore>,
    /// Bytes of heads that wait.
    waiting: Semaphore,
    _held: OwnedSemaphorePermit,
}

impl Places {
    pub(super) fn new(total: usize) -> Self {
        Self(Arc::new(Semaphore::new(total)))
    }

    /// Waits for a place for a connection, first come, first served. Up to `head_bytes` of the heads of its requests may
    /// wait for theirs.
    pub(super) async fn connection(&self, head_bytes: usize) -> Option<Place> {
        let held = Arc::clone(&self.0).acquire_owned().await.ok()?;
        Some(Place {
            all: Arc::clone(&self.0),
            own: Arc::new(Semaphore::new(1)),
            waiting: Semaphore::new(head_bytes),
            _held: held,
        })
    }
}

impl Place {
    /// Waits for a place for a request of this connection, for as long as given and while the heads of others that wait leave
    /// room for its own.
    pub(super) async fn request(
        &self,
        head: &HeaderMap,
        patience: Duration,
    ) -> Option<OwnedSemaphorePermit> {
        let own = || Arc::clone(&self.own);
        let free = own()
            .try_acquire_owned()
            .or_else(|_| Arc::clone(&self.all).try_acquire_owned());
        if let Ok(place) = free {
            return Some(place);
        }
        let _waits = self.waiting.try_acquire_many(size(head)).ok()?;
        timeout(patience, own().acquire_owned()).await.ok()?.ok()
    }
}

/// The size of a head in memory, about: HTTP/2 counts 32 bytes beside each field (RFC 9113 section 6.5.2).
fn size(head: &HeaderMap) -> u32 {
    const FIELD: usize = 32;
    let fields = head.iter().map(|(name, value)| {
        let text = name.as_str().len().saturating_add(value.len());
        text.saturating_add(FIELD)
    });
    u32::try_from(fields.fold(0, usize::saturating_add)).unwrap_or(u32::MAX)
}
