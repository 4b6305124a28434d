//! Whether the request is new (common-errors.md row 12).

use crate::reason::{Reason, Store};
use crate::store::NonceVerdict;

/// Proof that the nonce was claimed, or that the policy remembers none for this scheme.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NonceClaimed(());

/// Judges the answer of the store; `None` where nothing was to be claimed.
pub(crate) fn check(verdict: Option<NonceVerdict>) -> Result<NonceClaimed, Reason> {
    match verdict {
        None | Some(NonceVerdict::Fresh) => Ok(NonceClaimed(())),
        Some(NonceVerdict::Repeated) => Err(Reason::NonceRepeated),
        Some(NonceVerdict::BeforeMemory) => Err(Reason::NonceBeforeMemory),
        Some(NonceVerdict::ShareExhausted) => Err(Reason::NonceShareExhausted),
        Some(NonceVerdict::Full) => Err(Reason::StoreFailed {
            store: Store::Nonces,
        }),
    }
}
