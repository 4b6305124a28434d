//! Nonces that all gateways share: one script looks and claims.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::layout::Bucket;
use super::script::Script;
use super::settings::in_milliseconds;
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
        let times = Times::new(claim, asked, settings)?;
        let secret_id: [u8; 32] = Sha256::digest(claim.secret_id).into();
        let bucket = Bucket::of(settings, secret_id);
        let keys = [bucket.nonces(), bucket.marker(), bucket.share(&secret_id)];
        let unseen = settings.unseen();
        let mut question = self.script.on(&keys);
        question
            .arg(&member(claim, &secret_id))
            .arg(claim.expires_at)
            .arg(times.stale)
            .arg(times.valid)
            .arg(settings.nonces_per_secret_id)
            .arg(times.generation)
            .arg(settings.longest_life())
            .arg(unseen.milliseconds)
            .arg(unseen.forgets)
            .arg(times.horizon);
        let word: String = link
            .run(connection, &question)
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

/// What the server is told about time. Of spans it is told how long, never until when: so its clock may show anything. What
/// it is told in seconds of the gateways' clocks it compares with nothing else.
struct Times {
    /// Nonces that expire up to this second may be removed. It is past by the clock of this gateway and by the timestamp of
    /// the request, so a gateway whose clock is ahead removes nothing too early by itself.
    stale: i64,
    /// For how many milliseconds the request is valid from now. Negative in its last second.
    valid: i64,
    /// For how many milliseconds after a loss of memory a request may be valid that was used before. `None` where that does
    /// not matter.
    horizon: Option<u64>,
    /// For how many milliseconds nonces of a SecretId are counted together.
    generation: u64,
}

impl Times {
    /// A SecretId may be told that its share is exhausted while up to an eighth of it has expired.
    const GENERATIONS: u64 = 8;

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
        let dated = expires_at.saturating_sub(window);
        let allowance = i64::try_from(settings.clock_allowance.as_secs()).unwrap_or(i64::MAX);
        // One second more, since `expires_at` is inclusive.
        let stale = seconds
            .min(dated)
            .saturating_sub(allowance)
            .saturating_sub(1);
        let milliseconds = now.nanos().div_euclid(1_000_000);
        // The last second in which a request may be dated that was used before a loss, as seconds after that.
        let dated_until = match settings.after_restart {
            AfterRestart::RefuseDatedBefore => Some(0),
            AfterRestart::RefuseForOneWindow => Some(settings.window),
            AfterRestart::InsecureAdmit => None,
        };
        let horizon = dated_until.map(|seconds| {
            let seconds = u64::from(settings.window).saturating_add(u64::from(seconds));
            let allowance = in_milliseconds(settings.clock_allowance);
            seconds.saturating_mul(1000).saturating_add(allowance)
        });
        Ok(Self {
            stale,
            valid: expires_at.saturating_mul(1000).saturating_sub(milliseconds),
            horizon,
            generation: settings.longest_life() / Self::GENERATIONS,
        })
    }
}

/// Returns what a claim is kept as. Hashes have one length and show nothing: a signature is a credential until it expires.
fn member(claim: &NonceClaim<'_>, secret_id: &[u8; 32]) -> [u8; 16] {
    let mut member = Sha256::new();
    member.update(secret_id);
    // Each part has a length of its own, or begins with its kind: no two claims are written alike.
    match claim.timestamp {
        Some(timestamp) => {
            member.update(b"t");
            member.update(timestamp.to_be_bytes());
        }
        None => member.update(b"-"),
    }
    match claim.value {
        NonceValue::Number(number) => {
            member.update(b"n");
            member.update(number.to_be_bytes());
        }
        NonceValue::Signature(signature) => {
            member.update(b"s");
            member.update(signature);
        }
    }
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = <[u8; 32]>::from(member.finalize());
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}
