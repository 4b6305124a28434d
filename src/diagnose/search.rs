//! How guesses are tried: each mistake alone, then each wrong key with each of them, then pairs of mistakes of different
//! families, until one is proved or the budget is spent.

use std::collections::{BTreeMap, HashSet};
use std::hash::Hash as Hashed;

use super::encoding::{Hash, Presented};
use super::guess::key::WrongKey;
use super::mac::{Construction, Key};
use crate::diagnosis::{Area, Finding, Mistake};

/// A mistake as it would look in this request.
#[derive(Clone, Debug)]
pub(super) struct Choice<T> {
    pub(super) mistake: Mistake,
    /// What exactly: which parameter, which header, which text.
    pub(super) detail: String,
    pub(super) data: T,
}

/// How a request would read if certain mistakes were made in it.
pub(super) trait Guess {
    /// How many families of mistakes there are, and how many mistakes in each.
    fn families(&self) -> Vec<usize>;
    /// The text that is signed when these mistakes are made: one index, or none, for each family.
    fn text(&self, chosen: &[Option<usize>]) -> Text;
    /// What the mistake with this index in this family is.
    fn mistake(&self, family: usize, index: usize) -> Finding;
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

/// What a search may cost: so many MACs of a short text, or fewer of longer ones.
#[derive(Debug)]
pub(super) struct Budget {
    macs: u32,
}

/// Each further piece of this length costs as much as a MAC more, when a text is written and again when it is hashed.
const PIECE: usize = 1024;

impl Budget {
    pub(super) fn new(macs: u32) -> Self {
        Self { macs }
    }

    pub(super) fn is_spent(&self) -> bool {
        self.macs == 0
    }

    fn spend_on_text(&mut self, text: &Text) {
        self.spend(pieces(text.written));
    }

    fn spend_on_mac(&mut self, text: &[u8]) -> bool {
        self.spend(pieces(text.len()).saturating_add(1))
    }

    fn spend(&mut self, cost: u32) -> bool {
        let left = self.macs.checked_sub(cost);
        self.macs = left.unwrap_or_default();
        left.is_some()
    }
}

fn pieces(length: usize) -> u32 {
    let pieces = length.checked_div(PIECE).unwrap_or_default();
    u32::try_from(pieces).unwrap_or(u32::MAX)
}

pub(super) struct Search<'s> {
    pub(super) presented: &'s [Presented],
    /// The texts that the validator accepts, in each tolerated spelling; see [`held`].
    pub(super) accepted: &'s [Vec<u8>],
    pub(super) right: &'s Key,
    pub(super) budget: &'s mut Budget,
}

/// So many of the texts that the validator accepts as may be held at once, the likeliest first, and at least one. All of
/// those of a long request would take many times its memory, and the budget is spent before they are tried.
pub(super) fn held(accepted: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    const MOST: usize = 2 << 20;
    let mut room = Some(MOST);
    accepted
        .take_while(|text| {
            let before = room;
            room = room.and_then(|room| room.checked_sub(text.len()));
            before.is_some()
        })
        .collect()
}

const CONSTRUCTIONS: [Construction; 4] = [
    Construction::Hash,
    Construction::HashOfKeyAndText,
    Construction::HashOfTextAndKey,
    Construction::Swapped,
];

impl Search<'_> {
    /// The mistakes that the form of the signature implies, if `key` over `text` yields it.
    pub(super) fn proved(&mut self, key: &Key, text: &[u8]) -> Option<Vec<Finding>> {
        let budget = &mut *self.budget;
        self.presented
            .iter()
            .find(|presented| budget.spend_on_mac(text) && key.proves(text, presented))
            .map(implied)
    }

    /// The same over any text that the validator accepts: nothing in the text is a mistake then.
    pub(super) fn accepted_with(&mut self, key: &Key) -> Option<Vec<Finding>> {
        let accepted = self.accepted;
        accepted.iter().find_map(|text| self.proved(key, text))
    }

    /// A text, written only if it can be tried: there is a digest to compare with, and something left of the budget.
    pub(super) fn written(&mut self, write: impl FnOnce() -> Text) -> Option<Vec<u8>> {
        if self.presented.is_empty() || self.budget.is_spent() {
            return None;
        }
        let text = write();
        self.budget.spend_on_text(&text);
        Some(text.bytes)
    }

    /// Tries everything. Texts are written one after the other, and again for the next round, since all of them together
    /// would take many times the memory of the request.
    pub(super) fn run(
        &mut self,
        guess: &impl Guess,
        wrong_keys: &[WrongKey],
    ) -> Option<Vec<Finding>> {
        let right = self.right;
        if let Some(found) = self.accepted_with(right) {
            return Some(found);
        }
        let mut texts = Vec::new();
        if let Some(found) = self.one_mistake(guess, &mut texts) {
            return Some(found);
        }
        let keys: Vec<(&WrongKey, Key)> = wrong_keys
            .iter()
            .map(|wrong| (wrong, Key::new(wrong.bytes.to_vec())))
            .collect();
        for (wrong, key) in &keys {
            if let Some(found) = self.accepted_with(key) {
                return Some(joined(vec![wrong_key(wrong)], found));
            }
        }
        for construction in CONSTRUCTIONS {
            let mut over = self.accepted.iter();
            if let Some(found) = over.find_map(|text| self.constructed(construction, text)) {
                return Some(found);
            }
        }
        // What follows grows with the square, so only the likely forms of each mistake take part.
        let mut taken = BTreeMap::new();
        texts.retain(|at| likely(&mut taken, at.in_words(guess).mistake()));
        let mut taken = BTreeMap::new();
        let keys: Vec<_> = keys
            .into_iter()
            .filter(|(wrong, _)| likely(&mut taken, wrong.mistake))
            .collect();
        self.one_mistake_and_a_wrong_key(guess, &texts, &keys)
            .or_else(|| self.two_mistakes(guess, &texts))
    }

    /// One mistake in the text. Those that change it are added to `texts`.
    fn one_mistake(&mut self, guess: &impl Guess, texts: &mut Vec<At>) -> Option<Vec<Finding>> {
        let (right, accepted) = (self.right, self.accepted);
        for (family, count) in guess.families().into_iter().enumerate() {
            for index in 0..count {
                let mistake = At { family, index };
                let text = self.written(|| guess.text(&chosen(guess, &[mistake])))?;
                if accepted.contains(&text) {
                    continue;
                }
                if let Some(found) = self.proved(right, &text) {
                    return Some(joined(vec![mistake.in_words(guess)], found));
                }
                texts.push(mistake);
            }
        }
        None
    }

    fn one_mistake_and_a_wrong_key(
        &mut self,
        guess: &impl Guess,
        texts: &[At],
        keys: &[(&WrongKey, Key)],
    ) -> Option<Vec<Finding>> {
        for mistake in texts {
            let text = self.written(|| guess.text(&chosen(guess, &[*mistake])))?;
            for (wrong, key) in keys {
                if let Some(found) = self.proved(key, &text) {
                    let both = vec![wrong_key(wrong), mistake.in_words(guess)];
                    return Some(joined(both, found));
                }
            }
            for construction in CONSTRUCTIONS {
                if let Some(found) = self.constructed(construction, &text) {
                    return Some(joined(vec![mistake.in_words(guess)], found));
                }
            }
        }
        None
    }

    /// Two mistakes in the text, of different families.
    fn two_mistakes(&mut self, guess: &impl Guess, texts: &[At]) -> Option<Vec<Finding>> {
        let right = self.right;
        for (position, one) in texts.iter().enumerate() {
            for other in texts.iter().skip(position) {
                if one.family == other.family {
                    continue;
                }
                let text = self.written(|| guess.text(&chosen(guess, &[*one, *other])))?;
                if let Some(found) = self.proved(right, &text) {
                    let both = vec![one.in_words(guess), other.in_words(guess)];
                    return Some(joined(both, found));
                }
            }
        }
        None
    }

    fn constructed(&mut self, construction: Construction, text: &[u8]) -> Option<Vec<Finding>> {
        let (right, budget) = (self.right, &mut *self.budget);
        let presented = self.presented.iter().find(|presented| {
            budget.spend_on_mac(text) && right.proves_by(construction, text, presented)
        })?;
        let mistake = match construction {
            Construction::Swapped => Mistake::HmacArgumentsSwapped,
            Construction::Hash
            | Construction::HashOfKeyAndText
            | Construction::HashOfTextAndKey => Mistake::PlainHash,
        };
        let detail = match construction {
            Construction::Hash => "of the string alone",
            Construction::HashOfKeyAndText => "of key and string",
            Construction::HashOfTextAndKey => "of string and key",
            Construction::Swapped => "",
        };
        let found = Finding::new(mistake, detail);
        Some(joined(vec![found], implied(presented)))
    }
}

/// Whether this is one of the first forms of a mistake; the lists of forms begin with the likely ones.
fn likely(taken: &mut BTreeMap<Mistake, u8>, mistake: Mistake) -> bool {
    let forms = match mistake.area() {
        Area::Method | Area::Host | Area::Path | Area::Scope | Area::Time => 3,
        _ => 4,
    };
    let count = taken.entry(mistake).or_insert(0);
    *count = count.saturating_add(1);
    *count <= forms
}

fn implied(presented: &Presented) -> Vec<Finding> {
    let hash = match presented.hash {
        Hash::Sha1 => "SHA-1",
        Hash::Sha256 => "SHA-256",
    };
    let detail = format!(
        "what was sent is {} bytes of {hash}",
        presented.digest.len()
    );
    presented
        .implied
        .iter()
        .map(|&mistake| Finding::new(mistake, detail.as_str()))
        .collect()
}

fn wrong_key(wrong: &WrongKey) -> Finding {
    Finding::new(wrong.mistake, wrong.detail.as_str())
}

/// Both lists, each mistake once.
fn joined(first: Vec<Finding>, then: Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for found in first.into_iter().chain(then) {
        let is_new = |known: &Finding| known.mistake() != found.mistake();
        if all.iter().all(is_new) {
            all.push(found);
        }
    }
    all
}

/// A mistake in the text: which family, and which one of it.
#[derive(Clone, Copy)]
struct At {
    family: usize,
    index: usize,
}

impl At {
    fn in_words(self, guess: &impl Guess) -> Finding {
        guess.mistake(self.family, self.index)
    }
}

/// The choice of these mistakes and no others.
fn chosen(guess: &impl Guess, mistakes: &[At]) -> Vec<Option<usize>> {
    let mut chosen = vec![None; guess.families().len()];
    for mistake in mistakes {
        if let Some(slot) = chosen.get_mut(mistake.family) {
            *slot = Some(mistake.index);
        }
    }
    chosen
}

/// What the choice with this index stands for.
pub(super) fn mistake_at<T>(choices: &[Choice<T>], index: usize) -> Option<Finding> {
    choices
        .get(index)
        .map(|choice| Finding::new(choice.mistake, choice.detail.as_str()))
}

/// Keeps one of several choices that read alike, and none that changes nothing.
pub(super) fn distinct<T: Eq + Hashed>(choices: Vec<Choice<T>>, unchanged: &T) -> Vec<Choice<T>> {
    let mut known: HashSet<&T> = HashSet::from([unchanged]);
    let new: Vec<bool> = choices
        .iter()
        .map(|choice| known.insert(&choice.data))
        .collect();
    let kept = choices.into_iter().zip(new).filter(|(_, new)| *new);
    kept.map(|(choice, _)| choice).collect()
}
