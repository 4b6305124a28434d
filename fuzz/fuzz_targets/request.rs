//! Whatever arrives, the answer is a verdict, and its response is text that any language can show.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use qcloud_validator::{Dialect, Language, Payload, RequestView, Transport};

#[path = "../support.rs"]
mod support;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    https: bool,
    method: Method<'a>,
    target: &'a [u8],
    headers: Vec<(Name, &'a [u8])>,
    body: Body<'a>,
}

#[derive(Arbitrary, Debug)]
enum Method<'a> {
    Get,
    Post,
    Other(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
enum Name {
    Host,
    ContentType,
    Authorization,
    Action,
    Version,
    Timestamp,
    Token,
    Language,
    ContentSha256,
}

#[derive(Arbitrary, Debug)]
enum Body<'a> {
    Bytes(&'a [u8]),
    Unseen,
}

fuzz_target!(|input: Input<'_>| {
    let headers: Vec<(&str, &[u8])> = input
        .headers
        .iter()
        .map(|(name, value)| {
            let name = match name {
                Name::Host => "host",
                Name::ContentType => "content-type",
                Name::Authorization => "authorization",
                Name::Action => "x-tc-action",
                Name::Version => "x-tc-version",
                Name::Timestamp => "x-tc-timestamp",
                Name::Token => "x-tc-token",
                Name::Language => "x-tc-language",
                Name::ContentSha256 => "x-tc-content-sha256",
            };
            (name, *value)
        })
        .collect();
    let method: &[u8] = match &input.method {
        Method::Get => b"GET",
        Method::Post => b"POST",
        Method::Other(other) => other,
    };
    let transport = if input.https {
        Transport::Https
    } else {
        Transport::Http
    };
    let payload = match input.body {
        Body::Bytes(bytes) => Payload::Bytes(bytes),
        Body::Unseen => Payload::Unseen,
    };
    let view = RequestView::new(transport, method, input.target)
        .with_headers(&headers)
        .with_payload(payload);
    if let Err(refused) = support::validator().check(&view) {
        for dialect in Dialect::ALL {
            assert!(!refused.code_in(dialect).name().is_empty());
        }
        assert!(!refused.message_in(Language::ZhCn).is_empty());
        assert!(!refused.response("id").contains(support::SECRET_KEY));
    }
});
