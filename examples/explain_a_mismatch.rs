//! Says why the signature of a request does not match: here the values were percent-encoded before they were signed.
//!
//! `cargo run --features diagnose --example explain_a_mismatch`

use std::error::Error;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{Clock, ManualClock, Policy, RequestView, SecretKey, Transport, Validator};

fn main() -> Result<(), Box<dyn Error>> {
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

    // Signed by a client that joined `recordLine=%E9%BB%98%E8%AE%A4` into its string to sign.
    let headers = [("Host", "cns.api.qcloud.com")];
    let request = RequestView::new(
        Transport::Https,
        "GET",
        "/v2/index.php?Action=RecordModify&Nonce=11886&SecretId=AKIDEXAMPLEdummydummydummydummydummy12\
         &Timestamp=1767225600&recordLine=%E9%BB%98%E8%AE%A4&Signature=KWhpiBg5RvuCWlX0pDeRy9h%2FNLE%3D",
    )
    .with_headers(&headers);

    match validator.check(&request) {
        Ok(admitted) => println!("admitted: {}", admitted.action()),
        Err(refused) => {
            println!("{refused}\n");
            println!("{}", validator.explain(&request, &refused));
        }
    }
    Ok(())
}
