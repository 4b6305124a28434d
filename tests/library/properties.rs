//! What holds for every request: the reference signer is believed, one changed byte is not, order means nothing, the clock
//! counts to the second. And what the fuzzer found, which must not come back.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::Stores;
use qcloud_validator::{
    Dialect, Language, ManualClock, Policy, Reason, Rejection, RequestView, Tolerance, Transport,
    Validator,
};
use test_support::signer::{
    Algorithm, Form, HeaderValues, QuerySigner, Signed, TIMESTAMP, Tc3Signer, Underscore,
};
use test_support::stores::{in_memory, permanent};

/// Method, target, header values and body as they arrive.
#[derive(Clone, Debug)]
struct Wire {
    method: Vec<u8>,
    target: Vec<u8>,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl From<&Signed> for Wire {
    fn from(signed: &Signed) -> Self {
        let headers = signed.headers.iter();
        Self {
            method: signed.method.clone().into_bytes(),
            target: signed.target.clone().into_bytes(),
            headers: headers
                .map(|(name, value)| (name.clone(), value.clone().into_bytes()))
                .collect(),
            body: signed.body.clone(),
        }
    }
}

fn verdict(validator: &Validator, wire: &Wire) -> Result<(), Reason> {
    let view = RequestView::new(Transport::Https, &wire.method, &wire.target)
        .with_headers(&wire.headers)
        .with_body(&wire.body);
    let verdict = validator.check(&view).map(drop);
    verdict.map_err(|refused| refused.reason().clone())
}

fn at(now: i64, policy: Policy) -> Validator {
    let credentials = MemoryCredentials::new();
    credentials.insert(permanent());
    let stores = Stores::insecure_in_memory(credentials, policy.window_seconds());
    Validator::new(policy, stores).with_clock(ManualClock::at(now))
}

// ------------------------------------------------------------------------------------------------- requests of any kind

/// A name that no request has yet. In a multipart form names stand as they are.
fn parameters(name: &'static str) -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map(name, any::<String>(), 0..6).prop_map(|pairs| {
        let pairs = pairs.into_iter().enumerate();
        // Numbered, since two names must differ in more than `_` and `.`.
        pairs
            .map(|(number, (name, value))| (format!("{name}{number}"), value))
            .collect()
    })
}

fn query_signers() -> impl Strategy<Value = QuerySigner> {
    let underscores = [
        Underscore::Kept,
        Underscore::ReplacedAfterSort,
        Underscore::ReplacedBeforeSort,
    ];
    let algorithms = [
        Algorithm::Sha1,
        Algorithm::Sha256,
        Algorithm::UndeclaredSha1,
    ];
    let carried = prop_oneof![
        parameters("\\PC{0,6}").prop_map(|pairs| ("GET", Form::Urlencoded, pairs)),
        parameters("\\PC{0,6}").prop_map(|pairs| ("POST", Form::Urlencoded, pairs)),
        parameters("[A-Za-z._]{1,6}").prop_map(|pairs| ("POST", Form::Multipart, pairs)),
    ];
    let kind = (
        any::<bool>(),
        select(algorithms.to_vec()),
        select(underscores.to_vec()),
    );
    (kind, any::<u64>(), carried).prop_map(
        |((legacy, algorithm, underscore), nonce, (method, form, pairs))| {
            let base = if legacy {
                QuerySigner::v2()
            } else {
                QuerySigner::v1()
            };
            let base = QuerySigner {
                method: method.to_owned(),
                form,
                algorithm,
                underscore,
                nonce: nonce.to_string(),
                ..base
            };
            pairs
                .iter()
                .fold(base, |signer, (name, value)| signer.with(name, value))
        },
    )
}

fn tc3_signers() -> impl Strategy<Value = Tc3Signer> {
    let values = [HeaderValues::LowerCased, HeaderValues::Verbatim];
    let method = select(&["GET", "POST"][..]);
    let body = prop::collection::vec(any::<u8>(), 0..60);
    let header = "[!-~]([ -~]{0,20}[!-~])?";
    (
        method,
        "[!-~&&[^#]]{0,30}",
        body,
        header,
        select(values.to_vec()),
    )
        .prop_map(|(method, query, body, header, header_values)| Tc3Signer {
            method: method.to_owned(),
            query,
            body: if method == "GET" { Vec::new() } else { body },
            extra_signed: vec![("x-custom".to_owned(), header)],
            header_values,
            ..Tc3Signer::post()
        })
}

fn requests() -> impl Strategy<Value = Signed> {
    prop_oneof![
        query_signers().prop_map(|signer| signer.sign()),
        tc3_signers().prop_map(|signer| signer.sign()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_the_reference_signs_is_admitted(signed in requests()) {
        prop_assert_eq!(verdict(&in_memory(Policy::default()), &Wire::from(&signed)), Ok(()));
    }

    #[test]
    fn a_request_is_admitted_in_its_window_and_nowhere_else(
        signed in requests(),
        window in 1..=86_400_u32,
        late in prop_oneof![-90_000..90_000_i64, select(&[-1_i64, 0, 1][..])],
        at_the_end in any::<bool>(),
    ) {
        let window_seconds = i64::from(window);
        // Half of them within a second of the end of the window.
        let late = if at_the_end { late.signum() * window_seconds + late % 2 } else { late };
        let policy = Policy::builder().window_seconds(window).build().unwrap();
        match verdict(&at(TIMESTAMP + late, policy), &Wire::from(&signed)) {
            Ok(()) => prop_assert!(late.abs() <= window_seconds),
            Err(Reason::TimestampOutsideWindow { timestamp, now, .. }) => {
                prop_assert!(late.abs() > window_seconds);
                prop_assert_eq!((timestamp, now), (TIMESTAMP, TIMESTAMP + late));
            }
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn parameters_may_come_in_any_order(
        signer in query_signers(),
        forged in any::<bool>(),
        seed in prop::collection::vec(any::<u32>(), 20),
    ) {
        prop_assume!(signer.form == Form::Urlencoded);
        let mut signed = signer.sign();
        if forged {
            // As long, and not what the request was signed for.
            let swap = |text: &str| text.replace("Action=Describe", "Action=Restrict");
            signed.target = swap(&signed.target);
            signed.body = swap(str::from_utf8(&signed.body).unwrap()).into_bytes();
        }
        let mut wire = Wire::from(&signed);
        let shuffled = |pairs: &str| {
            let mut pieces: Vec<_> = pairs.split('&').zip(&seed).collect();
            pieces.sort_by_key(|(_, place)| **place);
            let pieces: Vec<&str> = pieces.into_iter().map(|(piece, _)| piece).collect();
            pieces.join("&")
        };
        if signed.method == "GET" {
            wire.target = format!("{}?{}", signed.path(), shuffled(signed.query())).into_bytes();
        } else {
            wire.body = shuffled(str::from_utf8(&signed.body).unwrap()).into_bytes();
        }
        let expected = if forged { Err(Reason::SignatureMismatch) } else { Ok(()) };
        prop_assert_eq!(verdict(&in_memory(Policy::default()), &wire), expected);
    }

    #[test]
    fn a_changed_byte_of_what_is_signed_is_refused(
        signed in requests(),
        strict in any::<bool>(),
        part in any::<Index>(),
        place in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let tolerance = if strict { Tolerance::Strict } else { Tolerance::Compatible };
        let mut wire = Wire::from(&signed);
        let mut signed_parts = signed_parts(&mut wire, tolerance);
        signed_parts.retain(|part| !part.is_empty());
        let part = part.index(signed_parts.len());
        let part = &mut signed_parts[part];
        let byte_there = &mut part[place.index(part.len())];
        // The case of a letter may mean nothing: in a host, in an escape, in a header.
        prop_assume!(!byte_there.eq_ignore_ascii_case(&byte));
        *byte_there = byte;
        let policy = Policy::builder().tolerance(tolerance).build().unwrap();
        prop_assert!(verdict(&in_memory(policy), &wire).is_err());
    }

    #[test]
    fn a_refusal_is_json_whatever_it_names(name in any::<String>(), id in any::<String>()) {
        let reason = Reason::RepeatedParameter { name };
        for dialect in Dialect::ALL {
            for language in [Language::EnUs, Language::ZhCn] {
                let refused = Rejection::new(reason.clone(), dialect, language);
                let body: serde_json::Value = serde_json::from_str(&refused.response(&id)).unwrap();
                let said = match dialect {
                    Dialect::V2Numeric => &body["message"],
                    _ => &body["Response"]["Error"]["Message"],
                };
                let message = refused.message();
                prop_assert_eq!(said.as_str(), Some(&*message));
            }
        }
    }
}

/// What the signature covers, as it stands on the wire.
fn signed_parts(wire: &mut Wire, tolerance: Tolerance) -> Vec<&mut [u8]> {
    let tc3 = wire.headers.iter().any(|(name, _)| name == "Authorization");
    let get = wire.method == b"GET";
    let mark = wire.target.iter().position(|byte| *byte == b'?');
    let mark = mark.unwrap_or(wire.target.len());
    let (path, query) = wire.target.split_at_mut(mark);
    let mut parts = vec![wire.method.as_mut_slice()];
    // Some clients of TC3 sign `/` whatever they request, so the default policy does not hold them to their path.
    if !tc3 || tolerance == Tolerance::Strict {
        parts.push(path);
    }
    if get {
        parts.push(query.get_mut(1..).unwrap_or_default());
    } else if tc3 {
        parts.push(&mut wire.body);
    } else if let Some(end) = wire.body.windows(4).rposition(|window| window == b"--\r\n") {
        // A multipart form, of which the values and the names are signed and the line after them is not.
        let values = multipart_texts(&mut wire.body[..end]);
        parts.extend(values);
    } else {
        parts.push(&mut wire.body);
    }
    for (name, value) in &mut wire.headers {
        match &**name {
            "Host" | "x-custom" | "X-TC-Timestamp" => parts.push(value),
            "Content-Type" if tc3 => parts.push(value),
            "Authorization" => {
                // Blanks between the parts may be others.
                parts.extend(value.split_mut(|byte| b" ,".contains(byte)));
            }
            _ => {}
        }
    }
    parts
}

/// The names and values of a multipart form as the reference writes it.
fn multipart_texts(body: &mut [u8]) -> Vec<&mut [u8]> {
    const NAME: &[u8] = b"form-data; name=\"";
    let mut texts = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.windows(NAME.len()).position(|window| window == NAME) {
        let after = &mut rest[at + NAME.len()..];
        let end = after.iter().position(|byte| *byte == b'"').unwrap();
        let (name, after) = after.split_at_mut(end);
        let after = &mut after[5..];
        let end = after.windows(4).position(|window| window == b"\r\n--");
        let (value, after) = after.split_at_mut(end.unwrap_or(after.len()));
        texts.push(name);
        texts.push(value);
        rest = after;
    }
    texts
}

#[cfg(feature = "tower")]
proptest! {
    #[test]
    fn a_network_of_addresses_prints_as_it_is_read(
        address in any::<std::net::IpAddr>(),
        prefix in 0..=128_u8,
    ) {
        use qcloud_validator::tower::IpNetwork;

        let address = address.to_canonical();
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.min(bits);
        // The first address of the range, and any other is refused.
        let first = match address {
            std::net::IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(u32::from(bits - prefix)).unwrap_or(0);
                std::net::Ipv4Addr::from_bits(address.to_bits() & mask).into()
            }
            std::net::IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(u32::from(bits - prefix)).unwrap_or(0);
                std::net::IpAddr::from(std::net::Ipv6Addr::from_bits(address.to_bits() & mask))
            }
        };
        prop_assume!(first.to_canonical() == first);
        let text = format!("{first}/{prefix}");
        let network: IpNetwork = text.parse().unwrap();
        prop_assert_eq!(network.to_string(), text);
        prop_assert!(network.contains(address));
        let other = format!("{address}/{prefix}").parse::<IpNetwork>();
        prop_assert_eq!(other.is_ok(), address == first);
    }
}

// --------------------------------------------------------------------------------------------------- raw requests

#[cfg(feature = "testkit")]
mod raw {
    use qcloud_validator::testkit::{RawRequests, Request};

    use test_support::captures;

    #[test]
    fn every_captured_request_comes_back_from_its_bytes() {
        for capture in captures::all() {
            let read = Request::from_raw(&capture.request).unwrap();
            let again = Request::from_raw(&read.to_raw()).unwrap();
            let framed = |request: &Request| {
                let bare = request.clone().without_header("content-length");
                bare.without_header("transfer-encoding")
            };
            assert_eq!(framed(&again), framed(&read), "{}", capture.case);
        }
    }

    /// Found by fuzzing: the host of a URL becomes a header, which could not be written.
    #[test]
    fn a_url_names_no_host_that_a_header_cannot_hold() {
        for host in ["a\0b", "a\tb", "\u{7f}", "a\rb"] {
            let bytes = format!("GET http://{host}/ HTTP/1.1\r\n\r\n");
            let error = Request::from_raw(bytes.as_bytes()).unwrap_err().to_string();
            assert!(
                error.starts_with("does not begin with a request line"),
                "{error}"
            );
            let mut requests = RawRequests::new(bytes.as_bytes());
            assert!(requests.next().unwrap().is_err() && requests.next().is_none());
        }
    }
}

// ------------------------------------------------------------------------------------------------------- diagnoses

#[cfg(feature = "diagnose")]
mod diagnosis {
    use qcloud_validator::{Policy, Reason, RequestView, Transport};

    use test_support::signer::QuerySigner;
    use test_support::stores::in_memory;

    /// Found by fuzzing: a final line end of the client's text is not counted, but it may be the server's too.
    #[test]
    fn a_text_that_ends_in_a_line_end_does_not_differ_from_itself() {
        let mut request = QuerySigner::v2().with("ZoneId", "a\r\n").sign();
        request.target = request.target.replace("Action=Describe", "Action=Restrict");
        let view = RequestView::new(Transport::Https, &request.method, &request.target)
            .with_headers(&request.headers);
        let validator = in_memory(Policy::default());
        let refused = validator.check(&view).unwrap_err();
        assert_eq!(refused.reason(), &Reason::SignatureMismatch);
        let diagnosis = validator.explain(&view, &refused);
        let text = diagnosis.string_to_sign().unwrap();
        assert!(text.ends_with("&ZoneId=a\r\n"), "{text}");
        assert_eq!(diagnosis.difference(text), None);
        assert_eq!(diagnosis.difference(&format!("{text}\n")), None);
        assert!(diagnosis.difference(text.trim_end()).is_some());
    }
}
