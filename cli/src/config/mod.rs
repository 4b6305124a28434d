//! Files and command-line keys that say how to validate and what to serve.

#[cfg(feature = "serve")]
pub(crate) mod cors;
pub(crate) mod files;
#[cfg(feature = "serve")]
pub(crate) mod gateway;
pub(crate) mod host;
mod json_resources;
pub(crate) mod keys;
#[cfg(feature = "serve")]
pub(crate) mod redis;
pub mod toml_table;
pub mod validator;
