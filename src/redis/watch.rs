//! Looking at all buckets, for readiness and at regular times, so that a loss is noticed before a claim meets it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::layout::Bucket;
use super::link::Link;
use super::script::{Question, Script};
use super::{RedisError, RedisSettings, Shared};

/// Asks about all buckets at once: one look takes the server about a millisecond.
pub(super) struct Look {
    question: Question,
}

impl Look {
    pub(super) fn new(settings: &RedisSettings) -> Self {
        let script = Script::new(concat!(
            include_str!("memory.lua"),
            include_str!("touch.lua")
        ));
        let keys: Vec<Vec<u8>> = Bucket::all(settings)
            .flat_map(|bucket| [bucket.nonces(), bucket.marker()])
            .collect();
        let mut question = script.on(&keys);
        let unseen = settings.unseen();
        question
            .arg(unseen.milliseconds)
            .arg(unseen.forgets)
            .arg(settings.longest_life());
        Self { question }
    }

    /// Fails where claims fail.
    pub(super) async fn ask(&self, link: &Link) -> Result<(), RedisError> {
        let connection = link.connection().await?;
        let word: String = link.run(connection, &self.question).await?;
        match word.as_str() {
            "ready" => Ok(()),
            _ => Err(RedisError::NotRedis { answer: word }),
        }
    }
}

/// Looks again and again, until the stores are gone. What fails is reported by the claims that fail as well.
pub(super) fn keep_looking(shared: &Arc<Shared>) {
    let period = period(&shared.settings);
    let shared = Arc::downgrade(shared);
    tokio::spawn(async move {
        loop {
            sleep(period).await;
            let Some(shared) = shared.upgrade() else {
                return;
            };
            let _ = shared.look.ask(&shared.link).await;
        }
    });
}

/// At least four times before a bucket was not seen for too long.
fn period(settings: &RedisSettings) -> Duration {
    let quarter = settings.unseen().milliseconds / 4;
    Duration::from_millis(quarter).min(Duration::from_secs(1))
}
