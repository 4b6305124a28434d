//! The published and derived vectors of the protocol, with their strings to sign.

use std::fs;

use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::stage::Received;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    ManualClock, Policy, Reason, RequestView, SecretKey, Transport, UnsignedPart, Validator,
};
use serde_json::Value;
use test_support::signer::percent_encoded;

fn load(name: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name].as_str().unwrap_or_default()
}

/// A request, the key it claims, and the clock at which it is judged.
struct Case<'c> {
    method: &'c str,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secret_id: &'c str,
    key: &'c str,
    now: i64,
}

impl Case<'_> {
    /// The verdict and the string to sign.
    fn check(&self, policy: Policy) -> (Result<(), Reason>, Option<String>) {
        let view = RequestView::new(Transport::Https, self.method, &self.target)
            .with_headers(&self.headers)
            .with_body(&self.body);
        let text = Received::new(&view, &policy)
            .read()
            .ok()
            .map(|read| read.string_to_sign());
        let credentials = MemoryCredentials::new();
        let key = SecretKey::new(self.key).unwrap();
        credentials.insert(if self.target.contains("Token=") {
            let token = "tmp-token/with+chars==";
            Credential::temporary(self.secret_id, key, Principal::account("1"), token, None)
        } else {
            Credential::permanent(self.secret_id, key, Principal::account("1"))
        });
        let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
        let validator = Validator::new(policy, stores).with_clock(ManualClock::at(self.now));
        let verdict = validator.check(&view).map(drop);
        (verdict.map_err(|refused| refused.reason().clone()), text)
    }
}

/// The requests behind the published strings to sign: method, host and path up to `?`, then raw pairs.
#[test]
fn published_strings_to_sign() {
    let mut admitted = 0;
    for vector in load("published") {
        let sts = text(&vector, "sts");
        // A9, B4 and B5 are not requests: no common parameters.
        let Some((head, pairs)) = sts.split_once('?').filter(|_| sts.contains("SecretId=")) else {
            continue;
        };
        let method = if head.starts_with("POST") {
            "POST"
        } else {
            "GET"
        };
        let (host, path) = head[method.len()..].split_once('/').unwrap();
        let pairs: Vec<(&str, &str)> = pairs
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let find = |name| pairs.iter().find(|(key, _)| *key == name).unwrap().1;
        let mut query: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
            .collect();
        query.push(format!(
            "Signature={}",
            percent_encoded(text(&vector, "sig"))
        ));
        query.reverse();
        let query = query.join("&");
        let case = Case {
            method,
            target: match method {
                "POST" => format!("/{path}"),
                _ => format!("/{path}?{query}"),
            },
            headers: vec![("Host".to_owned(), host.to_owned())],
            body: if method == "POST" {
                query.into_bytes()
            } else {
                Vec::new()
            },
            secret_id: find("SecretId"),
            key: text(&vector, "key"),
            now: find("Timestamp").parse().unwrap(),
        };
        let (verdict, string_to_sign) = case.check(Policy::default());
        let id = text(&vector, "id");
        if id == "B3" {
            // A unit test of a third party that signs an API 3.0 request without the version that every request needs.
            assert_eq!(verdict, Err(Reason::MissingParameter { name: "Version" }));
            continue;
        }
        assert_eq!(string_to_sign.as_deref(), Some(sts), "{id}");
        if vector["negative"] == true {
            assert_eq!(verdict, Err(Reason::SignatureMismatch), "{id}");
        } else {
            assert_eq!(verdict, Ok(()), "{id}");
            admitted += 1;
        }
    }
    assert_eq!(admitted, 9);
}

/// protocol.md §3.2: every rule of the acceptance set has a case.
#[test]
fn derived_edge_cases() {
    for vector in load("derived") {
        let id = text(&vector, "id");
        let method = text(&vector, "method");
        let params = text(&vector, "params");
        let path = text(&vector, "path");
        let case = Case {
            method,
            target: match method {
                "POST" => path.to_owned(),
                _ => format!("{path}?{params}"),
            },
            headers: vec![("Host".to_owned(), text(&vector, "host").to_owned())],
            body: if method == "POST" {
                params.as_bytes().to_vec()
            } else {
                Vec::new()
            },
            secret_id: "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
            key: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
            now: 1_465_185_768,
        };
        let (verdict, string_to_sign) = case.check(Policy::default());
        let documented = ["1", "2", "host:port"].contains(&text(&vector, "candidate"));
        // Where the sort of `_` matters the document's form is another one than what these clients signed.
        if documented && !["D7a◆", "D8a◆"].contains(&id) {
            assert_eq!(
                string_to_sign.as_deref(),
                Some(text(&vector, "sts")),
                "{id}"
            );
        }
        match text(&vector, "expect") {
            "accept" => assert_eq!(verdict, Ok(()), "{id}"),
            "policy" => {
                assert_eq!(verdict, Err(Reason::SignatureMismatch), "{id}");
                let lenient = Policy::builder()
                    .insecure_accept_unsigned(UnsignedPart::AtValues)
                    .build()
                    .unwrap();
                assert_eq!(case.check(lenient).0, Ok(()), "{id}");
            }
            _ => assert_eq!(verdict, Err(Reason::SignatureMismatch), "{id}"),
        }
    }
}

#[test]
fn tc3_with_canonical_request_digests() {
    let mut admitted = 0;
    for vector in load("tc3") {
        let id = text(&vector, "id");
        let Some(body) = vector["body"].as_str() else {
            // C5 publishes only the digest of its body.
            assert_eq!(id, "C5");
            continue;
        };
        let (method, query) = (text(&vector, "method"), text(&vector, "query"));
        let secret_id = vector["secret_id"].as_str().unwrap_or("AKIDtest");
        let mut headers = vec![
            ("host".to_owned(), text(&vector, "host").to_owned()),
            (
                "content-type".to_owned(),
                text(&vector, "content_type").to_owned(),
            ),
            ("x-tc-version".to_owned(), "2017-03-12".to_owned()),
            ("x-tc-timestamp".to_owned(), vector["timestamp"].to_string()),
            (
                "authorization".to_owned(),
                format!(
                    "TC3-HMAC-SHA256 Credential={secret_id}/{}/{}/tc3_request, SignedHeaders={}, Signature={}",
                    text(&vector, "date"),
                    text(&vector, "service"),
                    text(&vector, "signed_headers"),
                    text(&vector, "signature"),
                ),
            ),
        ];
        for pair in vector["extra_signed"].as_array().unwrap() {
            let name = pair[0].as_str().unwrap().to_owned();
            headers.push((name, pair[1].as_str().unwrap().to_owned()));
        }
        if !headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("x-tc-action"))
        {
            headers.push(("x-tc-action".to_owned(), "DescribeInstances".to_owned()));
        }
        if vector["unsigned_payload"] == true {
            headers.push((
                "x-tc-content-sha256".to_owned(),
                "UNSIGNED-PAYLOAD".to_owned(),
            ));
        }
        let case = Case {
            method,
            target: if query.is_empty() {
                "/".to_owned()
            } else {
                format!("/?{query}")
            },
            headers,
            body: body.as_bytes().to_vec(),
            secret_id,
            key: text(&vector, "key"),
            now: vector["timestamp"].as_i64().unwrap(),
        };
        let (verdict, string_to_sign) = case.check(Policy::default());
        if let Some(digest) = vector["canonical_request_sha256"].as_str() {
            let string_to_sign = string_to_sign.unwrap();
            assert_eq!(string_to_sign.lines().last(), Some(digest), "{id}");
        }
        if vector["negative"] == true {
            assert_eq!(verdict, Err(Reason::SignatureMismatch), "{id}");
        } else {
            assert_eq!(verdict, Ok(()), "{id}");
            admitted += 1;
        }
    }
    assert_eq!(admitted, 15);
}
