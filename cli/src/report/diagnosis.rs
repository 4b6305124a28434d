//! Diagnosis as text and JSON: each mistake with its evidence and its fix, and where the client's own string to sign
//! leaves the server's.

use std::io::{self, Write};

use qcloud_validator::Language;
use qcloud_validator::diagnose::{Diagnosis, Difference, Finding, Occurrence, Outcome};
use serde::Serialize;

use crate::report::text::{FAINT, INDENT, LABEL, STRONG, fact, printable, token_of};

/// Why a request was refused, in the language of its message.
pub(crate) struct Explanation {
    diagnosis: Diagnosis,
    language: Language,
    /// Where the client's own text differs, if it was given: `None` within where it does not.
    difference: Option<Option<Difference>>,
}

impl Explanation {
    pub(crate) fn new(diagnosis: Diagnosis, language: Language, client: Option<&str>) -> Self {
        // Without the server's text there is nothing to compare with.
        let difference = client
            .filter(|_| diagnosis.string_to_sign().is_some())
            .map(|client| diagnosis.difference(client));
        Self {
            diagnosis,
            language,
            difference,
        }
    }

    /// Whether a mistake was found.
    pub(crate) fn is_found(&self) -> bool {
        !self.diagnosis.findings().is_empty()
    }

    /// The mistakes, most certain first, or that there is none that explains the refusal.
    pub(crate) fn findings_text(&self, out: &mut impl Write) -> io::Result<()> {
        for finding in self.diagnosis.findings() {
            let mistake = finding.mistake();
            let headline = match (mistake.occurrence(), self.language) {
                (Occurrence::Sometimes, Language::ZhCn) => {
                    format!("{}（仅在部分请求中失败）", finding.id())
                }
                (Occurrence::Sometimes, _) => format!("{} (fails only sometimes)", finding.id()),
                _ => finding.id().to_owned(),
            };
            fact(out, "diagnosis", STRONG, &headline)?;
            fact(out, "cause", PLAIN, mistake.cause(self.language))?;
            if !finding.evidence().is_empty() {
                fact(out, "evidence", PLAIN, finding.evidence())?;
            }
            fact(out, "fix", PLAIN, mistake.fix(self.language))?;
        }
        if !self.is_found() {
            let none = match (self.diagnosis.outcome(), self.language) {
                (Outcome::BudgetSpent, Language::ZhCn) => "搜索提前中止，尚未找到原因",
                (Outcome::BudgetSpent, _) => {
                    "the search was cut short before a known mistake explained this"
                }
                (_, Language::ZhCn) => "没有已知错误可以解释",
                (_, _) => "no known mistake explains this",
            };
            fact(out, "diagnosis", STRONG, none)?;
        }
        Ok(())
    }

    /// Where the client's own text differs from the server's, with what surrounds it.
    pub(crate) fn difference_text(&self, out: &mut impl Write) -> io::Result<()> {
        let Some(difference) = &self.difference else {
            return Ok(());
        };
        let Some(difference) = difference else {
            let same = match self.language {
                Language::ZhCn => "与服务端的签名原文相同，差别在于密钥、算法或签名的写法",
                _ => {
                    "the same as the server's: the key, the algorithm or the form of the signature differs"
                }
            };
            return fact(out, "difference", PLAIN, same);
        };
        let (byte, line) = (difference.offset(), difference.line());
        let place = match self.language {
            Language::ZhCn => format!("第 {line} 行，第 {byte} 字节之后"),
            _ => format!("after byte {byte}, in line {line}"),
        };
        fact(out, "difference", STRONG, &place)?;
        let [before, server, client] = self.masked(difference);
        for (label, text) in [("both", before), ("server", server), ("client", client)] {
            let text = match (text.as_str(), self.language) {
                ("", Language::ZhCn) => "（结束）",
                ("", _) => "(end)",
                (text, _) => text,
            };
            // Not wrapped: the three are read one below the other.
            let text = printable(text);
            writeln!(out, "{:INDENT$}{FAINT}{label:<LABEL$}{FAINT:#}{text}", "")?;
        }
        Ok(())
    }

    /// What surrounds a difference, without the token: terminals are looked at over shoulders.
    fn masked(&self, difference: &Difference) -> [String; 3] {
        let parts = [
            difference.before(),
            difference.server(),
            difference.client(),
        ];
        let text = self.diagnosis.string_to_sign().unwrap_or_default();
        let Some(token) = token_of(text).filter(|token| !token.is_empty()) else {
            return parts.map(str::to_owned);
        };
        let [before, server, client] = parts.map(|part| without_pieces_of(part, token));
        // A difference within the token: what the client signed for it is one too.
        let last = before.rsplit('&').next().unwrap_or_default();
        let within = last.ends_with(MASK) || last.starts_with("Token=");
        let rest = |text: String| match text.find('&') {
            _ if !within => text,
            Some(end) => format!("{MASK}{}", text.get(end..).unwrap_or_default()),
            None => MASK.to_owned(),
        };
        [before, rest(server), rest(client)]
    }

    pub(crate) fn findings_json(&self) -> Vec<Found<'_>> {
        let found = |finding| Found::new(finding, self.language);
        self.diagnosis.findings().iter().map(found).collect()
    }

    /// `None` where the client's text was not given.
    pub(crate) fn difference_json(&self) -> Option<Option<Differing<'_>>> {
        let difference = self.difference.as_ref()?;
        Some(difference.as_ref().map(Differing::new))
    }
}

const PLAIN: anstyle::Style = anstyle::Style::new();
const MASK: &str = "***";

/// The text with every longer piece of the token masked.
fn without_pieces_of(text: &str, token: &str) -> String {
    /// Shorter ones stand in many texts, and prove nothing.
    const SHORTEST: usize = 6;
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let ends = rest
            .char_indices()
            .map(|(at, c)| at.saturating_add(c.len_utf8()));
        let longest = ends
            .take_while(|&end| rest.get(..end).is_some_and(|piece| token.contains(piece)))
            .last()
            .filter(|&length| length >= SHORTEST);
        match longest {
            Some(length) => {
                out.push_str(MASK);
                rest = rest.get(length..).unwrap_or_default();
            }
            None => {
                out.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}

/// What a program reads about a mistake.
#[derive(Serialize)]
pub(crate) struct Found<'e> {
    id: &'static str,
    cause: &'static str,
    fix: &'static str,
    evidence: &'e str,
}

impl<'e> Found<'e> {
    fn new(finding: &'e Finding, language: Language) -> Self {
        Self {
            id: finding.id(),
            cause: finding.mistake().cause(language),
            fix: finding.mistake().fix(language),
            evidence: finding.evidence(),
        }
    }
}

/// What a program reads about the first difference.
#[derive(Serialize)]
pub(crate) struct Differing<'e> {
    offset: usize,
    line: usize,
    before: &'e str,
    server: &'e str,
    client: &'e str,
}

impl<'e> Differing<'e> {
    fn new(difference: &'e Difference) -> Self {
        Self {
            offset: difference.offset(),
            line: difference.line(),
            before: difference.before(),
            server: difference.server(),
            client: difference.client(),
        }
    }
}
