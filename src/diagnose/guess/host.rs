//! Hosts that a client may have signed instead of the one that arrived.

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

/// What clients write around a host.
const AROUND: [(&str, &str); 10] = [
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
];

/// The host that arrived, and its parts.
struct Sent<'h> {
    host: &'h [u8],
    /// Without the port.
    name: &'h [u8],
    /// Up to the first dot, with a port if there is no dot.
    first_label: &'h [u8],
    rest: &'h [u8],
}

impl<'h> Sent<'h> {
    fn new(host: &'h [u8]) -> Self {
        let colon = host.iter().rposition(|&byte| byte == b':');
        let dot = host.iter().position(|&byte| byte == b'.');
        let (name, _) = host.split_at(colon.unwrap_or(host.len()));
        let (first_label, rest) = host.split_at(dot.unwrap_or(host.len()));
        Self {
            host,
            name,
            first_label,
            rest,
        }
    }
}

/// Returns hosts that may have been signed; the region and the service that the request names help to guess.
pub(super) fn choices(
    request: &RequestView<'_>,
    policy: &Policy,
    region: &[u8],
    service: &[u8],
) -> Vec<Choice<Vec<u8>>> {
    let sent = Sent::new(request.host());
    if [sent.host, region, service]
        .iter()
        .any(|part| part.len() > LONG)
    {
        return Vec::new();
    }
    let mut hosts = spelt_otherwise(&sent);
    hosts.extend(replaced(request, policy));
    hosts.extend(AROUND.map(|(open, close)| {
        let host = [open.as_bytes(), sent.host, close.as_bytes()].concat();
        (Mistake::HostDecorated, host)
    }));
    hosts.push((Mistake::HostMissing, Vec::new()));
    hosts.extend(of_the_service(&sent, region, service));
    hosts.extend(in_the_vendors_capitals(&sent));
    hosts.extend(fixed());
    hosts
        .into_iter()
        .map(|(mistake, host)| {
            let (signed, arrived) = (shown(&host), shown(sent.host));
            let detail = format!("signed host `{signed}`, arrived `{arrived}`");
            Choice::new(mistake, detail, host)
        })
        .collect()
}

type Hosts = Vec<(Mistake, Vec<u8>)>;

/// With another port, or in another case.
fn spelt_otherwise(sent: &Sent<'_>) -> Hosts {
    let ports = ["", ":443", ":80", ":8080", ":8443"];
    let with_port = |port: &str| [sent.name, port.as_bytes()].concat();
    let mut hosts: Hosts = ports
        .map(|port| (Mistake::HostPort, with_port(port)))
        .into();
    let upper_label = sent.first_label.to_ascii_uppercase();
    let cased = [
        sent.host.to_ascii_lowercase(),
        sent.host.to_ascii_uppercase(),
        first_upper(sent.host),
        [&upper_label, sent.rest].concat(),
    ];
    hosts.extend(cased.map(|host| (Mistake::HostCase, host)));
    hosts
}

/// Hosts that a proxy says it replaced, and those that the policy names.
fn replaced(request: &RequestView<'_>, policy: &Policy) -> Hosts {
    let mut hosts = Hosts::new();
    for value in FORWARDED
        .iter()
        .filter_map(|name| request.header(name).value())
    {
        let hops = value.split(|&byte| byte == b',').take(MOST_HOPS);
        hosts.extend(
            hops.filter(|host| host.len() <= LONG)
                .map(|host| (Mistake::HostRewritten, host.trim_ascii().to_vec())),
        );
    }
    let public = policy.public_hosts().iter();
    hosts.extend(public.map(|host| (Mistake::HostRewritten, host.as_bytes().to_vec())));
    hosts
}

/// Other hosts of the service that the request names, of the one that its host names, and of CVM.
fn of_the_service(sent: &Sent<'_>, region: &[u8], service: &[u8]) -> Hosts {
    let dot = sent.name.iter().position(|&byte| byte == b'.');
    let (own, _) = sent.name.split_at(dot.unwrap_or(sent.name.len()));
    // An address names no service.
    let is_address = sent
        .name
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let mut services: Vec<&[u8]> = Vec::new();
    for service in [service, own, b"cvm"] {
        let names_none = service.is_empty() || is_address && service == own;
        if !names_none && !services.contains(&service) {
            services.push(service);
        }
    }
    // A host outside the vendor's domains was put there by a relay.
    let vendor = DOMAINS
        .iter()
        .any(|domain| sent.name.ends_with(domain.as_bytes()));
    let mistake = if vendor {
        Mistake::HostOtherDomain
    } else {
        Mistake::HostRewritten
    };
    let regions = REGIONS.iter().map(|region| region.as_bytes());
    let regions: Vec<&[u8]> = regions
        .chain([region])
        .filter(|region| !region.is_empty())
        .collect();
    let mut hosts = Hosts::new();
    for service in services {
        for domain in DOMAINS {
            hosts.push((mistake, [service, b".", domain.as_bytes()].concat()));
        }
        for region in &regions {
            let host = [service, b".", region, b".tencentcloudapi.com"].concat();
            hosts.push((mistake, host));
        }
    }
    hosts
}

/// The vendor's pages write its domain in capitals, which some clients keep for signing.
fn in_the_vendors_capitals(sent: &Sent<'_>) -> Hosts {
    let labels = [
        sent.first_label.to_ascii_uppercase(),
        sent.first_label.to_vec(),
    ];
    labels
        .map(|label| {
            (
                Mistake::HostCase,
                [&label, &b".TencentCloudAPI.com"[..]].concat(),
            )
        })
        .into()
}

/// Hosts that clients sign whatever host they send to.
fn fixed() -> Hosts {
    let mut hosts = Hosts::new();
    for service in SERVICES {
        for domain in DOMAINS.iter().take(2) {
            let host = format!("{service}.{domain}");
            hosts.push((Mistake::HostRewritten, host.into_bytes()));
        }
    }
    for host in ["localhost", "127.0.0.1"] {
        hosts.push((Mistake::HostRewritten, host.as_bytes().to_vec()));
    }
    hosts
}

fn first_upper(text: &[u8]) -> Vec<u8> {
    let mut text = text.to_vec();
    if let Some(first) = text.first_mut() {
        first.make_ascii_uppercase();
    }
    text
}
