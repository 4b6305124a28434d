//! For tests of clients that sign: requests from wherever they come, assertions that say what is wrong with them, and a
//! signer that signs as a client should, or as one with a known mistake does.
//!
//! ```
//! use qcloud_validator::assert_admitted;
//! use qcloud_validator::testkit::Signer;
//!
//! // In a test this comes from the client.
//! let request = Signer::tc3("AKIDEXAMPLE", "dummySecretKey")
//!     .action("DescribeZones")
//!     .version("2017-03-12")
//!     .sign();
//!
//! assert_admitted!(&request, ("AKIDEXAMPLE", "dummySecretKey"));
//! ```
//!
//! A test of a client that is not written in Rust pastes its request, as it came over the wire
//! ([`Request::from_raw`]) or as a command line ([`Request::from_curl`]).
//!
//! For tests of a store of one's own there is [`conformance`].

mod assert;
pub mod conformance;
mod curl;
mod mistake;
mod raw;
mod request;
mod shell;
mod sign;

pub use assert::{Assertion, Credentials};
pub use curl::UnreadableCommand;
pub use mistake::CannotShow;
pub use raw::{RawRequests, UnreadableRequest};
pub use request::Request;
pub use sign::Signer;

pub use crate::clock::ManualClock;
#[doc(inline)]
pub use crate::{assert_admitted, assert_refused};
