//! Which pairs a query or an urlencoded form holds (protocol.md §2.1, §2.3).

use super::encoding::decode;
use super::{Buffer, Kind, Parameters, Span, shown};
use crate::reason::Reason;

/// Reads `name=value` pairs joined by `&`. Empty pieces are skipped, a piece without `=` is refused.
pub(super) fn read(parameters: &mut Parameters<'_>, limit: usize) -> Result<(), Reason> {
    let wire = parameters.wire;
    let ampersands = wire.iter().filter(|&&byte| byte == b'&').count();
    let most = ampersands.saturating_add(1).min(limit);
    parameters.entries.reserve_exact(most);
    let mut piece = Piece::from(0);
    // One pass: each byte is looked at once, whatever it ends.
    for (at, &byte) in wire.iter().enumerate() {
        match byte {
            b'&' => {
                pair(parameters, &piece, at, limit)?;
                piece = Piece::from(at.saturating_add(1));
            }
            b'=' if piece.equals.is_none() => piece.equals = Some(at),
            b'%' | b'+' if piece.equals.is_none() => piece.name_is_encoded = true,
            b'%' | b'+' => piece.value_is_encoded = true,
            _ => {}
        }
    }
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
        return match parameters.wire.get(piece.start..end) {
            Some(name) if !name.is_empty() => Err(Reason::PairWithoutEquals { name: shown(name) }),
            _ => Ok(()),
        };
    };
    let name = if piece.name_is_encoded {
        decoded(parameters, piece.start, equals)?
    } else {
        span(piece.start, equals, Buffer::Wire)?
    };
    let start = equals.saturating_add(1);
    let value = if !piece.value_is_encoded {
        span(start, end, Buffer::Wire)?
    } else if parameters.text(name) == b"Signature" {
        signature(parameters, start, end)?
    } else {
        decoded(parameters, start, end)?
    };
    parameters.push(name, value, Kind::Value, limit)
}

fn decoded(parameters: &mut Parameters<'_>, start: usize, end: usize) -> Result<Span, Reason> {
    let piece = parameters.wire.get(start..end).unwrap_or_default();
    let from = parameters.decoded.len();
    if from == 0 {
        // Decoding never lengthens, so one allocation serves the whole request.
        parameters.decoded.reserve_exact(parameters.wire.len());
    }
    decode(piece, |byte| parameters.decoded.push(byte))
        .map_err(|offset| malformed(start, offset))?;
    span(from, parameters.decoded.len(), Buffer::Decoded)
}

/// Nearly every signature is encoded and short, and it is often the only value that is.
fn signature(parameters: &mut Parameters<'_>, start: usize, end: usize) -> Result<Span, Reason> {
    let piece = parameters.wire.get(start..end).unwrap_or_default();
    if piece.len() > parameters.signature.bytes.len() {
        return decoded(parameters, start, end);
    }
    let short = &mut parameters.signature;
    short.length = 0;
    decode(piece, |byte| {
        if let Some(slot) = short.bytes.get_mut(short.length) {
            *slot = byte;
            short.length = short.length.saturating_add(1);
        }
    })
    .map_err(|offset| malformed(start, offset))?;
    span(0, short.length, Buffer::Signature)
}

fn malformed(start: usize, offset: usize) -> Reason {
    Reason::MalformedEncoding {
        offset: start.saturating_add(offset),
    }
}

fn span(start: usize, end: usize, buffer: Buffer) -> Result<Span, Reason> {
    Span::new(start, end, buffer).ok_or(Reason::FormTooLong {
        limit: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
    })
}
