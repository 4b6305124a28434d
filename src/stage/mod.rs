//! Where a request is on its way. A stage asks a question, takes the answer, and consumes itself; none performs I/O.
//!
//! What was read of the request stays in [`Received`]; the others borrow it, and so must end before it does.
//!
//! [`Validator`](crate::Validator) walks these stages with the stores it has. Whoever keeps their stores elsewhere walks
//! them alone: the methods that return a question name the method that takes its answer.

mod authenticated;
mod common;
mod fresh;
mod parsed;
mod permitted;
mod received;

pub use authenticated::Authenticated;
pub use fresh::Fresh;
pub use parsed::Parsed;
pub use permitted::Permitted;
pub use received::Received;

#[cfg(feature = "diagnose")]
pub(crate) use parsed::{Signed, query_signed};
#[cfg(feature = "diagnose")]
pub(crate) use received::Read;
