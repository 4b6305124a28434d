//! This crate's store in memory.

use qcloud_validator::memory::{MemoryNonces, NonceCapacity};

use super::WINDOW;

/// One SecretId may fill it.
pub(super) fn ours(capacity: usize) -> MemoryNonces {
    let capacity = NonceCapacity::new(capacity, capacity).expect("there is room");
    MemoryNonces::insecure_without_memory(capacity, WINDOW)
}
