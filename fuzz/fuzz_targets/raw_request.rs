//! From the bytes of a file to verdicts, by the reader of the command: what is read goes back into bytes and is read alike,
//! gets the same verdict, and a refusal is text that any language can show.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qcloud_validator::testkit::{RawRequests, Request};
use qcloud_validator::{Policy, Rejection, UnixTime};

#[path = "../support.rs"]
mod support;

fuzz_target!(
    init: support::seed_with_captures(|capture| Some(capture.request.clone())),
    |bytes: &[u8]| {
        let mut taken = 0;
        for request in RawRequests::new(bytes) {
            match request {
                Ok(request) => {
                    taken += request.body().len() + request.target().len().saturating_sub(1);
                    check(&request);
                }
                Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
            }
        }
        assert!(taken <= bytes.len(), "more was read than there is");
    }
);

fn check(request: &Request) {
    let again = Request::from_raw(&request.to_raw()).expect("what was written can be read");
    assert_eq!(again.method(), request.method());
    assert_eq!(again.target(), request.target());
    assert_eq!(again.body(), request.body());
    assert!(headers(&again).eq(headers(request)));

    match (verdict(request), verdict(&again)) {
        (Ok(()), Ok(())) => {}
        (Err(refused), Err(again)) => {
            assert_eq!(refused.reason(), again.reason());
            support::assert_renders(&refused);
        }
        (one, other) => panic!("{one:?}, and read again {other:?}"),
    }
}

/// As with `--at request`.
fn verdict(request: &Request) -> Result<(), Rejection> {
    let policy = Policy::default();
    let now = request
        .signed_at(&policy)
        .unwrap_or(UnixTime::from_seconds(support::signer::TIMESTAMP));
    let validator = support::validator(policy, now);
    validator.check(&request.view()).map(|_| ())
}

/// Without those that say where the body ends.
fn headers(request: &Request) -> impl Iterator<Item = (&str, &[u8])> {
    request.headers().filter(|(name, _)| {
        ["content-length", "transfer-encoding"]
            .iter()
            .all(|framing| !name.eq_ignore_ascii_case(framing))
    })
}
