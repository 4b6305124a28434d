//! Decides what a reload keeps: used nonces always, and what has been drawn as long as the limits are the same.

use std::sync::{Arc, Mutex, PoisonError};

use qcloud_validator::store::{
    AfterRestart, AsyncStores, MemoryCredentials, MemoryNonces, MemoryQuotas, Stores,
};
use qcloud_validator::{AsyncValidator, Clock, SystemClock};

use crate::credentials_file::{LimitRules, NonceRules, Setup};

/// The stores that outlive a reload.
pub(crate) struct Kept {
    nonces: Arc<MemoryNonces>,
    rules: NonceRules,
    window: u32,
    drawn: Mutex<Drawn>,
}

/// A store of quotas, and the rules it was made for.
struct Drawn {
    rules: LimitRules,
    store: Arc<MemoryQuotas>,
}

impl Kept {
    /// The stores of a gateway that starts now: empty, but for the nonces that its predecessor saved. The error is one line.
    pub(crate) fn open(setup: &Setup, otherwise: AfterRestart) -> Result<Self, String> {
        let policy = setup.policy.clone().build();
        let window = policy.map_err(|error| error.to_string())?.window_seconds();
        let rules = setup.nonces.clone();
        let now = SystemClock.now();
        let loaded = match &rules.file {
            Some(file) => {
                let loaded = MemoryNonces::load(file, rules.capacity, window, now);
                loaded.map_err(|error| format!("nonces.file: {error}"))?
            }
            None => None,
        };
        let nonces = loaded.unwrap_or_else(|| {
            let rule = rules.after_restart.unwrap_or(otherwise);
            MemoryNonces::new(rules.capacity, window).started_at(now, rule)
        });
        Ok(Self {
            nonces: Arc::new(nonces),
            rules,
            window,
            drawn: Mutex::new(Drawn {
                rules: LimitRules::default(),
                store: Arc::default(),
            }),
        })
    }

    /// Hands the used nonces on to the next process, if there is a place for them, and admits nothing more. How many there
    /// were; the error is one line.
    pub(crate) fn close(&self) -> Result<Option<usize>, String> {
        let Some(file) = &self.rules.file else {
            return Ok(None);
        };
        let saved = self.nonces.save(file);
        saved
            .map(Some)
            .map_err(|error| format!("nonces.file: {error}"))
    }

    /// A validator for a configuration, over what is kept. The error is one line; then nothing has changed.
    pub(crate) fn validator(&self, setup: Setup) -> Result<AsyncValidator, String> {
        let policy = setup.policy.build().map_err(|error| error.to_string())?;
        if policy.window_seconds() != self.window {
            return Err(format!(
                "policy.window_seconds: expected {} as at the start: the nonces are kept for that long",
                self.window
            ));
        }
        if setup.nonces != self.rules {
            return Err("nonces: expected as at the start; restart to change them".to_owned());
        }
        let credentials: MemoryCredentials = setup.credentials.into_iter().collect();
        let stores = AsyncStores::from(Stores {
            credentials: Arc::new(credentials),
            nonces: self.nonces.clone(),
            permissions: setup.permissions,
            quotas: self.quotas(setup.limits),
        });
        Ok(AsyncValidator::new(policy, stores))
    }

    fn quotas(&self, rules: LimitRules) -> Arc<MemoryQuotas> {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.rules != rules {
            *drawn = Drawn {
                store: Arc::new(rules.in_memory()),
                rules,
            };
        }
        Arc::clone(&drawn.store)
    }

    /// Whether the stores can answer.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    pub(crate) fn live_nonces(&self) -> usize {
        self.nonces.len()
    }
}
