//! Which parameters a request carries: read from query, form or multipart, found in one pass, sorted by name.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use smallvec::SmallVec;

use crate::reason::Reason;

mod common;
mod content_type;
pub(crate) mod encoding;
mod marks;
mod multipart;
mod urlencoded;

pub(crate) use common::Common;
pub(crate) use content_type::ContentType;
pub(crate) use encoding::Text;
use marks::Charset;

/// The parameters of a query or form, in byte order of their decoded names.
pub struct Parameters<'r> {
    wire: &'r [u8],
    /// The few names and common values that had to be decoded.
    decoded: Vec<u8>,
    entries: SmallVec<[Entry; INLINE]>,
    /// The values of the parameters that every request is asked for, found while reading.
    common: [Option<Span>; Common::COUNT],
    underscore: bool,
    /// Of the wire, where it was read as a query.
    charset: Charset,
}

/// So many parameters need no allocation. Nearly every request has fewer.
const INLINE: usize = 16;

/// One parameter.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The first sixteen bytes of the name, which settle nearly all comparisons.
    prefix: u128,
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
    /// The signature, which is in no string to sign.
    Signature,
}

/// A piece of text.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    end: u32,
    of: Source,
}

/// What a span is a piece of.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)] // As large as its neighbours, so that a span is copied as a whole.
enum Source {
    /// The wire, where it says what it means.
    Wire,
    /// The wire, where it is percent-encoded, and well-formed.
    Encoded,
    /// The decoded buffer.
    Decoded,
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
            entries: SmallVec::new(),
            common: [None; Common::COUNT],
            underscore: false,
            charset: Charset::Ascii,
        }
    }

    /// Reads `application/x-www-form-urlencoded` text, a query or a form, in place: parameters are large, and need not be
    /// moved. They are of no use if this fails.
    pub(crate) fn read_urlencoded(&mut self, wire: &'r [u8], limit: usize) -> Result<(), Reason> {
        self.begin(wire)?;
        urlencoded::read(self, limit)?;
        self.sort()
    }

    /// Reads a `multipart/form-data` body, in place. They are of no use if this fails.
    pub(crate) fn read_multipart(
        &mut self,
        wire: &'r [u8],
        boundary: &[u8],
        limit: usize,
    ) -> Result<(), Reason> {
        self.begin(wire)?;
        multipart::read(self, boundary, limit)?;
        self.sort()
    }

    /// Refuses what spans cannot measure, which no policy admits.
    fn begin(&mut self, wire: &'r [u8]) -> Result<(), Reason> {
        if u32::try_from(wire.len()).is_err() {
            let limit = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
            return Err(Reason::FormTooLong { limit });
        }
        *self = Self::over(wire);
        Ok(())
    }

    fn push(
        &mut self,
        name: Span,
        mut value: Span,
        kind: Kind,
        limit: usize,
    ) -> Result<(), Reason> {
        if self.entries.len() >= limit {
            return Err(Reason::TooManyParameters { limit });
        }
        let prefix = name.prefix(self.wire, &self.decoded);
        let common = Common::of(prefix, name.length());
        if let Some(common) = common {
            if value.of == Source::Encoded && common.is_read_as_text() {
                value = self.decode(value);
            }
            if let Some(slot) = self.common.get_mut(common.index()) {
                *slot = Some(value);
            }
        }
        let kind = match common {
            Some(Common::Signature) => Kind::Signature,
            _ => kind,
        };
        self.entries.push(Entry {
            prefix,
            name,
            value,
            kind,
        });
        Ok(())
    }

    /// Makes room for so many more at once, where they do not fit inline.
    fn reserve(&mut self, more: impl FnOnce() -> usize) {
        if self.entries.len() == INLINE {
            self.entries.reserve_exact(more());
        }
    }

    /// The same text, decoded.
    fn decode(&mut self, span: Span) -> Span {
        let start = self.decoded.len();
        let decoded = self.text(span).decoded().into_owned();
        self.decoded.extend_from_slice(&decoded);
        Span::new(start, self.decoded.len(), Source::Decoded)
    }

    /// Sorts, and refuses what would make the signed string ambiguous (protocol.md §6 rows 13, clients.md §7).
    fn sort(&mut self) -> Result<(), Reason> {
        let (wire, decoded) = (self.wire, &self.decoded);
        self.entries.sort_unstable_by(|a, b| {
            let name = |entry: &Entry| entry.name.text(wire, decoded);
            a.prefix.cmp(&b.prefix).then_with(|| name(a).cmp(name(b)))
        });
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

    /// The value of the parameter with this name, decoded.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.entries
            .binary_search_by(|entry| self.name(entry).cmp(name))
            .ok()
            .and_then(|index| self.entries.get(index))
            .map(|entry| self.value(entry).decoded())
    }

    /// Names and values, decoded, in byte order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
        self.entries
            .iter()
            .map(|entry| (self.name(entry), self.value(entry).decoded()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a common parameter, empty if there is none: decoded, but for `Signature` and `Token`.
    pub(crate) fn common(&self, common: Common) -> &[u8] {
        let value = self.common.get(common.index()).copied().flatten();
        value.map_or(&[], |value| self.bytes(value))
    }

    /// The value of `Signature`, empty if there is none.
    pub(crate) fn signature(&self) -> Text<'_> {
        self.compared(Common::Signature)
    }

    /// The value of `Token`, empty if there is none.
    pub(crate) fn token(&self) -> Text<'_> {
        self.compared(Common::Token)
    }

    fn compared(&self, common: Common) -> Text<'_> {
        let value = self.common.get(common.index()).copied().flatten();
        value.map_or(Text::plain(&[]), |value| self.text(value))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn name(&self, entry: &Entry) -> &[u8] {
        self.bytes(entry.name)
    }

    pub(crate) fn value(&self, entry: &Entry) -> Text<'_> {
        self.text(entry.value)
    }

    /// `name=value`, where it stands on the wire in one piece and means what it says.
    pub(crate) fn as_sent(&self, entry: &Entry) -> Option<&[u8]> {
        let Entry { name, value, .. } = entry;
        let adjacent = name.end.checked_add(1) == Some(value.start);
        let plain = name.of == Source::Wire && value.of == Source::Wire;
        let pair = name.range().start..value.range().end;
        self.wire.get(pair).filter(|_| adjacent && plain)
    }

    /// The name with every `_` read as `.`.
    pub(crate) fn dotted(&self, entry: &Entry) -> impl Iterator<Item = u8> {
        self.name(entry)
            .iter()
            .map(|&byte| if byte == b'_' { b'.' } else { byte })
    }

    /// Whether what was read as a query holds ASCII alone.
    pub(crate) fn is_ascii(&self) -> bool {
        self.charset == Charset::Ascii
    }

    pub(crate) fn has_underscore(&self) -> bool {
        self.underscore
    }

    fn text(&self, span: Span) -> Text<'_> {
        let bytes = self.bytes(span);
        match span.of {
            Source::Wire | Source::Decoded => Text::plain(bytes),
            Source::Encoded => Text::encoded(bytes),
        }
    }

    fn bytes(&self, span: Span) -> &[u8] {
        span.text(self.wire, &self.decoded)
    }
}

impl fmt::Debug for Parameters<'_> {
    /// Shows names only: values may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(
                self.entries
                    .iter()
                    .map(|entry| String::from_utf8_lossy(self.name(entry)).into_owned()),
            )
            .finish()
    }
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
    /// A piece of a buffer of at most 4 GiB.
    fn new(start: usize, end: usize, of: Source) -> Self {
        let offset = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        let (start, end) = (offset(start), offset(end));
        Self { start, end, of }
    }

    /// Plain text of the wire.
    fn plain(start: usize, end: usize) -> Self {
        Self::new(start, end, Source::Wire)
    }

    /// The same piece of the wire, as encoded text.
    fn encoded(self) -> Self {
        Self {
            of: Source::Encoded,
            ..self
        }
    }

    /// The text, in the one of the buffers that it is a piece of.
    fn text<'b>(self, wire: &'b [u8], decoded: &'b [u8]) -> &'b [u8] {
        // Spans are made in this folder, over these buffers, which never shrink.
        self.buffer(wire, decoded)
            .get(self.range())
            .unwrap_or_default()
    }

    fn buffer<'b>(self, wire: &'b [u8], decoded: &'b [u8]) -> &'b [u8] {
        match self.of {
            Source::Wire | Source::Encoded => wire,
            Source::Decoded => decoded,
        }
    }

    /// The first sixteen bytes as a number that orders as they do; shorter text is filled up with zeros.
    fn prefix(self, wire: &[u8], decoded: &[u8]) -> u128 {
        // Nearly always as many bytes follow, the name's own or others, which are masked out.
        let from_start = self.buffer(wire, decoded).get(self.range().start..);
        let from_start = from_start.unwrap_or_default();
        let first = from_start.first_chunk().copied().unwrap_or_else(|| {
            let mut first = [0; 16];
            first
                .iter_mut()
                .zip(from_start)
                .for_each(|(to, from)| *to = *from);
            first
        });
        let beyond = u128::MAX
            .checked_shr(self.length().saturating_mul(8))
            .unwrap_or_default();
        u128::from_be_bytes(first) & !beyond
    }

    fn length(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    fn range(self) -> Range<usize> {
        let offset = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
        offset(self.start)..offset(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, Reason> {
        let mut parameters = Parameters::none();
        parameters.read_urlencoded(text.as_bytes(), 100)?;
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(parameters
            .iter()
            .map(|(name, value)| (shown(name), shown(&value)))
            .collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |text: &&str| (*text).to_owned();
        pairs
            .iter()
            .map(|(name, value)| (owned(name), owned(value)))
            .collect()
    }

    #[test]
    fn pairs_are_decoded_and_sorted_by_decoded_name() {
        assert_eq!(
            read("b=1%2B1&%61=x+y&Action=%44o&ab=&a%3D=%26=&Filters.10=p&Filters.1=q"),
            Ok(pairs(&[
                ("Action", "Do"),
                ("Filters.1", "q"),
                ("Filters.10", "p"),
                ("a", "x y"),
                ("a=", "&="),
                ("ab", ""),
                ("b", "1+1"),
            ]))
        );
    }

    #[test]
    fn a_piece_without_an_equals_sign_is_named() {
        for (text, name) in [
            ("a", "a"),
            ("a=1&b", "b"),
            ("&", ""),
            ("&a=1", ""),
            ("a=1&&b=2", ""),
            ("a=1&", ""),
        ] {
            let name = name.to_owned();
            assert_eq!(
                read(text),
                Err(Reason::PairWithoutEquals { name }),
                "{text}"
            );
        }
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn malformed_escapes_are_named_by_offset() {
        for (text, offset) in [
            ("a=ab%", 4),
            ("a=ab%4", 4),
            ("a=%zz", 2),
            ("a=x%4g", 3),
            ("a=%41%4", 5),
            ("%\u{661}1=", 0),
            ("b=1&a%=1", 5),
            ("a=%4&1=1", 2),
            // Nor does it matter that the `=` is missing too.
            ("a=1&b%zz", 5),
        ] {
            assert_eq!(
                read(text),
                Err(Reason::MalformedEncoding { offset }),
                "{text}"
            );
        }
    }

    #[test]
    fn more_than_fit_inline() {
        let text: Vec<String> = (10..=99).rev().map(|n| format!("n{n}=v{n}")).collect();
        let expected: Vec<_> = (10..=99)
            .map(|n| (format!("n{n}"), format!("v{n}")))
            .collect();
        assert_eq!(read(&text.join("&")), Ok(expected));
    }

    #[test]
    fn names_with_the_same_beginning_are_told_apart() {
        let mut parameters = Parameters::none();
        parameters
            .read_urlencoded(
                b"Signatures=0&Signature=%2B&SignatureMethod=1&Signaturf=2",
                9,
            )
            .unwrap();
        assert_eq!(&*parameters.signature().decoded(), b"+");
        assert_eq!(parameters.common(Common::SignatureMethod), b"1");
        assert_eq!(parameters.get(b"Signatures").as_deref(), Some(&b"0"[..]));
        assert_eq!(parameters.get(b"Signaturf").as_deref(), Some(&b"2"[..]));
        assert_eq!(parameters.get(b"Signatur"), None);
    }
}
