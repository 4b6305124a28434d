//! The gateway, run as a process and spoken to over sockets: what clients, services and operators see of it.

mod clients;
mod config;
mod cors;
mod diagnoses;
mod forward_auth;
mod hardening;
mod http2;
mod lost_lines;
mod messages;
mod mock;
mod open_files;
mod operating;
mod places;
mod proxies;
mod proxy;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_tls;
mod reloading;
mod scene;
mod secrets_exposed;
mod starting;
mod unread;
mod upstream;
