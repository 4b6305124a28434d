//! Decides whether a claim is new, and when what was claimed is forgotten: generations, counts, and their turn-over.
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

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasherDefault;

use super::capacity::NonceCapacity;
use super::keys::{AlreadyHashed, HashKey, Keys};
use super::locks::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use super::partitions::Partitions;
use super::ring::Ring;
use crate::store::{NonceClaim, NonceVerdict, StoreError};

/// How many nonces, and tenants, a partition of a full store holds on average at most: what a claim may have to move when
/// it grows. The fewer there are, the more of their heads stay in the caches.
const NONCES_PER_PARTITION: usize = 32_768;
const TENANTS_PER_PARTITION: usize = 1024;

/// By how many seconds requests on several threads may be claimed in another order than their clocks were read.
const DISORDER: i64 = 2;

pub(super) struct Table {
    capacity: NonceCapacity,
    /// How far ahead a claim may expire, in seconds: twice the window.
    horizon: i64,
    /// The length of a generation in seconds.
    span: i64,
    key: HashKey,
    pub(super) nonces: Partitions<Ring<Nonces>>,
    /// The SecretIds that hold live nonces.
    pub(super) tenants: Partitions<Tenants>,
    /// How many nonces there are in all partitions.
    held: Count,
    /// The oldest generation that is not dead.
    first: AtomicI64,
    /// The oldest generation that was not dead when a round of tidying last began.
    tidied_for: AtomicI64,
    /// Whether nothing is claimed any more.
    closed: AtomicBool,
}

pub(super) type Nonces = HashSet<u64, BuildHasherDefault<AlreadyHashed>>;
/// How many nonces each claimed in each generation.
pub(super) type Tenants = HashMap<u64, Ring<u32>, BuildHasherDefault<AlreadyHashed>>;

/// All that a table holds: what outlives the process.
pub(super) struct Contents {
    pub(super) key: HashKey,
    /// The oldest generation that is not dead.
    pub(super) first: i64,
    /// The hashes of the nonces in each generation from `first` on.
    pub(super) nonces: [Vec<u64>; 16],
    /// The hash of each tenant, and how many nonces it claimed in each generation from `first` on.
    pub(super) tenants: Vec<(u64, [u32; 16])>,
}

impl Table {
    /// An empty table for claims that expire at most twice `window_seconds` ahead.
    pub(super) fn new(capacity: NonceCapacity, window_seconds: u32, key: HashKey) -> Self {
        let horizon = i64::from(window_seconds).saturating_mul(2);
        Self {
            capacity,
            horizon,
            span: span(window_seconds),
            key,
            nonces: Partitions::new(capacity.total().div_ceil(NONCES_PER_PARTITION)),
            tenants: Partitions::new(capacity.total().div_ceil(TENANTS_PER_PARTITION)),
            held: Count(AtomicUsize::new(0)),
            first: AtomicI64::new(i64::MIN),
            tidied_for: AtomicI64::new(i64::MIN),
            closed: AtomicBool::new(false),
        }
    }

    /// How many nonces counted as live at the last claim.
    pub(super) fn len(&self) -> usize {
        while self.tidy_nonces() {}
        self.held.0.load(Ordering::Acquire)
    }

    pub(super) fn capacity(&self) -> NonceCapacity {
        self.capacity
    }

    pub(super) fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
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

    /// Takes no more claims, and copies what is live. No claim is answered `Fresh` that is not in the copy.
    pub(super) fn close(&self) -> Contents {
        self.closed.store(true, Ordering::Release);
        // A claim looks at `closed` under the guard of its partition: what came before the visit is here, and what comes
        // after it fails.
        let mut nonces = BTreeMap::<i64, Vec<u64>>::new();
        self.nonces.visit_all(|ring| {
            for (generation, hashes) in ring.iter().filter(|(_, hashes)| !hashes.is_empty()) {
                nonces.entry(generation).or_default().extend(hashes);
            }
        });
        // By now no claim is being counted. Claims that fail may still tell the time, and let die what is left out here.
        let mut tenants = Vec::new();
        self.tenants.visit_all(|partition| {
            tenants.extend(partition.iter().map(|(&tenant, claimed)| {
                let counts: Vec<_> = claimed.iter().map(|(at, &count)| (at, count)).collect();
                (tenant, counts)
            }));
        });
        let first = self.first();
        Contents {
            key: self.key,
            first,
            nonces: generations(first).map(|at| nonces.remove(&at).unwrap_or_default()),
            tenants: tenants
                .into_iter()
                .map(|(tenant, counts)| {
                    let count = |at| counts.iter().find(|(other, _)| *other == at);
                    let counts = generations(first).map(|at| count(at).map_or(0, |each| each.1));
                    (tenant, counts)
                })
                .filter(|(_, counts)| counts.iter().any(|&count| count > 0))
                .collect(),
        }
    }

    /// A table that holds what another one held; none if that is not what a table can hold.
    pub(super) fn holding(
        capacity: NonceCapacity,
        window_seconds: u32,
        contents: Contents,
    ) -> Option<Self> {
        let first = contents.first;
        first.checked_add(15)?;
        let table = Self::new(capacity, window_seconds, contents.key);
        table.first.store(first, Ordering::Release);
        let mut uncounted = [0_u64; 16];
        for ((hashes, at), uncounted) in contents
            .nonces
            .into_iter()
            .zip(generations(first))
            .zip(&mut uncounted)
        {
            *uncounted = u64::try_from(hashes.len()).ok()?;
            for nonce in hashes {
                let mut partition = table.nonces.of(nonce, || Ring::starting_at(first));
                if !partition.get_mut(at)?.insert(nonce) {
                    return None;
                }
                table.held.0.fetch_add(1, Ordering::AcqRel);
            }
        }
        for (tenant, counts) in contents.tenants {
            counts.into_iter().try_fold(0, u32::checked_add)?;
            let mut claimed = Ring::starting_at(first);
            for ((count, at), uncounted) in counts
                .into_iter()
                .zip(generations(first))
                .zip(&mut uncounted)
            {
                *uncounted = uncounted.checked_sub(u64::from(count))?;
                *claimed.get_mut(at)? = count;
            }
            let mut partition = table.tenants.of(tenant, Tenants::default);
            if partition.insert(tenant, claimed).is_some() {
                return None;
            }
        }
        (uncounted == [0; 16]).then_some(table)
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
        generation_at(seconds, self.span)
    }

    pub(super) fn first(&self) -> i64 {
        self.first.load(Ordering::Acquire)
    }

    /// Lets generations die whose last second is before `now`.
    pub(super) fn advance(&self, now: i64) {
        let first = self.generation_at(now);
        if self.first() < first {
            self.first.fetch_max(first, Ordering::AcqRel);
        }
        let first = self.first();
        // Not left to the thread that told the time: another one would take the store for full until that goes on.
        if self.tidied_for.load(Ordering::Acquire) < first {
            self.nonces.begin_round();
            self.tenants.begin_round();
            self.tidied_for.fetch_max(first, Ordering::AcqRel);
        }
    }

    fn decide(&self, claim: &NonceClaim<'_>, generation: i64) -> Result<NonceVerdict, StoreError> {
        let Keys { tenant, nonce } = Keys::of(claim, &self.key);
        let mut partition = self.nonces.of(nonce, || Ring::starting_at(self.first()));
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
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
                nonces.iter().any(|(_, nonces)| nonces.contains(&nonce))
            }
        };
        if repeated {
            return Ok(NonceVerdict::Repeated);
        }
        // While the guard is held, no other thread can claim this nonce.
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
        let more = |held: usize| (held < self.capacity.total()).then(|| held.saturating_add(1));
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
            if self.held.0.load(Ordering::Acquire) < self.capacity.total() {
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

/// How long a generation is: at most fifteen of them reach from now to twice the window, wherever now is in its own.
pub(super) fn span(window_seconds: u32) -> i64 {
    i64::from(window_seconds)
        .checked_div(7)
        .unwrap_or_default()
        .saturating_add(1)
}

/// The generation that a second belongs to.
pub(super) fn generation_at(seconds: i64, span: i64) -> i64 {
    seconds.checked_div_euclid(span).unwrap_or(seconds)
}

/// All generations that a table holds at a time.
pub(super) fn generations(first: i64) -> [i64; 16] {
    let mut next = first;
    [(); 16].map(|()| {
        let at = next;
        next = next.saturating_add(1);
        at
    })
}

/// On cache lines of its own: every claim writes it, and reads what would be beside it.
#[repr(align(128))]
struct Count(AtomicUsize);

/// How many nonces a tenant holds of the generations from `first` on.
pub(super) fn live(claimed: &mut Ring<u32>, first: i64) -> u32 {
    claimed.advance(first, drop);
    // Never more than a share.
    claimed.iter().map(|(_, count)| count).sum()
}

#[cold]
fn forgotten(claim: &NonceClaim<'_>) -> StoreError {
    StoreError::new(format!(
        "the clock went back to {}: which nonces were used that expire at {} has been forgotten",
        claim.now.seconds(),
        claim.expires_at
    ))
}

#[cold]
fn closed() -> StoreError {
    StoreError::new("the nonce store was closed when its nonces were saved")
}
