//! A query or form is read as a reader written from the rules alone reads it, and its canonical form reads the same.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use qcloud_validator::stage::Received;
use qcloud_validator::{Parameters, Policy, Reason, RequestView, Transport, fuzzing};

#[path = "../model.rs"]
mod model;
#[path = "../support.rs"]
mod support;

use support::captures;

// The first byte says how many parameters there may be; 255 is the default of the policy.
fuzz_target!(
    init: support::seed_with_captures(|capture| {
        let request = captures::parse(&capture.request);
        let text = if request.method == "POST" {
            request.body.clone()
        } else {
            request.query().as_bytes().to_vec()
        };
        (!text.is_empty()).then(|| [&[255], &text[..]].concat())
    }),
    |bytes: &[u8]| {
        let Some((&limit, text)) = bytes.split_first() else {
            return;
        };
        let limit = if limit == 255 { 65_536 } else { usize::from(limit) };
        let expected = model::pairs(text, limit);
        match fuzzing::urlencoded(text, limit) {
            Ok(read) => {
                let pairs = owned(&read);
                assert!(pairs.len() <= limit);
                assert!(fuzzing::urlencoded(text, pairs.len()).is_ok());
                if let Some(less) = pairs.len().checked_sub(1) {
                    let refused = fuzzing::urlencoded(text, less).err();
                    assert_eq!(refused, Some(Reason::TooManyParameters { limit: less }));
                }
                assert!(expected == Some(pairs.iter().cloned().collect()), "{text:?}");
                assert!(pairs.is_sorted());
                for (name, value) in &pairs {
                    assert_eq!(read.get(name).as_deref(), Some(&value[..]));
                }
                let rendered = rendered(&pairs);
                let again = fuzzing::urlencoded(&rendered, limit).expect("canonical text can be read");
                assert_eq!(owned(&again), pairs);
            }
            Err(reason) => assert_eq!(expected, None, "{reason:?}"),
        }
        string_to_sign(text, "/v2/index.php");
        string_to_sign(text, "/");
    }
);

fn owned(parameters: &Parameters<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    parameters
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

fn rendered(pairs: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let pairs: Vec<Vec<u8>> = pairs
        .iter()
        .map(|(name, value)| {
            [model::percent_encoded(name), model::percent_encoded(value)].join(&b'=')
        })
        .collect();
    pairs.join(&b'&')
}

/// What v1 and v2 sign of a form with these parameters: only the documented canonicalisation.
fn string_to_sign(text: &[u8], path: &str) {
    let common = b"Action=A&Nonce=1&Timestamp=1767225600&SecretId=AKID&Signature=s&Version=2017-03-12";
    let form = [&common[..], text].join(&b'&');
    let headers = [
        ("host", "cvm.example"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let view = RequestView::new(Transport::Https, "POST", path)
        .with_headers(&headers)
        .with_body(&form);
    let policy = Policy::default();
    let said = Received::new(&view, &policy)
        .read()
        .ok()
        .map(|read| read.string_to_sign());
    let pairs = model::pairs(&form, 65_536);
    match (said, pairs) {
        (Some(said), Some(pairs)) => {
            let expected = expected(path, &pairs);
            assert_eq!(said, String::from_utf8_lossy(&expected));
        }
        (Some(said), None) => panic!("read what is no form: {said}"),
        // Either may be none.
        (None, Some(pairs)) => assert!(
            [&b"Region"[..], b"Language"].iter().any(|name| pairs.contains_key(*name)),
            "{pairs:?}"
        ),
        (None, None) => {}
    }
}

fn expected(path: &str, pairs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let dot = |byte: &u8| {
        if *byte == b'_' && path != "/" {
            b'.'
        } else {
            *byte
        }
    };
    let joined: Vec<Vec<u8>> = pairs
        .iter()
        .filter(|(name, _)| *name != b"Signature")
        .map(|(name, value)| [name.iter().map(dot).collect(), value.clone()].join(&b'='))
        .collect();
    [
        format!("POSTcvm.example{path}?").into_bytes(),
        joined.join(&b'&'),
    ]
    .concat()
}
