//! Whether a request that reached the service is the one that was verified, and names its caller.

use test_support::gateway::SECRET_ID;

use super::service::Received;
use super::setups::{Paths, Setup, SignedBodies};
use super::signed::Signed;

/// The error says what differs.
pub(crate) fn as_verified(
    setup: &Setup,
    received: &Received,
    signed: &Signed,
) -> Result<(), String> {
    let unverified = signed.body_is_signed && setup.signed_bodies == SignedBodies::PassedUnverified;
    let caller_is_right = if unverified {
        is_nobodys(received)
    } else {
        is_the_signers(setup, received, signed)
    };
    if !caller_is_right {
        return Err(format!("another caller: {:?}", received.caller()));
    }
    if !is_the_message(setup, received, signed) {
        return Err(format!("another message: {received:?}"));
    }
    let sent = decisive(
        signed
            .request
            .headers()
            .map(|(name, value)| (name, text(value))),
    );
    let lines = received.headers.iter();
    let arrived = decisive(lines.map(|(name, value)| (name.as_str(), value.clone())));
    if arrived != sent {
        return Err(format!("other headers: {arrived:?} instead of {sent:?}"));
    }
    let address = received.header("x-forwarded-for").join(", ");
    match setup.forwarded_for {
        Some(expected) if address != expected => Err(format!("from {address}")),
        _ => Ok(()),
    }
}

/// Whether the gateway says of a request that it has verified nothing.
pub(crate) fn is_nobodys(received: &Received) -> bool {
    is_called(
        received,
        &[
            ("account", "none"),
            ("action", "none"),
            ("scheme", "none"),
            ("secret-id", "none"),
            ("sub-account", "none"),
            ("uncovered", "all"),
            ("unverified", "true"),
        ],
    )
}

fn is_the_signers(setup: &Setup, received: &Received, signed: &Signed) -> bool {
    let no_body = signed.request.body().is_empty();
    let uncovered = match (setup.signed_bodies, signed.uncovered) {
        // What the proxy does not show may be there.
        (SignedBodies::Refused | SignedBodies::PassedUnverified, uncovered) if no_body => {
            match (uncovered, uncovered.strip_prefix("path, ")) {
                ("none", _) => "body".to_owned(),
                (_, Some(rest)) => format!("path, body, {rest}"),
                (_, None) => format!("body, {uncovered}"),
            }
        }
        (_, uncovered) => uncovered.to_owned(),
    };
    is_called(
        received,
        &[
            ("account", "100000000001"),
            ("action", signed.action),
            ("scheme", signed.scheme),
            ("secret-id", SECRET_ID),
            ("sub-account", "200000000001"),
            ("uncovered", &uncovered),
            ("unverified", "false"),
        ],
    )
}

fn is_called(received: &Received, expected: &[(&str, &str)]) -> bool {
    let caller = received.caller();
    let caller = caller.iter().map(|(name, value)| (&**name, *value));
    received.names_its_caller() && caller.eq(expected.iter().copied())
}

fn is_the_message(setup: &Setup, received: &Received, signed: &Signed) -> bool {
    let request = &signed.request;
    let target = text(request.target());
    let target = match setup.paths {
        Paths::AsSent => target,
        Paths::Cleaned => target.replace("/admin/..", ""),
    };
    received.method == text(request.method())
        && received.target == target
        && received.body == text(request.body())
}

/// The headers in which a service may read what it does, as a program reads them that makes no difference between `-` and
/// `_`. Equal lines count once.
fn decisive<'h>(headers: impl Iterator<Item = (&'h str, String)>) -> Vec<(String, String)> {
    let mut decisive: Vec<(String, String)> = headers
        .map(|(name, value)| (name.to_ascii_lowercase().replace('_', "-"), value))
        .filter(|(name, _)| {
            ["authorization", "content-type", "host"].contains(&&**name)
                || name.starts_with("x-tc-")
        })
        .collect();
    decisive.sort();
    decisive.dedup();
    decisive
}

/// Each byte as one character, as [`Received`] has them.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
