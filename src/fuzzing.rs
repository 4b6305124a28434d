//! Opens the readers of wire text to the targets in `fuzz/`. Compiled for them alone.

use crate::form::{ContentType, Parameters};
use crate::policy::Tolerance;
use crate::reason::{AuthorizationFault, Reason};
use crate::signature::Authorization;

/// Reads a query or an urlencoded form of at most `limit` parameters.
///
/// # Errors
///
/// Why it is none.
pub fn urlencoded(wire: &[u8], limit: usize) -> Result<Parameters<'_>, Reason> {
    let mut parameters = Parameters::none();
    parameters.read_urlencoded(wire, limit)?;
    Ok(parameters)
}

/// The boundary that a `multipart/form-data` content type declares.
#[must_use]
pub fn boundary(content_type: &[u8]) -> Option<&[u8]> {
    ContentType::read(content_type).ok()?.boundary()
}

/// Reads a multipart form of at most `limit` parts.
///
/// # Errors
///
/// Why it is none.
pub fn multipart<'r>(
    wire: &'r [u8],
    boundary: &[u8],
    limit: usize,
) -> Result<Parameters<'r>, Reason> {
    let mut parameters = Parameters::none();
    parameters.read_multipart(wire, boundary, limit)?;
    Ok(parameters)
}

/// SecretId, date, service, signed headers and signature of an `Authorization` header.
///
/// # Errors
///
/// What is wrong with it.
pub fn authorization(header: &[u8], tolerance: Tolerance) -> Result<[&str; 5], AuthorizationFault> {
    let read = Authorization::parse(header, tolerance)?;
    Ok([
        read.secret_id,
        read.date,
        read.service,
        read.signed_headers,
        read.signature,
    ])
}

/// How many MACs and hashes this thread has compared with a client's signature in search of a mistake.
#[cfg(feature = "diagnose")]
#[must_use]
pub fn diagnosis_macs() -> u32 {
    crate::diagnose::COMPARED.get()
}
