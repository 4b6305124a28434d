//! Parameters in the string: some left out, or others besides.

use super::protocol_parameter::is_common;
use super::sent::Sent;
use crate::diagnose::guess::Choice;
use crate::diagnosis::{Mistake, shown};

/// Common parameters that a wrapper adds together after signing.
const ADDED_TOGETHER: [&[&str]; 13] = [
    &["Token"],
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
];

/// A row of the table of choices for any request.
struct Kept {
    mistake: Mistake,
    detail: &'static str,
    /// Whether the parameter with this index is in the string.
    keeps: fn(&Sent, usize) -> bool,
}

const KEPT: [Kept; 6] = [
    Kept {
        mistake: Mistake::SignatureIncluded,
        detail: "",
        keeps: |sent, index| {
            included(sent, index) || index < sent.own() && sent.name(index) == b"Signature"
        },
    },
    Kept {
        mistake: Mistake::QueryAndBodyMixed,
        detail: "query and body together",
        keeps: |sent, index| included(sent, index) || sent.beside.contains(&index),
    },
    Kept {
        mistake: Mistake::QueryAndBodyMixed,
        detail: "the query instead of the body",
        keeps: |sent, index| sent.beside.contains(&index),
    },
    Kept {
        mistake: Mistake::FilesLeftOut,
        detail: "file parts",
        keeps: |sent, index| included(sent, index) && !is_file(sent, index),
    },
    Kept {
        mistake: Mistake::FilesLeftOut,
        detail: "values that begin with `@`",
        keeps: |sent, index| included(sent, index) && !sent.value(index).starts_with(b"@"),
    },
    Kept {
        mistake: Mistake::FilesLeftOut,
        detail: "file parts and values that begin with `@`",
        keeps: |sent, index| {
            included(sent, index) && !is_file(sent, index) && !sent.value(index).starts_with(b"@")
        },
    },
];

/// Returns which parameters may be in the string instead of the documented ones.
pub(super) fn choices(sent: &Sent) -> Vec<Choice<Vec<bool>>> {
    let mut found = vec![without_empty(sent)];
    for row in &KEPT {
        let kept = kept(sent, |index| (row.keeps)(sent, index));
        found.push(Choice::new(row.mistake, row.detail, kept));
    }
    found.extend(as_arrays(sent));
    found.extend(added_after_signing(sent));
    found
}

fn kept(sent: &Sent, keeps: impl Fn(usize) -> bool) -> Vec<bool> {
    (0..sent.names.len()).map(keeps).collect()
}

fn included(sent: &Sent, index: usize) -> bool {
    sent.included.get(index) == Some(&true)
}

fn is_file(sent: &Sent, index: usize) -> bool {
    sent.files.get(index) == Some(&true)
}

fn without_empty(sent: &Sent) -> Choice<Vec<bool>> {
    const MOST_SHOWN: usize = 16;
    let empty = (0..sent.own())
        .filter(|&index| sent.name(index) != b"Signature" && sent.value(index).is_empty());
    let mut names: Vec<String> = empty
        .clone()
        .take(MOST_SHOWN)
        .map(|index| shown(sent.name(index)))
        .collect();
    if empty.count() > MOST_SHOWN {
        names.push("…".to_owned());
    }
    let kept = kept(sent, |index| {
        included(sent, index) && !sent.value(index).is_empty()
    });
    Choice::new(Mistake::EmptyOmitted, names.join(", "), kept)
}

/// Each array as the one pair `name=Array`, then all of them.
fn as_arrays(sent: &Sent) -> Vec<Choice<Vec<bool>>> {
    let is_array = |index: usize| index >= sent.beside.end;
    let mut found = Vec::new();
    for array in sent.arrays() {
        let kept = kept(sent, |index| {
            let is_element = array_of(sent.name(index)) == Some(array);
            is_array(index) && sent.name(index) == array || included(sent, index) && !is_element
        });
        let detail = format!("array `{}`", shown(array));
        found.push(Choice::new(Mistake::ArrayLiteral, detail, kept));
    }
    let kept = kept(sent, |index| {
        is_array(index) || included(sent, index) && array_of(sent.name(index)).is_none()
    });
    found.push(Choice::new(Mistake::ArrayLiteral, "all arrays", kept));
    found
}

/// One parameter left out, the action's own first; then common ones together.
fn added_after_signing(sent: &Sent) -> Vec<Choice<Vec<bool>>> {
    const MOST_TRIED: usize = 64;
    let mut singles: Vec<usize> = (0..sent.own())
        .filter(|&index| sent.name(index) != b"Signature")
        .collect();
    singles.sort_by_key(|&index| is_common(sent.name(index)));
    let mut found = Vec::new();
    for left_out in singles.into_iter().take(MOST_TRIED) {
        let kept = kept(sent, |index| included(sent, index) && index != left_out);
        let detail = shown(sent.name(left_out));
        found.push(Choice::new(Mistake::AddedAfterSigning, detail, kept));
    }
    for group in ADDED_TOGETHER {
        let kept = kept(sent, |index| {
            let name = sent.name(index);
            included(sent, index) && !group.iter().any(|one| one.as_bytes() == name)
        });
        let detail = group.join(", ");
        found.push(Choice::new(Mistake::AddedAfterSigning, detail, kept));
    }
    found
}

/// Returns the names of the arrays that a request holds, flattened to `name.0`, `name[0]` and so on.
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
