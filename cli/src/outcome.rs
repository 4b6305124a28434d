//! Outcome of a run, as the shell sees it.

use std::process::ExitCode;

/// What went on, as the shell sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Every request was admitted, or there was nothing to check.
    Good,
    /// A request was refused.
    Refused,
    /// Something could not be read.
    Unreadable,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Good => 0,
            Outcome::Refused => 1,
            Outcome::Unreadable => 2,
        })
    }
}
