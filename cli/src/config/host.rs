//! Host names in settings. Each is checked here, by the library's rule.

use qcloud_validator::Policy;

pub(crate) const EXPECTED: &str =
    "expected a host name or an IP address, with or without a port, such as api.example.com:8443";

/// Checks a host.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    let policy = Policy::builder().public_host(text).build();
    policy.map(drop).map_err(|_| EXPECTED)
}
