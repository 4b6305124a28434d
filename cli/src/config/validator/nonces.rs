//! Table `[nonces]`: how used nonces are remembered.

use std::path::PathBuf;

use qcloud_validator::memory::NonceCapacity;
use qcloud_validator::store::AfterRestart;

use super::size;
use crate::config::files::Files;
use crate::config::toml_table::{Fault, Table};

/// How used nonces are remembered.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct NonceRules {
    pub(crate) capacity: NonceCapacity,
    /// Not set: the command decides.
    pub(crate) after_restart: Option<AfterRestart>,
    /// Where they are between two runs.
    pub(crate) file: Option<PathBuf>,
}

pub(super) fn nonces(mut table: Table<'_>, files: &Files) -> Result<NonceRules, Fault> {
    let default = NonceCapacity::default();
    let total = size(&mut table, "total")?.unwrap_or(default.total());
    let per_secret_id =
        size(&mut table, "per_secret_id")?.unwrap_or(default.per_secret_id().min(total));
    let capacity = NonceCapacity::new(total, per_secret_id)
        .map_err(|error| table.fault(table.line(), "per_secret_id", error.to_string()))?;
    let after_restart = table.choice(
        "after_restart",
        &[
            ("refuse-dated-before", AfterRestart::RefuseDatedBefore),
            ("refuse-for-one-window", AfterRestart::RefuseForOneWindow),
            ("insecure-admit", AfterRestart::InsecureAdmit),
        ],
    )?;
    let file = table.text("file")?;
    let file = file.map(|file| files.path(&*file.value));
    table.finish()?;
    Ok(NonceRules {
        capacity,
        after_restart,
        file,
    })
}
