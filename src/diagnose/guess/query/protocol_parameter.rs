//! Which parameters are the protocol's own.

/// Whether the parameter belongs to the protocol, and not to an action.
pub(super) fn is_common(name: &[u8]) -> bool {
    COMMON.contains(&name)
}

/// Parameters of the protocol, as opposed to those of an action.
const COMMON: [&[u8]; 10] = [
    b"Action",
    b"Language",
    b"Nonce",
    b"Region",
    b"RequestClient",
    b"SecretId",
    b"SignatureMethod",
    b"Timestamp",
    b"Token",
    b"Version",
];
