//! The program `qcloud-validator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    qcloud_validator_cli::run()
}
