//! Hexadecimal text of 32 bytes, in the lower case that TC3 demands.

/// The 64 digits of 32 bytes.
pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; 64] {
    let digit = |value: u8| value.wrapping_add(if value < 10 { b'0' } else { b'a' - 10 });
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
    text
}

/// The 32 bytes of 64 lower-case digits; `None` for anything else.
///
/// Branch-free: whether a digit is a letter is unpredictable, so a branch would be mispredicted.
pub(crate) fn decode(text: &[u8]) -> Option<[u8; 32]> {
    let text: &[u8; 64] = text.try_into().ok()?;
    let mut bytes = [0; 32];
    let mut all = 0;
    for (byte, [high, low]) in bytes.iter_mut().zip(text.as_chunks().0) {
        let (high, low) = (value(*high), value(*low));
        *byte = high << 4 | low & 0x0f;
        all |= high | low;
    }
    (all < 16).then_some(bytes)
}

/// The value of a lower-case digit; 255 for anything else.
fn value(digit: u8) -> u8 {
    let number = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    if number < 10 {
        number
    } else if letter < 6 {
        letter.wrapping_add(10)
    } else {
        255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_lower_case_digits_decode() {
        let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";
        let bytes = decode(text.as_bytes()).unwrap();
        assert_eq!(bytes[31], 255);
        assert_eq!(encode(&bytes), text.as_bytes());
        for wrong in [
            "",
            "deadbeef",
            &text.to_uppercase(),
            &text.replace("ff", "fg"),
            &format!("{text}00"),
        ] {
            assert_eq!(decode(wrong.as_bytes()), None, "{wrong}");
        }
    }

    /// Two wrong digits side by side must not hide each other.
    #[test]
    fn every_other_byte_is_refused_in_either_place_and_in_both() {
        for wrong in (0..=255).filter(|byte| !b"0123456789abcdef".contains(byte)) {
            for places in [&[30][..], &[31], &[30, 31]] {
                let mut text = [b'0'; 64];
                for &place in places {
                    text[place] = wrong;
                }
                assert_eq!(decode(&text), None, "{wrong} at {places:?}");
            }
        }
    }
}
