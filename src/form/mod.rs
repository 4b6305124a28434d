//! Which parameters a request carries: read from query, form or multipart, decoded once, sorted by name, kept in one place.

use std::fmt;

use crate::reason::Reason;

pub(crate) mod encoding;
mod multipart;
mod urlencoded;

pub(crate) use multipart::boundary;

/// The parameters of a query or form, decoded, in byte order of their names.
pub struct Parameters<'r> {
    wire: &'r [u8],
    decoded: Vec<u8>,
    /// The one value that needs decoding in nearly every request, kept out of the heap.
    signature: Short,
    entries: Vec<Entry>,
    /// The values of the parameters that every request is asked for, found while reading.
    common: [Option<Span>; Common::COUNT],
    underscore: bool,
}

/// A parameter of the protocol, not of an action (protocol.md §1.1).
#[derive(Clone, Copy)]
enum Common {
    Action,
    Language,
    Nonce,
    Region,
    SecretId,
    Signature,
    SignatureMethod,
    Timestamp,
    Token,
    Version,
}

/// Text of at most 64 bytes: the base64 of 32 bytes has 44.
struct Short {
    bytes: [u8; 64],
    length: usize,
}

/// One parameter.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The first eight bytes of the name, which settle most comparisons.
    prefix: u64,
    name: Span,
    value: Span,
    kind: Kind,
}

/// Where a parameter came from, which decides whether a tolerant reading may leave it out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A query pair, a form pair, or a multipart field.
    Value,
    /// A multipart part with a file name.
    File,
}

/// A piece of text: a range of the wire, or, where decoding changed it, of the decoded buffer.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    buffer: Buffer,
}

#[derive(Clone, Copy)]
enum Buffer {
    Wire,
    Decoded,
    Signature,
}

impl<'r> Parameters<'r> {
    /// No parameters.
    pub(crate) fn none() -> Self {
        Self::over(&[])
    }

    fn over(wire: &'r [u8]) -> Self {
        Self {
            wire,
            decoded: Vec::new(),
            signature: Short {
                bytes: [0; 64],
                length: 0,
            },
            entries: Vec::new(),
            common: [None; Common::COUNT],
            underscore: false,
        }
    }

    /// Reads `application/x-www-form-urlencoded` text: a query or a form.
    pub(crate) fn urlencoded(wire: &'r [u8], limit: usize) -> Result<Self, Reason> {
        let mut parameters = Self::over(wire);
        urlencoded::read(&mut parameters, limit)?;
        parameters.sort()?;
        Ok(parameters)
    }

    /// Reads a `multipart/form-data` body.
    pub(crate) fn multipart(wire: &'r [u8], boundary: &[u8], limit: usize) -> Result<Self, Reason> {
        let mut parameters = Self::over(wire);
        multipart::read(&mut parameters, boundary, limit)?;
        parameters.sort()?;
        Ok(parameters)
    }

    fn push(&mut self, name: Span, value: Span, kind: Kind, limit: usize) -> Result<(), Reason> {
        if self.entries.len() >= limit {
            return Err(Reason::TooManyParameters { limit });
        }
        let text = self.text(name);
        let prefix = prefix(text);
        let underscore = text.contains(&b'_');
        let common = Common::of(text);
        self.underscore |= underscore;
        if let Some(slot) = common.and_then(|common| self.common.get_mut(common.index())) {
            *slot = Some(value);
        }
        self.entries.push(Entry {
            prefix,
            name,
            value,
            kind,
        });
        Ok(())
    }

    /// Sorts, and refuses what would make the signed string ambiguous (protocol.md §6 rows 13, clients.md §7).
    fn sort(&mut self) -> Result<(), Reason> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable_by(|a, b| {
            a.prefix
                .cmp(&b.prefix)
                .then_with(|| self.name(a).cmp(self.name(b)))
        });
        self.entries = entries;
        let repeated = self.entries.windows(2).find_map(|pair| match pair {
            [a, b] if a.prefix == b.prefix && self.name(a) == self.name(b) => Some(self.name(a)),
            _ => None,
        });
        if let Some(name) = repeated {
            return Err(Reason::RepeatedParameter { name: shown(name) });
        }
        if self.has_underscore() {
            let mut folded = self.entries.clone();
            folded.sort_unstable_by(|a, b| self.dotted(a).cmp(self.dotted(b)));
            let twins = folded.windows(2).find_map(|pair| match pair {
                [a, b] if self.dotted(a).eq(self.dotted(b)) => Some(self.name(a)),
                _ => None,
            });
            if let Some(name) = twins {
                return Err(Reason::AmbiguousParameter { name: shown(name) });
            }
        }
        Ok(())
    }

    /// The value of the parameter with this name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        if let Some(common) = Common::of(name) {
            let value = self.common.get(common.index()).copied().flatten();
            return value.map(|span| self.text(span));
        }
        self.entries
            .binary_search_by(|entry| self.name(entry).cmp(name))
            .ok()
            .and_then(|index| self.entries.get(index))
            .map(|entry| self.value(entry))
    }

    /// The value of the parameter with this name, if it is present and not empty.
    pub(crate) fn get_filled(&self, name: &[u8]) -> Option<&[u8]> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Names and values, in byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.entries
            .iter()
            .map(|entry| (self.name(entry), self.value(entry)))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn name(&self, entry: &Entry) -> &[u8] {
        self.text(entry.name)
    }

    pub(crate) fn value(&self, entry: &Entry) -> &[u8] {
        self.text(entry.value)
    }

    /// The name with every `_` read as `.`.
    pub(crate) fn dotted(&self, entry: &Entry) -> impl Iterator<Item = u8> {
        self.name(entry)
            .iter()
            .map(|&byte| if byte == b'_' { b'.' } else { byte })
    }

    pub(crate) fn has_underscore(&self) -> bool {
        self.underscore
    }

    fn text(&self, span: Span) -> &[u8] {
        let buffer = match span.buffer {
            Buffer::Wire => self.wire,
            Buffer::Decoded => &self.decoded,
            Buffer::Signature => &self.signature.bytes,
        };
        // Spans are made in this folder, over these buffers, which never shrink.
        let range = usize::try_from(span.start)
            .ok()
            .zip(usize::try_from(span.end).ok());
        range
            .and_then(|(start, end)| buffer.get(start..end))
            .unwrap_or_default()
    }
}

impl fmt::Debug for Parameters<'_> {
    /// Shows names only: values may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.iter()
                    .map(|(name, _)| String::from_utf8_lossy(name).into_owned()),
            )
            .finish()
    }
}

impl Common {
    const COUNT: usize = 10;

    fn of(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"Action" => Self::Action,
            b"Language" => Self::Language,
            b"Nonce" => Self::Nonce,
            b"Region" => Self::Region,
            b"SecretId" => Self::SecretId,
            b"Signature" => Self::Signature,
            b"SignatureMethod" => Self::SignatureMethod,
            b"Timestamp" => Self::Timestamp,
            b"Token" => Self::Token,
            b"Version" => Self::Version,
            _ => return None,
        })
    }

    const fn index(self) -> usize {
        match self {
            Self::Action => 0,
            Self::Language => 1,
            Self::Nonce => 2,
            Self::Region => 3,
            Self::SecretId => 4,
            Self::Signature => 5,
            Self::SignatureMethod => 6,
            Self::Timestamp => 7,
            Self::Token => 8,
            Self::Version => 9,
        }
    }
}

/// The first eight bytes as a number that orders as they do; shorter names are filled up with zeros.
fn prefix(name: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (byte, &first) in bytes.iter_mut().zip(name) {
        *byte = first;
    }
    u64::from_be_bytes(bytes)
}

impl Entry {
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }
}

/// A name as a refusal states it: what stands in place of a name may be a whole body.
fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 128;
    String::from_utf8_lossy(name.get(..LONGEST).unwrap_or(name)).into_owned()
}

impl Span {
    /// `None` beyond 4 GiB, which no policy admits.
    fn new(start: usize, end: usize, buffer: Buffer) -> Option<Self> {
        Some(Self {
            start: u32::try_from(start).ok()?,
            end: u32::try_from(end).ok()?,
            buffer,
        })
    }
}
