//! `s3s`: SigV4 inside of a service for S3. A route of its own answers whatever was verified, so that no operation runs.

use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, Request, StatusCode, Uri};
use s3s::auth::SimpleAuth;
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use super::sigv4::{Signed, Signer};
use super::{KEY_ID, SECRET_KEY, Verdict, Verifier};
use crate::message::Job;

/// Which requests come to the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Signed ones.
    Signed,
    /// The same without their signature, all of them admitted: what the service costs around an accepted signature.
    UnsignedAdmitted,
    /// The same without their signature, all of them refused: what it costs around a mismatch.
    UnsignedRefused,
}

/// `S3Service::call`.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct S3s {
    signer: Signer,
    service: S3Service,
    door: Door,
}

impl S3s {
    /// With one key.
    #[must_use]
    pub fn new(door: Door) -> Self {
        let mut builder = S3ServiceBuilder::new(NoOperation);
        builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET_KEY));
        builder.set_route(Answer(door));
        Self {
            signer: Signer::new(),
            service: builder.build(),
            door,
        }
    }

    fn request(&self, signed: &Signed) -> Request<Body> {
        let mut parts = signed.parts.clone();
        if self.door != Door::Signed {
            parts.headers.remove("authorization");
        }
        Request::from_parts(parts, Body::from(signed.body.clone()))
    }
}

struct NoOperation;

impl S3 for NoOperation {}

struct Answer(Door);

#[async_trait::async_trait]
impl S3Route for Answer {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        match (self.0, &request.credentials) {
            (Door::Signed, Some(_)) | (Door::UnsignedAdmitted, None) => Ok(()),
            _ => Err(s3_error!(AccessDenied)),
        }
    }

    async fn call(&self, _: S3Request<Body>) -> S3Result<S3Response<Body>> {
        Ok(S3Response::new(Body::from(Bytes::new())))
    }
}

impl Verifier for S3s {
    type Request = (Option<Request<Body>>, Signed);

    fn sign(&self, job: Job, key: &str) -> Self::Request {
        let signed = self.signer.sign(job, key);
        (Some(self.request(&signed)), signed)
    }

    fn change_a_byte(&self, (request, signed): &mut Self::Request) {
        signed.change_a_byte();
        *request = Some(self.request(signed));
    }

    fn verify(&self, (request, _): &mut Self::Request) -> Verdict {
        let request = request.take().expect("it is verified once");
        let response = pollster::block_on(self.service.call(request)).expect("it answers");
        match response.status() {
            StatusCode::OK => Verdict::Accepted,
            // `SignatureDoesNotMatch`; or `AccessDenied`, but that is the answer to unsigned requests alone.
            StatusCode::FORBIDDEN => Verdict::Mismatch,
            other => panic!("{other}: {response:?}"),
        }
    }

    fn floor(&self, (_, signed): &Self::Request) -> u8 {
        self.signer.floor(signed)
    }
}
