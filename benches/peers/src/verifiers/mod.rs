//! Those that verify a signed request.

mod floor;
mod httpsig;
mod jwt;
mod ours;
mod rustack;
mod s3s;
mod scratchstack;
mod sigv4;

pub use self::httpsig::HttpSig;
pub use self::jwt::Jwt;
pub use self::ours::{Ours, Scheme, SignatureOnly};
pub use self::rustack::Rustack;
pub use self::s3s::{Door, S3s};
pub use self::scratchstack::{Scratchstack, SigningKeys};

use crate::message::Job;
use crate::rounds::{Contestant, Pair};

/// The key that every verifier knows. SigV4 in `scratchstack` takes keys of 40 characters only.
pub const SECRET_KEY: &str = "dummySecretKeyForTestsOnly01234567890123";
/// A key that none does.
pub const ANOTHER_KEY: &str = "dummySecretKeyOfSomebodyElse012345678901";
/// Whose keys these are.
pub const KEY_ID: &str = "AKIDEXAMPLEdummydummydummydummydummy12";

/// What a verifier says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The signature fits.
    Accepted,
    /// The signature, or the digest that it covers, does not fit.
    Mismatch,
}

/// Verifies requests in a scheme of its own.
pub trait Verifier {
    /// A request as the caller has it at hand, and what has to be hashed to verify it.
    type Request;

    /// A request that is new, signed with this key.
    fn sign(&self, job: Job, key: &str) -> Self::Request;

    /// Changes what was signed, by one byte.
    fn change_a_byte(&self, request: &mut Self::Request);

    /// The job. Whoever consumes a request may take it out.
    ///
    /// # Panics
    ///
    /// When the request is refused for any reason but its signature.
    fn verify(&self, request: &mut Self::Request) -> Verdict;

    /// The hashes over the same bytes, with keyed states that were made before.
    fn floor(&self, request: &Self::Request) -> u8;
}

/// What is timed: a request that fits, or one signed with a key that the verifier does not know.
#[must_use]
pub fn contestant<'a, V: Verifier>(
    name: &str,
    verifier: &'a V,
    job: Job,
    verdict: Verdict,
) -> Contestant<'a> {
    prove(name, verifier, job);
    let key = match verdict {
        Verdict::Accepted => SECRET_KEY,
        Verdict::Mismatch => ANOTHER_KEY,
    };
    untested(name, verifier, job, key, verdict)
}

/// The same for what does not verify, and is only measured to be taken off.
#[must_use]
pub fn untested<'a, V: Verifier>(
    name: &str,
    verifier: &'a V,
    job: Job,
    key: &'a str,
    verdict: Verdict,
) -> Contestant<'a> {
    let pair = Pair {
        inputs: 100,
        prepare: move || verifier.sign(job, key),
        case: move |request: &mut V::Request| assert_eq!(verifier.verify(request), verdict),
        floor: |request: &mut V::Request| verifier.floor(request),
    };
    pair.contestant(name)
}

/// Nothing is timed that does not verify.
fn prove<V: Verifier>(name: &str, verifier: &V, job: Job) {
    let mut sound = verifier.sign(job, SECRET_KEY);
    assert_eq!(verifier.verify(&mut sound), Verdict::Accepted, "{name}");

    let mut of_another = verifier.sign(job, ANOTHER_KEY);
    assert_eq!(
        verifier.verify(&mut of_another),
        Verdict::Mismatch,
        "{name}"
    );

    let mut changed = verifier.sign(job, SECRET_KEY);
    verifier.change_a_byte(&mut changed);
    assert_eq!(verifier.verify(&mut changed), Verdict::Mismatch, "{name}");
}
