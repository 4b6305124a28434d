//! Vocabulary of a diagnosis: the known mistakes, and where two texts differ.

mod difference;
pub(crate) mod mistake;
mod shown;

pub use difference::Difference;
pub(crate) use shown::shown;
