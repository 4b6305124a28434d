//! Subcommand `codes`: the table of reasons, each with its check, its code in each dialect and its message.

use std::io::{self, Write};

use qcloud_validator::{Check, Dialect, Language, Reason, Rejection};
use serde::Serialize;

use crate::command::arguments::{DialectName, Format, LanguageName};
use crate::outcome::Outcome;
use crate::report::text::{FAINT, STRONG, wrapped};
use crate::report::{Codes, object};

/// Print every reason for a refusal, with its code in each dialect.
///
/// The values in the messages are examples.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  qcloud-validator codes
  qcloud-validator codes --dialect v3 --format json")]
pub(crate) struct Args {
    /// Only this dialect: `v2` has codes in words, `v2-numeric` in numbers, `v3` is API 3.0
    #[arg(long, value_enum)]
    dialect: Option<DialectName>,

    /// Format of the table
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Language of the messages
    #[arg(long, value_enum, default_value_t = LanguageName::EnUs)]
    language: LanguageName,
}

/// What a program reads about a reason.
#[derive(Serialize)]
struct Line {
    reason: &'static str,
    check: Option<&'static str>,
    codes: Codes,
    message: String,
}

pub(crate) fn run(args: &Args, out: &mut impl Write) -> io::Result<Outcome> {
    let dialects = match args.dialect {
        Some(dialect) => vec![dialect.into()],
        None => Dialect::ALL.to_vec(),
    };
    // The texts of V2 and V3 differ in a few places.
    let spoken = dialects.first().copied().unwrap_or(Dialect::V2);
    let language: Language = args.language.into();
    if args.format == Format::Text {
        heading(out, &dialects)?;
    }
    for reason in Reason::examples() {
        let message = Rejection::new(reason.clone(), spoken, language).message();
        match args.format {
            Format::Text => text(out, &reason, &dialects, &message)?,
            Format::Json => object(
                out,
                &Line {
                    reason: reason.id(),
                    check: reason.check().map(Check::id),
                    codes: Codes::of(&reason, &dialects),
                    message,
                },
            )?,
        }
    }
    Ok(Outcome::Good)
}

fn heading(out: &mut impl Write, dialects: &[Dialect]) -> io::Result<()> {
    let mut line = format!("{:<27} {:<10}", "reason", "check");
    for dialect in dialects {
        line.push_str(&format!(
            " {:<width$}",
            dialect.name(),
            width = width(*dialect)
        ));
    }
    writeln!(out, "{STRONG}{}{STRONG:#}", line.trim_end())
}

fn text(
    out: &mut impl Write,
    reason: &Reason,
    dialects: &[Dialect],
    message: &str,
) -> io::Result<()> {
    let check = reason.check().map_or("-", Check::id);
    let mut codes = String::new();
    for dialect in dialects {
        let code = reason.code(*dialect).to_string();
        codes.push_str(&format!(" {code:<width$}", width = width(*dialect)));
    }
    let id = reason.id();
    writeln!(
        out,
        "{STRONG}{id:<27}{STRONG:#} {check:<10}{}",
        codes.trim_end()
    )?;
    for line in wrapped(message, 96) {
        writeln!(out, "    {FAINT}{line}{FAINT:#}")?;
    }
    Ok(())
}

/// Columns of the longest code.
fn width(dialect: Dialect) -> usize {
    match dialect {
        Dialect::V2Numeric => 10,
        _ => 40,
    }
}
