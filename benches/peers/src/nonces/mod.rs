//! Those that remember nonces, each as the library's `NonceStore`, and the claims that they are asked.
//!
//! All peers are given the same 64-bit key, a keyed hash of the claim, and all but `std` hash that with `foldhash`.

mod key;
mod moka;
mod mutex;
mod ours;
mod quick_cache;
mod scc;
mod traffic;

use qcloud_validator::store::NonceStore;

pub use self::key::Key;
pub use self::traffic::{Traffic, WINDOW, take};

/// Makes a store of this capacity, where it has one.
pub type Make = fn(capacity: usize) -> Box<dyn NonceStore>;

/// One of those that are compared.
#[derive(Clone, Copy, Debug)]
pub struct Store {
    /// As the tables call it.
    pub name: &'static str,
    /// An empty one.
    pub make: Make,
    /// By which clock it lets go of a nonce.
    pub expiry: Expiry,
}

/// By which clock a store lets go of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// The time of the claims.
    OfClaims,
    /// A clock of its own, from the arrival of the claim.
    OwnClock,
    /// None: only another nonce drives one out.
    Never,
}

/// Everything that is compared, this crate first.
pub const STORES: [Store; 6] = [
    Store {
        name: "this crate, MemoryNonces",
        make: |capacity| Box::new(ours::ours(capacity)),
        expiry: Expiry::OfClaims,
    },
    Store {
        name: "Mutex<HashMap>, swept",
        make: |_| Box::new(mutex::Locked::default()),
        expiry: Expiry::OfClaims,
    },
    Store {
        name: "scc::HashMap, swept",
        make: |_| Box::new(scc::Scc::default()),
        expiry: Expiry::OfClaims,
    },
    Store {
        name: "quick_cache",
        make: |capacity| Box::new(quick_cache::QuickCache::new(capacity)),
        expiry: Expiry::Never,
    },
    Store {
        name: "moka, or_insert_with",
        make: |capacity| Box::new(moka::Moka::new(capacity)),
        expiry: Expiry::OwnClock,
    },
    Store {
        name: "moka, or_insert",
        make: |capacity| Box::new(moka::MokaOrInsert::new(capacity)),
        expiry: Expiry::OwnClock,
    },
];
