//! A request that fails two checks is refused by the earlier one, for every pair, in every family of requests.

use std::collections::BTreeMap;

use qcloud_validator::store::{
    AccountStanding, ActionStanding, CredentialState, MfaStanding, NonceVerdict,
    PermissionStanding, QuotaVerdict, Standing,
};
use qcloud_validator::{
    Admitted, Check, ManualClock, Policy, Reason, Rejection, ReplayScope, Store, Transport,
    UnixTime, Validator,
};
use test_support::signer::{QuerySigner, Signed, TIMESTAMP, Tc3Signer};
use test_support::stores::{AnswerStore, Answers, check_over, permanent, temporary};

/// A request and the world it meets, in which checks can be made to fail.
#[derive(Clone)]
struct Scene {
    transport: Transport,
    signer: Signer,
    spoil: Vec<fn(&mut Signed)>,
    answers: Answers,
    now: i64,
}

#[derive(Clone)]
enum Signer {
    Query(QuerySigner),
    Tc3(Tc3Signer),
}

impl Scene {
    fn new(signer: Signer) -> Self {
        Self {
            transport: Transport::Https,
            signer,
            spoil: Vec::new(),
            answers: Answers::good(),
            now: TIMESTAMP,
        }
    }

    /// Makes a check fail and leaves everything else right.
    fn fail(&mut self, check: Check) {
        let standing = self.answers.standing.as_mut().unwrap();
        match check {
            Check::Protocol => self.transport = Transport::Http,
            Check::Method => self.spoil.push(|request| request.method = "PUT".to_owned()),
            Check::Form => match self.signer {
                Signer::Query(_) => self.spoil.push(|request| append(request, "&bare")),
                Signer::Tc3(_) => self.spoil.push(|request| {
                    let region = ("X-TC-Region".to_owned(), "ap-shanghai".to_owned());
                    request.headers.push(region);
                }),
            },
            Check::Parameters => match &mut self.signer {
                Signer::Query(signer) => signer.params.retain(|(name, _)| name != "Action"),
                Signer::Tc3(signer) => signer.headers.retain(|(name, _)| name != "X-TC-Version"),
            },
            Check::Types => match &mut self.signer {
                Signer::Query(signer) => signer.nonce = "one".to_owned(),
                Signer::Tc3(signer) => {
                    for (name, value) in &mut signer.headers {
                        if name == "X-TC-Region" {
                            *value = "a".repeat(257);
                        }
                    }
                }
            },
            Check::Timestamp => self.now = TIMESTAMP + 301,
            Check::SecretId => self.answers.credential = Ok(None),
            Check::Token => {
                if let Ok(Some(credential)) = &mut self.answers.credential {
                    *credential = temporary();
                }
            }
            Check::Signature => match &mut self.signer {
                Signer::Query(signer) => signer.secret_key = "another".to_owned(),
                Signer::Tc3(signer) => signer.secret_key = "another".to_owned(),
            },
            Check::Nonce => self.answers.nonce = Ok(NonceVerdict::Repeated),
            Check::Account => standing.account = AccountStanding::Banned,
            Check::Mfa => standing.mfa = MfaStanding::Failed,
            Check::Action => standing.action = ActionStanding::Unknown,
            Check::Permission => standing.permission = PermissionStanding::ActionDenied,
            Check::Rate => {
                self.answers.quota = Ok(QuotaVerdict::RateExceeded {
                    limit: 5,
                    period: 1,
                    retry_after_millis: 200,
                });
            }
            // One verdict holds one refusal; that the rate comes first is the store's promise and tested there.
            Check::Quota if self.answers.quota == Ok(QuotaVerdict::Drawn) => {
                self.answers.quota = Ok(QuotaVerdict::QuotaExhausted {
                    limit: 10,
                    resets_at: UnixTime::from_seconds(TIMESTAMP + 60),
                });
            }
            Check::Quota => {}
            other => panic!("no way to fail {other}"),
        }
    }

    fn verdict(&self) -> (Result<Admitted, Rejection>, Vec<&'static str>) {
        let mut request = match &self.signer {
            Signer::Query(signer) => signer.sign(),
            Signer::Tc3(signer) => signer.sign(),
        };
        for spoil in &self.spoil {
            spoil(&mut request);
        }
        let policy = Policy::builder()
            .replay_v1(ReplayScope::SecretIdTimestampNonce)
            .replay_tc3(ReplayScope::SecretIdTimestampNonce)
            .build()
            .unwrap();
        let store = AnswerStore::new(self.answers.clone());
        let validator =
            Validator::new(policy, store.stores()).with_clock(ManualClock::at(self.now));
        let verdict = check_over(&validator, &request, self.transport);
        (verdict, store.writes())
    }
}

fn append(request: &mut Signed, piece: &str) {
    if request.method == "POST" {
        request.body.extend_from_slice(piece.as_bytes());
    } else {
        request.target.push_str(piece);
    }
}

fn families() -> BTreeMap<&'static str, Signer> {
    let post = |signer: QuerySigner| QuerySigner {
        method: "POST".to_owned(),
        ..signer
    };
    BTreeMap::from([
        ("v2 GET", Signer::Query(QuerySigner::v2())),
        ("v2 POST", Signer::Query(post(QuerySigner::v2()))),
        (
            "v2 GET with Version",
            Signer::Query(QuerySigner::v2().with("Version", "2017-03-12")),
        ),
        ("v1 GET", Signer::Query(QuerySigner::v1())),
        ("v1 POST", Signer::Query(post(QuerySigner::v1()))),
        ("TC3 GET", Signer::Tc3(Tc3Signer::get())),
        ("TC3 POST", Signer::Tc3(Tc3Signer::post())),
    ])
}

#[test]
fn nothing_fails_by_itself() {
    for (family, signer) in families() {
        let (verdict, writes) = Scene::new(signer).verdict();
        assert!(verdict.is_ok(), "{family}: {verdict:?}");
        assert_eq!(writes, ["nonce", "quota"], "{family}");
    }
}

#[test]
fn the_earlier_of_two_failing_checks_refuses() {
    for (family, signer) in families() {
        for (index, &first) in Check::ORDER.iter().enumerate() {
            for &second in &Check::ORDER[index..] {
                let mut scene = Scene::new(signer.clone());
                scene.fail(first);
                scene.fail(second);
                let refused = scene.verdict().0.unwrap_err();
                assert_eq!(
                    refused.check(),
                    Some(first),
                    "{family}: {first} and {second}: {refused:?}"
                );
            }
        }
    }
}

#[test]
fn each_answer_of_a_store_is_refused_for_a_reason_of_its_own() {
    let action = || "DescribeInstances".to_owned();
    let resource = || "qcs::cvm:ap-guangzhou:uin/1:instance/ins-1".to_owned();
    let resets_at = UnixTime::from_seconds(TIMESTAMP + 60);
    let credential = |found| Answers {
        credential: Ok(found),
        ..Answers::good()
    };
    let nonce = |verdict| Answers {
        nonce: Ok(verdict),
        ..Answers::good()
    };
    let quota = |verdict| Answers {
        quota: Ok(verdict),
        ..Answers::good()
    };
    let standing = |change: &dyn Fn(&mut Standing)| {
        let mut answers = Answers::good();
        change(answers.standing.as_mut().unwrap());
        answers
    };
    let account = |account| standing(&|standing| standing.account = account);
    let permission = |permission: PermissionStanding| {
        standing(&|standing| standing.permission = permission.clone())
    };

    for (answers, expected) in [
        (credential(None), Reason::SecretIdUnknown),
        (
            credential(Some(permanent().with_state(CredentialState::Disabled))),
            Reason::SecretIdDisabled,
        ),
        (credential(Some(temporary())), Reason::TokenMissing),
        (nonce(NonceVerdict::Repeated), Reason::NonceRepeated),
        (nonce(NonceVerdict::BeforeMemory), Reason::NonceBeforeMemory),
        (
            nonce(NonceVerdict::ShareExhausted),
            Reason::NonceShareExhausted,
        ),
        (
            nonce(NonceVerdict::Full),
            Reason::StoreFailed {
                store: Store::Nonces,
            },
        ),
        (account(AccountStanding::Banned), Reason::AccountBanned),
        (
            account(AccountStanding::NotInAudience),
            Reason::AccountNotInAudience,
        ),
        (
            standing(&|standing| standing.mfa = MfaStanding::Failed),
            Reason::MfaFailed,
        ),
        (
            standing(&|standing| standing.action = ActionStanding::Unknown),
            Reason::ActionUnknown { action: action() },
        ),
        (
            standing(&|standing| standing.action = ActionStanding::Unavailable),
            Reason::ActionUnavailable { action: action() },
        ),
        (
            permission(PermissionStanding::ActionDenied),
            Reason::ActionDenied { action: action() },
        ),
        (
            permission(PermissionStanding::ResourceDenied {
                resource: resource(),
            }),
            Reason::ResourceDenied {
                resource: resource(),
            },
        ),
        (
            permission(PermissionStanding::ActionResourceDenied {
                resource: resource(),
            }),
            Reason::ActionResourceDenied {
                action: action(),
                resource: resource(),
            },
        ),
        (
            quota(QuotaVerdict::RateExceeded {
                limit: 5,
                period: 1,
                retry_after_millis: 200,
            }),
            Reason::RateExceeded {
                limit: 5,
                period: 1,
                retry_after_millis: 200,
            },
        ),
        (
            quota(QuotaVerdict::QuotaExhausted {
                limit: 10,
                resets_at,
            }),
            Reason::QuotaExhausted {
                limit: 10,
                resets_at,
            },
        ),
    ] {
        for (family, signer) in families() {
            let scene = Scene {
                answers: answers.clone(),
                ..Scene::new(signer)
            };
            let refused = scene.verdict().0.unwrap_err();
            assert_eq!(refused.reason(), &expected, "{family}");
        }
    }
}

#[test]
fn no_check_before_the_nonce_writes_and_the_quota_writes_last() {
    for (family, signer) in families() {
        for &check in &Check::ORDER {
            let mut scene = Scene::new(signer.clone());
            scene.fail(check);
            let expected: &[&str] = if check < Check::Nonce {
                &[]
            } else if check < Check::Rate {
                &["nonce"]
            } else {
                &["nonce", "quota"]
            };
            assert_eq!(scene.verdict().1, expected, "{family}: {check}");
        }
    }
}

#[test]
fn the_manual_lists_the_same_order() {
    let page = include_str!("../../src/manual/order.md");
    let listed: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with(|digit: char| digit.is_ascii_digit()))
        .map(|line| line.split('`').nth(1).unwrap())
        .collect();
    let order: Vec<&str> = Check::ORDER.iter().map(|check| check.id()).collect();
    assert_eq!(listed, order);
}
