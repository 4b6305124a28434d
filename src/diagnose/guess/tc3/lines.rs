//! How a client may have ended the lines of its two texts, or left some out.

use crate::diagnose::search::Choice;
use crate::diagnosis::Hypothesis;

/// The lines of the canonical request and of the string to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
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
        .map(|(lines, hypothesis, detail)| Choice {
            hypothesis: *hypothesis,
            detail: (*detail).to_owned(),
            data: *lines,
        })
        .collect()
}

const LINES: [(Lines, Hypothesis, &str); 13] = [
    (Lines::Crlf, Hypothesis::Crlf, "in both texts"),
    (
        Lines::CrlfInCanonicalRequest,
        Hypothesis::Crlf,
        "in the canonical request",
    ),
    (
        Lines::CrlfInStringToSign,
        Hypothesis::Crlf,
        "in the string to sign",
    ),
    (
        Lines::LiteralBackslashN,
        Hypothesis::LiteralBackslashN,
        "in both texts",
    ),
    (
        Lines::LiteralInCanonicalRequest,
        Hypothesis::LiteralBackslashN,
        "in the canonical request",
    ),
    (
        Lines::LiteralInStringToSign,
        Hypothesis::LiteralBackslashN,
        "in the string to sign",
    ),
    (
        Lines::NoBlankLine,
        Hypothesis::MissingNewline,
        "no empty line after the headers",
    ),
    (
        Lines::ExtraBlankLine,
        Hypothesis::MissingNewline,
        "two empty lines after the headers",
    ),
    (
        Lines::NoQueryLine,
        Hypothesis::MissingNewline,
        "no line for an empty query",
    ),
    (
        Lines::TrailingLineEnd,
        Hypothesis::MissingNewline,
        "a line end after the payload digest",
    ),
    (
        Lines::TrailingLineEndInString,
        Hypothesis::StringToSignForm,
        "a line end after the string to sign",
    ),
    (
        Lines::NoSignedHeadersLine,
        Hypothesis::MissingNewline,
        "no line for SignedHeaders",
    ),
    (
        Lines::Blanks,
        Hypothesis::MissingNewline,
        "blanks instead of line ends",
    ),
];
