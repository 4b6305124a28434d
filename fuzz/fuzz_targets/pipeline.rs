//! What the reference signer signs is admitted, and a request altered in one byte of what is signed is not.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qcloud_validator::{Reason, RequestView, Transport};

#[path = "../../tests/support/signer.rs"]
#[allow(dead_code)]
mod signer;
#[path = "../support.rs"]
mod support;

use signer::{QuerySigner, Signed, Tc3Signer};

#[derive(Arbitrary, Debug)]
struct Input {
    scheme: Scheme,
    post: bool,
    nonce: u64,
    parameters: Vec<(String, String)>,
    body: Vec<u8>,
    altered: Option<(u16, u8)>,
}

#[derive(Arbitrary, Debug)]
enum Scheme {
    V2,
    V1,
    Tc3,
}

const COMMON: [&str; 10] = [
    "Action",
    "Version",
    "Region",
    "Timestamp",
    "Nonce",
    "SecretId",
    "Signature",
    "SignatureMethod",
    "Token",
    "Language",
];

fn sign(input: &Input) -> Option<Signed> {
    let method = if input.post { "POST" } else { "GET" }.to_owned();
    let query = match input.scheme {
        Scheme::Tc3 => {
            let body = if input.post {
                input.body.clone()
            } else {
                Vec::new()
            };
            let base = if input.post {
                Tc3Signer::post()
            } else {
                Tc3Signer::get()
            };
            return Some(Tc3Signer { body, ..base }.sign());
        }
        Scheme::V2 => QuerySigner::v2(),
        Scheme::V1 => QuerySigner::v1(),
    };
    let mut names: Vec<String> = Vec::new();
    let mut signer = QuerySigner {
        method,
        nonce: input.nonce.to_string(),
        ..query
    };
    for (name, value) in &input.parameters {
        let folded = name.replace('_', ".");
        // What the validator refuses for its form is another target's matter.
        if name.is_empty() || COMMON.contains(&name.as_str()) || names.contains(&folded) {
            continue;
        }
        names.push(folded);
        signer = signer.with(name, value);
    }
    Some(signer.sign())
}

fuzz_target!(|input: Input| {
    let Some(mut request) = sign(&input) else {
        return;
    };
    if request.query().len() > 32_768 || request.body.len() > 1_048_576 {
        return;
    }
    let altered = match input.altered {
        Some((at, byte)) if !request.body.is_empty() => {
            let at = usize::from(at) % request.body.len();
            let before = std::mem::replace(&mut request.body[at], byte);
            before != byte
        }
        _ => false,
    };
    let view = RequestView::new(Transport::Https, &request.method, &request.target)
        .with_headers(&request.headers)
        .with_body(&request.body);
    let verdict = support::validator().check(&view);
    if !altered {
        assert!(verdict.is_ok(), "{verdict:?}");
    } else if let (Ok(_), Scheme::Tc3) = (&verdict, &input.scheme) {
        panic!("an altered body was admitted");
    } else if let Err(refused) = &verdict {
        assert_ne!(refused.reason(), &Reason::NonceRepeated);
    }
});
