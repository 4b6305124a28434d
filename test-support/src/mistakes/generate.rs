//! Correct drafts, drawn at random.

use crate::mistakes::draft::*;
use crate::mistakes::hash::*;
use crate::mistakes::random::Rng;
use crate::signer::TIMESTAMP;

pub(crate) const SERVICES: [&str; 5] = ["cvm", "cbs", "vpc", "monitor", "cdb"];
pub(crate) const ACTIONS: [&str; 4] = [
    "DescribeInstances",
    "RunInstances",
    "DescribeZones",
    "InquiryPrice",
];
pub(crate) const NAMES: [&str; 10] = [
    "InstanceId",
    "Limit",
    "Offset",
    "ImageId",
    "Zone",
    "Label",
    "ProjectId",
    "VpcId",
    "SubnetId",
    "Memo",
];

/// A correct request with a few parameters of all sorts, in no order.
pub fn query_draft(rng: &mut Rng, legacy: bool) -> QueryDraft {
    let service = rng.pick(&SERVICES);
    let base = if legacy {
        QueryDraft::v2()
    } else {
        QueryDraft::v1()
    };
    let domain = if legacy {
        "api.qcloud.com"
    } else {
        "tencentcloudapi.com"
    };
    let mut draft = QueryDraft::correct(
        legacy,
        "GET",
        &format!("{service}.{domain}"),
        &base.path,
        base.params,
    )
    .set("Action", rng.pick::<&str>(&ACTIONS))
    .set("Nonce", &(10_000 + rng.below(50_000)).to_string());
    if rng.one_in(2) {
        draft = draft.post();
        if rng.one_in(4) {
            draft.form = Form::Multipart;
        }
    }
    match rng.below(4) {
        0 => draft.add("SignatureMethod", "HmacSHA1"),
        1 => {
            draft.add("SignatureMethod", "HmacSHA256");
            draft.hash = Hash::Sha256;
        }
        _ => {}
    }
    let mut names = NAMES;
    rng.shuffle(&mut names);
    for name in names.iter().take(2 + rng.below(3)) {
        let value = rng.word(5, 12);
        draft.add(*name, value);
    }
    if rng.one_in(4) {
        let value = format!("{} {}", rng.mixed_word(), rng.word(3, 5));
        draft.add("Title", value);
    }
    if rng.one_in(4) {
        let value = rng.chinese();
        draft.add("recordLine", value);
    }
    if rng.one_in(4) {
        let value = format!("{}/{}=:{}", rng.word(3, 5), rng.word(3, 5), rng.word(3, 5));
        draft.add("Prefix", value);
    }
    if rng.one_in(4) {
        for index in 0..3 {
            let value = format!("sg-{}", rng.word(4, 8));
            draft.add(format!("Groups.{index}"), value);
        }
    }
    draft.shuffled(rng)
}

/// A correct request: a GET with a query or a POST of JSON.
pub fn tc3_draft(rng: &mut Rng) -> Tc3Draft {
    if rng.one_in(2) {
        tc3_get(rng)
    } else {
        tc3_post(rng)
    }
}

pub(crate) fn tc3_get(rng: &mut Rng) -> Tc3Draft {
    let mut pieces = Vec::new();
    let mut names = NAMES;
    rng.shuffle(&mut names);
    for name in names.iter().take(2 + rng.below(3)) {
        pieces.push(format!("{name}={}", rng.word(5, 12)));
    }
    finish_tc3(
        rng,
        "GET",
        &pieces.join("&"),
        "application/x-www-form-urlencoded",
        b"",
    )
}

pub(crate) fn tc3_post(rng: &mut Rng) -> Tc3Draft {
    let body = compact_json(rng);
    let content_type = *rng.pick(&["application/json", "application/json; charset=utf-8"]);
    finish_tc3(rng, "POST", "", content_type, body.as_bytes())
}

pub(crate) fn finish_tc3(
    rng: &mut Rng,
    method: &str,
    query: &str,
    content_type: &str,
    body: &[u8],
) -> Tc3Draft {
    let service = rng.pick(&SERVICES);
    let at = TIMESTAMP + i64::try_from(rng.below(86_400)).expect("small");
    let mut draft = Tc3Draft::correct(method, service, query, content_type, body).at(at);
    draft.world.now = at + 2;
    draft.headers[0].1 = (*rng.pick(&ACTIONS)).to_owned();
    if rng.one_in(3) {
        let action = draft.headers[0].1.clone();
        draft = draft.signed_header("X-TC-Action", &action);
    }
    draft
}

/// An object without any blank.
pub(crate) fn compact_json(rng: &mut Rng) -> String {
    let mut fields = Vec::new();
    let mut names = NAMES;
    rng.shuffle(&mut names);
    for name in names.iter().take(2 + rng.below(3)) {
        fields.push(match rng.below(4) {
            0 => format!("\"{name}\":{}", 100 + rng.below(9000)),
            1 => format!("\"{name}\":[\"{}\",\"{}\"]", rng.word(4, 8), rng.word(4, 8)),
            2 => format!(
                "\"{name}\":{{\"{}\":\"{}\"}}",
                rng.word(3, 5),
                rng.word(4, 8)
            ),
            _ => format!("\"{name}\":\"{}\"", rng.word(4, 10)),
        });
    }
    format!("{{{}}}", fields.join(","))
}
