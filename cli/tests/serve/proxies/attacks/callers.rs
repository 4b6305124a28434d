//! Headers in which the client says who it is, or that it has others remove.

use qcloud_validator::testkit::Request;

use super::{Attack, first, last};
use crate::proxies::signed::{Signed, tc3_post, v2_get};

/// The client says who it is.
pub(crate) fn callers() -> Vec<Attack> {
    let forged = [
        ("Account", "100000000009"),
        ("Action", "TerminateInstances"),
        ("Request-Id", "00000000-0000-0000-0000-000000000000"),
        ("Response", "forged"),
        ("Scheme", "forged"),
        ("Secret-Id", "forged"),
        ("Sub-Account", "none"),
        ("Uncovered", "none"),
        ("Unverified", "false"),
    ];
    let mut attacks = Vec::new();
    for (name, value) in forged {
        let name = format!("X-Qcloud-Validator-{name}");
        for (spelling, sent) in [
            ("as it is", name.clone()),
            ("in lower case", name.to_ascii_lowercase()),
            ("in upper case", name.to_ascii_uppercase()),
            ("with _", name.replace('-', "_")),
            ("with _ and -", name.replacen('-', "_", 2)),
            ("with - and _", name.replace("r-", "r_")),
        ] {
            for (kind, signed) in [("GET", v2_get as fn() -> Signed), ("POST", tc3_post)] {
                let edit = |request: &Request| last(request, &format!("{sent}: {value}"));
                attacks.push(Attack::on(
                    format!("{name} {spelling} in a {kind}"),
                    signed,
                    edit,
                ));
            }
        }
        let twice = |request: &Request| {
            first(
                &last(request, &format!("{name}: {value}")),
                &format!("{name}: other"),
            )
        };
        attacks.push(Attack::on(format!("{name} twice"), v2_get, twice));
        attacks.push(Attack::on(
            format!("{name} twice in a POST"),
            tc3_post,
            twice,
        ));
    }
    attacks
}

/// The client names headers of others in `Connection`, which proxies may remove.
pub(crate) fn connections() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for name in [
        "X-Qcloud-Validator-Account",
        "X-Qcloud-Validator-Action",
        "X-Qcloud-Validator-Request-Id",
        "X-Qcloud-Validator-Scheme",
        "X-Qcloud-Validator-Secret-Id",
        "X-Qcloud-Validator-Sub-Account",
        "X-Qcloud-Validator-Uncovered",
        "X-Qcloud-Validator-Unverified",
        "Authorization",
        "Content-Length",
        "Content-Type",
        "Forwarded",
        "Host",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Method",
        "X-Forwarded-Proto",
        "X-Forwarded-Uri",
        "X-Original-Method",
        "X-Original-URI",
        "X-TC-Action",
        "X-TC-Timestamp",
        "X-TC-Version",
    ] {
        for (form, line) in [
            ("alone", format!("Connection: {name}")),
            (
                "in lower case",
                format!("connection: {}", name.to_ascii_lowercase()),
            ),
            ("after another", format!("Connection: keep-alive, {name}")),
            (
                "in a separate line",
                format!("Connection: close\r\nConnection: {name}"),
            ),
        ] {
            for (kind, signed) in [("GET", v2_get as fn() -> Signed), ("POST", tc3_post)] {
                let title = format!("Connection names {name} {form} in a {kind}");
                attacks.push(Attack::on(title, signed, |request| last(request, &line)));
            }
        }
    }
    attacks
}
