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
    let mut start = 0_usize;
    for piece in wire.split(|&byte| byte == b'&') {
        let end = start.saturating_add(piece.len());
        if !piece.is_empty() {
            let Some(equals) = piece.iter().position(|&byte| byte == b'=') else {
                return Err(Reason::PairWithoutEquals { name: shown(piece) });
            };
            let middle = start.saturating_add(equals);
            let name = text(parameters, start, middle)?;
            let value = middle.saturating_add(1);
            let value = match parameters.text(name) {
                b"Signature" => signature(parameters, value, end)?,
                _ => text(parameters, value, end)?,
            };
            parameters.push(name, value, Kind::Value, limit)?;
        }
        start = end.saturating_add(1);
    }
    Ok(())
}

fn text(parameters: &mut Parameters<'_>, start: usize, end: usize) -> Result<Span, Reason> {
    let piece = parameters.wire.get(start..end).unwrap_or_default();
    if !is_encoded(piece) {
        return span(start, end, Buffer::Wire);
    }
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
    if piece.len() > parameters.signature.bytes.len() || !is_encoded(piece) {
        return text(parameters, start, end);
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

fn is_encoded(piece: &[u8]) -> bool {
    piece.iter().any(|byte| matches!(byte, b'%' | b'+'))
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
