//! A diagnosis ends, and claims no mistake about a signature that nobody made.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qcloud_validator::diagnose::Outcome;
use qcloud_validator::{Reason, RequestView, Transport};

#[path = "../support.rs"]
mod support;

fuzz_target!(|input: (Vec<u8>, [u8; 20])| {
    let (parameters, signature) = input;
    let signature: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let body = [
        b"Action=DescribeInstances&Nonce=1&Timestamp=1767225600&Version=2017-03-12&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Signature=",
        signature.as_bytes(),
        b"&",
        &parameters,
    ]
    .concat();
    let headers = [("host", "cvm.tencentcloudapi.com")];
    let view = RequestView::new(Transport::Https, "POST", "/")
        .with_headers(&headers)
        .with_body(&body);
    let validator = support::validator();
    let Err(refused) = validator.check(&view) else {
        panic!("a random signature was admitted");
    };
    let diagnosis = validator.explain(&view, &refused);
    if *refused.reason() == Reason::SignatureMismatch {
        assert_ne!(diagnosis.outcome(), Outcome::Explained, "{diagnosis}");
    }
});
