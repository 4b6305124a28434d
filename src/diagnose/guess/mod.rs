//! Guesses at what a client signed, by the part of the request in which it went wrong.

mod host;
mod json;
pub(super) mod key;
mod method;
mod path;
pub(super) mod query;
pub(super) mod tc3;
pub(super) mod text;

use std::collections::HashSet;
use std::hash::Hash;

use zeroize::Zeroizing;

use crate::diagnosis::{Finding, Mistake};

/// A request in which mistakes can be made, each of them in one part of the signed text.
pub(super) trait Guess {
    /// A part of the text as a mistake makes it. It says itself which part that is.
    type Part;

    /// Returns the choices for each part; of one part at most one can be made at a time.
    fn families(&self) -> &[Vec<Choice<Self::Part>>];

    /// Writes the text that is signed when these parts are changed, and no others.
    fn text(&self, changed: &[&Self::Part]) -> Text;

    /// Writes the documented text with another timestamp.
    fn with_timestamp(&self, timestamp: i64) -> Vec<u8>;

    /// Returns what is tried when no choice explains the signature.
    fn last(&self) -> impl Iterator<Item = Last>;
}

/// A mistake that is tried last.
pub(super) struct Last {
    pub(super) finding: Finding,
    /// The key that is used with it, if not the right one.
    pub(super) key: Option<Zeroizing<Vec<u8>>>,
    pub(super) text: Text,
}

/// A mistake as it would look in this request.
#[derive(Clone, Debug)]
pub(super) struct Choice<T> {
    pub(super) mistake: Mistake,
    /// What exactly: which parameter, which header, which text.
    pub(super) detail: String,
    pub(super) data: T,
}

impl<T> Choice<T> {
    fn new(mistake: Mistake, detail: impl Into<String>, data: T) -> Self {
        Self {
            mistake,
            detail: detail.into(),
            data,
        }
    }

    pub(super) fn finding(&self) -> Finding {
        Finding::new(self.mistake, self.detail.as_str())
    }
}

/// A row of a table: what a mistake makes of the text that was sent.
struct Change {
    mistake: Mistake,
    detail: &'static str,
    made: fn(&[u8]) -> Vec<u8>,
}

const fn change(mistake: Mistake, detail: &'static str, made: fn(&[u8]) -> Vec<u8>) -> Change {
    Change {
        mistake,
        detail,
        made,
    }
}

/// A text that may have been signed.
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    /// How many bytes were written to get it: what it only holds the digest of counts too.
    pub(super) written: usize,
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self {
            written: bytes.len(),
            bytes,
        }
    }
}

/// Makes choices for one part of the text.
fn family<T, P>(part: fn(T) -> P, choices: Vec<Choice<T>>) -> Vec<Choice<P>> {
    choices
        .into_iter()
        .map(|choice| Choice::new(choice.mistake, choice.detail, part(choice.data)))
        .collect()
}

/// Keeps one of several choices that read alike, and none that changes nothing.
fn distinct<T: Eq + Hash>(choices: Vec<Choice<T>>, unchanged: &T) -> Vec<Choice<T>> {
    let mut known: HashSet<&T> = HashSet::from([unchanged]);
    let new: Vec<bool> = choices
        .iter()
        .map(|choice| known.insert(&choice.data))
        .collect();
    let kept = choices.into_iter().zip(new).filter(|(_, new)| *new);
    kept.map(|(choice, _)| choice).collect()
}
