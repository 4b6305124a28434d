//! What must hold whatever happens: no forged request changes state, no nonce is used twice, nothing leaks, failures
//! refuse.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use qcloud_validator::memory::{MemoryCredentials, MemoryNonces, NonceCapacity};
use qcloud_validator::stage::Received;
use qcloud_validator::store::{
    Credential, NonceValue, NonceVerdict, PermissionQuery, PermissionStore, Principal, Standing,
    StoreError, Stores, Unrestricted,
};
use qcloud_validator::{
    Check, Dialect, Language, ManualClock, Policy, Reason, ReplayScope, RequestView, SecretKey,
    Store, Transport, Uncovered, UnixTime, Validator,
};
use test_support::signer::{QuerySigner, SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::{
    AnswerStore, Answers, TOKEN, check, in_memory, permanent, temporary, validator,
};

/// The right signature of the base v2 request, which no output of the validator may hold.
const RIGHT_SIGNATURE: &str = "MPn+q2Q8SUqL/rCLFmNeIuPH3aM=";

fn forged() -> Signed {
    let mut request = QuerySigner::v2().sign();
    request.target = request.target.replace("Signature=M", "Signature=N");
    request
}

#[test]
fn a_forged_request_does_not_burn_the_nonce_of_an_honest_one() {
    let validator = in_memory(Policy::default());
    for _ in 0..100 {
        let refused = check(&validator, &forged()).unwrap_err();
        assert_eq!(refused.reason(), &Reason::SignatureMismatch);
    }
    assert!(check(&validator, &QuerySigner::v2().sign()).is_ok());
}

#[test]
fn of_many_equal_requests_exactly_one_is_admitted() {
    let validator = Arc::new(in_memory(Policy::default()));
    let admitted = Arc::new(AtomicUsize::new(0));
    let request = Arc::new(QuerySigner::v2().sign());
    let threads: Vec<_> = (0..64)
        .map(|_| {
            let (validator, admitted, request) =
                (validator.clone(), admitted.clone(), request.clone());
            thread::spawn(move || match check(&validator, &request) {
                Ok(_) => {
                    admitted.fetch_add(1, Ordering::SeqCst);
                }
                Err(refused) => assert_eq!(refused.reason(), &Reason::NonceRepeated),
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(admitted.load(Ordering::SeqCst), 1);
}

#[test]
fn a_future_dated_request_cannot_be_replayed_in_its_last_second() {
    let clock = Arc::new(ManualClock::at(TIMESTAMP - 300));
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let validator = Validator::new(
        Policy::default(),
        Stores::insecure_in_memory(credentials, 300),
    )
    .with_clock(clock.clone());
    let request = QuerySigner::v2().sign();
    assert!(check(&validator, &request).is_ok());
    for later in [1, 299, 300, 599, 600] {
        clock.set(UnixTime::from_seconds(TIMESTAMP - 300 + later));
        let refused = check(&validator, &request).unwrap_err();
        assert_eq!(refused.reason(), &Reason::NonceRepeated, "{later} s later");
    }
    clock.set(UnixTime::from_seconds(TIMESTAMP + 301));
    let refused = check(&validator, &request).unwrap_err();
    assert_eq!(refused.check(), Some(Check::Timestamp));
}

/// One key, two dates and two services within a window: each has a signing key of its own.
#[test]
fn a_tc3_key_signs_on_both_sides_of_midnight_and_for_each_service() {
    let midnight = 1_767_312_000;
    let clock = Arc::new(ManualClock::at(midnight));
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let validator = Validator::new(
        Policy::default(),
        Stores::insecure_in_memory(credentials, 300),
    )
    .with_clock(clock);
    for round in 0..3 {
        for (timestamp, service) in [
            (midnight - 2, "cvm"),
            (midnight + 1, "cvm"),
            (midnight - 1, "cbs"),
            (midnight, "cbs"),
        ] {
            let request = Tc3Signer {
                timestamp,
                host: format!("{service}.tencentcloudapi.com"),
                service: service.to_owned(),
                body: format!("{{\"Limit\":{round}}}").into_bytes(),
                ..Tc3Signer::post()
            };
            assert!(check(&validator, &request.sign()).is_ok(), "{timestamp}");
        }
    }
}

/// A second key beside the base one.
fn other(nonce: u32) -> Signed {
    let signer = QuerySigner {
        secret_id: "AKIDother".to_owned(),
        secret_key: "another-secret".to_owned(),
        nonce: nonce.to_string(),
        ..QuerySigner::v2().with("Version", "2017-03-12")
    };
    signer.sign()
}

fn base(nonce: u32) -> Signed {
    let nonce = nonce.to_string();
    QuerySigner {
        nonce,
        ..QuerySigner::v2().with("Version", "2017-03-12")
    }
    .sign()
}

fn with_capacity(total: usize, per_secret_id: usize) -> Validator {
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    credentials.insert(Credential::permanent(
        "AKIDother",
        SecretKey::new("another-secret").unwrap(),
        Principal::account("2"),
    ));
    let capacity = NonceCapacity::new(total, per_secret_id).unwrap();
    let stores = Stores {
        credentials: Arc::new(credentials),
        nonces: Arc::new(MemoryNonces::insecure_without_memory(capacity, 300)),
        permissions: Arc::new(Unrestricted),
        quotas: Arc::new(Unrestricted),
    };
    validator(Policy::default(), stores)
}

#[test]
fn a_full_store_refuses_and_forgets_nothing() {
    let validator = with_capacity(3, 3);
    for fresh in 0..3 {
        assert!(check(&validator, &base(fresh)).is_ok());
    }
    for late in 0..10 {
        let refused = check(&validator, &other(late)).unwrap_err();
        assert_eq!(refused.code().name(), "InternalError");
    }
    for used in 0..3 {
        let refused = check(&validator, &base(used)).unwrap_err();
        assert_eq!(refused.code().name(), "InvalidRequest.ReplayAttack");
    }
}

#[test]
fn one_noisy_key_cannot_take_the_store_from_the_others() {
    let validator = with_capacity(4, 2);
    assert!(check(&validator, &base(1)).is_ok());
    assert!(check(&validator, &base(2)).is_ok());
    let refused = check(&validator, &base(3)).unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceShareExhausted);
    assert_eq!(
        refused.code().name(),
        "InvalidRequest.RequestConcurrencyExceeded"
    );
    assert!(check(&validator, &other(1)).is_ok());
}

#[test]
fn a_store_that_fails_refuses() {
    type Break = fn(&mut Answers);
    let cases: [(Break, Store, &str, u16, &str); 4] = [
        (
            |answers| answers.credential = Err(()),
            Store::Credentials,
            "InternalError",
            6000,
            "InternalError",
        ),
        (
            |answers| answers.nonce = Err(()),
            Store::Nonces,
            "InternalError",
            6000,
            "InternalError",
        ),
        (
            |answers| answers.standing = Err(()),
            Store::Permissions,
            "InternalError.CAMInnerError",
            4110,
            "InternalError",
        ),
        (
            |answers| answers.quota = Err(()),
            Store::Quotas,
            "InternalError",
            6000,
            "InternalError",
        ),
    ];
    for (break_it, store, v2, numeric, v3) in cases {
        let mut answers = Answers::good();
        break_it(&mut answers);
        let validator = validator(Policy::default(), AnswerStore::new(answers).stores());
        let refused = check(&validator, &QuerySigner::v2().sign()).unwrap_err();
        assert_eq!(refused.reason(), &Reason::StoreFailed { store });
        assert_eq!(refused.code_in(Dialect::V2).name(), v2);
        assert_eq!(refused.code_in(Dialect::V2Numeric).number(), Some(numeric));
        assert_eq!(refused.code_in(Dialect::V3).name(), v3);
        let source = std::error::Error::source(&refused).unwrap();
        assert_eq!(source.source().unwrap().to_string(), "connection refused");
        assert!(!refused.message().contains("connection refused"));
    }
}

/// Every request that is refused after its key was found, with all texts that the validator makes of it.
#[test]
fn no_output_holds_a_secret_or_the_right_signature() {
    let mut tc3 = Tc3Signer::post().sign();
    let right_tc3 = {
        let authorization = tc3.header("Authorization").unwrap();
        authorization.rsplit('=').next().unwrap().to_owned()
    };
    for (name, value) in &mut tc3.headers {
        if name == "Authorization" {
            *value = value.replace(&right_tc3, &"0".repeat(64));
        }
    }
    let chain = test_support::signer::tc3_keys(SECRET_KEY, "2026-01-01", "cvm");
    let derived =
        [chain.date, chain.service, chain.signing].map(|key| test_support::signer::hex(&key));
    let mut secrets = vec![
        SECRET_KEY.to_owned(),
        RIGHT_SIGNATURE.to_owned(),
        right_tc3,
        TOKEN.to_owned(),
    ];
    secrets.extend(derived);

    // Nor may a store that does not answer make it known: what was sent as an id is still a stranger's.
    let failing = AnswerStore::new(Answers {
        credential: Err(()),
        ..Answers::good()
    });
    let failing = validator(Policy::default(), failing.stores());
    let validator = in_memory(Policy::default());
    let with_token = QuerySigner::v2().with("Token", TOKEN).sign();
    let swapped = QuerySigner {
        secret_id: SECRET_KEY.to_owned(),
        secret_key: "AKIDEXAMPLEdummydummydummydummydummy12".to_owned(),
        ..QuerySigner::v2()
    };
    let swapped_tc3 = Tc3Signer {
        secret_id: SECRET_KEY.to_owned(),
        ..Tc3Signer::post()
    };
    // Sent as an id, somebody's key must not come back out of a stale request either.
    let stale = QuerySigner {
        timestamp: TIMESTAMP - 301,
        ..swapped.clone()
    };
    for request in [
        stale.sign(),
        forged(),
        tc3,
        with_token,
        swapped.sign(),
        swapped_tc3.sign(),
    ] {
        for validator in [&validator, &failing] {
            let refused = check(validator, &request).unwrap_err();
            let texts = [
                format!("{refused}"),
                format!("{refused:?}"),
                format!("{refused:#?}"),
                refused.message_in(Language::EnUs),
                refused.message_in(Language::ZhCn),
                refused.response("00000000-0000-0000-0000-000000000000"),
                format!("{:?}", refused.reason()),
                format!("{:?}", refused.secret_id()),
                format!("{validator:?}"),
                format!("{:?}", permanent()),
            ];
            for text in texts {
                for secret in &secrets {
                    assert!(!text.contains(secret.as_str()), "{text}");
                }
            }
        }
    }
    let known = check(&failing, &QuerySigner::v2().sign()).unwrap_err();
    assert_eq!(known.secret_id(), Some(SECRET_ID));
    let admitted = check(&validator, &QuerySigner::v2().sign()).unwrap();
    let text = format!("{admitted:?}");
    for secret in &secrets {
        assert!(!text.contains(secret.as_str()), "{text}");
    }
}

#[test]
fn what_is_printed_of_stores_and_claims_is_no_secret() {
    let stores = Stores::insecure_in_memory(MemoryCredentials::new(), 300);
    assert_eq!(format!("{stores:?}"), "Stores { .. }");
    assert_eq!(
        format!("{:?}", permanent()),
        "Credential { secret_id: \"AKIDEXAMPLEdummydummydummydummydummy12\", state: Enabled, principal: Principal { \
         account: \"100000000001\", sub_account: None }, .. }"
    );
    let nonces = [NonceValue::Number(11_886), NonceValue::Signature([7; 32])];
    assert_eq!(format!("{nonces:?}"), "[Number(11886), Signature(..)]");
}

#[test]
fn what_is_printed_of_a_stage_is_no_secret() {
    let policy = Policy::default();
    let now = UnixTime::from_seconds(TIMESTAMP);
    let mut tc3 = Tc3Signer::post();
    let token = ("X-TC-Token".to_owned(), TOKEN.to_owned());
    tc3.headers.push(token);
    for request in [
        QuerySigner::v2().with("Token", TOKEN).sign(),
        QuerySigner::v1().with("Token", TOKEN).sign(),
        tc3.sign(),
    ] {
        let view = RequestView::new(Transport::Https, &request.method, &request.target)
            .with_headers(&request.headers)
            .with_body(&request.body);
        let received = Received::new(&view, &policy);
        let read = received.read().unwrap();
        let mut texts = vec![
            format!("{view:?}"),
            format!("{received:?}"),
            format!("{read:?}"),
        ];
        let parsed = read.parse(now).unwrap();
        texts.push(format!("{parsed:?}"));
        let authenticated = parsed.authenticate(Ok(Some(temporary()))).unwrap();
        texts.push(format!("{authenticated:?}"));
        let fresh = authenticated
            .claimed(Some(Ok(NonceVerdict::Fresh)))
            .unwrap();
        texts.push(format!("{fresh:?}"));
        let permitted = fresh.permitted(Answers::good().standing.map_err(|()| unreachable!()));
        texts.push(format!("{:?}", permitted.unwrap()));
        for text in texts {
            assert!(
                !text.contains(TOKEN) && !text.contains("Signature="),
                "{text}"
            );
        }
    }
}

/// Whoever walks the stages by hand cannot leave the nonce out.
#[test]
fn a_claim_that_nobody_made_refuses() {
    let policy = Policy::default();
    let request = QuerySigner::v2().sign();
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers);
    let read = Received::new(&view, &policy).read().unwrap();
    let parsed = read.parse(UnixTime::from_seconds(TIMESTAMP)).unwrap();
    let authenticated = parsed.authenticate(Ok(Some(permanent()))).unwrap();
    assert!(authenticated.nonce_claim().is_some());
    let refused = authenticated.claimed(None).unwrap_err();
    let store = Store::Nonces;
    assert_eq!(refused.reason(), &Reason::StoreFailed { store });
}

#[test]
fn a_refused_but_authentic_request_has_used_its_nonce() {
    let mut answers = Answers::good();
    answers.standing.as_mut().unwrap().mfa = qcloud_validator::store::MfaStanding::Failed;
    let refusing = AnswerStore::new(answers);
    let nonces = Arc::new(MemoryNonces::insecure_without_memory(
        NonceCapacity::default(),
        300,
    ));
    let stores = |store: &Arc<AnswerStore>| Stores {
        nonces: nonces.clone(),
        ..store.stores()
    };
    let request = QuerySigner::v2().sign();
    let refused = check(&validator(Policy::default(), stores(&refusing)), &request).unwrap_err();
    assert_eq!(refused.reason(), &Reason::MfaFailed);
    let good = AnswerStore::new(Answers::good());
    let refused = check(&validator(Policy::default(), stores(&good)), &request).unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceRepeated);
}

#[test]
fn replay_scopes() {
    let at = |timestamp: i64| {
        QuerySigner {
            timestamp,
            ..QuerySigner::v2()
        }
        .sign()
    };
    // The default lets a client with a constant nonce work.
    let default = in_memory(Policy::default());
    assert!(check(&default, &at(TIMESTAMP)).is_ok());
    assert!(check(&default, &at(TIMESTAMP + 1)).is_ok());
    assert!(check(&default, &at(TIMESTAMP)).is_err());

    let strict = Policy::builder()
        .replay_v2(ReplayScope::SecretIdNonce)
        .build()
        .unwrap();
    let strict = in_memory(strict);
    assert!(check(&strict, &at(TIMESTAMP)).is_ok());
    let refused = check(&strict, &at(TIMESTAMP + 1)).unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceRepeated);

    let off = in_memory(
        Policy::builder()
            .replay_v2(ReplayScope::Off)
            .build()
            .unwrap(),
    );
    assert!(check(&off, &at(TIMESTAMP)).is_ok());
    assert!(check(&off, &at(TIMESTAMP)).is_ok());

    // No replay code exists in API 3.0.
    let (v1, tc3) = (QuerySigner::v1().sign(), Tc3Signer::post().sign());
    for request in [&v1, &tc3] {
        assert!(check(&default, request).is_ok());
        assert!(check(&default, request).is_ok());
    }
    let scope = ReplayScope::SecretIdTimestampNonce;
    let remembered = Policy::builder()
        .replay_v1(scope)
        .replay_tc3(scope)
        .build()
        .unwrap();
    let remembered = in_memory(remembered);
    for request in [&v1, &tc3] {
        assert!(check(&remembered, request).is_ok());
        let refused = check(&remembered, request).unwrap_err();
        assert_eq!(refused.code().name(), "AuthFailure.SignatureExpire");
    }
}

/// SDKs do not sign the action, so two of them with one body in one second have one signature.
#[test]
fn two_actions_with_one_tc3_signature_are_two_requests_and_each_counts_once() {
    let policy = Policy::builder().replay_tc3(ReplayScope::SecretIdTimestampNonce);
    let validator = in_memory(policy.build().unwrap());
    let asking_for = |changed: &str, value: &str| {
        let mut request = Tc3Signer::post().sign();
        for (name, sent) in &mut request.headers {
            if name == changed {
                value.clone_into(sent);
            }
        }
        check(&validator, &request).map_err(|refused| refused.reason().clone())
    };
    for action in ["DescribeInstances", "DescribeZones"] {
        assert!(asking_for("X-TC-Action", action).is_ok(), "{action}");
    }
    // Whoever sends a used request again cannot make it new by what is not signed.
    for (name, value) in [
        ("X-TC-Action", "DescribeInstances"),
        ("X-TC-Action", "DescribeZones"),
        ("X-TC-Action", "describeInstances"),
        ("X-TC-Version", "2018-01-01"),
        ("X-TC-Region", "ap-shanghai"),
        ("X-TC-Region", ""),
    ] {
        let refused = asking_for(name, value).unwrap_err();
        assert_eq!(refused, Reason::NonceRepeated, "{name}: {value}");
    }
}

#[test]
fn nonces_with_leading_zeros_are_the_same_number() {
    let validator = in_memory(Policy::default());
    let nonce = |nonce: &str| {
        QuerySigner {
            nonce: nonce.to_owned(),
            ..QuerySigner::v2()
        }
        .sign()
    };
    assert!(check(&validator, &nonce("7")).is_ok());
    let refused = check(&validator, &nonce("007")).unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceRepeated);
}

#[test]
fn what_the_signature_does_not_cover_is_named() {
    let validator = in_memory(Policy::default());
    let uncovered = |request: &Signed| check(&validator, request).unwrap().uncovered().to_vec();

    assert_eq!(uncovered(&QuerySigner::v2().sign()), []);
    let mut post = QuerySigner {
        method: "POST".to_owned(),
        nonce: "2".to_owned(),
        ..QuerySigner::v2()
    }
    .sign();
    post.target.push_str("?Action=Other");
    assert_eq!(uncovered(&post), [Uncovered::Query]);
    let mut get = QuerySigner {
        nonce: "3".to_owned(),
        ..QuerySigner::v2()
    }
    .sign();
    get.body = b"Action=Other".to_vec();
    assert_eq!(uncovered(&get), [Uncovered::Body]);

    let headers = ["x-tc-action", "x-tc-version", "x-tc-region"].map(Uncovered::Header);
    assert_eq!(uncovered(&Tc3Signer::post().sign()), headers);
    let mut signed = Tc3Signer::post();
    signed.headers.retain(|(name, _)| name != "X-TC-Action");
    signed
        .extra_signed
        .push(("x-tc-action".to_owned(), "DescribeInstances".to_owned()));
    assert_eq!(uncovered(&signed.sign()), headers[1..]);
    let unsigned = Tc3Signer {
        unsigned_payload: true,
        ..Tc3Signer::post()
    };
    assert_eq!(uncovered(&unsigned.sign())[0], Uncovered::Body);

    // It signs `/`, and the policy tolerates that.
    let mut elsewhere = Tc3Signer::post().sign();
    elsewhere.target = "/other".to_owned();
    let uncovered_elsewhere = [&[Uncovered::Path][..], &headers].concat();
    assert_eq!(uncovered(&elsewhere), uncovered_elsewhere);
    // So does a content type without its boundary.
    let mut multipart = Tc3Signer {
        content_type: "multipart/form-data".to_owned(),
        ..Tc3Signer::post()
    }
    .sign();
    for (name, value) in &mut multipart.headers {
        if name == "Content-Type" {
            value.push_str("; boundary=b");
        }
    }
    let uncovered_boundary = [&headers[..], &[Uncovered::ContentTypeParameters]].concat();
    assert_eq!(uncovered(&multipart), uncovered_boundary);
}

#[test]
fn types_that_cross_threads_do_and_a_refusal_is_one_word() {
    fn shared<T: Send + Sync>() {}
    shared::<Validator>();
    shared::<qcloud_validator::Admitted>();
    shared::<qcloud_validator::Rejection>();
    assert_eq!(size_of::<qcloud_validator::Rejection>(), size_of::<usize>());
}

#[test]
fn a_permission_store_sees_the_parameters_of_every_get() {
    #[derive(Debug, Default)]
    struct Seen(std::sync::Mutex<Vec<Option<Vec<u8>>>>);
    impl PermissionStore for Seen {
        fn decide(&self, query: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
            let limit = query
                .parameters
                .and_then(|parameters| parameters.get(b"Limit"));
            self.0.lock().unwrap().push(limit.map(Cow::into_owned));
            Unrestricted.decide(query)
        }
    }
    let seen = Arc::new(Seen::default());
    let stores = Stores {
        permissions: seen.clone(),
        ..AnswerStore::new(Answers::good()).stores()
    };
    let validator = validator(Policy::default(), stores);
    let repeated = Tc3Signer {
        query: "Limit=1&Limit=2".to_owned(),
        ..Tc3Signer::get()
    };
    for request in [
        QuerySigner::v2().with("Limit", "1").sign(),
        Tc3Signer::get().sign(),
        repeated.sign(),
        Tc3Signer::post().sign(),
    ] {
        assert!(check(&validator, &request).is_ok());
    }
    let one = Some(b"1".to_vec());
    assert_eq!(*seen.0.lock().unwrap(), [one.clone(), one, None, None]);
}

#[test]
fn a_temporary_key_needs_its_own_token_and_no_other() {
    let expired_at = UnixTime::from_seconds(TIMESTAMP + 10);
    let credentials = Arc::new(MemoryCredentials::new());
    let key = SecretKey::new(SECRET_KEY).unwrap();
    credentials.insert(Credential::temporary(
        test_support::signer::SECRET_ID,
        key,
        Principal::account("1"),
        TOKEN,
        Some(expired_at),
    ));
    let verdict = |request: &Signed, now: i64| {
        let stores = Stores {
            credentials: credentials.clone(),
            ..AnswerStore::new(Answers::good()).stores()
        };
        let clock = ManualClock::at(now);
        let validator = Validator::new(Policy::default(), stores).with_clock(clock);
        check(&validator, request)
            .map(drop)
            .map_err(|refused| refused.reason().clone())
    };
    let sign_with: [fn(&str) -> Signed; 3] = [
        |token| QuerySigner::v2().with("Token", token).sign(),
        |token| QuerySigner::v1().with("Token", token).sign(),
        |token| {
            let mut signer = Tc3Signer::post();
            let token = ("X-TC-Token".to_owned(), token.to_owned());
            signer.headers.push(token);
            signer.sign()
        },
    ];
    for sign in sign_with {
        let right = sign(TOKEN);
        assert_eq!(verdict(&right, TIMESTAMP), Ok(()));
        for wrong in [&TOKEN[1..], &TOKEN[..TOKEN.len() - 1], "another"] {
            assert_eq!(verdict(&sign(wrong), TIMESTAMP), Err(Reason::TokenWrong));
        }
        let longer = sign(&format!("{TOKEN}0"));
        assert_eq!(verdict(&longer, TIMESTAMP), Err(Reason::TokenWrong));
        assert_eq!(verdict(&sign(""), TIMESTAMP), Err(Reason::TokenMissing));
        // Whether it has expired is told only to who holds it.
        assert_eq!(verdict(&right, TIMESTAMP + 9), Ok(()));
        let expired = Err(Reason::TokenExpired { expired_at });
        assert_eq!(verdict(&right, TIMESTAMP + 10), expired);
        let stale = verdict(&sign("another"), TIMESTAMP + 10);
        assert_eq!(stale, Err(Reason::TokenWrong));
    }
}
