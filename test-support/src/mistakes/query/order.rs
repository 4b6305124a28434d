//! Mistakes with the order of parameters.

use qcloud_validator::diagnose::Hypothesis;

use crate::mistakes::random::Rng;
use crate::mistakes::text::*;
use crate::mistakes::*;

use super::*;

pub(crate) fn query_order() -> Vec<Mistake<QueryDraft>> {
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
        Mistake::new(Hypothesis::SortMissing, "as sent", several, |draft, _| {
            draft.order = Order::AsListed;
        }),
        Mistake::new(Hypothesis::SortNatural, "", has_list, |draft, _| {
            draft.order = Order::Natural;
        }),
        Mistake::new(Hypothesis::SortCaseInsensitive, "", several, |draft, _| {
            draft.order = Order::CaseInsensitive;
        }),
        Mistake::new(Hypothesis::SortByPair, "", prefixes, |draft, _| {
            draft.order = Order::ByPair;
        }),
        Mistake::new(Hypothesis::SortEncoded, "encoded", bracketed, |draft, _| {
            draft.order = Order::EncodedNames;
        }),
        Mistake::new(Hypothesis::SortEncoded, "reversed", several, |draft, _| {
            draft.order = Order::Reversed;
        }),
        Mistake::new(
            Hypothesis::UnderscoreVsDot,
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
        Mistake::new(
            Hypothesis::UnderscoreVsDot,
            "before the sort",
            has_underscores,
            |draft, _| {
                draft.underscore = Underscore::DottedBeforeSort;
            },
        ),
        Mistake::new(
            Hypothesis::NamesChanged,
            "lower case",
            several,
            |draft, _| {
                for (name, _) in &mut draft.signed {
                    name.make_ascii_lowercase();
                }
            },
        ),
        Mistake::new(
            Hypothesis::NamesChanged,
            "encoded",
            bracketed,
            |draft, _| {
                for (name, _) in &mut draft.signed {
                    *name = encoded(name).into_bytes();
                }
            },
        ),
        Mistake::new(
            Hypothesis::NamesChanged,
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
