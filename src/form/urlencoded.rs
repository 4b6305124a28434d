//! Which pairs a query or an urlencoded form holds (protocol.md §2.1, §2.3).

use memchr::memchr_iter;

use super::marks::visit;
use super::{INLINE, Kind, Parameters, Span, shown};
use crate::reason::Reason;

/// Reads `name=value` pairs joined by `&`. A piece without `=` is refused, also an empty one, as the vendor does it.
pub(super) fn read(parameters: &mut Parameters<'_>, limit: usize) -> Result<(), Reason> {
    let wire = parameters.wire;
    if wire.is_empty() {
        return Ok(());
    }
    let mut piece = Piece::from(0);
    let charset = visit(wire, |at, mark| {
        match (mark, piece.equals) {
            (b'&', _) => {
                pair(parameters, &piece, at, limit)?;
                piece = Piece::from(at.saturating_add(1));
            }
            (b'=', None) => piece.equals = Some(at),
            (b'%', _) if !is_escape(wire, at) => {
                return Err(Reason::MalformedEncoding { offset: at });
            }
            (b'%' | b'+', None) => piece.name_is_encoded = true,
            (b'%' | b'+', Some(_)) => piece.value_is_encoded = true,
            (b'_', None) => parameters.underscore = true,
            _ => {}
        }
        Ok(())
    })?;
    parameters.charset = charset;
    pair(parameters, &piece, wire.len(), limit)
}

/// What is known of the text since the last `&`.
struct Piece {
    start: usize,
    equals: Option<usize>,
    name_is_encoded: bool,
    value_is_encoded: bool,
}

impl Piece {
    fn from(start: usize) -> Self {
        Self {
            start,
            equals: None,
            name_is_encoded: false,
            value_is_encoded: false,
        }
    }
}

fn pair(
    parameters: &mut Parameters<'_>,
    piece: &Piece,
    end: usize,
    limit: usize,
) -> Result<(), Reason> {
    let Some(equals) = piece.equals else {
        let name = parameters.wire.get(piece.start..end).unwrap_or_default();
        return Err(Reason::PairWithoutEquals { name: shown(name) });
    };
    let mut name = Span::plain(piece.start, equals);
    let mut value = Span::plain(equals.saturating_add(1), end);
    if piece.name_is_encoded {
        name = parameters.decode(name.encoded());
        parameters.underscore |= parameters.bytes(name).contains(&b'_');
    }
    if piece.value_is_encoded {
        value = value.encoded();
    }
    let rest = parameters.wire.get(end..).unwrap_or_default();
    parameters.reserve(|| {
        let most = memchr_iter(b'&', rest).count().saturating_add(1);
        most.min(limit.saturating_sub(INLINE))
    });
    parameters.push(name, value, Kind::Value, limit)
}

fn is_escape(wire: &[u8], at: usize) -> bool {
    let digits = wire.get(at.saturating_add(1)..at.saturating_add(3));
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}
