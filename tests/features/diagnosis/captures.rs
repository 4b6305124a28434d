//! Real requests of published clients that need an extra rule, or whose client is wrong: the strict policy refuses them,
//! and the diagnosis names the rule that an independent verifier found.

use qcloud_validator::diagnose::{Finding, Outcome};
use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    ManualClock, Policy, PolicyBuilder, Reason, RequestView, SecretKey, Tolerance, Transport,
    Validator,
};
use test_support::captures::{self, Capture, RawRequest};
use test_support::signer::{SECRET_ID, SECRET_KEY};
use test_support::stores::TOKEN;

/// The rules of the verifier, and the ids of the mistakes that must be named for them.
const EXPECTED: [(&[&str], &[&str]); 27] = [
    (&["alg_sha1"], &["sha1-although-sha256-declared"]),
    (&["alg_sha256"], &["sha256-not-declared"]),
    (&["algorithm_spacing"], &["tc3-authorization-unreadable"]),
    (&["at_excluded"], &["file-or-at-value-left-out"]),
    (
        &["at_excluded", "file_excluded"],
        &["file-or-at-value-left-out"],
    ),
    (&["encoded_braces"], &["encoded-before-signing"]),
    (
        &["encoded_braces", "alg_sha256"],
        &["encoded-before-signing", "sha256-not-declared"],
    ),
    (&["encoded_values"], &["encoded-before-signing"]),
    (
        &["encoded_values", "alg_sha256"],
        &["encoded-before-signing", "sha256-not-declared"],
    ),
    (&["file_excluded"], &["file-or-at-value-left-out"]),
    (&["header_value_case_kept"], &["tc3-header-values"]),
    (&["host_fixed"], &["host-rewritten-by-proxy"]),
    (&["host_mixed_case_lost"], &["host-case"]),
    (&["host_no_port"], &["host-port-mismatch"]),
    (&["latin1"], &["non-utf8-bytes-signed"]),
    (&["null_as_empty"], &["boolean-or-number-spelling"]),
    (&["path_root"], &["path-rewritten"]),
    (&["query_in_post"], &["tc3-query-presence"]),
    (&["query_sorted"], &["tc3-query-sorted"]),
    (&["query_sorted", "query_in_post"], &["tc3-query-presence"]),
    (&["query_tilde_escaped"], &["url-reencoded-in-transit"]),
    (
        &["tc2_hash"],
        &["string-joined-wrongly", "sha256-not-declared"],
    ),
    (&["underscore_before"], &["underscore-vs-dot"]),
    (&["underscore_kept"], &["underscore-vs-dot"]),
    (
        &["underscore_kept", "alg_sha256"],
        &["underscore-vs-dot", "sha256-not-declared"],
    ),
    (
        &["underscore_value_lost"],
        &["value-signed-as-empty", "underscore-vs-dot"],
    ),
    // `Authorization: SKIP`.
    (&[], &["tc3-authorization-unreadable"]),
];

fn validator(capture: &Capture, policy: PolicyBuilder, now: i64) -> Validator {
    validator_with_key(capture, policy, now, SECRET_KEY)
}

/// Another SecretId has the key of the captures.
fn validator_with_key(capture: &Capture, policy: PolicyBuilder, now: i64, key: &str) -> Validator {
    let credentials = MemoryCredentials::new();
    credentials.insert(Credential::permanent(
        "AKIDOTHER",
        SecretKey::new(SECRET_KEY).unwrap(),
        Principal::account("100000000002"),
    ));
    let key = SecretKey::new(key).unwrap();
    let principal = Principal::account("100000000001");
    let has_token = String::from_utf8_lossy(&capture.request).contains(TOKEN);
    credentials.insert(if has_token {
        Credential::temporary(SECRET_ID, key, principal, TOKEN, None)
    } else {
        Credential::permanent(SECRET_ID, key, principal)
    });
    let policy = policy.build().unwrap();
    let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
    Validator::new(policy, stores).with_clock(ManualClock::at(now))
}

fn view(request: &RawRequest) -> RequestView<'_> {
    RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body)
}

#[test]
fn the_rule_that_a_client_needs_is_named() {
    let mut seen = 0;
    for capture in captures::all() {
        if capture.expected == "valid" {
            continue;
        }
        seen += 1;
        let request = captures::parse(&capture.request);
        let strict = Policy::builder().tolerance(Tolerance::Strict);
        let validator = validator(&capture, strict, capture.received_unix);
        let view = view(&request);
        let refused = validator.check(&view).unwrap_err();
        let diagnosis = validator.explain(&view, &refused);
        let found: Vec<&str> = diagnosis
            .findings()
            .iter()
            .map(|finding| match finding.id() {
                // Where blanks are all there is to encode, both mistakes sign one text.
                "value-plus-unencoded" => "encoded-before-signing",
                id => id,
            })
            .collect();
        let name = format!("{}/{}: {:?}", capture.client, capture.case, capture.rules);
        let (_, expected) = EXPECTED
            .iter()
            .find(|(rules, _)| *rules == capture.rules.as_slice())
            .unwrap_or_else(|| panic!("no expectation for {name}"));
        assert_eq!(found, *expected, "{name}\n{diagnosis}");
        assert_eq!(diagnosis.outcome(), Outcome::Explained);
    }
    assert_eq!(seen, 128);
}

/// Whatever tolerated spelling a client signs in, and whoever says that its signature does not match.
#[test]
fn a_client_that_is_admitted_made_no_mistake() {
    let mut seen = 0;
    for capture in captures::all() {
        let request = captures::parse(&capture.request);
        let view = view(&request);
        let default = || match &capture.public_host {
            Some(host) => Policy::builder().public_host(host.as_str()),
            None => Policy::builder(),
        };
        let now = capture.received_unix;
        let Ok(admitted) = validator(&capture, default(), now).check(&view) else {
            continue;
        };
        seen += 1;
        let name = format!("{}/{}: {:?}", capture.client, capture.case, capture.rules);

        let alleged = admitted.refuse(Reason::SignatureMismatch);
        let diagnosis = validator(&capture, default(), now).explain(&view, &alleged);
        assert_eq!(diagnosis.findings(), [], "{name}");
        assert_eq!(diagnosis.outcome(), Outcome::Unexplained, "{name}");

        let other_key = validator_with_key(&capture, default(), now, "another key");
        let refused = other_key.check(&view).unwrap_err();
        let diagnosis = other_key.explain(&view, &refused);
        let found: Vec<&str> = diagnosis.findings().iter().map(Finding::id).collect();
        assert_eq!(found, ["another-credentials-key"], "{name}");

        let late = validator(&capture, default(), now + 3_600);
        let refused = late.check(&view).unwrap_err();
        let diagnosis = late.explain(&view, &refused);
        let [finding] = diagnosis.findings() else {
            panic!("{name}\n{diagnosis}");
        };
        let evidence = finding.evidence();
        assert!(
            evidence.ends_with("; the signature itself is right"),
            "{name}\n{evidence}"
        );
    }
    assert_eq!(seen, 993);
}
