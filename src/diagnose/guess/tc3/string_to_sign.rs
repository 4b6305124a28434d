//! What a client may have written into its string to sign, or signed instead of it.

use crate::diagnose::guess::Choice;
use crate::diagnose::guess::tc3::signing_key::dates_around;
use crate::diagnosis::{Mistake, shown};
use crate::signature::Authorization;

/// The string to sign.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
    Documented,
    Timestamp(Vec<u8>),
    Scope(Vec<u8>),
    Algorithm(&'static [u8]),
    UpperCaseDigest,
    NotHashed,
    CanonicalRequestAlone,
    DigestAlone,
    WithoutScope,
}

/// Each form but the documented one.
pub(super) fn choices(timestamp: &[u8], authorization: &Authorization<'_>) -> Vec<Choice<Form>> {
    let mut found = Vec::new();
    let mut add = |mistake, detail: String, form: Form| {
        found.push(Choice {
            mistake,
            detail,
            data: form,
        });
    };
    for suffix in ["000", ".0", "\n"] {
        let other = [timestamp, suffix.as_bytes()].concat();
        add(
            Mistake::TimestampAfterSigning,
            format!("signed `{}`, sent `{}`", shown(&other), shown(timestamp)),
            Form::Timestamp(other),
        );
    }
    for other in dates_around(authorization.date) {
        let scope = format!("{other}/{}/tc3_request", authorization.service);
        add(
            Mistake::ScopeMismatch,
            format!("signed scope `{}`", shown(scope.as_bytes())),
            Form::Scope(scope.into_bytes()),
        );
    }
    let (date, service) = (authorization.date, authorization.service);
    for scope in [
        format!("{service}/{date}/tc3_request"),
        format!("{date}/{service}"),
        format!("{date}/{service}/tc3_request/"),
        format!("{date}/{service}/TC3_REQUEST"),
        format!("{date}/{service}/aws4_request"),
        format!("{}/{date}/{service}/tc3_request", authorization.secret_id),
        format!("{date}/{}/tc3_request", service.to_ascii_uppercase()),
        format!("{}/{service}/tc3_request", date.replace('-', "")),
        format!("{date}//tc3_request"),
        String::new(),
    ] {
        add(
            Mistake::ScopeMismatch,
            format!("signed scope `{}`", shown(scope.as_bytes())),
            Form::Scope(scope.into_bytes()),
        );
    }
    for algorithm in [
        &b"HMAC-SHA256"[..],
        b"AWS4-HMAC-SHA256",
        b"HmacSHA256",
        b"tc3-hmac-sha256",
        b"TC3-HMAC-SHA256 ",
        b"",
    ] {
        add(
            Mistake::StringToSignForm,
            format!("the first line is `{}`", shown(algorithm)),
            Form::Algorithm(algorithm),
        );
    }
    for (detail, form) in [
        (
            "the digest of the canonical request is in upper case",
            Form::UpperCaseDigest,
        ),
        ("the canonical request was not hashed", Form::NotHashed),
        (
            "only the canonical request was signed",
            Form::CanonicalRequestAlone,
        ),
        (
            "only the digest of the canonical request was signed",
            Form::DigestAlone,
        ),
        ("the line with the scope is missing", Form::WithoutScope),
    ] {
        add(Mistake::StringToSignForm, detail.to_owned(), form);
    }
    found
}
