//! A validator that knows the keys, so that the fuzzer reaches what lies behind the signature.

use qcloud_validator::store::{Credential, MemoryCredentials, Principal, Stores};
use qcloud_validator::{ManualClock, Policy, SecretKey, Validator};

#[allow(dead_code)]
pub const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";

pub fn validator() -> Validator {
    let credentials = MemoryCredentials::new();
    let key = SecretKey::new(SECRET_KEY).expect("the key is not empty");
    credentials.insert(Credential::permanent(
        "AKIDEXAMPLEdummydummydummydummydummy12",
        key,
        Principal::account("100000000001"),
    ));
    let policy = Policy::default();
    let stores = Stores::in_memory(credentials, policy.window_seconds());
    Validator::new(policy, stores).with_clock(ManualClock::at(1_767_225_600))
}
