//! Tables `[[account]]`, `[[action]]` and `[permissions]`: who may do what.

use qcloud_validator::memory::{
    AccountRules, ActionRules, Effect, MemoryPermissions, MfaDemand, Rule,
};
use qcloud_validator::store::{AccountStanding, ActionStanding};

use super::{Seen, required};
use crate::config::files::Files;
use crate::config::json_resources;
use crate::config::toml_table::{Choices, Fault, Table};

/// The tables `[[account]]` and `[[action]]`.
pub(super) struct Permissions {
    pub(super) rules: MemoryPermissions,
    /// Where the first of them begins.
    pub(super) line: Option<usize>,
}

pub(super) fn permissions(file: &mut Table<'_>) -> Result<Permissions, Fault> {
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
pub(super) fn permissions_file(
    mut table: Table<'_>,
    files: &mut Files,
) -> Result<MemoryPermissions, Fault> {
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
