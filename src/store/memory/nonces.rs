//! Decides whether a nonce has been used: exact, bounded, forgetting nothing that is live and everything that is not.
//!
//! What must not repeat is kept as a 64-bit keyed hash in the **generation** of the second at which it expires: a span of
//! seconds, sixteen of which cover all instants at which a request admitted now can expire. A generation dies as a whole
//! when its last second is over; nothing is looked through to find what has expired. The memory is divided into shards,
//! and each claim tidies the two that it touches and one more, so that no claim pays for the death of a generation or
//! for the growth of the store.
//!
//! Locks are taken in this order: the nonces of a shard, the tenants of a shard.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::ring::Ring;
use crate::store::{NonceClaim, NonceStore, NonceValue, NonceVerdict, StoreError};

/// How many nonces fit in one shard on average when the store is full: what a claim may have to move when a shard grows.
const NONCES_PER_SHARD: usize = 8192;

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
///   went back, one further ahead than twice the window, one for a part of the memory in which a thread panicked. (For
///   claims without a timestamp, two seconds that the clock went back are taken for threads that overtook each other:
///   until the clock has caught up, a nonce that expires in them may be used with another timestamp. The same request is
///   refused always.)
/// * **Even.** No claim waits for the store to grow or to expire as a whole: the longest one takes tenths of a millisecond
///   with ten million live.
///
/// A nonce takes 10 to 21 bytes, a SecretId with live nonces about 100 more. Memory is returned by the claims that
/// follow; a store that is not asked anything returns none.
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
    shards: Box<[Shard]>,
    /// How many nonces the tenants of all shards have counted.
    held: AtomicUsize,
    /// The oldest generation that is not dead.
    first: AtomicI64,
    /// The generation before which no tenants of any shard count anything any more.
    settled: AtomicI64,
    /// How many shards, counted from the front, nobody has tidied since a generation died.
    untidy: AtomicUsize,
}

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
        let shards = capacity
            .total
            .div_ceil(NONCES_PER_SHARD)
            .clamp(64, 65_536)
            .next_power_of_two();
        Self {
            capacity,
            horizon,
            span,
            hasher: RandomState::new(),
            shards: (0..shards).map(|_| Shard::new()).collect(),
            held: AtomicUsize::new(0),
            first: AtomicI64::new(i64::MIN),
            settled: AtomicI64::new(i64::MIN),
            untidy: AtomicUsize::new(0),
        }
    }

    /// How many nonces counted as live at the last claim.
    #[must_use]
    pub fn len(&self) -> usize {
        self.settle();
        self.held.load(Ordering::Acquire)
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

    /// Lets generations die whose last second is before `now`.
    fn advance(&self, now: i64) {
        let first = self.generation_at(now);
        if self.first.load(Ordering::Acquire) < first
            && self.first.fetch_max(first, Ordering::AcqRel) < first
        {
            self.untidy.store(self.shards.len(), Ordering::Release);
        }
    }

    fn decide(&self, claim: &NonceClaim<'_>, generation: i64) -> Result<NonceVerdict, StoreError> {
        let Keys { tenant, nonce } = Keys::of(claim, &self.hasher);
        let mut nonces = lock(&self.shard(nonce)?.nonces)?;
        nonces.advance(self.first.load(Ordering::Acquire), drop);
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
        // While the lock is held nobody else can claim this nonce.
        let verdict = self.reserve(claim, tenant, generation)?;
        if verdict == NonceVerdict::Fresh {
            nonces
                .get_mut(generation)
                .ok_or_else(|| forgotten(claim))?
                .insert(nonce);
        }
        Ok(verdict)
    }

    /// Counts one more nonce, if both bounds allow it.
    fn reserve(
        &self,
        claim: &NonceClaim<'_>,
        tenant: u64,
        generation: i64,
    ) -> Result<NonceVerdict, StoreError> {
        let settled = self.settled.load(Ordering::Acquire);
        let verdict = self.try_reserve(claim, tenant, generation)?;
        if verdict == NonceVerdict::Full {
            self.settle();
            // This thread or another has made room in the meantime.
            if self.settled.load(Ordering::Acquire) > settled {
                return self.try_reserve(claim, tenant, generation);
            }
        }
        Ok(verdict)
    }

    fn try_reserve(
        &self,
        claim: &NonceClaim<'_>,
        tenant: u64,
        generation: i64,
    ) -> Result<NonceVerdict, StoreError> {
        let mut tenants = lock(&self.shard(tenant)?.tenants)?;
        self.give_back(tenants.advance(self.first.load(Ordering::Acquire)));
        // Whoever claims takes away more entries than the one that they may add.
        tenants.release(4);
        if tenants.claimed.get(generation).is_none() {
            return Err(forgotten(claim));
        }
        if tenants.live(tenant) >= self.capacity.per_tenant() {
            return Ok(NonceVerdict::ShareExhausted);
        }
        let more = |held: usize| (held < self.capacity.total).then(|| held.saturating_add(1));
        let counted = self
            .held
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        if counted.is_err() {
            return Ok(NonceVerdict::Full);
        }
        tenants.count(tenant, generation);
        Ok(NonceVerdict::Fresh)
    }

    /// Takes from the count what is dead in shards that nobody has visited since.
    fn settle(&self) {
        let first = self.first.load(Ordering::Acquire);
        if self.settled.load(Ordering::Acquire) >= first {
            return;
        }
        for shard in &self.shards {
            // Where a thread panicked, what it counted stays counted.
            if let Ok(mut tenants) = shard.tenants.lock() {
                self.give_back(tenants.advance(first));
            }
        }
        self.settled.fetch_max(first, Ordering::AcqRel);
    }

    fn give_back(&self, dead: usize) {
        if dead > 0 {
            self.held.fetch_sub(dead, Ordering::AcqRel);
        }
    }

    /// After the death of a generation: releases what one further shard held of it.
    fn tidy(&self) {
        let untidy = self.untidy.load(Ordering::Acquire);
        let Some(index) = untidy.checked_sub(1) else {
            return;
        };
        if self
            .shards
            .get(index)
            .is_none_or(|shard| self.tidied(shard))
        {
            // Fails if another thread was faster or a further generation has died; the next claim looks again.
            let _ =
                self.untidy
                    .compare_exchange(untidy, index, Ordering::AcqRel, Ordering::Relaxed);
        }
    }

    /// Releases what is dead, up to a budget; whether that was all. A shard in which a thread panicked stays as it is.
    fn tidied(&self, shard: &Shard) -> bool {
        let first = self.first.load(Ordering::Acquire);
        if let Ok(mut nonces) = shard.nonces.lock() {
            nonces.advance(first, drop);
        }
        match shard.tenants.lock() {
            Ok(mut tenants) => {
                self.give_back(tenants.advance(first));
                tenants.release(64)
            }
            Err(_) => true,
        }
    }

    /// The shard of a hash: by bits that the tables inside of it leave alone.
    fn shard(&self, hash: u64) -> Result<&Shard, StoreError> {
        let mask = self.shards.len().saturating_sub(1);
        let index = usize::try_from(hash.wrapping_shr(40) & 0xffff).unwrap_or_default() & mask;
        self.shards
            .get(index)
            .ok_or_else(|| StoreError::new("the nonce store has no shards"))
    }
}

impl NonceStore for MemoryNonces {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let generation = self.generation_of(claim)?;
        self.advance(claim.now.seconds());
        let verdict = self.decide(claim, generation)?;
        self.tidy();
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

/// A part of the memory: what it holds depends on bits of the hash. The tenant and the nonce of one claim are in general
/// in different shards.
struct Shard {
    nonces: Mutex<Ring<Nonces>>,
    tenants: Mutex<Tenants>,
}

type Nonces = HashSet<u64, BuildHasherDefault<AlreadyHashed>>;

impl Shard {
    fn new() -> Self {
        Self {
            nonces: Mutex::new(Ring::starting_at(i64::MIN)),
            tenants: Mutex::new(Tenants {
                by_id: HashMap::default(),
                claimed: Ring::starting_at(i64::MIN),
                leaving: Vec::new(),
            }),
        }
    }
}

/// The SecretIds that hold live nonces.
struct Tenants {
    by_id: HashMap<u64, Tenant, BuildHasherDefault<AlreadyHashed>>,
    /// What was claimed in each generation.
    claimed: Ring<Claimed>,
    /// Who claimed something in a generation that is dead, and may hold nothing any more.
    leaving: Vec<u64>,
}

/// What the tenants of a shard claimed in one generation.
#[derive(Default)]
struct Claimed {
    nonces: usize,
    /// Each of them once.
    tenants: Vec<u64>,
}

impl Tenants {
    /// Lets generations die, and returns how many nonces were counted in them.
    fn advance(&mut self, first: i64) -> usize {
        let leaving = &mut self.leaving;
        let mut dead = 0_usize;
        self.claimed.advance(first, |mut claimed| {
            dead = dead.saturating_add(claimed.nonces);
            if leaving.is_empty() {
                *leaving = claimed.tenants;
            } else {
                leaving.append(&mut claimed.tenants);
            }
        });
        dead
    }

    /// Removes who holds nothing any more, looking at `budget` entries at most; whether none is left to look at.
    fn release(&mut self, budget: usize) -> bool {
        let first = self.claimed.first();
        for _ in 0..budget {
            let Some(id) = self.leaving.pop() else {
                break;
            };
            if let Some(tenant) = self.by_id.get_mut(&id)
                && tenant.live_from(first) == 0
            {
                self.by_id.remove(&id);
            }
        }
        if self.leaving.is_empty() && self.leaving.capacity() > 0 {
            self.leaving = Vec::new();
            if self.by_id.len() < self.by_id.capacity().wrapping_shr(3) {
                self.by_id.shrink_to_fit();
            }
        }
        self.leaving.is_empty()
    }

    fn live(&mut self, id: u64) -> u32 {
        let first = self.claimed.first();
        self.by_id
            .get_mut(&id)
            .map_or(0, |tenant| tenant.live_from(first))
    }

    fn count(&mut self, id: u64, generation: i64) {
        let first = self.claimed.first();
        let tenant = self.by_id.entry(id).or_insert_with(|| Tenant {
            live: 0,
            claimed: Ring::starting_at(first),
        });
        let first_of_generation = tenant.count(generation);
        if let Some(claimed) = self.claimed.get_mut(generation) {
            claimed.nonces = claimed.nonces.saturating_add(1);
            if first_of_generation {
                claimed.tenants.push(id);
            }
        }
    }
}

/// How many live nonces one SecretId holds.
struct Tenant {
    live: u32,
    claimed: Ring<u32>,
}

impl Tenant {
    /// Counts one more; whether it is the first of its generation.
    fn count(&mut self, generation: i64) -> bool {
        let Some(claimed) = self.claimed.get_mut(generation) else {
            return false;
        };
        self.live = self.live.saturating_add(1);
        *claimed = claimed.saturating_add(1);
        *claimed == 1
    }

    fn live_from(&mut self, first: i64) -> u32 {
        let Self { live, claimed } = self;
        claimed.advance(first, |dead| *live = live.saturating_sub(dead));
        *live
    }
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
        match claim.timestamp {
            Some(timestamp) => {
                hasher.write_u8(1);
                hasher.write_i64(timestamp);
            }
            None => hasher.write_u8(0),
        }
        match claim.value {
            NonceValue::Number(number) => {
                hasher.write_u8(0);
                hasher.write_u64(number);
            }
            NonceValue::Signature(signature) => {
                hasher.write_u8(1);
                hasher.write(&signature);
            }
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

#[inline]
fn lock<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, StoreError> {
    mutex.lock().map_err(|_| poisoned())
}

#[cold]
fn poisoned() -> StoreError {
    StoreError::new(
        "a thread panicked while it changed the nonce store: what it remembers there cannot be trusted",
    )
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
#[expect(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::collections::HashMap;
    use std::sync::Barrier;
    use std::thread;

    use super::*;
    use crate::clock::UnixTime;
    use NonceVerdict::{Fresh, Full, Repeated, ShareExhausted};

    #[test]
    fn the_second_of_equal_claims_is_repeated() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        let claim = at(1000, "AKID1", 1000, 7, 1300);
        assert!(store.is_empty());
        assert_eq!(store.claim(&claim).unwrap(), Fresh);
        assert_eq!(store.claim(&claim).unwrap(), Repeated);
        assert_eq!(
            store.claim(&at(1200, "AKID1", 1000, 7, 1300)).unwrap(),
            Repeated
        );
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn claims_that_differ_in_anything_are_independent() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        let now = UnixTime::from_seconds(1000);
        let signature = |first: u8| {
            let mut bytes = [0; 32];
            bytes[0] = first;
            NonceValue::Signature(bytes)
        };
        let number = NonceValue::Number;
        for (secret_id, timestamp, value) in [
            ("AKID1", Some(1000), number(7)),
            ("AKID2", Some(1000), number(7)),
            ("AKID1", Some(1001), number(7)),
            ("AKID1", Some(1000), number(8)),
            ("AKID1", Some(1000), number(0)),
            ("AKID1", Some(1000), number(u64::MAX)),
            ("AKID1", Some(1000), signature(0)),
            ("AKID1", Some(1000), signature(7)),
            ("AKID1", None, signature(7)),
            ("AKID", Some(1000), signature(b'1')),
            ("A", Some(1000), number(7)),
            ("A\u{1}", Some(1000), number(7)),
        ] {
            let claim = NonceClaim::new(secret_id, timestamp, value, now, 1300);
            assert_eq!(store.claim(&claim).unwrap(), Fresh, "{claim:?}");
            assert_eq!(store.claim(&claim).unwrap(), Repeated, "{claim:?}");
        }
        assert_eq!(store.len(), 12);
    }

    #[test]
    fn a_claim_is_kept_in_its_last_second_and_gone_in_the_next() {
        // With a window of six seconds each generation is one second.
        let store = MemoryNonces::new(NonceCapacity::default(), 6);
        assert_eq!(
            store.claim(&at(1000, "AKID1", 1000, 7, 1006)).unwrap(),
            Fresh
        );
        assert_eq!(
            store.claim(&at(1006, "AKID1", 1000, 7, 1006)).unwrap(),
            Repeated
        );
        assert_eq!(
            store.claim(&at(1006, "AKID2", 1006, 1, 1012)).unwrap(),
            Fresh
        );
        assert_eq!(store.len(), 2);
        assert_eq!(
            store.claim(&at(1007, "AKID2", 1007, 1, 1013)).unwrap(),
            Fresh
        );
        assert_eq!(store.len(), 2);
    }

    #[test]
    fn a_request_dated_ahead_is_kept_for_twice_the_window() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        assert_eq!(
            store.claim(&at(1000, "AKID1", 1300, 7, 1600)).unwrap(),
            Fresh
        );
        for now in 1001..=1600 {
            let other = at(now, "AKID2", now, 1, now + 300);
            assert_eq!(store.claim(&other).unwrap(), Fresh);
            let replay = at(now, "AKID1", 1300, 7, 1600);
            assert_eq!(store.claim(&replay).unwrap(), Repeated, "at {now}");
        }
        assert!(store.claim(&at(1601, "AKID1", 1300, 7, 1600)).is_err());
    }

    #[test]
    fn a_window_of_nothing_and_one_of_centuries() {
        let none = MemoryNonces::new(NonceCapacity::default(), 0);
        assert_eq!(
            none.claim(&at(1000, "AKID1", 1000, 7, 1000)).unwrap(),
            Fresh
        );
        assert_eq!(
            none.claim(&at(1000, "AKID1", 1000, 7, 1000)).unwrap(),
            Repeated
        );
        assert!(none.claim(&at(1000, "AKID1", 1001, 7, 1001)).is_err());

        let long = MemoryNonces::new(NonceCapacity::default(), u32::MAX);
        let last = 1000 + 2 * 4_294_967_295;
        assert_eq!(long.claim(&at(1000, "AKID1", 1, 7, last)).unwrap(), Fresh);
        assert_eq!(
            long.claim(&at(last, "AKID1", 1, 7, last)).unwrap(),
            Repeated
        );
    }

    #[test]
    fn before_1970_and_at_the_ends_of_time() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        assert_eq!(
            store.claim(&at(-100, "AKID1", -400, 7, -100)).unwrap(),
            Fresh
        );
        assert_eq!(
            store.claim(&at(-100, "AKID1", -400, 7, -100)).unwrap(),
            Repeated
        );
        assert!(store.claim(&at(0, "AKID1", 0, 7, i64::MAX)).is_err());
        assert!(store.claim(&at(0, "AKID1", 0, 7, i64::MIN)).is_err());
        let end = UnixTime::from_seconds(i64::MAX).seconds();
        assert_eq!(
            store.claim(&at(end, "AKID1", end, 7, end + 300)).unwrap(),
            Fresh
        );
    }

    #[test]
    fn a_full_store_refuses_and_forgets_nothing() {
        let store = MemoryNonces::new(NonceCapacity::new(3, 3).unwrap(), 6);
        for nonce in 1..=3 {
            let claim = at(1000, "AKID1", 1000, nonce, 1006);
            assert_eq!(store.claim(&claim).unwrap(), Fresh);
        }
        assert_eq!(
            store.claim(&at(1000, "AKID2", 1000, 4, 1006)).unwrap(),
            Full
        );
        assert_eq!(
            store.claim(&at(1000, "AKID1", 1000, 1, 1006)).unwrap(),
            Repeated
        );
        assert_eq!(
            store.claim(&at(1006, "AKID2", 1000, 4, 1006)).unwrap(),
            Full
        );
        assert_eq!(store.len(), 3);
        // What was refused has not been claimed.
        assert_eq!(
            store.claim(&at(1007, "AKID2", 1007, 4, 1013)).unwrap(),
            Fresh
        );
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn a_noisy_caller_exhausts_its_share_and_nobody_elses() {
        let store = MemoryNonces::new(NonceCapacity::new(4, 2).unwrap(), 6);
        assert_eq!(
            store.claim(&at(1000, "NOISY", 1000, 1, 1006)).unwrap(),
            Fresh
        );
        assert_eq!(
            store.claim(&at(1000, "NOISY", 1001, 2, 1007)).unwrap(),
            Fresh
        );
        assert_eq!(
            store.claim(&at(1000, "NOISY", 1000, 3, 1006)).unwrap(),
            ShareExhausted
        );
        assert_eq!(
            store.claim(&at(1000, "NOISY", 1000, 1, 1006)).unwrap(),
            Repeated
        );
        assert_eq!(
            store.claim(&at(1000, "QUIET", 1000, 1, 1006)).unwrap(),
            Fresh
        );
        assert_eq!(
            store.claim(&at(1000, "QUIET", 1000, 2, 1006)).unwrap(),
            Fresh
        );
        // Both at the share and full: the caller hears of what it can do something about.
        assert_eq!(
            store.claim(&at(1000, "NOISY", 1000, 3, 1006)).unwrap(),
            ShareExhausted
        );
        assert_eq!(
            store.claim(&at(1000, "THIRD", 1000, 1, 1006)).unwrap(),
            Full
        );
        // One of its two has expired.
        assert_eq!(
            store.claim(&at(1007, "NOISY", 1007, 3, 1013)).unwrap(),
            Fresh
        );
        assert_eq!(
            store.claim(&at(1007, "NOISY", 1007, 4, 1013)).unwrap(),
            ShareExhausted
        );
    }

    #[test]
    fn of_equal_claims_on_many_threads_exactly_one_is_fresh() {
        for nonce in 0..20 {
            let store = MemoryNonces::new(NonceCapacity::default(), 300);
            let verdicts = together(|_| store.claim(&at(1000, "AKID1", 1000, nonce, 1300)));
            assert_eq!(count(&verdicts, Fresh), 1);
            assert_eq!(count(&verdicts, Repeated), 63);
            assert_eq!(store.len(), 1);
        }
    }

    #[test]
    fn without_timestamps_equal_claims_meet_across_generations() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        let claim = |now, expires_at| {
            let now = UnixTime::from_seconds(now);
            NonceClaim::new("AKID1", None, NonceValue::Number(7), now, expires_at)
        };
        assert_eq!(store.claim(&claim(1000, 1600)).unwrap(), Fresh);
        assert_eq!(store.claim(&claim(1000, 1000)).unwrap(), Repeated);
        assert_eq!(store.claim(&claim(1300, 1900)).unwrap(), Repeated);
        assert_eq!(store.claim(&claim(1600, 1900)).unwrap(), Repeated);
        assert_eq!(store.claim(&claim(1700, 2000)).unwrap(), Fresh);
        assert_eq!(store.claim(&claim(1700, 1800)).unwrap(), Repeated);
    }

    #[test]
    fn without_timestamps_a_clock_that_went_back_cannot_tell() {
        let store = MemoryNonces::new(NonceCapacity::default(), 6);
        let claim = |now, nonce, expires_at| {
            let now = UnixTime::from_seconds(now);
            NonceClaim::new("AKID1", None, NonceValue::Number(nonce), now, expires_at)
        };
        assert_eq!(store.claim(&claim(1000, 7, 1006)).unwrap(), Fresh);
        assert_eq!(store.claim(&claim(1010, 8, 1016)).unwrap(), Fresh);
        // Seven was used until 1006, which has been forgotten.
        assert!(store.claim(&claim(1006, 7, 1010)).is_err());
        assert!(store.claim(&claim(1007, 9, 1010)).is_err());
        assert_eq!(store.claim(&claim(1008, 9, 1010)).unwrap(), Fresh);
        assert_eq!(store.claim(&claim(1008, 8, 1010)).unwrap(), Repeated);
    }

    #[test]
    fn without_timestamps_exactly_one_of_many_threads_is_fresh() {
        for nonce in 0..20 {
            let store = MemoryNonces::new(NonceCapacity::default(), 300);
            let verdicts = together(|thread| {
                let now = UnixTime::from_seconds(1000);
                let value = NonceValue::Number(nonce);
                store.claim(&NonceClaim::new(
                    "AKID1",
                    None,
                    value,
                    now,
                    1000 + 9 * thread,
                ))
            });
            assert_eq!(count(&verdicts, Fresh), 1);
            assert_eq!(count(&verdicts, Repeated), 63);
            assert_eq!(store.len(), 1);
        }
    }

    #[test]
    fn the_bounds_hold_on_many_threads() {
        let store = MemoryNonces::new(NonceCapacity::new(10, 10).unwrap(), 300);
        let verdicts = together(|thread| store.claim(&at(1000, "AKID1", 1000 + thread, 7, 1300)));
        assert_eq!(count(&verdicts, Fresh), 10);
        assert_eq!(count(&verdicts, ShareExhausted), 54);

        let store = MemoryNonces::new(NonceCapacity::new(10, 10).unwrap(), 300);
        let verdicts = together(|thread| {
            let secret_id = format!("AKID{thread}");
            store.claim(&at(1000, &secret_id, 1000, 7, 1300))
        });
        assert_eq!(count(&verdicts, Fresh), 10);
        assert_eq!(count(&verdicts, Full), 54);
        assert_eq!(store.len(), 10);
    }

    #[test]
    fn the_count_is_right_after_many_threads_and_generations() {
        let store = MemoryNonces::new(NonceCapacity::new(50, 20).unwrap(), 6);
        let admitted = together(|thread| {
            for step in 0..500 {
                let now = 1000 + step / 10;
                let secret_id = format!("AKID{}", thread % 5);
                let claim = at(now, &secret_id, now, 64 * 500, now + 6);
                // A thread that was overtaken by a generation gets an error.
                let _ = store.claim(&claim);
                assert!(store.len() <= 50);
            }
            Ok(Fresh)
        });
        assert_eq!(admitted.len(), 64);
        // In each of the seconds 1043 to 1049, each of the five was fresh at most once.
        assert!(store.len() <= 35);
        assert_eq!(
            store.claim(&at(1055, "AKID9", 1055, 1, 1061)).unwrap(),
            Fresh
        );
        let len = store.len();
        assert_eq!(counted(&store), len);
        assert_eq!(
            store.claim(&at(2000, "AKID9", 2000, 1, 2006)).unwrap(),
            Fresh
        );
        assert_eq!(store.len(), 1);
        assert_eq!(counted(&store), 1);
    }

    #[test]
    fn what_was_forgotten_before_the_clock_went_back_is_not_fresh() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        assert_eq!(
            store.claim(&at(1000, "AKID1", 1000, 7, 1300)).unwrap(),
            Fresh
        );
        let ahead = 1000 + 5 * 3600;
        assert_eq!(
            store
                .claim(&at(ahead, "AKID1", ahead, 8, ahead + 300))
                .unwrap(),
            Fresh
        );
        let error = store.claim(&at(1000, "AKID1", 1000, 7, 1300)).unwrap_err();
        assert_eq!(
            error.source().unwrap().to_string(),
            "the clock went back to 1000: which nonces were used that expire at 1300 has been forgotten"
        );
        assert!(store.claim(&at(1000, "AKID1", 1000, 9, 1300)).is_err());
        // Nothing is forgotten where the generation is still there.
        let replay = at(ahead - 60, "AKID1", ahead, 8, ahead + 300);
        assert_eq!(store.claim(&replay).unwrap(), Repeated);
        // It heals when the clock has caught up.
        let later = ahead + 1;
        assert_eq!(
            store
                .claim(&at(later, "AKID1", later, 9, later + 300))
                .unwrap(),
            Fresh
        );
    }

    #[test]
    fn a_claim_outside_of_the_window_is_an_error() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        let expired = store.claim(&at(1000, "AKID1", 699, 7, 999)).unwrap_err();
        assert_eq!(
            expired.source().unwrap().to_string(),
            "a nonce that expired at 999 was claimed at 1000: the request should have been refused for its timestamp"
        );
        let ahead = store.claim(&at(1000, "AKID1", 1301, 7, 1601)).unwrap_err();
        assert_eq!(
            ahead.source().unwrap().to_string(),
            "a nonce that expires at 1601 was claimed at 1000: the nonce store was built for a window of 300 seconds, \
             and the policy has a longer one"
        );
        assert!(store.is_empty());
    }

    #[test]
    fn a_thread_that_panicked_makes_its_part_refuse() {
        let store = MemoryNonces::new(NonceCapacity::default(), 300);
        let claim = at(1000, "AKID1", 1000, 7, 1300);
        assert_eq!(store.claim(&claim).unwrap(), Fresh);
        for shard in &store.shards {
            let panicked = thread::scope(|scope| {
                let holder = scope.spawn(|| {
                    let _held = shard.nonces.lock();
                    panic!("while holding the lock");
                });
                holder.join()
            });
            assert!(panicked.is_err());
        }
        assert!(store.claim(&claim).is_err());
        assert!(store.claim(&at(1000, "AKID1", 1000, 8, 1300)).is_err());
        assert_eq!(store.len(), 1);
    }

    #[test]
    fn memory_and_callers_are_released_after_expiry() {
        let store = MemoryNonces::new(NonceCapacity::default(), 6);
        for nonce in 0..10_000 {
            let secret_id = format!("AKID{}", nonce % 3000);
            let claim = at(1000, &secret_id, 1000, nonce, 1006);
            assert_eq!(store.claim(&claim).unwrap(), Fresh);
        }
        assert_eq!(tenants(&store), 3000);
        assert!(room(&store) >= 10_000);
        // One claim drops all from the count, and the following ones release the memory.
        for nonce in 0..200 {
            let claim = at(1007, "AKID1", 1007, nonce, 1013);
            assert_eq!(store.claim(&claim).unwrap(), Fresh);
            assert_eq!(store.len(), usize::try_from(nonce + 1).unwrap());
        }
        assert_eq!(tenants(&store), 1);
        assert!(room(&store) < 1000);
        for nonce in 0..200 {
            let claim = at(2000, "AKID2", 2000, nonce, 2006);
            assert_eq!(store.claim(&claim).unwrap(), Fresh);
        }
        assert_eq!(tenants(&store), 1);
    }

    #[test]
    fn a_refused_caller_leaves_no_trace() {
        let store = MemoryNonces::new(NonceCapacity::new(1, 1).unwrap(), 6);
        assert_eq!(
            store.claim(&at(1000, "AKID1", 1000, 1, 1006)).unwrap(),
            Fresh
        );
        for nonce in 0..100 {
            let secret_id = format!("AKID{}", nonce + 2);
            assert_eq!(
                store.claim(&at(1000, &secret_id, 1000, 1, 1006)).unwrap(),
                Full
            );
        }
        assert_eq!(tenants(&store), 1);
    }

    #[test]
    fn agrees_with_a_naive_model() {
        for (window, span) in [(6, 1), (30, 5), (300, 43)] {
            for scope in [Scope::WithTimestamp, Scope::WithoutTimestamp] {
                for seed in 1..=4 {
                    compare_with_model(window, span, scope, seed);
                }
            }
        }
    }

    #[test]
    fn capacities_that_make_no_sense_are_refused() {
        assert_eq!(NonceCapacity::new(0, 0), Err(CapacityError::Zero));
        assert_eq!(NonceCapacity::new(1, 0), Err(CapacityError::Zero));
        assert_eq!(
            NonceCapacity::new(1, 2),
            Err(CapacityError::ShareAboveTotal)
        );
        assert_eq!(
            CapacityError::ShareAboveTotal.to_string(),
            "the share of one SecretId is larger than the whole nonce store"
        );
        let capacity = NonceCapacity::default();
        assert_eq!(
            (capacity.total(), capacity.per_secret_id()),
            (1_000_000, 250_000)
        );
        assert_eq!(NonceCapacity::new(1_000_000, 250_000), Ok(capacity));
    }

    #[test]
    fn debug_prints_only_counts() {
        let store = MemoryNonces::new(NonceCapacity::new(5, 4).unwrap(), 300);
        store.claim(&at(1000, "AKID1", 1000, 7, 1300)).unwrap();
        assert_eq!(
            format!("{store:?}"),
            "MemoryNonces { len: 1, capacity: NonceCapacity { total: 5, per_secret_id: 4 }, .. }"
        );
    }

    fn at(
        now: i64,
        secret_id: &str,
        timestamp: i64,
        nonce: u64,
        expires_at: i64,
    ) -> NonceClaim<'_> {
        NonceClaim::new(
            secret_id,
            Some(timestamp),
            NonceValue::Number(nonce),
            UnixTime::from_seconds(now),
            expires_at,
        )
    }

    fn together(
        claim: impl Fn(i64) -> Result<NonceVerdict, StoreError> + Sync,
    ) -> Vec<NonceVerdict> {
        let barrier = Barrier::new(64);
        let (barrier, claim) = (&barrier, &claim);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|thread| {
                    scope.spawn(move || {
                        barrier.wait();
                        claim(thread).unwrap()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        })
    }

    fn count(verdicts: &[NonceVerdict], wanted: NonceVerdict) -> usize {
        verdicts
            .iter()
            .filter(|&&verdict| verdict == wanted)
            .count()
    }

    fn counted(store: &MemoryNonces) -> usize {
        let in_shard = |shard: &Shard| {
            let tenants = shard.tenants.lock().unwrap();
            tenants
                .claimed
                .iter()
                .map(|claimed| claimed.nonces)
                .sum::<usize>()
        };
        store.shards.iter().map(in_shard).sum()
    }

    fn tenants(store: &MemoryNonces) -> usize {
        store
            .shards
            .iter()
            .map(|shard| shard.tenants.lock().unwrap().by_id.len())
            .sum()
    }

    fn room(store: &MemoryNonces) -> usize {
        store
            .shards
            .iter()
            .map(|shard| {
                let nonces = shard.nonces.lock().unwrap();
                nonces.iter().map(Nonces::capacity).sum::<usize>()
            })
            .sum()
    }

    #[derive(Clone, Copy)]
    enum Scope {
        WithTimestamp,
        WithoutTimestamp,
    }

    /// SecretId, timestamp and nonce.
    type Key = (i64, Option<i64>, u64);

    /// Claims and replays at random under a clock that moves both ways, and expects what a list of all claims says.
    fn compare_with_model(window: u32, span: i64, scope: Scope, seed: u64) {
        let (total, share) = (12, 5);
        let store = MemoryNonces::new(NonceCapacity::new(total, share).unwrap(), window);
        let window = i64::from(window);
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut now = 1_767_225_600;
        let mut first = i64::MIN;
        let mut held = Vec::<(Key, i64)>::new();
        let mut used_before = Vec::new();
        let mut last_second = HashMap::new();
        let mut seen = [0; 5];

        for step in 0..20_000 {
            now += match random.below(1000) {
                0..850 => 0,
                850..970 => 1,
                970..990 => random.below(window) + 1,
                990..993 => 3 * window,
                _ => -random.below(window) - 1,
            };
            let used = i64::try_from(used_before.len()).unwrap();
            let (key, expires_at) = if used > 0 && random.below(3) == 0 {
                let recent = used - 1 - random.below(used.min(40));
                used_before[usize::try_from(recent).unwrap()]
            } else {
                let caller = random.below(5) / 2;
                let nonce = u64::try_from(random.below(8)).unwrap();
                let timestamp = now + random.below(2 * window + 3) - window - 1;
                let compared = match scope {
                    Scope::WithTimestamp => Some(timestamp),
                    Scope::WithoutTimestamp => None,
                };
                ((caller, compared, nonce), timestamp + window)
            };
            let (caller, timestamp, nonce) = key;

            let expected = if expires_at < now || expires_at > now + 2 * window {
                None
            } else {
                first = first.max(now.div_euclid(span));
                held.retain(|(_, expires_at)| expires_at.div_euclid(span) >= first);
                let cannot_tell = timestamp.is_none() && now + 2 < first * span;
                if expires_at.div_euclid(span) < first || cannot_tell {
                    None
                } else if held.iter().any(|(other, _)| *other == key) {
                    Some(Repeated)
                } else if held
                    .iter()
                    .filter(|((other, ..), _)| *other == caller)
                    .count()
                    >= share
                {
                    Some(ShareExhausted)
                } else if held.len() >= total {
                    Some(Full)
                } else {
                    held.push((key, expires_at));
                    Some(Fresh)
                }
            };
            let secret_id = format!("AKID{caller}");
            let verdict = store
                .claim(&NonceClaim::new(
                    &secret_id,
                    timestamp,
                    NonceValue::Number(nonce),
                    UnixTime::from_seconds(now),
                    expires_at,
                ))
                .ok();
            assert_eq!(verdict, expected, "window {window} seed {seed} step {step}");
            if verdict == Some(Fresh) {
                // Whatever the model says: no use of a nonce is admitted again before it has expired.
                used_before.push((key, expires_at));
                let before = last_second.insert(key, expires_at);
                let over = match scope {
                    Scope::WithTimestamp => now,
                    Scope::WithoutTimestamp => now + 2,
                };
                assert!(
                    before.is_none_or(|last| last < over),
                    "seed {seed} step {step}"
                );
            }
            if expected.is_some() {
                assert_eq!(store.len(), held.len());
            }
            seen[verdict.map_or(4, |verdict| match verdict {
                Fresh => 0,
                Repeated => 1,
                ShareExhausted => 2,
                Full => 3,
            })] += 1;
        }
        assert!(seen.iter().all(|&times| times > 20), "{seen:?}");
    }

    /// xorshift64.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: i64) -> i64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            i64::try_from(self.0 >> 1).unwrap() % bound
        }
    }
}
