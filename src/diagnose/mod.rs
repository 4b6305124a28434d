//! Why a request was refused: the mistake that the client made, proved where a signature does not match.
//!
//! After a mismatch, known mistakes are tried one by one and in pairs: the canonical bytes are built in the client's
//! mistaken way and the MAC is compared with the client's own. A hit is proof. Where nothing matches, nothing is claimed;
//! the string to sign is shown instead, and its first difference from the client's where that is known.

mod encoding;
mod facts;
mod guess;
#[cfg(feature = "testkit")]
mod imitate;
mod mac;
mod ration;
mod search;
mod signing;

use crate::check::types::CommonParameters;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::RequestView;
use crate::scheme::Scheme;
use crate::stage::{Read, Signed};
use crate::store::Credential;

pub use crate::diagnosis::{Area, Diagnosis, Difference, Finding, Mistake, Occurrence, Outcome};
use encoding::Presented;
use guess::Guess;
#[cfg(feature = "testkit")]
pub(crate) use imitate::{imitations, percent_encoded, tc3_key};
#[cfg(fuzzing)]
pub(crate) use mac::COMPARED;
use mac::Key;
pub(crate) use ration::Allowance;
use search::{Budget, Search, held};
use signing::{SignedRequest, Signing};

/// A part of a request that is longer is taken as it was sent: each of its variants would be as long again.
const LONG: usize = 16 << 10;

/// What a diagnosis may know.
pub(crate) struct Evidence<'e> {
    pub(crate) request: &'e RequestView<'e>,
    /// The same request, if it can be read.
    pub(crate) read: Option<&'e Read<'e>>,
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
    let string_to_sign = evidence.read.map(Read::string_to_sign);
    let common = evidence.read.and_then(|read| read.common().ok());
    let mut budget = Budget::new(evidence.macs);
    let mut found = facts::of_reason(evidence.reason, evidence.request);
    if let (Reason::SecretIdUnknown, Some(common)) = (evidence.reason, &common) {
        found = facts::of_unknown_id(common.secret_id, evidence.others);
    }
    if let (Some(read), Some(common), Some(credential)) =
        (evidence.read, &common, evidence.credential)
    {
        let case = Case {
            evidence,
            read,
            common,
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
    common: &'c CommonParameters<'c>,
    credential: &'c Credential,
}

impl Case<'_> {
    /// Returns the mistakes that yield the client's signature: `None` if none was found, no mistakes if it is right.
    fn search(&self, budget: &mut Budget, depth: Depth) -> Option<Vec<Finding>> {
        let (evidence, common) = (self.evidence, self.common);
        let (request, policy) = (evidence.request, evidence.policy);
        let signed = SignedRequest {
            request,
            policy,
            credential: self.credential,
            others: evidence.others,
        };
        match self.read.signed() {
            Signed::Query(documented) => {
                let parameters = documented.parameters;
                let sent = parameters.signature().decoded();
                let signature = Signature {
                    presented: encoding::readings(&sent, common.scheme),
                    accepted: held(documented.accepted(policy)),
                };
                let signing = Signing::query(signed, common.family, parameters);
                self.explained(&signature, &signing, budget, depth)
            }
            Signed::Tc3(documented) => {
                let authorization = documented.authorization;
                let sent = authorization.signature.as_bytes();
                let signature = Signature {
                    presented: encoding::readings(sent, Scheme::Tc3HmacSha256),
                    accepted: held(documented.accepted(policy)),
                };
                let signing = Signing::tc3(signed, authorization);
                self.explained(&signature, &signing, budget, depth)
            }
        }
    }

    fn explained<G: Guess>(
        &self,
        signature: &Signature,
        signing: &Signing<G>,
        budget: &mut Budget,
        depth: Depth,
    ) -> Option<Vec<Finding>> {
        let right = Key::new(signing.right_key.to_vec());
        let mut search = Search {
            presented: &signature.presented,
            accepted: &signature.accepted,
            right: &right,
            budget,
        };
        match depth {
            Depth::AsSent => search.accepted_with(&right),
            Depth::Full => search
                .run(&signing.guess, &signing.wrong_keys)
                .or_else(|| search.last(&signing.guess))
                .or_else(|| {
                    let window = self.evidence.policy.window_seconds();
                    search.retimed(&signing.guess, self.common.timestamp, window)
                }),
        }
    }
}

/// What a client sent as its signature, and what the validator would have accepted.
struct Signature {
    presented: Vec<Presented>,
    accepted: Vec<Vec<u8>>,
}
