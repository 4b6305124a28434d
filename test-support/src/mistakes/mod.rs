//! Requests that are signed wrongly on purpose.
//!
//! A draft holds apart what is sent and each step of what is signed. A mistake first prepares a correct draft, so that
//! it has something to go wrong with, and then spoils one step. Like the reference signer, it shares no code with the
//! crate: every mistake is written from its description alone.

use qcloud_validator::diagnose::Mistake;

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
pub struct Case<D: 'static> {
    pub mistake: Mistake,
    pub variant: &'static str,
    /// Makes a correct draft into another correct one in which the mistake shows. It may refuse a draft.
    pub prepare: fn(&mut D, &mut Rng) -> bool,
    pub spoil: fn(&mut D, &mut Rng),
}

impl<D> Case<D> {
    pub(crate) const fn new(
        mistake: Mistake,
        variant: &'static str,
        prepare: fn(&mut D, &mut Rng) -> bool,
        spoil: fn(&mut D, &mut Rng),
    ) -> Self {
        Self {
            mistake,
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
pub fn is_signature_matter(mistake: Mistake) -> bool {
    why_no_signature_matter(mistake).is_none()
}

/// What else shows a mistake that does not show in the signature.
pub fn why_no_signature_matter(mistake: Mistake) -> Option<&'static str> {
    const STATE: &str = "the credential store says so before any signature is looked at";
    const TIME: &str = "the timestamp says so before any signature is looked at";
    const REQUEST: &str = "the request says so before or after any signature is looked at";
    Some(match mistake {
        Mistake::SecretIdEmpty
        | Mistake::WrongCredentialType
        | Mistake::SecretIdWhitespace
        | Mistake::TokenMissing
        | Mistake::TokenExpired
        | Mistake::TokenWrong
        | Mistake::TokenWithPermanentKey => STATE,
        Mistake::ClockSkew
        | Mistake::TimestampMilliseconds
        | Mistake::TimestampMalformed
        | Mistake::TimestampLocalTimezone
        | Mistake::TimestampExample => TIME,
        Mistake::ScopeService => "the scope contradicts the host, whatever the signature",
        Mistake::AuthorizationUnreadable
        | Mistake::MissingParameter
        | Mistake::DuplicateParameter
        | Mistake::ValuelessParameter
        | Mistake::UnencodedCharacter
        | Mistake::AmbiguousNames
        | Mistake::InvalidValue
        | Mistake::BodyTooLarge
        | Mistake::MalformedBody
        | Mistake::PlainHttp
        | Mistake::MethodUnsupported
        | Mistake::NonceReused
        | Mistake::NotPermitted
        | Mistake::ActionWrong
        | Mistake::LimitReached => REQUEST,
        _ => return None,
    })
}
