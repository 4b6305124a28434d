//! Command line: runs `check`, `codes`, `sign` or `serve`, and turns the outcome into an exit code.

mod arguments;
mod check;
mod codes;
mod input;
mod sign;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::keys;
use crate::outcome::Outcome;
use crate::report::text::complain;
#[cfg(feature = "serve")]
use crate::serve;

/// Check, sign and serve signed Tencent Cloud API requests.
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
    #[cfg(feature = "serve")]
    Serve(serve::Args),
}

const EXAMPLES: &str = "\
Examples:
  qcloud-validator check --credentials examples/credentials.toml --at request examples/requests/*.http
  qcloud-validator codes --dialect v3
  qcloud-validator sign --action DescribeZones --version 2017-03-12";

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
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
        Command::Sign(args) => sign::run(args, &sources, &mut out),
        #[cfg(feature = "serve")]
        Command::Serve(args) => {
            drop(out);
            return serve::run(args, &sources).into();
        }
    };
    match outcome.and_then(|outcome| out.flush().map(|()| outcome)) {
        Ok(outcome) => outcome.into(),
        // The reader of the output has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Outcome::Unreadable.into(),
        Err(error) => {
            complain(&format!("the output cannot be written: {error}"));
            Outcome::Unreadable.into()
        }
    }
}
