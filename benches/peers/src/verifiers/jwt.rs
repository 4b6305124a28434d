//! `jsonwebtoken`: a JWT with HS256 that holds what the request would. No verifier of requests; it is here because
//! everybody knows what it costs.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::floor::Floor;
use super::{SECRET_KEY, Verdict, Verifier};
use crate::message::{Job, Message};

/// `decode`, with its usual validation of `exp`.
#[allow(missing_debug_implementations, reason = "it holds keyed states")]
pub struct Jwt {
    key: DecodingKey,
    validation: Validation,
    floor: Floor,
}

impl Jwt {
    /// With one key.
    #[must_use]
    pub fn new() -> Self {
        Self {
            key: DecodingKey::from_secret(SECRET_KEY.as_bytes()),
            validation: Validation::new(Algorithm::HS256),
            floor: Floor::new(SECRET_KEY.as_bytes()),
        }
    }
}

impl Default for Jwt {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier for Jwt {
    type Request = String;

    fn sign(&self, job: Job, key: &str) -> String {
        let message = Message::next(job);
        let mut claims: Map<String, Value> = match job {
            Job::Post => serde_json::from_slice(&message.body).expect("it is an object"),
            Job::Get => message
                .query
                .split('&')
                .filter_map(|parameter| parameter.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.into()))
                .collect(),
        };
        // In the year 2100.
        claims.insert("exp".to_owned(), 4_102_444_800_u64.into());
        encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &EncodingKey::from_secret(key.as_bytes()),
        )
        .expect("it can be signed")
    }

    fn change_a_byte(&self, token: &mut String) {
        let (_, claims) = token.split_once('.').expect("it has three parts");
        let at = token.len() - claims.len() + 20;
        let other = if &token[at..=at] == "A" { "B" } else { "A" };
        token.replace_range(at..=at, other);
    }

    fn verify(&self, token: &mut String) -> Verdict {
        match decode::<IgnoredAny>(&*token, &self.key, &self.validation) {
            Ok(_) => Verdict::Accepted,
            Err(error) => match error.kind() {
                ErrorKind::InvalidSignature => Verdict::Mismatch,
                _ => panic!("{error}"),
            },
        }
    }

    fn floor(&self, token: &String) -> u8 {
        let (signed, _) = token.rsplit_once('.').expect("it has three parts");
        self.floor.hash([], signed.as_bytes())
    }
}
