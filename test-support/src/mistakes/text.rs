//! Text that is encoded, escaped or serialised otherwise.

use crate::mistakes::*;

pub fn pairs(list: &[(&str, &str)]) -> Pairs {
    list.iter()
        .map(|&(name, value)| (name.into(), value.into()))
        .collect()
}

pub fn strings(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Percent-encodes all but the unreserved characters of RFC 3986.
pub fn encoded(bytes: &[u8]) -> String {
    encoded_but(bytes, b"-._~")
}

pub(crate) fn encoded_but(bytes: &[u8], plain: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

pub(crate) fn lower_case_escapes(text: &str) -> String {
    let mut out = String::new();
    let mut left = 0;
    for sign in text.chars() {
        if sign == '%' {
            left = 3;
        }
        out.push(if left > 0 {
            sign.to_ascii_lowercase()
        } else {
            sign
        });
        left = usize::saturating_sub(left, 1);
    }
    out
}

/// Names with their numbers as numbers.
pub(crate) fn natural(name: &[u8]) -> Vec<(u64, Bytes)> {
    let mut parts: Vec<(u64, Bytes)> = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 {
            let number = str::from_utf8(&rest[..digits])
                .expect("digits")
                .parse()
                .expect("short");
            parts.push((number, Vec::new()));
            rest = &rest[digits..];
        } else {
            let letters = rest
                .iter()
                .take_while(|byte| !byte.is_ascii_digit())
                .count();
            parts.push((0, rest[..letters].to_vec()));
            rest = &rest[letters..];
        }
    }
    parts
}

pub fn gbk(text: &str) -> Bytes {
    encoding_rs::GBK.encode(text).0.into_owned()
}

pub fn big5(text: &str) -> Bytes {
    encoding_rs::BIG5.encode(text).0.into_owned()
}

/// The low byte of each UTF-16 unit.
pub fn low_bytes(text: &str) -> Bytes {
    text.encode_utf16()
        .map(|unit| unit.to_le_bytes()[0])
        .collect()
}

pub fn question_marks(text: &str) -> Bytes {
    text.chars()
        .map(|sign| u8::try_from(sign).ok().filter(u8::is_ascii).unwrap_or(b'?'))
        .collect()
}

pub(crate) fn unicode_escapes(text: &str) -> String {
    text.chars()
        .map(|sign| {
            if sign.is_ascii() {
                sign.to_string()
            } else {
                format!("\\u{:04x}", u32::from(sign))
            }
        })
        .collect()
}

/// Puts a blank after each `:` and `,` outside texts.
pub fn spaced_json(compact: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for sign in compact.chars() {
        out.push(sign);
        match sign {
            '"' => inside = !inside,
            ':' | ',' if !inside => out.push(' '),
            _ => {}
        }
    }
    out
}

/// One field per line.
pub fn pretty_json(compact: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    let mut depth = 0;
    for sign in compact.chars() {
        let line = |depth: usize| format!("\n{}", indent.repeat(depth));
        match sign {
            '"' => {
                inside = !inside;
                out.push(sign);
            }
            '{' | '[' if !inside => {
                depth += 1;
                out.push(sign);
                out.push_str(&line(depth));
            }
            '}' | ']' if !inside => {
                depth -= 1;
                out.push_str(&line(depth));
                out.push(sign);
            }
            ',' if !inside => {
                out.push(sign);
                out.push_str(&line(depth));
            }
            ':' if !inside => out.push_str(": "),
            _ => out.push(sign),
        }
    }
    out
}
