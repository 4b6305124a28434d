//! Decides nothing about requests: reads the command line, runs `check`, `codes`, `sign` or `serve`, and turns the outcome into
//! an exit code.

mod check;
mod codes;
mod credentials_file;
mod explanation;
mod keys;
mod report;
mod requests;
mod resources;
#[cfg(feature = "gateway")]
mod serve;
mod sign;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use qcloud_validator::{Dialect, Language};

/// Tells whether signed Tencent Cloud API requests may proceed and, when not, the exact error code.
#[derive(Parser)]
#[command(name = "qcloud-validator", version, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Check(check::Args),
    Codes(codes::Args),
    Sign(sign::Args),
    #[cfg(feature = "gateway")]
    Serve(serve::Args),
}

const EXAMPLES: &str = "\
Examples:
  qcloud-validator check --credentials examples/credentials.toml --at request examples/requests/*.http
  qcloud-validator codes --dialect v3
  qcloud-validator sign --action DescribeZones --version 2017-03-12";

/// What went on, as the shell sees it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Every request was admitted, or there was nothing to check.
    Good,
    /// A request was refused.
    Refused,
    /// Something could not be read.
    Unreadable,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Good => 0,
            Outcome::Refused => 1,
            Outcome::Unreadable => 2,
        })
    }
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON object in each line.
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LanguageName {
    #[value(name = "en-US")]
    EnUs,
    #[value(name = "zh-CN")]
    ZhCn,
}

impl From<LanguageName> for Language {
    fn from(name: LanguageName) -> Self {
        match name {
            LanguageName::EnUs => Self::EnUs,
            LanguageName::ZhCn => Self::ZhCn,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum DialectName {
    V2,
    V2Numeric,
    V3,
}

impl From<DialectName> for Dialect {
    fn from(name: DialectName) -> Self {
        match name {
            DialectName::V2 => Self::V2,
            DialectName::V2Numeric => Self::V2Numeric,
            DialectName::V3 => Self::V3,
        }
    }
}

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let sources = matches
        .subcommand()
        .map(|(_, matches)| keys::Sources::of(matches))
        .unwrap_or_default();
    let mut out = anstream::stdout().lock();
    let outcome = match cli.command {
        Command::Check(args) => check::run(args, sources, &mut out),
        Command::Codes(args) => codes::run(&args, &mut out),
        Command::Sign(args) => sign::run(&args, &mut out),
        #[cfg(feature = "gateway")]
        Command::Serve(args) => {
            drop(out);
            return serve::run(args, &sources).into();
        }
    };
    match outcome.and_then(|outcome| out.flush().map(|()| outcome)) {
        Ok(outcome) => outcome.into(),
        // Whoever read the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Unreadable.into(),
        Err(error) => {
            complain(&format!("the output cannot be written: {error}"));
            Outcome::Unreadable.into()
        }
    }
}

/// One line on stderr. There is nowhere to report that this failed.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", report::printable(line));
}
