//! Test support that shares no code with the crate.
#![allow(
    dead_code,
    reason = "several test binaries include this module and each uses a part of it"
)]
#![allow(
    unreachable_pub,
    reason = "`pub` says what a test may use; nothing in a test binary is reachable from outside"
)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used,
    reason = "a broken fixture should stop the test where it breaks"
)]

pub mod captures;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "diagnose")]
pub mod mistakes;
#[cfg(feature = "redis")]
pub mod redis_server;
pub mod signer;
pub mod stores;
