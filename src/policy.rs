//! What an operator decides: window, sizes, tolerance, replay scope, language. Checked when it is built.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use crate::host::is_host;
use crate::scheme::{Family, Language};

/// What an operator decides. The defaults accept what published clients send and cover every parameter.
///
/// ```
/// use qcloud_validator::{Policy, ReplayScope, Scheme, Tolerance};
///
/// let policy = Policy::builder()
///     .window_seconds(120)
///     .tolerance(Tolerance::Strict)
///     .build()?;
/// assert_eq!(policy.window_seconds(), 120);
/// # Ok::<(), qcloud_validator::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Policy {
    window_seconds: u32,
    limits: Limits,
    tolerance: Tolerance,
    unsigned: BTreeSet<UnsignedPart>,
    https: HttpsRule,
    replay: Replay,
    language: Language,
    public_hosts: Vec<Box<str>>,
    services: Option<BTreeSet<Box<str>>>,
    #[cfg(feature = "diagnose")]
    diagnosis: DiagnosisRule,
    #[cfg(feature = "diagnose")]
    diagnosis_macs: u32,
    #[cfg(feature = "diagnose")]
    diagnoses_per_minute: u16,
}

/// Makes a [`Policy`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PolicyBuilder(Policy);

impl Policy {
    /// The documented defaults, to be changed one by one.
    pub fn builder() -> PolicyBuilder {
        PolicyBuilder(Self::default())
    }

    /// How far a timestamp may be from the clock, either way and inclusive, in seconds.
    #[must_use]
    pub fn window_seconds(&self) -> u32 {
        self.window_seconds
    }

    /// The language of messages where the request asks for none.
    #[must_use]
    pub fn language(&self) -> Language {
        self.language
    }

    /// The sizes that requests must keep.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn tolerance(&self) -> Tolerance {
        self.tolerance
    }

    pub(crate) fn admits_unsigned(&self, part: UnsignedPart) -> bool {
        self.unsigned.contains(&part)
    }

    /// Which requests must have come over TLS.
    #[must_use]
    pub fn https(&self) -> HttpsRule {
        self.https
    }

    pub(crate) fn public_hosts(&self) -> &[Box<str>] {
        &self.public_hosts
    }

    pub(crate) fn services(&self) -> Option<&BTreeSet<Box<str>>> {
        self.services.as_ref()
    }

    /// Who learns the cause of a refusal.
    #[cfg(feature = "diagnose")]
    #[must_use]
    pub fn diagnosis(&self) -> DiagnosisRule {
        self.diagnosis
    }

    #[cfg(feature = "diagnose")]
    pub(crate) fn diagnosis_macs(&self) -> u32 {
        self.diagnosis_macs
    }

    #[cfg(feature = "diagnose")]
    pub(crate) fn diagnoses_per_minute(&self) -> u16 {
        self.diagnoses_per_minute
    }

    pub(crate) fn replay(&self, family: Family) -> ReplayScope {
        match family {
            Family::V2 => self.replay.v2,
            Family::V1 => self.replay.v1,
            Family::Tc3 => self.replay.tc3,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window_seconds: 300,
            limits: Limits::default(),
            tolerance: Tolerance::Compatible,
            unsigned: BTreeSet::new(),
            https: HttpsRule::Everywhere,
            replay: Replay {
                v2: ReplayScope::SecretIdTimestampNonce,
                v1: ReplayScope::Off,
                tc3: ReplayScope::Off,
            },
            language: Language::EnUs,
            public_hosts: Vec::new(),
            services: None,
            #[cfg(feature = "diagnose")]
            diagnosis: DiagnosisRule::Off,
            #[cfg(feature = "diagnose")]
            diagnosis_macs: 20_000,
            #[cfg(feature = "diagnose")]
            diagnoses_per_minute: 6,
        }
    }
}

impl PolicyBuilder {
    /// How far a timestamp may be from the clock, in seconds; 300 by default, 1 to 86 400.
    ///
    /// The numeric dialect allowed 7 200 before 2020 (protocol.md §4.1).
    pub fn window_seconds(mut self, seconds: u32) -> Self {
        self.0.window_seconds = seconds;
        self
    }

    /// The sizes that requests must keep.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.0.limits = limits;
        self
    }

    /// Which spellings of a signed request are accepted.
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.0.tolerance = tolerance;
        self
    }

    /// Also accepts requests whose signature leaves `part` out. Anyone able to alter a request on its way can then add or
    /// change such a part; [`Admitted::uncovered`](crate::Admitted::uncovered) names what was not covered.
    pub fn insecure_accept_unsigned(mut self, part: UnsignedPart) -> Self {
        self.0.unsigned.insert(part);
        self
    }

    /// Where HTTPS is demanded; everywhere by default.
    pub fn https(mut self, rule: HttpsRule) -> Self {
        self.0.https = rule;
        self
    }

    /// What must not repeat in legacy v2 requests; [`ReplayScope::SecretIdTimestampNonce`] by default.
    pub fn replay_v2(mut self, scope: ReplayScope) -> Self {
        self.0.replay.v2 = scope;
        self
    }

    /// What must not repeat in API 3.0 signature v1 requests; off by default, since no code exists for it there.
    pub fn replay_v1(mut self, scope: ReplayScope) -> Self {
        self.0.replay.v1 = scope;
        self
    }

    /// Whether a TC3 request may be sent twice; off by default. TC3 has no nonce, so any other scope claims the
    /// signature, and two honest requests with equal content in one second are refused.
    pub fn replay_tc3(mut self, scope: ReplayScope) -> Self {
        self.0.replay.tc3 = scope;
        self
    }

    /// The language of messages where the request asks for none; English by default.
    pub fn language(mut self, language: Language) -> Self {
        self.0.language = language;
        self
    }

    /// A host under which clients know this service, for requests whose `Host` was changed on the way or is signed in
    /// another case: a name or an address, with a port or without. At most 8.
    ///
    /// A host of the legacy API counts only where the path or the `Host` tells that a request is one of legacy v2: taken for
    /// one of API 3.0, whose nonces may not be remembered, it could be used again.
    pub fn public_host(mut self, host: impl Into<Box<str>>) -> Self {
        self.0.public_hosts.push(host.into());
        self
    }

    /// A service that may stand in the credential scope of TC3. Without any, the scope must name the first label of a
    /// known host (`<service>[.<region>].tencentcloudapi.com`) and may name anything on another host.
    pub fn service(mut self, service: impl Into<Box<str>>) -> Self {
        self.0
            .services
            .get_or_insert_default()
            .insert(service.into());
        self
    }

    /// Who learns the cause of a refusal; no one by default.
    #[cfg(feature = "diagnose")]
    pub fn diagnosis(mut self, rule: DiagnosisRule) -> Self {
        self.0.diagnosis = rule;
        self
    }

    /// The most MACs that one diagnosis computes; 20 000 by default, several times what a small request takes.
    #[cfg(feature = "diagnose")]
    pub fn diagnosis_macs(mut self, macs: u32) -> Self {
        self.0.diagnosis_macs = macs;
        self
    }

    /// How many refusals of one SecretId are diagnosed per minute; 6 by default.
    #[cfg(feature = "diagnose")]
    pub fn diagnoses_per_minute(mut self, count: u16) -> Self {
        self.0.diagnoses_per_minute = count;
        self
    }

    /// Checks the settings together.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] names the setting that cannot hold and what it may be.
    pub fn build(self) -> Result<Policy, PolicyError> {
        let policy = self.0;
        if !(1..=86_400).contains(&policy.window_seconds) {
            return Err(PolicyError::Window);
        }
        let limits = [
            policy.limits.query_bytes,
            policy.limits.form_bytes,
            policy.limits.body_bytes,
            policy.limits.parameters,
        ];
        if limits.iter().any(|&limit| limit == 0 || limit > MAX_LIMIT) {
            return Err(PolicyError::Limits);
        }
        if policy.public_hosts.len() > MAX_PUBLIC_HOSTS
            || !policy.public_hosts.iter().all(|host| is_host(host))
        {
            return Err(PolicyError::PublicHosts);
        }
        Ok(policy)
    }
}

/// Each host is a candidate for the signed one, so each may cost a MAC.
const MAX_PUBLIC_HOSTS: usize = 8;

/// Offsets into a request are kept in 32 bits.
const MAX_LIMIT: usize = 1 << 30;

/// A setting that cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PolicyError {
    /// The window is 0 or longer than a day.
    Window,
    /// A limit is 0 or above 1 GiB.
    Limits,
    /// There are more than 8 public hosts, or one is not a host name or address, with a port or without.
    PublicHosts,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Window => "the window must be 1 to 86400 seconds",
            Self::Limits => "every limit must be 1 to 1073741824",
            Self::PublicHosts => {
                "expected at most 8 public hosts, such as api.example.com or api.example.com:8443"
            }
        })
    }
}

impl Error for PolicyError {}

/// The sizes that requests must keep (protocol.md §1.2). What is longer is refused before it is parsed.
#[derive(Clone, Debug)]
pub struct Limits {
    pub(crate) query_bytes: usize,
    pub(crate) form_bytes: usize,
    pub(crate) body_bytes: usize,
    pub(crate) parameters: usize,
}

impl Limits {
    /// The longest query, in bytes; 32 KiB by default.
    #[must_use]
    pub fn query_bytes(self, bytes: usize) -> Self {
        Self {
            query_bytes: bytes,
            ..self
        }
    }

    /// The longest body of any request, in bytes: how much a caller has to buffer before the check.
    #[must_use]
    pub fn longest_body(&self) -> usize {
        self.form_bytes.max(self.body_bytes)
    }

    /// The longest form of v1 and v2, in bytes; 1 MiB by default.
    #[must_use]
    pub fn form_bytes(self, bytes: usize) -> Self {
        Self {
            form_bytes: bytes,
            ..self
        }
    }

    /// The longest body of TC3, in bytes; 10 MiB by default.
    #[must_use]
    pub fn body_bytes(self, bytes: usize) -> Self {
        Self {
            body_bytes: bytes,
            ..self
        }
    }

    /// The most parameters of a query or form; 65 536 by default, since SDKs post arrays of 50 000.
    #[must_use]
    pub fn parameters(self, count: usize) -> Self {
        Self {
            parameters: count,
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            query_bytes: 32 << 10,
            form_bytes: 1 << 20,
            body_bytes: 10 << 20,
            parameters: 65_536,
        }
    }
}

/// Which spellings of a signed request are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tolerance {
    /// Every spelling of published clients that covers all parameters: order and kind of `_` and `.` in names, the host
    /// with and without its port and in either case, blanks in `Authorization`, a line end after a signature, header
    /// values in either case (clients.md §3, §7).
    #[default]
    Compatible,
    /// The documented form and nothing else.
    Strict,
}

/// Parts that some clients leave out of what they sign. None is accepted by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UnsignedPart {
    /// Values of a POST that begin with `@` (legacy SDKs mark files so).
    AtValues,
    /// Parts of a multipart form that have a file name.
    FileParts,
    /// Parameters with an empty value.
    EmptyValues,
}

/// Where HTTPS is demanded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum HttpsRule {
    /// In every dialect.
    #[default]
    Everywhere,
    /// In legacy v2, whose documentation demands it; API 3.0 may come over plain HTTP.
    LegacyOnly,
    /// Nowhere: for tests on a loopback address.
    InsecureNowhere,
}

/// Who learns the cause of a refusal.
#[cfg(feature = "diagnose")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiagnosisRule {
    /// No one; nothing is searched.
    #[default]
    Off,
    /// The operator. A search takes up to a few hundred milliseconds, so `check` returns without one: ask
    /// [`Validator::grants_diagnosis`](crate::Validator::grants_diagnosis) about a refusal, and search with
    /// [`Validator::explain`](crate::Validator::explain) where no request waits for it.
    ForOperator,
    /// The client too, in the message: for test environments, since `check` searches before it returns. Causes that concern
    /// a key are for the operator alone, in [`Rejection::diagnosis`](crate::Rejection::diagnosis).
    InMessage,
}

/// What must not repeat within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplayScope {
    /// Nothing is remembered.
    Off,
    /// The three together, the only reading that 16-bit nonces of official SDKs survive (protocol.md §6 row 2).
    SecretIdTimestampNonce,
    /// A nonce must not come back under another timestamp either.
    SecretIdNonce,
}

#[derive(Clone, Copy, Debug)]
struct Replay {
    v2: ReplayScope,
    v1: ReplayScope,
    tc3: ReplayScope,
}
