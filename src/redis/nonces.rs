//! Decides whether a nonce was used at any gateway, by one script that looks and claims.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ::redis::Script;
use sha2::{Digest, Sha256};

use super::{RedisError, RedisSettings, Shared};
use crate::clock::UnixTime;
use crate::store::{
    AfterRestart, Answer, NonceClaim, NonceValue, NonceVerdict, RemoteNonceStore, StoreError,
};

pub(super) struct RedisNonces {
    shared: Arc<Shared>,
    script: Script,
}

impl RedisNonces {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let script = Script::new(concat!(
            include_str!("memory.lua"),
            include_str!("claim.lua")
        ));
        Self { shared, script }
    }

    async fn decide(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let Shared { link, settings, .. } = &*self.shared;
        let connection = link.connection().await.map_err(StoreError::new)?;
        // Not `claim.now`: since then the claim has waited for other stores and for the connection.
        let asked = settings.clock.now();
        self.remembered(claim, asked, settings)?;
        let times = Times::new(claim, asked, settings)?;
        let keys = Keys::new(claim, settings);
        let mut script = self.script.prepare_invoke();
        script
            .key(&keys.nonce)
            .key(&keys.marker)
            .key(&keys.share)
            .arg(times.valid)
            .arg(times.kept)
            .arg(settings.nonces_per_secret_id)
            .arg(times.generation)
            .arg(times.longest)
            .arg(times.horizon);
        let word: String = link
            .run(connection, &script)
            .await
            .map_err(StoreError::new)?;
        match word.as_str() {
            "fresh" => in_time(asked, settings).map(|()| NonceVerdict::Fresh),
            "repeated" => Ok(NonceVerdict::Repeated),
            "share" => Ok(NonceVerdict::ShareExhausted),
            "before" => Ok(NonceVerdict::BeforeMemory),
            _ => Err(StoreError::new(RedisError::NotRedis { answer: word })),
        }
    }

    /// Whether the nonce cannot have been forgotten before the clock went back.
    fn remembered(
        &self,
        claim: &NonceClaim<'_>,
        now: UnixTime,
        settings: &RedisSettings,
    ) -> Result<(), StoreError> {
        let seconds = now.seconds();
        let latest = self.shared.latest.fetch_max(seconds, Ordering::AcqRel);
        let allowance = i64::try_from(settings.clock_allowance.as_secs()).unwrap_or(i64::MAX);
        let expires_at = claim.expires_at;
        if expires_at.saturating_add(allowance) >= latest {
            return Ok(());
        }
        Err(StoreError::new(format!(
            "a nonce that expires at {expires_at} was claimed at {seconds}, after the clock had shown {latest}: it may be \
             forgotten"
        )))
    }
}

impl RemoteNonceStore for RedisNonces {
    fn claim<'a>(&'a self, claim: NonceClaim<'a>) -> Answer<'a, NonceVerdict> {
        Box::pin(async move { self.decide(&claim).await })
    }
}

/// Does not believe a claim that was long on its way: the server may have taken it for one that is valid for longer than it
/// is. The time-out alone does not do, since a runtime that stands still looks at it late.
fn in_time(asked: UnixTime, settings: &RedisSettings) -> Result<(), StoreError> {
    let took = settings.clock.now().nanos().saturating_sub(asked.nanos());
    if u128::try_from(took).unwrap_or_default() <= settings.clock_allowance.as_nanos() {
        return Ok(());
    }
    let seconds = Duration::from_nanos(took.unsigned_abs()).as_secs();
    Err(StoreError::new(format!(
        "a claim was under way for {seconds} seconds, longer than the clock allowance"
    )))
}

/// Spans of time, in milliseconds. What the server is told is how long, never when: so its clock may show what it likes.
struct Times {
    /// How long the request is valid from now. Negative in its last second.
    valid: i64,
    /// How long the nonce is kept.
    kept: i64,
    /// For how long after a loss of memory a request may be valid that was used before. `None` where that does not matter.
    horizon: Option<i64>,
    /// For how long nonces of a SecretId are counted together.
    generation: i64,
    /// How long a nonce is kept at most.
    longest: i64,
}

impl Times {
    /// A SecretId may be told that its share is exhausted while up to an eighth of it has expired.
    const GENERATIONS: i64 = 8;

    fn new(
        claim: &NonceClaim<'_>,
        now: UnixTime,
        settings: &RedisSettings,
    ) -> Result<Self, StoreError> {
        let window = i64::from(settings.window);
        let expires_at = claim.expires_at;
        let seconds = now.seconds();
        if expires_at < seconds {
            return Err(StoreError::new(format!(
                "a nonce that expired at {expires_at} was claimed at {seconds}: the stores took too long, or the clock of \
                 the nonce store is not that of the validator"
            )));
        }
        if expires_at > seconds.saturating_add(window.saturating_mul(2)) {
            return Err(StoreError::new(format!(
                "a nonce that expires at {expires_at} was claimed at {seconds}: the nonce store was built for a window of \
                 {window} seconds, and the policy has a longer one"
            )));
        }
        let allowance = i64::try_from(settings.clock_allowance.as_millis()).unwrap_or(i64::MAX);
        let milliseconds = now.nanos().div_euclid(1_000_000);
        let valid = expires_at.saturating_mul(1000).saturating_sub(milliseconds);
        // `expires_at` is inclusive: that second counts whole.
        let kept_longer = allowance.saturating_add(1000);
        let longest = window.saturating_mul(2000).saturating_add(kept_longer);
        // The last second in which a request may be dated that was used before a loss, as seconds after that.
        let dated_until = match settings.after_restart {
            AfterRestart::RefuseDatedBefore => Some(0),
            AfterRestart::RefuseForOneWindow => Some(window),
            AfterRestart::InsecureAdmit => None,
        };
        let horizon = dated_until.map(|seconds| {
            let milliseconds = window.saturating_add(seconds).saturating_mul(1000);
            milliseconds.saturating_add(allowance)
        });
        Ok(Self {
            valid,
            kept: valid.saturating_add(kept_longer),
            horizon,
            generation: longest.checked_div(Self::GENERATIONS).unwrap_or(longest),
            longest,
        })
    }
}

/// What a claim is kept under. Hashes have one length and show nothing: a signature is a credential until it expires.
struct Keys {
    nonce: Vec<u8>,
    share: Vec<u8>,
    marker: Vec<u8>,
}

impl Keys {
    fn new(claim: &NonceClaim<'_>, settings: &RedisSettings) -> Self {
        let tenant = Sha256::digest(claim.secret_id);
        let mut nonce = Sha256::new();
        nonce.update(tenant);
        // Each part has a length of its own, or begins with its kind: no two claims are written alike.
        match claim.timestamp {
            Some(timestamp) => {
                nonce.update(b"t");
                nonce.update(timestamp.to_be_bytes());
            }
            None => nonce.update(b"-"),
        }
        match claim.value {
            NonceValue::Number(number) => {
                nonce.update(b"n");
                nonce.update(number.to_be_bytes());
            }
            NonceValue::Signature(signature) => {
                nonce.update(b"s");
                nonce.update(signature);
            }
        }
        Self {
            nonce: settings.key("n", &nonce.finalize()),
            share: settings.key("s", &tenant),
            marker: settings.marker(),
        }
    }
}
