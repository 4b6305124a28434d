//! Drafts: requests with each step of their signature apart.

use crate::mistakes::hash::*;
use crate::mistakes::text::*;
use crate::mistakes::*;
use crate::signer::{SECRET_ID, SECRET_KEY, Signed, TIMESTAMP};

mod query;
mod tc3;

pub use query::QueryDraft;
pub use tc3::*;

/// In which order the pairs are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Bytes,
    AsListed,
    Natural,
    CaseInsensitive,
    ByPair,
    EncodedNames,
    Reversed,
}

/// What becomes of `_` in names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Underscore {
    Kept,
    DottedAfterSort,
    DottedBeforeSort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Urlencoded,
    Multipart,
}

/// How the signature is put into the query or form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureWire {
    Encoded,
    PlusRaw,
    PlusAsBlank,
    Twice,
}

/// How the parts of the string are put together.
pub type Joining = fn(&[u8], &[u8], &[u8], &[u8]) -> Bytes;

pub(crate) fn joined(method: &[u8], host: &[u8], path: &[u8], pairs: &[u8]) -> Bytes {
    [method, host, path, b"?", pairs].concat()
}

/// What the server knows and when the request arrives.
#[derive(Clone, Debug)]
pub struct World {
    pub secret_id: String,
    /// The key that is registered.
    pub secret: Bytes,
    /// The token that is registered, if the credential is temporary.
    pub token: Option<String>,
    pub now: i64,
}

impl World {
    pub(crate) fn base() -> Self {
        Self {
            secret_id: SECRET_ID.to_owned(),
            secret: SECRET_KEY.as_bytes().to_vec(),
            token: None,
            now: TIMESTAMP,
        }
    }
}

/// What both kinds of draft have in common.
pub trait Draft: Clone {
    fn world(&self) -> &World;
    fn request(&self) -> Signed;
    /// The text under the last MAC.
    fn string_to_sign(&self) -> Bytes;
}
