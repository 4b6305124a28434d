//! The requests that are measured, the validator that judges them, and the hashes that no validator can do without.

use std::cell::Cell;
use std::num::NonZeroU32;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use qcloud_validator::memory::{
    AccountRules, ActionRules, Effect, MemoryCredentials, MemoryNonces, MemoryPermissions,
    MemoryQuotas, NonceCapacity, Rule,
};
use qcloud_validator::store::{Credential, Principal, QuotaRule, RateRule, Stores};
use qcloud_validator::{
    Admitted, ManualClock, Policy, Rejection, ReplayScope, RequestView, SecretKey, Transport,
    Validator,
};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::signer::{
    Algorithm, QuerySigner, SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, Tc3Signer, tc3_keys, utc_date,
};

const MAIN: &str = "100000000001";
const SUB: &str = "200000000001";

/// All four stores in memory, with rules that have to be looked at: the caller is a sub-account with a rule of its own,
/// a rate and a quota. TC3 requests are remembered as well, which the default policy does not ask for.
pub fn validator() -> Validator {
    let policy = Policy::builder()
        .replay_tc3(ReplayScope::SecretIdTimestampNonce)
        .build()
        .expect("the policy can hold");
    let credentials = MemoryCredentials::new();
    credentials.insert(Credential::permanent(
        SECRET_ID,
        SecretKey::new(SECRET_KEY).expect("the key is not empty"),
        Principal::sub_account(MAIN, SUB),
    ));
    let rules =
        AccountRules::new().with_sub_account(SUB, [Rule::new(Effect::Allow, ["Describe*"], ["*"])]);
    let plenty = NonZeroU32::MAX;
    let stores = Stores {
        credentials: Arc::new(credentials),
        nonces: Arc::new(MemoryNonces::insecure_without_memory(
            NonceCapacity::new(1_000_000, 1_000_000).expect("there is room"),
            policy.window_seconds(),
        )),
        permissions: Arc::new(
            MemoryPermissions::new()
                .with_account(MAIN, rules)
                .with_action(ActionRules::new("DescribeInstances")),
        ),
        quotas: Arc::new(
            MemoryQuotas::new()
                .with_rate(RateRule::new(plenty, NonZeroU32::MIN))
                .with_quota(QuotaRule::new(u64::MAX, plenty)),
        ),
    };
    Validator::new(policy, stores).with_clock(ManualClock::at(TIMESTAMP))
}

/// Shows a request to the validator as it would arrive over TLS.
pub fn check(validator: &Validator, request: &Signed) -> Result<Admitted, Rejection> {
    validator.check(
        &RequestView::new(Transport::Https, &request.method, &request.target)
            .with_headers(&request.headers)
            .with_body(&request.body),
    )
}

thread_local! {
    static USED: Cell<u64> = const { Cell::new(0) };
}

/// A number that this thread has not used.
pub fn unused() -> u64 {
    USED.set(USED.get() + 1);
    USED.get()
}

/// A v2 request with so many parameters, the common ones and the signature among them.
pub fn v2(method: &str, algorithm: Algorithm, parameters: usize) -> QuerySigner {
    let signer = QuerySigner {
        method: method.to_owned(),
        algorithm,
        ..QuerySigner::v2()
    };
    // Besides Action and Region: SecretId, Timestamp, Nonce, SignatureMethod, Signature.
    filled(signer, parameters - 5)
}

/// A v1 GET with so many parameters.
pub fn v1(parameters: usize) -> QuerySigner {
    let signer = QuerySigner {
        algorithm: Algorithm::Sha1,
        ..QuerySigner::v1()
    };
    filled(signer, parameters - 5)
}

fn filled(mut signer: QuerySigner, parameters: usize) -> QuerySigner {
    for (name, value) in business_parameters() {
        if signer.params.len() == parameters {
            break;
        }
        signer = signer.with(&name, &value);
    }
    signer.nonce = unused().to_string();
    signer
}

fn business_parameters() -> impl Iterator<Item = (String, String)> {
    let filters = (0..).flat_map(|filter| {
        [
            (format!("Filters.{filter}.Name"), "instance-name".to_owned()),
            (
                format!("Filters.{filter}.Values.0"),
                format!("web server {filter}"),
            ),
        ]
    });
    [("Limit".to_owned(), "20".to_owned())]
        .into_iter()
        .chain(filters)
}

/// A TC3 POST of JSON with so many bytes.
pub fn tc3_post(bytes: usize) -> Tc3Signer {
    let mut body = format!(r#"{{"ClientToken":"{:016}","Limit":20,"Text":""#, unused());
    body.extend(std::iter::repeat_n('x', bytes - body.len() - 2));
    body.push_str("\"}");
    Tc3Signer {
        body: body.into_bytes(),
        ..Tc3Signer::post()
    }
}

/// A TC3 GET with so many parameters.
pub fn tc3_get(parameters: usize) -> Tc3Signer {
    let mut query = format!("ClientToken={:016}", unused());
    for (name, value) in business_parameters().take(parameters - 1) {
        query.push_str(&format!("&{name}={}", value.replace(' ', "%20")));
    }
    Tc3Signer {
        query,
        ..Tc3Signer::get()
    }
}

/// A signed request, and what has to be hashed to verify it.
pub struct Sample {
    pub request: Signed,
    canonical: String,
}

impl From<QuerySigner> for Sample {
    fn from(signer: QuerySigner) -> Self {
        Self {
            request: signer.sign(),
            canonical: String::new(),
        }
    }
}

impl From<Tc3Signer> for Sample {
    fn from(signer: Tc3Signer) -> Self {
        let query = if signer.method == "GET" {
            &*signer.query
        } else {
            ""
        };
        let canonical = format!(
            "{}\n{}\n{query}\ncontent-type:{}\nhost:{}\n\ncontent-type;host\n{:064}",
            signer.method, signer.path, signer.content_type, signer.host, 0
        );
        Self {
            request: signer.sign(),
            canonical,
        }
    }
}

/// The MACs with their keys in them, as a validator may keep them.
pub struct Floor {
    sha1: Hmac<Sha1>,
    sha256: Hmac<Sha256>,
    tc3: Hmac<Sha256>,
}

impl Floor {
    pub fn new() -> Self {
        let signing = tc3_keys(SECRET_KEY, &utc_date(TIMESTAMP), "cvm").signing;
        Self {
            sha1: keyed(SECRET_KEY.as_bytes()),
            sha256: keyed(SECRET_KEY.as_bytes()),
            tc3: keyed(&signing),
        }
    }

    /// The MAC over the string to sign.
    pub fn sha1(&self, sample: &Sample) -> u8 {
        finish(self.sha1.clone(), &sample.request.string_to_sign)
    }

    /// The MAC over the string to sign.
    pub fn sha256(&self, sample: &Sample) -> u8 {
        finish(self.sha256.clone(), &sample.request.string_to_sign)
    }

    /// The digests of the payload and of the canonical request, and the MAC over the string to sign.
    pub fn tc3(&self, sample: &Sample) -> u8 {
        let payload = Sha256::digest(&sample.request.body);
        let canonical = Sha256::digest(&sample.canonical);
        let mac = finish(self.tc3.clone(), &sample.request.string_to_sign);
        mac ^ payload[0] ^ canonical[0]
    }
}

fn keyed<M: KeyInit>(key: &[u8]) -> M {
    M::new_from_slice(key).expect("HMAC takes keys of any length")
}

fn finish<M: Mac>(mut mac: M, text: &str) -> u8 {
    mac.update(text.as_bytes());
    mac.finalize().into_bytes()[0]
}
