//! Decides what is still remembered: sixteen consecutive generations, of which the oldest are forgotten as time goes on.

/// One `T` for each of the sixteen generations from `first` on; what belongs to an earlier or a later one is not here.
#[derive(Debug)]
pub(super) struct Ring<T> {
    first: i64,
    slots: [T; 16],
}

impl<T: Default> Ring<T> {
    /// Sixteen empty generations.
    pub(super) fn starting_at(first: i64) -> Self {
        Self {
            first,
            slots: Default::default(),
        }
    }

    /// The oldest generation that is still here.
    pub(super) fn first(&self) -> i64 {
        self.first
    }

    /// Forgets the generations before `first`, and hands over what they held. Never goes back.
    pub(super) fn advance(&mut self, first: i64, mut forget: impl FnMut(T)) {
        // Sixteen steps empty every slot, wherever they begin.
        self.first = self.first.max(first.saturating_sub(16));
        while self.first < first {
            if let Some(slot) = self.slots.get_mut(slot_of(self.first)) {
                forget(std::mem::take(slot));
            }
            self.first = self.first.saturating_add(1);
        }
    }

    /// What belongs to `generation`; nothing if it is forgotten or too far ahead.
    pub(super) fn get(&self, generation: i64) -> Option<&T> {
        self.slots.get(self.slot(generation)?)
    }

    /// What belongs to `generation`, to be changed.
    pub(super) fn get_mut(&mut self, generation: i64) -> Option<&mut T> {
        let slot = self.slot(generation)?;
        self.slots.get_mut(slot)
    }

    /// Each of the sixteen generations, oldest first, and what belongs to it.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, &T)> {
        (0..16).filter_map(|ahead| {
            let generation = self.first.saturating_add(ahead);
            Some((generation, self.slots.get(slot_of(generation))?))
        })
    }

    fn slot(&self, generation: i64) -> Option<usize> {
        let ahead = generation.checked_sub(self.first)?;
        (0..16).contains(&ahead).then(|| slot_of(generation))
    }
}

/// Sixteen consecutive generations have sixteen different slots.
fn slot_of(generation: i64) -> usize {
    usize::try_from(generation & 15).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_sixteen_generations() {
        let mut ring = Ring::<u32>::starting_at(-3);
        *ring.get_mut(-3).unwrap() = 1;
        *ring.get_mut(12).unwrap() = 2;
        assert_eq!(ring.get(-4), None);
        assert_eq!(ring.get(-3), Some(&1));
        assert_eq!(ring.get(0), Some(&0));
        assert_eq!(ring.get(12), Some(&2));
        assert_eq!(ring.get(13), None);
        assert_eq!(ring.get(i64::MAX), None);
        assert_eq!(ring.get(i64::MIN), None);
    }

    #[test]
    fn advancing_hands_over_what_is_forgotten_oldest_first() {
        let mut ring = Ring::<u32>::starting_at(0);
        for (generation, value) in (0..16).zip(100..) {
            *ring.get_mut(generation).unwrap() = value;
        }
        assert_eq!(forgotten(&mut ring, 2), [100, 101]);
        assert_eq!(ring.first(), 2);
        assert_eq!(ring.get(1), None);
        assert_eq!(ring.get(2), Some(&102));
        assert_eq!(ring.get(17), Some(&0));
        assert_eq!(forgotten(&mut ring, 2), [0_u32; 0]);
        assert_eq!(forgotten(&mut ring, 1), [0_u32; 0]);
        assert_eq!(ring.first(), 2);
    }

    #[test]
    fn a_long_way_forgets_everything_in_sixteen_steps() {
        let mut ring = Ring::<u32>::starting_at(i64::MIN);
        assert_eq!(forgotten(&mut ring, 5).len(), 16);
        for (generation, value) in (5..21).zip(100..) {
            *ring.get_mut(generation).unwrap() = value;
        }
        let mut everything = forgotten(&mut ring, 1_000_003);
        everything.sort_unstable();
        assert_eq!(everything, (100..116).collect::<Vec<u32>>());
        assert_eq!(ring.get(1_000_003), Some(&0));
        assert_eq!(
            ring.iter().collect::<Vec<_>>(),
            (1_000_003..1_000_019)
                .map(|generation| (generation, &0))
                .collect::<Vec<_>>()
        );
    }

    fn forgotten(ring: &mut Ring<u32>, first: i64) -> Vec<u32> {
        let mut forgotten = Vec::new();
        ring.advance(first, |value| forgotten.push(value));
        forgotten
    }
}
