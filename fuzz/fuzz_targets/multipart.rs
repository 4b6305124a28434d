//! A multipart form holds no more than its body and its cap allow, and what was read, written anew, is read alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qcloud_validator::{Parameters, Reason, fuzzing};

#[path = "../support.rs"]
mod support;

use support::captures;

// The first byte says how many parts there may be, 255 is the default of the policy; then the content type in a line of
// its own; then the body.
fuzz_target!(
    init: support::seed_with_captures(|capture| {
        let request = captures::parse(&capture.request);
        let content_type = request.header("content-type")?;
        fuzzing::boundary(content_type)?;
        Some([&[255], content_type, b"\n", &request.body].concat())
    }),
    |bytes: &[u8]| {
        let Some((&limit, rest)) = bytes.split_first() else {
            return;
        };
        let limit = if limit == 255 { 65_536 } else { usize::from(limit) };
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let (content_type, body) = rest.split_at(end);
        let body = body.get(1..).unwrap_or_default();
        let Some(boundary) = fuzzing::boundary(content_type) else {
            return;
        };
        let read = match fuzzing::multipart(body, boundary, limit) {
            Ok(read) => read,
            Err(Reason::TooManyParameters { limit: named }) => {
                assert_eq!(named, limit);
                assert!(parts_at_most(body, boundary) > limit);
                return;
            }
            Err(
                Reason::MalformedMultipart
                | Reason::RepeatedParameter { .. }
                | Reason::AmbiguousParameter { .. },
            ) => return,
            Err(other) => panic!("{other:?}"),
        };
        let pairs = owned(&read);
        assert!(!boundary.is_empty() && boundary.len() <= 70);
        assert!(pairs.len() <= limit);
        assert!(fuzzing::multipart(body, boundary, pairs.len()).is_ok());
        if let Some(less) = pairs.len().checked_sub(1) {
            let refused = fuzzing::multipart(body, boundary, less).err();
            assert_eq!(refused, Some(Reason::TooManyParameters { limit: less }));
        }
        assert!(pairs.len() <= parts_at_most(body, boundary));
        let total: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
        assert!(total <= body.len());
        let delimiter = [b"\r\n--", boundary].concat();
        for (name, value) in &pairs {
            assert_eq!(read.get(name).as_deref(), Some(&value[..]));
            assert!(!contains(value, &delimiter), "a value runs over a boundary");
        }
        let rendered = rendered(&pairs, boundary);
        let again = fuzzing::multipart(&rendered, boundary, limit).expect("what was written can be read");
        assert_eq!(owned(&again), pairs);
    }
);

/// Every part begins with its boundary.
fn parts_at_most(body: &[u8], boundary: &[u8]) -> usize {
    let opening = [b"--", boundary].concat();
    body.windows(opening.len())
        .filter(|window| *window == opening)
        .count()
}

fn owned(parameters: &Parameters<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    parameters
        .iter()
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

fn rendered(pairs: &[(Vec<u8>, Vec<u8>)], boundary: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in pairs {
        let head: [&[u8]; 5] = [
            b"--",
            boundary,
            b"\r\nContent-Disposition: form-data; name=\"",
            name,
            b"\"\r\n\r\n",
        ];
        body.extend(head.concat());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend([b"--", boundary, b"--\r\n"].concat());
    body
}

fn contains(text: &[u8], piece: &[u8]) -> bool {
    text.windows(piece.len()).any(|window| window == piece)
}
