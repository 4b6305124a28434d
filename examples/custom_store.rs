//! A nonce store of one's own, and the contract that it must hold.
//!
//! `cargo run --example custom_store`

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::thread;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{
    Credential, NonceClaim, NonceStore, NonceValue, NonceVerdict, Principal, StoreError, Stores,
    Unrestricted,
};
use qcloud_validator::{
    ManualClock, Policy, RequestView, SecretKey, Transport, UnixTime, Validator,
};

/// Used nonces in one map behind one lock: easy to read, and slow when many nonces are live.
///
/// A store that several processes share keeps the same contract with other means. In Redis, for example, one
/// `SET key 1 NX EXAT …` is the whole claim: with an expiry after `expires_at` by as much as the clocks may differ, and on
/// a server that never evicts keys.
pub(crate) struct PlainNonces {
    capacity: usize,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    /// Until when each is to be remembered, inclusive.
    expiry: HashMap<Key, i64>,
    /// Whatever expired before this second has been forgotten.
    forgotten: i64,
}

/// What makes two claims equal. The SecretId is part of it: two customers may use the same nonce.
type Key = (Box<str>, Option<i64>, NonceValue);

impl NonceStore for PlainNonces {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        // One atomic step: looking and inserting happen under one lock, so of equal claims exactly one is fresh. A
        // failure to answer is an error, never `Fresh`.
        let mut used = self
            .used
            .lock()
            .map_err(|_| StoreError::new("a thread panicked while it held the nonces"))?;

        // If the clock has gone back, this claim may have been made and forgotten. Nobody can tell, so it is refused.
        if claim.expires_at < used.forgotten {
            return Err(StoreError::new("the clock went back"));
        }

        let key = (claim.secret_id.into(), claim.timestamp, claim.value);
        if used
            .expiry
            .get(&key)
            .is_some_and(|&expiry| expiry >= claim.now.seconds())
        {
            return Ok(NonceVerdict::Repeated);
        }
        if used.expiry.len() >= self.capacity {
            // Only what can no longer be replayed is forgotten: its last second is inclusive.
            let now = claim.now.seconds();
            used.forgotten = used.forgotten.max(now);
            used.expiry.retain(|_, expiry| *expiry >= now);
        }
        if used.expiry.len() >= self.capacity {
            // Nothing live makes room for something new.
            return Ok(NonceVerdict::Full);
        }
        used.expiry.insert(key, claim.expires_at);
        Ok(NonceVerdict::Fresh)
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    one_of_many_is_admitted()?;
    nothing_live_is_forgotten()?;
    Ok(())
}

/// Eight threads bring the same request.
fn one_of_many_is_admitted() -> Result<(), Box<dyn Error>> {
    let credentials = MemoryCredentials::new();
    credentials.insert(Credential::permanent(
        "AKIDEXAMPLEdummydummydummydummydummy12",
        SecretKey::new("dummySecretKeyForTestsOnly0123456")?,
        Principal::account("100000000001"),
    ));
    let stores = Stores {
        credentials: Arc::new(credentials),
        nonces: Arc::new(PlainNonces::with_room_for(1000)),
        permissions: Arc::new(Unrestricted),
        quotas: Arc::new(Unrestricted),
    };
    let validator =
        Validator::new(Policy::default(), stores).with_clock(ManualClock::at(1_767_225_600));

    let verdicts: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let headers = [("Host", "cvm.api.qcloud.com")];
                    let request = RequestView::new(
                        Transport::Https,
                        "GET",
                        "/v2/index.php?Action=DescribeInstances&Nonce=11886&Region=ap-guangzhou\
                         &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600\
                         &Signature=MPn%2Bq2Q8SUqL%2FrCLFmNeIuPH3aM%3D",
                    )
                    .with_headers(&headers);
                    match validator.check(&request) {
                        Ok(_) => "admitted".to_owned(),
                        Err(refused) => refused.code().to_string(),
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .collect()
    });
    let admitted = verdicts
        .iter()
        .filter(|verdict| *verdict == "admitted")
        .count();
    let repeated = verdicts.iter().filter(|verdict| *verdict == "4500").count();
    println!("of 8 equal requests, {admitted} was admitted and {repeated} were refused with 4500");
    Ok(())
}

/// A store with room for one nonce.
fn nothing_live_is_forgotten() -> Result<(), StoreError> {
    let store = PlainNonces::with_room_for(1);
    // The window is 300 seconds, so a nonce is kept for as long after its timestamp.
    let claim = |nonce: u64, timestamp: i64, now: i64| {
        store.claim(&NonceClaim::new(
            "AKIDEXAMPLEdummydummydummydummydummy12",
            Some(timestamp),
            NonceValue::Number(nonce),
            UnixTime::from_seconds(now),
            timestamp.saturating_add(300),
        ))
    };
    println!("nonce 1, at second    0: {:?}", claim(1, 0, 0)?);
    println!("nonce 2, at second    1: {:?}", claim(2, 1, 1)?);
    println!("nonce 1, at second  300: {:?}", claim(1, 0, 300)?);
    println!("nonce 3, at second  301: {:?}", claim(3, 301, 301)?);
    match claim(1, 0, 300) {
        Ok(verdict) => println!("nonce 1, the clock back at 300: {verdict:?}"),
        Err(refused) => println!(
            "nonce 1, the clock back at 300: {}",
            refused
                .source()
                .map(ToString::to_string)
                .unwrap_or_default()
        ),
    }
    Ok(())
}

impl PlainNonces {
    pub(crate) fn with_room_for(capacity: usize) -> Self {
        Self {
            capacity,
            used: Mutex::default(),
        }
    }
}
