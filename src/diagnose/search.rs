//! Search for the mistakes: each one alone, then each wrong key with each of them, then pairs of mistakes in different
//! parts of the text, until one is proved or the budget is spent.

use std::collections::BTreeMap;

use super::encoding::{Hash, Presented};
use super::guess::key::WrongKey;
use super::guess::{Choice, Guess, Last, Text};
use super::mac::{Construction, Key};
use crate::diagnosis::{Area, Finding, Mistake};

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

    /// Writes a text, if one can be tried.
    pub(super) fn written(&mut self, write: impl FnOnce() -> Text) -> Option<Vec<u8>> {
        if !self.can_try() {
            return None;
        }
        let text = write();
        self.budget.spend_on_text(&text);
        Some(text.bytes)
    }

    /// Whether there is a digest to compare with, and something left of the budget.
    fn can_try(&self) -> bool {
        !self.presented.is_empty() && !self.budget.is_spent()
    }

    /// Tries all choices. Texts are written one after the other, and again for the next round, since all of them together
    /// would take many times the memory of the request.
    pub(super) fn run<G: Guess>(
        &mut self,
        guess: &G,
        wrong_keys: &[WrongKey],
    ) -> Option<Vec<Finding>> {
        let right = self.right;
        if let Some(found) = self.accepted_with(right) {
            return Some(found);
        }
        let mut candidates = Vec::new();
        if let Some(found) = self.one_mistake(guess, &mut candidates) {
            return Some(found);
        }
        let keys: Vec<(&WrongKey, Key)> = wrong_keys
            .iter()
            .map(|wrong| (wrong, Key::new(wrong.bytes.to_vec())))
            .collect();
        for (wrong, key) in &keys {
            if let Some(found) = self.accepted_with(key) {
                return Some(joined(vec![wrong.finding()], found));
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
        candidates.retain(|candidate| likely(&mut taken, candidate.choice.mistake));
        let mut taken = BTreeMap::new();
        let keys: Vec<_> = keys
            .into_iter()
            .filter(|(wrong, _)| likely(&mut taken, wrong.mistake))
            .collect();
        self.one_mistake_and_a_wrong_key(guess, &candidates, &keys)
            .or_else(|| self.two_mistakes(guess, &candidates))
    }

    /// Tries one mistake in the text. Those that change it are added to `changing`.
    fn one_mistake<'g, G: Guess>(
        &mut self,
        guess: &'g G,
        changing: &mut Vec<Candidate<'g, G::Part>>,
    ) -> Option<Vec<Finding>> {
        let (right, accepted) = (self.right, self.accepted);
        for (family, choices) in guess.families().iter().enumerate() {
            for choice in choices {
                let text = self.written(|| guess.text(&[&choice.data]))?;
                if accepted.contains(&text) {
                    continue;
                }
                if let Some(found) = self.proved(right, &text) {
                    return Some(joined(vec![choice.finding()], found));
                }
                changing.push(Candidate { family, choice });
            }
        }
        None
    }

    fn one_mistake_and_a_wrong_key<G: Guess>(
        &mut self,
        guess: &G,
        candidates: &[Candidate<'_, G::Part>],
        keys: &[(&WrongKey, Key)],
    ) -> Option<Vec<Finding>> {
        for Candidate { choice, .. } in candidates {
            let text = self.written(|| guess.text(&[&choice.data]))?;
            for (wrong, key) in keys {
                if let Some(found) = self.proved(key, &text) {
                    return Some(joined(vec![wrong.finding(), choice.finding()], found));
                }
            }
            for construction in CONSTRUCTIONS {
                if let Some(found) = self.constructed(construction, &text) {
                    return Some(joined(vec![choice.finding()], found));
                }
            }
        }
        None
    }

    /// Tries two mistakes in different parts of the text.
    fn two_mistakes<G: Guess>(
        &mut self,
        guess: &G,
        candidates: &[Candidate<'_, G::Part>],
    ) -> Option<Vec<Finding>> {
        let right = self.right;
        for (position, one) in candidates.iter().enumerate() {
            let later = candidates.iter().skip(position);
            for other in later.filter(|other| other.family != one.family) {
                let changed = [&one.choice.data, &other.choice.data];
                let text = self.written(|| guess.text(&changed))?;
                if let Some(found) = self.proved(right, &text) {
                    let both = vec![one.choice.finding(), other.choice.finding()];
                    return Some(joined(both, found));
                }
            }
        }
        None
    }

    /// Tries what the guess leaves for the end.
    pub(super) fn last<G: Guess>(&mut self, guess: &G) -> Option<Vec<Finding>> {
        let right = self.right;
        let mut texts = guess.last();
        while self.can_try()
            && let Some(Last { finding, key, text }) = texts.next()
        {
            let text = self.written(|| text)?;
            let key = key.map(|key| Key::new(key.to_vec()));
            if let Some(found) = self.proved(key.as_ref().unwrap_or(right), &text) {
                return Some(first(finding, found));
            }
        }
        None
    }

    /// Tries another timestamp than `sent` within the window, the nearest first.
    pub(super) fn retimed<G: Guess>(
        &mut self,
        guess: &G,
        sent: i64,
        window: u32,
    ) -> Option<Vec<Finding>> {
        const FARTHEST: i64 = 600;
        let right = self.right;
        let farthest = i64::from(window).min(FARTHEST);
        let near = (1..=farthest).flat_map(|distance: i64| [distance.saturating_neg(), distance]);
        for distance in near {
            let at = sent.saturating_add(distance);
            let text = self.written(|| guess.with_timestamp(at).into())?;
            if let Some(found) = self.proved(right, &text) {
                let detail = format!("signed {at}, sent {sent}: {distance:+} s");
                let finding = Finding::new(Mistake::TimestampAfterSigning, detail);
                return Some(first(finding, found));
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

/// A choice that changes the text, and the number of its family.
struct Candidate<'g, P> {
    family: usize,
    choice: &'g Choice<P>,
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

fn first(finding: Finding, mut then: Vec<Finding>) -> Vec<Finding> {
    then.insert(0, finding);
    then
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
