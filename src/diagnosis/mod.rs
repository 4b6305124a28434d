//! Data of a diagnosis: the mistakes that were found, and where two texts differ. The search that finds them is elsewhere.

mod difference;
mod mistake;
mod shown;

use std::fmt;

use crate::scheme::Language;

pub use difference::Difference;
pub use mistake::{Area, Mistake, Occurrence};
pub(crate) use shown::shown;

/// Why a request was refused, for the client's author and the operator.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnosis {
    outcome: Outcome,
    findings: Vec<Finding>,
    string_to_sign: Option<String>,
}

/// How far a diagnosis got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The findings together explain the refusal.
    Explained,
    /// No known mistake explains it.
    Unexplained,
    /// The allowance was used up before everything was tried.
    BudgetSpent,
}

/// One mistake that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    mistake: Mistake,
    evidence: String,
}

impl Finding {
    pub(crate) fn new(mistake: Mistake, evidence: impl Into<String>) -> Self {
        Self {
            mistake,
            evidence: evidence.into(),
        }
    }

    /// Adds to the evidence.
    pub(crate) fn add(&mut self, text: &str) {
        self.evidence.push_str(text);
    }

    /// Which mistake.
    #[must_use]
    pub fn mistake(&self) -> Mistake {
        self.mistake
    }

    /// The stable name of the mistake.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.mistake.id()
    }

    /// Where the mistake is and what shows it: names, places and texts of the request, no secret. May be empty.
    #[must_use]
    pub fn evidence(&self) -> &str {
        &self.evidence
    }
}

impl Diagnosis {
    pub(crate) fn new(
        outcome: Outcome,
        findings: Vec<Finding>,
        string_to_sign: Option<String>,
    ) -> Self {
        Self {
            outcome,
            findings,
            string_to_sign,
        }
    }

    /// How far it got.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The mistakes, the most certain first. Several together explain the refusal.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The server's string to sign, from the client's own parameters; for TC3 preceded by the canonical request and a
    /// blank line. It holds every signed parameter, a token too.
    #[must_use]
    pub fn string_to_sign(&self) -> Option<&str> {
        self.string_to_sign.as_deref()
    }

    /// Where the client's own string to sign (or canonical request) first differs from the server's.
    #[must_use]
    pub fn difference(&self, client: &str) -> Option<Difference> {
        Difference::between(self.string_to_sign.as_deref()?, client)
    }

    /// Returns the causes and fixes that may be added to the message for the client: none about keys, which concern their
    /// owner alone.
    pub(crate) fn for_client(&self, language: Language) -> Option<String> {
        let told: Vec<String> = self
            .findings
            .iter()
            .filter(|finding| finding.mistake.area() != Area::Credential)
            .map(|finding| {
                let mistake = finding.mistake;
                format!(
                    "[{}] {} {}",
                    mistake.id(),
                    mistake.cause(language),
                    mistake.fix(language)
                )
            })
            .collect();
        (!told.is_empty() && told.len() == self.findings.len()).then(|| told.join(" "))
    }
}

impl fmt::Debug for Diagnosis {
    /// Does not show the string to sign: it may hold a token, or a key that was sent as an id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Diagnosis")
            .field("outcome", &self.outcome)
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Diagnosis {
    /// A readable text in English of several lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.findings.is_empty() {
            return f.write_str(match self.outcome {
                Outcome::BudgetSpent => {
                    "the search was cut short before a known mistake explained this"
                }
                Outcome::Explained | Outcome::Unexplained => "no known mistake explains this",
            });
        }
        for (index, finding) in self.findings.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            let mistake = finding.mistake;
            writeln!(f, "{}: {}", mistake.id(), mistake.cause(Language::EnUs))?;
            if !finding.evidence.is_empty() {
                writeln!(f, "  found: {}", finding.evidence)?;
            }
            write!(f, "  fix: {}", mistake.fix(Language::EnUs))?;
        }
        Ok(())
    }
}
