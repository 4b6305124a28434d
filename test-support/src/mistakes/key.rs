//! Mistakes with the key, for both kinds of draft.

use crate::mistakes::draft::*;
use crate::mistakes::*;

pub(crate) fn keyed(world: &mut World, key: &mut Bytes, secret: &str) {
    world.secret = secret.into();
    *key = secret.into();
}

/// Mistakes with the key, for both kinds of draft.
macro_rules! key_mistakes {
    ($draft:ty) => {
        [
            Case::new(
                Mistake::IdAndKeySwapped,
                "id as key",
                any,
                |draft: &mut $draft, _| {
                    draft.key = SECRET_ID.into();
                },
            ),
            Case::new(Mistake::SecretKeyEmpty, "", any, |draft, _| {
                draft.key.clear()
            }),
            Case::new(Mistake::SecretKeyPlaceholder, "", any, |draft, rng| {
                draft.key = (*rng.pick(&["None", "undefined", "null"])).into();
            }),
            Case::new(Mistake::SecretKeyWhitespace, "after", any, |draft, rng| {
                draft
                    .key
                    .extend_from_slice(rng.pick(&["\n", "\r\n", " ", "\t"]).as_bytes());
            }),
            Case::new(Mistake::SecretKeyWhitespace, "before", any, |draft, rng| {
                let blank = rng.pick(&["\n", " ", "\t"]).as_bytes();
                draft.key = [blank, &draft.key].concat();
            }),
            Case::new(Mistake::SecretKeyQuoted, "", any, |draft, rng| {
                let quote = rng.pick(&["\"", "'"]).as_bytes();
                draft.key = [quote, &draft.key, quote].concat();
            }),
            Case::new(Mistake::SecretKeyBom, "before", any, |draft, _| {
                draft.key = [b"\xEF\xBB\xBF", draft.key.as_slice()].concat();
            }),
            Case::new(Mistake::SecretKeyBom, "after", any, |draft, _| {
                draft.key.extend_from_slice(b"\xEF\xBB\xBF");
            }),
            Case::new(
                Mistake::SecretKeyMangled,
                "+ read as blank",
                |draft, rng| {
                    let secret = format!("{}+{}", rng.word(10, 16), rng.word(10, 16));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    for byte in &mut draft.key {
                        if *byte == b'+' {
                            *byte = b' ';
                        }
                    }
                },
            ),
            Case::new(
                Mistake::SecretKeyMangled,
                "percent-encoded",
                |draft, rng| {
                    let secret = format!("{}/{}=", rng.word(10, 16), rng.word(10, 16));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| draft.key = encoded(&draft.key).into_bytes(),
            ),
            Case::new(
                Mistake::SecretKeyMangled,
                "first character lost",
                |draft, rng| {
                    let secret = format!("/{}", rng.word(20, 30));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    draft.key.remove(0);
                },
            ),
            Case::new(
                Mistake::SecretKeyMangled,
                "last character lost",
                any,
                |draft, _| {
                    draft.key.pop();
                },
            ),
            Case::new(
                Mistake::SecretKeyDecoded,
                "base64",
                |draft, rng| {
                    let secret = base64(&rng.bytes(24));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    let mut bytes = vec![0; draft.key.len()];
                    let length = STANDARD
                        .decode_slice(&draft.key, &mut bytes)
                        .expect("base64");
                    bytes.truncate(length);
                    draft.key = bytes;
                },
            ),
            Case::new(
                Mistake::SecretKeyDecoded,
                "hex",
                |draft, rng| {
                    let secret = hex(&rng.bytes(16));
                    keyed(&mut draft.world, &mut draft.key, &secret);
                    true
                },
                |draft, _| {
                    let digits = String::from_utf8(draft.key.clone()).expect("hex");
                    draft.key = (0..digits.len())
                        .step_by(2)
                        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex"))
                        .collect();
                },
            ),
            Case::new(Mistake::AnotherCredentialsKey, "", any, |draft, _| {
                draft.key = OTHER_KEY.into();
            }),
        ]
    };
}

pub(crate) use key_mistakes;
