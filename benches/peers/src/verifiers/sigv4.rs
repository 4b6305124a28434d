//! Signs as AWS Signature Version 4 asks, in a header, from the rules alone: three verifiers have to agree with it.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use sha2::{Digest, Sha256};

use super::floor::Floor;
use super::{KEY_ID, SECRET_KEY};
use crate::message::{HOST, Job, Message, with_another_limit};
use test_support::signer::{hex, utc_date};

pub(super) const REGION: &str = "ap-guangzhou";
/// `s3s` takes no service but `s3` and `sts`; `sts` is the one whose body is hashed to verify a signature.
pub(super) const SERVICE: &str = "sts";

/// A signed request.
#[derive(Debug)]
pub struct Signed {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
    canonical_request: String,
    string_to_sign: String,
}

impl Signed {
    pub(super) fn change_a_byte(&mut self) {
        if self.body.is_empty() {
            let target = with_another_limit(self.parts.uri.to_string().as_bytes());
            self.parts.uri = http::Uri::from_maybe_shared(target).expect("it is an address");
        } else {
            self.body = with_another_limit(&self.body);
        }
    }
}

pub(super) struct Signer {
    pub(super) now: i64,
    floor: Floor,
}

impl Signer {
    /// Signs for the moment of the call: `s3s` cannot be told another.
    pub(super) fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("the clock is set");
        let now = i64::try_from(now.as_secs()).expect("it fits");
        Self {
            now,
            floor: Floor::new(&signing_key(SECRET_KEY, &date(now))),
        }
    }

    pub(super) fn sign(&self, job: Job, key: &str) -> Signed {
        let message = Message::next(job);
        let date = date(self.now);
        let time = amz_date(self.now);
        let (headers, names) = match job {
            Job::Post => (
                format!("content-type:application/json\nhost:{HOST}\nx-amz-date:{time}\n"),
                "content-type;host;x-amz-date",
            ),
            Job::Get => (
                format!("host:{HOST}\nx-amz-date:{time}\n"),
                "host;x-amz-date",
            ),
        };
        let mut parameters: Vec<&str> = message.query.split('&').collect();
        parameters.sort_unstable();
        let canonical_request = format!(
            "{}\n/\n{}\n{headers}\n{names}\n{}",
            message.method,
            parameters.join("&"),
            hex(&Sha256::digest(&message.body))
        );
        let scope = format!("{date}/{REGION}/{SERVICE}/aws4_request");
        let string_to_sign = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hex(&Sha256::digest(&canonical_request))
        );
        let signature = hex(&hmac(&signing_key(key, &date), &string_to_sign));

        let request = message
            .unsigned()
            .uri(message.target())
            .header("x-amz-date", time)
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signature}"
                ),
            )
            .body(message.body)
            .expect("it is a request");
        let (parts, body) = request.into_parts();
        Signed {
            parts,
            body,
            canonical_request,
            string_to_sign,
        }
    }

    pub(super) fn floor(&self, request: &Signed) -> u8 {
        self.floor.hash(
            [&*request.body, request.canonical_request.as_bytes()],
            request.string_to_sign.as_bytes(),
        )
    }
}

fn date(now: i64) -> String {
    utc_date(now).replace('-', "")
}

fn amz_date(now: i64) -> String {
    let seconds = now.rem_euclid(86_400);
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    format!("{}T{hours:02}{minutes:02}{:02}Z", date(now), seconds % 60)
}

fn signing_key(secret_key: &str, date: &str) -> Vec<u8> {
    [date, REGION, SERVICE, "aws4_request"]
        .iter()
        .fold(format!("AWS4{secret_key}").into_bytes(), |key, part| {
            hmac(&key, part)
        })
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}
