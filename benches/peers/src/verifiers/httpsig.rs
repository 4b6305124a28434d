//! `httpsig-hyper`: HTTP message signatures (RFC 9421) with HMAC-SHA256, and for a body its digest (RFC 9530).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use httpsig_hyper::prelude::message_component::HttpMessageComponentId;
use httpsig_hyper::prelude::{AlgorithmName, HttpSignatureParams, SharedKey, VerifyingKey as _};
use httpsig_hyper::{
    HyperDigestError, HyperSigError, MessageSignatureReq as _, RequestContentDigest as _,
};
use sha2::{Digest as _, Sha256};

use super::floor::Floor;
use super::{SECRET_KEY, Verdict, Verifier};
use crate::message::{HOST, Job, Message, with_another_limit};

/// `verify_message_signature`, and `verify_content_digest` for a POST.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct HttpSig {
    key: SharedKey,
    key_id: String,
    floor: Floor,
}

/// A signed request.
#[derive(Debug)]
pub struct Signed {
    request: Option<Request<Full<Bytes>>>,
    body: Bytes,
    signature_base: Vec<u8>,
}

impl HttpSig {
    /// With one key, which is handed over with its id: this crate has no store of keys.
    #[must_use]
    pub fn new() -> Self {
        let key = shared_key(SECRET_KEY);
        Self {
            key_id: key.key_id(),
            key,
            floor: Floor::new(SECRET_KEY.as_bytes()),
        }
    }
}

impl Default for HttpSig {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier for HttpSig {
    type Request = Signed;

    fn sign(&self, job: Job, key: &str) -> Signed {
        let message = Message::next(job);
        let mut request = message
            .unsigned()
            .uri(format!("https://{HOST}{}", message.target()));
        let mut covered = vec!["@method", "@authority", "@path", "@query"];
        if let Job::Post = job {
            covered.extend(["content-type", "content-digest"]);
            let digest = STANDARD.encode(Sha256::digest(&message.body));
            request = request.header("content-digest", format!("sha-256=:{digest}:"));
        }
        let mut request = request
            .body(Full::new(message.body.clone()))
            .expect("it is a request");

        let covered: Vec<_> = covered
            .into_iter()
            .map(|name| HttpMessageComponentId::try_from(name).expect("it is a component"))
            .collect();
        let mut parameters = HttpSignatureParams::try_new(&covered).expect("none is there twice");
        parameters
            .set_alg(&AlgorithmName::HmacSha256)
            .set_keyid(&self.key_id)
            .set_expires_with_duration(Some(3_600));
        let key = shared_key(key);
        let signing = request.set_message_signature(&parameters, &key, None);
        pollster::block_on(signing).expect("it can be signed");

        let mut bases = request.extract_signatures().expect("it was signed");
        let (_, (base, _)) = bases.pop().expect("it was signed once");
        Signed {
            request: Some(request),
            body: message.body,
            signature_base: base.as_bytes(),
        }
    }

    fn change_a_byte(&self, signed: &mut Signed) {
        let request = signed.request.as_mut().expect("it is not verified yet");
        if signed.body.is_empty() {
            let uri = with_another_limit(request.uri().to_string().as_bytes());
            *request.uri_mut() = http::Uri::from_maybe_shared(uri).expect("it is an address");
        } else {
            *request.body_mut() = Full::new(with_another_limit(&signed.body));
        }
    }

    fn verify(&self, signed: &mut Signed) -> Verdict {
        let request = signed.request.take().expect("it is verified once");
        pollster::block_on(async {
            match request
                .verify_message_signature(&self.key, Some(&self.key_id))
                .await
            {
                Ok(_) => {}
                Err(HyperSigError::InvalidSignature(_)) => return Verdict::Mismatch,
                Err(other) => panic!("{other}"),
            }
            // That a signed body has a digest is for the caller to know.
            if request.method() == http::Method::GET {
                return Verdict::Accepted;
            }
            match request.verify_content_digest().await {
                Ok(_) => Verdict::Accepted,
                Err(HyperDigestError::InvalidContentDigest(_)) => Verdict::Mismatch,
                Err(other) => panic!("{other}"),
            }
        })
    }

    fn floor(&self, signed: &Signed) -> u8 {
        let body = (!signed.body.is_empty()).then_some(&*signed.body);
        self.floor.hash(body, &signed.signature_base)
    }
}

fn shared_key(key: &str) -> SharedKey {
    SharedKey::from_base64(&AlgorithmName::HmacSha256, &STANDARD.encode(key))
        .expect("it is a key in base64")
}
