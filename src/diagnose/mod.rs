//! Why a request was refused: the mistake that the client made, proved where a signature does not match.
//!
//! After a mismatch, known mistakes are tried one by one and in pairs: the canonical bytes are built in the client's
//! mistaken way and the MAC is compared with the client's own. A hit is proof. Where nothing fits, nothing is claimed;
//! the string to sign is shown instead, and its first difference from the client's where that is known.

mod encoding;
mod facts;
mod guess;
#[cfg(feature = "testkit")]
mod imitate;
mod mac;
mod ration;
mod search;

use crate::form::Parameters;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::RequestView;
use crate::scheme::Scheme;
use crate::signature::{Authorization, Tc3Signed};
use crate::stage::{Read, Received, Signed, query_signed};
use crate::store::Credential;

use crate::diagnosis::shown;
pub use crate::diagnosis::{Area, Diagnosis, Difference, Finding, Mistake, Occurrence, Outcome};
use guess::key;
use guess::query::QueryGuess;
use guess::tc3::{Tc3Guess, signing_key};
#[cfg(feature = "testkit")]
pub(crate) use imitate::{imitations, percent_encoded, tc3_key};
#[cfg(fuzzing)]
pub(crate) use mac::COMPARED;
use mac::Key;
pub(crate) use ration::Allowance;
use search::{Budget, Search, held};

/// A part of a request that is longer is taken as it was sent: each of its variants would be as long again.
const LONG: usize = 16 << 10;

/// What a diagnosis may know.
pub(crate) struct Evidence<'e> {
    pub(crate) request: &'e RequestView<'e>,
    pub(crate) policy: &'e Policy,
    pub(crate) reason: &'e Reason,
    /// The credential that the request names, if it is known.
    pub(crate) credential: Option<&'e Credential>,
    /// Credentials whose keys may have been used by mistake.
    pub(crate) others: &'e [Credential],
    /// How many MACs may be computed.
    pub(crate) macs: u32,
}

/// Finds the mistake.
pub(crate) fn diagnose(evidence: &Evidence<'_>) -> Diagnosis {
    let mut received = Received::new(evidence.request, evidence.policy);
    let string_to_sign = received.string_to_sign();
    let mut budget = Budget::new(evidence.macs);
    let mut found = facts::of_reason(evidence.reason, evidence.request);
    let read = received.read_untimed();
    if let (Reason::SecretIdUnknown, Some(read)) = (evidence.reason, &read) {
        found = facts::of_unknown_id(read.common.secret_id, evidence.others);
    }
    if let (Some(read), Some(credential)) = (&read, evidence.credential) {
        let case = Case {
            evidence,
            read,
            credential,
        };
        match evidence.reason {
            Reason::SignatureMismatch => {
                found = case.search(&mut budget, Depth::Full).unwrap_or_default();
            }
            // The reason is a fact; whether the signature is right besides is worth knowing.
            Reason::ScopeDateMismatch { .. } | Reason::TimestampOutsideWindow { .. } => {
                let depth = match evidence.reason {
                    Reason::ScopeDateMismatch { .. } => Depth::Full,
                    _ => Depth::AsSent,
                };
                match case.search(&mut budget, depth) {
                    Some(more) if more.is_empty() => {
                        if let Some(first) = found.first_mut() {
                            first.add("; the signature itself is right");
                        }
                    }
                    Some(more) => found.extend(more),
                    None => {}
                }
            }
            _ => {}
        }
    }
    let outcome = if !found.is_empty() {
        Outcome::Explained
    } else if budget.is_spent() {
        Outcome::BudgetSpent
    } else {
        Outcome::Unexplained
    };
    Diagnosis::new(outcome, found, string_to_sign)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Whether the signature is right as the request stands, its own date and time included.
    AsSent,
    Full,
}

/// A signature that is looked into.
struct Case<'c> {
    evidence: &'c Evidence<'c>,
    read: &'c Read<'c>,
    credential: &'c Credential,
}

impl Case<'_> {
    /// The mistakes that yield the client's signature: none found, or found to be none.
    fn search(&self, budget: &mut Budget, depth: Depth) -> Option<Vec<Finding>> {
        match self.read.signed {
            Signed::Query(parameters) => self.search_query(parameters, budget, depth),
            Signed::Tc3 {
                authorization,
                timestamp,
                ..
            } => self.search_tc3(authorization, timestamp, budget, depth),
        }
    }

    fn search_query(
        &self,
        parameters: &Parameters<'_>,
        budget: &mut Budget,
        depth: Depth,
    ) -> Option<Vec<Finding>> {
        let Self {
            evidence,
            read,
            credential,
        } = self;
        let common = &read.common;
        let sent = parameters.signature().decoded();
        let presented = encoding::readings(&sent, common.scheme);
        let family = common.family;
        let guess = QueryGuess::new(evidence.request, family, parameters, evidence.policy);
        let right = Key::new(credential.key().expose());
        let request = query_signed(evidence.request, common, parameters);
        let mut search = Search {
            presented: &presented,
            accepted: &held(request.accepted(evidence.policy)),
            right: &right,
            budget,
        };
        if depth == Depth::AsSent {
            return search.accepted_with(&right);
        }
        let token = parameters.get(b"Token");
        let keys = key::wrong_keys(credential, token.as_deref(), evidence.others);
        if let Some(found) = search.run(&guess, &keys) {
            return Some(found);
        }
        for order in guess.orders() {
            let Some(text) = search.written(|| guess.in_order(&order).into()) else {
                break;
            };
            if let Some(mut found) = search.proved(&right, &text) {
                found.insert(0, unsorted());
                return Some(found);
            }
        }
        retimed(
            &mut search,
            &right,
            common.timestamp,
            evidence.policy,
            |at| guess.with_timestamp(at),
        )
    }

    fn search_tc3(
        &self,
        authorization: &Authorization<'_>,
        timestamp: &[u8],
        budget: &mut Budget,
        depth: Depth,
    ) -> Option<Vec<Finding>> {
        let Self {
            evidence,
            read,
            credential,
        } = self;
        let secret = credential.key().expose();
        let presented =
            encoding::readings(authorization.signature.as_bytes(), Scheme::Tc3HmacSha256);
        let guess = Tc3Guess::new(evidence.request, authorization, evidence.policy);
        let request = Tc3Signed {
            request: evidence.request,
            authorization: *authorization,
            timestamp,
        };
        let right = Key::new(signing_key::documented_chain(secret, authorization).to_vec());
        let mut search = Search {
            presented: &presented,
            accepted: &held(request.accepted(evidence.policy)),
            right: &right,
            budget,
        };
        if depth == Depth::AsSent {
            return search.accepted_with(&right);
        }
        let sent_token = evidence.request.known().token.trimmed();
        let token = Some(sent_token).filter(|token| !token.is_empty());
        // Keys at the end of the chain: a wrong secret, or a wrong way to get there.
        let mut keys = key::wrong_keys(credential, token, evidence.others);
        for wrong in &mut keys {
            wrong.bytes = signing_key::documented_chain(&wrong.bytes, authorization);
        }
        let chains = signing_key::wrong_chains(secret, authorization);
        keys.extend(chains.into_iter().map(|(detail, bytes)| key::WrongKey {
            mistake: Mistake::KeyChain,
            detail: detail.to_owned(),
            bytes,
        }));
        if let Some(found) = search.run(&guess, &keys) {
            return Some(found);
        }
        let digest = guess.canonical_digest();
        for (key, scope) in signing_key::other_scopes(secret, authorization) {
            let text = guess.with_scope(&scope, &digest);
            if let Some(mut found) = search.proved(&Key::new(key.to_vec()), &text) {
                let detail = format!("signed scope `{}`", shown(&scope));
                found.insert(0, Finding::new(Mistake::ScopeMismatch, detail));
                return Some(found);
            }
        }
        retimed(
            &mut search,
            &right,
            read.common.timestamp,
            evidence.policy,
            |at| guess.with_timestamp(at, &digest),
        )
    }
}

/// Another timestamp within the window, nearest first.
fn retimed(
    search: &mut Search<'_>,
    key: &Key,
    sent: i64,
    policy: &Policy,
    text: impl Fn(i64) -> Vec<u8>,
) -> Option<Vec<Finding>> {
    let window = i64::from(policy.window_seconds()).min(600);
    let near = (1..=window).flat_map(|distance: i64| [distance.saturating_neg(), distance]);
    for distance in near {
        let at = sent.saturating_add(distance);
        let text = search.written(|| text(at).into())?;
        if let Some(mut found) = search.proved(key, &text) {
            let detail = format!("signed {at}, sent {sent}: {distance:+} s");
            found.insert(0, Finding::new(Mistake::TimestampAfterSigning, detail));
            return Some(found);
        }
    }
    None
}

fn unsorted() -> Finding {
    Finding::new(
        Mistake::SortMissing,
        "in the order in which they were added",
    )
}
