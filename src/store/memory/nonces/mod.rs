//! Decides whether a nonce has been used: exact, bounded, forgetting nothing that is live and everything that is not.
//!
//! What must not repeat is kept as a 64-bit keyed hash in the **generation** of the second at which it expires: a span of
//! seconds, sixteen of which cover all instants at which a request admitted now can expire. A generation dies as a whole
//! when its last second is over; nothing is looked through to find what has expired. Bits of the hashes divide nonces
//! and tenants into partitions, each behind a lock of its own. A claim tidies the partition of nonces that it touches
//! and one more, and one of tenants, so that no claim pays for the death of a generation or for the growth of the store.
//!
//! # Locks
//!
//! A guard of the nonces is taken before one of the tenants, and never two guards of the same map: so no two threads wait
//! for each other.
//!
//! The guards do not poison, and need not. A claim is counted first, inserted last and only then answered. Nothing in
//! between panics; if it did, the caller would have no answer, and the count would be too high by one. And nothing that
//! was inserted is taken out but by the death of its generation.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::one::RefMut;

use super::ring::Ring;
use crate::store::{NonceClaim, NonceStore, NonceValue, NonceVerdict, StoreError};

/// How many nonces, and tenants, a partition of a full store holds on average at most: what a claim may have to move when
/// it grows. The fewer there are, the more of their heads stay in the caches.
const NONCES_PER_PARTITION: usize = 32_768;
const TENANTS_PER_PARTITION: usize = 1024;

/// By how many seconds requests on several threads may be claimed in another order than their clocks were read.
const DISORDER: i64 = 2;

/// Used nonces, in memory.
///
/// * **Atomic and exact.** Of equal claims at any number of threads exactly one is [`Fresh`](NonceVerdict::Fresh), and
///   neither bound of [`NonceCapacity`] is ever exceeded. A repeated nonce is [`Repeated`](NonceVerdict::Repeated) also
///   when the store is full; a SecretId at its share is told so before the store as a whole is called full.
/// * **Nothing live is forgotten.** A claim is kept until [`expires_at`](NonceClaim::expires_at) inclusive, and then until
///   the end of its generation: up to a seventh of the window more. Until then it counts against the capacity.
/// * **Fails closed.** A claim that the store cannot judge is an error: one for a time already forgotten because the clock
///   went back, one further ahead than twice the window. (For claims without a timestamp, two seconds that the clock went
///   back are taken for threads that overtook each other: until the clock has caught up, a nonce that expires in them may
///   be used with another timestamp. The same request is refused always.)
/// * **Even.** No claim waits for the store to grow or to expire as a whole: the longest one takes tenths of a millisecond
///   with ten million live.
///
/// A nonce takes 10 to 21 bytes, a SecretId with live nonces 100 to 200 more, and the store itself about two kilobytes for
/// each of at least 64 partitions in use. Memory is returned by the claims that follow; a store that is not asked
/// anything returns none.
///
/// The store keeps hashes under a random key of its own. Two different claims have the same hash with a probability of
/// 5 × 10⁻¹³ when ten million are live: then an honest request is refused as repeated. A collision never admits a replay,
/// and nobody can search for one without the key.
///
/// ```
/// use qcloud_validator::UnixTime;
/// use qcloud_validator::store::{
///     MemoryNonces, NonceCapacity, NonceClaim, NonceStore, NonceValue, NonceVerdict,
/// };
///
/// let nonces = MemoryNonces::new(NonceCapacity::default(), 300);
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
    capacity: NonceCapacity,
    /// How far ahead a claim may expire, in seconds: twice the window.
    horizon: i64,
    /// The length of a generation in seconds.
    span: i64,
    hasher: RandomState,
    nonces: Partitions<Ring<Nonces>>,
    /// The SecretIds that hold live nonces.
    tenants: Partitions<Tenants>,
    /// How many nonces there are in all partitions.
    held: Count,
    /// The oldest generation that is not dead.
    first: AtomicI64,
}

type Nonces = HashSet<u64, BuildHasherDefault<AlreadyHashed>>;
/// How many nonces each claimed in each generation.
type Tenants = HashMap<u64, Ring<u32>, BuildHasherDefault<AlreadyHashed>>;

impl MemoryNonces {
    /// An empty store for requests whose timestamps are at most `window_seconds` from the clock, either way.
    ///
    /// The window must be at least that of the [`Policy`](crate::Policy): claims that expire later than twice the window
    /// from now are refused with an error.
    #[must_use]
    pub fn new(capacity: NonceCapacity, window_seconds: u32) -> Self {
        let horizon = i64::from(window_seconds).saturating_mul(2);
        // At most fifteen generations reach from now to the horizon, wherever now is in its own.
        let span = horizon
            .checked_div(14)
            .unwrap_or_default()
            .saturating_add(1);
        Self {
            capacity,
            horizon,
            span,
            hasher: RandomState::new(),
            nonces: Partitions::new(capacity.total.div_ceil(NONCES_PER_PARTITION)),
            tenants: Partitions::new(capacity.total.div_ceil(TENANTS_PER_PARTITION)),
            held: Count(AtomicUsize::new(0)),
            first: AtomicI64::new(i64::MIN),
        }
    }

    /// How many nonces counted as live at the last claim.
    #[must_use]
    pub fn len(&self) -> usize {
        while self.tidy_nonces() {}
        self.held.0.load(Ordering::Acquire)
    }

    /// Whether no nonce counted as live at the last claim.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The generation in which a claim is kept.
    fn generation_of(&self, claim: &NonceClaim<'_>) -> Result<i64, StoreError> {
        let now = claim.now.seconds();
        let expires_at = claim.expires_at;
        if expires_at < now {
            return Err(StoreError::new(format!(
                "a nonce that expired at {expires_at} was claimed at {now}: the request should have been refused for \
                 its timestamp"
            )));
        }
        if expires_at > now.saturating_add(self.horizon) {
            let window = self.horizon.checked_div(2).unwrap_or_default();
            return Err(StoreError::new(format!(
                "a nonce that expires at {expires_at} was claimed at {now}: the nonce store was built for a window of \
                 {window} seconds, and the policy has a longer one"
            )));
        }
        Ok(self.generation_at(expires_at))
    }

    fn generation_at(&self, seconds: i64) -> i64 {
        seconds.checked_div_euclid(self.span).unwrap_or(seconds)
    }

    fn first(&self) -> i64 {
        self.first.load(Ordering::Acquire)
    }

    /// Lets generations die whose last second is before `now`.
    fn advance(&self, now: i64) {
        let first = self.generation_at(now);
        if self.first() < first && self.first.fetch_max(first, Ordering::AcqRel) < first {
            self.nonces.begin_round();
            self.tenants.begin_round();
        }
    }

    fn decide(&self, claim: &NonceClaim<'_>, generation: i64) -> Result<NonceVerdict, StoreError> {
        let Keys { tenant, nonce } = Keys::of(claim, &self.hasher);
        let mut partition = self.nonces.of(nonce, || Ring::starting_at(self.first()));
        let nonces = &mut *partition;
        self.expire(nonces);
        let repeated = match (nonces.get(generation), claim.timestamp) {
            (None, _) => return Err(forgotten(claim)),
            (Some(nonces), Some(_)) => nonces.contains(&nonce),
            // Equal claims may expire at different times, and so be in different generations, all of which must be here.
            (Some(_), None) => {
                let remembered_from = nonces.first().saturating_mul(self.span);
                if claim.now.seconds().saturating_add(DISORDER) < remembered_from {
                    return Err(forgotten(claim));
                }
                nonces.iter().any(|nonces| nonces.contains(&nonce))
            }
        };
        if repeated {
            return Ok(NonceVerdict::Repeated);
        }
        // While the guard is held nobody else can claim this nonce.
        let verdict = self.count(claim, tenant, generation)?;
        if verdict == NonceVerdict::Fresh {
            nonces
                .get_mut(generation)
                .ok_or_else(|| forgotten(claim))?
                .insert(nonce);
        }
        Ok(verdict)
    }

    /// Counts one more nonce, if both bounds allow it.
    fn count(
        &self,
        claim: &NonceClaim<'_>,
        tenant: u64,
        generation: i64,
    ) -> Result<NonceVerdict, StoreError> {
        let mut tenants = self.tenants.of(tenant, Tenants::default);
        let first = self.first();
        if generation < first {
            return Err(forgotten(claim));
        }
        let live = tenants
            .get_mut(&tenant)
            .map_or(0, |claimed| live(claimed, first));
        if live >= self.capacity.per_tenant() {
            return Ok(NonceVerdict::ShareExhausted);
        }
        let more = |held: usize| (held < self.capacity.total).then(|| held.saturating_add(1));
        let counted = self
            .held
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        if counted.is_err() {
            return Ok(NonceVerdict::Full);
        }
        let claimed = tenants
            .entry(tenant)
            .or_insert_with(|| Ring::starting_at(first));
        if let Some(claimed) = claimed.get_mut(generation) {
            *claimed = claimed.saturating_add(1);
        }
        Ok(NonceVerdict::Fresh)
    }

    /// Takes what is dead out of a partition and out of the count.
    fn expire(&self, nonces: &mut Ring<Nonces>) {
        nonces.advance(self.first(), |dead| {
            self.held.0.fetch_sub(dead.len(), Ordering::AcqRel);
        });
    }

    /// Whether there is room for one more, once the dead are gone.
    fn make_room(&self) -> bool {
        while self.tidy_nonces() {
            if self.held.0.load(Ordering::Acquire) < self.capacity.total {
                return true;
            }
        }
        false
    }

    /// Tidies one partition in which something may have died; whether there was one.
    fn tidy_nonces(&self) -> bool {
        self.nonces.visit_next(|nonces| self.expire(nonces))
    }

    /// Removes the tenants of one partition who hold nothing any more.
    fn tidy_tenants(&self) -> bool {
        self.tenants.visit_next(|tenants| {
            let first = self.first();
            tenants.retain(|_, claimed| live(claimed, first) > 0);
            if tenants.len() < tenants.capacity().wrapping_shr(3) {
                tenants.shrink_to_fit();
            }
        })
    }
}

impl NonceStore for MemoryNonces {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let generation = self.generation_of(claim)?;
        self.advance(claim.now.seconds());
        let mut verdict = self.decide(claim, generation)?;
        while verdict == NonceVerdict::Full && self.make_room() {
            verdict = self.decide(claim, generation)?;
        }
        self.tidy_nonces();
        self.tidy_tenants();
        Ok(verdict)
    }
}

impl fmt::Debug for MemoryNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryNonces")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}

/// How many nonces a [`MemoryNonces`] remembers at most. Beyond that it refuses; it does not forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceCapacity {
    total: usize,
    per_secret_id: usize,
}

impl NonceCapacity {
    /// `total` live nonces at most, and at most `per_secret_id` of them of one SecretId, so that no caller alone can fill
    /// the store for all others. A share of more than 4 294 967 295 counts as that.
    ///
    /// A service needs room for the requests per second that it admits, times twice the window.
    ///
    /// # Errors
    ///
    /// When either is zero, or the share is more than the whole.
    ///
    /// ```
    /// use qcloud_validator::store::{CapacityError, NonceCapacity};
    ///
    /// assert!(NonceCapacity::new(10_000_000, 500_000).is_ok());
    /// assert_eq!(NonceCapacity::new(10, 11), Err(CapacityError::ShareAboveTotal));
    /// ```
    pub const fn new(total: usize, per_secret_id: usize) -> Result<Self, CapacityError> {
        if total == 0 || per_secret_id == 0 {
            return Err(CapacityError::Zero);
        }
        if per_secret_id > total {
            return Err(CapacityError::ShareAboveTotal);
        }
        Ok(Self {
            total,
            per_secret_id,
        })
    }

    /// How many live nonces in total.
    #[must_use]
    pub const fn total(self) -> usize {
        self.total
    }

    /// How many live nonces of one SecretId.
    #[must_use]
    pub const fn per_secret_id(self) -> usize {
        self.per_secret_id
    }

    fn per_tenant(self) -> u32 {
        u32::try_from(self.per_secret_id).unwrap_or(u32::MAX)
    }
}

/// One million live nonces, a quarter of a million of them of one SecretId. Under a window of 300 seconds that is room for
/// 3,000 requests per second, 750 of one SecretId, if their timestamps are right, and for half as many if they are ahead
/// by the window.
impl Default for NonceCapacity {
    fn default() -> Self {
        Self {
            total: 1_000_000,
            per_secret_id: 250_000,
        }
    }
}

/// A [`NonceCapacity`] that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CapacityError {
    /// There is no room for even one nonce.
    Zero,
    /// The share of one SecretId is more than the whole.
    ShareAboveTotal,
}

impl fmt::Display for CapacityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Zero => {
                "the nonce store must have room for at least one nonce, in total and per SecretId"
            }
            Self::ShareAboveTotal => {
                "the share of one SecretId is larger than the whole nonce store"
            }
        })
    }
}

impl Error for CapacityError {}

/// Parts of a whole that bits of a hash divide, each behind a lock of its own, and made when it is first needed.
struct Partitions<T> {
    by_key: DashMap<u64, T, BuildHasherDefault<AlreadyHashed>>,
    /// How many there can be: a power of two.
    count: u64,
    /// Counted round and round: which to visit next in the round since a generation died, and where that ends.
    next: AtomicU64,
    end: AtomicU64,
}

impl<T> Partitions<T> {
    fn new(at_least: usize) -> Self {
        let count = at_least.clamp(64, 65_536).next_power_of_two();
        Self {
            by_key: DashMap::with_capacity_and_hasher_and_shard_amount(
                0,
                BuildHasherDefault::default(),
                count,
            ),
            count: u64::try_from(count).unwrap_or(u64::MAX),
            next: AtomicU64::new(0),
            end: AtomicU64::new(0),
        }
    }

    /// The partition of a hash: by bits that the tables inside of it leave alone.
    fn of(&self, hash: u64, new: impl FnOnce() -> T) -> RefMut<'_, u64, T> {
        self.by_key
            .entry(self.key(hash.wrapping_shr(40)))
            .or_insert_with(new)
    }

    fn begin_round(&self) {
        let end = self.next.load(Ordering::Acquire).saturating_add(self.count);
        self.end.fetch_max(end, Ordering::AcqRel);
    }

    /// Visits the next partition of the round; whether the round had not ended.
    fn visit_next(&self, visit: impl FnOnce(&mut T)) -> bool {
        let end = self.end.load(Ordering::Acquire);
        if self.next.load(Ordering::Acquire) >= end {
            return false;
        }
        // Threads that meet here may begin a partition too many, of the next round.
        let number = self.next.fetch_add(1, Ordering::AcqRel);
        if let Some(mut partition) = self.by_key.get_mut(&self.key(number)) {
            visit(&mut partition);
        }
        true
    }

    /// Puts the lowest bits of a number where the map looks for those that choose one of its shards, below the highest
    /// seven: so each partition has a shard for itself. If the map looked elsewhere, partitions would share shards, and
    /// be correct all the same.
    fn key(&self, number: u64) -> u64 {
        let below = (usize::BITS - 7).saturating_sub(self.count.trailing_zeros());
        (number & self.count.wrapping_sub(1)).wrapping_shl(below)
    }
}

/// On cache lines of its own: every claim writes it, and reads what would be beside it.
#[repr(align(128))]
struct Count(AtomicUsize);

/// How many nonces a tenant holds of the generations from `first` on.
fn live(claimed: &mut Ring<u32>, first: i64) -> u32 {
    claimed.advance(first, drop);
    // Never more than a share.
    claimed.iter().sum()
}

/// The hashes of a SecretId and of a claim.
struct Keys {
    tenant: u64,
    nonce: u64,
}

impl Keys {
    fn of(claim: &NonceClaim<'_>, hasher: &RandomState) -> Self {
        let mut hasher = hasher.build_hasher();
        // The length comes first, so that no part of one field can pass for a part of the next.
        hasher.write_usize(claim.secret_id.len());
        hasher.write(claim.secret_id.as_bytes());
        let tenant = hasher.clone().finish();
        // Four lengths for the four sorts of claim.
        if let Some(timestamp) = claim.timestamp {
            hasher.write_i64(timestamp);
        }
        match claim.value {
            NonceValue::Number(number) => hasher.write_u64(number),
            NonceValue::Signature(signature) => hasher.write(&signature),
        }
        Self {
            tenant,
            nonce: hasher.finish(),
        }
    }
}

/// The hasher of keys that are hashes: it passes them on.
#[derive(Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
}

#[cold]
fn forgotten(claim: &NonceClaim<'_>) -> StoreError {
    StoreError::new(format!(
        "the clock went back to {}: which nonces were used that expire at {} has been forgotten",
        claim.now.seconds(),
        claim.expires_at
    ))
}

#[cfg(test)]
mod tests;
