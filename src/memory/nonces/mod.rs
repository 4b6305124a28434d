//! Decides whether a nonce has been used: exact, bounded, forgetting nothing that is live and everything that is not.

use std::fmt;
use std::path::Path;

use super::ring;
use crate::clock::UnixTime;
use crate::store::{AfterRestart, NonceClaim, NonceStore, NonceVerdict, StoreError};
use keys::HashKey;
use table::Table;

mod capacity;
mod keys;
mod locks;
mod partitions;
mod snapshot;
mod table;

pub use capacity::{CapacityError, NonceCapacity};
pub use snapshot::{SnapshotError, SnapshotFault};

/// Used nonces, in memory.
///
/// * **Atomic and exact.** Of equal claims at any number of threads exactly one is [`Fresh`](NonceVerdict::Fresh), and
///   neither bound of [`NonceCapacity`] is ever exceeded. A repeated nonce is [`Repeated`](NonceVerdict::Repeated) also
///   when the store is full; a SecretId at its share is told so before the store as a whole is called full.
/// * **Nothing live is forgotten.** A claim is kept until [`expires_at`](NonceClaim::expires_at) inclusive, and then until
///   the end of its generation: up to a seventh of the window more. Until then it counts against the capacity.
/// * **Fails closed.** A claim that the store cannot decide is an error: one for a time already forgotten because the clock
///   went back, one further ahead than twice the window. (For claims without a timestamp, two seconds that the clock went
///   back are taken for threads that overtook each other: until the clock has caught up, a nonce that expires in them may
///   be used with another timestamp. The same request is refused always.)
/// * **Even.** No claim waits for the store to grow or to expire as a whole: the longest one takes tenths of a millisecond
///   with ten million live.
///
/// # Restarts
///
/// A store knows nothing of what was used before it was made. [`started_at`](Self::started_at) says when that was, and the
/// requests of which it cannot tell are [`BeforeMemory`](NonceVerdict::BeforeMemory). [`save`](Self::save) and
/// [`load`](Self::load) hand the nonces on to the next process instead.
///
/// # Memory
///
/// A nonce takes 10 to 21 bytes, a SecretId with live nonces 100 to 200 more, and the store itself about two kilobytes for
/// each of at least 64 partitions in use. Memory is returned by the claims that follow; a store that is not asked
/// anything returns none.
///
/// The store keeps hashes under a random key of its own. Two different claims have the same hash with a probability of
/// 5 × 10⁻¹³ when ten million are live: then an honest request is refused as repeated. A collision never admits a replay,
/// and finding one takes the key.
///
/// ```
/// use qcloud_validator::UnixTime;
/// use qcloud_validator::memory::{MemoryNonces, NonceCapacity};
/// use qcloud_validator::store::{NonceClaim, NonceStore, NonceValue, NonceVerdict};
///
/// let nonces = MemoryNonces::insecure_without_memory(NonceCapacity::default(), 300);
/// let now = UnixTime::from_seconds(1_767_225_600);
/// let claim = NonceClaim::new(
///     "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
///     Some(1_767_225_590),
///     NonceValue::Number(11_886),
///     now,
///     1_767_225_890,
/// );
/// assert_eq!(nonces.claim(&claim)?, NonceVerdict::Fresh);
/// assert_eq!(nonces.claim(&claim)?, NonceVerdict::Repeated);
/// # Ok::<(), qcloud_validator::store::StoreError>(())
/// ```
pub struct MemoryNonces {
    table: Table,
    window_seconds: u32,
    /// What expires before this second may have been used before the store was made.
    remembers_from: i64,
}

impl MemoryNonces {
    /// Returns an empty store that began to remember at `started`, and does what `rule` says about requests from before.
    ///
    /// It is for requests whose timestamps are at most `window_seconds` from the clock, either way. The window must be at
    /// least that of the [`Policy`](crate::Policy): claims that expire later than twice the window from now are refused
    /// with an error.
    ///
    /// Once the clock is one window past the start, no request from before is timely any more. An instant some seconds
    /// after the real start makes [`AfterRestart::RefuseDatedBefore`] cover clients whose clocks are ahead by as much.
    ///
    /// The date of a request is taken to be its expiry less the window of this store; if that is longer than the one of
    /// the policy, requests dated a little later are refused too.
    ///
    /// ```
    /// use qcloud_validator::UnixTime;
    /// use qcloud_validator::memory::{MemoryNonces, NonceCapacity};
    /// use qcloud_validator::store::{AfterRestart, NonceClaim, NonceStore, NonceValue, NonceVerdict};
    ///
    /// let started = UnixTime::from_seconds(1_767_225_600);
    /// let rule = AfterRestart::RefuseDatedBefore;
    /// let nonces = MemoryNonces::started_at(NonceCapacity::default(), 300, started, rule);
    /// let dated = |timestamp: i64| {
    ///     let value = NonceValue::Number(11_886);
    ///     NonceClaim::new("AKIDEXAMPLE", Some(timestamp), value, started, timestamp + 300)
    /// };
    /// assert_eq!(nonces.claim(&dated(1_767_225_599))?, NonceVerdict::BeforeMemory);
    /// assert_eq!(nonces.claim(&dated(1_767_225_600))?, NonceVerdict::Fresh);
    /// # Ok::<(), qcloud_validator::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn started_at(
        capacity: NonceCapacity,
        window_seconds: u32,
        started: UnixTime,
        rule: AfterRestart,
    ) -> Self {
        Self {
            remembers_from: rule.remembers_from(started, window_seconds),
            ..Self::insecure_without_memory(capacity, window_seconds)
        }
    }

    /// Returns an empty store that takes every request for new, also one that was used before the store was made: for
    /// tests with a clock of their choice. After a restart a service would admit every request of the last window again;
    /// use [`started_at`](Self::started_at) or [`load`](Self::load) there.
    #[must_use]
    pub fn insecure_without_memory(capacity: NonceCapacity, window_seconds: u32) -> Self {
        Self {
            table: Table::new(capacity, window_seconds, HashKey::random()),
            window_seconds,
            remembers_from: i64::MIN,
        }
    }

    /// Closes the store and writes the live nonces to a file, for the next process to [`load`](Self::load). Returns how
    /// many there were.
    ///
    /// From here on every claim fails, so that nothing is admitted that is not in the file: call it when serving has ended.
    /// It may be called again if it fails.
    ///
    /// The file appears complete or not at all, and replaces one that is there. On Unix only its owner may read it: who
    /// knows the hash key in it can look for requests that are refused as each other's repetition, and who can write it can
    /// make used nonces new. It holds no SecretId, no nonce and no signature. It is written beside its final name first, with
    /// `.partial` appended; nothing else may use that name.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<usize, SnapshotError> {
        snapshot::save(
            path.as_ref(),
            self.window_seconds,
            self.remembers_from,
            &self.table.close(),
        )
    }

    /// The store that was [`saved`](Self::save) to this file, as far as it is live at `now`; `None` if there is no file.
    ///
    /// While no process served, nothing was used, so the store knows all that the saved one knew, and
    /// [`started_at`](Self::started_at) is not called on it. That holds only once: **the file is removed**, so that after a
    /// crash it is not loaded again. Do not put a copy of it back, and do not let another process serve in between.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or removed, is damaged, was saved under another window or holds more than `capacity`.
    /// Then nothing is loaded and the file stays. If you remove it, the store starts without its contents.
    ///
    /// ```
    /// use qcloud_validator::memory::{MemoryNonces, NonceCapacity};
    /// use qcloud_validator::store::AfterRestart;
    /// use qcloud_validator::{Clock, SystemClock};
    ///
    /// # let folder = std::env::temp_dir().join(format!("qcloud-validator-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let file = folder.join("nonces");
    /// // When the service starts:
    /// let (capacity, window, now) = (NonceCapacity::default(), 300, SystemClock.now());
    /// let nonces = match MemoryNonces::load(&file, capacity, window, now)? {
    ///     Some(nonces) => nonces,
    ///     // The first start, or one after a crash.
    ///     None => MemoryNonces::started_at(capacity, window, now, AfterRestart::default()),
    /// };
    /// // When it has stopped serving:
    /// nonces.save(&file)?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), qcloud_validator::memory::SnapshotError>(())
    /// ```
    pub fn load(
        path: impl AsRef<Path>,
        capacity: NonceCapacity,
        window_seconds: u32,
        now: UnixTime,
    ) -> Result<Option<Self>, SnapshotError> {
        let loaded = snapshot::load(path.as_ref(), capacity, window_seconds, now)?;
        Ok(loaded.map(|(table, remembers_from)| Self {
            table,
            window_seconds,
            remembers_from,
        }))
    }

    /// How many nonces counted as live at the last claim.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether a claim as of `now` finds no room, for any SecretId.
    #[must_use]
    pub fn is_full(&self, now: UnixTime) -> bool {
        self.table.advance(now.seconds());
        self.table.len() >= self.table.capacity().total()
    }

    /// Whether no nonce counted as live at the last claim.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl NonceStore for MemoryNonces {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        if claim.expires_at < self.remembers_from {
            return Ok(NonceVerdict::BeforeMemory);
        }
        self.table.claim(claim)
    }
}

impl fmt::Debug for MemoryNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNonces")
            .field("len", &self.len())
            .field("capacity", &self.table.capacity())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
