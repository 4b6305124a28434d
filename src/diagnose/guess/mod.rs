//! Guesses at what a client signed, by the part of the request in which it went wrong.

mod host;
mod json;
pub(super) mod key;
mod method;
mod path;
pub(super) mod query;
pub(super) mod tc3;
pub(super) mod text;
