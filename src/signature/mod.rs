//! Signatures: the bytes that are signed, and the comparison.

mod authorization;
mod compare;
pub(crate) mod hex;
mod key;
mod query;
mod sink;
mod tc3;
mod verify;

pub(crate) use authorization::{Authorization, lower_case};
#[cfg(feature = "diagnose")]
pub(crate) use compare::begins_mac;
pub(crate) use compare::equal;
pub(crate) use key::SigningKey;
pub use key::{EmptySecret, SecretKey};
pub(crate) use query::{LeftOut, QuerySigned};
pub(crate) use tc3::Tc3Signed;
pub(crate) use verify::SignatureValid;
