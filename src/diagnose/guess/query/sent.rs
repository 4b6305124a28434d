//! Parameters of a request: its own, those that were sent beside them, and the arrays that they make up.

use std::ops::Range;

use super::presence;
use crate::form::{Kind, Parameters};

/// Each parameter has the same index in all lists.
pub(super) struct Sent {
    pub(super) names: Vec<Vec<u8>>,
    pub(super) values: Vec<Vec<u8>>,
    /// Whether the parameter belongs into the string.
    pub(super) included: Vec<bool>,
    /// Whether it is a part of a multipart form with a file name.
    pub(super) files: Vec<bool>,
    /// The parameters in the query of a POST, which follow those of the request.
    pub(super) beside: Range<usize>,
}

impl Sent {
    pub(super) fn new(parameters: &Parameters<'_>, beside: &Parameters<'_>) -> Self {
        let mut sent = Self {
            names: Vec::new(),
            values: Vec::new(),
            included: Vec::new(),
            files: Vec::new(),
            beside: 0..0,
        };
        for entry in parameters.entries() {
            let name = parameters.name(entry);
            let included = name != b"Signature";
            let value = if included {
                parameters.value(entry).decoded().into_owned()
            } else {
                Vec::new()
            };
            let file = entry.kind() == Kind::File;
            sent.add(name.to_vec(), value, included, file);
        }
        let own = sent.names.len();
        for (name, value) in beside.iter() {
            sent.add(name.to_vec(), value.to_vec(), false, false);
        }
        sent.beside = own..sent.names.len();
        sent
    }

    fn add(&mut self, name: Vec<u8>, value: Vec<u8>, included: bool, file: bool) {
        self.names.push(name);
        self.values.push(value);
        self.included.push(included);
        self.files.push(file);
    }

    /// Adds the pair `name=Array` for each array.
    pub(super) fn add_arrays(&mut self) {
        for array in presence::arrays(&self.names) {
            self.add(array, b"Array".to_vec(), false, false);
        }
    }

    /// Returns how many parameters the request itself has.
    pub(super) fn own(&self) -> usize {
        self.beside.start
    }

    /// Returns the names of the arrays that were added.
    pub(super) fn arrays(&self) -> &[Vec<u8>] {
        self.names.get(self.beside.end..).unwrap_or_default()
    }

    pub(super) fn name(&self, index: usize) -> &[u8] {
        at(&self.names, index)
    }

    pub(super) fn value(&self, index: usize) -> &[u8] {
        at(&self.values, index)
    }
}

fn at(texts: &[Vec<u8>], index: usize) -> &[u8] {
    debug_assert!(index < texts.len(), "no parameter has the index {index}");
    texts.get(index).map(Vec::as_slice).unwrap_or_default()
}
