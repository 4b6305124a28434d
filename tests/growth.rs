//! How much memory a stranger can make the engine take: for one request, in proportion to its size; after it, nothing.

use std::alloc::System;

use qcloud_validator::{Check, Policy};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use test_support::signer::{Form, QuerySigner, SECRET_ID, Signed, Tc3Signer};
use test_support::stores::{check, in_memory};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// A name, the check that refuses, the most bytes, and the request.
type Case = (&'static str, Check, usize, fn() -> Signed);

/// One test, since another thread's allocations would be counted too. Nobody without a key gets past the signature, so
/// what is allocated before it is what a stranger can ask for. Each request is as large as the default policy takes, or
/// larger.
#[test]
fn a_stranger_takes_memory_in_proportion_to_the_request_and_none_after_it() {
    let cases: [Case; 10] = [
        ("4,000 names in a query", Check::Signature, 200_000, || {
            query("GET", Form::Urlencoded, names(4_000))
        }),
        ("65,536 names", Check::Signature, 3_200_000, || {
            query("POST", Form::Urlencoded, names(65_530))
        }),
        ("65,537 names", Check::Form, 3_200_000, || {
            query("POST", Form::Urlencoded, names(65_531))
        }),
        ("300,000 escapes", Check::Signature, 1_000, || {
            let escaped = vec![("A".to_owned(), "/".repeat(300_000))];
            query("POST", Form::Urlencoded, escaped)
        }),
        ("2 MiB of names", Check::Form, 1_000, || {
            query("POST", Form::Urlencoded, names(300_000))
        }),
        ("10,000 parts", Check::Signature, 800_000, || {
            query("POST", Form::Multipart, names(10_000))
        }),
        ("10 MiB of JSON", Check::Signature, 1_000, || json(10 << 20)),
        ("more than 10 MiB of JSON", Check::Form, 1_000, || {
            json((10 << 20) + 1)
        }),
        ("4,000 names in TC3", Check::Signature, 200_000, tc3_query),
        ("10,000 headers", Check::Signature, 1_000, || {
            let mut request = json(10);
            let more = (0..10_000).map(|number| (format!("X-{number}"), "a".repeat(100)));
            request.headers.extend(more);
            request
        }),
    ];
    for (case, refuses, most, request) in cases {
        let validator = in_memory(Policy::default());
        // From here on the signing key of the day is at hand; at most four are kept for a credential.
        assert!(check(&validator, &json(1)).is_err());
        let request = request();
        let region = Region::new(ALLOCATOR);
        let refused = check(&validator, &request).unwrap_err();
        let taken = region.change().bytes_allocated;
        assert!(taken <= most, "{case}: {taken}");
        assert_eq!(refused.check(), Some(refuses), "{case}: {refused:?}");
        drop(refused);
        assert_eq!(kept(&region), 0, "{case}");
    }

    let validator = in_memory(Policy::default());
    let region = Region::new(ALLOCATOR);
    for number in 0..10_000 {
        let stranger = QuerySigner {
            secret_id: format!("AKID{number}"),
            nonce: number.to_string(),
            ..QuerySigner::v2()
        };
        let forger = QuerySigner {
            secret_id: SECRET_ID.to_owned(),
            secret_key: "another key".to_owned(),
            ..stranger.clone()
        };
        for signer in [stranger, forger] {
            assert!(check(&validator, &signer.sign()).is_err());
        }
    }
    assert_eq!(kept(&region), 0);
}

/// Bytes that were taken and not given back.
fn kept(region: &Region<'_, System>) -> usize {
    let change = region.change();
    change.bytes_allocated - change.bytes_deallocated
}

fn query(method: &str, form: Form, unsigned: Vec<(String, String)>) -> Signed {
    let signer = QuerySigner {
        method: method.to_owned(),
        form,
        unsigned,
        secret_key: "another key".to_owned(),
        ..QuerySigner::v2()
    };
    signer.sign()
}

fn tc3_query() -> Signed {
    let names = names(4_000);
    let signer = Tc3Signer {
        query: names.iter().map(|(name, _)| format!("{name}=&")).collect(),
        secret_key: "another key".to_owned(),
        ..Tc3Signer::get()
    };
    signer.sign()
}

fn json(bytes: usize) -> Signed {
    let signer = Tc3Signer {
        body: vec![b'1'; bytes],
        secret_key: "another key".to_owned(),
        ..Tc3Signer::post()
    };
    signer.sign()
}

fn names(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|number| (format!("{number:05x}"), String::new()))
        .collect()
}
