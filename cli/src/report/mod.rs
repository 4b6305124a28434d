//! Verdict as text and JSON.

pub(crate) mod diagnosis;
pub(crate) mod text;

use std::error::Error;
use std::io::{self, Write};

use anstyle::Style;
use qcloud_validator::{Admitted, Check, Dialect, Reason, Rejection, Store};
use serde::Serialize;

use crate::outcome::Outcome;
use crate::report::diagnosis::{Differing, Explanation, Found};
use crate::report::text::{
    BAD, FAINT, GOOD, INDENT, LABEL, STRONG, fact, printable, without_token,
};

/// The most characters of a string to sign that people want to look at.
const SHOWN: usize = 2_000;

/// The request id of a response that is not sent.
const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A request with its verdict.
pub(crate) struct Checked<'c> {
    file: &'c str,
    verdict: &'c Result<Admitted, Rejection>,
    secret_id: Option<&'c str>,
    string_to_sign: Option<String>,
    /// Asked for, or not.
    explanation: Option<Explained>,
}

/// What `--explain` adds: nothing about an admitted request.
type Explained = Option<Explanation>;

/// The SecretId of a refused request, if it may be shown. Clients that swap id and key send their key as the SecretId:
/// until somebody has found it, it may be one.
pub(crate) fn secret_id_to_show(refused: &Rejection) -> Option<&str> {
    let looks_like_one = |id: &&str| id.starts_with("AKID");
    refused
        .secret_id()
        .filter(|id| is_known(refused) || looks_like_one(id))
}

/// Whether the SecretId was found.
fn is_known(refused: &Rejection) -> bool {
    !matches!(
        refused.reason(),
        Reason::TimestampOutsideWindow { .. }
            | Reason::SecretIdUnknown
            | Reason::StoreFailed {
                store: Store::Credentials
            }
    )
}

impl<'c> Checked<'c> {
    pub(crate) fn new(
        file: &'c str,
        verdict: &'c Result<Admitted, Rejection>,
        string_to_sign: Option<String>,
    ) -> Self {
        let (secret_id, string_to_sign) = match verdict {
            Ok(admitted) => (Some(admitted.secret_id()), string_to_sign),
            Err(refused) => {
                let secret_id = secret_id_to_show(refused);
                let shown = secret_id.is_some() || is_known(refused);
                (secret_id, string_to_sign.filter(|_| shown))
            }
        };
        Self {
            file,
            verdict,
            secret_id,
            string_to_sign,
            explanation: None,
        }
    }

    /// With the cause of the refusal, which `explain` finds; it takes the client's string to sign, if that may be shown.
    pub(crate) fn explained(
        self,
        client_string: Option<&str>,
        explain: impl FnOnce(&Rejection, Option<&str>) -> Explanation,
    ) -> Self {
        let shown = client_string.filter(|_| self.string_to_sign.is_some());
        let refused = self.verdict.as_ref().err();
        Self {
            explanation: Some(refused.map(|refused| explain(refused, shown))),
            ..self
        }
    }

    /// Why a store did not answer: for the operator, who reads this.
    pub(crate) fn cause(&self) -> Option<String> {
        let mut cause = self.verdict.as_ref().err()?.source();
        let mut causes = Vec::new();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        (!causes.is_empty()).then(|| causes.join(": "))
    }

    /// A headline and the facts.
    pub(crate) fn text(&self, out: &mut impl Write) -> io::Result<()> {
        match self.verdict {
            Ok(admitted) => {
                let scheme = Some(admitted.scheme().name());
                self.headline(out, GOOD, "✔ admitted", Some(admitted.action()), scheme)?;
                let principal = admitted.principal();
                let whose = match principal.sub_uin() {
                    None => format!("account {}", principal.uin()),
                    Some(sub_uin) => {
                        format!("sub-account {sub_uin} of account {}", principal.uin())
                    }
                };
                let whose = format!("{whose}, key {}", admitted.secret_id());
                fact(out, "principal", Style::new(), &whose)?;
                if !admitted.uncovered().is_empty() {
                    let parts: Vec<String> = admitted
                        .uncovered()
                        .iter()
                        .map(ToString::to_string)
                        .collect();
                    fact(out, "not covered", Style::new(), &parts.join(", "))?;
                }
            }
            Err(refused) => {
                let scheme = refused.scheme().map(|scheme| scheme.name());
                self.headline(out, BAD, "✘ refused", refused.action(), scheme)?;
                let code = refused.code();
                let code = match code.number() {
                    None => code.name().to_owned(),
                    Some(number) => format!("{number} {}", code.name()),
                };
                fact(out, "code", STRONG, &code)?;
                let check = match refused.check() {
                    None => refused.reason().id().to_owned(),
                    Some(check) => format!("{check} ({})", refused.reason().id()),
                };
                fact(out, "check", Style::new(), &check)?;
                fact(out, "message", Style::new(), &refused.message())?;
                if let Some(cause) = self.cause() {
                    fact(out, "cause", Style::new(), &cause)?;
                }
                let explanation = self.explanation.as_ref().and_then(Option::as_ref);
                if let Some(explanation) = explanation {
                    explanation.findings_text(out)?;
                }
                let wanted = refused.check() == Some(Check::Signature)
                    || explanation.is_some_and(|explanation| !explanation.is_found());
                if let Some(text) = self.string_to_sign.as_ref().filter(|_| wanted) {
                    string_to_sign(out, text)?;
                }
                if let Some(explanation) = explanation {
                    explanation.difference_text(out)?;
                }
            }
        }
        Ok(())
    }

    fn headline(
        &self,
        out: &mut impl Write,
        style: Style,
        verdict: &str,
        action: Option<&str>,
        scheme: Option<&str>,
    ) -> io::Result<()> {
        let file = printable(self.file);
        write!(
            out,
            "{style}{verdict:<10}{style:#}  {STRONG}{file}{STRONG:#}"
        )?;
        for part in [action, scheme].into_iter().flatten() {
            write!(out, "  {}", printable(part))?;
        }
        writeln!(out)
    }

    /// One object in one line.
    pub(crate) fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let explanation = self.explanation.as_ref().and_then(Option::as_ref);
        let diagnosis = self.explanation.as_ref().map(|_| {
            explanation
                .map(Explanation::findings_json)
                .unwrap_or_default()
        });
        let difference = explanation.and_then(Explanation::difference_json);
        let line = match self.verdict {
            Ok(admitted) => Line {
                file: self.file,
                verdict: "admitted",
                scheme: Some(admitted.scheme().name()),
                dialect: admitted.dialect().name(),
                secret_id: self.secret_id,
                action: Some(admitted.action()),
                reason: None,
                check: None,
                codes: None,
                message: None,
                response: None,
                string_to_sign: self.string_to_sign.as_deref(),
                uncovered: admitted
                    .uncovered()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
                diagnosis,
                difference,
            },
            Err(refused) => Line {
                file: self.file,
                verdict: "refused",
                scheme: refused.scheme().map(|scheme| scheme.name()),
                dialect: refused.dialect().name(),
                secret_id: self.secret_id,
                action: refused.action(),
                reason: Some(refused.reason().id()),
                check: refused.check().map(Check::id),
                codes: Some(Codes::of(refused.reason(), &Dialect::ALL)),
                message: Some(refused.message()),
                response: Some(refused.response(REQUEST_ID)),
                string_to_sign: self.string_to_sign.as_deref(),
                uncovered: Vec::new(),
                diagnosis,
                difference,
            },
        };
        object(out, &line)
    }
}

/// What a program reads about a request.
#[derive(Serialize)]
struct Line<'c> {
    file: &'c str,
    verdict: &'static str,
    scheme: Option<&'static str>,
    dialect: &'static str,
    secret_id: Option<&'c str>,
    action: Option<&'c str>,
    reason: Option<&'static str>,
    check: Option<&'static str>,
    codes: Option<Codes>,
    message: Option<String>,
    response: Option<String>,
    string_to_sign: Option<&'c str>,
    uncovered: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnosis: Option<Vec<Found<'c>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<Option<Differing<'c>>>,
}

/// The codes of one reason; dialects that were not asked for are left out.
#[derive(Default, Serialize)]
pub(crate) struct Codes {
    #[serde(skip_serializing_if = "Option::is_none")]
    v2: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v2_numeric: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v3: Option<&'static str>,
}

impl Codes {
    pub(crate) fn of(reason: &Reason, dialects: &[Dialect]) -> Self {
        let code = |dialect| dialects.contains(&dialect).then(|| reason.code(dialect));
        Self {
            v2: code(Dialect::V2).map(|code| code.name()),
            v2_numeric: code(Dialect::V2Numeric).and_then(|code| code.number()),
            v3: code(Dialect::V3).map(|code| code.name()),
        }
    }
}

pub(crate) fn object(out: &mut impl Write, object: &impl Serialize) -> io::Result<()> {
    let line = serde_json::to_string(object)?;
    writeln!(out, "{line}")
}

/// How many requests had which fate.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) admitted: usize,
    pub(crate) refused: usize,
    pub(crate) unreadable: usize,
}

impl Summary {
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self {
            admitted,
            refused,
            unreadable,
        } = self;
        if *admitted > 0 || *refused > 0 {
            writeln!(out)?;
        }
        write!(
            out,
            "{GOOD}{admitted} admitted{GOOD:#}, {BAD}{refused} refused{BAD:#}"
        )?;
        if *unreadable > 0 {
            write!(out, ", {BAD}{unreadable} could not be read{BAD:#}")?;
        }
        writeln!(out)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self {
                unreadable: 1.., ..
            } => Outcome::Unreadable,
            Self { refused: 1.., .. } => Outcome::Refused,
            Self { .. } => Outcome::Good,
        }
    }
}

/// What the client should have signed, as it is: a line break that is not in it would mislead.
fn string_to_sign(out: &mut impl Write, text: &str) -> io::Result<()> {
    let text = without_token(text);
    let shown: String = text.chars().take(SHOWN).collect();
    let mut label = "to be signed";
    for line in shown.split('\n') {
        let line = printable(line);
        writeln!(out, "{:INDENT$}{FAINT}{label:<LABEL$}{FAINT:#}{line}", "")?;
        label = "";
    }
    if shown.len() < text.len() {
        let more = "(cut here; --format json shows all of it)";
        writeln!(out, "{:INDENT$}{:LABEL$}{FAINT}{more}{FAINT:#}", "", "")?;
    }
    Ok(())
}
