//! Decides about one request, then about the same request again, which is a replay.
//!
//! `cargo run --example check_a_request`

use std::error::Error;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{Clock, ManualClock, Policy, RequestView, SecretKey, Transport, Validator};

fn main() -> Result<(), Box<dyn Error>> {
    // Once, when the service starts: who may sign, and a validator that every thread shares.
    let credentials = MemoryCredentials::new();
    credentials.insert(Credential::permanent(
        "AKIDEXAMPLEdummydummydummydummydummy12",
        SecretKey::new("dummySecretKeyForTestsOnly0123456")?,
        Principal::account("100000000001"),
    ));
    let policy = Policy::default();
    // The request below was signed at this second. A service uses `SystemClock` and leaves `with_clock` out.
    let clock = ManualClock::at(1_767_225_600);
    let stores = Stores::in_memory(credentials, policy.window_seconds(), clock.now());
    let validator = Validator::new(policy, stores).with_clock(clock);

    // For each request: show it as it arrived, undecoded.
    let headers = [("Host", "cvm.api.qcloud.com")];
    let request = RequestView::new(
        Transport::Https,
        "GET",
        "/v2/index.php?Action=DescribeInstances&Nonce=11886&Region=ap-guangzhou\
         &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600\
         &Signature=MPn%2Bq2Q8SUqL%2FrCLFmNeIuPH3aM%3D",
    )
    .with_headers(&headers);

    for attempt in ["first", "second"] {
        match validator.check(&request) {
            Ok(admitted) => println!(
                "{attempt}: account {} may call {}",
                admitted.principal().uin(),
                admitted.action(),
            ),
            Err(refused) => {
                let response = refused.respond();
                println!("{attempt}: refused with {}", refused.code());
                println!(
                    "send: {} {} {}",
                    refused.http_status(),
                    refused.content_type(),
                    response.body(),
                );
                println!("log:  {} {}", response.request_id(), refused.reason().id());
            }
        }
    }
    Ok(())
}
