//! Which bytes v1 and v2 sign: method, host, path and sorted parameters (protocol.md §2.1–2.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::key::SigningKey;
use super::sink::Sink;
use super::verify::{Mac, SignatureValid, verify};
use crate::form::{Entry, Kind, Parameters, Text};
use crate::policy::{Policy, Tolerance, UnsignedPart};
use crate::scheme::{Family, Scheme, is_legacy_host};

/// A request signed over its parameters.
#[derive(Clone, Copy)]
pub(crate) struct QuerySigned<'a> {
    pub(crate) family: Family,
    pub(crate) scheme: Scheme,
    pub(crate) method: &'a [u8],
    pub(crate) host: &'a [u8],
    pub(crate) path: &'a [u8],
    pub(crate) parameters: &'a Parameters<'a>,
}

/// One way to read what the client signed.
#[derive(Clone, Copy)]
struct Reading<'a> {
    host: Host<'a>,
    names: Names,
    left_out: LeftOut,
}

/// The host as signed.
#[derive(Clone, Copy)]
enum Host<'a> {
    AsSent,
    LowerCase,
    WithoutPort,
    Public(&'a str),
}

/// How the names of parameters were signed (protocol.md §2.2, clients.md §3).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    /// As sent: the document of v1, and a few clients of v2.
    Kept,
    /// `_` became `.` after the sort: the document of v2.
    DottedAfterSort,
    /// `_` became `.` before the sort: the official Python SDKs.
    DottedBeforeSort,
    /// As after the sort, but a name that begins with `_` was left alone: PHP and Node.
    DottedUnlessLeading,
}

/// What the reading that fits leaves out: parameters of the string, and of a TC3 request its path and the parameters of
/// its content type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    pub(super) at_values: bool,
    pub(super) file_parts: bool,
    pub(super) empty_values: bool,
    pub(crate) path: bool,
    pub(crate) content_type_parameters: bool,
}

/// Readings tried before a signature counts as wrong, and as many more for each public host: what a stranger can make the
/// validator compute is bounded, and every host gets its turn with every reading of the names.
const READINGS: usize = 16;
const READINGS_PER_PUBLIC_HOST: usize = 4;

impl<'a> QuerySigned<'a> {
    /// Compares the signature with every reading that the policy admits; tells which parameters the fitting one left out.
    pub(crate) fn verify(
        &self,
        key: &SigningKey,
        policy: &Policy,
    ) -> Option<(SignatureValid, LeftOut)> {
        let mut buffer = [0; 48];
        let sent = self.parameters.signature();
        let signature = decode(sent, policy.tolerance(), &mut buffer)?;
        match self.scheme {
            Scheme::HmacSha256 => self.try_readings(&key.sha256(), signature, policy),
            Scheme::HmacSha1 => self.try_readings(&key.sha1(), signature, policy),
            Scheme::Tc3HmacSha256 => None,
        }
    }

    fn try_readings<M: Mac>(
        &self,
        mac: &M,
        signature: &[u8],
        policy: &Policy,
    ) -> Option<(SignatureValid, LeftOut)> {
        let fits = |reading: Reading<'_>| {
            let valid = verify(mac.clone(), signature, |mac| self.write(mac, reading))?;
            Some((valid, reading.left_out))
        };
        fits(self.likeliest()).or_else(|| self.readings(policy).skip(1).find_map(fits))
    }

    /// The first of the readings; nearly every request is signed so.
    fn likeliest(&self) -> Reading<'static> {
        Reading {
            host: Host::AsSent,
            names: self.documented_names(),
            left_out: LeftOut::default(),
        }
    }

    /// The documented string to sign.
    pub(crate) fn string_to_sign(&self) -> Vec<u8> {
        self.text(self.likeliest())
    }

    /// Every string to sign that the policy admits, the documented one first.
    #[cfg(feature = "diagnose")]
    pub(crate) fn accepted(&self, policy: &'a Policy) -> impl Iterator<Item = Vec<u8>> {
        let readings = self.readings(policy);
        readings.map(|reading| self.text(reading))
    }

    fn text(&self, reading: Reading<'_>) -> Vec<u8> {
        let mut text = Vec::new();
        self.write(&mut text, reading);
        text
    }

    /// The parameters that a reading left out.
    pub(crate) fn left_out(&self, left_out: LeftOut) -> impl Iterator<Item = &'a [u8]> {
        let parameters = self.parameters;
        parameters
            .entries()
            .iter()
            .filter(move |entry| left_out.covers(parameters, entry))
            .map(move |entry| parameters.name(entry))
    }

    fn documented_names(&self) -> Names {
        match self.family {
            Family::V2 if self.parameters.has_underscore() => Names::DottedAfterSort,
            Family::V1 | Family::V2 | Family::Tc3 => Names::Kept,
        }
    }

    /// Likely readings first, so that nearly every request costs one MAC.
    fn readings(&self, policy: &'a Policy) -> impl Iterator<Item = Reading<'a>> {
        let tolerance = policy.tolerance();
        let names: &[Names] = match (tolerance, self.parameters.has_underscore(), self.family) {
            (Tolerance::Compatible, true, Family::V2) => &[
                Names::DottedAfterSort,
                Names::DottedBeforeSort,
                Names::DottedUnlessLeading,
                Names::Kept,
            ],
            (Tolerance::Compatible, true, Family::V1 | Family::Tc3) => {
                &[Names::Kept, Names::DottedBeforeSort, Names::DottedAfterSort]
            }
            (Tolerance::Strict, true, Family::V2) => &[Names::DottedAfterSort],
            (Tolerance::Strict, true, Family::V1 | Family::Tc3) | (_, false, _) => &[Names::Kept],
        };
        let public = policy.public_hosts().len();
        let most = READINGS.saturating_add(READINGS_PER_PUBLIC_HOST.saturating_mul(public));
        let readings = self.omissions(policy).flat_map(move |left_out| {
            self.hosts(policy).flat_map(move |host| {
                names.iter().map(move |&names| Reading {
                    host,
                    names,
                    left_out,
                })
            })
        });
        readings.take(most)
    }

    fn hosts(&self, policy: &'a Policy) -> impl Iterator<Item = Host<'a>> {
        let sent = self.host;
        let v2 = self.family == Family::V2;
        let compatible = policy.tolerance() == Tolerance::Compatible;
        let lower_case =
            (compatible && sent.iter().any(u8::is_ascii_uppercase)).then_some(Host::LowerCase);
        let without_port =
            (compatible && without_port(sent).len() < sent.len()).then_some(Host::WithoutPort);
        let public = policy
            .public_hosts()
            .iter()
            .map(|host| &**host)
            .filter(move |host| host.as_bytes() != sent)
            // Taken for v1 its nonce may be forgotten, so what was sent to a legacy host is not.
            .filter(move |host| v2 || !is_legacy_host(host.as_bytes()));
        [Some(Host::AsSent), lower_case, without_port]
            .into_iter()
            .flatten()
            .chain(public.map(Host::Public))
    }

    /// Nothing left out, then every combination of what the policy admits and the request holds.
    fn omissions(&self, policy: &Policy) -> impl Iterator<Item = LeftOut> + use<> {
        let holds = |part, left_out: LeftOut| {
            policy.admits_unsigned(part)
                && self
                    .parameters
                    .entries()
                    .iter()
                    .any(|entry| left_out.covers(self.parameters, entry))
        };
        let at_values = self.method == b"POST"
            && holds(
                UnsignedPart::AtValues,
                LeftOut {
                    at_values: true,
                    ..LeftOut::default()
                },
            );
        let file_parts = holds(
            UnsignedPart::FileParts,
            LeftOut {
                file_parts: true,
                ..LeftOut::default()
            },
        );
        let empty_values = holds(
            UnsignedPart::EmptyValues,
            LeftOut {
                empty_values: true,
                ..LeftOut::default()
            },
        );
        [false, true]
            .into_iter()
            .filter(move |&at| !at || at_values)
            .flat_map(move |at| {
                [false, true]
                    .into_iter()
                    .filter(move |&file| !file || file_parts)
                    .flat_map(move |file| {
                        [false, true]
                            .into_iter()
                            .filter(move |&empty| !empty || empty_values)
                            .map(move |empty| LeftOut {
                                at_values: at,
                                file_parts: file,
                                empty_values: empty,
                                ..LeftOut::default()
                            })
                    })
            })
    }

    fn write(&self, sink: &mut impl Sink, reading: Reading<'_>) {
        sink.write(self.method);
        match reading.host {
            Host::AsSent => sink.write(self.host),
            Host::LowerCase => sink.write_lower_case(self.host),
            Host::WithoutPort => sink.write(without_port(self.host)),
            Host::Public(host) => sink.write(host.as_bytes()),
        }
        sink.write(self.path);
        let entries = self.parameters.entries();
        let resorted;
        let entries = if reading.names == Names::DottedBeforeSort {
            let mut copy = entries.to_vec();
            copy.sort_by(|a, b| self.parameters.dotted(a).cmp(self.parameters.dotted(b)));
            resorted = copy;
            &resorted
        } else {
            entries
        };
        let mut separator = b'?';
        for entry in entries {
            let left_out = reading.left_out.covers(self.parameters, entry);
            if left_out || entry.kind() == Kind::Signature {
                continue;
            }
            sink.write_byte(separator);
            separator = b'&';
            match (reading.names, self.parameters.as_sent(entry)) {
                (Names::Kept, Some(pair)) => sink.write(pair),
                (names, _) => self.write_pair(sink, entry, names),
            }
        }
    }

    fn write_pair(&self, sink: &mut impl Sink, entry: &Entry, names: Names) {
        let name = self.parameters.name(entry);
        let dotted = match names {
            Names::Kept => false,
            Names::DottedAfterSort | Names::DottedBeforeSort => true,
            Names::DottedUnlessLeading => !name.starts_with(b"_"),
        };
        if dotted {
            write_dotted(sink, name);
        } else {
            sink.write(name);
        }
        sink.write_byte(b'=');
        let value = self.parameters.value(entry);
        value.feed(|piece| sink.write(piece));
    }
}

impl LeftOut {
    /// Whether this reading leaves the parameter out.
    #[inline]
    fn covers(self, parameters: &Parameters<'_>, entry: &Entry) -> bool {
        self.at_values && parameters.value(entry).starts_with(b'@')
            || self.file_parts && entry.kind() == Kind::File
            || self.empty_values && parameters.value(entry).is_empty()
    }
}

fn write_dotted(sink: &mut impl Sink, name: &[u8]) {
    for (index, piece) in name.split(|&byte| byte == b'_').enumerate() {
        if index > 0 {
            sink.write_byte(b'.');
        }
        sink.write(piece);
    }
}

/// The host without a trailing `:port`.
pub(super) fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|&byte| byte == b':') {
        Some(colon)
            if host
                .get(colon..)
                .and_then(<[u8]>::split_first)
                .is_some_and(|(_, port)| {
                    !port.is_empty() && port.iter().all(u8::is_ascii_digit)
                }) =>
        {
            host.get(..colon).unwrap_or(host)
        }
        _ => host,
    }
}

/// The bytes of a base64 signature. The official Ruby SDK sends a line end after it (clients.md §3).
fn decode<'b>(sent: Text<'_>, tolerance: Tolerance, buffer: &'b mut [u8; 48]) -> Option<&'b [u8]> {
    // 44 characters hold the 32 bytes of SHA-256, and two a line end; nothing longer can fit.
    let mut room = [0; 46];
    let (text, left) = sent.fill(&mut room);
    if !left.is_empty() {
        return None;
    }
    let text = match tolerance {
        Tolerance::Compatible => text
            .strip_suffix(b"\r\n")
            .or_else(|| text.strip_suffix(b"\n"))
            .unwrap_or(text),
        Tolerance::Strict => text,
    };
    if text.len() > 44 {
        return None;
    }
    let length = STANDARD.decode_slice(text, buffer).ok()?;
    buffer.get(..length)
}
