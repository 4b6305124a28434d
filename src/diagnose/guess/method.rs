//! Which methods a client may have signed instead of the one that arrived.

use crate::diagnose::search::Choice;
use crate::diagnosis::{Hypothesis, shown};

/// Methods, and what else may stand in their place.
pub(super) fn choices(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |hypothesis, method: &[u8]| {
        found.push(Choice {
            hypothesis,
            detail: format!("signed `{}`, arrived `{}`", shown(method), shown(sent)),
            data: method.to_vec(),
        });
    };
    for method in [
        "GET", "POST", "get", "post", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "Get", "Post",
    ] {
        add(Hypothesis::MethodMismatch, method.as_bytes());
    }
    for token in [
        "",
        "HmacSHA256",
        "HmacSHA1",
        "HMAC-SHA1",
        "HMAC-SHA256",
        "TC3-HMAC-SHA256",
        "None",
        "undefined",
        "null",
    ] {
        add(Hypothesis::MethodToken, token.as_bytes());
    }
    add(Hypothesis::MethodToken, &[sent, b" "].concat());
    add(Hypothesis::MethodToken, &[sent, b":"].concat());
    add(Hypothesis::MethodToken, &[sent, b"&"].concat());
    found
}
