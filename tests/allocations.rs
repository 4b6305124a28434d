//! How often a verdict allocates, once the stores have grown: an allocation costs as much as hashing a block, and the
//! allocator is where threads meet.

use std::alloc::System;

use qcloud_validator::{Admitted, Rejection, Validator};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use test_support::requests::{check, tc3_get, tc3_post, v1, v2, validator};
use test_support::signer::Algorithm::{Sha1, Sha256};
use test_support::signer::{QuerySigner, Signed};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A name, the most allocations, and the request.
type Case = (&'static str, usize, fn() -> Signed);

/// One test, since another thread's allocations would be counted too. All four stores are asked, and the caller is a
/// sub-account with a rule, a rate and a quota of its own.
#[test]
fn a_verdict_allocates_rarely() {
    let admitted: [Case; 10] = [
        // The action that `Admitted` keeps, and room for more than sixteen parameters.
        ("v2 GET, 10", 1, || v2("GET", Sha1, 10).sign()),
        ("v2 GET, 60", 2, || v2("GET", Sha1, 60).sign()),
        ("v2 GET, 600", 2, || v2("GET", Sha1, 600).sign()),
        ("v2 GET, SHA-256", 1, || v2("GET", Sha256, 10).sign()),
        ("v2 POST, 10", 1, || v2("POST", Sha1, 10).sign()),
        ("v2 POST, 60", 2, || v2("POST", Sha1, 60).sign()),
        ("v1 GET, 10", 1, || v1(10).sign()),
        // The action, and the list of what the signature does not cover.
        ("TC3 GET, 10", 2, || tc3_get(10).sign()),
        ("TC3 POST, 200 B", 2, || tc3_post(200).sign()),
        ("TC3 POST, 1 MiB", 2, || tc3_post(1 << 20).sign()),
    ];
    for (case, most, sign) in admitted {
        let validator = grown();
        let counted = allocations(&validator, sign, |verdict| verdict.is_ok());
        assert!(counted <= most, "{case}: {counted}");
    }

    let refused: [Case; 7] = [
        // The refusal, its copies of SecretId and action, and room for more than sixteen parameters.
        ("bad signature", 3, || with_another_key(v2("GET", Sha1, 10))),
        ("bad signature, 60", 4, || {
            with_another_key(v2("GET", Sha1, 60))
        }),
        ("unknown SecretId", 3, || {
            let mut signer = v2("GET", Sha1, 10);
            signer.secret_id = "AKIDSTRANGER".to_owned();
            signer.sign()
        }),
        ("stale", 3, || {
            let mut signer = v2("GET", Sha1, 10);
            signer.timestamp -= 3600;
            signer.sign()
        }),
        ("stale TC3", 3, || {
            let mut signer = tc3_post(200);
            signer.timestamp -= 3600;
            signer.sign()
        }),
        // The refusal alone.
        ("malformed", 1, || with_more(v2("GET", Sha1, 10), "&%zz=")),
        ("too long", 1, || {
            with_more(v2("GET", Sha1, 10), &"&".repeat(1 << 16))
        }),
    ];
    for (case, most, sign) in refused {
        let validator = grown();
        let counted = allocations(&validator, sign, |verdict| verdict.is_err());
        assert!(counted <= most, "{case}: {counted}");
    }

    let validator = grown();
    let used = || {
        let signed = v2("GET", Sha1, 10).sign();
        check(&validator, &signed).expect("it is signed well");
        signed
    };
    let counted = allocations(&validator, used, |verdict| verdict.is_err());
    assert!(counted <= 3, "replay: {counted}");
}

fn with_another_key(mut signer: QuerySigner) -> Signed {
    signer.secret_key = "another key".to_owned();
    signer.sign()
}

fn with_more(signer: QuerySigner, more: &str) -> Signed {
    let mut signed = signer.sign();
    signed.target.push_str(more);
    signed
}

/// A validator whose nonce store has met many requests, and grows slowly.
fn grown() -> Validator {
    let validator = validator();
    for _ in 0..5000 {
        let signed = v2("GET", Sha1, 10).sign();
        check(&validator, &signed).expect("it is signed well");
    }
    validator
}

/// The median of many requests, since the store still grows now and then.
fn allocations(
    validator: &Validator,
    sign: impl Fn() -> Signed,
    expected: impl Fn(&Result<Admitted, Rejection>) -> bool,
) -> usize {
    let mut counts: Vec<usize> = (0..51)
        .map(|_| {
            let signed = sign();
            let region = Region::new(ALLOCATOR);
            let verdict = check(validator, &signed);
            let change = region.change();
            assert!(expected(&verdict), "{verdict:?}");
            change.allocations + change.reallocations
        })
        .collect();
    counts.sort_unstable();
    counts[counts.len() / 2]
}
