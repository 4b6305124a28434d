//! A range of IP addresses, to name the proxies that are believed.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The addresses that share their first bits: `10.1.0.0/16`, `fd00::/8`, or one address alone.
///
/// A range is as narrow as it looks: an address with bits beyond its prefix (`10.1.2.3/8`) does not parse, because nobody
/// can tell which half of it is the mistake.
///
/// ```
/// use std::net::IpAddr;
/// use qcloud_validator::tower::IpNetwork;
///
/// let network: IpNetwork = "10.1.0.0/16".parse()?;
/// assert!(network.contains(IpAddr::from([10, 1, 255, 255])));
/// assert!(!network.contains(IpAddr::from([10, 2, 0, 0])));
/// assert!("10.1.2.3/8".parse::<IpNetwork>().is_err());
/// # Ok::<(), qcloud_validator::tower::IpNetworkError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IpNetwork {
    first: IpAddr,
    prefix: u8,
}

impl IpNetwork {
    /// The network whose addresses share the first `prefix` bits of `first`.
    ///
    /// # Errors
    ///
    /// When `first` has bits beyond the prefix, the prefix is longer than an address, or `first` is an IPv4 address written
    /// as an IPv6 one.
    pub fn new(first: IpAddr, prefix: u8) -> Result<Self, IpNetworkError> {
        let ipv4_in_ipv6 = first.to_canonical() != first;
        if prefix > bits(first) || masked(first, prefix) != first || ipv4_in_ipv6 {
            return Err(IpNetworkError(()));
        }
        Ok(Self { first, prefix })
    }

    /// Whether the address is in the network. An IPv4 address that a dual-stack socket shows as an IPv6 one
    /// (`::ffff:10.1.0.1`) is taken as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        // Addresses of the other family never compare equal.
        masked(address.to_canonical(), self.prefix) == self.first
    }
}

fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The address without the bits beyond the prefix.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let beyond = u32::from(bits(address).saturating_sub(prefix));
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(beyond).unwrap_or_default();
            Ipv4Addr::from_bits(v4.to_bits() & mask).into()
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(beyond).unwrap_or_default();
            Ipv6Addr::from_bits(v6.to_bits() & mask).into()
        }
    }
}

/// The address alone. An IPv4 address written as an IPv6 one is taken as what it is.
impl From<IpAddr> for IpNetwork {
    fn from(address: IpAddr) -> Self {
        let first = address.to_canonical();
        Self {
            first,
            prefix: bits(first),
        }
    }
}

impl FromStr for IpNetwork {
    type Err = IpNetworkError;

    /// Reads `address/prefix` or `address`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (first, prefix) = match text.split_once('/') {
            Some((first, prefix)) => (first, Some(prefix)),
            None => (text, None),
        };
        let first: IpAddr = first.parse().map_err(|_| IpNetworkError(()))?;
        let prefix = match prefix {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                digits.parse().map_err(|_| IpNetworkError(()))?
            }
            Some(_) => return Err(IpNetworkError(())),
            None => bits(first),
        };
        Self::new(first, prefix)
    }
}

impl fmt::Display for IpNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.prefix)
    }
}

/// A text or a pair that names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpNetworkError(());

impl fmt::Display for IpNetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an IP network is the first address of a range, and after a slash its prefix in bits: 10.1.0.0/16, fd00::/8",
        )
    }
}

impl Error for IpNetworkError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        let network: IpNetwork = network.parse().unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_ends_where_its_prefix_says() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.255.255", "11.0.0.0"),
            ("192.168.4.0/23", "192.168.5.255", "192.168.6.0"),
            ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
            ("127.0.0.1/32", "::ffff:127.0.0.1", "::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "ffff::", "10.0.0.1"),
            ("fd00::/8", "fdff::1", "fe00::"),
            ("2001:db8::/127", "2001:db8::1", "2001:db8::2"),
            ("::1", "::1", "::"),
        ] {
            assert!(contains(network, inside), "{network} {inside}");
            assert!(!contains(network, outside), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_not_quite_a_network_does_not_parse() {
        for text in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/8/8",
            "10.0.0.1/8",
            "10.0.0.0/255.0.0.0",
            "::/129",
            "::1/64",
            "::ffff:10.0.0.0/104",
            "proxy.example",
            " 10.0.0.0/8",
        ] {
            assert!(text.parse::<IpNetwork>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_prints_as_it_is_read() {
        for text in ["10.0.0.0/8", "fd00::/8", "127.0.0.1/32"] {
            assert_eq!(text.parse::<IpNetwork>().unwrap().to_string(), text);
        }
        let mapped: IpAddr = "::ffff:10.0.0.1".parse().unwrap();
        assert_eq!(IpNetwork::from(mapped).to_string(), "10.0.0.1/32");
    }
}
