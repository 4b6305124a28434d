//! What a refusal is called and how it is wrapped, in each of the three dialects.

// A reason or a dialect that is new must be given a code: in this folder no `match` on them has a wildcard.
#![deny(clippy::wildcard_enum_match_arm)]

use std::fmt;

use crate::reason::Reason;
use crate::scheme::Dialect;

mod envelope;
mod message;
mod v2;
mod v2_numeric;
mod v3;

pub(crate) use envelope::envelope;
pub(crate) use message::message;

/// A common error code: what the client is told in place of a [`Reason`].
///
/// ```
/// use qcloud_validator::{Dialect, Reason};
///
/// let reason = Reason::NonceRepeated;
/// assert_eq!(reason.code(Dialect::V2).name(), "InvalidRequest.ReplayAttack");
/// assert_eq!(reason.code(Dialect::V2Numeric).number(), Some(4500));
/// assert_eq!(reason.code(Dialect::V3).name(), "AuthFailure.SignatureExpire");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    name: &'static str,
    number: Option<u16>,
}

impl Code {
    const fn named(name: &'static str) -> Self {
        Self { name, number: None }
    }

    const fn numbered(number: u16, name: &'static str) -> Self {
        Self {
            name,
            number: Some(number),
        }
    }

    /// The name: `Error.Code` in V2 and V3, `codeDesc` in the numeric dialect.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The number, in the numeric dialect.
    #[must_use]
    pub const fn number(self) -> Option<u16> {
        self.number
    }
}

impl fmt::Display for Code {
    /// The number where there is one, else the name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number {
            Some(number) => write!(f, "{number}"),
            None => f.write_str(self.name),
        }
    }
}

impl Reason {
    /// What the client is told in this dialect. The page `codes` of the manual lists them all.
    ///
    /// ```
    /// use qcloud_validator::{Dialect, Reason};
    ///
    /// let codes = Dialect::ALL.map(|dialect| Reason::SignatureMismatch.code(dialect).to_string());
    /// assert_eq!(codes, ["InvalidParameter.SignatureFailure", "4100", "AuthFailure.SignatureFailure"]);
    /// ```
    #[must_use]
    pub fn code(&self, dialect: Dialect) -> Code {
        match dialect {
            Dialect::V2 => v2::code(self),
            Dialect::V2Numeric => v2_numeric::code(self),
            Dialect::V3 => v3::code(self),
        }
    }
}
