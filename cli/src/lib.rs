//! The command `qcloud-validator`, as a library for its own tests, benches and fuzz targets. Nothing here is a stable API.

#![forbid(unsafe_code)]
#![warn(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::disallowed_methods,
    clippy::exhaustive_enums,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::panic,
    clippy::unwrap_in_result,
    clippy::unwrap_used
)]

mod command;
pub mod config;
mod outcome;
mod report;
#[cfg(feature = "serve")]
mod serve;

pub use command::run;
