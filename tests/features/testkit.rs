//! The kit for tests of clients: what it reads, what it signs, what it asserts.

use std::panic;

use proptest::prelude::*;
use qcloud_validator::diagnose::Mistake;
use qcloud_validator::store::{Credential, Principal};
use qcloud_validator::testkit::{
    Assertion, CannotShow, ManualClock, RawRequests, Request, Signer, UnreadableCommand,
};
use qcloud_validator::{
    Clock, Policy, SecretKey, Tolerance, Transport, assert_admitted, assert_refused,
};

use test_support::signer::{
    Algorithm, HeaderValues, QuerySigner, SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, Tc3Signer,
    percent_encoded, signature,
};

const KEY: (&str, &str) = (SECRET_ID, SECRET_KEY);
const TOKEN: &str = "dummy-session-token-01234567890abcdef";

fn v2() -> Signer {
    Signer::v2(SECRET_ID, SECRET_KEY)
        .action("DescribeInstances")
        .region("ap-guangzhou")
        .timestamp(TIMESTAMP)
        .nonce(11886)
}

fn v1() -> Signer {
    Signer::v1(SECRET_ID, SECRET_KEY)
        .action("DescribeInstances")
        .region("ap-guangzhou")
        .version("2017-03-12")
        .timestamp(TIMESTAMP)
        .nonce(11886)
}

fn tc3() -> Signer {
    Signer::tc3(SECRET_ID, SECRET_KEY)
        .action("DescribeInstances")
        .version("2017-03-12")
        .region("ap-guangzhou")
        .timestamp(TIMESTAMP)
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

/// The value of `Signature` among the pairs of a query or form.
fn signature_in(pairs: &str) -> &str {
    let (_, value) = pairs.rsplit_once("Signature=").unwrap();
    value
}

/// The request of the reference signer.
fn reference(signed: &Signed) -> Request {
    signed.headers.iter().fold(
        Request::new(signed.method.as_str(), signed.target.as_str())
            .with_body(signed.body.as_slice()),
        |request, (name, value)| request.with_header(name, value.as_str()),
    )
}

// The signer, against the reference.

#[test]
fn v2_and_v1_sign_as_the_reference_does() {
    type Declare = fn(Signer) -> Signer;
    let hashes: [(Algorithm, Declare); 3] = [
        (Algorithm::UndeclaredSha1, |signer| signer),
        (Algorithm::Sha1, Signer::hmac_sha1),
        (Algorithm::Sha256, Signer::hmac_sha256),
    ];
    for (own, mut reference) in [(v2(), QuerySigner::v2()), (v1(), QuerySigner::v1())] {
        let own = own
            .parameter("Filter_Name", "a&b=c d+默认")
            .parameter("Ids.10", "")
            .parameter("Ids.2", "x");
        reference = reference
            .with("Filter_Name", "a&b=c d+默认")
            .with("Ids.10", "")
            .with("Ids.2", "x");
        reference.underscore = match reference.path.as_str() {
            "/" => test_support::signer::Underscore::Kept,
            _ => test_support::signer::Underscore::ReplacedAfterSort,
        };
        for (algorithm, declare) in hashes {
            reference.algorithm = algorithm;
            for method in ["GET", "POST"] {
                reference.method = method.to_owned();
                let own = declare(own.clone());
                let own = if method == "GET" { own } else { own.post() };
                let (signed, expected) = (own.sign(), reference.sign());
                let pairs = |get: &str, post: &str| {
                    signature_in(if method == "GET" { get } else { post }).to_owned()
                };
                assert_eq!(
                    pairs(text(signed.target()), text(signed.body())),
                    pairs(&expected.target, text(&expected.body)),
                    "{method} {algorithm:?}"
                );
                assert_admitted!(&signed, KEY);
            }
        }
    }
}

#[test]
fn tc3_signs_as_the_reference_does() {
    let cases: [(Signer, Tc3Signer); 6] = [
        (tc3().body(r#"{"Limit":1}"#), Tc3Signer::post()),
        (tc3().parameter("Limit", "1"), Tc3Signer::get()),
        (
            tc3().query("b=2&a=%7e1"),
            Tc3Signer {
                query: "b=2&a=%7e1".to_owned(),
                ..Tc3Signer::get()
            },
        ),
        (
            tc3().body(r#"{"Limit":1}"#).unsigned_payload(),
            Tc3Signer {
                unsigned_payload: true,
                ..Tc3Signer::post()
            },
        ),
        (
            tc3()
                .content_type("application/octet-stream")
                .body([0, 255])
                .host("ai.cvm.example:8443")
                .service("cvm"),
            Tc3Signer {
                content_type: "application/octet-stream".to_owned(),
                body: vec![0, 255],
                host: "ai.cvm.example:8443".to_owned(),
                ..Tc3Signer::post()
            },
        ),
        (
            tc3()
                .body(r#"{"Limit":1}"#)
                .signed_header("X-TC-Action", "DescribeInstances")
                .signed_header("X-Extra", "Some Value"),
            Tc3Signer {
                extra_signed: [
                    ("X-TC-Action", "DescribeInstances"),
                    ("X-Extra", "Some Value"),
                ]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
                header_values: HeaderValues::LowerCased,
                ..Tc3Signer::post()
            },
        ),
    ];
    for (own, expected) in cases {
        let (own, expected) = (own.sign(), reference(&expected.sign()));
        assert_eq!(
            text(own.header("authorization").unwrap()),
            text(expected.header("authorization").unwrap())
        );
        assert_eq!(own.target(), expected.target());
        assert_eq!(own.body(), expected.body());
        assert_admitted!(&own, KEY);
    }
}

#[test]
fn what_is_not_set_is_usual_and_new() {
    let credential = Signer::v2("AKID", "key").action("A");
    let (first, second) = (credential.sign(), credential.sign());
    assert_ne!(first.target(), second.target());
    let now = qcloud_validator::SystemClock.now().seconds();
    assert_admitted!(&first, ("AKID", "key"), at = now);
    let tc3 = Signer::tc3("AKID", "key").action("A").version("2017-03-12");
    assert_eq!(tc3.sign().method(), b"POST");
    assert_eq!(tc3.sign().body(), b"{}");
    assert_admitted!(tc3.sign(), ("AKID", "key"), at = now);
    assert_eq!(tc3.clone().parameter("a", "b").sign().method(), b"GET");
    assert_eq!(tc3.body("").sign().method(), b"POST");
}

#[test]
fn temporary_keys_send_their_token() {
    let key = SecretKey::new(SECRET_KEY).unwrap();
    let account = Principal::account("1");
    let temporary = Credential::temporary(SECRET_ID, key, account, TOKEN, None);
    for (signer, code) in [
        (v2(), "4105"),
        (
            v2().version("2017-03-12").post(),
            "InvalidRequest.TokenCheckFailed",
        ),
        (v1(), "AuthFailure.SecretIdNotFound"),
        (tc3(), "AuthFailure.SecretIdNotFound"),
    ] {
        assert_admitted!(signer.clone().token(TOKEN).sign(), &temporary);
        assert_refused!(signer.sign(), [temporary.clone()], code);
    }
}

#[test]
fn neither_key_nor_token_nor_parameters_are_printed() {
    let signer = tc3()
        .token(TOKEN)
        .parameter("Password", "hidden-value")
        .header("X", "hidden-value");
    let shown = format!("{signer:?} {:?}", signer.sign());
    for secret in [SECRET_KEY, TOKEN, "hidden-value"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

// Mistakes.

/// Requests with something in them for every mistake.
fn rich() -> Vec<Signer> {
    let query = |signer: Signer| {
        let ids = (0..12).map(|index| (format!("InstanceIds.{index}"), format!("ins-{index}")));
        signer
            .parameters(ids)
            .parameter("limit", "20")
            .parameter("Zone_Id", "1")
            .parameter("ZoneId", "2")
            .parameter("Name", " 默认 <a>+b%20\r\nC")
            .parameter("Plus", "a+b")
            .parameter("Line", "a\nb")
            .parameter("Blank", "a b")
            .parameter("Flag", "true")
            .parameter("Empty", "")
            .parameter("Placement[Zone]", "x")
            .parameter("At", "@file")
    };
    // Without a nonce of its own: some signatures hold a `+`, some do not.
    let any_nonce = Signer::v2(SECRET_ID, SECRET_KEY).action("DescribeInstances");
    let mut all = vec![any_nonce.timestamp(TIMESTAMP)];
    for signer in [v2(), v1()] {
        all.push(query(signer.clone()));
        all.push(query(signer.clone()).post());
        all.push(signer.clone().token(TOKEN));
        all.push(signer.clone().hmac_sha256());
        all.push(signer.clone().parameter("Plus", "a+b"));
        all.push(signer.clone().parameter("Blank", "a b"));
        all.push(signer.clone().parameter("Line", "a\nb"));
        all.push(signer.clone().parameter("Trim", "a "));
        all.push(signer.clone().parameter("Html", "<a>"));
        all.push(signer.clone().parameter("Number", "20"));
        all.push(signer.clone().parameter("Flag", "true"));
        all.push(signer.clone().parameter("Empty", ""));
        all.push(signer.clone().parameter("Name", "默认"));
        all.push(signer.clone().parameter("a_b", "1").parameter("aB", "1"));
        all.push(signer.clone().parameter("limit", "1"));
        all.push(
            signer
                .clone()
                .parameter("Ids.2", "1")
                .parameter("Ids.10", "1"),
        );
        all.push(signer.clone().parameter("A", "1").parameter("A.0", "1"));
        all.push(signer.clone().host("CVM.api.qcloud.com"));
        all.push(signer.clone().host("cvm.example:8443"));
        all.push(signer.host("relay.example"));
    }
    all.push(tc3().body(r#"{"Limit": 1, "Name": "默认"}"#));
    all.push(tc3().body(r#"{"b":"/","a":1}"#).token(TOKEN));
    all.push(tc3().parameter("b", "x y~").parameter("a", "默认"));
    all.push(tc3().query("b=2&a=1"));
    all.push(tc3().query("a=x+y"));
    all.push(tc3().query("a=%7E"));
    all.push(tc3().host("cvm.example:8443"));
    all.push(tc3().host("CVM.tencentcloudapi.com").service("cvm"));
    all.push(tc3().host("relay.example").service("cvm"));
    all.push(tc3().content_type("application/json; charset=utf-8"));
    all.push(
        tc3()
            .signed_header("X-TC-Action", "DescribeInstances")
            .signed_header("X-Extra", "Two  Blanks"),
    );
    all.push(tc3().body("{}").unsigned_payload());
    all
}

/// What no request of one's own can show: it takes another request, or what the server knows.
const ELSEWHERE: [Mistake; 7] = [
    Mistake::AnotherCredentialsKey,
    Mistake::TokenExpired,
    Mistake::BodyTooLarge,
    Mistake::NonceReused,
    Mistake::NotPermitted,
    Mistake::ActionWrong,
    Mistake::LimitReached,
];

#[test]
fn every_mistake_of_a_client_can_be_made() {
    let signers = rich();
    let mut never = Vec::new();
    for &mistake in Mistake::ALL {
        let made = signers
            .iter()
            .find_map(|signer| signer.sign_with_mistake(mistake).ok());
        if made.is_none() && !ELSEWHERE.contains(&mistake) {
            never.push(mistake.id());
        }
        if made.is_some() && ELSEWHERE.contains(&mistake) {
            panic!("{} can be made", mistake.id());
        }
    }
    assert_eq!(never, [""; 0]);
}

#[test]
fn mistakes_read_as_they_are_described() {
    let encoded = |signature: &str| percent_encoded(signature);
    let string = "GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Name=a%20b&Nonce=11886\
                  &Region=ap-guangzhou&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600";
    let right = string.replace("%20", " ");
    let sha1 = |key: &str, text: &str| signature(Algorithm::Sha1, key, text);
    let cases = [
        (Mistake::EncodedBeforeSigning, sha1(SECRET_KEY, string)),
        (
            Mistake::SecretKeyWhitespace,
            sha1(&format!("{SECRET_KEY}\n"), &right),
        ),
        (Mistake::SecretKeyEmpty, sha1("", &right)),
        (Mistake::IdAndKeySwapped, sha1(SECRET_ID, &right)),
        (Mistake::HmacArgumentsSwapped, sha1(&right, SECRET_KEY)),
        (
            Mistake::Sha256NotDeclared,
            signature(Algorithm::Sha256, SECRET_KEY, &right),
        ),
        (
            Mistake::UnpaddedBase64,
            sha1(SECRET_KEY, &right).trim_end_matches('=').to_owned(),
        ),
        (
            Mistake::SignatureDoubleEncoded,
            encoded(&sha1(SECRET_KEY, &right)),
        ),
        (
            Mistake::MethodMismatch,
            sha1(SECRET_KEY, &right.replacen("GET", "POST", 1)),
        ),
    ];
    for (mistake, expected) in cases {
        let request = v2()
            .parameter("Name", "a b")
            .sign_with_mistake(mistake)
            .unwrap();
        assert_eq!(
            signature_in(text(request.target())),
            encoded(&expected),
            "{mistake:?}"
        );
    }
}

#[test]
fn a_mistake_that_cannot_show_is_an_error() {
    let refused = v2().sign_with_mistake(Mistake::Crlf).unwrap_err();
    assert_eq!(refused.mistake(), Mistake::Crlf);
    assert_eq!(
        refused.to_string(),
        "the mistake tc3-crlf cannot show in this request"
    );
    let plain = v2().sign_with_mistake(Mistake::EncodedBeforeSigning);
    assert!(matches!(plain, Err(CannotShow { .. })));
}

// Assertions.

fn panic_of(assertion: impl FnOnce() + panic::UnwindSafe) -> String {
    let payload = panic::catch_unwind(assertion).unwrap_err();
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&str>().unwrap()).to_owned(),
    }
}

#[test]
fn a_refusal_fails_with_the_whole_explanation() {
    let request = v2()
        .parameter("Name", "a b")
        .sign_with_mistake(Mistake::EncodedBeforeSigning)
        .unwrap();
    let shown = panic_of(|| {
        assert_admitted!(&request, KEY);
    });
    assert_eq!(
        shown,
        "\
the request is refused
4100: Authentication failed. Please refer to the Authentication section in the document. The signature does not fit the request.

encoded-before-signing: Values were percent-encoded before they were signed.
  found: parameter `Name`: signed `a%20b`, sent `a b` (as sent)
  fix: Sign the raw values; encode them afterwards, when the request is built.

what should have been signed:
GETcvm.api.qcloud.com/v2/index.php?Action=DescribeInstances&Name=a b&Nonce=11886&Region=ap-guangzhou&SecretId=AKIDEXAMPLEdummydummydummydummydummy12&Timestamp=1767225600
"
    );
}

#[test]
fn a_refusal_is_asserted_by_its_code() {
    let wrong = Signer::v2(SECRET_ID, "another").action("A").sign();
    assert_refused!(&wrong, KEY, "4100");
    let refused = assert_refused!(&wrong, KEY, "AuthFailure");
    assert_eq!(refused.reason().id(), "signature-mismatch");
    let shown = panic_of(|| {
        assert_refused!(&wrong, KEY, "4104");
    });
    assert!(
        shown.starts_with("the request is refused with another code than 4104\n4100: "),
        "{shown}"
    );
    let shown = panic_of(|| {
        assert_refused!(v2().sign(), KEY, "4100");
    });
    assert_eq!(
        shown,
        "the request is admitted as DescribeInstances and should be refused with 4100"
    );
}

#[test]
fn time_and_policy_may_be_given() {
    let request = v1().parameter("a_b", "1").parameter("aB", "2").sign();
    assert_admitted!(&request, KEY, at = TIMESTAMP + 300);
    assert_refused!(
        &request,
        KEY,
        "AuthFailure.SignatureExpire",
        at = TIMESTAMP + 301
    );
    let strict = || {
        Policy::builder()
            .tolerance(Tolerance::Strict)
            .build()
            .unwrap()
    };
    let python = reference(&{
        let mut signer = QuerySigner::v1().with("a_b", "1").with("aB", "2");
        signer.underscore = test_support::signer::Underscore::ReplacedBeforeSort;
        signer.sign()
    });
    assert_admitted!(&python, KEY);
    assert_refused!(
        &python,
        KEY,
        "AuthFailure.SignatureFailure",
        policy = strict()
    );
    let narrow = Policy::builder().window_seconds(10).build().unwrap();
    assert_refused!(
        &request,
        KEY,
        "AuthFailure.SignatureExpire",
        policy = narrow,
        at = TIMESTAMP + 11,
    );
}

#[test]
fn credentials_and_requests_of_many_kinds_are_taken() {
    let credential = |id: &str| {
        let key = SecretKey::new(SECRET_KEY).unwrap();
        Credential::permanent(id, key, Principal::account("1"))
    };
    let list = vec![credential("AKIDother"), credential(SECRET_ID)];
    let request = v2().sign();
    assert_admitted!(request.clone(), credential(SECRET_ID));
    assert_admitted!(&request, &list);
    assert_admitted!(&request, list.as_slice());
    assert_admitted!(&request, list);
    assert_admitted!(&request, (SECRET_ID.to_owned(), SECRET_KEY.as_bytes()));
    assert_refused!(&request, (SECRET_ID, ""), "4104");
    let verdict = Assertion::new(&request, ("AKIDother", SECRET_KEY)).explained();
    assert!(verdict.is_err());
    assert_eq!(ManualClock::at(5).now().seconds(), 5);
}

#[test]
fn a_key_sent_as_the_secret_id_is_not_printed() {
    let request = Signer::v2(SECRET_KEY, SECRET_ID).action("A").sign();
    let shown = panic_of(|| {
        assert_admitted!(&request, KEY);
    });
    assert!(shown.contains("id-and-key-swapped"), "{shown}");
    assert!(!shown.contains(SECRET_KEY), "{shown}");
}

// Conversions.

#[test]
fn requests_of_the_http_crate() {
    let signed = tc3().body(r#"{"Limit":1}"#).sign();
    let mut builder = http::Request::post("https://cvm.tencentcloudapi.com");
    for (name, value) in signed.headers().filter(|(name, _)| *name != "Host") {
        builder = builder.header(name, value);
    }
    let request = builder.body(signed.body().to_vec()).unwrap();
    assert_admitted!(request, KEY);

    let taken = |request: http::Request<&str>| Request::try_from(request);
    let clear = taken(
        http::Request::get("http://a.example:81/p?q")
            .body("")
            .unwrap(),
    )
    .unwrap();
    assert_eq!(clear.transport(), Transport::Http);
    assert_eq!(clear.target(), b"/p?q");
    assert_eq!(clear.header("HOST"), Some(&b"a.example:81"[..]));
    let own = http::Request::get("/p")
        .header("Host", "b")
        .body("")
        .unwrap();
    let own = taken(own).unwrap();
    assert_eq!(own.transport(), Transport::Https);
    assert_eq!(own.headers().count(), 1);
    let nameless = taken(http::Request::get("/p").body("").unwrap());
    assert_eq!(
        nameless.unwrap_err().to_string(),
        "neither a header nor the URL names the host"
    );
}

#[test]
fn raw_requests() {
    for signer in rich() {
        let request = signer.sign();
        assert_eq!(
            Request::from_raw(&request.to_raw())
                .unwrap()
                .view()
                .header("host"),
            request.view().header("host")
        );
        assert_admitted!(
            Request::from_raw(&request.to_raw()).unwrap(),
            credential_of(&request)
        );
    }
    let one = b"GET / HTTP/1.1\nHost: a\n\n";
    let two = [&one[..], one].concat();
    let error = |bytes: &[u8]| Request::from_raw(bytes).unwrap_err().to_string();
    assert_eq!(error(b""), "there is no request in it");
    assert_eq!(error(&two), "there is more than one request in it");
    assert_eq!(
        error(&[&one[..], b"more"].concat()),
        "what follows a complete request is not another one; is its Content-Length too small?"
    );
    assert_eq!(RawRequests::new(&two[..]).count(), 2);
}

/// The credential that admits a request of [`rich`].
fn credential_of(request: &Request) -> Credential {
    let key = SecretKey::new(SECRET_KEY).unwrap();
    let account = Principal::account("1");
    let everything = request.to_raw();
    match text(&everything).contains(TOKEN) {
        true => Credential::temporary(SECRET_ID, key, account, TOKEN, None),
        false => Credential::permanent(SECRET_ID, key, account),
    }
}

#[test]
fn commands_send_what_curl_sends() {
    // Compared with curl 7.88.
    let form = Some("application/x-www-form-urlencoded");
    let json = Some("application/json");
    let cases: [(&str, &str, &str, &str, Option<&str>); 20] = [
        ("curl https://h/p?a=1", "GET", "/p?a=1", "", None),
        ("curl https://h", "GET", "/", "", None),
        ("curl 'https://h?x=1#end'", "GET", "/?x=1", "", None),
        (
            "curl -s https://h -d a=1 -d 'b=2&c'",
            "POST",
            "/",
            "a=1&b=2&c",
            form,
        ),
        (
            "curl https://h --data-urlencode 'n=a b+c/默认' --data-urlencode 'x y' --data-urlencode =z= --data-urlencode 'a=b=c@d'",
            "POST",
            "/",
            "n=a+b%2Bc%2F%E9%BB%98%E8%AE%A4&x+y&z%3D&a=b%3Dc%40d",
            form,
        ),
        (
            "curl -G https://h/p -d a=1 --data-urlencode 'b=x y'",
            "GET",
            "/p?a=1&b=x+y",
            "",
            None,
        ),
        (
            "curl -G 'https://h/p?q=1' -d a=1",
            "GET",
            "/p?q=1&a=1",
            "",
            None,
        ),
        ("curl -G 'https://h/p?' -d a=1", "GET", "/p?a=1", "", None),
        (
            "curl --url-query 'a=1 2' --url-query '+r=%20' https://h/?z",
            "GET",
            "/?z&a=1+2&r=%20",
            "",
            None,
        ),
        ("curl -X PUT https://h/ -d ''", "PUT", "/", "", form),
        ("curl -XGET https://h/ -d body", "GET", "/", "body", form),
        ("curl -I https://h/", "HEAD", "/", "", None),
        (
            r#"curl https://h --json '{"a":1}' --json '[2]'"#,
            "POST",
            "/",
            r#"{"a":1}[2]"#,
            json,
        ),
        (
            "curl https://h --json 1 -H 'content-type: text/x'",
            "POST",
            "/",
            "1",
            Some("text/x"),
        ),
        (
            "curl https://h -H 'Content-Type:' -d x",
            "POST",
            "/",
            "x",
            None,
        ),
        (
            "curl https://h --data-raw @x -H 'Content-Type;'",
            "POST",
            "/",
            "@x",
            Some(""),
        ),
        ("curl -sSLd a=1 -HX:b https://h", "POST", "/", "a=1", form),
        (
            r"curl -d $'a\nb\'c\u9ed8' --url https://h",
            "POST",
            "/",
            "a\nb'c默",
            form,
        ),
        (
            "$ /usr/bin/curl \\\n  -X POST \"https://h/\" \\\r\n  -o out -m 5 -k --compressed -d '{\"a\": \"b\"}' \\\n | jq .",
            "POST",
            "/",
            "{\"a\": \"b\"}",
            form,
        ),
        (
            "curl.exe https://h -d 'a\r\nb'",
            "POST",
            "/",
            "a\r\nb",
            form,
        ),
    ];
    for (command, method, target, body, content_type) in cases {
        let request =
            Request::from_curl(command).unwrap_or_else(|error| panic!("{command}: {error}"));
        assert_eq!(
            (
                text(request.method()),
                text(request.target()),
                text(request.body())
            ),
            (method, target, body),
            "{command}"
        );
        assert_eq!(
            request.header("content-type").map(text),
            content_type,
            "{command}"
        );
        assert_eq!(request.header("host"), Some(&b"h"[..]), "{command}");
        assert_eq!(request.transport(), Transport::Https);
    }
}

#[test]
fn hosts_and_headers_of_commands() {
    let host = |command: &str| {
        let request = Request::from_curl(command).unwrap();
        let host = request.header("host").unwrap().to_vec();
        (request.transport(), String::from_utf8(host).unwrap())
    };
    for (url, transport, expected) in [
        ("https://h:443/", Transport::Https, "h"),
        ("https://h:8443/", Transport::Https, "h:8443"),
        ("HTTP://h:80", Transport::Http, "h"),
        ("http://h:443", Transport::Http, "h:443"),
        ("h/p", Transport::Http, "h"),
        ("https://h -H 'Host: other'", Transport::Https, "other"),
    ] {
        assert_eq!(
            host(&format!("curl {url}")),
            (transport, expected.to_owned())
        );
    }
    let request = Request::from_curl(
        "curl https://h -H 'A:  b ' -H 'A: c' -H 'E;' -H 'N:' -A agent -e from -b k=v -b cookies.txt -H nonsense",
    )
    .unwrap();
    let headers: Vec<(&str, &str)> = request
        .headers()
        .map(|(name, value)| (name, text(value)))
        .collect();
    assert_eq!(
        headers,
        [
            ("Host", "h"),
            ("A", "b "),
            ("A", "c"),
            ("E", ""),
            ("User-Agent", "agent"),
            ("Referer", "from"),
            ("Cookie", "k=v"),
        ]
    );
}

#[test]
fn what_a_command_does_not_hold_is_named() {
    for (command, message) in [
        ("", "does not begin with `curl`"),
        ("wget https://h", "does not begin with `curl`"),
        ("curl 'https://h", "a quote is not closed"),
        ("curl -s", "there is no URL in the command"),
        (
            "curl https://h -H X-TC-Action: DescribeZones",
            "there is more than one URL in the command; is an option's value not quoted?",
        ),
        ("curl ftp://h/", "cannot be requested over HTTP: ftp://h/"),
        (
            "curl https://user@h/",
            "cannot be requested over HTTP: https://user@h/",
        ),
        (
            "curl 'https://h/a b'",
            "cannot be requested over HTTP: https://h/a b",
        ),
        (
            "curl https:///p",
            "cannot be requested over HTTP: https:///p",
        ),
        (
            "curl --no-such https://h",
            "the option --no-such is not known",
        ),
        ("curl -sZ https://h", "the option -Z is not known"),
        ("curl https://h -d", "nothing follows -d"),
        (
            "curl https://h -d @body.json",
            "part of the request is in the file `body.json`, and files are not read: put its content in the command",
        ),
        (
            "curl https://h --data-binary @-",
            "part of the request is in the file `-`, and files are not read: put its content in the command",
        ),
        (
            "curl https://h --data-urlencode n@f",
            "part of the request is in the file `f`, and files are not read: put its content in the command",
        ),
        (
            "curl https://h -H @headers",
            "part of the request is in the file `headers`, and files are not read: put its content in the command",
        ),
        (
            "curl https://h -T f",
            "-T cannot be used here: files are not read",
        ),
        (
            "curl https://h -F a=b",
            "-F cannot be used here: the boundary of a multipart body is chosen by curl; give the raw request",
        ),
        (
            "curl https://h -u a:b",
            "-u cannot be used here: it sets another Authorization than that of the API",
        ),
    ] {
        let error = Request::from_curl(command).unwrap_err();
        assert_eq!(error.to_string(), message, "{command}");
    }
    assert_eq!(
        Request::from_url(""),
        Err(UnreadableCommand::Url(String::new()))
    );
}

#[test]
fn signed_requests_come_back_from_commands() {
    for signer in rich() {
        let request = signer.sign();
        if !request.view().path().is_ascii() {
            continue;
        }
        let command = request.to_curl().unwrap();
        let back = Request::from_curl(&command).unwrap();
        assert_eq!(back, request, "{command}");
    }
    assert_eq!(Request::new("GET", "/").to_curl(), None);
    let bytes = Request::new("POST", "/")
        .with_header("Host", "h")
        .with_body([255]);
    assert_eq!(bytes.to_curl(), None);
}

proptest! {
    #[test]
    fn any_request_of_text_comes_back(
        method in "GET|POST|PUT",
        target in "/[!-~&&[^#]]{0,20}",
        value in "[!-~]([ -~]{0,20}[!-~])?",
        body in any::<String>(),
        content_type in proptest::option::of("[a-z/;=]{1,20}"),
    ) {
        prop_assume!(!body.contains('\0'));
        let body = if method == "GET" { String::new() } else { body };
        let mut request = Request::new(method, target)
            .with_header("Host", "cvm.example:8443")
            .with_header("X-Value", value)
            .with_body(body);
        if let Some(content_type) = content_type {
            request = request.with_header("Content-Type", content_type);
        }
        let command = request.to_curl().unwrap();
        let back = Request::from_curl(&command).unwrap();
        prop_assert_eq!(&back, &request, "{}", command);
        let raw = Request::from_raw(&request.to_raw()).unwrap();
        prop_assert_eq!(raw.body(), request.body());
        prop_assert_eq!(raw.target(), request.target());
    }
}
