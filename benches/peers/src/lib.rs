//! The same job done by this crate and by its peers; `README.md` says what is compared and how far that is fair.
#![allow(
    clippy::disallowed_methods,
    reason = "a bench reads the clock, and a peer that cannot be told the time has to be signed for now"
)]

pub mod message;
pub mod nonces;
pub mod rounds;
pub mod verifiers;

pub use test_support::measure::nanos;
pub use test_support::signer::Algorithm;
