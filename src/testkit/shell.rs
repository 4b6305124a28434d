//! Which words a POSIX shell, or bash, makes of a command line, nothing expanded.

use std::iter::Peekable;
use std::str::Chars;

/// The words; `None` if a quote is not closed.
pub(super) fn words(command: &str) -> Option<Vec<String>> {
    shlex::split(&plain(command)?)
}

/// The command without line continuations, and with `$'…'` (bash; browsers copy requests so) in single quotes.
fn plain(command: &str) -> Option<String> {
    let mut out = String::with_capacity(command.len());
    let mut rest = command.chars().peekable();
    let mut double = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => match rest.next() {
                Some('\n') => {}
                Some('\r') if rest.peek() == Some(&'\n') => {
                    rest.next();
                }
                escaped => {
                    out.push('\\');
                    out.extend(escaped);
                }
            },
            '"' => {
                double = !double;
                out.push('"');
            }
            '\'' if !double => {
                out.push('\'');
                loop {
                    let quoted = rest.next()?;
                    out.push(quoted);
                    if quoted == '\'' {
                        break;
                    }
                }
            }
            '$' if !double && rest.peek() == Some(&'\'') => {
                rest.next();
                let text = escaped_text(&mut rest)?;
                out.push('\'');
                out.push_str(&text.replace('\'', r"'\''"));
                out.push('\'');
            }
            '\r' if !double && rest.peek() == Some(&'\n') => {}
            other => out.push(other),
        }
    }
    Some(out)
}

/// The text within `$'…'`, up to its end.
fn escaped_text(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut bytes = Vec::new();
    let push = |bytes: &mut Vec<u8>, c: char| {
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    };
    loop {
        match rest.next()? {
            '\'' => return Some(String::from_utf8_lossy(&bytes).into_owned()),
            '\\' => match rest.next()? {
                'n' => bytes.push(b'\n'),
                'r' => bytes.push(b'\r'),
                't' => bytes.push(b'\t'),
                'a' => bytes.push(7),
                'b' => bytes.push(8),
                'f' => bytes.push(12),
                'v' => bytes.push(11),
                'e' | 'E' => bytes.push(27),
                // A byte, not a character.
                'x' => bytes.extend(number(rest, 2, 16).and_then(|byte| u8::try_from(byte).ok())),
                'u' => {
                    let unit = number(rest, 4, 16)?;
                    // Browsers write characters beyond U+FFFF as two units of UTF-16.
                    let mut ahead = rest.clone();
                    let low = (ahead.next() == Some('\\') && ahead.next() == Some('u'))
                        .then(|| number(&mut ahead, 4, 16))
                        .flatten();
                    let units = [Some(unit), low]
                        .map(|unit| unit.and_then(|unit| u16::try_from(unit).ok()));
                    match (char::from_u32(unit), units) {
                        (Some(c), _) => push(&mut bytes, c),
                        (None, [Some(high), Some(low)]) => {
                            bytes.extend(String::from_utf16_lossy(&[high, low]).into_bytes());
                            *rest = ahead;
                        }
                        (None, _) => push(&mut bytes, char::REPLACEMENT_CHARACTER),
                    }
                }
                'U' => push(
                    &mut bytes,
                    char::from_u32(number(rest, 8, 16)?).unwrap_or(char::REPLACEMENT_CHARACTER),
                ),
                other => push(&mut bytes, other),
            },
            other => push(&mut bytes, other),
        }
    }
}

/// A number of at most so many digits.
fn number(rest: &mut Peekable<Chars<'_>>, digits: usize, radix: u32) -> Option<u32> {
    let mut text = String::new();
    while text.len() < digits
        && let Some(digit) = rest.next_if(|c| c.is_digit(radix))
    {
        text.push(digit);
    }
    u32::from_str_radix(&text, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_quotes_as_in_a_shell() {
        for (command, expected) in [
            ("a  b\tc", &["a", "b", "c"][..]),
            ("a \\\n  -b \\\r\n c", &["a", "-b", "c"]),
            ("a\r\nb", &["a", "b"]),
            (r#"'a "b' "c 'd" e\ f"#, &["a \"b", "c 'd", "e f"]),
            ("'a\\\nb' \"a\\\nb\"", &["a\\\nb", "ab"]),
            (r#""a\"b\\c\d""#, &[r#"a"b\c\d"#]),
            ("''", &[""]),
            ("a'b'\"c\"", &["abc"]),
        ] {
            assert_eq!(words(command).unwrap(), expected, "{command}");
        }
        for open in ["'a", "\"a", "$'a", "a\\"] {
            assert_eq!(words(open), None, "{open}");
        }
    }

    #[test]
    fn escapes_of_bash() {
        for (command, expected) in [
            (r"$'it\'s'", "it's"),
            (r"$'a\n\t\\'", "a\n\t\\"),
            (r"$'\u9ed8\xe8\xae\xa4'", "默认"),
            (r"$'\ud83d\ude00\U0001f600'", "😀😀"),
            (r"a$'\u0021'b", "a!b"),
            (r#""$'a'""#, "$'a'"),
        ] {
            assert_eq!(words(command).unwrap(), [expected], "{command}");
        }
    }
}
