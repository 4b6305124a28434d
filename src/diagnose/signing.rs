//! Signing of a request by its scheme, with the right key and with wrong ones.

use zeroize::Zeroizing;

use super::guess::key::{WrongKey, wrong_keys};
use super::guess::query::QueryGuess;
use super::guess::tc3::{Tc3Guess, signing_key};
use crate::diagnosis::Mistake;
use crate::form::Parameters;
use crate::policy::Policy;
use crate::request::RequestView;
use crate::scheme::Family;
use crate::signature::Authorization;
use crate::store::Credential;

/// The key that a HMAC needs, the keys that clients use instead, and the texts that they may sign.
pub(super) struct Signing<G> {
    pub(super) guess: G,
    pub(super) right_key: Zeroizing<Vec<u8>>,
    /// The likely ones first.
    pub(super) wrong_keys: Vec<WrongKey>,
}

/// Who signs what: the same for every scheme.
#[derive(Clone, Copy)]
pub(super) struct SignedRequest<'s> {
    pub(super) request: &'s RequestView<'s>,
    pub(super) policy: &'s Policy,
    pub(super) credential: &'s Credential,
    /// Credentials whose keys may have been used by mistake.
    pub(super) others: &'s [Credential],
}

impl Signing<QueryGuess> {
    pub(super) fn query(
        signed: SignedRequest<'_>,
        family: Family,
        parameters: &Parameters<'_>,
    ) -> Self {
        let token = parameters.get(b"Token");
        Self {
            guess: QueryGuess::new(signed.request, family, parameters, signed.policy),
            right_key: Zeroizing::new(signed.credential.key().expose().to_vec()),
            wrong_keys: wrong_keys(signed.credential, token.as_deref(), signed.others),
        }
    }
}

impl<'s> Signing<Tc3Guess<'s>> {
    /// Keys are those at the end of the chain: of a wrong secret, or of a wrong way to get there.
    pub(super) fn tc3(signed: SignedRequest<'s>, authorization: Authorization<'s>) -> Self {
        let secret = signed.credential.key().expose();
        let token = signed.request.known().token.trimmed();
        let token = Some(token).filter(|token| !token.is_empty());
        let mut keys = wrong_keys(signed.credential, token, signed.others);
        for wrong in &mut keys {
            wrong.bytes = signing_key::documented_chain(&wrong.bytes, &authorization);
        }
        let chains = signing_key::wrong_chains(secret, &authorization);
        keys.extend(chains.into_iter().map(|(detail, bytes)| WrongKey {
            mistake: Mistake::KeyChain,
            detail: detail.to_owned(),
            bytes,
        }));
        Self {
            guess: Tc3Guess::new(signed.request, authorization, signed.policy, secret),
            right_key: signing_key::documented_chain(secret, &authorization),
            wrong_keys: keys,
        }
    }
}
