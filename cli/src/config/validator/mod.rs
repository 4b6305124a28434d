//! Credentials file: who may sign, who may do what, how often, and the policy. It is taken as a whole or not at all.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use qcloud_validator::memory::MemoryPermissions;
use qcloud_validator::store::Credential;
use qcloud_validator::{Policy, PolicyBuilder};

mod credential;
mod limits;
mod nonces;
mod permissions;
mod policy;
pub(crate) mod secret;

use crate::config::files::{Files, Kinds, Reading};
use crate::config::toml_table::{Fault, Table};
use credential::credential;
pub(crate) use limits::LimitRules;
use limits::{quota, rate};
pub(crate) use nonces::NonceRules;
use nonces::nonces;
use permissions::{permissions, permissions_file};
use policy::policy;

/// The account of a key that names none.
pub(crate) const DEFAULT_ACCOUNT: &str = "default";

/// What a validator is made of.
pub struct Setup {
    /// Keys, each with the principal that it belongs to.
    pub credentials: Vec<Credential>,
    pub(crate) permissions: Arc<MemoryPermissions>,
    pub(crate) limits: LimitRules,
    pub(crate) nonces: NonceRules,
    /// The policy, not yet checked as a whole.
    pub policy: PolicyBuilder,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            credentials: Vec::new(),
            permissions: Arc::new(MemoryPermissions::new()),
            limits: LimitRules::default(),
            nonces: NonceRules::default(),
            policy: Policy::builder(),
        }
    }
}

/// Reads a credentials file. The error is one line that names the file and holds no secret.
pub(crate) fn read(path: &Path) -> Result<Setup, String> {
    let name = path.display();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = Files::new(folder, Kinds::Any, Reading::default());
    let text = files.text(path);
    let text = text.map_err(|error| format!("{name}: cannot be read: {error}"))?;
    parsed(&text, &mut files).map_err(|fault| format!("{name}:{fault}"))
}

/// What the text of a credentials file says; `folder` is where the files that it names are.
///
/// # Errors
///
/// The first fault, with its line; it quotes no value.
pub fn parse(text: &str, folder: &Path) -> Result<Setup, Fault> {
    let mut files = Files::new(folder, Kinds::Any, Reading::default());
    parsed(text, &mut files)
}

fn parsed(text: &str, files: &mut Files) -> Result<Setup, Fault> {
    let mut file = Table::parse(text)?;
    let setup = setup(&mut file, files)?;
    file.skip(&GATEWAY_FIELDS);
    file.finish()?;
    Ok(setup)
}

/// What the same file may hold for `serve`, and is of no account elsewhere.
const GATEWAY_FIELDS: [&str; 6] = [
    "reload_seconds",
    "listener",
    "admin",
    "log",
    "connections",
    "redis",
];

/// Takes out of a file what it says about keys, permissions, limits and policy.
pub(crate) fn setup(file: &mut Table<'_>, files: &mut Files) -> Result<Setup, Fault> {
    let mut setup = Setup::default();
    let mut seen = Seen::default();
    for table in file.tables("credential")? {
        setup
            .credentials
            .push(credential(table?, files, &mut seen)?);
    }
    let own = permissions(file)?;
    setup.permissions = match file.table("permissions")? {
        None => Arc::new(own.rules),
        Some(table) => {
            if let Some(line) = own.line {
                let wrong = "expected no [[account]] and [[action]] beside [permissions]";
                return Err(file.fault(line, "account", wrong));
            }
            Arc::new(permissions_file(table, files)?)
        }
    };
    for table in file.tables("rate")? {
        setup.limits.rates.push(rate(table?)?);
    }
    for table in file.tables("quota")? {
        setup.limits.quotas.push(quota(table?)?);
    }
    if let Some(table) = file.table("nonces")? {
        setup.nonces = nonces(table, files)?;
    }
    if let Some(table) = file.table("policy")? {
        setup.policy = policy(table)?;
    }
    Ok(setup)
}

/// The names that tables of one kind have had, and on which lines.
#[derive(Default)]
struct Seen(HashMap<String, usize>);

impl Seen {
    /// A name may come once: of two tables with one name, one would be passed over.
    fn once(&mut self, table: &Table<'_>, field: &str, name: String) -> Result<(), Fault> {
        match self.0.insert(name, table.line()) {
            None => Ok(()),
            Some(first) => {
                let wrong = format!("expected once; the table on line {first} has the same");
                Err(table.fault(table.line(), field, wrong))
            }
        }
    }
}

fn required(table: &mut Table<'_>, name: &'static str) -> Result<String, Fault> {
    match table.text(name)? {
        Some(text) => Ok(text.value.into_owned()),
        None => Err(table.missing(name)),
    }
}

/// What a policy takes for a limit, which also bounds the memory of the nonce store.
fn size(table: &mut Table<'_>, name: &'static str) -> Result<Option<usize>, Fault> {
    let number = table.number(name, 1..=1 << 30)?;
    Ok(number.and_then(|number| usize::try_from(number).ok()))
}
