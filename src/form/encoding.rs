//! What percent-encoded text says (protocol.md §1.2: one round of decoding, hexadecimal digits in either case).

/// Hands the decoded text on, `+` as a blank; fails with the offset of a `%` without two hexadecimal digits.
pub(crate) fn decode(text: &[u8], mut push: impl FnMut(u8)) -> Result<(), usize> {
    let mut bytes = text.iter().enumerate();
    while let Some((offset, &byte)) = bytes.next() {
        let decoded = match byte {
            b'%' => {
                let high = bytes.next().and_then(|(_, &digit)| hex_digit(digit));
                let low = bytes.next().and_then(|(_, &digit)| hex_digit(digit));
                high.zip(low)
                    .map(|(high, low)| high << 4 | low)
                    .ok_or(offset)?
            }
            b'+' => b' ',
            other => other,
        };
        push(decoded);
    }
    Ok(())
}

/// The value of a hexadecimal digit in either case.
pub(crate) fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Result<String, usize> {
        let mut out = Vec::new();
        decode(text.as_bytes(), |byte| out.push(byte))?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn one_round_in_either_case_with_plus_as_blank() {
        assert_eq!(decoded("a%2Fb%2fc+d%20e%2B"), Ok("a/b/c d e+".to_owned()));
        assert_eq!(decoded("%252F"), Ok("%2F".to_owned()));
    }

    #[test]
    fn malformed_escapes_are_named_by_offset() {
        assert_eq!(decoded("ab%"), Err(2));
        assert_eq!(decoded("ab%4"), Err(2));
        assert_eq!(decoded("%zz"), Err(0));
        assert_eq!(decoded("x%4g"), Err(1));
        assert_eq!(decoded("%\u{661}1"), Err(0));
    }
}
