//! Which methods a client may have signed instead of the one that arrived.

use crate::diagnose::guess::Choice;
use crate::diagnosis::{Mistake, shown};

/// Methods, and what else may stand in their place.
pub(super) fn choices(sent: &[u8]) -> Vec<Choice<Vec<u8>>> {
    let mut found = Vec::new();
    let mut add = |mistake, method: &[u8]| {
        found.push(Choice {
            mistake,
            detail: format!("signed `{}`, arrived `{}`", shown(method), shown(sent)),
            data: method.to_vec(),
        });
    };
    for method in [
        "GET", "POST", "get", "post", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "Get", "Post",
    ] {
        add(Mistake::MethodMismatch, method.as_bytes());
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
        add(Mistake::MethodToken, token.as_bytes());
    }
    add(Mistake::MethodToken, &[sent, b" "].concat());
    add(Mistake::MethodToken, &[sent, b":"].concat());
    add(Mistake::MethodToken, &[sent, b"&"].concat());
    found
}
