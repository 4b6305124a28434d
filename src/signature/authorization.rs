//! What the `Authorization` header of TC3 says (protocol.md §2.4; spellings in use: clients.md §5).

use std::borrow::Cow;

use memchr::memchr;

use super::hex;
use crate::policy::Tolerance;
use crate::reason::AuthorizationFault;

const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// The parts of an `Authorization` header. Which values they may have is decided by the checks.
#[derive(Clone, Copy)]
pub(crate) struct Authorization<'r> {
    pub(crate) secret_id: &'r str,
    pub(crate) date: &'r str,
    pub(crate) service: &'r str,
    pub(crate) signed_headers: &'r str,
    pub(crate) signature: &'r str,
}

impl<'r> Authorization<'r> {
    /// Whether this header claims to be TC3 at all.
    pub(crate) fn is_tc3(header: &[u8]) -> bool {
        header.trim_ascii_start().starts_with(ALGORITHM.as_bytes())
    }

    /// Reads the header.
    pub(crate) fn parse(
        header: &'r [u8],
        tolerance: Tolerance,
    ) -> Result<Self, AuthorizationFault> {
        let header = str::from_utf8(header).map_err(|_| AuthorizationFault::Spelling)?;
        let rest = header
            .trim_ascii()
            .strip_prefix(ALGORITHM)
            .ok_or(AuthorizationFault::Algorithm)?;
        let parts = rest.trim_ascii_start();
        if parts.len() == rest.len() && !rest.is_empty() {
            return Err(AuthorizationFault::Algorithm);
        }

        let mut credential = None;
        let mut signed_headers = None;
        let mut signature = None;
        let mut rest = Some(parts);
        while let Some(parts) = rest {
            let part;
            (part, rest) = match split_once(parts, b',') {
                Some((part, rest)) => (part, Some(rest)),
                None => (parts, None),
            };
            let part = part.trim_ascii();
            if part.is_empty() {
                continue;
            }
            let (name, value) = split_once(part, b'=').ok_or(AuthorizationFault::Spelling)?;
            let (slot, part) = match name.trim_ascii_end() {
                "Credential" => (&mut credential, "Credential"),
                "SignedHeaders" => (&mut signed_headers, "SignedHeaders"),
                "Signature" => (&mut signature, "Signature"),
                _ => return Err(AuthorizationFault::Spelling),
            };
            if slot.replace(value.trim_ascii_start()).is_some() {
                return Err(AuthorizationFault::PartRepeated { part });
            }
        }
        let missing = |part| AuthorizationFault::PartMissing { part };
        let credential = credential.ok_or(missing("Credential"))?;
        let signed_headers = signed_headers.ok_or(missing("SignedHeaders"))?;
        let signature = signature.ok_or(missing("Signature"))?;
        if tolerance == Tolerance::Strict
            && header
                != format!(
                    "{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}"
                )
        {
            return Err(AuthorizationFault::Spelling);
        }

        let scope = |text| split_once(text, b'/').ok_or(AuthorizationFault::Scope);
        let (secret_id, rest) = scope(credential)?;
        let (date, rest) = scope(rest)?;
        let (service, terminator) = scope(rest)?;
        if split_once(terminator, b'/').is_some() {
            return Err(AuthorizationFault::Scope);
        }
        if terminator != "tc3_request" {
            return Err(AuthorizationFault::Terminator);
        }
        for (part, fault) in [
            (service, AuthorizationFault::Service),
            (date, AuthorizationFault::Date),
            (secret_id, AuthorizationFault::SecretId),
        ] {
            if part.is_empty() {
                return Err(fault);
            }
        }
        Ok(Self {
            secret_id,
            date,
            service,
            signed_headers,
            signature,
        })
    }

    /// Returns what must not repeat: the signature with the action mixed in, which most clients do not sign. Two actions
    /// with one body in one second have one signature, and are two requests. `None` for a signature that none can be.
    ///
    /// The action counts in any letter case, as some clients sign it in lower case. Nothing else that is unsigned counts:
    /// changed on its way, it would make a used request new.
    pub(crate) fn claim(&self, action: &str) -> Option<[u8; 32]> {
        // A sender cannot choose a MAC, so two signatures do not differ by the text of an action. If two requests did share
        // a claim, the second would be refused; a replay is never admitted.
        let mut claim = hex::decode(self.signature.as_bytes())?;
        for piece in action.as_bytes().chunks(claim.len()) {
            for (byte, letter) in claim.iter_mut().zip(piece) {
                *byte ^= letter.to_ascii_lowercase();
            }
        }
        Some(claim)
    }

    /// The names in `SignedHeaders`, as spelled there.
    pub(crate) fn signed_header_names(&self) -> impl Iterator<Item = &'r str> + Clone + use<'r> {
        self.signed_headers.split(';')
    }

    /// Whether a header is signed.
    pub(crate) fn signs(&self, header: &str) -> bool {
        self.signed_header_names()
            .any(|name| name.eq_ignore_ascii_case(header))
    }
}

/// Returns what stands before and after the first of this ASCII character. `str::split_once` takes more than twice as long.
fn split_once(text: &str, at: u8) -> Option<(&str, &str)> {
    let (before, after) = text.split_at_checked(memchr(at, text.as_bytes())?)?;
    Some((before, after.get(1..)?))
}

/// A header name as headers are looked up; it is nearly always written so.
pub(crate) fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALID: &str = "TC3-HMAC-SHA256 Credential=AKID/2026-01-01/cvm/tc3_request, SignedHeaders=content-type;host, Signature=ab";

    fn fault(header: &str) -> AuthorizationFault {
        Authorization::parse(header.as_bytes(), Tolerance::Compatible)
            .err()
            .unwrap()
    }

    #[test]
    fn spellings_of_published_clients() {
        for header in [
            VALID.to_owned(),
            VALID.replace(", ", ","),
            VALID.replace("SHA256 ", "SHA256  "),
            format!(" {VALID} "),
            "TC3-HMAC-SHA256 Signature=ab,SignedHeaders=content-type;host,Credential=AKID/2026-01-01/cvm/tc3_request".to_owned(),
        ] {
            let parsed = Authorization::parse(header.as_bytes(), Tolerance::Compatible).ok().unwrap();
            assert_eq!(
                (parsed.secret_id, parsed.date, parsed.service, parsed.signed_headers, parsed.signature),
                ("AKID", "2026-01-01", "cvm", "content-type;host", "ab")
            );
            let strict = Authorization::parse(header.as_bytes(), Tolerance::Strict).is_ok();
            assert_eq!(strict, header == VALID, "{header}");
        }
    }

    #[test]
    fn a_credential_has_four_parts() {
        for credential in [
            "",
            "AKID",
            "AKID/2026-01-01",
            "AKID/2026-01-01/tc3_request",
            "AKID/2026-01-01/cvm",
            "AK/ID/2026-01-01/cvm/tc3_request",
            "AKID/2026-01-01/ap-guangzhou/cvm/tc3_request",
            "AKID/2026-01-01/cvm/tc3_request/",
            "/AKID/2026-01-01/cvm/tc3_request",
        ] {
            let header = VALID.replace("AKID/2026-01-01/cvm/tc3_request", credential);
            assert_eq!(fault(&header), AuthorizationFault::Scope, "{credential}");
        }
    }

    #[test]
    fn every_fault_is_named() {
        use AuthorizationFault as F;
        for (header, expected) in [
            ("AWS x:y", F::Algorithm),
            ("SKIP", F::Algorithm),
            ("T", F::Algorithm),
            ("TC3-HMAC-SHA256x", F::Algorithm),
            ("TC3-HMAC-SHA256", F::PartMissing { part: "Credential" }),
            ("TC3-HMAC-SHA256 )(", F::Spelling),
            ("TC3-HMAC-SHA256 Credentail=a/b/c/tc3_request", F::Spelling),
            (
                "TC3-HMAC-SHA256 Signature=, SignedHeaders=",
                F::PartMissing { part: "Credential" },
            ),
            (
                "TC3-HMAC-SHA256 Signature=a, Signature=a",
                F::PartRepeated { part: "Signature" },
            ),
        ] {
            assert_eq!(fault(header), expected, "{header}");
        }
        assert_eq!(
            fault(&VALID.replace("tc3_request", "aws4_request")),
            F::Terminator
        );
        assert_eq!(fault(&VALID.replace("/cvm/", "//")), F::Service);
        assert_eq!(fault(&VALID.replace("2026-01-01", "")), F::Date);
        assert_eq!(fault(&VALID.replace("=AKID/", "=/")), F::SecretId);
        assert_eq!(fault(&"TC3-HMAC-SHA256 ,".repeat(60_000)), F::Spelling);
        assert_eq!(fault("TC3-HMAC-SHA256 \u{e9}"), F::Spelling);
    }

    #[test]
    fn signature_and_action_both_count_in_a_claim() {
        let claim = |signature: &str, action: &str| {
            let header = VALID.replace("=ab", &format!("={signature}"));
            let parsed = Authorization::parse(header.as_bytes(), Tolerance::Strict);
            parsed.ok().unwrap().claim(action)
        };
        let (zeros, ones) = ("00".repeat(32), "01".repeat(32));
        let mut expected = [0; 32];
        expected[..3].copy_from_slice(b"run");
        assert_eq!(claim(&zeros, "Run"), Some(expected));
        assert_eq!(claim(&zeros, "rUN"), Some(expected));
        // Of a name longer than a signature every letter counts too.
        let long = "A".repeat(39);
        let [x, y] = ["x", "y"].map(|last| claim(&zeros, &format!("{long}{last}")).unwrap());
        assert_eq!([x[0], x[6], x[7], x[8]], [0, 0, b'a' ^ b'x', b'a']);
        assert_eq!([y[0], y[6], y[7], y[8]], [0, 0, b'a' ^ b'y', b'a']);
        assert_ne!(claim(&zeros, "Run"), claim(&zeros, "Runs"));
        assert_ne!(claim(&zeros, "Run"), claim(&ones, "Run"));
        assert_eq!(claim("ab", "Run"), None);
    }
}
