//! How a client may have ended the lines of its two texts, or left some out.

use crate::diagnose::guess::Choice;
use crate::diagnosis::Mistake;

/// The lines of the canonical request and of the string to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Documented,
    Crlf,
    CrlfInCanonicalRequest,
    CrlfInStringToSign,
    LiteralBackslashN,
    LiteralInCanonicalRequest,
    LiteralInStringToSign,
    NoBlankLine,
    ExtraBlankLine,
    NoQueryLine,
    TrailingLineEnd,
    TrailingLineEndInString,
    NoSignedHeadersLine,
    Blanks,
}

/// Each way but the documented one.
pub(super) fn choices() -> Vec<Choice<Lines>> {
    LINES
        .iter()
        .map(|(lines, mistake, detail)| Choice {
            mistake: *mistake,
            detail: (*detail).to_owned(),
            data: *lines,
        })
        .collect()
}

const LINES: [(Lines, Mistake, &str); 13] = [
    (Lines::Crlf, Mistake::Crlf, "in both texts"),
    (
        Lines::CrlfInCanonicalRequest,
        Mistake::Crlf,
        "in the canonical request",
    ),
    (
        Lines::CrlfInStringToSign,
        Mistake::Crlf,
        "in the string to sign",
    ),
    (
        Lines::LiteralBackslashN,
        Mistake::LiteralBackslashN,
        "in both texts",
    ),
    (
        Lines::LiteralInCanonicalRequest,
        Mistake::LiteralBackslashN,
        "in the canonical request",
    ),
    (
        Lines::LiteralInStringToSign,
        Mistake::LiteralBackslashN,
        "in the string to sign",
    ),
    (
        Lines::NoBlankLine,
        Mistake::MissingNewline,
        "no empty line after the headers",
    ),
    (
        Lines::ExtraBlankLine,
        Mistake::MissingNewline,
        "two empty lines after the headers",
    ),
    (
        Lines::NoQueryLine,
        Mistake::MissingNewline,
        "no line for an empty query",
    ),
    (
        Lines::TrailingLineEnd,
        Mistake::MissingNewline,
        "a line end after the payload digest",
    ),
    (
        Lines::TrailingLineEndInString,
        Mistake::StringToSignForm,
        "a line end after the string to sign",
    ),
    (
        Lines::NoSignedHeadersLine,
        Mistake::MissingNewline,
        "no line for SignedHeaders",
    ),
    (
        Lines::Blanks,
        Mistake::MissingNewline,
        "blanks instead of line ends",
    ),
];
