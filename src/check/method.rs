//! Whether the method is one that the API knows (protocol.md §1.2). Methods are case-sensitive.

use crate::reason::Reason;

pub(crate) fn check(method: &[u8]) -> Result<(), Reason> {
    match method {
        b"GET" | b"POST" => Ok(()),
        _ => Err(Reason::MethodNotAllowed),
    }
}
