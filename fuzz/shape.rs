//! Correct requests of the fuzzer's shape: whatever the default policy takes, and the reference can sign.
#![allow(
    dead_code,
    reason = "several targets include this module and each uses a part of it"
)]

use arbitrary::Arbitrary;

use crate::support::signer::{
    Algorithm, Form, HeaderValues, QuerySigner, Signed, Tc3Signer, Underscore,
};

#[derive(Arbitrary, Debug)]
pub enum Shape {
    Query(QueryShape),
    Tc3(Tc3Shape),
}

#[derive(Arbitrary, Debug)]
pub struct QueryShape {
    legacy: bool,
    carried: Carried,
    algorithm: u8,
    underscore: u8,
    host: u8,
    nonce: u64,
    parameters: Vec<(String, String)>,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq)]
pub enum Carried {
    Query,
    Form,
    Multipart,
}

#[derive(Arbitrary, Debug)]
pub struct Tc3Shape {
    post: bool,
    host: u8,
    path: u8,
    content_type: u8,
    query: String,
    body: Vec<u8>,
    action: String,
    signs_action: bool,
    signs_timestamp: bool,
    custom: Option<String>,
    verbatim: bool,
    unsigned_payload: bool,
}

impl Shape {
    pub fn signed(&self, timestamp: u32, secret_key: &str) -> Signed {
        let secret_key = secret_key.to_owned();
        match self {
            Self::Query(shape) => {
                let signer = query_signer(shape, timestamp);
                QuerySigner {
                    secret_key,
                    ..signer
                }
                .sign()
            }
            Self::Tc3(shape) => {
                let signer = tc3_signer(shape, timestamp);
                Tc3Signer {
                    secret_key,
                    ..signer
                }
                .sign()
            }
        }
    }

    pub fn is_legacy(&self) -> bool {
        matches!(self, Self::Query(shape) if shape.legacy)
    }
}

const HOSTS: [[&str; 4]; 2] = [
    [
        "cvm.tencentcloudapi.com",
        "cvm.ap-guangzhou.tencentcloudapi.com",
        "CVM.TencentCloudAPI.com",
        "cvm.tencentcloudapi.com:443",
    ],
    [
        "cvm.api.qcloud.com",
        "cmq-queue-gz.api.tencentyun.com",
        "CVM.api.qcloud.com",
        "cvm.api.qcloud.com:8443",
    ],
];

fn pick<T: Clone>(from: &[T], index: u8) -> T {
    from[usize::from(index) % from.len()].clone()
}

fn query_signer(shape: &QueryShape, timestamp: u32) -> QuerySigner {
    // Each that the default policy takes.
    let underscore = [
        Underscore::ReplacedBeforeSort,
        Underscore::ReplacedAfterSort,
        Underscore::Kept,
        Underscore::ReplacedUnlessLeading,
    ];
    let base = if shape.legacy {
        QuerySigner::v2()
    } else {
        QuerySigner::v1()
    };
    let mut signer = QuerySigner {
        method: if shape.carried == Carried::Query {
            "GET"
        } else {
            "POST"
        }
        .to_owned(),
        host: pick(&HOSTS[usize::from(shape.legacy)], shape.host).to_owned(),
        algorithm: pick(
            &[
                Algorithm::UndeclaredSha1,
                Algorithm::Sha1,
                Algorithm::Sha256,
            ],
            shape.algorithm,
        ),
        underscore: pick(
            &underscore[..if shape.legacy { 4 } else { 3 }],
            shape.underscore,
        ),
        nonce: shape.nonce.to_string(),
        timestamp: i64::from(timestamp),
        form: if shape.carried == Carried::Multipart {
            Form::Multipart
        } else {
            Form::Urlencoded
        },
        ..base
    };
    let mut taken: Vec<String> = [
        "Action",
        "Version",
        "Region",
        "Language",
        "Timestamp",
        "Nonce",
        "SecretId",
        "Signature",
        "SignatureMethod",
        "Token",
    ]
    .map(str::to_owned)
    .to_vec();
    for (name, value) in &shape.parameters {
        // The reference writes names into the head of a part as they are.
        let unwritable = shape.carried == Carried::Multipart
            && (!name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
                || value.contains("\r\n--"));
        let dotted = name.replace('_', ".");
        if unwritable || taken.contains(&dotted) {
            continue;
        }
        taken.push(dotted);
        signer = signer.with(name, value);
    }
    signer
}

fn tc3_signer(shape: &Tc3Shape, timestamp: u32) -> Tc3Signer {
    let timestamp = i64::from(timestamp);
    let host = pick(&HOSTS[0], shape.host);
    let in_action = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let action: String = shape.action.chars().filter(in_action).take(32).collect();
    let action = Some(action).filter(|action| !action.is_empty());
    let action = action.unwrap_or_else(|| "DescribeInstances".to_owned());
    let mut extra_signed = Vec::new();
    if shape.signs_action {
        extra_signed.push(("x-tc-action".to_owned(), action.clone()));
    }
    if shape.signs_timestamp {
        extra_signed.push(("x-tc-timestamp".to_owned(), timestamp.to_string()));
    }
    if let Some(custom) = &shape.custom {
        extra_signed.push(("x-custom".to_owned(), graphic(custom, 200)));
    }
    let content_types = [
        "application/json",
        "application/json; charset=utf-8",
        "multipart/form-data; boundary=B",
        "Text/Plain",
    ];
    Tc3Signer {
        method: if shape.post { "POST" } else { "GET" }.to_owned(),
        host: host.to_owned(),
        path: pick(&["/", "/cvm", "/v2/index.php", "//"], shape.path).to_owned(),
        query: graphic(&shape.query, 2_000),
        content_type: pick(&content_types, shape.content_type).to_owned(),
        body: shape.body.clone(),
        timestamp,
        extra_signed,
        headers: vec![
            ("X-TC-Action".to_owned(), action),
            ("X-TC-Version".to_owned(), "2017-03-12".to_owned()),
        ],
        header_values: if shape.verbatim {
            HeaderValues::Verbatim
        } else {
            HeaderValues::LowerCased
        },
        unsigned_payload: shape.unsigned_payload,
        ..Tc3Signer::post()
    }
}

/// What HTTP can carry in a target or a header: the printable ASCII in `text`.
fn graphic(text: &str, most: usize) -> String {
    text.chars()
        .filter(char::is_ascii_graphic)
        .take(most)
        .collect()
}
