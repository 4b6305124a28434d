//! Text for terminals: styles, columns, wrapping, and what must not be printed raw.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

/// Columns of text output, beyond which it is wrapped.
const WIDTH: usize = 100;

/// Columns before the facts of a request.
pub(crate) const INDENT: usize = 4;

/// Columns of the name of a fact.
pub(crate) const LABEL: usize = 13;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const STRONG: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();

/// One line on stderr. There is nowhere to report that this failed.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", printable(line));
}

/// A named fact, wrapped.
pub(crate) fn fact(out: &mut impl Write, label: &str, style: Style, text: &str) -> io::Result<()> {
    let column = INDENT.saturating_add(LABEL);
    let mut label = label;
    for line in wrapped(&printable(text), WIDTH.saturating_sub(column)) {
        writeln!(
            out,
            "{:INDENT$}{FAINT}{label:<LABEL$}{FAINT:#}{style}{line}{style:#}",
            ""
        )?;
        label = "";
    }
    Ok(())
}

/// What stands before and after a token in a string to sign.
const TOKEN_MARKS: [(&str, char); 2] = [("&Token=", '&'), ("\nx-tc-token:", '\n')];

/// The token in a string to sign, if there is one.
pub(crate) fn token_of(text: &str) -> Option<&str> {
    TOKEN_MARKS.iter().find_map(|&(mark, end)| {
        let (_, after) = text.split_once(mark)?;
        after.split(end).next()
    })
}

/// With the value of a token masked: terminals are looked at over shoulders and copied into reports.
pub(crate) fn without_token(text: &str) -> String {
    let mut rest = text;
    let mut masked = String::with_capacity(text.len());
    for (mark, end) in TOKEN_MARKS {
        if let Some((before, after)) = rest.split_once(mark) {
            masked.push_str(before);
            masked.push_str(mark);
            masked.push_str("***");
            rest = after.find(end).and_then(|at| after.get(at..)).unwrap_or("");
        }
    }
    masked.push_str(rest);
    masked
}

/// Text in which nothing moves the cursor, changes the colour or turns the direction.
pub(crate) fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        let turns = matches!(
            character,
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        if character.is_control() || turns {
            printable.extend(character.escape_default());
        } else {
            printable.push(character);
        }
    }
    printable
}

/// Lines of at most so many columns, broken at blanks and between Chinese characters. What has neither stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut columns: usize = 0;
    for piece in pieces(text) {
        let more = columns_of(piece.trim_end());
        if columns > 0 && columns.saturating_add(more) > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            columns = 0;
        }
        line.push_str(piece);
        columns = columns.saturating_add(columns_of(piece));
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Pieces that a line may end after: a word with its blank, or a Chinese character with its punctuation.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let mut characters = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((_, character)) = characters.next() {
            let Some(&(at, next)) = characters.peek() else {
                break;
            };
            let after_blank = character == ' ' && next != ' ';
            let between = (is_wide(character) || is_wide(next)) && next != ' ';
            if after_blank || between && !is_closing(next) {
                end = at;
                break;
            }
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn columns_of(text: &str) -> usize {
    text.chars()
        .map(|character| if is_wide(character) { 2 } else { 1 })
        .sum()
}

/// Chinese, Japanese and Korean characters and their punctuation.
fn is_wide(character: char) -> bool {
    matches!(
        character,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}'
    )
}

/// Punctuation that does not begin a line.
fn is_closing(character: char) -> bool {
    matches!(
        character,
        '。' | '，' | '、' | '：' | '；' | '！' | '？' | '）' | '》' | '”'
    )
}
