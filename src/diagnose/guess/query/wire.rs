//! Where the parameters of a request stand in its query or body, and how their values were sent.

use std::collections::HashMap;

use memchr::memmem;

use crate::diagnose::guess::text;

/// For each parameter its place, if it was found. The text is read once, however many parameters there are.
#[derive(Debug, Default)]
pub(super) struct Wire<'w>(Vec<Option<Place<'w>>>);

#[derive(Clone, Copy, Debug)]
struct Place<'w> {
    position: usize,
    /// As sent; none in a multipart body.
    value: Option<&'w [u8]>,
}

impl<'w> Wire<'w> {
    /// Looks for these names in a query, a form or a multipart body.
    pub(super) fn new<'n>(sent: &'w [u8], names: impl Iterator<Item = &'n Vec<u8>>) -> Self {
        let names: Vec<&[u8]> = names.map(Vec::as_slice).collect();
        let indices = names.iter().enumerate();
        let indices: HashMap<&[u8], usize> = indices.map(|(index, name)| (*name, index)).collect();
        let mut found = vec![None; names.len()];
        let mut position = 0_usize;
        for piece in sent.split(|&byte| byte == b'&') {
            let mut parts = piece.splitn(2, |&byte| byte == b'=');
            let name = text::decode(parts.next().unwrap_or_default());
            let slot = indices.get(&*name).and_then(|&index| found.get_mut(index));
            if let Some(slot @ None) = slot {
                let value = parts.next();
                *slot = Some(Place { position, value });
            }
            position = position.saturating_add(piece.len()).saturating_add(1);
        }
        for (name, slot) in names.iter().zip(&mut found) {
            if slot.is_none() {
                let quoted = [b"name=\"", *name, b"\""].concat();
                *slot = memmem::find(sent, &quoted).map(|position| Place {
                    position,
                    value: None,
                });
            }
        }
        Self(found)
    }

    /// Where a parameter stands; those that were not found come last.
    pub(super) fn position(&self, index: usize) -> usize {
        self.place(index).map_or(usize::MAX, |place| place.position)
    }

    /// The value of a parameter as it was sent.
    pub(super) fn value(&self, index: usize) -> Option<&'w [u8]> {
        self.place(index)?.value
    }

    fn place(&self, index: usize) -> Option<Place<'w>> {
        self.0.get(index).copied().flatten()
    }
}
