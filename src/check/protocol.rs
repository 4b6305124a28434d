//! Protocol check: whether the request may come over plain HTTP (common-errors.md row 13; for API 3.0 the operator's
//! choice).

use crate::policy::HttpsRule;
use crate::reason::Reason;
use crate::request::Transport;
use crate::scheme::Family;

pub(crate) fn check(transport: Transport, family: Family, rule: HttpsRule) -> Result<(), Reason> {
    let demanded = match rule {
        HttpsRule::Everywhere => true,
        HttpsRule::LegacyOnly => family == Family::V2,
        HttpsRule::InsecureNowhere => false,
    };
    match transport {
        Transport::Http if demanded => Err(Reason::PlainHttp),
        Transport::Http | Transport::Https => Ok(()),
    }
}
