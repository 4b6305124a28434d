//! Where canonical bytes go: into a MAC, into a digest, or into text that is shown.
//!
//! One writer serves them all, so what is verified is what is shown, and the admitted path builds no string.

use sha2::{Digest, Sha256};

use super::verify::Mac;

/// Takes canonical bytes.
pub(crate) trait Sink {
    fn write(&mut self, bytes: &[u8]);

    /// Takes what stands between two pieces.
    fn write_byte(&mut self, byte: u8) {
        self.write(&[byte]);
    }

    /// Takes bytes in lower case (ASCII only, as the headers of TC3 are signed).
    fn write_lower_case(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn write_lower_case(&mut self, bytes: &[u8]) {
        self.extend(bytes.iter().map(u8::to_ascii_lowercase));
    }
}

/// A sink that gathers small pieces: a hash takes one long piece far faster than many short ones.
pub(crate) struct Gathered<'s, S: Absorb> {
    sink: &'s mut S,
    pieces: [u8; 256],
    length: usize,
}

/// What a gathered sink hands its bytes to.
pub(crate) trait Absorb {
    fn absorb(&mut self, bytes: &[u8]);
}

impl Absorb for Sha256 {
    fn absorb(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl<M: Mac> Absorb for M {
    fn absorb(&mut self, bytes: &[u8]) {
        Mac::update(self, bytes);
    }
}

impl<'s, S: Absorb> Gathered<'s, S> {
    /// Hands everything that `write` writes to the sink.
    pub(crate) fn into(sink: &'s mut S, write: impl FnOnce(&mut Self)) {
        let mut gathered = Self {
            sink,
            pieces: [0; 256],
            length: 0,
        };
        write(&mut gathered);
        gathered.flush();
    }

    fn flush(&mut self) {
        let pieces = self.pieces.get(..self.length).unwrap_or_default();
        self.sink.absorb(pieces);
        self.length = 0;
    }
}

impl<S: Absorb> Sink for Gathered<'_, S> {
    fn write(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(free) = self.pieces.get_mut(self.length..end) {
            free.copy_from_slice(bytes);
            self.length = end;
            return;
        }
        self.flush();
        match self.pieces.get_mut(..bytes.len()) {
            Some(free) => {
                free.copy_from_slice(bytes);
                self.length = bytes.len();
            }
            None => self.sink.absorb(bytes),
        }
    }

    /// Without the call that copies a piece of any length.
    #[inline]
    fn write_byte(&mut self, byte: u8) {
        match self.pieces.get_mut(self.length) {
            Some(free) => {
                *free = byte;
                self.length = self.length.saturating_add(1);
            }
            None => self.write(&[byte]),
        }
    }

    fn write_lower_case(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(self.pieces.len()) {
            self.write(piece);
            // It fits, so it is what was gathered last.
            let start = self.length.saturating_sub(piece.len());
            let written = self.pieces.get_mut(start..self.length);
            written.unwrap_or_default().make_ascii_lowercase();
        }
    }
}
