//! Requests that are signed wrongly on purpose.
//!
//! A draft holds apart what is sent and each step of what is signed. A mistake first prepares a correct draft, so that
//! it has something to go wrong with, and then spoils one step. Like the reference signer, it shares no code with the
//! crate: every mistake is written from its description alone.

use qcloud_validator::diagnose::Hypothesis;

pub mod draft;
pub mod generate;
pub mod hash;
mod key;
pub mod query;
pub mod random;
pub mod tc3;
pub mod text;

use random::Rng;

pub type Bytes = Vec<u8>;
pub type Pairs = Vec<(Bytes, Bytes)>;

pub const OTHER_ID: &str = "AKIDANOTHERdummydummydummydummydummy34";
pub const OTHER_KEY: &str = "anotherSecretKeyForTestsOnly65432";
pub(crate) const BOUNDARY: &str = "----boundary0123456789";

/// One way to go wrong.
pub struct Mistake<D: 'static> {
    pub hypothesis: Hypothesis,
    pub variant: &'static str,
    /// Makes a correct draft into another correct one in which the mistake shows. It may refuse a draft.
    pub prepare: fn(&mut D, &mut Rng) -> bool,
    pub spoil: fn(&mut D, &mut Rng),
}

impl<D> Mistake<D> {
    pub(crate) const fn new(
        hypothesis: Hypothesis,
        variant: &'static str,
        prepare: fn(&mut D, &mut Rng) -> bool,
        spoil: fn(&mut D, &mut Rng),
    ) -> Self {
        Self {
            hypothesis,
            variant,
            prepare,
            spoil,
        }
    }
}

pub(crate) fn any<D>(_: &mut D, _: &mut Rng) -> bool {
    true
}

/// Whether a mistake shows in the signature, so that only the signature can prove it.
pub fn is_signature_matter(hypothesis: Hypothesis) -> bool {
    why_no_signature_matter(hypothesis).is_none()
}

/// What else shows a mistake that does not show in the signature.
pub fn why_no_signature_matter(hypothesis: Hypothesis) -> Option<&'static str> {
    const STATE: &str = "the credential store says so before any signature is looked at";
    const TIME: &str = "the timestamp says so before any signature is looked at";
    const REQUEST: &str = "the request says so before or after any signature is looked at";
    Some(match hypothesis {
        Hypothesis::SecretIdEmpty
        | Hypothesis::WrongCredentialType
        | Hypothesis::SecretIdWhitespace
        | Hypothesis::TokenMissing
        | Hypothesis::TokenExpired
        | Hypothesis::TokenWrong
        | Hypothesis::TokenWithPermanentKey => STATE,
        Hypothesis::ClockSkew
        | Hypothesis::TimestampMilliseconds
        | Hypothesis::TimestampMalformed
        | Hypothesis::TimestampLocalTimezone
        | Hypothesis::TimestampExample => TIME,
        Hypothesis::ScopeService => "the scope contradicts the host, whatever the signature",
        Hypothesis::AuthorizationUnreadable
        | Hypothesis::MissingParameter
        | Hypothesis::DuplicateParameter
        | Hypothesis::ValuelessParameter
        | Hypothesis::UnencodedCharacter
        | Hypothesis::AmbiguousNames
        | Hypothesis::InvalidValue
        | Hypothesis::BodyTooLarge
        | Hypothesis::MalformedBody
        | Hypothesis::PlainHttp
        | Hypothesis::MethodUnsupported
        | Hypothesis::NonceReused
        | Hypothesis::NotPermitted
        | Hypothesis::ActionWrong
        | Hypothesis::LimitReached => REQUEST,
        _ => return None,
    })
}
