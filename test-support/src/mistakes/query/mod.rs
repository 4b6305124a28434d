//! Mistakes with a v1 or v2 signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use qcloud_validator::diagnose::Mistake;

use crate::mistakes::draft::*;
use crate::mistakes::hash::*;
use crate::mistakes::key::*;
use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;
use crate::signer::{SECRET_ID, TIMESTAMP, hex};
use crate::stores::TOKEN;

mod frame;
mod order;
mod output;
mod presence;
mod values;

use frame::query_frame;
use order::query_order;
use output::query_output;
use presence::query_presence;
use values::query_values;

pub fn query_mistakes() -> Vec<Case<QueryDraft>> {
    let mut all: Vec<Case<QueryDraft>> = Vec::new();
    all.extend(key_mistakes!(QueryDraft));
    all.extend([
        Case::new(
            Mistake::TokenUsedAsKey,
            "",
            |draft: &mut QueryDraft, _| {
                draft.world.token = Some(TOKEN.to_owned());
                draft.add("Token", TOKEN);
                true
            },
            |draft, _| draft.key = TOKEN.into(),
        ),
        Case::new(Mistake::TimestampAfterSigning, "", any, |draft, rng| {
            let offset = 1 + rng.below(250);
            let at = TIMESTAMP + i64::try_from(offset).expect("small") * [-1, 1][rng.below(2)];
            draft.set_signed("Timestamp", at.to_string());
        }),
    ]);
    all.extend(query_output());
    all.extend(query_values());
    all.extend(query_order());
    all.extend(query_presence());
    all.extend(query_frame());
    all
}

pub(crate) fn has_text(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!("{}/{}={}", rng.word(2, 5), rng.word(2, 5), rng.word(2, 5));
    draft.add("Data", value);
    true
}

pub(crate) fn has_rich_text(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!(
        "{}*!'({}) /?:{}~",
        rng.word(2, 5),
        rng.word(2, 5),
        rng.word(2, 5)
    );
    draft.add("Data", value);
    let value = rng.chinese();
    draft.add("Line", value);
    true
}

/// A value with a blank and with a percent sign, which every way to encode changes.
pub(crate) fn has_blank(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!(
        "{} 5%!{}/{}",
        rng.word(2, 5),
        rng.word(2, 5),
        rng.word(2, 5)
    );
    draft.add("Notes", value);
    draft.form == Form::Urlencoded
}

pub(crate) fn has_chinese(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    let value = format!("{}{}", rng.word(1, 3), rng.chinese());
    draft.add("Line", value);
    true
}

pub(crate) fn has_list(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    for index in 0..11 + rng.below(6) {
        let value = format!("ins-{}", rng.word(4, 8));
        draft.add(format!("InstanceIds.{index}"), value);
    }
    rng.shuffle(&mut draft.params);
    draft.signed.clone_from(&draft.params);
    true
}

pub(crate) fn has_short_list(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    for index in 0..2 + rng.below(3) {
        let value = format!("ins-{}", rng.word(4, 8));
        draft.add(format!("InstanceIds.{index}"), value);
    }
    true
}

pub(crate) fn has_underscores(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
    for name in ["to_html", "Tag_1", "Tag1"] {
        let value = rng.word(4, 8);
        draft.add(name, value);
    }
    true
}

pub(crate) fn is_post(draft: &mut QueryDraft) -> bool {
    *draft = draft.clone().post();
    draft.form = Form::Urlencoded;
    true
}
