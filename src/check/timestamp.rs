//! Whether the timestamp is near enough to the clock, either way and to the second (protocol.md §4.1: equal passes).

use crate::clock::UnixTime;
use crate::reason::Reason;

/// Proof that the timestamp is within the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithinWindow(());

pub(crate) fn check(timestamp: i64, now: UnixTime, window: u32) -> Result<WithinWindow, Reason> {
    let now = now.seconds();
    if now.abs_diff(timestamp) > u64::from(window) {
        return Err(Reason::TimestampOutsideWindow {
            timestamp,
            now,
            window: i64::from(window),
        });
    }
    Ok(WithinWindow(()))
}
