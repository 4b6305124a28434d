//! How often a request makes the validator allocate, once its stores have grown.

use std::alloc::System;

use qcloud_validator::Validator;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use test_support::requests::{self, check};
use test_support::signer::{Algorithm::Sha1, Signed};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    println!("\nAllocations for each request: the least of many\n");
    println!("| {:<44} | {:>10} | {:>10} |", "case", "count", "bytes");
    println!("|{:-<46}|{:->11}:|{:->11}:|", "", "", "");
    for parameters in [10, 60] {
        let v2 = move || requests::v2("GET", Sha1, parameters);
        row(
            &format!("v2 GET, {parameters} parameters, admitted"),
            |_| v2().sign(),
        );
        row(
            &format!("v2 GET, {parameters} parameters, replayed"),
            |validator| {
                let signed = v2().sign();
                check(validator, &signed).expect("it is signed well");
                signed
            },
        );
        row(
            &format!("v2 GET, {parameters} parameters, bad signature"),
            |_| {
                let mut signer = v2();
                signer.secret_key = "another key".to_owned();
                signer.sign()
            },
        );
    }
    row("v2 POST, 10 parameters, admitted", |_| {
        requests::v2("POST", Sha1, 10).sign()
    });
    row("TC3 POST 200 B, admitted", |_| {
        requests::tc3_post(200).sign()
    });
    row("TC3 POST 1 MiB, admitted", |_| {
        requests::tc3_post(1 << 20).sign()
    });
}

fn row(name: &str, request: impl Fn(&Validator) -> Signed) {
    let validator = requests::validator();
    let least = (0..300)
        .map(|_| {
            let request = request(&validator);
            let region = Region::new(ALLOCATOR);
            let verdict = check(&validator, &request);
            let change = region.change();
            drop(verdict);
            (
                change.allocations + change.reallocations,
                change.bytes_allocated,
            )
        })
        .min()
        .unwrap_or_default();
    println!("| {name:<44} | {:>10} | {:>10} |", least.0, least.1);
}
