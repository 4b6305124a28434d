//! Which of the three schemes signed a request, and which of the three dialects its caller speaks.

use std::fmt;

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// HMAC-SHA1 over method, host, path and sorted parameters; legacy v2 and API 3.0 signature v1.
    HmacSha1,
    /// The same with HMAC-SHA256, chosen by `SignatureMethod=HmacSHA256`.
    HmacSha256,
    /// `TC3-HMAC-SHA256`: the `Authorization` header of API 3.0 signature v3.
    Tc3HmacSha256,
}

impl Scheme {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HmacSha1 => "HmacSHA1",
            Self::HmacSha256 => "HmacSHA256",
            Self::Tc3HmacSha256 => "TC3-HMAC-SHA256",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How refusals are called and wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Legacy API v2 with `Version`: `InvalidRequest.ReplayAttack` in a `Response.Error` envelope.
    V2,
    /// Legacy API v2 without `Version`: `{"code":4500,…}`.
    V2Numeric,
    /// API 3.0, both signatures: `AuthFailure.SignatureExpire` in a `Response.Error` envelope.
    V3,
}

impl Dialect {
    /// The three dialects.
    pub const ALL: [Self; 3] = [Self::V2, Self::V2Numeric, Self::V3];

    /// Legacy v2 answers with numbers unless the request names a version (protocol.md §0 fact 1).
    pub(crate) fn of(family: Family, has_version: bool) -> Self {
        match family {
            Family::V1 | Family::Tc3 => Self::V3,
            Family::V2 if has_version => Self::V2,
            Family::V2 => Self::V2Numeric,
        }
    }

    /// The name that the command uses: `v2`, `v2-numeric`, `v3`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2 => "v2",
            Self::V2Numeric => "v2-numeric",
            Self::V3 => "v3",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The language of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Language {
    /// English.
    #[default]
    EnUs,
    /// Simplified Chinese.
    ZhCn,
}

impl Language {
    /// The language with this wire name (`en-US`, `zh-CN`).
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"en-US" => Some(Self::EnUs),
            b"zh-CN" => Some(Self::ZhCn),
            _ => None,
        }
    }
}

/// What a request is, before its parameters are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// Legacy API v2.
    V2,
    /// API 3.0 signature v1.
    V1,
    /// API 3.0 signature v3.
    Tc3,
}

impl Family {
    /// The scheme of a request of this family, given its `SignatureMethod`: only the exact text selects SHA-256
    /// (protocol.md §0 fact 3).
    pub(crate) fn scheme(self, signature_method: &[u8]) -> Scheme {
        match (self, signature_method) {
            (Self::Tc3, _) => Scheme::Tc3HmacSha256,
            (_, b"HmacSHA256") => Scheme::HmacSha256,
            _ => Scheme::HmacSha1,
        }
    }
}

/// Hosts of legacy v2; CMQ also answers on an internal name (protocol.md §1.2).
pub(crate) fn is_legacy_host(host: &[u8]) -> bool {
    let host = host.split(|&byte| byte == b':').next().unwrap_or_default();
    [&b".api.qcloud.com"[..], b".api.tencentyun.com"]
        .iter()
        .any(|suffix| {
            host.len()
                .checked_sub(suffix.len())
                .and_then(|start| host.get(start..))
                .is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        })
}
