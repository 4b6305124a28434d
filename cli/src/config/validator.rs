//! Decides what a credentials file says: who may sign, who may do what, how often, and the policy. It is taken as a whole
//! or not at all.

use std::collections::HashMap;
use std::env;
use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use qcloud_validator::memory::{
    AccountRules, ActionRules, Effect, MemoryPermissions, MemoryQuotas, MfaDemand, NonceCapacity,
    Rule,
};
#[cfg(all(feature = "serve", feature = "redis"))]
use qcloud_validator::redis::{RedisQuotas, RedisStores};
use qcloud_validator::store::{
    AccountStanding, ActionStanding, AfterRestart, Credential, CredentialState, LimitScope, Mfa,
    Principal, QuotaRule, RateRule,
};
use qcloud_validator::{
    DiagnosisRule, HttpsRule, Language, Limits, Policy, PolicyBuilder, ReplayScope, SecretKey,
    Tolerance, UnixTime, UnsignedPart,
};

use crate::config::files::{Files, Kinds, Reading};
use crate::config::host;
use crate::config::json_resources;
use crate::config::toml_table::{Choices, Fault, Table};

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

/// How used nonces are remembered.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct NonceRules {
    pub(crate) capacity: NonceCapacity,
    /// Not set: the command decides.
    pub(crate) after_restart: Option<AfterRestart>,
    /// Where they are between two runs.
    pub(crate) file: Option<PathBuf>,
}

/// How often. Rules of their own, since more than one kind of store counts by them.
#[derive(Default, PartialEq)]
pub(crate) struct LimitRules {
    pub(crate) rates: Vec<RateRule>,
    pub(crate) quotas: Vec<QuotaRule>,
}

impl LimitRules {
    /// A store in memory, in which nothing has been drawn.
    pub(crate) fn in_memory(&self) -> MemoryQuotas {
        let rates = self.rates.iter().cloned();
        let quotas = self.quotas.iter().cloned();
        let store = rates.fold(MemoryQuotas::new(), MemoryQuotas::with_rate);
        quotas.fold(store, MemoryQuotas::with_quota)
    }

    /// What all gateways draw from together.
    #[cfg(all(feature = "serve", feature = "redis"))]
    pub(crate) fn in_redis(&self, redis: &RedisStores) -> RedisQuotas {
        let rates = self.rates.iter().cloned();
        let quotas = self.quotas.iter().cloned();
        let store = rates.fold(redis.quotas(), RedisQuotas::with_rate);
        quotas.fold(store, RedisQuotas::with_quota)
    }
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

fn credential(
    mut table: Table<'_>,
    files: &mut Files,
    seen: &mut Seen,
) -> Result<Credential, Fault> {
    let secret_id = required(&mut table, "secret_id")?;
    seen.once(&table, "secret_id", secret_id.clone())?;
    let key = secret(
        &mut table,
        ["secret_key", "secret_key_env", "secret_key_file"],
        files,
    )?;
    let key = key.ok_or_else(|| {
        let wrong = "expected one of secret_key, secret_key_env, secret_key_file";
        table.fault(table.line(), "secret_key", wrong)
    })?;
    let key = SecretKey::new(key)
        .map_err(|error| table.fault(table.line(), "secret_key", error.to_string()))?;
    let token = secret(&mut table, ["token", "token_env", "token_file"], files)?;
    let expires = table.instant("token_expires")?;
    if let (None, Some(expires)) = (&token, &expires) {
        let wrong = "expected only with token, token_env or token_file";
        return Err(table.fault(expires.line, "token_expires", wrong));
    }
    let account = uin(&mut table, "account")?.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
    let principal = match uin(&mut table, "sub_account")? {
        Some(sub_account) => Principal::sub_account(account, sub_account),
        None => Principal::account(account),
    };
    let state = table.choice(
        "state",
        &[
            ("enabled", CredentialState::Enabled),
            ("disabled", CredentialState::Disabled),
        ],
    )?;
    let mfa = table.choice(
        "mfa",
        &[("verified", Mfa::Verified), ("unverified", Mfa::Unverified)],
    )?;
    table.finish()?;
    let credential = match token {
        None => Credential::permanent(secret_id, key, principal),
        Some(token) => {
            let expires = expires.map(|expires| UnixTime::from_seconds(expires.value));
            Credential::temporary(secret_id, key, principal, token, expires)
        }
    };
    Ok(credential
        .with_state(state.unwrap_or_default())
        .with_mfa(mfa.unwrap_or_default()))
}

/// A secret in the file itself, in an environment variable, or in a file of its own: at most one of the three. None of
/// the three fields is quoted in a fault: any of them may hold the secret by mistake.
pub(crate) fn secret(
    table: &mut Table<'_>,
    names: [&'static str; 3],
    files: &mut Files,
) -> Result<Option<Vec<u8>>, Fault> {
    let [name, name_env, name_file] = names;
    let Some(here) = table.text(name)? else {
        return secret_elsewhere(table, names, files);
    };
    // Neither a variable nor a file is read where they may not be named.
    match (table.text(name_env)?, table.text(name_file)?) {
        (None, None) => {
            files.found_secret_inline();
            Ok(Some(here.value.into_owned().into_bytes()))
        }
        _ => Err(more_than_one(table, names)),
    }
}

/// The same where the first of the three is something other than text.
pub(crate) fn secret_elsewhere(
    table: &mut Table<'_>,
    names: [&'static str; 3],
    files: &mut Files,
) -> Result<Option<Vec<u8>>, Fault> {
    let [_, name_env, name_file] = names;
    let variable = table.text(name_env)?;
    let file = table.text(name_file)?;
    match (variable, file) {
        (None, None) => Ok(None),
        (Some(variable), None) => match env::var(&*variable.value) {
            Ok(secret) if !secret.is_empty() => Ok(Some(secret.into_bytes())),
            _ => Err(table.fault(
                variable.line,
                name_env,
                "expected the name of an environment variable that is set and not empty",
            )),
        },
        (None, Some(file)) => match files.secret(&files.path(&*file.value)) {
            Ok(text) => match without_line_end(&text) {
                "" => Err(table.fault(file.line, name_file, "expected a file that is not empty")),
                secret => Ok(Some(secret.as_bytes().to_vec())),
            },
            Err(error) => {
                let wrong = format!("expected a file that can be read: {error}");
                Err(table.fault(file.line, name_file, wrong))
            }
        },
        (Some(_), Some(_)) => Err(more_than_one(table, names)),
    }
}

fn more_than_one(table: &Table<'_>, [name, name_env, name_file]: [&'static str; 3]) -> Fault {
    let wrong = format!("expected only one of {name}, {name_env}, {name_file}");
    table.fault(table.line(), name, wrong)
}

/// Without one line end, which editors and `echo` add.
fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// Whose key it is. It stands in a header, in which `none` says that there is no such account.
fn uin(table: &mut Table<'_>, name: &'static str) -> Result<Option<String>, Fault> {
    let Some(uin) = table.text(name)? else {
        return Ok(None);
    };
    let is_visible = uin.value.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible || uin.value.eq_ignore_ascii_case("none") {
        let wrong = "expected printable ASCII without blanks, and not `none`";
        return Err(table.fault(uin.line, name, wrong));
    }
    Ok(Some(uin.value.into_owned()))
}

pub(crate) fn required(table: &mut Table<'_>, name: &'static str) -> Result<String, Fault> {
    match table.text(name)? {
        Some(text) => Ok(text.value.into_owned()),
        None => Err(table.missing(name)),
    }
}

/// The tables `[[account]]` and `[[action]]`.
struct Permissions {
    rules: MemoryPermissions,
    /// Where the first of them begins.
    line: Option<usize>,
}

fn permissions(file: &mut Table<'_>) -> Result<Permissions, Fault> {
    let mut rules = MemoryPermissions::new().with_body_reader(json_resources::read);
    let (accounts, actions) = (file.tables("account")?, file.tables("action")?);
    let line = accounts.line().into_iter().chain(actions.line()).min();
    let mut seen = Seen::default();
    for table in accounts {
        let (uin, account) = account(table?, &mut seen)?;
        rules = rules.with_account(uin, account);
    }
    let mut seen = Seen::default();
    for table in actions {
        rules = rules.with_action(action(table?, &mut seen)?);
    }
    Ok(Permissions { rules, line })
}

/// The same tables in a file of their own.
fn permissions_file(mut table: Table<'_>, files: &mut Files) -> Result<MemoryPermissions, Fault> {
    let file = table.text("file")?.ok_or_else(|| table.missing("file"))?;
    let path = files.path(&*file.value);
    let text = files.text(&path).map_err(|error| {
        let wrong = format!("expected a file that can be read: {error}");
        table.fault(file.line, "file", wrong)
    })?;
    let rules = Table::parse(&text).and_then(|mut file| {
        let permissions = permissions(&mut file)?;
        file.finish()?;
        Ok(permissions.rules)
    });
    let rules = rules
        .map_err(|fault| table.fault(file.line, "file", format!("{}:{fault}", path.display())))?;
    table.finish()?;
    Ok(rules)
}

const MFA_DEMAND: Choices<'_, MfaDemand> = &[
    ("demanded", MfaDemand::Demanded),
    ("not-demanded", MfaDemand::NotDemanded),
];

fn account(mut table: Table<'_>, seen: &mut Seen) -> Result<(String, AccountRules), Fault> {
    let uin = required(&mut table, "uin")?;
    seen.once(&table, "uin", uin.clone())?;
    let standing = table.choice(
        "state",
        &[
            ("active", AccountStanding::Active),
            ("banned", AccountStanding::Banned),
        ],
    )?;
    let mut account = AccountRules::new()
        .with_standing(standing.unwrap_or(AccountStanding::Active))
        .with_mfa(table.choice("mfa", MFA_DEMAND)?.unwrap_or_default());
    for rule in rules(&mut table)? {
        account = account.with_rule(rule);
    }
    let mut seen = Seen::default();
    for sub_account in table.tables("sub_account")? {
        let mut sub_account = sub_account?;
        let sub_uin = required(&mut sub_account, "uin")?;
        seen.once(&sub_account, "uin", sub_uin.clone())?;
        account = account.with_sub_account(sub_uin, rules(&mut sub_account)?);
        sub_account.finish()?;
    }
    table.finish()?;
    Ok((uin, account))
}

fn rules(table: &mut Table<'_>) -> Result<Vec<Rule>, Fault> {
    table.tables("rule")?.map(|table| rule(table?)).collect()
}

fn rule(mut table: Table<'_>) -> Result<Rule, Fault> {
    let effect = table
        .choice(
            "effect",
            &[("allow", Effect::Allow), ("deny", Effect::Deny)],
        )?
        .ok_or_else(|| table.missing("effect"))?;
    let actions = table
        .texts("actions")?
        .ok_or_else(|| table.missing("actions"))?;
    let resources = table
        .texts("resources")?
        .ok_or_else(|| table.missing("resources"))?;
    table.finish()?;
    Ok(Rule::new(effect, actions.value, resources.value))
}

fn action(mut table: Table<'_>, seen: &mut Seen) -> Result<ActionRules, Fault> {
    let name = required(&mut table, "name")?;
    let service = table.text("service")?;
    let of = service.as_ref().map_or("", |service| &*service.value);
    seen.once(&table, "name", format!("{of}\n{name}"))?;
    let mut action = ActionRules::new(name);
    if let Some(service) = service {
        action = action.with_service(service.value);
    }
    let standing = table.choice(
        "state",
        &[
            ("available", ActionStanding::Available),
            ("unavailable", ActionStanding::Unavailable),
        ],
    )?;
    if let Some(standing) = standing {
        action = action.with_standing(standing);
    }
    if let Some(audience) = table.texts("audience")? {
        if audience.value.is_empty() {
            let wrong = "expected at least one account; without the field the action is for all";
            return Err(table.fault(audience.line, "audience", wrong));
        }
        action = action.with_audience(audience.value);
    }
    action = action.with_mfa(table.choice("mfa", MFA_DEMAND)?.unwrap_or_default());
    if let Some(resources) = table.texts("resources")? {
        action = action.with_resources(resources.value);
    }
    table.finish()?;
    Ok(action)
}

const LIMIT_SCOPE: Choices<'_, LimitScope> = &[
    ("account", LimitScope::Account),
    ("principal", LimitScope::Principal),
];

fn rate(mut table: Table<'_>) -> Result<RateRule, Fault> {
    let limit = positive(&mut table, "limit")?.ok_or_else(|| table.missing("limit"))?;
    let period = positive(&mut table, "period_seconds")?.unwrap_or(NonZeroU32::MIN);
    let mut rate = RateRule::new(limit, period);
    if let Some(action) = table.text("action")? {
        rate = rate.on(action.value);
    }
    if let Some(account) = table.text("account")? {
        rate = rate.for_account(account.value);
    }
    rate = rate.per(table.choice("per", LIMIT_SCOPE)?.unwrap_or_default());
    table.finish()?;
    Ok(rate)
}

fn quota(mut table: Table<'_>) -> Result<QuotaRule, Fault> {
    let limit = table
        .number("limit", 0..=u64::MAX)?
        .ok_or_else(|| table.missing("limit"))?;
    let period =
        positive(&mut table, "period_seconds")?.ok_or_else(|| table.missing("period_seconds"))?;
    let mut quota = QuotaRule::new(limit, period);
    if let Some(action) = table.text("action")? {
        quota = quota.on(action.value);
    }
    if let Some(account) = table.text("account")? {
        quota = quota.for_account(account.value);
    }
    quota = quota.per(table.choice("per", LIMIT_SCOPE)?.unwrap_or_default());
    table.finish()?;
    Ok(quota)
}

fn positive(table: &mut Table<'_>, name: &'static str) -> Result<Option<NonZeroU32>, Fault> {
    let number = table.number(name, 1..=u64::from(u32::MAX))?;
    Ok(number
        .and_then(|number| u32::try_from(number).ok())
        .and_then(NonZeroU32::new))
}

fn nonces(mut table: Table<'_>, files: &Files) -> Result<NonceRules, Fault> {
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

/// What a policy takes for a limit, which also bounds the memory of the nonce store.
pub(crate) fn size(table: &mut Table<'_>, name: &'static str) -> Result<Option<usize>, Fault> {
    let number = table.number(name, 1..=1 << 30)?;
    Ok(number.and_then(|number| usize::try_from(number).ok()))
}

const REPLAY: Choices<'_, ReplayScope> = &[
    ("off", ReplayScope::Off),
    (
        "secret-id-timestamp-nonce",
        ReplayScope::SecretIdTimestampNonce,
    ),
    ("secret-id-nonce", ReplayScope::SecretIdNonce),
];

fn policy(mut table: Table<'_>) -> Result<PolicyBuilder, Fault> {
    let mut policy = Policy::builder();
    if let Some(seconds) = table.number("window_seconds", 1..=86_400)? {
        policy = policy.window_seconds(u32::try_from(seconds).unwrap_or(u32::MAX));
    }
    let tolerance = table.choice(
        "tolerance",
        &[
            ("compatible", Tolerance::Compatible),
            ("strict", Tolerance::Strict),
        ],
    )?;
    if let Some(tolerance) = tolerance {
        policy = policy.tolerance(tolerance);
    }
    let parts = table.choices(
        "insecure_accept_unsigned",
        &[
            ("at-values", UnsignedPart::AtValues),
            ("file-parts", UnsignedPart::FileParts),
            ("empty-values", UnsignedPart::EmptyValues),
        ],
    )?;
    for part in parts {
        policy = policy.insecure_accept_unsigned(part);
    }
    let https = table.choice(
        "https",
        &[
            ("everywhere", HttpsRule::Everywhere),
            ("legacy-only", HttpsRule::LegacyOnly),
            ("insecure-nowhere", HttpsRule::InsecureNowhere),
        ],
    )?;
    if let Some(https) = https {
        policy = policy.https(https);
    }
    if let Some(scope) = table.choice("replay_v2", REPLAY)? {
        policy = policy.replay_v2(scope);
    }
    if let Some(scope) = table.choice("replay_v1", REPLAY)? {
        policy = policy.replay_v1(scope);
    }
    if let Some(scope) = table.choice("replay_tc3", REPLAY)? {
        policy = policy.replay_tc3(scope);
    }
    let language = table.choice(
        "language",
        &[("en-US", Language::EnUs), ("zh-CN", Language::ZhCn)],
    )?;
    if let Some(language) = language {
        policy = policy.language(language);
    }
    let diagnosis = table.choice(
        "diagnosis",
        &[
            ("off", DiagnosisRule::Off),
            ("for-operator", DiagnosisRule::ForOperator),
            ("in-message", DiagnosisRule::InMessage),
        ],
    )?;
    if let Some(rule) = diagnosis {
        policy = policy.diagnosis(rule);
    }
    if let Some(hosts) = table.texts("public_hosts")? {
        if hosts.value.len() > 8 {
            return Err(table.fault(hosts.line, "public_hosts", "expected at most 8 hosts"));
        }
        for host in hosts.value {
            host::check(&host).map_err(|wrong| table.fault(hosts.line, "public_hosts", wrong))?;
            policy = policy.public_host(host);
        }
    }
    if let Some(services) = table.texts("services")? {
        if services.value.is_empty() {
            let wrong =
                "expected at least one service; without the field the host tells the service";
            return Err(table.fault(services.line, "services", wrong));
        }
        for service in services.value {
            policy = policy.service(service);
        }
    }
    if let Some(table) = table.table("limits")? {
        policy = policy.limits(limits(table)?);
    }
    table.finish()?;
    Ok(policy)
}

fn limits(mut table: Table<'_>) -> Result<Limits, Fault> {
    let mut limits = Limits::default();
    if let Some(bytes) = size(&mut table, "query_bytes")? {
        limits = limits.query_bytes(bytes);
    }
    if let Some(bytes) = size(&mut table, "form_bytes")? {
        limits = limits.form_bytes(bytes);
    }
    if let Some(bytes) = size(&mut table, "body_bytes")? {
        limits = limits.body_bytes(bytes);
    }
    if let Some(count) = size(&mut table, "parameters")? {
        limits = limits.parameters(count);
    }
    table.finish()?;
    Ok(limits)
}
