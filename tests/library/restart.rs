//! What happens to a replay when the process was restarted: by default, by each other policy, and with saved nonces.

use std::sync::Arc;

use qcloud_validator::memory::{MemoryCredentials, MemoryNonces, NonceCapacity};
use qcloud_validator::store::{AfterRestart, Stores};
use qcloud_validator::{
    Check, Dialect, ManualClock, Policy, Reason, ReplayScope, UnixTime, Validator,
};
use test_support::signer::{QuerySigner, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::{check, permanent};

const WINDOW: u32 = 300;

/// A process that remembers everything: requests of every scheme must not repeat.
fn process(now: i64, nonces: Arc<MemoryNonces>) -> Validator {
    let scope = ReplayScope::SecretIdTimestampNonce;
    let policy = Policy::builder()
        .replay_v1(scope)
        .replay_tc3(scope)
        .build()
        .unwrap();
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let stores = Stores {
        nonces,
        ..Stores::insecure_in_memory(credentials, WINDOW)
    };
    Validator::new(policy, stores).with_clock(ManualClock::at(now))
}

fn started(at: i64, rule: AfterRestart) -> Arc<MemoryNonces> {
    let started = UnixTime::from_seconds(at);
    Arc::new(MemoryNonces::started_at(
        NonceCapacity::default(),
        WINDOW,
        started,
        rule,
    ))
}

fn of_every_scheme() -> [Signed; 3] {
    [
        QuerySigner::v2().sign(),
        QuerySigner {
            nonce: "9000".to_owned(),
            ..QuerySigner::v1()
        }
        .sign(),
        Tc3Signer::post().sign(),
    ]
}

fn v2_dated(timestamp: i64, nonce: &str) -> Signed {
    QuerySigner {
        timestamp,
        nonce: nonce.to_owned(),
        ..QuerySigner::v2()
    }
    .sign()
}

#[test]
fn stores_in_memory_refuse_what_may_have_been_used_before_they_were_made() {
    let in_memory = |started: i64| {
        let credentials = MemoryCredentials::new();
        credentials.insert(permanent());
        let started = UnixTime::from_seconds(started);
        let stores = Stores::in_memory(credentials, WINDOW, started);
        Validator::new(Policy::default(), stores).with_clock(ManualClock::at(TIMESTAMP + 10))
    };
    let request = QuerySigner::v2().sign();
    check(&in_memory(TIMESTAMP - 20), &request).unwrap();
    let restarted = in_memory(TIMESTAMP + 1);
    let refused = check(&restarted, &request).unwrap_err();
    assert!(
        matches!(refused.reason(), Reason::NonceBeforeMemory),
        "{refused:?}"
    );
}

#[test]
fn a_request_used_before_a_restart_is_refused_as_out_of_date() {
    for request in of_every_scheme() {
        let first = process(TIMESTAMP, started(TIMESTAMP - 5, AfterRestart::default()));
        assert!(check(&first, &request).is_ok());
        for later in [1, 299, 300] {
            let next = process(
                TIMESTAMP + later,
                started(TIMESTAMP + 1, AfterRestart::default()),
            );
            let refused = check(&next, &request).unwrap_err();
            assert_eq!(refused.reason(), &Reason::NonceBeforeMemory);
            assert_eq!(refused.check(), Some(Check::Nonce));
            let stale = Reason::TimestampOutsideWindow {
                timestamp: TIMESTAMP,
                now: TIMESTAMP + 301,
                window: 300,
            };
            assert_eq!(refused.code(), stale.code(refused.dialect()));
        }
        // From then on the timestamp is refused.
        let later = process(
            TIMESTAMP + 301,
            started(TIMESTAMP + 1, AfterRestart::default()),
        );
        let refused = check(&later, &request).unwrap_err();
        assert_eq!(refused.check(), Some(Check::Timestamp));
    }
}

#[test]
fn the_client_that_signs_anew_is_served() {
    let next = process(TIMESTAMP + 1, started(TIMESTAMP, AfterRestart::default()));
    let before = check(&next, &v2_dated(TIMESTAMP - 1, "1")).unwrap_err();
    assert_eq!(before.dialect(), Dialect::V2Numeric);
    assert_eq!(before.code().number(), Some(4500));
    assert!(check(&next, &v2_dated(TIMESTAMP + 1, "2")).is_ok());
    // A forged one is not told anything about the restart.
    let mut forged = v2_dated(TIMESTAMP - 1, "1");
    forged.target = forged
        .target
        .replace("DescribeInstances", "TerminateInstances");
    let refused = check(&next, &forged).unwrap_err();
    assert_eq!(refused.reason(), &Reason::SignatureMismatch);
}

#[test]
fn a_client_ahead_of_the_clock_is_covered_by_the_strict_rule_alone() {
    // The request is dated 300 seconds ahead, the process restarted in the same second.
    let request = v2_dated(TIMESTAMP + 300, "1");
    let first = process(TIMESTAMP, started(TIMESTAMP, AfterRestart::default()));
    assert!(check(&first, &request).is_ok());
    let replay_under = |rule| check(&process(TIMESTAMP + 1, started(TIMESTAMP, rule)), &request);
    assert!(replay_under(AfterRestart::RefuseDatedBefore).is_ok());
    assert!(replay_under(AfterRestart::InsecureAdmit).is_ok());
    let refused = replay_under(AfterRestart::RefuseForOneWindow).unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceBeforeMemory);

    // One second more, and it cannot have been used before.
    let honest = v2_dated(TIMESTAMP + 301, "1");
    let next = started(TIMESTAMP, AfterRestart::RefuseForOneWindow);
    assert!(check(&process(TIMESTAMP + 1, next.clone()), &honest).is_ok());
    let honest = v2_dated(TIMESTAMP + 300, "2");
    assert!(check(&process(TIMESTAMP + 300, next), &honest).is_err());
}

#[test]
fn saved_nonces_are_refused_as_repeated_and_nothing_else_is_refused() {
    let folder =
        std::env::temp_dir().join(format!("qcloud-validator-restart-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("nonces");
    let nonces = started(TIMESTAMP - 1000, AfterRestart::default());
    let first = process(TIMESTAMP, nonces.clone());
    for request in of_every_scheme() {
        assert!(check(&first, &request).is_ok());
    }
    assert_eq!(nonces.save(&file).unwrap(), 3);
    // Whoever is still served by the first process is refused, as nobody would remember.
    let refused = check(&first, &v2_dated(TIMESTAMP, "9")).unwrap_err();
    assert_eq!(refused.reason().id(), "nonce-store-failed");

    let now = UnixTime::from_seconds(TIMESTAMP + 10);
    let loaded = MemoryNonces::load(&file, NonceCapacity::default(), WINDOW, now).unwrap();
    let next = process(TIMESTAMP + 10, Arc::new(loaded.unwrap()));
    for request in of_every_scheme() {
        let refused = check(&next, &request).unwrap_err();
        assert_eq!(refused.reason(), &Reason::NonceRepeated);
    }
    assert!(check(&next, &v2_dated(TIMESTAMP - 10, "9")).is_ok());
    std::fs::remove_dir_all(&folder).unwrap();
}
