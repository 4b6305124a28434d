//! Which bytes TC3 signs: the canonical request, and the string to sign that holds its digest (protocol.md §2.4).

use sha2::{Digest, Sha256};

use super::authorization::{Authorization, lower_case};
use super::hex;
use super::key::SigningKey;
use super::query::{LeftOut, without_port};
use super::sink::{Gathered, Sink};
use super::verify::{SignatureValid, verify};
use crate::form;
use crate::policy::{Policy, Tolerance};
use crate::request::{Payload, RequestView};

/// A request signed with TC3.
#[derive(Clone, Copy)]
pub(crate) struct Tc3Signed<'r> {
    pub(crate) request: &'r RequestView<'r>,
    pub(crate) authorization: Authorization<'r>,
    /// The text of `X-TC-Timestamp`.
    pub(crate) timestamp: &'r [u8],
}

/// One way to read what the client signed.
#[derive(Clone, Copy)]
struct Reading<'a> {
    host: Host<'a>,
    values: Values,
    content_type: ContentType,
    path: Path,
}

#[derive(Clone, Copy)]
enum Host<'a> {
    AsSent,
    WithoutPort,
    Public(&'a str),
}

/// How header values were signed (protocol.md §2.4: the document lower-cases them, every SDK signs them as they are).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    LowerCase,
    AsSent,
    /// As sent but for `x-tc-action`, which the vendor's demos lower-case alone.
    AsSentButAction,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ContentType {
    Whole,
    /// Without `; boundary=…`: the official Ruby SDK signs multipart requests so.
    WithoutParameters,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Path {
    AsSent,
    /// The document has `/` for every API, and some clients sign it whatever they request.
    Root,
}

impl Reading<'_> {
    fn left_out(self) -> LeftOut {
        LeftOut {
            path: self.path == Path::Root,
            content_type_parameters: self.content_type == ContentType::WithoutParameters,
            ..LeftOut::default()
        }
    }
}

/// Readings tried for each host before a signature counts as wrong: three of the values, two of the content type, two of
/// the path. The number of hosts is bounded by the policy.
const READINGS_PER_HOST: usize = 12;

const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

impl<'r> Tc3Signed<'r> {
    /// Whether the request declares that its body is not signed.
    pub(crate) fn payload_is_unsigned(request: &RequestView<'_>) -> bool {
        request.known().content_sha256.trimmed() == UNSIGNED_PAYLOAD
    }

    /// Compares the signature with every reading that the policy admits; tells what the fitting one leaves out. `date` is
    /// the UTC date of the timestamp, which the scope must hold.
    pub(crate) fn verify(
        &self,
        key: &SigningKey,
        date: [u8; 10],
        policy: &Policy,
    ) -> Option<(SignatureValid, LeftOut)> {
        let signature = hex::decode(self.authorization.signature.as_bytes())?;
        let payload = self.payload_digest();
        let mac = key.tc3(date, self.authorization.service);
        let fits = |reading: Reading<'_>| {
            let digest = self.canonical_digest(reading, &payload);
            let valid = verify(mac.clone(), &signature, |mac| {
                self.write_string_to_sign(mac, &digest);
            })?;
            Some((valid, reading.left_out()))
        };
        // The first of the readings; nearly every request is signed so.
        fits(DOCUMENTED).or_else(|| self.readings(policy).skip(1).find_map(fits))
    }

    /// The documented canonical request.
    pub(crate) fn canonical_request(&self) -> Vec<u8> {
        let mut text = Vec::new();
        self.write_canonical_request(&mut text, DOCUMENTED, &self.payload_digest());
        text
    }

    /// The documented string to sign.
    pub(crate) fn string_to_sign(&self) -> Vec<u8> {
        let digest = Sha256::digest(self.canonical_request());
        let mut text = Vec::new();
        self.write_string_to_sign(&mut text, &hex::encode(&digest.into()));
        text
    }

    /// Every string to sign that the policy admits, the documented one first.
    #[cfg(feature = "diagnose")]
    pub(crate) fn accepted(&self, policy: &'r Policy) -> impl Iterator<Item = Vec<u8>> {
        let payload = self.payload_digest();
        let text = move |reading| {
            let mut text = Vec::new();
            self.write_string_to_sign(&mut text, &self.canonical_digest(reading, &payload));
            text
        };
        self.readings(policy).map(text)
    }

    fn canonical_digest(&self, reading: Reading<'_>, payload: &[u8; 64]) -> [u8; 64] {
        let mut canonical = Sha256::new();
        Gathered::into(&mut canonical, |sink| {
            self.write_canonical_request(sink, reading, payload);
        });
        hex::encode(&canonical.finalize().into())
    }

    fn payload_digest(&self) -> [u8; 64] {
        let digest = if Self::payload_is_unsigned(self.request) {
            Sha256::digest(UNSIGNED_PAYLOAD).into()
        } else if self.request.method() == b"GET" {
            Sha256::digest([]).into()
        } else {
            match self.request.payload() {
                Payload::Bytes(bytes) => Sha256::digest(bytes).into(),
                Payload::Sha256(digest) => digest,
                // The form check refuses this before.
                Payload::Unseen => Sha256::digest([]).into(),
            }
        };
        hex::encode(&digest)
    }

    /// Likely readings first, so that nearly every request costs one digest and one MAC.
    fn readings(&self, policy: &'r Policy) -> impl Iterator<Item = Reading<'r>> {
        let compatible = policy.tolerance() == Tolerance::Compatible;
        let host = self.request.host();
        let without_port =
            (compatible && without_port(host).len() < host.len()).then_some(Host::WithoutPort);
        let public = policy
            .public_hosts()
            .iter()
            .map(|host| &**host)
            .filter(move |public| public.as_bytes() != host);
        let hosts = [Some(Host::AsSent), without_port]
            .into_iter()
            .flatten()
            .chain(public.map(Host::Public));

        let public_upper_case = policy
            .public_hosts()
            .iter()
            .any(|host| host.bytes().any(|byte| byte.is_ascii_uppercase()));
        let values: &[Values] = if compatible && (self.has_upper_case() || public_upper_case) {
            if self.authorization.signs("x-tc-action") {
                &[Values::LowerCase, Values::AsSent, Values::AsSentButAction]
            } else {
                &[Values::LowerCase, Values::AsSent]
            }
        } else {
            &[Values::LowerCase]
        };
        let content_types: &[ContentType] = if compatible && self.content_type_has_boundary() {
            &[ContentType::Whole, ContentType::WithoutParameters]
        } else {
            &[ContentType::Whole]
        };
        let paths: &[Path] = if compatible && self.request.path() != b"/" {
            &[Path::AsSent, Path::Root]
        } else {
            &[Path::AsSent]
        };
        let readings = hosts.flat_map(move |host| {
            content_types.iter().flat_map(move |&content_type| {
                values.iter().flat_map(move |&values| {
                    paths.iter().map(move |&path| Reading {
                        host,
                        values,
                        content_type,
                        path,
                    })
                })
            })
        });
        // As sent, without its port, and the public ones.
        let most = READINGS_PER_HOST.saturating_mul(policy.public_hosts().len().saturating_add(2));
        readings.take(most)
    }

    fn has_upper_case(&self) -> bool {
        self.authorization
            .signed_header_names()
            .any(|name| self.value(name).iter().any(u8::is_ascii_uppercase))
    }

    /// The library that sends a multipart body chooses its boundary, perhaps after the client has signed. A charset is in
    /// the client's own hands, and the vendor refuses one that was not signed.
    fn content_type_has_boundary(&self) -> bool {
        let content_type = form::ContentType::read(self.request.known().content_type.trimmed());
        content_type.is_ok_and(|declared| declared.boundary().is_some())
    }

    /// The trimmed value of a header, by a name in any case.
    fn value(&self, name: &str) -> &'r [u8] {
        self.request.header(&lower_case(name)).trimmed()
    }

    fn write_canonical_request(
        &self,
        sink: &mut impl Sink,
        reading: Reading<'_>,
        payload: &[u8; 64],
    ) {
        sink.write(self.request.method());
        sink.write_byte(b'\n');
        sink.write(match reading.path {
            Path::Root => b"/",
            Path::AsSent => self.request.path(),
        });
        sink.write_byte(b'\n');
        if self.request.method() == b"GET" {
            sink.write(self.request.query());
        }
        sink.write_byte(b'\n');
        for name in self.authorization.signed_header_names() {
            sink.write_lower_case(name.as_bytes());
            sink.write_byte(b':');
            let sent = self.value(name);
            let value = if name.eq_ignore_ascii_case("host") {
                match reading.host {
                    Host::AsSent => sent,
                    Host::WithoutPort => without_port(sent),
                    Host::Public(host) => host.as_bytes(),
                }
            } else if name.eq_ignore_ascii_case("content-type")
                && reading.content_type == ContentType::WithoutParameters
            {
                sent.split(|&byte| byte == b';')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii()
            } else {
                sent
            };
            let lower_case = match reading.values {
                Values::LowerCase => true,
                Values::AsSent => false,
                Values::AsSentButAction => name.eq_ignore_ascii_case("x-tc-action"),
            };
            if lower_case {
                sink.write_lower_case(value);
            } else {
                sink.write(value);
            }
            sink.write_byte(b'\n');
        }
        sink.write_byte(b'\n');
        sink.write_lower_case(self.authorization.signed_headers.as_bytes());
        sink.write_byte(b'\n');
        sink.write(payload);
    }

    fn write_string_to_sign(&self, sink: &mut impl Sink, canonical_digest: &[u8; 64]) {
        sink.write(b"TC3-HMAC-SHA256\n");
        sink.write(self.timestamp);
        sink.write_byte(b'\n');
        sink.write(self.authorization.date.as_bytes());
        sink.write_byte(b'/');
        sink.write(self.authorization.service.as_bytes());
        sink.write(b"/tc3_request\n");
        sink.write(canonical_digest);
    }
}

const DOCUMENTED: Reading<'static> = Reading {
    host: Host::AsSent,
    values: Values::LowerCase,
    content_type: ContentType::Whole,
    path: Path::AsSent,
};
