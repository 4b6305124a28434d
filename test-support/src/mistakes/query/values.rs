//! Mistakes with the values of parameters.

use qcloud_validator::diagnose::Mistake;

use crate::mistakes::text::*;
use crate::mistakes::*;

use super::*;

pub(crate) fn query_values() -> Vec<Case<QueryDraft>> {
    vec![
        Case::new(
            Mistake::EncodedBeforeSigning,
            "RFC 3986",
            has_text,
            |draft, _| {
                draft.map_signed(|value| encoded(value).into_bytes());
            },
        ),
        Case::new(
            Mistake::EncodedBeforeSigning,
            "one value",
            has_rich_text,
            |draft, _| {
                let line = draft
                    .signed
                    .iter()
                    .find(|(name, _)| name == b"Line")
                    .expect("prepared");
                let line = encoded(&line.1);
                draft.set_signed("Line", line);
            },
        ),
        Case::new(
            Mistake::EncodedBeforeSigning,
            "form",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| {
                    encoded_but(value, b"-._*").replace("%20", "+").into_bytes()
                });
            },
        ),
        Case::new(
            Mistake::EncodedBeforeSigning,
            "PHP urlencode",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| {
                    encoded_but(value, b"-._").replace("%20", "+").into_bytes()
                });
            },
        ),
        Case::new(
            Mistake::EncodedBeforeSigning,
            "URI component",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| encoded_but(value, b"-._~!*'()").into_bytes());
            },
        ),
        Case::new(
            Mistake::EncodedBeforeSigning,
            "Python quote",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| encoded_but(value, b"-._~/").into_bytes());
            },
        ),
        Case::new(
            Mistake::EncodedBeforeSigning,
            "lower case",
            has_rich_text,
            |draft, _| {
                draft.map_signed(|value| lower_case_escapes(&encoded(value)).into_bytes());
            },
        ),
        Case::new(
            Mistake::EncodedTwiceBeforeSigning,
            "",
            has_text,
            |draft, _| {
                draft.map_signed(|value| encoded(encoded(value).as_bytes()).into_bytes());
            },
        ),
        Case::new(
            Mistake::ValuePlusUnencoded,
            "",
            |draft, rng| {
                draft.blank_as_plus = true;
                has_blank(draft, rng)
            },
            |draft, _| draft.map_signed_text(|value| value.replace(' ', "+")),
        ),
        Case::new(Mistake::BlankSignedAsPlus, "+", has_blank, |draft, _| {
            draft.map_signed_text(|value| value.replace(' ', "+"));
        }),
        Case::new(Mistake::BlankSignedAsPlus, "%20", has_blank, |draft, _| {
            draft.map_signed_text(|value| value.replace(' ', "%20"));
        }),
        Case::new(
            Mistake::NonUtf8BytesSigned,
            "GBK",
            has_chinese,
            |draft, _| {
                draft.map_signed(|value| gbk(str::from_utf8(value).expect("text")));
            },
        ),
        Case::new(
            Mistake::NonUtf8BytesSigned,
            "low bytes",
            has_chinese,
            |draft, _| {
                draft.map_signed(|value| low_bytes(str::from_utf8(value).expect("text")));
            },
        ),
        Case::new(
            Mistake::NonUtf8BytesSigned,
            "question marks",
            has_chinese,
            |draft, _| {
                draft.map_signed(|value| question_marks(str::from_utf8(value).expect("text")));
            },
        ),
        Case::new(
            Mistake::NonUtf8BytesSigned,
            "Latin-1",
            |draft, rng| {
                draft.add("City", format!("Orl\u{e9}ans {}", rng.word(3, 5)));
                *draft = draft.clone().without("recordLine");
                true
            },
            |draft, _| draft.map_signed(|value| low_bytes(str::from_utf8(value).expect("text"))),
        ),
        Case::new(
            Mistake::NonUtf8BytesSigned,
            "Big5",
            |draft, rng| {
                draft.add("Line", format!("預設線路{}", rng.word(3, 5)));
                *draft = draft.clone().without("recordLine");
                true
            },
            |draft, _| draft.map_signed(|value| big5(str::from_utf8(value).expect("text"))),
        ),
        Case::new(
            Mistake::UnicodeEscapesSigned,
            "",
            has_chinese,
            |draft, _| {
                draft.map_signed_text(unicode_escapes);
            },
        ),
        Case::new(
            Mistake::BooleanSpelling,
            "boolean",
            |draft, rng| {
                draft.add("DryRun", *rng.pick(&["true", "false"]));
                true
            },
            |draft, rng| {
                let style = rng.below(3);
                draft.map_signed_text(|value| {
                    match (value, style) {
                        ("true", 0) => "True",
                        ("true", 1) => "TRUE",
                        ("true", _) => "1",
                        ("false", 0) => "False",
                        ("false", 1) => "FALSE",
                        ("false", _) => "0",
                        _ => value,
                    }
                    .to_owned()
                });
            },
        ),
        Case::new(
            Mistake::BooleanSpelling,
            "sent as number",
            |draft, rng| {
                draft.add("DryRun", *rng.pick(&["1", "0"]));
                true
            },
            |draft, rng| {
                let style = rng.below(2);
                draft.map_signed_text(|value| {
                    match (value, style) {
                        ("1", 0) => "true",
                        ("1", _) => "True",
                        ("0", 0) => "false",
                        ("0", _) => "False",
                        _ => value,
                    }
                    .to_owned()
                });
            },
        ),
        Case::new(
            Mistake::BooleanSpelling,
            "number",
            |draft, rng| {
                draft.add("DiskSize", (20 + rng.below(900)).to_string());
                true
            },
            |draft, _| {
                let size = draft.signed.iter().find(|(name, _)| name == b"DiskSize");
                let size = [size.expect("prepared").1.as_slice(), b".0"].concat();
                draft.set_signed("DiskSize", size);
            },
        ),
        Case::new(Mistake::PrintedByteString, "", has_text, |draft, _| {
            let data = draft
                .signed
                .iter()
                .find(|(name, _)| name == b"Data")
                .expect("prepared");
            let data = [b"b'", data.1.as_slice(), b"'"].concat();
            draft.set_signed("Data", data);
        }),
        Case::new(
            Mistake::HtmlEscapedValue,
            "",
            |draft, rng| {
                draft.add(
                    "Html",
                    format!("<b>{}</b>&{}", rng.word(3, 5), rng.word(3, 5)),
                );
                true
            },
            |draft, _| {
                draft.map_signed_text(|value| {
                    value
                        .replace('&', "&amp;")
                        .replace('<', "&lt;")
                        .replace('>', "&gt;")
                });
            },
        ),
        Case::new(
            Mistake::ValuesTrimmed,
            "",
            |draft, rng| {
                draft.add("Comment", format!(" {} ", rng.word(4, 8)));
                true
            },
            |draft, _| draft.map_signed_text(|value| value.trim().to_owned()),
        ),
        Case::new(
            Mistake::ValueLineEnds,
            "LF signed",
            |draft, rng| {
                draft.add(
                    "Script",
                    format!("{}\r\n{}\r\n", rng.word(4, 8), rng.word(4, 8)),
                );
                true
            },
            |draft, _| draft.map_signed_text(|value| value.replace("\r\n", "\n")),
        ),
        Case::new(
            Mistake::ValueLineEnds,
            "CR LF signed",
            |draft, rng| {
                draft.add(
                    "Script",
                    format!("{}\n{}\n", rng.word(4, 8), rng.word(4, 8)),
                );
                true
            },
            |draft, _| draft.map_signed_text(|value| value.replace('\n', "\r\n")),
        ),
        Case::new(Mistake::ValuesLowerCased, "", any, |draft, _| {
            draft.map_signed(<[u8]>::to_ascii_lowercase);
        }),
        Case::new(Mistake::ValueSignedEmpty, "", has_text, |draft, rng| {
            let name = *rng.pick(&["Data", "Region"]);
            draft.set_signed(name, "");
        }),
    ]
}
