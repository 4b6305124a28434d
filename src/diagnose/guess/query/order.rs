//! Order of the parameters in the string.

use std::cmp::Ordering;

use super::protocol_parameter::is_common;
use super::sent::Sent;
use super::wire::Wire;
use crate::diagnose::guess::Choice;
use crate::diagnose::guess::text::{self, RFC_3986};
use crate::diagnosis::Mistake;

/// Returns orders other than `base`, that of the names.
pub(super) fn choices(sent: &Sent, wire: &Wire<'_>, base: &[usize]) -> Vec<Choice<Vec<usize>>> {
    let name = |index: usize| sent.name(index);
    let value = |index: usize| sent.value(index);
    let mut found = Vec::new();
    let mut by = |mistake, detail: &str, order: &dyn Fn(usize, usize) -> Ordering| {
        let mut sorted = base.to_vec();
        sorted.sort_by(|&a, &b| order(a, b));
        found.push(Choice::new(mistake, detail, sorted));
    };
    by(Mistake::SortMissing, "in the order sent", &|a, b| {
        wire.position(a).cmp(&wire.position(b))
    });
    by(Mistake::SortNatural, "numbers by value", &|a, b| {
        text::natural(name(a), name(b))
    });
    let lower = |index: usize| name(index).to_ascii_lowercase();
    by(Mistake::SortCaseInsensitive, "", &|a, b| {
        lower(a).cmp(&lower(b))
    });
    by(
        Mistake::SortCaseInsensitive,
        "lower case before upper",
        &|a, b| lower(a).cmp(&lower(b)).then(name(b).cmp(name(a))),
    );
    by(
        Mistake::SortNatural,
        "numbers by value, without regard to case",
        &|a, b| text::natural(&lower(a), &lower(b)),
    );
    by(Mistake::SortByPair, "", &|a, b| {
        let pair = |index: usize| [name(index), b"=", value(index)].concat();
        pair(a).cmp(&pair(b))
    });
    by(Mistake::SortByPair, "by value", &|a, b| {
        value(a).cmp(value(b))
    });
    by(
        Mistake::UnderscoreVsDot,
        "sorted after `_` became `.`",
        &|a, b| text::replace(name(a), b"_", b".").cmp(&text::replace(name(b), b"_", b".")),
    );
    by(Mistake::SortEncoded, "after encoding", &|a, b| {
        let encoded = |index: usize| text::encode(name(index), &RFC_3986);
        encoded(a).cmp(&encoded(b))
    });
    by(Mistake::SortEncoded, "in reverse", &|a, b| {
        name(b).cmp(name(a))
    });
    by(Mistake::SortMissing, "common parameters first", &|a, b| {
        let business = |index: usize| !is_common(name(index));
        business(a).cmp(&business(b)).then(name(a).cmp(name(b)))
    });
    by(Mistake::SortMissing, "common parameters last", &|a, b| {
        let common = |index: usize| is_common(name(index));
        common(a).cmp(&common(b)).then(name(a).cmp(name(b)))
    });
    found
}
