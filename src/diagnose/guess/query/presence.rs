//! Which parameters a client may have signed: some left out, or others besides.

use std::ops::Range;

use super::protocol_parameter::is_common;
use crate::diagnose::search::Choice;
use crate::diagnosis::{Mistake, shown};

/// Which parameters are in the string. After those of the request come those `beside` it, then its `arrays`.
pub(super) fn choices(
    names: &[Vec<u8>],
    values: &[Vec<u8>],
    included: &[bool],
    files: &[bool],
    beside: Range<usize>,
    arrays: &[Vec<u8>],
) -> Vec<Choice<Vec<bool>>> {
    let own = beside.start;
    let mut found = Vec::new();
    let mut add = |mistake, detail: String, keep: &dyn Fn(usize, bool) -> bool| {
        let data = included
            .iter()
            .enumerate()
            .map(|(index, &included)| keep(index, included))
            .collect();
        found.push(Choice {
            mistake,
            detail,
            data,
        });
    };
    let name = |index: usize| names.get(index).map(Vec::as_slice).unwrap_or_default();
    let value = |index: usize| values.get(index).map(Vec::as_slice).unwrap_or_default();
    let file = |index: usize| files.get(index) == Some(&true);

    let empty = (0..own).filter(|&index| name(index) != b"Signature" && value(index).is_empty());
    let mut empty_names: Vec<String> = empty
        .clone()
        .take(16)
        .map(|index| shown(name(index)))
        .collect();
    if empty.count() > 16 {
        empty_names.push("…".to_owned());
    }
    add(
        Mistake::EmptyOmitted,
        empty_names.join(", "),
        &|index, included| included && !value(index).is_empty(),
    );
    add(
        Mistake::SignatureIncluded,
        String::new(),
        &|index, included| included || index < own && name(index) == b"Signature",
    );
    add(
        Mistake::QueryAndBodyMixed,
        "query and body together".to_owned(),
        &|index, included| included || beside.contains(&index),
    );
    add(
        Mistake::QueryAndBodyMixed,
        "the query instead of the body".to_owned(),
        &|index, _| beside.contains(&index),
    );
    add(
        Mistake::FilesLeftOut,
        "file parts".to_owned(),
        &|index, included| included && !file(index),
    );
    add(
        Mistake::FilesLeftOut,
        "values that begin with `@`".to_owned(),
        &|index, included| included && !value(index).starts_with(b"@"),
    );
    add(
        Mistake::FilesLeftOut,
        "file parts and values that begin with `@`".to_owned(),
        &|index, included| included && !file(index) && !value(index).starts_with(b"@"),
    );
    for array in arrays {
        add(
            Mistake::ArrayLiteral,
            format!("array `{}`", shown(array)),
            &|index, included| {
                let element = array_of(name(index)) == Some(array);
                index >= beside.end && name(index) == array || included && !element
            },
        );
    }
    add(
        Mistake::ArrayLiteral,
        "all arrays".to_owned(),
        &|index, included| index >= beside.end || included && array_of(name(index)).is_none(),
    );
    // One parameter, the action's own first; then common ones that a wrapper adds together.
    let mut singles: Vec<usize> = (0..own)
        .filter(|&index| name(index) != b"Signature")
        .collect();
    singles.sort_by_key(|&index| is_common(name(index)));
    for left_out in singles.into_iter().take(64) {
        add(
            Mistake::AddedAfterSigning,
            shown(name(left_out)),
            &|index, included| included && index != left_out,
        );
    }
    let common: Vec<bool> = names.iter().map(|name| is_common(name)).collect();
    for group in [
        &["Token"][..],
        &["SignatureMethod"],
        &["Version"],
        &["RequestClient"],
        &["Language"],
        &["Region"],
        &["SignatureMethod", "Token"],
        &["Region", "Version"],
        &["RequestClient", "Language"],
        &["Action", "Version", "Region"],
        &["Nonce", "Timestamp"],
        &["SecretId"],
        &[
            "Action",
            "Nonce",
            "Region",
            "RequestClient",
            "SecretId",
            "SignatureMethod",
            "Timestamp",
            "Token",
            "Version",
            "Language",
        ],
    ] {
        add(
            Mistake::AddedAfterSigning,
            group.join(", "),
            &|index, included| {
                let in_group = || group.iter().any(|one| one.as_bytes() == name(index));
                included && !(common.get(index) == Some(&true) && in_group())
            },
        );
    }
    found
}

/// The names of the arrays that a request holds, flattened to `name.0`, `name[0]` and so on.
pub(super) fn arrays(names: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for array in names.iter().filter_map(|name| array_of(name)) {
        if found.iter().all(|known| known != array) {
            found.push(array.to_vec());
        }
    }
    found
}

fn array_of(name: &[u8]) -> Option<&[u8]> {
    let end = name.iter().position(|byte| matches!(byte, b'.' | b'['))?;
    let (array, index) = name.split_at(end);
    index.get(1).filter(|digit| digit.is_ascii_digit())?;
    Some(array)
}
