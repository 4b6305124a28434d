//! Support for tests, benches and fuzz targets. What is checked against it shares no code with it: the reference signer and
//! the mistakes are written from the rules alone.
//!
//! A broken fixture stops the test where it breaks, so everything here may panic.

pub mod captures;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod measure;
#[cfg(feature = "diagnose")]
pub mod mistakes;
pub mod redis_server;
pub mod requests;
pub mod signer;
pub mod stores;
