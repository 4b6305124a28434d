//! Who is told the cause of a refusal: nobody, the operator, or the client; and nobody is told about a key but the operator.

use qcloud_validator::diagnose::Diagnosis;
use qcloud_validator::{
    DiagnosisRule, Language, Policy, PolicyBuilder, Rejection, RequestView, Transport, Validator,
};
use test_support::signer::{Algorithm, QuerySigner, SECRET_KEY, Signed};
use test_support::stores::{check, in_memory};

const MISMATCH: &str = "Authentication failed. Please refer to the Authentication section in the document. The \
                        signature does not fit the request.";

fn validator(change: impl FnOnce(PolicyBuilder) -> PolicyBuilder) -> Validator {
    in_memory(change(Policy::builder()).build().unwrap())
}

fn refused(validator: &Validator, request: &Signed) -> Rejection {
    check(validator, request).unwrap_err()
}

/// What is found beside the request, if it is granted.
fn explained(validator: &Validator, request: &Signed, refused: &Rejection) -> Option<Diagnosis> {
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    validator
        .grants_diagnosis(refused)
        .then(|| validator.explain(&view, refused))
}

/// Signed with SHA-256, which the request does not declare.
fn undeclared() -> Signed {
    let request = QuerySigner {
        algorithm: Algorithm::Sha256,
        ..QuerySigner::v2()
    };
    let signed = request.sign();
    let declared = test_support::signer::signature(
        Algorithm::Sha256,
        SECRET_KEY,
        &signed
            .string_to_sign
            .replace("&SignatureMethod=HmacSHA256", ""),
    );
    let mut sent = QuerySigner {
        algorithm: Algorithm::UndeclaredSha1,
        ..request
    }
    .sign();
    let (head, _) = sent.target.split_once("&Signature=").unwrap();
    let signature = test_support::signer::percent_encoded(&declared);
    sent.target = format!("{head}&Signature={signature}");
    sent
}

fn with_a_line_end_after_the_key() -> Signed {
    let secret_key = format!("{SECRET_KEY}\n");
    QuerySigner {
        secret_key,
        ..QuerySigner::v2()
    }
    .sign()
}

#[test]
fn by_default_nothing_is_searched() {
    let refused = refused(&validator(|policy| policy), &undeclared());
    assert!(refused.diagnosis().is_none());
    assert_eq!(refused.message(), MISMATCH);
}

#[test]
fn the_operator_alone_and_not_while_the_client_waits() {
    let validator = validator(|policy| policy.diagnosis(DiagnosisRule::ForOperator));
    let request = undeclared();
    let refused = refused(&validator, &request);
    assert!(refused.diagnosis().is_none());
    let diagnosis = explained(&validator, &request, &refused).unwrap();
    assert_eq!(diagnosis.findings()[0].id(), "sha256-not-declared");
    let refused = refused.with_diagnosis(diagnosis, DiagnosisRule::ForOperator);
    assert_eq!(refused.message(), MISMATCH);
    assert!(!refused.response("id").contains("sha256-not-declared"));
}

#[test]
fn a_diagnosis_that_is_made_later_can_be_told_to_the_client() {
    let validator = validator(|policy| policy.diagnosis(DiagnosisRule::ForOperator));
    for (request, told) in [
        (undeclared(), true),
        (with_a_line_end_after_the_key(), false),
    ] {
        let refused = refused(&validator, &request);
        let diagnosis = explained(&validator, &request, &refused).unwrap();
        let id = diagnosis.findings()[0].id();
        let refused = refused.with_diagnosis(diagnosis, DiagnosisRule::InMessage);
        assert_eq!(refused.message().contains(id), told, "{id}");
    }
}

#[test]
fn the_client_too_in_its_language() {
    let validator = validator(|policy| policy.diagnosis(DiagnosisRule::InMessage));
    let refused = refused(&validator, &undeclared());
    assert_eq!(
        refused.message(),
        format!(
            "{MISMATCH} [sha256-not-declared] The signature is HMAC-SHA256, but `SignatureMethod` does not say exactly \
             `HmacSHA256`, so HMAC-SHA1 is expected. Send `SignatureMethod=HmacSHA256`, and sign it like any other \
             parameter."
        )
    );
    let chinese = refused.message_in(Language::ZhCn);
    assert!(chinese.contains("[sha256-not-declared] 签名使用了 HMAC-SHA256"));
}

#[test]
fn what_concerns_a_key_stays_with_the_operator() {
    let validator = validator(|policy| policy.diagnosis(DiagnosisRule::InMessage));
    let refused = refused(&validator, &with_a_line_end_after_the_key());
    let found = refused.diagnosis().unwrap().findings();
    assert_eq!(found[0].id(), "secret-key-whitespace");
    assert_eq!(refused.message(), MISMATCH);
    for text in [format!("{refused:?}"), format!("{:?}", refused.diagnosis())] {
        assert!(!text.contains(SECRET_KEY), "{text}");
    }
}

#[test]
fn a_flood_of_bad_signatures_buys_few_diagnoses() {
    let validator = validator(|policy| {
        policy
            .diagnosis(DiagnosisRule::ForOperator)
            .diagnoses_per_minute(2)
    });
    let request = undeclared();
    let granted: Vec<bool> = (0..5)
        .map(|_| validator.grants_diagnosis(&refused(&validator, &request)))
        .collect();
    assert_eq!(granted, [true, true, false, false, false]);
    let another = QuerySigner {
        secret_id: "AKIDanother".to_owned(),
        ..QuerySigner::v2()
    };
    assert!(validator.grants_diagnosis(&refused(&validator, &another.sign())));
}

#[test]
fn none_is_granted_where_the_policy_asks_for_none_beside_the_request() {
    for rule in [DiagnosisRule::Off, DiagnosisRule::InMessage] {
        let validator = validator(|policy| policy.diagnosis(rule));
        let refused = refused(&validator, &undeclared());
        assert!(!validator.grants_diagnosis(&refused), "{rule:?}");
    }
}

#[test]
fn a_search_that_is_cut_short_says_so() {
    use qcloud_validator::diagnose::Outcome;
    let validator = validator(|policy| {
        policy
            .diagnosis(DiagnosisRule::ForOperator)
            .diagnosis_macs(10)
    });
    let request = with_a_line_end_after_the_key();
    let refused = refused(&validator, &request);
    let diagnosis = explained(&validator, &request, &refused).unwrap();
    assert_eq!(diagnosis.outcome(), Outcome::BudgetSpent);
}

#[test]
fn a_logged_diagnosis_holds_neither_a_token_nor_a_key_sent_as_an_id() {
    use test_support::stores::TOKEN;
    let validator = validator(|policy| policy.diagnosis(DiagnosisRule::ForOperator));
    let with_token = QuerySigner::v2().with("Token", TOKEN).sign();
    let swapped = QuerySigner {
        secret_id: SECRET_KEY.to_owned(),
        secret_key: test_support::signer::SECRET_ID.to_owned(),
        ..QuerySigner::v2()
    };
    for (request, id) in [
        (with_token, "token-with-permanent-key"),
        (swapped.sign(), "id-and-key-swapped"),
    ] {
        let refused = refused(&validator, &request);
        let diagnosis = explained(&validator, &request, &refused).unwrap();
        assert_eq!(diagnosis.findings()[0].id(), id);
        for text in [
            format!("{diagnosis:?}"),
            format!("{diagnosis}"),
            format!("{refused:?}"),
        ] {
            assert!(
                !text.contains(TOKEN) && !text.contains(SECRET_KEY),
                "{text}"
            );
        }
    }
}
