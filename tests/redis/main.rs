//! Gateways that share a Redis. Each test has a server of its own.

mod claims;
mod events;
mod faults;
mod load;
mod losses;
mod memory;
mod quotas;
mod readiness;
mod relay;
mod scene;
mod settings;
mod shares;
