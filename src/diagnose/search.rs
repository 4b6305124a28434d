//! How guesses are tried: each mistake alone, then each wrong key with each of them, then pairs of mistakes of different
//! families, until one is proved or the budget is spent.

use std::collections::BTreeMap;

use super::hypothesis::{Family, Hypothesis};
use super::key::WrongKey;
use super::output::{Hash, Presented};
use super::proof::{Construction, Key};

/// A mistake as it would look in this request.
#[derive(Clone, Debug)]
pub(super) struct Choice<T> {
    pub(super) hypothesis: Hypothesis,
    /// What exactly: which parameter, which header, which text.
    pub(super) detail: String,
    pub(super) data: T,
}

/// A mistake that is proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proved {
    pub(super) hypothesis: Hypothesis,
    pub(super) detail: String,
}

/// How a request would read if certain mistakes were made in it.
pub(super) trait Guess {
    /// How many families of mistakes there are, and how many mistakes in each.
    fn families(&self) -> Vec<usize>;
    /// The text that is signed when these mistakes are made: one index, or none, for each family.
    fn text(&self, chosen: &[Option<usize>]) -> Vec<u8>;
    /// What the mistake with this index in this family is.
    fn mistake(&self, family: usize, index: usize) -> Proved;
}

/// What a search may cost: so many MACs of a short text, or fewer of longer ones.
#[derive(Debug)]
pub(super) struct Budget {
    pub(super) macs: u32,
}

/// Each further piece of this length costs as much as a MAC more: building it and hashing it take longer.
const PIECE: usize = 1024;

impl Budget {
    fn spend(&mut self, text: &[u8]) -> bool {
        let pieces = text.len().checked_div(PIECE).unwrap_or_default();
        let cost = u32::try_from(pieces).unwrap_or(u32::MAX).saturating_add(1);
        match self.macs.checked_sub(cost) {
            Some(left) => {
                self.macs = left;
                true
            }
            None => {
                self.macs = 0;
                false
            }
        }
    }
}

pub(super) struct Search<'s> {
    pub(super) presented: &'s [Presented],
    /// The texts that the validator accepts, in each tolerated spelling.
    pub(super) accepted: &'s [Vec<u8>],
    pub(super) right: &'s Key,
    pub(super) budget: &'s mut Budget,
}

const CONSTRUCTIONS: [Construction; 4] = [
    Construction::Hash,
    Construction::HashOfKeyAndText,
    Construction::HashOfTextAndKey,
    Construction::Swapped,
];

impl Search<'_> {
    /// The mistakes that the form of the signature implies, if `key` over `text` yields it.
    pub(super) fn proved(&mut self, key: &Key, text: &[u8]) -> Option<Vec<Proved>> {
        let budget = &mut *self.budget;
        self.presented
            .iter()
            .find(|presented| budget.spend(text) && key.proves(text, presented))
            .map(implied)
    }

    /// The same over any text that the validator accepts: nothing in the text is a mistake then.
    pub(super) fn accepted_with(&mut self, key: &Key) -> Option<Vec<Proved>> {
        let accepted = self.accepted;
        accepted.iter().find_map(|text| self.proved(key, text))
    }

    /// Tries everything.
    pub(super) fn run(
        &mut self,
        guess: &impl Guess,
        wrong_keys: &[WrongKey],
    ) -> Option<Vec<Proved>> {
        let families = guess.families();
        let mut chosen: Vec<Option<usize>> = vec![None; families.len()];
        let (right, accepted) = (self.right, self.accepted);
        if let Some(found) = self.accepted_with(right) {
            return Some(found);
        }

        // One mistake in the text.
        let mut texts = Vec::new();
        for (family, &count) in families.iter().enumerate() {
            for index in 0..count {
                if self.budget.macs == 0 {
                    return None;
                }
                set(&mut chosen, family, Some(index));
                let text = guess.text(&chosen);
                if accepted.contains(&text) {
                    continue;
                }
                if let Some(found) = self.proved(right, &text) {
                    return Some(joined(vec![guess.mistake(family, index)], found));
                }
                texts.push((family, index, text));
            }
            set(&mut chosen, family, None);
        }

        // A wrong key, alone and with one mistake in the text.
        let keys: Vec<(&WrongKey, Key)> = wrong_keys
            .iter()
            .map(|wrong| (wrong, Key::new(wrong.bytes.to_vec())))
            .collect();
        for (wrong, key) in &keys {
            if let Some(found) = self.accepted_with(key) {
                return Some(joined(vec![proved_key(wrong)], found));
            }
        }
        for construction in CONSTRUCTIONS {
            let mut over = accepted.iter();
            if let Some(found) = over.find_map(|text| self.constructed(construction, text)) {
                return Some(found);
            }
        }
        // What follows grows with the square, so only the likely forms of each mistake take part.
        let mut taken = BTreeMap::new();
        texts.retain(|(family, index, _)| {
            likely(&mut taken, guess.mistake(*family, *index).hypothesis)
        });
        let mut taken = BTreeMap::new();
        let keys: Vec<_> = keys
            .into_iter()
            .filter(|(wrong, _)| likely(&mut taken, wrong.hypothesis))
            .collect();
        for (family, index, text) in &texts {
            for (wrong, key) in &keys {
                if let Some(found) = self.proved(key, text) {
                    let both = vec![proved_key(wrong), guess.mistake(*family, *index)];
                    return Some(joined(both, found));
                }
            }
            for construction in CONSTRUCTIONS {
                if let Some(found) = self.constructed(construction, text) {
                    return Some(joined(vec![guess.mistake(*family, *index)], found));
                }
            }
        }

        // Two mistakes in the text, of different families.
        for (position, (family, index, _)) in texts.iter().enumerate() {
            for (other_family, other_index, _) in texts.iter().skip(position) {
                if family == other_family {
                    continue;
                }
                if self.budget.macs == 0 {
                    return None;
                }
                chosen.fill(None);
                set(&mut chosen, *family, Some(*index));
                set(&mut chosen, *other_family, Some(*other_index));
                let text = guess.text(&chosen);
                if let Some(found) = self.proved(right, &text) {
                    let both = vec![
                        guess.mistake(*family, *index),
                        guess.mistake(*other_family, *other_index),
                    ];
                    return Some(joined(both, found));
                }
            }
        }
        None
    }

    fn constructed(&mut self, construction: Construction, text: &[u8]) -> Option<Vec<Proved>> {
        let (right, budget) = (self.right, &mut *self.budget);
        let presented = self.presented.iter().find(|presented| {
            budget.spend(text) && right.proves_by(construction, text, presented)
        })?;
        let hypothesis = match construction {
            Construction::Swapped => Hypothesis::HmacArgumentsSwapped,
            Construction::Hash
            | Construction::HashOfKeyAndText
            | Construction::HashOfTextAndKey => Hypothesis::PlainHash,
        };
        let detail = match construction {
            Construction::Hash => "of the string alone",
            Construction::HashOfKeyAndText => "of key and string",
            Construction::HashOfTextAndKey => "of string and key",
            Construction::Swapped => "",
        };
        let proved = Proved {
            hypothesis,
            detail: detail.to_owned(),
        };
        Some(joined(vec![proved], implied(presented)))
    }
}

/// Whether this is one of the first forms of a mistake; the lists of forms begin with the likely ones.
fn likely(taken: &mut BTreeMap<Hypothesis, u8>, hypothesis: Hypothesis) -> bool {
    let forms = match hypothesis.family() {
        Family::Method | Family::Host | Family::Path | Family::Scope | Family::Time => 3,
        _ => 4,
    };
    let count = taken.entry(hypothesis).or_insert(0);
    *count = count.saturating_add(1);
    *count <= forms
}

fn implied(presented: &Presented) -> Vec<Proved> {
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
        .map(|&hypothesis| Proved {
            hypothesis,
            detail: detail.clone(),
        })
        .collect()
}

fn proved_key(wrong: &WrongKey) -> Proved {
    Proved {
        hypothesis: wrong.hypothesis,
        detail: wrong.detail.clone(),
    }
}

/// Both lists, each mistake once.
fn joined(first: Vec<Proved>, then: Vec<Proved>) -> Vec<Proved> {
    let mut all: Vec<Proved> = Vec::new();
    for proved in first.into_iter().chain(then) {
        if all
            .iter()
            .all(|known| known.hypothesis != proved.hypothesis)
        {
            all.push(proved);
        }
    }
    all
}

fn set(chosen: &mut [Option<usize>], family: usize, index: Option<usize>) {
    if let Some(slot) = chosen.get_mut(family) {
        *slot = index;
    }
}

/// What the choice with this index stands for.
pub(super) fn mistake_at<T>(choices: &[Choice<T>], index: usize) -> Option<Proved> {
    choices.get(index).map(|choice| Proved {
        hypothesis: choice.hypothesis,
        detail: choice.detail.clone(),
    })
}

/// Keeps one of several choices that read alike, and none that changes nothing.
pub(super) fn distinct<T: PartialEq>(choices: Vec<Choice<T>>, unchanged: &T) -> Vec<Choice<T>> {
    let mut kept: Vec<Choice<T>> = Vec::new();
    for choice in choices {
        if choice.data != *unchanged && kept.iter().all(|known| known.data != choice.data) {
            kept.push(choice);
        }
    }
    kept
}
