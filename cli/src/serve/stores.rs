//! Stores that outlive a reload: used nonces always, and what has been drawn as long as the limits are the same.

use std::sync::{Arc, Mutex, PoisonError};

use qcloud_validator::memory::{MemoryCredentials, MemoryNonces};
#[cfg(feature = "redis")]
use qcloud_validator::redis::RedisStores;
use qcloud_validator::store::{
    AfterRestart, AsyncStores, NonceStore, QuotaStore, RemoteNonceStore, RemoteQuotaStore, Slot,
    Unrestricted,
};
use qcloud_validator::{AsyncValidator, Clock, SystemClock};

#[cfg(feature = "redis")]
use super::shared;
use crate::config::redis::RedisConfig;
use crate::config::validator::{LimitRules, NonceRules, Setup};

/// The stores that outlive a reload.
pub(crate) struct Kept {
    memory: Memory,
    rules: NonceRules,
    window: u32,
    drawn: Mutex<Drawn>,
}

/// Where used nonces and counts are.
enum Memory {
    /// In this process.
    Own(Arc<MemoryNonces>),
    /// Where other gateways see them too.
    #[cfg(feature = "redis")]
    Shared(RedisStores),
}

type Nonces = Slot<dyn NonceStore, dyn RemoteNonceStore>;
type Quotas = Slot<dyn QuotaStore, dyn RemoteQuotaStore>;

/// A store of quotas, and the rules it was made for.
struct Drawn {
    rules: LimitRules,
    store: Quotas,
}

impl Kept {
    /// The stores of a gateway that starts now: empty, but for the nonces that its predecessor saved or that others share.
    /// The error is one line.
    pub(crate) async fn open(
        setup: &Setup,
        redis: Option<&RedisConfig>,
        otherwise: AfterRestart,
    ) -> Result<Self, String> {
        let policy = setup.policy.clone().build();
        let window = policy.map_err(|error| error.to_string())?.window_seconds();
        let rules = setup.nonces.clone();
        let after_restart = rules.after_restart.unwrap_or(otherwise);
        let memory = match redis {
            #[cfg(feature = "redis")]
            Some(redis) => {
                Memory::Shared(shared::connect(redis, &rules, window, after_restart).await?)
            }
            #[cfg(not(feature = "redis"))]
            Some(redis) => match *redis {},
            None => own(&rules, window, after_restart)?,
        };
        Ok(Self {
            memory,
            rules,
            window,
            drawn: Mutex::new(Drawn {
                rules: LimitRules::default(),
                store: Slot::Local(Arc::new(Unrestricted)),
            }),
        })
    }

    /// Hands the used nonces on to the next process, if there is a place for them, and admits nothing more. How many there
    /// were; the error is one line.
    pub(crate) fn close(&self) -> Result<Option<usize>, String> {
        match (&self.memory, &self.rules.file) {
            (Memory::Own(nonces), Some(file)) => {
                let saved = nonces.save(file);
                saved
                    .map(Some)
                    .map_err(|error| format!("nonces.file: {error}"))
            }
            _ => Ok(None),
        }
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
        let stores = AsyncStores {
            credentials: Slot::Local(Arc::new(credentials)),
            nonces: self.nonces(),
            permissions: Slot::Local(setup.permissions),
            quotas: self.quotas(setup.limits),
        };
        Ok(AsyncValidator::new(policy, stores))
    }

    fn nonces(&self) -> Nonces {
        match &self.memory {
            Memory::Own(nonces) => Slot::Local(nonces.clone()),
            #[cfg(feature = "redis")]
            Memory::Shared(redis) => Slot::Remote(redis.nonces()),
        }
    }

    fn quotas(&self, rules: LimitRules) -> Quotas {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if drawn.rules != rules {
            *drawn = Drawn {
                store: match &self.memory {
                    Memory::Own(_) => Slot::Local(Arc::new(rules.in_memory())),
                    #[cfg(feature = "redis")]
                    Memory::Shared(redis) => Slot::Remote(Arc::new(rules.in_redis(redis))),
                },
                rules,
            };
        }
        drawn.store.clone()
    }

    /// Whether the stores can answer; if not, why, in one line.
    pub(crate) async fn ready(&self) -> Result<(), String> {
        match &self.memory {
            Memory::Own(nonces) if nonces.is_full(SystemClock.now()) => {
                let total = self.rules.capacity.total();
                Err(format!("nonces: all {total} places are taken"))
            }
            Memory::Own(_) => Ok(()),
            #[cfg(feature = "redis")]
            Memory::Shared(redis) => redis
                .ready()
                .await
                .map_err(|error| format!("redis: {error}")),
        }
    }

    /// Of those in this process.
    pub(crate) fn live_nonces(&self) -> Option<usize> {
        match &self.memory {
            Memory::Own(nonces) => Some(nonces.len()),
            #[cfg(feature = "redis")]
            Memory::Shared(_) => None,
        }
    }
}

fn own(rules: &NonceRules, window: u32, after_restart: AfterRestart) -> Result<Memory, String> {
    let now = SystemClock.now();
    let loaded = match &rules.file {
        Some(file) => {
            let loaded = MemoryNonces::load(file, rules.capacity, window, now);
            loaded.map_err(|error| format!("nonces.file: {error}"))?
        }
        None => None,
    };
    let nonces = loaded
        .unwrap_or_else(|| MemoryNonces::started_at(rules.capacity, window, now, after_restart));
    Ok(Memory::Own(Arc::new(nonces)))
}
