//! Requests that are wrong in form, type or size: each has a defined answer in each family, and none can panic.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use qcloud_validator::{
    AuthorizationFault, Expected, HttpsRule, Limits, Payload, Policy, Reason, RequestView,
    Tolerance, Transport, UnsignedPart,
};
use sha2::Digest as _;
use test_support::signer::{
    Algorithm, Form, QuerySigner, SECRET_ID, Signed, TIMESTAMP, Tc3Signer, Underscore,
};
use test_support::stores::{check, check_over, in_memory};

fn reason(request: &Signed) -> Reason {
    reason_under(Policy::default(), request)
}

fn reason_under(policy: Policy, request: &Signed) -> Reason {
    check(&in_memory(policy), request)
        .unwrap_err()
        .reason()
        .clone()
}

/// The base requests of v2 and v1, as GET and as POST, with `piece` added to the parameters.
fn with_piece(piece: &str) -> Vec<Signed> {
    with_bytes(piece.as_bytes())
}

fn with_bytes(piece: &[u8]) -> Vec<Signed> {
    [QuerySigner::v2(), QuerySigner::v1()]
        .into_iter()
        .flat_map(|signer| {
            let post = QuerySigner {
                method: "POST".to_owned(),
                ..signer.clone()
            };
            let mut get = signer.sign();
            get.target.push_str(&String::from_utf8_lossy(piece));
            let mut post = post.sign();
            post.body.extend_from_slice(piece);
            [get, post]
        })
        .collect()
}

#[test]
fn ambiguous_parameters() {
    let repeated = |name: &str| Reason::RepeatedParameter {
        name: name.to_owned(),
    };
    for (piece, expected) in [
        ("&Region=ap-guangzhou", repeated("Region")),
        ("&Region=ap-shanghai", repeated("Region")),
        ("&Reg%69on=ap-shanghai", repeated("Region")),
        ("&Signature=AAAA", repeated("Signature")),
        ("&SecretId=AKIDother", repeated("SecretId")),
        (
            "&DryRun",
            Reason::PairWithoutEquals {
                name: "DryRun".to_owned(),
            },
        ),
        (
            "&a.b=1&a_b=2",
            Reason::AmbiguousParameter {
                name: "a.b".to_owned(),
            },
        ),
        (
            "&a_b_c=1&a.b_c=2",
            Reason::AmbiguousParameter {
                name: "a.b_c".to_owned(),
            },
        ),
    ] {
        for request in with_piece(piece) {
            assert_eq!(reason(&request), expected, "{piece}");
        }
    }
}

#[test]
fn malformed_escapes_name_their_place() {
    for piece in ["&a=%", "&a=%4", "&a=%zz", "&%=1", "&a=100%25%"] {
        for request in with_piece(piece) {
            assert!(
                matches!(reason(&request), Reason::MalformedEncoding { .. }),
                "{piece}"
            );
        }
    }
    let mut request = QuerySigner::v2().sign();
    request.target = "/v2/index.php?ab=%4".to_owned();
    assert_eq!(reason(&request), Reason::MalformedEncoding { offset: 3 });
}

#[test]
fn bytes_that_are_not_text() {
    // Escaped, they are a value like any other, and the signature decides.
    for request in with_piece("&Name=%C4%AC%C8%CF") {
        assert_eq!(reason(&request), Reason::SignatureMismatch);
    }
    // Raw, they are allowed in a body and refused in a request line.
    for request in with_bytes("&Name=默认".as_bytes()) {
        let expected = match request.method.as_str() {
            "POST" => Reason::SignatureMismatch,
            _ => Reason::NonAsciiQuery {
                offset: request.query().find('默').unwrap(),
            },
        };
        assert_eq!(reason(&request), expected);
    }
    // Which is said first, since what follows may have been meant otherwise.
    for malformed in ["&Name=默认&Zone", "&Name=默认%zz"] {
        let request = &with_bytes(malformed.as_bytes())[0];
        let offset = request.query().find('默').unwrap();
        assert_eq!(reason(request), Reason::NonAsciiQuery { offset });
    }
    // Common parameters must be text.
    let expected = Expected::ShortText;
    let not_text = QuerySigner::v2().sign();
    let not_text = Signed {
        target: not_text.target.replace(SECRET_ID, "%FF"),
        ..not_text
    };
    assert_eq!(
        reason(&not_text),
        Reason::InvalidParameter {
            name: "SecretId",
            expected
        }
    );
    let long = QuerySigner {
        secret_id: "A".repeat(257),
        ..QuerySigner::v2()
    };
    assert_eq!(
        reason(&long.sign()),
        Reason::InvalidParameter {
            name: "SecretId",
            expected
        }
    );
}

#[test]
fn absent_and_empty_parameters_are_missing_and_named_in_order() {
    let drop_one = |request: &Signed, name: &str| {
        let mut request = request.clone();
        let (path, query) = request.target.split_once('?').unwrap();
        let kept: Vec<&str> = query
            .split('&')
            .filter(|piece| !piece.starts_with(&format!("{name}=")))
            .collect();
        request.target = format!("{path}?{}", kept.join("&"));
        request
    };
    for (signer, names) in [
        (
            QuerySigner::v2(),
            &["Action", "Timestamp", "Nonce", "SecretId", "Signature"][..],
        ),
        (
            QuerySigner::v1(),
            &[
                "Timestamp",
                "SecretId",
                "Nonce",
                "Signature",
                "Version",
                "Action",
            ],
        ),
    ] {
        let mut all_gone = signer.sign();
        for name in names.iter().rev() {
            let missing = Reason::MissingParameter { name };
            assert_eq!(reason(&drop_one(&signer.sign(), name)), missing);
            let mut emptied = drop_one(&signer.sign(), name);
            emptied.target.push_str(&format!("&{name}="));
            assert_eq!(reason(&emptied), missing);
            // Of several, the first in the list is named.
            all_gone = drop_one(&all_gone, name);
            assert_eq!(reason(&all_gone), missing);
        }
    }
    for name in ["X-TC-Action", "X-TC-Version", "X-TC-Timestamp"] {
        let mut request = Tc3Signer::post().sign();
        request.headers.retain(|(header, _)| header != name);
        if name == "X-TC-Action" {
            // Authorization still says TC3.
            assert!(request.header("Authorization").is_some());
        }
        assert_eq!(reason(&request), Reason::MissingParameter { name });
    }
    // Names are case-sensitive.
    let mut request = QuerySigner::v2().sign();
    request.target = request.target.replace("SecretId=", "secretid=");
    assert_eq!(
        reason(&request),
        Reason::MissingParameter { name: "SecretId" }
    );
}

#[test]
fn a_post_is_read_from_its_body_and_a_get_from_its_query() {
    let post = QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v1()
    }
    .sign();
    let mut moved = post.clone();
    moved.target = format!("/?{}", String::from_utf8(post.body).unwrap());
    moved.body.clear();
    assert_eq!(
        reason(&moved),
        Reason::MissingParameter { name: "Timestamp" }
    );
    let get = QuerySigner::v1().sign();
    let mut moved = get.clone();
    moved.body = get.query().as_bytes().to_vec();
    moved.target = "/".to_owned();
    assert_eq!(
        reason(&moved),
        Reason::MissingParameter { name: "Timestamp" }
    );
    // JSON is no form: all parameters are missing.
    let mut json = QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v2()
    }
    .sign();
    json.body = br#"{"Action":"DescribeInstances","Url":"a=b&c"}"#.to_vec();
    for (name, value) in &mut json.headers {
        if name.eq_ignore_ascii_case("content-type") {
            *value = "application/json".to_owned();
        }
    }
    assert_eq!(reason(&json), Reason::MissingParameter { name: "Action" });
}

#[test]
fn numbers_that_are_none() {
    let timestamp = |text: &str| {
        let mut request = QuerySigner::v2().sign();
        let base = format!("Timestamp={TIMESTAMP}");
        request.target = request.target.replace(&base, &format!("Timestamp={text}"));
        reason(&request)
    };
    let seconds = Reason::InvalidParameter {
        name: "Timestamp",
        expected: Expected::Seconds,
    };
    for text in [
        "1767225600x",
        "%2B1767225600",
        "+1767225600",
        "-1",
        "%201767225600",
        "1767225600.0",
        "1.7e9",
        "00001767225600",
        "9223372036854775808",
        "18446744073709551616",
        "99999999999999999999999",
        "NaN",
        "%D9%A1",
        "0x10",
    ] {
        assert_eq!(timestamp(text), seconds, "{text}");
    }
    for text in ["1767225600000", "9223372036854775807", "0"] {
        assert!(
            matches!(timestamp(text), Reason::TimestampOutsideWindow { .. }),
            "{text}"
        );
    }
    let nonce = |text: &str| {
        reason(
            &QuerySigner {
                nonce: text.to_owned(),
                ..QuerySigner::v2()
            }
            .sign(),
        )
    };
    let unsigned = Reason::InvalidParameter {
        name: "Nonce",
        expected: Expected::Unsigned,
    };
    for text in [
        "-1",
        "+1",
        " 1",
        "1.5",
        "abc",
        "18446744073709551616",
        "000000000000000000001",
        "１",
    ] {
        assert_eq!(nonce(text), unsigned, "{text}");
    }
    let long = "1".repeat(30_000);
    assert_eq!(nonce(&long), unsigned);
    for text in ["0", "18446744073709551615", "1290303896666895346"] {
        let signed = QuerySigner {
            nonce: text.to_owned(),
            ..QuerySigner::v2()
        }
        .sign();
        assert!(
            check(&in_memory(Policy::default()), &signed).is_ok(),
            "{text}"
        );
    }
}

#[test]
fn sizes_are_judged_before_anything_is_parsed() {
    // Signatures differ in how many escapes they need.
    let of_length = |signer: &QuerySigner, length: usize| {
        let padded = |pad| signer.clone().with("Pad", &"a".repeat(pad)).sign();
        let read = |request: &Signed| match request.method.as_str() {
            "POST" => request.body.len(),
            _ => request.query().len(),
        };
        let about = length - read(&padded(0));
        (about - 20..about + 20)
            .map(padded)
            .find(|request| read(request) == length)
            .unwrap()
    };
    let long = of_length(&QuerySigner::v2(), 32_769);
    assert_eq!(reason(&long), Reason::QueryTooLong { limit: 32_768 });
    let fits = of_length(&QuerySigner::v2(), 32_768);
    assert!(check(&in_memory(Policy::default()), &fits).is_ok());

    for signer in [QuerySigner::v2(), QuerySigner::v1()] {
        let post = QuerySigner {
            method: "POST".to_owned(),
            ..signer
        };
        let long = of_length(&post, 1_048_577);
        assert_eq!(reason(&long), Reason::FormTooLong { limit: 1_048_576 });
        let fits = of_length(&post, 1_048_576);
        assert!(check(&in_memory(Policy::default()), &fits).is_ok());
    }
    let with_body = |length| {
        let body = vec![b' '; length];
        Tc3Signer {
            body,
            ..Tc3Signer::post()
        }
        .sign()
    };
    let long = Reason::BodyTooLong { limit: 10_485_760 };
    assert_eq!(reason(&with_body(10_485_761)), long);
    assert!(check(&in_memory(Policy::default()), &with_body(10_485_760)).is_ok());

    let few = Policy::builder()
        .limits(Limits::default().parameters(6))
        .build()
        .unwrap();
    assert!(check(&in_memory(few.clone()), &QuerySigner::v2().sign()).is_ok());
    let seventh = QuerySigner::v2().with("a", "b").sign();
    assert_eq!(
        reason_under(few, &seventh),
        Reason::TooManyParameters { limit: 6 }
    );
}

#[test]
fn headers_that_contradict_each_other() {
    let with_header = |mut request: Signed, name: &str, value: &str| {
        request.headers.push((name.to_owned(), value.to_owned()));
        request
    };
    let repeated = |name: &str| Reason::RepeatedHeader {
        name: name.to_owned(),
    };
    for request in [
        QuerySigner::v2().sign(),
        QuerySigner::v1().sign(),
        Tc3Signer::post().sign(),
    ] {
        let request = with_header(request, "HOST", "evil.example");
        assert_eq!(reason(&request), repeated("host"));
    }
    let tc3 = || Tc3Signer::post().sign();
    for (name, value) in [
        ("content-type", "text/plain"),
        ("x-tc-action", "TerminateInstances"),
        ("x-tc-timestamp", "1767225601"),
        ("x-tc-token", "other"),
    ] {
        let once = with_header(tc3(), name, value);
        let twice = with_header(once, name, "another");
        assert_eq!(reason(&twice), repeated(name));
    }
    // The same value twice counts once: acme.sh sends Content-Type so.
    let twice = with_header(tc3(), "content-type", "application/json");
    assert!(check(&in_memory(Policy::default()), &twice).is_ok());
}

/// A proxy or a browser may add one; it makes no TC3 request of the others.
#[test]
fn an_authorization_of_another_scheme_is_not_read() {
    for mut request in [QuerySigner::v2().sign(), QuerySigner::v1().sign()] {
        let basic = ("Authorization".to_owned(), "Basic dXNlcjpwYXNz".to_owned());
        request.headers.push(basic);
        assert!(check(&in_memory(Policy::default()), &request).is_ok());
    }
}

#[test]
fn authorization_headers() {
    use AuthorizationFault as F;
    let with_authorization = |change: &dyn Fn(&str) -> String| {
        let mut request = Tc3Signer::post().sign();
        for (name, value) in &mut request.headers {
            if name == "Authorization" {
                *value = change(value);
            }
        }
        reason(&request)
    };
    let fault = |from: &str, to: &str| with_authorization(&|value| value.replace(from, to));
    let invalid = |fault| Reason::InvalidAuthorization { fault };
    for (from, to, expected) in [
        (
            "SignedHeaders=content-type;host",
            "SignedHeaders=content-type",
            F::HeaderNotSigned { header: "host" },
        ),
        (
            "SignedHeaders=content-type;host",
            "SignedHeaders=host",
            F::HeaderNotSigned {
                header: "content-type",
            },
        ),
        (
            "SignedHeaders=content-type;host",
            "SignedHeaders=",
            F::HeaderNotSigned {
                header: "content-type",
            },
        ),
        (
            "content-type;host",
            "content-type;host;host",
            F::SignedHeaders,
        ),
        ("content-type;host", "content-type;;host", F::SignedHeaders),
        (
            "content-type;host",
            "content-length;content-type;host",
            F::SignedHeaderAbsent,
        ),
        ("/cvm/", "/cdb/", F::Service),
        ("tc3_request", "tc4_request", F::Terminator),
        ("Credential=", "Credentail=", F::Spelling),
        ("Signature=", "Sig=", F::Spelling),
        ("TC3-HMAC-SHA256 ", "AWS4-HMAC-SHA256 ", F::Algorithm),
        (SECRET_ID, "", F::SecretId),
    ] {
        assert_eq!(fault(from, to), invalid(expected), "{to}");
    }
    for signature in [
        "deadbeef",
        "",
        "g",
        &"0".repeat(64),
        &"0".repeat(63),
        &"A".repeat(64),
    ] {
        let reason = with_authorization(&|value| {
            let (head, _) = value.rsplit_once('=').unwrap();
            format!("{head}={signature}")
        });
        assert_eq!(reason, Reason::SignatureMismatch, "{signature}");
    }
    let many = format!("SignedHeaders={}content-type;host", "x;".repeat(10_000));
    assert_eq!(
        fault("SignedHeaders=content-type;host", &many),
        invalid(F::SignedHeaders)
    );
    let mut absent = Tc3Signer::post().sign();
    absent.headers.retain(|(name, _)| name != "Authorization");
    assert_eq!(reason(&absent), invalid(F::Absent));
    // A signature in the query does not stand in for the header.
    absent.target = QuerySigner::v1().sign().target;
    assert_eq!(reason(&absent), invalid(F::Absent));
}

#[test]
fn the_scope_date_is_the_utc_date_of_the_timestamp() {
    for (timestamp, right, wrong) in [
        (1_767_225_600, "2026-01-01", "2025-12-31"),
        (1_767_225_599, "2025-12-31", "2026-01-01"),
    ] {
        let sign = |date: &str| {
            let date = Some(date.to_owned());
            Tc3Signer {
                timestamp,
                date,
                ..Tc3Signer::post()
            }
            .sign()
        };
        assert!(check(&in_memory(Policy::default()), &sign(right)).is_ok());
        let expected = right.to_owned();
        assert_eq!(reason(&sign(wrong)), Reason::ScopeDateMismatch { expected });
    }
}

#[test]
fn a_service_is_judged_by_the_operators_list_or_by_a_known_host() {
    let sign = |host: &str, service: &str| {
        let (host, service) = (host.to_owned(), service.to_owned());
        Tc3Signer {
            host,
            service,
            ..Tc3Signer::post()
        }
        .sign()
    };
    let listed = Policy::builder()
        .service("cvm")
        .service("cdb")
        .build()
        .unwrap();
    for (host, service, by_host, by_list) in [
        ("cvm.tencentcloudapi.com", "cvm", true, true),
        ("cvm.ap-shanghai.tencentcloudapi.com", "cvm", true, true),
        ("scf.internal.tencentcloudapi.com", "scf", true, false),
        ("cvm.tencentcloudapi.com:8443", "cvm", true, true),
        ("monitor.tencentcloudapi.com", "cvm", false, true),
        ("127.0.0.1:8080", "127", true, false),
        ("127.0.0.1:8080", "cvm", true, true),
        ("CVM.TencentCloudAPI.com", "cvm", true, true),
        ("cvm.TencentCloudAPI.com", "cdb", false, true),
        ("cvm.tencentcloudapi.com.evil.example", "any", true, false),
    ] {
        let request = sign(host, service);
        assert_eq!(
            check(&in_memory(Policy::default()), &request).is_ok(),
            by_host,
            "{host} {service}"
        );
        assert_eq!(
            check(&in_memory(listed.clone()), &request).is_ok(),
            by_list,
            "{host} {service}"
        );
    }
}

#[test]
fn bodies_that_nobody_read() {
    let validator = in_memory(Policy::default());
    let verdict = |request: &Signed, payload: Payload<'_>| {
        let view = RequestView::new(Transport::Https, &request.method, &request.target)
            .with_headers(&request.headers)
            .with_payload(payload);
        validator
            .check(&view)
            .map(drop)
            .map_err(|refused| refused.reason().clone())
    };
    let digest = sha2::Sha256::digest(br#"{"Limit":1}"#).into();
    let post = Tc3Signer::post().sign();
    assert_eq!(verdict(&post, Payload::Unseen), Err(Reason::BodyUnseen));
    assert_eq!(verdict(&post, Payload::Sha256(digest)), Ok(()));
    assert_eq!(
        verdict(&post, Payload::Sha256([0; 32])),
        Err(Reason::SignatureMismatch)
    );
    let unsigned = Tc3Signer {
        unsigned_payload: true,
        ..Tc3Signer::post()
    }
    .sign();
    assert_eq!(verdict(&unsigned, Payload::Unseen), Ok(()));
    assert_eq!(verdict(&Tc3Signer::get().sign(), Payload::Unseen), Ok(()));
    assert_eq!(verdict(&QuerySigner::v2().sign(), Payload::Unseen), Ok(()));
    let form = QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v2()
    }
    .sign();
    assert_eq!(verdict(&form, Payload::Unseen), Err(Reason::BodyUnseen));
    assert_eq!(
        verdict(&form, Payload::Sha256([0; 32])),
        Err(Reason::BodyUnseen)
    );
}

#[test]
fn https_is_demanded_where_the_policy_says() {
    let (v2, v1, tc3) = (
        QuerySigner::v2().sign(),
        QuerySigner::v1().sign(),
        Tc3Signer::post().sign(),
    );
    for (rule, expected) in [
        (HttpsRule::Everywhere, [false, false, false]),
        (HttpsRule::LegacyOnly, [false, true, true]),
        (HttpsRule::InsecureNowhere, [true, true, true]),
    ] {
        let validator = in_memory(Policy::builder().https(rule).build().unwrap());
        let admitted = [&v2, &v1, &tc3]
            .map(|request| check_over(&validator, request, Transport::Http).is_ok());
        assert_eq!(admitted, expected, "{rule:?}");
    }
    let refused = check_over(&in_memory(Policy::default()), &tc3, Transport::Http).unwrap_err();
    assert_eq!(refused.code().name(), "UnsupportedProtocol");
}

proptest! {
    /// Whatever the bytes, the answer is a verdict.
    #[test]
    fn no_request_can_panic(
        post in any::<bool>(),
        target in prop::collection::vec(any::<u8>(), 0..200),
        names in prop::collection::vec(prop::sample::select(vec![
            "host", "content-type", "authorization", "x-tc-action", "x-tc-version", "x-tc-timestamp", "x-tc-content-sha256",
        ]), 0..8),
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 8),
        body in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let headers: Vec<(&str, Vec<u8>)> = names.into_iter().zip(values).collect();
        let view = RequestView::new(Transport::Https, if post { "POST" } else { "GET" }, &target)
            .with_headers(&headers)
            .with_body(&body);
        prop_assert!(in_memory(Policy::default()).check(&view).is_err());
    }

    /// The same, close to a real request: one byte of the target, a header or the body is replaced.
    #[test]
    fn no_altered_request_can_panic(which in 0..4_usize, place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let request = match which {
            0 => QuerySigner::v2().sign(),
            1 => QuerySigner { method: "POST".to_owned(), form: test_support::signer::Form::Multipart, ..QuerySigner::v2() }.sign(),
            2 => Tc3Signer::get().sign(),
            _ => Tc3Signer::post().sign(),
        };
        let mut raw = request.raw();
        let at = place.index(raw.len());
        raw[at] = byte;
        if let Ok(parsed) = std::panic::catch_unwind(|| test_support::captures::parse(&raw)) {
            let view = RequestView::new(Transport::Https, &parsed.method, &parsed.target)
                .with_headers(&parsed.headers)
                .with_body(&parsed.body);
            let _ = in_memory(Policy::default()).check(&view);
        }
    }
}

/// The MAC of a signed request, and the request with another MAC in its place.
type Resigned = (Vec<u8>, Box<dyn Fn(&[u8]) -> Signed>);

fn resigned_query(signer: &QuerySigner) -> Resigned {
    let request = signer.sign();
    let (head, _) = request.target.rsplit_once("&Signature=").unwrap();
    let head = head.to_owned();
    let mut mac = vec![0; 48];
    let text = test_support::signer::signature(
        signer.algorithm,
        &signer.secret_key,
        &request.string_to_sign,
    );
    let length = STANDARD.decode_slice(text, &mut mac).unwrap();
    mac.truncate(length);
    let with = move |mac: &[u8]| {
        let mut text = [0; 64];
        let length = STANDARD.encode_slice(mac, &mut text).unwrap();
        let text = str::from_utf8(&text[..length]).unwrap();
        let text = test_support::signer::percent_encoded(text);
        Signed {
            target: format!("{head}&Signature={text}"),
            ..request.clone()
        }
    };
    (mac, Box::new(with))
}

fn resigned_tc3() -> Resigned {
    let request = Tc3Signer::post().sign();
    let (name, authorization) = request.headers.last().unwrap();
    assert_eq!(name, "Authorization");
    let (head, text) = authorization.rsplit_once('=').unwrap();
    let head = head.to_owned();
    let mac = (0..32)
        .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let with = move |mac: &[u8]| {
        let mut request = request.clone();
        request.headers.last_mut().unwrap().1 =
            format!("{head}={}", test_support::signer::hex(mac));
        request
    };
    (mac, Box::new(with))
}

#[test]
fn a_signature_is_compared_to_its_last_bit_and_at_its_full_length() {
    let sha256 = QuerySigner {
        algorithm: Algorithm::Sha256,
        ..QuerySigner::v2()
    };
    for ((mac, with), length) in [
        (resigned_query(&QuerySigner::v2()), 20),
        (resigned_query(&QuerySigner::v1()), 20),
        (resigned_query(&sha256), 32),
        (resigned_tc3(), 32),
    ] {
        assert_eq!(mac.len(), length);
        for bit in 0..length * 8 {
            let mut altered = mac.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(reason(&with(&altered)), Reason::SignatureMismatch, "{bit}");
        }
        for shorter in 1..length {
            assert_eq!(
                reason(&with(&mac[..shorter])),
                Reason::SignatureMismatch,
                "{shorter}"
            );
        }
        let longer = [&mac[..], &[0]].concat();
        assert_eq!(reason(&with(&longer)), Reason::SignatureMismatch);
        assert!(check(&in_memory(Policy::default()), &with(&mac)).is_ok());
    }
}

#[test]
fn sixty_four_headers_may_be_signed() {
    let sign = |extra: usize| {
        let extra_signed = (0..extra)
            .map(|index| (format!("x-{index:03}"), "1".to_owned()))
            .collect();
        Tc3Signer {
            extra_signed,
            ..Tc3Signer::post()
        }
        .sign()
    };
    assert!(check(&in_memory(Policy::default()), &sign(62)).is_ok());
    let fault = AuthorizationFault::SignedHeaders;
    assert_eq!(reason(&sign(63)), Reason::InvalidAuthorization { fault });
}

/// Which of the two a service would read, nobody can tell.
#[test]
fn a_signed_header_is_sent_once() {
    let signer = Tc3Signer {
        extra_signed: vec![("x-custom".to_owned(), "1".to_owned())],
        ..Tc3Signer::post()
    };
    assert!(check(&in_memory(Policy::default()), &signer.sign()).is_ok());
    for name in ["x-custom", "X-Custom"] {
        let fault = AuthorizationFault::SignedHeaderRepeated;
        let mut request = signer.sign();
        request.headers.push((name.to_owned(), "2".to_owned()));
        assert_eq!(reason(&request), Reason::InvalidAuthorization { fault });
    }
}

/// RFC 2046 §5.1.1: 1 to 70 characters.
#[test]
fn a_boundary_has_at_most_seventy_characters() {
    let request = QuerySigner {
        method: "POST".to_owned(),
        form: Form::Multipart,
        ..QuerySigner::v2()
    }
    .sign();
    let (name, content_type) = request.headers.last().unwrap();
    assert_eq!(name, "Content-Type");
    let (_, boundary) = content_type.split_once("boundary=").unwrap();
    let verdict = |other: &str| {
        let mut request = request.clone();
        request.headers.last_mut().unwrap().1 = content_type.replace(boundary, other);
        request.body = replaced(&request.body, boundary, other);
        check(&in_memory(Policy::default()), &request)
            .map(drop)
            .map_err(|refused| refused.reason().clone())
    };
    assert_eq!(verdict("b"), Ok(()));
    assert_eq!(verdict(&"b".repeat(70)), Ok(()));
    assert_eq!(verdict(&"b".repeat(71)), Err(Reason::MalformedMultipart));
    assert_eq!(verdict("\"\""), Err(Reason::MalformedMultipart));
}

fn strict() -> Policy {
    Policy::builder()
        .tolerance(Tolerance::Strict)
        .build()
        .unwrap()
}

#[test]
fn strictly_signed_headers_are_in_lower_case_and_in_order() {
    for names in ["host;content-type", "Content-Type;host"] {
        let mut request = Tc3Signer::post().sign();
        let (_, authorization) = request.headers.last_mut().unwrap();
        *authorization = authorization.replace("content-type;host", names);
        let fault = AuthorizationFault::SignedHeaders;
        let refused = Reason::InvalidAuthorization { fault };
        assert_eq!(reason_under(strict(), &request), refused, "{names}");
    }
    assert!(check(&in_memory(strict()), &Tc3Signer::post().sign()).is_ok());
}

#[test]
fn a_host_is_read_with_and_without_its_port_and_in_either_case() {
    for (sent, compatible) in [
        ("cvm.api.qcloud.com", true),
        ("cvm.api.qcloud.com:443", true),
        ("CVM.api.qcloud.com", true),
        ("cvm.api.qcloud.com:", false),
        ("cvm.api.qcloud.com:https", false),
        ("cvm.api.qcloud.com:443:", false),
        ("cvm.api.qcloud.com:44x", false),
        ("cvm.api.qcloud.co", false),
    ] {
        let mut request = QuerySigner::v2().sign();
        sent.clone_into(&mut request.headers[0].1);
        let admitted = |policy| check(&in_memory(policy), &request).is_ok();
        assert_eq!(admitted(Policy::default()), compatible, "{sent}");
        assert_eq!(admitted(strict()), sent == "cvm.api.qcloud.com", "{sent}");
    }
}

/// The documented way first; the others are those of the official SDKs.
#[test]
fn underscores_in_names_are_signed_in_four_ways() {
    for (underscore, strictly) in [
        (Underscore::ReplacedAfterSort, true),
        (Underscore::ReplacedBeforeSort, false),
        (Underscore::ReplacedUnlessLeading, false),
        (Underscore::Kept, false),
    ] {
        // `_` sorts behind capital letters and `.` before them.
        let request = QuerySigner {
            underscore,
            ..QuerySigner::v2()
        }
        .with("_leading_name", "1")
        .with("A_c", "2")
        .with("AZ", "3")
        .with("A.b", "4")
        .sign();
        let admitted = |policy| check(&in_memory(policy), &request).is_ok();
        assert!(admitted(Policy::default()), "{underscore:?}");
        assert_eq!(admitted(strict()), strictly, "{underscore:?}");
    }
}

#[test]
fn a_content_type_is_signed_whole_or_without_its_parameters() {
    let whole = "multipart/form-data; boundary=x";
    for (signed, strictly) in [(whole, Some(())), ("multipart/form-data", None)] {
        let mut request = Tc3Signer {
            content_type: signed.to_owned(),
            ..Tc3Signer::post()
        }
        .sign();
        for (name, value) in &mut request.headers {
            if name == "Content-Type" {
                whole.clone_into(value);
            }
        }
        let admitted = |policy| check(&in_memory(policy), &request).ok().map(drop);
        assert_eq!(admitted(Policy::default()), Some(()), "{signed}");
        assert_eq!(admitted(strict()), strictly, "{signed}");
    }
}

#[test]
fn what_is_left_unsigned_is_admitted_only_where_the_policy_names_it() {
    let urlencoded = |value: &str| QuerySigner {
        method: "POST".to_owned(),
        unsigned: vec![("Extra".to_owned(), value.to_owned())],
        ..QuerySigner::v2()
    };
    let empty = urlencoded("");
    let at_value = urlencoded("@/etc/hostname");
    let empty_in_get = QuerySigner {
        method: "GET".to_owned(),
        ..empty.clone()
    };
    let mut file = QuerySigner {
        form: Form::Multipart,
        ..urlencoded("content")
    }
    .sign();
    file.body = replaced(
        &file.body,
        "name=\"Extra\"",
        "name=\"Extra\"; filename=\"f\"",
    );

    for (request, part) in [
        (empty.sign(), UnsignedPart::EmptyValues),
        (empty_in_get.sign(), UnsignedPart::EmptyValues),
        (at_value.sign(), UnsignedPart::AtValues),
        (file, UnsignedPart::FileParts),
    ] {
        // With a port, so that other readings of the host are tried as well.
        let mut with_port = request.clone();
        with_port.headers[0].1.push_str(":443");
        for request in [request, with_port] {
            assert_eq!(reason(&request), Reason::SignatureMismatch);
            for admitted in [
                UnsignedPart::AtValues,
                UnsignedPart::FileParts,
                UnsignedPart::EmptyValues,
            ] {
                let policy = Policy::builder().insecure_accept_unsigned(admitted);
                let verdict = check(&in_memory(policy.build().unwrap()), &request);
                assert_eq!(verdict.is_ok(), admitted == part, "{part:?}, {admitted:?}");
            }
        }
    }
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = str::from_utf8(bytes).unwrap();
    assert!(text.contains(from), "{text}");
    text.replace(from, to).into_bytes()
}
