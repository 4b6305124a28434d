//! Mistakes with a TC3 signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::hash::*;
use crate::mistakes::key::*;
use crate::mistakes::text::*;
use crate::mistakes::*;
use crate::signer::{SECRET_ID, TIMESTAMP, hex, utc_date};
use crate::stores::TOKEN;

mod frame;
mod headers;
mod output;
mod payload;
mod query;
mod scope;

use frame::tc3_frame;
use headers::tc3_headers;
use output::tc3_output;
use payload::tc3_payload;
use query::tc3_query;
use scope::tc3_scope;

pub fn tc3_mistakes() -> Vec<Case<Tc3Draft>> {
    let mut all: Vec<Case<Tc3Draft>> = Vec::new();
    all.extend(key_mistakes!(Tc3Draft));
    all.extend([
        Case::new(
            Mistake::TokenUsedAsKey,
            "",
            |draft: &mut Tc3Draft, _| {
                draft.world.token = Some(TOKEN.to_owned());
                draft
                    .headers
                    .push(("X-TC-Token".to_owned(), TOKEN.to_owned()));
                true
            },
            |draft, _| draft.key = TOKEN.into(),
        ),
        Case::new(
            Mistake::TimestampAfterSigning,
            "",
            |draft, rng| {
                let at = TIMESTAMP + 3600 + i64::try_from(rng.below(70_000)).expect("small");
                *draft = draft.clone().at(at);
                draft.world.now = at;
                true
            },
            |draft, rng| {
                let offset = i64::try_from(1 + rng.below(250)).expect("small");
                let at = draft.world.now + offset * [-1, 1][rng.below(2)];
                draft.signed_timestamp = at.to_string();
            },
        ),
        Case::new(
            Mistake::ScopeDate,
            "local date",
            |draft, rng| {
                let at = TIMESTAMP + 17 * 3600 + i64::try_from(rng.below(20_000)).expect("small");
                *draft = draft.clone().at(at);
                draft.world.now = at;
                true
            },
            |draft, _| {
                let local = utc_date(draft.world.now + 8 * 3600);
                *draft = draft.clone().date(&local);
            },
        ),
    ]);
    all.extend(tc3_output());
    all.extend(tc3_frame());
    all.extend(tc3_headers());
    all.extend(tc3_payload());
    all.extend(tc3_query());
    all.extend(tc3_scope());
    all
}
