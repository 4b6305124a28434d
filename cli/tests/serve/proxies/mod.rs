//! What reaches a service behind the gateway, in each mode.

mod caller;
mod service;
