//! Mistakes with the digest of the body.

use qcloud_validator::diagnose::Mistake;
use sha2::{Digest, Sha256};

use crate::mistakes::draft::*;
use crate::mistakes::generate::*;
use crate::mistakes::hash::*;
use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;

pub(crate) fn tc3_payload() -> Vec<Case<Tc3Draft>> {
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
        Case::new(
            Mistake::BodyReserialised,
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
        Case::new(
            Mistake::BodyReserialised,
            "spaced signed",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(spaced_json(&compact(draft)).as_bytes());
            },
        ),
        Case::new(
            Mistake::BodyReserialised,
            "pretty signed",
            posting,
            |draft, rng| {
                let indent = *rng.pick(&["  ", "    "]);
                draft.digest = sha256_hex(pretty_json(&compact(draft), indent).as_bytes());
            },
        ),
        Case::new(Mistake::PayloadDigest, "of nothing", posting, |draft, _| {
            draft.digest = sha256_hex(b"");
        }),
        Case::new(Mistake::PayloadDigest, "upper case", posting, |draft, _| {
            draft.digest = draft.digest.to_uppercase();
        }),
        Case::new(Mistake::PayloadDigest, "base64", posting, |draft, _| {
            draft.digest = base64(&Sha256::digest(&draft.body));
        }),
        Case::new(
            Mistake::PayloadDigest,
            "body itself",
            posting,
            |draft, _| {
                draft.digest = compact(draft);
            },
        ),
        Case::new(
            Mistake::UnsignedPayload,
            "undeclared",
            posting,
            |draft, _| {
                draft.digest = sha256_hex(b"UNSIGNED-PAYLOAD");
            },
        ),
        Case::new(
            Mistake::UnsignedPayload,
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
