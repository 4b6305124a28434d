//! Mistakes with the order of parameters.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;

use super::*;

pub(crate) fn query_order() -> Vec<Case<QueryDraft>> {
    fn several(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        for name in ["Limits", "orderBy", "zoneName"] {
            let value = rng.word(4, 8);
            draft.add(name, value);
        }
        *draft = draft.clone().shuffled(rng);
        true
    }
    fn bracketed(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        for name in ["Tags[0]", "Tags-Key", "Tags[1]"] {
            let value = rng.word(4, 8);
            draft.add(name, value);
        }
        *draft = draft.clone().shuffled(rng);
        true
    }
    fn prefixes(draft: &mut QueryDraft, rng: &mut Rng) -> bool {
        for name in ["Filter", "Filter.0", "Filter.1"] {
            let value = rng.word(4, 8);
            draft.add(name, value);
        }
        *draft = draft.clone().shuffled(rng);
        true
    }
    vec![
        Case::new(Mistake::SortMissing, "as sent", several, |draft, _| {
            draft.order = Order::AsListed;
        }),
        Case::new(Mistake::SortNatural, "", has_list, |draft, _| {
            draft.order = Order::Natural;
        }),
        Case::new(Mistake::SortCaseInsensitive, "", several, |draft, _| {
            draft.order = Order::CaseInsensitive;
        }),
        Case::new(Mistake::SortByPair, "", prefixes, |draft, _| {
            draft.order = Order::ByPair;
        }),
        Case::new(Mistake::SortEncoded, "encoded", bracketed, |draft, _| {
            draft.order = Order::EncodedNames;
        }),
        Case::new(Mistake::SortEncoded, "reversed", several, |draft, _| {
            draft.order = Order::Reversed;
        }),
        Case::new(
            Mistake::UnderscoreVsDot,
            "kept or dotted",
            has_underscores,
            |draft, _| {
                draft.underscore = if draft.legacy {
                    Underscore::Kept
                } else {
                    Underscore::DottedAfterSort
                };
            },
        ),
        Case::new(
            Mistake::UnderscoreVsDot,
            "before the sort",
            has_underscores,
            |draft, _| {
                draft.underscore = Underscore::DottedBeforeSort;
            },
        ),
        Case::new(Mistake::NamesChanged, "lower case", several, |draft, _| {
            for (name, _) in &mut draft.signed {
                name.make_ascii_lowercase();
            }
        }),
        Case::new(Mistake::NamesChanged, "encoded", bracketed, |draft, _| {
            for (name, _) in &mut draft.signed {
                *name = encoded(name).into_bytes();
            }
        }),
        Case::new(
            Mistake::NamesChanged,
            "brackets",
            has_short_list,
            |draft, _| {
                for (name, _) in &mut draft.signed {
                    let text = String::from_utf8_lossy(name).into_owned();
                    if let Some((list, index)) = text.split_once('.') {
                        *name = format!("{list}[{index}]").into_bytes();
                    }
                }
            },
        ),
    ]
}
