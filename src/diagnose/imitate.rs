//! Signatures made with a known mistake: the choices of the search, used the other way round.

use zeroize::Zeroizing;

use super::guess::Guess;
use super::guess::tc3::signing_key;
use super::guess::text::{self, RFC_3986};
use super::signing::{SignedRequest, Signing};
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
    let Ok(read) = Received::new(request, policy).read() else {
        return Vec::new();
    };
    let Ok(common) = read.common() else {
        return Vec::new();
    };
    let signed = SignedRequest {
        request,
        policy,
        credential,
        others: &[],
    };
    let earlier = common.timestamp.saturating_sub(1);
    match read.signed() {
        Signed::Query(documented) => {
            let signing = Signing::query(signed, common.family, documented.parameters);
            imitated(&signing, mistake, earlier)
        }
        Signed::Tc3(documented) => {
            let signing = Signing::tc3(signed, documented.authorization);
            imitated(&signing, mistake, earlier)
        }
    }
}

fn imitated<G: Guess>(signing: &Signing<G>, mistake: Mistake, earlier: i64) -> Vec<Imitation> {
    let Signing {
        guess,
        right_key,
        wrong_keys,
    } = signing;
    let mut texts = texts(guess, mistake);
    if mistake == Mistake::TimestampAfterSigning {
        texts.push(guess.with_timestamp(earlier));
    }
    let base = guess.text(&[]).bytes;
    let wrong_keys = wrong_keys.iter().filter(|wrong| wrong.mistake == mistake);
    let with_wrong_key = wrong_keys.map(|wrong| Imitation {
        key: wrong.bytes.clone(),
        text: base.clone(),
    });
    let with_wrong_text = texts.into_iter().map(|text| Imitation {
        key: right_key.clone(),
        text,
    });
    with_wrong_key.chain(with_wrong_text).collect()
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

/// The end of the documented key chain of TC3.
pub(crate) fn tc3_key(secret: &[u8], authorization: &Authorization<'_>) -> Zeroizing<Vec<u8>> {
    signing_key::documented_chain(secret, authorization)
}

/// All but letters, digits and `-_.~` percent-encoded.
pub(crate) fn percent_encoded(text: &[u8]) -> Vec<u8> {
    text::encode(text, &RFC_3986)
}
