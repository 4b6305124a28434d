//! What has been used: one atomic question, "has this been claimed, and if not, is it mine now?"

use super::StoreError;
use crate::clock::UnixTime;

/// Remembers which nonces have been used.
///
/// # What an implementation must hold
///
/// * A claim is one atomic step: of any number of equal claims, at any number of callers, exactly one is
///   [`NonceVerdict::Fresh`].
/// * A claim that was answered `Fresh` is remembered until [`NonceClaim::expires_at`] **inclusive**. A claim forgotten
///   early is a replay admitted: nothing live may ever be evicted, and a full store refuses.
/// * Remembering longer refuses honest requests only if they repeat a nonce, so it costs memory, not safety.
/// * What may have been used before the store began to remember is [`NonceVerdict::BeforeMemory`], never `Fresh`.
/// * A failure to answer is an error, never `Fresh`.
pub trait NonceStore: Send + Sync {
    /// Claims a nonce.
    ///
    /// # Errors
    ///
    /// When the store cannot tell, or cannot remember; the request is refused with `InternalError`.
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError>;
}

/// One use of a nonce. Two claims are equal when `secret_id`, `timestamp` and `value` are.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NonceClaim<'a> {
    /// Whose nonce. Known and authenticated.
    pub secret_id: &'a str,
    /// The timestamp of the request in seconds, or `None` where the policy's scope leaves it out of the comparison.
    pub timestamp: Option<i64>,
    /// What must not repeat.
    pub value: NonceValue,
    /// The instant of the check.
    pub now: UnixTime,
    /// The last second, inclusive, at which the request could be replayed: its timestamp plus the window.
    pub expires_at: i64,
}

impl<'a> NonceClaim<'a> {
    /// A claim, for those who test a store of their own.
    #[must_use]
    pub const fn new(
        secret_id: &'a str,
        timestamp: Option<i64>,
        value: NonceValue,
        now: UnixTime,
        expires_at: i64,
    ) -> Self {
        Self {
            secret_id,
            timestamp,
            value,
            now,
            expires_at,
        }
    }
}

/// What must not repeat.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NonceValue {
    /// The `Nonce` parameter of v1 and v2.
    Number(u64),
    /// The verified signature of a TC3 request, which has no nonce, with its action mixed in.
    Signature([u8; 32]),
}

impl std::fmt::Debug for NonceValue {
    /// Does not show a signature: it is a credential until it expires.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "Number({number})"),
            Self::Signature(_) => f.write_str("Signature(..)"),
        }
    }
}

/// The answer to a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonceVerdict {
    /// It was not claimed before; now it is.
    Fresh,
    /// It was claimed before.
    Repeated,
    /// The request is dated before the store began to remember, and it may have been claimed then; nothing was claimed.
    BeforeMemory,
    /// This SecretId holds as many live nonces as it may; nothing was claimed.
    ShareExhausted,
    /// The store holds as many live nonces as it can; nothing was claimed.
    Full,
}
