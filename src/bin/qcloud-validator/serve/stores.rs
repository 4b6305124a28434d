//! Decides what a reload keeps: used nonces always, and what has been drawn as long as the limits are the same.

use std::sync::{Arc, Mutex, PoisonError};

use qcloud_validator::AsyncValidator;
use qcloud_validator::store::{
    AsyncStores, MemoryCredentials, MemoryNonces, MemoryQuotas, NonceCapacity, Stores,
};

use crate::credentials_file::{LimitRules, Setup};

/// The stores that outlive a reload.
pub(crate) struct Kept {
    nonces: Arc<MemoryNonces>,
    capacity: NonceCapacity,
    window: u32,
    drawn: Mutex<Drawn>,
}

/// A store of quotas, and the rules it was made for.
struct Drawn {
    rules: LimitRules,
    store: Arc<MemoryQuotas>,
}

impl Kept {
    /// Empty stores for a configuration. The error is one line.
    pub(crate) fn new(setup: &Setup) -> Result<Self, String> {
        let policy = setup.policy.clone().build();
        let window = policy.map_err(|error| error.to_string())?.window_seconds();
        Ok(Self {
            nonces: Arc::new(MemoryNonces::new(setup.nonces, window)),
            capacity: setup.nonces,
            window,
            drawn: Mutex::new(Drawn {
                rules: LimitRules::default(),
                store: Arc::default(),
            }),
        })
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
        if setup.nonces != self.capacity {
            return Err(
                "nonces: expected the numbers of the start: the store is that large".to_owned(),
            );
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
