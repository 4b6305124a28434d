//! Real requests of published clients get the verdict that their signature deserves, at the clock of their arrival.

use std::collections::BTreeMap;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    Admitted, Dialect, ManualClock, Policy, PolicyBuilder, Reason, Rejection, RequestView,
    SecretKey, Tolerance, Transport, UnsignedPart, Validator,
};
use test_support::captures::{self, Capture};

const SECRET_ID: &str = "AKIDEXAMPLEdummydummydummydummydummy12";
const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";
const TOKEN: &str = "dummy-session-token-01234567890abcdef";

/// A fresh store for each capture: some clients repeat their nonces, which is another test.
fn check(capture: &Capture, policy: PolicyBuilder) -> Result<Admitted, Rejection> {
    let policy = match &capture.public_host {
        Some(host) => policy.public_host(host.as_str()),
        None => policy,
    };
    let policy = policy.build().unwrap();
    let request = captures::parse(&capture.request);
    let credentials = MemoryCredentials::new();
    let key = SecretKey::new(SECRET_KEY).unwrap();
    let principal = Principal::account("100000000001");
    // The same key was used with and without a token.
    credentials.insert(if request_has_token(&capture.request) {
        Credential::temporary(SECRET_ID, key, principal, TOKEN, None)
    } else {
        Credential::permanent(SECRET_ID, key, principal)
    });
    let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
    let validator =
        Validator::new(policy, stores).with_clock(ManualClock::at(capture.received_unix));
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    validator.check(&view)
}

fn request_has_token(raw: &[u8]) -> bool {
    let text = String::from_utf8_lossy(raw);
    text.contains(TOKEN)
}

/// Rules that leave a parameter unsigned; off by default.
const UNSIGNED_RULES: [&str; 3] = ["at_excluded", "file_excluded", "empty_excluded"];

fn leaves_unsigned(capture: &Capture) -> bool {
    capture
        .rules
        .iter()
        .any(|rule| UNSIGNED_RULES.contains(&rule.as_str()))
}

/// What the default policy must say. Captures whose fate only the vendor's server knows are refused: what they need is
/// neither documented nor needed by a published release of an official SDK.
fn must_be_admitted(capture: &Capture) -> bool {
    match capture.expected.as_str() {
        "valid" | "valid-if-public-host-configured" => true,
        "valid-with-extra-rule" => !leaves_unsigned(capture),
        "invalid-client-bug" | "not-signed" | "unclear" => false,
        other => panic!("no verdict for {other}"),
    }
}

#[test]
fn every_capture_gets_its_verdict_under_the_default_policy() {
    let captures = captures::all();
    assert_eq!(captures.len(), 1055);
    let mut wrong = BTreeMap::new();
    for capture in &captures {
        let verdict = check(capture, Policy::builder());
        if verdict.is_ok() != must_be_admitted(capture) {
            let name = format!("{}/{}", capture.client, capture.case);
            wrong.insert(name, (&capture.expected, &capture.rules, verdict.err()));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn the_strict_policy_admits_the_documented_form_alone() {
    let mut wrong = Vec::new();
    for capture in captures::all() {
        let documented = ["valid", "valid-if-public-host-configured"].contains(&&*capture.expected);
        let verdict = check(&capture, Policy::builder().tolerance(Tolerance::Strict));
        if verdict.is_ok() != documented {
            wrong.push((
                capture.client,
                capture.case,
                capture.expected,
                capture.rules,
                verdict.err(),
            ));
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {wrong:#?}", wrong.len());
}

#[test]
fn what_leaves_parameters_unsigned_is_admitted_only_by_policy_and_named() {
    let mut seen = 0;
    for capture in captures::all()
        .iter()
        .filter(|capture| leaves_unsigned(capture))
    {
        seen += 1;
        let refused = check(capture, Policy::builder()).unwrap_err();
        assert_eq!(refused.reason(), &Reason::SignatureMismatch);
        let policy = Policy::builder()
            .insecure_accept_unsigned(UnsignedPart::AtValues)
            .insecure_accept_unsigned(UnsignedPart::FileParts)
            .insecure_accept_unsigned(UnsignedPart::EmptyValues);
        let admitted = check(capture, policy).unwrap();
        let uncovered: Vec<String> = admitted
            .uncovered()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert!(
            uncovered.iter().any(|part| part.starts_with("parameter ")),
            "{}/{}: {uncovered:?}",
            capture.client,
            capture.case
        );
    }
    assert_eq!(seen, 14);
}

#[test]
fn every_client_bug_is_a_signature_mismatch_in_its_dialect() {
    for capture in captures::all() {
        if capture.expected != "invalid-client-bug" {
            continue;
        }
        let refused = check(&capture, Policy::builder()).unwrap_err();
        assert_eq!(
            refused.reason(),
            &Reason::SignatureMismatch,
            "{}/{}",
            capture.client,
            capture.case
        );
        let expected = match refused.dialect() {
            Dialect::V2 => "InvalidParameter.SignatureFailure",
            Dialect::V3 => "AuthFailure.SignatureFailure",
            _ => "4100",
        };
        assert_eq!(refused.code().to_string(), expected);
    }
}

#[test]
fn requests_that_declare_themselves_unsigned_have_no_authorization() {
    for capture in captures::all() {
        if capture.expected == "not-signed" {
            let refused = check(&capture, Policy::builder()).unwrap_err();
            assert_eq!(refused.code().name(), "AuthFailure.InvalidAuthorization");
        }
    }
}

#[test]
fn every_capture_is_stale_the_second_after_its_window() {
    for mut capture in captures::all().into_iter().filter(must_be_admitted) {
        // A clock that far off shows the timestamp of the request.
        let arrival = capture.received_unix;
        capture.received_unix = 0;
        let refused = check(&capture, Policy::builder()).unwrap_err();
        let &Reason::TimestampOutsideWindow { timestamp, .. } = refused.reason() else {
            panic!("{refused:?}");
        };
        assert!(arrival.abs_diff(timestamp) <= 300);
        for (now, fresh) in [
            (timestamp - 301, false),
            (timestamp - 300, true),
            (timestamp + 300, true),
            (timestamp + 301, false),
        ] {
            capture.received_unix = now;
            assert_eq!(
                check(&capture, Policy::builder()).is_ok(),
                fresh,
                "{}/{}",
                capture.client,
                capture.case
            );
        }
    }
}
