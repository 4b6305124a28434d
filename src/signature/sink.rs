//! Where canonical bytes go: into a MAC, into a digest, or into text that is shown.
//!
//! One writer serves them all, so what is verified is what is shown, and the admitted path builds no string.

use sha2::{Digest, Sha256};

use super::verify::Mac;

/// Takes canonical bytes.
pub(crate) trait Sink {
    fn write(&mut self, bytes: &[u8]);

    /// Takes bytes in lower case (ASCII only, as the headers of TC3 are signed).
    fn write_lower_case(&mut self, bytes: &[u8]) {
        let mut chunk = [0_u8; 64];
        for piece in bytes.chunks(chunk.len()) {
            for (lower, byte) in chunk.iter_mut().zip(piece) {
                *lower = byte.to_ascii_lowercase();
            }
            self.write(chunk.get(..piece.len()).unwrap_or_default());
        }
    }
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Sink for Sha256 {
    fn write(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl<M: Mac> Sink for M {
    fn write(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}
