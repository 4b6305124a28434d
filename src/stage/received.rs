//! A request as it arrived, unread.

use std::fmt;

use crate::check;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::rejection::Rejection;
use crate::request::{Field, RequestView};
use crate::scheme::{Family, is_legacy_host};
use crate::signature::Authorization;
use crate::stage::Read;
use crate::stage::caller::Caller;
use crate::stage::read::{Content, Query};

/// A request as it arrived, unread.
#[derive(Clone, Copy)]
#[must_use]
pub struct Received<'r> {
    request: &'r RequestView<'r>,
    policy: &'r Policy,
    family: Family,
}

impl<'r> Received<'r> {
    /// Accepts any request.
    pub fn new(request: &'r RequestView<'r>, policy: &'r Policy) -> Self {
        Self {
            request,
            policy,
            family: family(request),
        }
    }

    /// Checks protocol, method, form and required parameters.
    ///
    /// # Errors
    ///
    /// The first of them that refuses, in the dialect of the request.
    pub fn read(self) -> Result<Read<'r>, Rejection> {
        let mut read = Read::new(self.request, self.policy, self.family);
        if let Err(reason) = self.fill(&mut read) {
            return Err(self.caller().refuse(reason));
        }
        match read.check_parameters() {
            Ok(()) => Ok(read),
            Err(reason) => Err(read.caller().refuse(reason)),
        }
    }

    /// The longest body that a request with these headers may have, in bytes. Does not look at the payload.
    #[cfg(feature = "tower")]
    pub(crate) fn body_limit(&self) -> usize {
        match self.family {
            Family::Tc3 => self.policy.limits().body_bytes,
            Family::V1 | Family::V2 => self.policy.limits().form_bytes,
        }
    }

    /// Refuses a request whose body is longer than [`body_limit`](Self::body_limit). The payload is what was read of the
    /// body; it decides the dialect of a form.
    #[cfg(feature = "tower")]
    pub(crate) fn refuse_too_long(&self) -> Rejection {
        let limit = self.body_limit();
        self.refuse_body(match self.family {
            Family::Tc3 => Reason::BodyTooLong { limit },
            Family::V1 | Family::V2 => Reason::FormTooLong { limit },
        })
    }

    /// Refuses a request whose body could not be read to its end.
    #[cfg(feature = "tower")]
    pub(crate) fn refuse_cut_off(&self) -> Rejection {
        self.refuse_body(Reason::BodyCutOff)
    }

    /// Refuses for the body, unless an earlier check refuses.
    #[cfg(feature = "tower")]
    fn refuse_body(&self, body: Reason) -> Rejection {
        let reason = self.check_head().err().unwrap_or(body);
        self.caller().refuse(reason)
    }

    fn check_head(&self) -> Result<(), Reason> {
        check::protocol::check(self.request.transport(), self.family, self.policy.https())?;
        check::method::check(self.request.method())
    }

    /// Reads in place: parameters are large.
    fn fill(&self, read: &mut Read<'r>) -> Result<(), Reason> {
        self.check_head()?;
        let limits = self.policy.limits();
        check::form::read(&mut read.parameters, self.request, self.family, limits)?;
        if self.family != Family::Tc3 {
            return Ok(());
        }
        let authorization = check::parameters::in_headers(self.request, self.policy)?;
        let query = self.request.query();
        let named = self.request.method() == b"GET"
            && read
                .parameters
                .read_urlencoded(query, limits.parameters)
                .is_ok();
        read.content = Content::Tc3 {
            authorization,
            query: if named { Query::Pairs } else { Query::Bytes },
        };
        Ok(())
    }

    #[cold]
    fn caller(&self) -> Caller<'static> {
        Caller::of_unread(self.request, self.policy, self.family)
    }
}

impl fmt::Debug for Received<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}

/// The family of a request (protocol.md §1.3). `X-TC-Action` without a TC3 `Authorization` is a faulty TC3 request.
fn family(request: &RequestView<'_>) -> Family {
    let authorization = request.known().authorization.value();
    if authorization.is_some_and(Authorization::is_tc3) {
        return Family::Tc3;
    }
    if request.known().action != Field::Absent {
        return Family::Tc3;
    }
    if request.path().ends_with(b"/v2/index.php") || is_legacy_host(request.host()) {
        return Family::V2;
    }
    Family::V1
}
