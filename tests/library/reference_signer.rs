//! Checks the reference signer, and the reading of captures, against texts that neither of them produced.

use std::fs;
use std::path::Path;

use serde_json::Value;

use test_support::captures;
use test_support::signer::{
    Algorithm, Form, HeaderValues, QuerySigner, Signed, Tc3Signer, Underscore, hex, signature,
    tc3_keys, utc_date,
};

fn vectors(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(file);
    let text = fs::read_to_string(path).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn text<'v>(vector: &'v Value, field: &str) -> &'v str {
    vector[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} in {vector}"))
}

fn is_negative(vector: &Value) -> bool {
    vector["negative"] == true
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        match first {
            b'%' => {
                let digits = str::from_utf8(&tail[..2]).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
                rest = &tail[2..];
            }
            b'+' => {
                bytes.push(b' ');
                rest = tail;
            }
            _ => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn pairs(urlencoded: &str) -> Vec<(String, String)> {
    urlencoded
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect()
}

fn sorted(mut pairs: Vec<(String, String)>) -> Vec<(String, String)> {
    pairs.sort();
    pairs
}

fn take(pairs: &mut Vec<(String, String)>, name: &str) -> Option<String> {
    let at = pairs.iter().position(|(candidate, _)| candidate == name)?;
    Some(pairs.remove(at).1)
}

/// The signer that makes a request with these parameters, `Signature` not among them.
fn query_signer(
    method: &str,
    host: &str,
    path: &str,
    key: &str,
    mut params: Vec<(String, String)>,
) -> QuerySigner {
    let declared = params
        .iter()
        .find(|(name, _)| name == "SignatureMethod")
        .map(|(_, value)| value.as_str());
    let algorithm = match declared {
        Some("HmacSHA256") => Algorithm::Sha256,
        Some("HmacSHA1") => Algorithm::Sha1,
        _ => Algorithm::UndeclaredSha1,
    };
    if algorithm != Algorithm::UndeclaredSha1 {
        take(&mut params, "SignatureMethod");
    }
    QuerySigner {
        method: method.to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        secret_id: take(&mut params, "SecretId").unwrap(),
        secret_key: key.to_owned(),
        algorithm,
        timestamp: take(&mut params, "Timestamp").unwrap().parse().unwrap(),
        nonce: take(&mut params, "Nonce").unwrap(),
        params,
        unsigned: Vec::new(),
        form: Form::Urlencoded,
        underscore: Underscore::ReplacedBeforeSort,
    }
}

/// What the request carries as parameters, `Signature` among them.
fn sent_params(signed: &Signed) -> Vec<(String, String)> {
    match signed.method.as_str() {
        "GET" => pairs(signed.query()),
        _ => pairs(str::from_utf8(&signed.body).unwrap()),
    }
}

#[test]
fn published_strings_to_sign_give_the_published_signatures() {
    let published = vectors("published.json");
    assert_eq!(published.len(), 15);
    for vector in &published {
        let algorithm = match text(vector, "alg") {
            "sha1" => Algorithm::Sha1,
            "sha256" => Algorithm::Sha256,
            other => panic!("{other}"),
        };
        let computed = signature(algorithm, text(vector, "key"), text(vector, "sts"));
        assert_eq!(computed, text(vector, "sig"), "{}", text(vector, "id"));
    }
}

#[test]
fn published_requests_give_the_published_strings_to_sign() {
    let mut requests = 0;
    for vector in vectors("published.json") {
        let string_to_sign = text(&vector, "sts");
        let Some((address, params)) = string_to_sign
            .split_once('?')
            .filter(|_| string_to_sign.contains("SecretId="))
        else {
            continue;
        };
        let method = if address.starts_with("GET") {
            "GET"
        } else {
            "POST"
        };
        let (host, path) = address[method.len()..].split_once('/').unwrap();
        let path = format!("/{path}");
        let signed = query_signer(method, host, &path, text(&vector, "key"), pairs(params)).sign();
        assert_eq!(
            signed.string_to_sign,
            string_to_sign,
            "{}",
            text(&vector, "id")
        );
        let sent = take(&mut sent_params(&signed), "Signature").unwrap();
        assert_eq!(
            sent == text(&vector, "sig"),
            !is_negative(&vector),
            "{}",
            text(&vector, "id")
        );
        requests += 1;
    }
    assert_eq!(requests, 12);
}

#[test]
fn derived_requests_are_reproduced() {
    let derived = vectors("derived.json");
    assert_eq!(derived.len(), 21);
    for vector in &derived {
        let id = text(vector, "id");
        let wire = pairs(text(vector, "params"));
        let mut params = wire.clone();
        let published_signature = take(&mut params, "Signature").unwrap();
        assert_eq!(published_signature, text(vector, "sig"), "{id}");

        let mut signer = query_signer(
            text(vector, "method"),
            text(vector, "host"),
            text(vector, "path"),
            "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
            params,
        );
        match (vector["candidate"].as_i64(), vector["candidate"].as_str()) {
            (Some(1), _) | (_, Some("host:port" | "TC2")) => {}
            (Some(2), _) => signer.underscore = Underscore::ReplacedAfterSort,
            (Some(3), _) => signer.underscore = Underscore::ReplacedUnlessLeading,
            (Some(4), _) => signer.underscore = Underscore::Kept,
            (_, Some("@-drop")) => {
                let value = take(&mut signer.params, "entityFile").unwrap();
                signer.unsigned.push(("entityFile".to_owned(), value));
            }
            _ => panic!("{vector}"),
        }
        let signed = signer.sign();
        if vector["candidate"] == "TC2" {
            assert_ne!(sorted(sent_params(&signed)), sorted(wire), "{id}");
        } else {
            assert_eq!(signed.string_to_sign, text(vector, "sts"), "{id}");
            assert_eq!(sorted(sent_params(&signed)), sorted(wire), "{id}");
        }
    }
}

fn tc3_signer(vector: &Value) -> Tc3Signer {
    let headers = vector["extra_signed"].as_array().unwrap();
    Tc3Signer {
        method: text(vector, "method").to_owned(),
        host: text(vector, "host").to_owned(),
        path: "/".to_owned(),
        query: text(vector, "query").to_owned(),
        content_type: text(vector, "content_type").to_owned(),
        body: vector["body"]
            .as_str()
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
        secret_id: vector["secret_id"].as_str().unwrap_or("unknown").to_owned(),
        secret_key: text(vector, "key").to_owned(),
        timestamp: vector["timestamp"].as_i64().unwrap(),
        date: None,
        service: text(vector, "service").to_owned(),
        extra_signed: headers
            .iter()
            .map(|header| {
                (
                    header[0].as_str().unwrap().to_owned(),
                    header[1].as_str().unwrap().to_owned(),
                )
            })
            .collect(),
        headers: Vec::new(),
        header_values: match vector["header_values"].as_str() {
            Some("verbatim") => HeaderValues::Verbatim,
            _ => HeaderValues::LowerCased,
        },
        unsigned_payload: vector["unsigned_payload"] == true,
    }
}

#[test]
fn tc3_requests_are_reproduced() {
    let tc3 = vectors("tc3.json");
    assert_eq!(tc3.len(), 17);
    for vector in &tc3 {
        let id = text(vector, "id");
        let signer = tc3_signer(vector);
        let signed = match vector["body_sha256"].as_str() {
            Some(payload_sha256) => signer.sign_payload_sha256(payload_sha256),
            None => signer.sign(),
        };

        let date = text(vector, "date");
        assert_eq!(utc_date(signer.timestamp), date, "{id}");
        if let Some(known) = vector["canonical_request_sha256"].as_str() {
            assert_eq!(signed.string_to_sign.lines().last(), Some(known), "{id}");
        }
        if vector["k_signing"].is_string() {
            let keys = tc3_keys(&signer.secret_key, date, &signer.service);
            assert_eq!(hex(&keys.date), text(vector, "k_date"), "{id}");
            assert_eq!(hex(&keys.service), text(vector, "k_service"), "{id}");
            assert_eq!(hex(&keys.signing), text(vector, "k_signing"), "{id}");
        }
        let expected = format!(
            "TC3-HMAC-SHA256 Credential={}/{date}/cvm/tc3_request, SignedHeaders={}, Signature={}",
            signer.secret_id,
            text(vector, "signed_headers"),
            text(vector, "signature"),
        );
        let reproduced = signed.header("Authorization") == Some(expected.as_str());
        assert_eq!(reproduced, !is_negative(vector), "{id}");
    }
}

#[test]
fn the_default_v2_request() {
    let signed = QuerySigner::v2().sign();
    assert_eq!(
        signed.string_to_sign,
        "GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Nonce=11886&Region=ap-guangzhou\
         &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600"
    );
    assert_eq!(
        String::from_utf8(signed.raw()).unwrap(),
        "GET /v2/index.php?Action=DescribeInstances&Region=ap-guangzhou\
         &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600&Nonce=11886\
         &Signature=MPn%2Bq2Q8SUqL%2FrCLFmNeIuPH3aM%3D HTTP/1.1\r\n\
         Host: cvm.api.qcloud.com\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn the_default_v1_request() {
    let signed = QuerySigner::v1().sign();
    assert_eq!(
        String::from_utf8(signed.raw()).unwrap(),
        "GET /?Action=DescribeInstances&Region=ap-guangzhou&Version=2017-03-12\
         &SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600&Nonce=11886\
         &Signature=IR%2BF5nS6Gs2Vx0PaF0hhQievtJE%3D HTTP/1.1\r\n\
         Host: cvm.tencentcloudapi.com\r\nContent-Length: 0\r\n\r\n"
    );
}

#[test]
fn the_default_tc3_request() {
    let signed = Tc3Signer::post().sign();
    assert_eq!(
        String::from_utf8(signed.raw()).unwrap(),
        "POST / HTTP/1.1\r\n\
         Host: cvm.tencentcloudapi.com\r\n\
         Content-Type: application/json\r\n\
         X-TC-Timestamp: 1767225600\r\n\
         X-TC-Action: DescribeInstances\r\n\
         X-TC-Version: 2017-03-12\r\n\
         X-TC-Region: ap-guangzhou\r\n\
         Authorization: TC3-HMAC-SHA256 \
         Credential=AKIDEXAMPLEdummydummydummydummydummy12/2026-01-01/cvm/tc3_request, \
         SignedHeaders=content-type;host, \
         Signature=b90a8925e4321ab453177d2c0b64d952a07be261b0372297ce3f9a82b7a20023\r\n\
         Content-Length: 11\r\n\r\n\
         {\"Limit\":1}"
    );
}

#[test]
fn a_multipart_form_carries_the_signed_parameters() {
    let signer = QuerySigner {
        method: "POST".to_owned(),
        form: Form::Multipart,
        ..QuerySigner::v2()
    };
    let multipart = signer.sign();
    let urlencoded = QuerySigner {
        form: Form::Urlencoded,
        ..signer
    }
    .sign();
    assert_eq!(multipart.string_to_sign, urlencoded.string_to_sign);
    assert_eq!(
        multipart.header("Content-Type"),
        Some("multipart/form-data; boundary=----boundary0123456789")
    );
    let body = str::from_utf8(&multipart.body).unwrap();
    assert!(body.starts_with(
        "------boundary0123456789\r\n\
             Content-Disposition: form-data; name=\"Action\"\r\n\r\n\
             DescribeInstances\r\n\
             ------boundary0123456789\r\n"
    ));
    assert!(body.ends_with("\r\n------boundary0123456789--\r\n"));
}

#[test]
fn dates_are_utc_and_know_leap_years() {
    for (unix_seconds, date) in [
        (-1, "1969-12-31"),
        (0, "1970-01-01"),
        (951_782_399, "2000-02-28"),
        (951_782_400, "2000-02-29"),
        (951_868_800, "2000-03-01"),
        (1_735_689_599, "2024-12-31"),
        (1_767_225_599, "2025-12-31"),
        (1_767_225_600, "2026-01-01"),
        (4_107_542_399, "2100-02-28"),
        (4_107_542_400, "2100-03-01"),
    ] {
        assert_eq!(utc_date(unix_seconds), date);
    }
}

#[test]
fn every_capture_can_be_read() {
    let all = captures::all();
    assert_eq!(all.len(), 1055);
    for (expected, count) in [
        ("valid", 927),
        ("valid-with-extra-rule", 74),
        ("valid-if-public-host-configured", 6),
        ("unclear", 14),
        ("invalid-client-bug", 31),
        ("not-signed", 3),
    ] {
        let found = all
            .iter()
            .filter(|capture| capture.expected == expected)
            .count();
        assert_eq!(found, count, "{expected}");
    }
    for capture in &all {
        let case = format!("{}/{}", capture.client, capture.case);
        let request = captures::parse(&capture.request);
        assert!(matches!(request.method.as_str(), "GET" | "POST"), "{case}");
        assert!(request.target.starts_with('/'), "{case}");
        if let Some(length) = request.header("content-length") {
            let length: usize = str::from_utf8(length).unwrap().parse().unwrap();
            assert_eq!(request.body.len(), length, "{case}");
        }
        assert_eq!(
            capture.public_host.is_some(),
            capture.expected == "valid-if-public-host-configured",
            "{case}"
        );
    }
}

#[test]
fn absolute_targets_and_chunks_are_undone() {
    let request = captures::parse(
        b"POST http://cvm.api.qcloud.com:80/v2/index.php?a=1 HTTP/1.1\r\n\
          HOST:  cvm.api.qcloud.com \r\n\
          Transfer-Encoding: chunked\r\n\r\n\
          5\r\nhello\r\nA;x=y\r\n, \r\nworlds\r\n0\r\n\r\n",
    );
    assert_eq!(request.target, "/v2/index.php?a=1");
    assert_eq!((request.path(), request.query()), ("/v2/index.php", "a=1"));
    assert_eq!(request.host(), "cvm.api.qcloud.com");
    assert_eq!(request.body, b"hello, \r\nworlds");

    let target =
        |line: &str| captures::parse(format!("GET {line} HTTP/1.1\r\n\r\n").as_bytes()).target;
    assert_eq!(target("http://host"), "/");
    assert_eq!(target("http://host?a=1"), "/?a=1");
    assert_eq!(target("/?a=http://host/"), "/?a=http://host/");
}
