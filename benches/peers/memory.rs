//! What a live nonce weighs.

use std::alloc::System;

use qcloud_validator_peers::nonces::{Make, STORES, Store, Traffic};
use qcloud_validator_peers::rounds::{Table, wanted};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Tables double, so that one number alone says little.
const LIVE: [usize; 2] = [700_000, 1_000_000];

fn main() {
    let title = "Nonces: bytes for each that is live, in stores with room for two windows";
    if !wanted(title) {
        return;
    }
    let heads = LIVE.map(|live| format!("{live} live"));
    let [one, two] = &heads;
    let mut table = Table::new(title, &["", one, two]);
    for Store { name, make, .. } in STORES {
        let mut row = vec![name.to_owned()];
        row.extend(LIVE.map(|live| format!("{:.0}", bytes(make, live))));
        table.row(&row);
    }
    table.print();
}

fn bytes(make: Make, live: usize) -> f64 {
    let region = Region::new(ALLOCATOR);
    let _store = Traffic::new(live).fill(make);
    let change = region.change();
    (change.bytes_allocated - change.bytes_deallocated) as f64 / live as f64
}
