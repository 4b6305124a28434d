//! Which hosts a client may have signed instead of the one that arrived.

use crate::diagnose::LONG;
use crate::diagnose::guess::Choice;
use crate::diagnosis::{Mistake, shown};
use crate::policy::Policy;
use crate::request::RequestView;

/// Headers in which proxies keep the host that they replaced. They never admit a request; here they explain one.
const FORWARDED: [&str; 4] = [
    "x-forwarded-host",
    "x-original-host",
    "x-host",
    "x-real-host",
];

/// A header that names more hosts was not written by proxies.
const MOST_HOPS: usize = 8;

const DOMAINS: [&str; 8] = [
    "tencentcloudapi.com",
    "api.qcloud.com",
    "internal.tencentcloudapi.com",
    "tencentcloudapi.cn",
    "tencentcloudapi.com.cn",
    "ai.tencentcloudapi.com",
    "api.tencentyun.com",
    "intl.tencentcloudapi.com",
];
const REGIONS: [&str; 8] = [
    "ap-guangzhou",
    "ap-shanghai",
    "ap-beijing",
    "ap-chengdu",
    "ap-hongkong",
    "ap-singapore",
    "ap-nanjing",
    "na-siliconvalley",
];

/// Services whose fixed hosts clients sign although a relay or a test server receives the request.
const SERVICES: [&str; 20] = [
    "sts", "cvm", "cam", "cbs", "cdb", "cdn", "clb", "cns", "dnspod", "monitor", "ocr", "scf",
    "sms", "ssl", "tcb", "tmt", "trtc", "vod", "vpc", "wss",
];

/// Hosts as they may have been signed; the region and the service that the request names help to guess.
pub(super) fn choices(
    request: &RequestView<'_>,
    policy: &Policy,
    region: &[u8],
    service: &[u8],
) -> Vec<Choice<Vec<u8>>> {
    let sent = request.host();
    let mut found: Vec<Choice<Vec<u8>>> = Vec::new();
    if [sent, region, service].iter().any(|part| part.len() > LONG) {
        return found;
    }
    let mut add = |mistake, host: Vec<u8>| {
        found.push(Choice {
            mistake,
            detail: format!("signed host `{}`, arrived `{}`", shown(&host), shown(sent)),
            data: host,
        });
    };
    let colon = sent.iter().rposition(|&byte| byte == b':');
    let bare = colon.map_or(sent, |colon| sent.get(..colon).unwrap_or(sent));
    add(Mistake::HostPort, bare.to_vec());
    for port in [":443", ":80", ":8080", ":8443"] {
        add(Mistake::HostPort, [bare, port.as_bytes()].concat());
    }
    add(Mistake::HostCase, sent.to_ascii_lowercase());
    add(Mistake::HostCase, sent.to_ascii_uppercase());
    add(Mistake::HostCase, first_upper(sent));
    let first_label = sent.split(|&byte| byte == b'.').next().unwrap_or_default();
    let rest = sent.get(first_label.len()..).unwrap_or_default();
    add(
        Mistake::HostCase,
        [&first_label.to_ascii_uppercase(), rest].concat(),
    );
    for name in FORWARDED {
        if let Some(value) = request.header(name).value() {
            let hosts = value.split(|&byte| byte == b',');
            for host in hosts.take(MOST_HOPS).filter(|host| host.len() <= LONG) {
                add(Mistake::HostRewritten, host.trim_ascii().to_vec());
            }
        }
    }
    for host in policy.public_hosts() {
        add(Mistake::HostRewritten, host.as_bytes().to_vec());
    }
    for (open, close) in [
        ("https://", ""),
        ("", " "),
        ("", "/"),
        ("http://", ""),
        (" ", ""),
        ("https://", "/"),
        ("//", ""),
        ("", "\n"),
        ("", "."),
        (" ", " "),
    ] {
        add(
            Mistake::HostDecorated,
            [open.as_bytes(), sent, close.as_bytes()].concat(),
        );
    }
    add(Mistake::HostMissing, Vec::new());

    let own = bare.split(|&byte| byte == b'.').next().unwrap_or_default();
    // An address names no service.
    let is_address = bare
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let mut services: Vec<&[u8]> = Vec::new();
    for service in [service, own, b"cvm"] {
        let names_none = service.is_empty() || is_address && service == own;
        if !names_none && !services.contains(&service) {
            services.push(service);
        }
    }
    for service in services {
        // A host outside the vendor's domains was put there by somebody in between.
        let vendor = DOMAINS
            .iter()
            .any(|domain| bare.ends_with(domain.as_bytes()));
        let mistake = if vendor {
            Mistake::HostOtherDomain
        } else {
            Mistake::HostRewritten
        };
        for domain in DOMAINS {
            add(mistake, [service, b".", domain.as_bytes()].concat());
        }
        for region in REGIONS
            .iter()
            .map(|region| region.as_bytes())
            .chain([region])
        {
            if !region.is_empty() {
                add(
                    mistake,
                    [service, b".", region, b".tencentcloudapi.com"].concat(),
                );
            }
        }
    }
    // The vendor's own capitals, which some clients keep for signing.
    let upper = first_label.to_ascii_uppercase();
    add(
        Mistake::HostCase,
        [&upper, b".TencentCloudAPI.com".as_slice()].concat(),
    );
    add(
        Mistake::HostCase,
        [first_label, b".TencentCloudAPI.com"].concat(),
    );
    for service in SERVICES {
        for domain in DOMAINS.iter().take(2) {
            let host = [service.as_bytes(), b".", domain.as_bytes()].concat();
            add(Mistake::HostRewritten, host);
        }
    }
    for host in ["localhost", "127.0.0.1"] {
        add(Mistake::HostRewritten, host.as_bytes().to_vec());
    }
    found
}

fn first_upper(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    if let Some(first) = text.first_mut() {
        first.make_ascii_uppercase();
    }
    text
}
