//! What the targets share: a validator that knows the key, so that the fuzzer reaches what lies behind the signature, and
//! seeds from the captured requests of published clients.
#![allow(
    dead_code,
    reason = "several targets include this module and each uses a part of it"
)]

use std::path::PathBuf;
use std::{env, fs};

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    Dialect, Language, ManualClock, Policy, Rejection, SecretKey, UnixTime, Validator,
};

pub use test_support::{captures, signer};

use captures::Capture;

pub fn credentials() -> MemoryCredentials {
    let credentials = MemoryCredentials::new();
    let key = SecretKey::new(signer::SECRET_KEY).expect("the key is not empty");
    credentials.insert(Credential::permanent(
        signer::SECRET_ID,
        key,
        Principal::account("100000000001"),
    ));
    credentials
}

pub fn validator(policy: Policy, now: UnixTime) -> Validator {
    let stores = Stores::insecure_in_memory(credentials(), policy.window_seconds());
    let clock = ManualClock::at(0);
    clock.set(now);
    Validator::new(policy, stores).with_clock(clock)
}

/// Fills the corpus folder that libFuzzer was given with what `seed` makes of each captured request, if it is empty.
pub fn seed_with_captures(seed: impl Fn(&Capture) -> Option<Vec<u8>>) {
    seed_with(captures::all().iter().filter_map(seed));
}

/// The same with these inputs.
pub fn seed_with(inputs: impl Iterator<Item = Vec<u8>>) {
    let Some(corpus) = empty_corpus() else {
        return;
    };
    for (number, input) in inputs.enumerate() {
        fs::write(corpus.join(format!("seed-{number}")), input).expect("the corpus is writable");
    }
}

/// The first folder on the command line, which is where libFuzzer keeps what it finds.
fn empty_corpus() -> Option<PathBuf> {
    let folder = env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'))?;
    let empty = fs::read_dir(&folder).ok()?.next().is_none();
    empty.then(|| folder.into())
}

/// A refusal reads as JSON in every dialect and language, and no part of it is a key.
pub fn assert_renders(refused: &Rejection) {
    for dialect in Dialect::ALL {
        for language in [Language::EnUs, Language::ZhCn] {
            let worded = Rejection::new(refused.reason().clone(), dialect, language);
            let body = worded.response("id");
            let json: serde_json::Value = serde_json::from_str(&body).expect("a refusal is JSON");
            let message = match dialect {
                Dialect::V2Numeric => &json["message"],
                _ => &json["Response"]["Error"]["Message"],
            };
            assert_eq!(message.as_str(), Some(worded.message().as_str()));
            assert!(!worded.message().is_empty());
            assert!(!worded.message().contains(char::is_control));
        }
    }
    let said = [
        refused.response("id"),
        format!("{refused:?}"),
        refused.to_string(),
    ];
    for text in said {
        assert!(!text.contains(signer::SECRET_KEY));
    }
}
