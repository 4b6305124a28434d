//! How a request is signed when a known mistake is made in it: the choices of the search, the other way round.

use zeroize::Zeroizing;

use super::guess::query::QueryGuess;
use super::guess::tc3::{Tc3Guess, signing_key};
use super::guess::text::{self, ALPHABETS};
use super::guess::{Guess, key};
use crate::diagnosis::Mistake;
use crate::policy::Policy;
use crate::request::RequestView;
use crate::signature::Authorization;
use crate::stage::{Received, Signed};
use crate::store::Credential;

/// What a client that makes a mistake puts into its HMAC.
pub(crate) struct Imitation {
    pub(crate) key: Zeroizing<Vec<u8>>,
    pub(crate) text: Vec<u8>,
}

/// Every way in which a mistake of text, key or key chain may be made in a request, the likely ones first; none if it
/// cannot be made there. The request is signed, rightly or not.
pub(crate) fn imitations(
    request: &RequestView<'_>,
    policy: &Policy,
    credential: &Credential,
    mistake: Mistake,
) -> Vec<Imitation> {
    let mut received = Received::new(request, policy);
    let Some(read) = received.read_untimed() else {
        return Vec::new();
    };
    let secret = credential.key().expose();
    match &read.signed {
        Signed::Query(parameters) => {
            let guess = QueryGuess::new(request, read.common.family, parameters, policy);
            let token = parameters.get(b"Token");
            let keys = key::wrong_keys(credential, token.as_deref(), &[]);
            let keys = keys
                .into_iter()
                .filter(|wrong| wrong.mistake == mistake)
                .map(|wrong| wrong.bytes);
            let mut texts = texts(&guess, mistake);
            if mistake == Mistake::TimestampAfterSigning {
                texts.push(guess.with_timestamp(read.common.timestamp.saturating_sub(1)));
            }
            made(&guess, secret, keys, texts)
        }
        Signed::Tc3 { authorization, .. } => {
            let guess = Tc3Guess::new(request, authorization, policy);
            let token = request.known().token.trimmed();
            let token = Some(token).filter(|token| !token.is_empty());
            let chains = signing_key::wrong_chains(secret, authorization)
                .into_iter()
                .filter(|_| mistake == Mistake::KeyChain)
                .map(|(_, key)| key);
            let keys = key::wrong_keys(credential, token, &[])
                .into_iter()
                .filter(|wrong| wrong.mistake == mistake)
                .map(|wrong| signing_key::documented_chain(&wrong.bytes, authorization))
                .chain(chains);
            let mut texts = texts(&guess, mistake);
            if mistake == Mistake::TimestampAfterSigning {
                let digest = guess.canonical_digest();
                texts.push(guess.with_timestamp(read.common.timestamp.saturating_sub(1), &digest));
            }
            let right = signing_key::documented_chain(secret, authorization);
            made(&guess, &right, keys, texts)
        }
    }
}

/// Returns the texts that differ from the right one.
fn texts(guess: &impl Guess, mistake: Mistake) -> Vec<Vec<u8>> {
    let base = guess.text(&[]).bytes;
    let choices = guess.families().iter().flatten();
    choices
        .filter(|choice| choice.mistake == mistake)
        .map(|choice| guess.text(&[&choice.data]).bytes)
        .filter(|text| *text != base)
        .collect()
}

fn made(
    guess: &impl Guess,
    right: &[u8],
    keys: impl Iterator<Item = Zeroizing<Vec<u8>>>,
    texts: Vec<Vec<u8>>,
) -> Vec<Imitation> {
    let base = guess.text(&[]).bytes;
    let with_wrong_key = keys.map(|key| Imitation {
        key,
        text: base.clone(),
    });
    let with_wrong_text = texts.into_iter().map(|text| Imitation {
        key: Zeroizing::new(right.to_vec()),
        text,
    });
    with_wrong_key.chain(with_wrong_text).collect()
}

/// The end of the documented key chain of TC3.
pub(crate) fn tc3_key(secret: &[u8], authorization: &Authorization<'_>) -> Zeroizing<Vec<u8>> {
    signing_key::documented_chain(secret, authorization)
}

/// All but letters, digits and `-_.~` percent-encoded.
pub(crate) fn percent_encoded(text: &[u8]) -> Vec<u8> {
    match ALPHABETS.first() {
        Some(rfc3986) => text::encode(text, rfc3986),
        None => text.to_vec(),
    }
}
