//! Host names, as settings hold them.

use std::net::Ipv6Addr;

/// Returns whether a text is a host name or an IP address, with or without a port. Names may have `_`, as many in private
/// networks do.
pub(crate) fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => {
            let port = match rest.strip_prefix(':') {
                None if rest.is_empty() => None,
                None => return false,
                port => port,
            };
            (address.parse::<Ipv6Addr>().is_ok(), port)
        }
        None => match text.split_once(':') {
            Some((name, port)) => (is_name(name), Some(port)),
            None => (is_name(text), None),
        },
    };
    host && port.is_none_or(is_port)
}

/// RFC 1123 section 2.1; an IPv4 address has this form too.
fn is_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=63).contains(&text.len())
        && text.bytes().all(is_letter)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && !text.starts_with('0')
        && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn names_and_addresses_are_hosts_with_or_without_a_port() {
        for text in [
            "a",
            "localhost",
            "cvm.tencentcloudapi.com",
            "CVM.example.com",
            "my_service:8080",
            "192.0.2.1",
            "192.0.2.1:1",
            "a.example:65535",
            "[::1]",
            "[2001:db8::1]:8443",
            &"a".repeat(63),
        ] {
            assert!(is_host(text), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_host() {
        for text in [
            "",
            " ",
            "a b",
            "a ",
            "http://x/y",
            "a/b",
            "a?b",
            "a#b",
            "user@a",
            "a,b",
            "*.example.com",
            ".a",
            "a.",
            "a..b",
            "-a",
            "a-.b",
            "é.example",
            "a\n",
            "a:",
            ":80",
            "a:0",
            "a:080",
            "a:+80",
            "a:65536",
            "a:80:80",
            "::1",
            "[::1",
            "[::1]80",
            "[::1]:",
            "[a]",
            "[fe80::1%eth0]",
            &"a".repeat(64),
            &"a.".repeat(127),
            &["a"; 128].join("."),
        ] {
            assert!(!is_host(text), "{text:?}");
        }
    }
}
