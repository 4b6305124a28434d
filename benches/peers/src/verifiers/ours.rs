//! This crate: the whole decision, and the part of it that the others do.

use qcloud_validator::stage::Received;
use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, CredentialStore as _, Principal};
use qcloud_validator::{
    Policy, Reason, Rejection, RequestView, SecretKey, Transport, UnixTime, Validator,
};

use super::{ANOTHER_KEY, SECRET_KEY, Verdict, Verifier};
use crate::message::{BODY, Job, PARAMETERS, with_another_limit};
use test_support::requests::{self, Floor, Sample};
use test_support::signer::{self, Algorithm};

/// How a request to us is signed.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    /// TC3-HMAC-SHA256.
    Tc3,
    /// The signature of v2, a parameter of the query.
    V2(Algorithm),
}

impl Scheme {
    fn sign(self, job: Job, key: &str) -> Sample {
        // The benches share one key with the tests.
        let key = match key {
            SECRET_KEY => signer::SECRET_KEY,
            _ => ANOTHER_KEY,
        };
        match (self, job) {
            (Self::Tc3, job) => {
                let mut signer = match job {
                    Job::Post => requests::tc3_post(BODY),
                    Job::Get => requests::tc3_get(PARAMETERS),
                };
                key.clone_into(&mut signer.secret_key);
                signer.into()
            }
            (Self::V2(algorithm), Job::Get) => {
                let mut signer = requests::v2("GET", algorithm, PARAMETERS);
                key.clone_into(&mut signer.secret_key);
                signer.into()
            }
            (Self::V2(_), Job::Post) => unreachable!("v2 does not take JSON"),
        }
    }

    fn floor(self, floor: &Floor, sample: &Sample) -> u8 {
        match self {
            Self::Tc3 => floor.tc3(sample),
            Self::V2(Algorithm::Sha256) => floor.sha256(sample),
            Self::V2(Algorithm::Sha1 | Algorithm::UndeclaredSha1) => floor.sha1(sample),
        }
    }
}

/// `Validator::check`: parameters, time, signature, nonce, permission, rate and quota, with stores in memory.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct Ours {
    validator: Validator,
    scheme: Scheme,
    floor: Floor,
}

impl Ours {
    /// The validator of the library's own benches.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        Self {
            validator: requests::validator(),
            scheme,
            floor: Floor::new(),
        }
    }
}

impl Verifier for Ours {
    type Request = Sample;

    fn sign(&self, job: Job, key: &str) -> Sample {
        self.scheme.sign(job, key)
    }

    fn change_a_byte(&self, sample: &mut Sample) {
        change_a_byte(sample);
    }

    fn verify(&self, sample: &mut Sample) -> Verdict {
        verdict(&requests::check(&self.validator, &sample.request))
    }

    fn floor(&self, sample: &Sample) -> u8 {
        self.scheme.floor(&self.floor, sample)
    }
}

/// `stage`, walked to the signature and no further, which is what the peers do.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct SignatureOnly {
    policy: Policy,
    credentials: MemoryCredentials,
    scheme: Scheme,
    floor: Floor,
}

impl SignatureOnly {
    /// With one key.
    #[must_use]
    pub fn new(scheme: Scheme) -> Self {
        let credentials = MemoryCredentials::new();
        let key = SecretKey::new(signer::SECRET_KEY).expect("the key is not empty");
        credentials.insert(Credential::permanent(
            signer::SECRET_ID,
            key,
            Principal::account("100000000001"),
        ));
        Self {
            policy: Policy::default(),
            credentials,
            scheme,
            floor: Floor::new(),
        }
    }
}

impl Verifier for SignatureOnly {
    type Request = Sample;

    fn sign(&self, job: Job, key: &str) -> Sample {
        self.scheme.sign(job, key)
    }

    fn change_a_byte(&self, sample: &mut Sample) {
        change_a_byte(sample);
    }

    fn verify(&self, sample: &mut Sample) -> Verdict {
        let request = &sample.request;
        let request = RequestView::new(Transport::Https, &request.method, &request.target)
            .with_headers(&request.headers)
            .with_body(&request.body);
        let now = UnixTime::from_seconds(signer::TIMESTAMP);
        let read = Received::new(&request, &self.policy)
            .read()
            .expect("the sample can be read");
        let authenticated = read.parse(now).and_then(|parsed| {
            let found = self.credentials.find(parsed.secret_id());
            parsed.authenticate(found)
        });
        verdict(&authenticated)
    }

    fn floor(&self, sample: &Sample) -> u8 {
        self.scheme.floor(&self.floor, sample)
    }
}

fn change_a_byte(sample: &mut Sample) {
    let request = &mut sample.request;
    if request.body.is_empty() {
        let target = with_another_limit(request.target.as_bytes()).to_vec();
        request.target = String::from_utf8(target).expect("only a digit changed");
    } else {
        request.body = with_another_limit(&request.body).to_vec();
    }
}

fn verdict<T>(decision: &Result<T, Rejection>) -> Verdict {
    match decision {
        Ok(_) => Verdict::Accepted,
        Err(refused) => match refused.reason() {
            Reason::SignatureMismatch => Verdict::Mismatch,
            other => panic!("{other:?}"),
        },
    }
}
