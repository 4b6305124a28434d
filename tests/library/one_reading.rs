//! What decides is one value that every program reads alike, or the request is refused: in each family of requests, however
//! a proxy or a client spells it.

use std::sync::Arc;

use qcloud_validator::memory::{
    AccountRules, ActionRules, Effect, MemoryCredentials, MemoryPermissions, Rule,
};
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::{
    Dialect, Expected, Language, Policy, Reason, Rejection, RequestView, SecretKey, Transport,
    Uncovered, Validator,
};
use test_support::signer::{
    Form, QuerySigner, SECRET_ID, SECRET_KEY, Signed, TIMESTAMP, Tc3Signer,
};
use test_support::stores::{check, in_memory};

/// Each way in which one value can be taken for two, for another one, or for none.
const SPELLINGS: [&str; 14] = [
    "A,B", "A, B", "A B", "A\tB", "A;B", "A*", "A%2CB", "A%00", "A\r\n B", "A\u{b}", "A/B", "A+B",
    "\u{ff21}", "A\u{e9}",
];

fn validator() -> Validator {
    in_memory(Policy::default())
}

fn reason(request: &Signed) -> Reason {
    check(&validator(), request).unwrap_err().reason().clone()
}

/// Signed as it stands, so that nothing but its value refuses the request.
fn tc3(header: &str, value: &str) -> Signed {
    let mut signer = Tc3Signer::post();
    signer.headers.retain(|(name, _)| name != header);
    signer.headers.push((header.to_owned(), value.to_owned()));
    signer.sign()
}

/// The same for a parameter, in a query and in a form.
fn parameter(name: &str, value: &str) -> Vec<Signed> {
    let mut requests = Vec::new();
    for mut signer in [
        QuerySigner::v2().with("Version", "2017-03-12"),
        QuerySigner::v1(),
    ] {
        signer.params.retain(|(key, _)| key != name);
        let signer = signer.with(name, value);
        requests.push(signer.sign());
        requests.push(
            QuerySigner {
                method: "POST".to_owned(),
                ..signer
            }
            .sign(),
        );
    }
    requests
}

#[test]
fn what_steers_a_request_is_one_value_of_its_grammar() {
    for (name, header, expected, good) in [
        (
            "Action",
            "X-TC-Action",
            Expected::Action,
            &["DescribeInstances", "A", "Describe_2"][..],
        ),
        (
            "Version",
            "X-TC-Version",
            Expected::Version,
            &["2017-03-12"],
        ),
        (
            "Region",
            "X-TC-Region",
            Expected::Region,
            &["ap-guangzhou", "gz", "CN_GUANGZHOU", ""],
        ),
        (
            "Language",
            "X-TC-Language",
            Expected::Language,
            &["zh-CN", "en-US", "ja-JP", ""],
        ),
    ] {
        for value in good {
            let verdict = check(&validator(), &tc3(header, value));
            assert!(verdict.is_ok(), "{header}: {value}: {verdict:?}");
            for request in parameter(name, value) {
                let verdict = check(&validator(), &request);
                assert!(verdict.is_ok(), "{name}={value}: {verdict:?}");
            }
        }
        let long = "A".repeat(257);
        for spelling in SPELLINGS.into_iter().chain([long.as_str()]) {
            // About a value of its own grammar, and alone.
            for value in [spelling.to_owned(), spelling.replace('A', good[0])] {
                if value == good[0] {
                    continue;
                }
                assert_eq!(
                    reason(&tc3(header, &value)),
                    Reason::InvalidParameter {
                        name: header,
                        expected
                    },
                    "{value}"
                );
                for request in parameter(name, &value) {
                    assert_eq!(
                        reason(&request),
                        Reason::InvalidParameter { name, expected },
                        "{value}"
                    );
                }
            }
        }
    }
    for version in ["2017-3-12", "2017-03-12 ", "20170312", "2017-03-12T00", "1"] {
        let expected = Expected::Version;
        for request in parameter("Version", version) {
            let name = "Version";
            assert_eq!(
                reason(&request),
                Reason::InvalidParameter { name, expected },
                "{version}"
            );
        }
    }
}

#[test]
fn the_code_of_a_value_that_is_none_is_that_of_an_invalid_parameter() {
    for request in parameter("Action", "DescribeZones,TerminateInstances") {
        let refused = check(&validator(), &request).unwrap_err();
        assert_eq!(refused.code().name(), "InvalidParameter");
        assert_eq!(
            refused.message(),
            "The value type of parameter `Action` is not valid: it must be one name of letters, digits and `_`, such as \
             `DescribeInstances`."
        );
        assert_eq!(refused.code_in(Dialect::V2Numeric).number(), Some(4000));
    }
}

/// A proxy joins them with a comma, and a service takes the first or the last.
#[test]
fn what_steers_a_request_stands_in_one_line() {
    for header in [
        "X-TC-Action",
        "X-TC-Version",
        "X-TC-Timestamp",
        "X-TC-Region",
        "X-TC-Language",
        "X-TC-Token",
        "X-TC-Content-SHA256",
        "Authorization",
    ] {
        let signed = Tc3Signer::post().sign();
        let sent = signed.header(header).unwrap_or("zh-CN").to_owned();
        for (first, second) in [(&*sent, &*sent), (&sent, "other"), (&sent, "")] {
            let mut request = signed.clone();
            request.headers.retain(|(name, _)| name != header);
            let lower_case = header.to_ascii_lowercase();
            request.headers.push((header.to_owned(), first.to_owned()));
            request
                .headers
                .push((lower_case.clone(), second.to_owned()));
            let repeated = Reason::RepeatedHeader { name: lower_case };
            assert_eq!(reason(&request), repeated, "{header}: {second}");
        }
    }
}

/// Blanks around a value are no part of it (RFC 9110 §5.5); other invisible characters are, to some programs.
#[test]
fn blanks_around_a_header_are_no_part_of_it() {
    for value in [" DescribeInstances", "DescribeInstances\t "] {
        assert!(check(&validator(), &tc3("X-TC-Action", value)).is_ok());
    }
    for value in [
        "DescribeInstances\n",
        "\u{c}DescribeInstances",
        "DescribeInstances\r\n ",
    ] {
        let (name, expected) = ("X-TC-Action", Expected::Action);
        assert_eq!(
            reason(&tc3(name, value)),
            Reason::InvalidParameter { name, expected },
            "{value:?}"
        );
    }
}

#[test]
fn a_host_is_one_value_and_may_stand_in_several_equal_lines() {
    for signed in [
        QuerySigner::v2().sign(),
        QuerySigner::v1().sign(),
        Tc3Signer::post().sign(),
    ] {
        let host = signed.header("Host").unwrap().to_owned();
        let with = |line: &str| {
            let mut request = signed.clone();
            request.headers.push(("host".to_owned(), line.to_owned()));
            request
        };
        assert!(check(&validator(), &with(&host)).is_ok());
        let name = "host".to_owned();
        assert_eq!(
            reason(&with("evil.example")),
            Reason::RepeatedHeader { name }
        );
        for joined in [
            format!("{host},{host}"),
            format!("{host}, evil.example"),
            format!("{host} "),
            format!("{host} x"),
        ] {
            let mut request = signed.clone();
            request.headers[0].1.clone_from(&joined);
            let verdict = check(&validator(), &request);
            let expected = if joined.trim() == host {
                None
            } else {
                Some(Reason::MalformedHost)
            };
            let reason = verdict.err().map(|refused| refused.reason().clone());
            assert_eq!(reason, expected, "{joined}");
        }
    }
}

fn with_content_type(mut request: Signed, value: &str) -> Signed {
    request
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    let header = ("Content-Type".to_owned(), value.to_owned());
    request.headers.push(header);
    request
}

fn form(form: Form) -> Signed {
    QuerySigner {
        method: "POST".to_owned(),
        form,
        ..QuerySigner::v1()
    }
    .sign()
}

#[test]
fn a_content_type_is_one_media_type() {
    for value in [
        "application/x-www-form-urlencoded,multipart/form-data; boundary=b",
        "application/x-www-form-urlencoded, application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=utf-8; charset=utf-8",
        "application/json application/x-www-form-urlencoded",
        "multipart/form-data; boundary=a,b",
        "form",
    ] {
        let expected = Reason::MalformedContentType;
        let form = with_content_type(form(Form::Urlencoded), value);
        assert_eq!(reason(&form), expected, "{value}");
        let tc3 = Tc3Signer {
            content_type: value.to_owned(),
            ..Tc3Signer::post()
        };
        assert_eq!(reason(&tc3.sign()), expected, "{value}");
    }
    for value in [
        "application/x-www-form-urlencoded",
        "Application/X-WWW-Form-URLEncoded;Charset=UTF-8",
        "application/x-www-form-urlencoded; charset=\"utf-8\"",
        "application/x-www-form-urlencoded;",
        "application/json",
        "text/plain",
        "",
    ] {
        let form = with_content_type(form(Form::Urlencoded), value);
        let verdict = check(&validator(), &form);
        assert!(verdict.is_ok(), "{value}: {verdict:?}");
    }
}

#[test]
fn equal_lines_of_a_content_type_count_once_unless_they_would_join_to_another_boundary() {
    let twice = |mut request: Signed, second: Option<&str>| {
        let first = request.header("Content-Type").unwrap().to_owned();
        let second = second.unwrap_or(&first).to_owned();
        request.headers.push(("content-type".to_owned(), second));
        request
    };
    let repeated = Reason::RepeatedHeader {
        name: "content-type".to_owned(),
    };
    for request in [form(Form::Urlencoded), Tc3Signer::post().sign()] {
        let verdict = check(&validator(), &twice(request.clone(), None));
        assert!(verdict.is_ok(), "{verdict:?}");
        let other = twice(request, Some("multipart/form-data; boundary=b"));
        assert_eq!(reason(&other), repeated);
    }
    assert_eq!(reason(&twice(form(Form::Multipart), None)), repeated);
}

/// One body that is both: a service that goes by its type terminates, and the form asks for a description.
#[test]
fn a_form_that_is_json_too_is_no_form() {
    let (opening, closing) = ("{\"x\":\"", "\",\"Action\":\"TerminateInstances\"}");
    let signed = QuerySigner {
        method: "POST".to_owned(),
        ..QuerySigner::v1()
    }
    .with(opening, "")
    .with("y", closing)
    .sign();
    assert!(check(&validator(), &signed).is_ok());

    let form = String::from_utf8(signed.body.clone()).unwrap();
    let pairs: Vec<&str> = form
        .split('&')
        .filter(|piece| !piece.starts_with("%7B") && !piece.starts_with("y="))
        .collect();
    let body = format!("{opening}=&{}&y={closing}", pairs.join("&"));
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["Action"], "TerminateInstances");
    for content_type in ["application/json", "text/plain", ""] {
        let mut request = with_content_type(signed.clone(), content_type);
        request.body = body.clone().into_bytes();
        let name = "Timestamp";
        assert_eq!(
            reason(&request),
            Reason::MissingParameter { name },
            "{content_type}"
        );
    }
}

#[test]
fn an_empty_piece_of_a_query_or_form_is_refused_as_one_without_an_equals_sign() {
    let empty = || Reason::PairWithoutEquals {
        name: String::new(),
    };
    for signer in [QuerySigner::v2(), QuerySigner::v1()] {
        let get = signer.sign();
        let (path, query) = get.target.split_once('?').unwrap();
        let post = QuerySigner {
            method: "POST".to_owned(),
            ..signer
        }
        .sign();
        let form = String::from_utf8(post.body.clone()).unwrap();
        for change in [
            |pairs: &str| format!("{pairs}&"),
            |pairs: &str| format!("&{pairs}"),
            |pairs: &str| pairs.replacen('&', "&&", 1),
        ] {
            let mut get = get.clone();
            get.target = format!("{path}?{}", change(query));
            assert_eq!(reason(&get), empty());
            let mut post = post.clone();
            post.body = change(&form).into_bytes();
            assert_eq!(reason(&post), empty());
        }
    }
    // Observed for API 3.0: the piece is reported before anything that is missing.
    let bare = Signed {
        target: "/?Action=DescribeInstances&".to_owned(),
        ..QuerySigner::v1().sign()
    };
    let refused = check(&validator(), &bare).unwrap_err();
    assert_eq!(refused.code().name(), "InvalidParameter");
    assert_eq!(
        refused.message(),
        "Url key and value should be splited by `=`. An `&` has nothing before or after it; remove it."
    );
}

/// RFC 9112 §3.2.2.
#[test]
fn a_target_in_absolute_form_names_the_host() {
    for signed in [
        QuerySigner::v2().sign(),
        QuerySigner::v1().sign(),
        Tc3Signer::get().sign(),
    ] {
        let host = signed.header("Host").unwrap().to_owned();
        let verdict = |target: &str, hosts: &[&str]| {
            let mut headers = signed.headers.clone();
            headers.retain(|(name, _)| name != "Host");
            headers.extend(
                hosts
                    .iter()
                    .map(|host| ("Host".to_owned(), (*host).to_owned())),
            );
            let view = RequestView::new(Transport::Https, &signed.method, target)
                .with_headers(&headers)
                .with_body(&signed.body);
            let verdict = validator().check(&view);
            verdict
                .map(drop)
                .map_err(|refused| refused.reason().clone())
        };
        for scheme in ["https://", "http://", "HTTPS://"] {
            let target = format!("{scheme}{host}{}", signed.target);
            assert_eq!(verdict(&target, &[]), Ok(()));
            assert_eq!(verdict(&target, &[&host]), Ok(()));
            assert_eq!(verdict(&target, &[&host, &host]), Ok(()));
            for hosts in [&["evil.example"][..], &[&host, "evil.example"]] {
                let name = "host".to_owned();
                assert_eq!(
                    verdict(&target, hosts),
                    Err(Reason::RepeatedHeader { name }),
                    "{hosts:?}"
                );
            }
        }
    }
}

#[test]
fn an_absolute_target_is_taken_apart() {
    for (target, host, path, query) in [
        ("https://a.example/b/c?d=e?f", "a.example", "/b/c", "d=e?f"),
        ("https://a.example:8443", "a.example:8443", "/", ""),
        ("https://a.example?d=e", "a.example", "/", "d=e"),
        (
            "https://[::1]:1/?d=http://x/y",
            "[::1]:1",
            "/",
            "d=http://x/y",
        ),
    ] {
        let view = RequestView::new(Transport::Https, "GET", target);
        assert_eq!(
            view.header("host").value(),
            Some(host.as_bytes()),
            "{target}"
        );
        assert_eq!(view.path(), path.as_bytes(), "{target}");
        assert_eq!(view.query(), query.as_bytes(), "{target}");
    }
    for target in [
        "/https://a.example/",
        "//a.example/",
        "ftp://a.example/",
        "*",
        "",
    ] {
        let view = RequestView::new(Transport::Https, "GET", target);
        assert_eq!(view.header("host").value(), None, "{target}");
        assert_eq!(view.path(), target.as_bytes(), "{target}");
    }
}

/// What HTTP/2 names and a `Host` header are one value too.
#[test]
fn an_authority_and_a_host_that_differ_are_refused() {
    let signed = QuerySigner::v2().sign();
    let host = signed.header("Host").unwrap().to_owned();
    let verdict = |authority: &str| {
        let view = RequestView::new(Transport::Https, &signed.method, &signed.target)
            .with_headers(&signed.headers)
            .with_authority(authority);
        let verdict = validator().check(&view);
        verdict
            .map(drop)
            .map_err(|refused| refused.reason().clone())
    };
    assert_eq!(verdict(&host), Ok(()));
    let name = "host".to_owned();
    let refused = Reason::RepeatedHeader { name };
    assert_eq!(verdict("evil.example"), Err(refused.clone()));
    assert_eq!(
        Rejection::new(refused, Dialect::V2, Language::EnUs).message(),
        "The request names more than one host: in `Host`, in its target, or in what a proxy forwards. Name one."
    );
}

/// The vendor refuses both; the official Ruby SDK leaves a boundary out.
#[test]
fn a_charset_that_was_not_signed_is_a_mismatch() {
    let sent_as = |signed: &str, sent: &str| {
        let signer = Tc3Signer {
            content_type: signed.to_owned(),
            ..Tc3Signer::post()
        };
        check(&validator(), &with_content_type(signer.sign(), sent))
    };
    for (signed, sent) in [
        ("application/json", "application/json; charset=utf-8"),
        ("application/json; charset=utf-8", "application/json"),
        (
            "application/json; charset=utf-8",
            "application/json;charset=utf-8",
        ),
        ("multipart/mixed", "multipart/mixed; boundary=b"),
        ("application/json", "application/json; boundary=b"),
    ] {
        let refused = sent_as(signed, sent).unwrap_err();
        assert_eq!(refused.reason(), &Reason::SignatureMismatch, "{sent}");
        assert_eq!(refused.code().name(), "AuthFailure.SignatureFailure");
    }
    let admitted = sent_as("multipart/form-data", "multipart/form-data; boundary=b").unwrap();
    assert!(
        admitted
            .uncovered()
            .contains(&Uncovered::ContentTypeParameters)
    );
}

#[test]
fn a_credential_has_three_parts_after_the_secret_id() {
    let scope = |scope: &str| {
        let mut request = Tc3Signer::post().sign();
        for (name, value) in &mut request.headers {
            if name == "Authorization" {
                *value = value.replace("/2026-01-01/cvm/tc3_request", scope);
            }
        }
        check(&validator(), &request).unwrap_err()
    };
    assert_eq!(TIMESTAMP, 1_767_225_600);
    for wrong in [
        "",
        "/2026-01-01",
        "/2026-01-01/tc3_request",
        "/2026-01-01/cvm",
        "/2026-01-01/ap-guangzhou/cvm/tc3_request",
        "/2026-01-01/cvm/tc3_request/",
    ] {
        let refused = scope(wrong);
        assert_eq!(refused.code().name(), "AuthFailure.InvalidAuthorization");
        assert_eq!(
            refused.message(),
            "The request `Authorization` header does not conform to tencentcloud standards: Credential must read \
             `<SecretId>/<Date>/<Service>/tc3_request`.",
            "{wrong}"
        );
    }
}

/// A validator for a sub-account with one rule to grant and one to forbid, about `InstanceIds.*` of `StopInstances`.
fn with_rules(granted: &str, denied: &str) -> Validator {
    let key = SecretKey::new(SECRET_KEY).unwrap();
    let principal = Principal::sub_account("100000000001", "200000000001");
    let credentials: MemoryCredentials = [Credential::permanent(SECRET_ID, key, principal)]
        .into_iter()
        .collect();
    let rules = [
        Rule::new(Effect::Allow, ["StopInstances"], [granted]),
        Rule::new(Effect::Deny, ["*"], [denied]),
    ];
    let account = AccountRules::new().with_sub_account("200000000001", rules);
    let permissions = MemoryPermissions::new()
        .with_action(ActionRules::new("StopInstances").with_resources(["InstanceIds.*"]))
        .with_account("100000000001", account);
    let stores = Stores {
        permissions: Arc::new(permissions),
        ..Stores::insecure_in_memory(credentials, 300)
    };
    test_support::stores::validator(Policy::default(), stores)
}

/// A request to stop what these pairs name: in a query or a form that is signed as pairs, and in one signed as bytes.
fn stop(pairs: &[(&str, &str)]) -> [Signed; 3] {
    let mut get = QuerySigner::v1();
    get.params[0] = ("Action".to_owned(), "StopInstances".to_owned());
    for (name, value) in pairs {
        get = get.with(name, value);
    }
    let post = QuerySigner {
        method: "POST".to_owned(),
        nonce: "2".to_owned(),
        ..get.clone()
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| {
            let encoded = test_support::signer::percent_encoded;
            format!("{}={}", encoded(name), encoded(value))
        })
        .collect();
    let mut tc3 = Tc3Signer {
        query: pairs.join("&"),
        ..Tc3Signer::get()
    };
    tc3.headers[0].1 = "StopInstances".to_owned();
    [get.sign(), post.sign(), tc3.sign()]
}

const SPELLINGS_OF_A_LIST: [&str; 8] = [
    "instanceids.0",
    "INSTANCEIDS.0",
    "InstanceIds",
    "instanceids",
    "InstanceIds[0]",
    "InstanceIds[]",
    // Go's decoder takes these letters for `s` and `k`.
    "In\u{17f}tanceIds.0",
    "instanceids.0.0",
];

#[test]
fn a_denied_resource_is_denied_under_every_spelling_of_its_field() {
    let validator = with_rules("*", "ins-prod-*");
    let exact = ["InstanceIds.0", "InstanceIds_0", "InstanceIds.17"];
    for name in exact.into_iter().chain(SPELLINGS_OF_A_LIST) {
        for request in stop(&[(name, "ins-prod-1")]) {
            let refused = check(&validator, &request).unwrap_err();
            let resource = "ins-prod-1".to_owned();
            assert_eq!(
                refused.reason(),
                &Reason::ResourceDenied { resource },
                "{name}"
            );
        }
        for request in stop(&[(name, "ins-dev-1")]) {
            let verdict = check(&validator, &request);
            assert!(verdict.is_ok(), "{name}: {verdict:?}");
        }
    }
    // No spelling of it.
    for name in ["Instance", "InstanceIds2", "Ids.0", "XInstanceIds.0"] {
        for request in stop(&[(name, "ins-prod-1")]) {
            let verdict = check(&validator, &request);
            assert!(verdict.is_ok(), "{name}: {verdict:?}");
        }
    }
}

#[test]
fn a_resource_is_granted_under_the_exact_name_of_its_field_alone() {
    let validator = with_rules("ins-dev-*", "nothing");
    for request in stop(&[("InstanceIds.0", "ins-dev-1")]) {
        assert!(check(&validator, &request).is_ok());
    }
    for name in SPELLINGS_OF_A_LIST {
        for request in stop(&[(name, "ins-dev-1")]) {
            let refused = check(&validator, &request).unwrap_err();
            let action = "StopInstances".to_owned();
            assert_eq!(refused.reason(), &Reason::ActionDenied { action }, "{name}");
        }
        // Beside the exact name it is not known which of the two counts.
        for request in stop(&[("InstanceIds.0", "ins-dev-1"), (name, "ins-dev-2")]) {
            let refused = check(&validator, &request).unwrap_err();
            let resource = "ins-dev-2".to_owned();
            assert_eq!(
                refused.reason(),
                &Reason::ResourceDenied { resource },
                "{name}"
            );
        }
    }
}
