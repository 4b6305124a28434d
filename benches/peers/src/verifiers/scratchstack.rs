//! `scratchstack-aws-signature`: SigV4 over a request that it consumes, with an asynchronous service for keys.

use std::future::{Ready, ready};
use std::str::FromStr as _;
use std::task::{Context, Poll};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::Request;
use scratchstack_aws_signature::principal::{Principal, User};
use scratchstack_aws_signature::{
    GetSigningKeyRequest, GetSigningKeyResponse, KSecretKey, NO_ADDITIONAL_SIGNED_HEADERS,
    SignatureError, SignatureOptions, sigv4_validate_request,
};

use super::sigv4::{REGION, SERVICE, Signed, Signer};
use super::{KEY_ID, SECRET_KEY, Verdict, Verifier};
use crate::message::Job;

/// What its service for keys does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeys {
    /// Derives the signing key for each request, as the crate's example does.
    Derived,
    /// Answers with the one it made before.
    Kept,
}

/// `sigv4_validate_request`, told the time.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct Scratchstack {
    signer: Signer,
    now: DateTime<Utc>,
    keys: SigningKeys,
    secret_key: KSecretKey,
    principal: Principal,
    kept: GetSigningKeyResponse,
}

impl Scratchstack {
    /// With one key.
    #[must_use]
    pub fn new(keys: SigningKeys) -> Self {
        let signer = Signer::new();
        let now = DateTime::from_timestamp(signer.now, 0).expect("it is a date");
        let secret_key = KSecretKey::from_str(SECRET_KEY).expect("it has 40 characters");
        let user = User::new("aws", "100000000001", "/", "user").expect("it is a user");
        let principal = Principal::from(user);
        let kept = GetSigningKeyResponse::builder()
            .principal(principal.clone())
            .signing_key(secret_key.to_ksigning(now.date_naive(), REGION, SERVICE))
            .build()
            .expect("nothing is missing");
        Self {
            signer,
            now,
            keys,
            secret_key,
            principal,
            kept,
        }
    }
}

struct Service<'a>(&'a Scratchstack);

impl tower_service::Service<GetSigningKeyRequest> for Service<'_> {
    type Response = GetSigningKeyResponse;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, asked: GetSigningKeyRequest) -> Self::Future {
        assert_eq!(asked.access_key(), KEY_ID);
        let known = self.0;
        ready(match known.keys {
            SigningKeys::Kept => Ok(known.kept.clone()),
            SigningKeys::Derived => {
                let (date, region, service) =
                    (asked.request_date(), asked.region(), asked.service());
                GetSigningKeyResponse::builder()
                    .principal(known.principal.clone())
                    .signing_key(known.secret_key.to_ksigning(date, region, service))
                    .build()
                    .map_err(Into::into)
            }
        })
    }
}

impl Verifier for Scratchstack {
    type Request = (Option<Request<Bytes>>, Signed);

    fn sign(&self, job: Job, key: &str) -> Self::Request {
        let signed = self.signer.sign(job, key);
        let request = Request::from_parts(signed.parts.clone(), signed.body.clone());
        (Some(request), signed)
    }

    fn change_a_byte(&self, (request, signed): &mut Self::Request) {
        signed.change_a_byte();
        *request = Some(Request::from_parts(
            signed.parts.clone(),
            signed.body.clone(),
        ));
    }

    fn verify(&self, (request, _): &mut Self::Request) -> Verdict {
        let request = request.take().expect("it is verified once");
        let verified = pollster::block_on(sigv4_validate_request(
            request,
            REGION,
            SERVICE,
            &mut Service(self),
            self.now,
            &NO_ADDITIONAL_SIGNED_HEADERS,
            SignatureOptions::default(),
        ));
        match verified {
            Ok(_) => Verdict::Accepted,
            Err(error) => match error.downcast_ref() {
                Some(SignatureError::SignatureDoesNotMatch(_)) => Verdict::Mismatch,
                _ => panic!("{error}"),
            },
        }
    }

    fn floor(&self, (_, signed): &Self::Request) -> u8 {
        self.signer.floor(signed)
    }
}
