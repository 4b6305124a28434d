//! Which pairs a query or an urlencoded form holds (protocol.md §2.1, §2.3).

use super::encoding::decode;
use super::{Buffer, Entry, Kind, Parameters, Span, shown};
use crate::reason::Reason;

/// Reads `name=value` pairs joined by `&`. Empty pieces are skipped, a piece without `=` is refused.
pub(super) fn read(parameters: &mut Parameters<'_>, limit: usize) -> Result<(), Reason> {
    let wire = parameters.wire;
    let mut start = 0_usize;
    for piece in wire.split(|&byte| byte == b'&') {
        let end = start.saturating_add(piece.len());
        if !piece.is_empty() {
            let Some(equals) = piece.iter().position(|&byte| byte == b'=') else {
                return Err(Reason::PairWithoutEquals { name: shown(piece) });
            };
            let middle = start.saturating_add(equals);
            let entry = Entry {
                name: text(parameters, start, middle)?,
                value: text(parameters, middle.saturating_add(1), end)?,
                kind: Kind::Value,
            };
            parameters.push(entry, limit)?;
        }
        start = end.saturating_add(1);
    }
    Ok(())
}

fn text(parameters: &mut Parameters<'_>, start: usize, end: usize) -> Result<Span, Reason> {
    let piece = parameters.wire.get(start..end).unwrap_or_default();
    let span = if piece.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        let from = parameters.decoded.len();
        if from == 0 {
            // Decoding never lengthens, so one allocation serves the whole request.
            parameters.decoded.reserve_exact(parameters.wire.len());
        }
        decode(piece, &mut parameters.decoded).map_err(|offset| Reason::MalformedEncoding {
            offset: start.saturating_add(offset),
        })?;
        Span::new(from, parameters.decoded.len(), Buffer::Decoded)
    } else {
        Span::new(start, end, Buffer::Wire)
    };
    span.ok_or(Reason::FormTooLong {
        limit: usize::try_from(u32::MAX).unwrap_or(usize::MAX),
    })
}
