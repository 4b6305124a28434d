//! Where the bytes stand that mean something in a query or form. Most mean nothing, so many are looked at at once.

/// Whether a text holds ASCII alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Ascii,
    Other,
}

/// Hands on each `%`, `&`, `+`, `=` and `_` with its offset, in order, until `see` fails.
pub(super) fn visit<E>(
    text: &[u8],
    mut see: impl FnMut(usize, u8) -> Result<(), E>,
) -> Result<Charset, E> {
    let (blocks, rest) = text.as_chunks();
    let mut last = [0; BLOCK];
    if let Some(last) = last.get_mut(..rest.len()) {
        last.copy_from_slice(rest);
    }
    let mut all = 0;
    let mut start = 0_usize;
    for block in blocks.iter().chain([&last]) {
        // The compiler makes this loop look at sixteen bytes at a time.
        let marks = block.map(is_mark);
        for (eight, bytes) in marks.as_chunks().0.iter().zip(block.as_chunks::<8>().0) {
            all |= u64::from_le_bytes(*bytes);
            let mut marks = u64::from_le_bytes(*eight);
            while marks != 0 {
                // The first byte is the lowest.
                let lane = usize::try_from(marks.trailing_zeros() >> 3).unwrap_or_default();
                let mark = bytes.get(lane).copied().unwrap_or_default();
                see(start.saturating_add(lane), mark)?;
                marks &= marks.wrapping_sub(1);
            }
            start = start.saturating_add(8);
        }
    }
    Ok(if all.to_le_bytes().is_ascii() {
        Charset::Ascii
    } else {
        Charset::Other
    })
}

const BLOCK: usize = 32;

/// One for a mark, zero for any other byte.
fn is_mark(byte: u8) -> u8 {
    let is = |mark| u8::from(byte == mark);
    is(b'%') | is(b'&') | is(b'+') | is(b'=') | is(b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &[u8]) -> Vec<(usize, u8)> {
        let mut marks = Vec::new();
        let seen: Result<_, ()> = visit(text, |at, mark| {
            marks.push((at, mark));
            Ok(())
        });
        let ascii = seen == Ok(Charset::Ascii);
        assert_eq!(ascii, text.is_ascii());
        marks
    }

    #[test]
    #[cfg_attr(miri, ignore = "a hundred thousand texts")]
    fn every_byte_at_every_place_is_judged_alone() {
        for place in 0..75 {
            for byte in 0..=255 {
                for around in [b'x', 0x7f, 0xff, 0xa6, 0] {
                    let mut text = [around; 75];
                    text[place] = byte;
                    let expected: &[_] = if b"%&+=_".contains(&byte) {
                        &[(place, byte)]
                    } else {
                        &[]
                    };
                    assert_eq!(marks(&text), expected, "{byte} at {place} in {around}");
                }
            }
        }
    }

    #[test]
    fn neighbours_come_in_order() {
        let expected: Vec<_> = (0..).zip(*b"=%&=&+++_&=%%").collect();
        assert_eq!(marks(b"=%&=&+++_&=%%"), expected);
        assert_eq!(marks(b""), []);
    }

    #[test]
    fn a_failure_ends_it() {
        let seen = visit(
            b"a=b&c=d",
            |at, mark| if mark == b'&' { Err(at) } else { Ok(()) },
        );
        assert_eq!(seen.err(), Some(3));
    }
}
