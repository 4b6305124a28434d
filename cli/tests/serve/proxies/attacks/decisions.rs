//! Headers that decide what is done, in several lines or against their grammar.

use qcloud_validator::testkit::Request;

use super::{Attack, first, last, replaced};
use crate::proxies::signed::{Signed, tc3_get, tc3_post, v2_form, v2_get};

/// One action, in another form than an action has.
pub(crate) fn actions() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for action in [
        "DescribeZones,TerminateInstances",
        "DescribeZones, TerminateInstances",
        "DescribeZones TerminateInstances",
        "DescribeZones\tTerminateInstances",
        "DescribeZones%2CTerminateInstances",
        "DescribeZones;TerminateInstances",
        "DescribeZones\r\n TerminateInstances",
        "\"DescribeZones\"",
        "Describe*",
        "describezones",
        "TerminateInstances",
        "",
    ] {
        let edit = |request: &Request| {
            replaced(
                request,
                "X-TC-Action: DescribeZones",
                &format!("X-TC-Action: {action}"),
            )
        };
        attacks.push(Attack::on(format!("the action {action:?}"), tc3_post, edit).never());
    }
    // What unfolds a line finds the signed action.
    let folded = |request: &Request| {
        replaced(
            request,
            "X-TC-Action: DescribeZones",
            "X-TC-Action:\r\n DescribeZones",
        )
    };
    attacks.push(Attack::on(
        "the action in a separate line",
        tc3_post,
        folded,
    ));

    let twice =
        |request: &Request| replaced(request, " HTTP/1.1", "&Action=TerminateInstances HTTP/1.1");
    attacks.push(Attack::on("another action in the query of v2", v2_get, twice).never());
    let target = "/v2/index.php?Action=TerminateInstances";
    let besides = |request: &Request| request.clone().with_target(target).to_raw();
    let uncovered = |signed: Signed| Signed {
        request: signed.request.with_target(target),
        uncovered: "query",
        ..signed
    };
    attacks.push(Attack::on("another action besides a form", v2_form, besides).seen_as(uncovered));
    attacks
}

/// Further lines besides those of a TC3 request.
pub(crate) fn lines() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for line in [
        "X-TC-Action: TerminateInstances",
        "X-TC-Action: DescribeRegions",
        "X-TC-Action: DescribeZones",
        "X-TC-Action:",
        "x-tc-action: describezones",
        "X_TC_Action: TerminateInstances",
        "X-TC_Action: TerminateInstances",
        "X-TC-Version: 2020-01-01",
        "X_TC_Version: 2020-01-01",
        "X-TC-Timestamp: 1",
        "X-TC-Region: ap-guangzhou\r\nX-TC-Region: ap-beijing",
        "X-TC-Language: zh-CN\r\nX-TC-Language: en-US",
        "X-TC-Content-SHA256: UNSIGNED-PAYLOAD",
        "Authorization: TC3-HMAC-SHA256 Credential=forged",
    ] {
        for (kind, signed) in [("GET", tc3_get as fn() -> Signed), ("POST", tc3_post)] {
            let after = |request: &Request| last(request, line);
            let before = |request: &Request| first(&request.to_raw(), line);
            attacks.push(Attack::on(
                format!("{line:?} after those of a {kind}"),
                signed,
                after,
            ));
            attacks.push(Attack::on(
                format!("{line:?} before those of a {kind}"),
                signed,
                before,
            ));
        }
    }
    attacks
}

pub(crate) fn content_types() -> Vec<Attack> {
    let form = "Content-Type: application/x-www-form-urlencoded";
    let json = "Content-Type: application/json";
    let mut attacks = Vec::new();
    for (kind, signed, own) in [
        ("a form", v2_form as fn() -> Signed, form),
        ("JSON", tc3_post, json),
    ] {
        for line in [
            form,
            json,
            "Content-Type: multipart/form-data; boundary=b",
            "Content-Type:",
            "Content_Type: multipart/form-data",
        ] {
            let after = |request: &Request| last(request, line);
            let before = |request: &Request| first(&request.to_raw(), line);
            attacks.push(Attack::on(
                format!("{line} after that of {kind}"),
                signed,
                after,
            ));
            attacks.push(Attack::on(
                format!("{line} before that of {kind}"),
                signed,
                before,
            ));
        }
        for more in [
            ",multipart/form-data; boundary=b",
            ", application/json",
            "\r\n x",
        ] {
            let edit = |request: &Request| replaced(request, own, &format!("{own}{more}"));
            attacks.push(
                Attack::on(format!("the type of {kind} with {more:?}"), signed, edit).never(),
            );
        }
    }
    attacks
}
