//! Open files: as many as the operating system lets the process have, and only as many connections as they suffice for.

use std::num::NonZeroUsize;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

use super::upstream::IDLE_CONNECTIONS;
use crate::config::gateway::{ConnectionLimits, GatewayConfig, ListenerConfig, Mode};

/// For everything but the connections of clients and to services: the log, keys, stores, and the admin pages, which have to
/// answer when all else is taken.
const RESERVE: u64 = 64;

/// Raises the limit of open files as far as the operating system allows.
pub(super) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    // Where that fails, the limit stays as it is, and is reckoned with.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    );
}

/// The limits of connections, with no more of them than open files suffice for. The error is one line.
pub(super) fn fitting(config: &GatewayConfig) -> Result<ConnectionLimits, String> {
    let limits = config.connections;
    let Some(files) = getrlimit(Resource::Nofile).current else {
        return Ok(limits);
    };
    let needs = Needs::new(config);
    let room = files.saturating_sub(needs.fixed).checked_div(needs.each);
    let room = room.map_or(usize::MAX, |room| {
        usize::try_from(room).unwrap_or(usize::MAX)
    });
    let Some(room) = NonZeroUsize::new(room) else {
        let least = needs.of(1);
        return Err(format!(
            "open files: expected a limit of at least {least} (ulimit -n, LimitNOFILE); it is {files}"
        ));
    };
    if room >= limits.total {
        return Ok(limits);
    }
    let (total, expected) = (limits.total, needs.of(limits.total.get()));
    warn!(
        limit = files,
        expected,
        "only {room} connections of total = {total} can be open at one time: the limit of open files (ulimit -n, LimitNOFILE) \
         is too low"
    );
    Ok(ConnectionLimits {
        total: room,
        ..limits
    })
}

/// How many open files a gateway needs.
struct Needs {
    fixed: u64,
    /// For each connection.
    each: u64,
}

impl Needs {
    fn new(config: &GatewayConfig) -> Self {
        let proxies = |listener: &&ListenerConfig| matches!(listener.mode, Mode::Proxy(_));
        let proxies = config.listeners.iter().filter(proxies).count();
        // A listener has its socket and a connection that waits for its place.
        let listeners = count(config.listeners.len()).saturating_mul(2);
        let idle = count(proxies).saturating_mul(count(IDLE_CONNECTIONS));
        Self {
            fixed: RESERVE.saturating_add(listeners).saturating_add(idle),
            each: if proxies > 0 { 2 } else { 1 },
        }
    }

    fn of(&self, connections: usize) -> u64 {
        let connections = count(connections).saturating_mul(self.each);
        self.fixed.saturating_add(connections)
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
