//! A request of which nothing is known yet: which dialect it speaks, and whether it can be read.

use crate::check;
use crate::clock::UnixTime;
use crate::form::{Parameters, boundary};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::{Field, RequestView};
use crate::scheme::{Dialect, Family, Language};
use crate::signature::Authorization;
use crate::stage::parsed::{Parsed, Signed, Times};

/// A request as it arrived.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Received<'r> {
    request: &'r RequestView<'r>,
    policy: &'r Policy,
}

impl<'r> Received<'r> {
    /// Takes a request in.
    pub fn new(request: &'r RequestView<'r>, policy: &'r Policy) -> Self {
        Self { request, policy }
    }

    /// Makes all checks that ask nobody: protocol, method, form, parameters, types, timestamp. `now` is read once, when
    /// the whole request is there.
    ///
    /// # Errors
    ///
    /// The first check that refuses, in the dialect of the request.
    pub fn parse(self, now: UnixTime) -> Result<Parsed<'r>, Rejection> {
        let family = family(self.request);
        let refuse = |reason| refusal(self.request, self.policy, family, reason);
        let read = self.read(family).map_err(refuse)?;
        let window = self.policy.window_seconds();
        match check::timestamp::check(read.times.timestamp, now, window) {
            Ok(within_window) => Ok(Parsed::new(
                self.request,
                self.policy,
                read,
                now,
                within_window,
            )),
            Err(reason) => Err(refuse(reason).with_request(
                read.signed.secret_id_if_shown(),
                read.action(self.request),
                read.signed.scheme(family),
            )),
        }
    }

    /// The string to sign as the documentation has it, from the client's own parameters; for TC3 preceded by the
    /// canonical request and a blank line. `None` if the request cannot be read. The time is not judged.
    ///
    /// It holds every signed parameter, a token too: it is for the client and the operator, not for logs.
    #[must_use]
    pub fn string_to_sign(&self) -> Option<String> {
        let family = family(self.request);
        let read = self.read(family).ok()?;
        let text = read.signed.string_to_sign(self.request, family);
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    /// The longest body that a request with these headers may have, in bytes. Its payload is not looked at.
    #[cfg(feature = "tower")]
    pub(crate) fn body_limit(&self) -> usize {
        match family(self.request) {
            Family::Tc3 => self.policy.limits().body_bytes,
            Family::V1 | Family::V2 => self.policy.limits().form_bytes,
        }
    }

    /// Refuses a request whose body was not read to its end because it is longer than [`body_limit`](Self::body_limit).
    /// What was read of it is its payload and decides about the dialect of a form.
    #[cfg(feature = "tower")]
    pub(crate) fn refuse_too_long(&self) -> Rejection {
        let limit = self.body_limit();
        self.refuse_body(match family(self.request) {
            Family::Tc3 => Reason::BodyTooLong { limit },
            Family::V1 | Family::V2 => Reason::FormTooLong { limit },
        })
    }

    /// Refuses a request whose body could not be read to its end.
    #[cfg(feature = "tower")]
    pub(crate) fn refuse_cut_off(&self) -> Rejection {
        self.refuse_body(Reason::BodyUnseen)
    }

    /// Refuses for the body, unless a check refuses that comes before.
    #[cfg(feature = "tower")]
    fn refuse_body(&self, body: Reason) -> Rejection {
        let request = self.request;
        let family = family(request);
        let earlier = check::protocol::check(request.transport(), family, self.policy.https())
            .and_then(|()| check::method::check(request.method()));
        let reason = earlier.err().unwrap_or(body);
        refusal(request, self.policy, family, reason)
    }

    /// The request as read, if it can be read, whatever its time.
    #[cfg(feature = "diagnose")]
    pub(crate) fn read_untimed(&self) -> Option<Read<'r>> {
        self.read(family(self.request)).ok()
    }

    fn read(&self, family: Family) -> Result<Read<'r>, Reason> {
        let request = self.request;
        check::protocol::check(request.transport(), family, self.policy.https())?;
        check::method::check(request.method())?;
        let limits = self.policy.limits();
        let parameters = check::form::read(request, family, limits)?;
        match family {
            Family::V1 | Family::V2 => {
                check::parameters::in_query(&parameters, family)?;
                let text = |name: &[u8]| parameters.get(name).unwrap_or_default();
                let times = Times {
                    timestamp: check::types::timestamp(text(b"Timestamp"), "Timestamp")?,
                    nonce: Some(check::types::nonce(text(b"Nonce"))?),
                };
                for name in ["Action", "SecretId", "Version", "Region"] {
                    check::types::short_text(text(name.as_bytes()), name)?;
                }
                Ok(Read {
                    family,
                    signed: Signed::Query(parameters),
                    times,
                })
            }
            Family::Tc3 => {
                let authorization = check::parameters::in_headers(request, self.policy)?;
                let timestamp = header(request, "x-tc-timestamp");
                let times = Times {
                    timestamp: check::types::timestamp(timestamp, "X-TC-Timestamp")?,
                    nonce: None,
                };
                for (lookup, name) in [
                    ("x-tc-action", "X-TC-Action"),
                    ("x-tc-version", "X-TC-Version"),
                    ("x-tc-region", "X-TC-Region"),
                ] {
                    check::types::short_text(header(request, lookup), name)?;
                }
                check::types::short_text(authorization.secret_id.as_bytes(), "SecretId")?;
                check::types::short_text(authorization.service.as_bytes(), "Service")?;
                Ok(Read {
                    family,
                    signed: Signed::Tc3 {
                        authorization,
                        timestamp,
                        query: (request.method() == b"GET")
                            .then(|| {
                                Parameters::urlencoded(request.query(), limits.parameters).ok()
                            })
                            .flatten(),
                    },
                    times,
                })
            }
        }
    }
}

/// A request that could be read.
pub(crate) struct Read<'r> {
    pub(crate) family: Family,
    pub(crate) signed: Signed<'r>,
    pub(super) times: Times,
}

impl<'r> Read<'r> {
    pub(super) fn action<'s>(&'s self, request: &'s RequestView<'r>) -> &'s str {
        self.signed.common(request, "Action", "x-tc-action")
    }
}

/// The trimmed value of a header, empty if there is none.
pub(crate) fn header<'r>(request: &RequestView<'r>, name: &str) -> &'r [u8] {
    match request.header(name) {
        Field::Once(value) => value.trim_ascii(),
        Field::Absent | Field::Repeated => &[],
    }
}

/// What a request is (protocol.md §1.3). `X-TC-Action` without a TC3 `Authorization` is a TC3 request gone wrong.
fn family(request: &RequestView<'_>) -> Family {
    let tc3 = match request.header("authorization") {
        Field::Once(value) => Authorization::is_tc3(value),
        Field::Absent | Field::Repeated => false,
    };
    if tc3 {
        return Family::Tc3;
    }
    if request.header("x-tc-action") != Field::Absent {
        return Family::Tc3;
    }
    if is_legacy_host(request.host()) || request.path().ends_with(b"/v2/index.php") {
        return Family::V2;
    }
    Family::V1
}

/// Hosts of legacy v2; CMQ also answers on an internal name (protocol.md §1.2).
fn is_legacy_host(host: &[u8]) -> bool {
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

/// Words a refusal in the dialect and language of a request that may be unreadable, by looking for what decides both.
#[cold]
fn refusal(
    request: &RequestView<'_>,
    policy: &Policy,
    family: Family,
    reason: Reason,
) -> Rejection {
    let dialect = dialect(family, || peek(request, policy, b"Version").is_some());
    let language = match family {
        Family::Tc3 => Language::from_name(header(request, "x-tc-language")),
        Family::V1 | Family::V2 => {
            let name = peek(request, policy, b"Language").unwrap_or_default();
            Language::from_name(&name)
        }
    };
    Rejection::new(reason, dialect, language.unwrap_or(policy.language()))
}

/// Legacy v2 answers with numbers unless the request names a version (protocol.md §0 fact 1).
pub(super) fn dialect(family: Family, has_version: impl FnOnce() -> bool) -> Dialect {
    match family {
        Family::V1 | Family::Tc3 => Dialect::V3,
        Family::V2 if has_version() => Dialect::V2,
        Family::V2 => Dialect::V2Numeric,
    }
}

/// The value of a parameter as sent, if it is not empty, from a query or form that may not parse.
fn peek(request: &RequestView<'_>, policy: &Policy, name: &[u8]) -> Option<Vec<u8>> {
    let limits = policy.limits();
    if request.method() != b"POST" {
        let query = request.query();
        let query = query.get(..limits.query_bytes).unwrap_or(query);
        return pair(query, name).map(<[u8]>::to_vec);
    }
    let body = request.payload().bytes().unwrap_or_default();
    let body = body.get(..limits.form_bytes).unwrap_or(body);
    match boundary(header(request, "content-type")) {
        Some(boundary) => {
            let parameters = Parameters::multipart(body, boundary, limits.parameters).ok()?;
            parameters.get_filled(name).map(<[u8]>::to_vec)
        }
        None => pair(body, name).map(<[u8]>::to_vec),
    }
}

fn pair<'t>(text: &'t [u8], name: &[u8]) -> Option<&'t [u8]> {
    text.split(|&byte| byte == b'&')
        .find_map(|piece| piece.strip_prefix(name)?.strip_prefix(b"="))
        .filter(|value| !value.is_empty())
}
