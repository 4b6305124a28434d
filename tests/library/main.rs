//! The library without features: vectors, captured requests, codes, order of refusal, invariants, faults, documentation.

mod captures;
mod codes;
#[cfg(feature = "testkit")]
mod confusion;
mod documentation;
mod faults;
mod invariants;
mod malformed;
mod one_reading;
mod order;
mod properties;
mod reference_signer;
mod restart;
mod vectors;
