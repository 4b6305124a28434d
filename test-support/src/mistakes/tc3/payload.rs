//! Mistakes with the digest of the body.

use qcloud_validator::diagnose::Hypothesis;
use sha2::{Digest, Sha256};

use crate::mistakes::draft::*;
use crate::mistakes::generate::*;
use crate::mistakes::hash::*;
use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;

pub(crate) fn tc3_payload() -> Vec<Mistake<Tc3Draft>> {
    fn posting(draft: &mut Tc3Draft, rng: &mut Rng) -> bool {
        if draft.method != "POST" {
            let old = draft.clone();
            *draft = tc3_post(rng);
            draft.world = old.world;
            draft.key = old.key;
            *draft = draft.clone().at(old.timestamp.parse().expect("a number"));
        }
        true
    }
    fn compact(draft: &Tc3Draft) -> String {
        String::from_utf8(draft.body.clone()).expect("text")
    }
    vec![
        Mistake::new(
            Hypothesis::BodyReserialised,
            "compact signed",
            |draft, rng| {
                posting(draft, rng);
                let spaced = spaced_json(&compact(draft));
                *draft = draft.clone().body(spaced.as_bytes());
                true
            },
            |draft, _| {
                let compact: String = compact(draft).replace(": ", ":").replace(", ", ",");
                draft.digest = sha256_hex(compact.as_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::BodyReserialised,
            "spaced signed",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(spaced_json(&compact(draft)).as_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::BodyReserialised,
            "pretty signed",
            posting,
            |draft, rng| {
                let indent = *rng.pick(&["  ", "    "]);
                draft.digest = sha256_hex(pretty_json(&compact(draft), indent).as_bytes());
            },
        ),
        Mistake::new(
            Hypothesis::PayloadDigest,
            "of nothing",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(b"");
            },
        ),
        Mistake::new(
            Hypothesis::PayloadDigest,
            "upper case",
            posting,
            |draft, _| {
                draft.digest = draft.digest.to_uppercase();
            },
        ),
        Mistake::new(Hypothesis::PayloadDigest, "base64", posting, |draft, _| {
            draft.digest = base64(&Sha256::digest(&draft.body));
        }),
        Mistake::new(
            Hypothesis::PayloadDigest,
            "body itself",
            posting,
            |draft, _| {
                draft.digest = compact(draft);
            },
        ),
        Mistake::new(
            Hypothesis::UnsignedPayload,
            "undeclared",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(b"UNSIGNED-PAYLOAD");
            },
        ),
        Mistake::new(
            Hypothesis::UnsignedPayload,
            "declared and hashed",
            |draft, rng| {
                posting(draft, rng);
                draft.digest = sha256_hex(b"UNSIGNED-PAYLOAD");
                *draft = draft
                    .clone()
                    .header("X-TC-Content-SHA256", "UNSIGNED-PAYLOAD");
                true
            },
            |draft, _| draft.digest = sha256_hex(&draft.body),
        ),
    ]
}
