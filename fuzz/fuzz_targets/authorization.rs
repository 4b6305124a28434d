//! An `Authorization` header that is accepted, written as documented, is read alike under the strict rules; one that is not
//! is the reason of the refusal.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qcloud_validator::{Policy, Reason, RequestView, Tolerance, Transport, UnixTime, fuzzing};

#[path = "../support.rs"]
mod support;

use support::captures;

/// The moment of the captures, so that their dates fit.
const NOW: i64 = 1_795_580_157;

// The first byte says which rules count.
fuzz_target!(
    init: support::seed_with_captures(|capture| {
        let request = captures::parse(&capture.request);
        let header = request.header("authorization")?;
        Some([b"c", header].concat())
    }),
    |bytes: &[u8]| {
        let Some((&first, header)) = bytes.split_first() else {
            return;
        };
        let tolerance = if first.is_ascii_uppercase() {
            Tolerance::Strict
        } else {
            Tolerance::Compatible
        };
        let read = fuzzing::authorization(header, tolerance);
        if let Ok(parts) = &read {
            let [secret_id, date, service, signed_headers, signature] = parts;
            assert!([secret_id, date, service].iter().all(|part| !part.is_empty()));
            assert!([secret_id, date, service].iter().all(|part| !part.contains('/')));
            let documented = format!(
                "TC3-HMAC-SHA256 Credential={secret_id}/{date}/{service}/tc3_request, SignedHeaders={signed_headers}, Signature={signature}"
            );
            for tolerance in [Tolerance::Strict, Tolerance::Compatible] {
                let again = fuzzing::authorization(documented.as_bytes(), tolerance);
                assert_eq!(again.as_ref(), Ok(parts), "{documented:?}");
            }
            if tolerance == Tolerance::Strict {
                assert_eq!(documented.as_bytes(), header);
            }
        }

        let headers: [(&str, &[u8]); 6] = [
            ("host", b"localhost"),
            ("content-type", b"application/json"),
            ("x-tc-action", b"DescribeInstances"),
            ("x-tc-version", b"2017-03-12"),
            ("x-tc-timestamp", b"1795580157"),
            ("authorization", header),
        ];
        let view = RequestView::new(Transport::Https, "POST", "/")
            .with_headers(&headers)
            .with_body("{}");
        let policy = Policy::builder()
            .tolerance(tolerance)
            .build()
            .expect("every tolerance is a policy");
        let verdict = support::validator(policy, UnixTime::from_seconds(NOW)).check(&view);
        let refused = verdict.expect_err("nobody signed this");
        support::assert_renders(&refused);
        if let Err(fault) = read {
            assert_eq!(refused.reason(), &Reason::InvalidAuthorization { fault });
        }
    }
);
