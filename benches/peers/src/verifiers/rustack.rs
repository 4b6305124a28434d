//! `rustack-auth`: SigV4 over a borrowed request. The caller hashes the body.

use rustack_auth::credentials::StaticCredentialProvider;
use rustack_auth::error::AuthError;
use rustack_auth::sigv4::{hash_payload, verify_sigv4};

use super::sigv4::{Signed, Signer};
use super::{KEY_ID, SECRET_KEY, Verdict, Verifier};
use crate::message::Job;

/// `verify_sigv4`, with one key in its own provider.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct Rustack {
    signer: Signer,
    credentials: StaticCredentialProvider,
}

impl Rustack {
    /// It derives the signing key for each request; there is nowhere to keep one.
    #[must_use]
    pub fn new() -> Self {
        Self {
            signer: Signer::new(),
            credentials: StaticCredentialProvider::new([(
                KEY_ID.to_owned(),
                SECRET_KEY.to_owned(),
            )]),
        }
    }
}

impl Default for Rustack {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier for Rustack {
    type Request = Signed;

    fn sign(&self, job: Job, key: &str) -> Signed {
        self.signer.sign(job, key)
    }

    fn change_a_byte(&self, request: &mut Signed) {
        request.change_a_byte();
    }

    fn verify(&self, request: &mut Signed) -> Verdict {
        let body_hash = hash_payload(&request.body);
        match verify_sigv4(&request.parts, &body_hash, &self.credentials) {
            Ok(_) => Verdict::Accepted,
            Err(AuthError::SignatureDoesNotMatch) => Verdict::Mismatch,
            Err(other) => panic!("{other}"),
        }
    }

    fn floor(&self, request: &Signed) -> u8 {
        self.signer.floor(request)
    }
}
