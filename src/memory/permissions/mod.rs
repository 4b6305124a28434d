//! Decides who may do what, from rules in memory: which accounts are active, which actions there are, who may call which
//! of them, and on what.

use std::collections::HashMap;
use std::fmt;

use foldhash::fast::RandomState;

use crate::store::{
    AccountStanding, ActionStanding, Mfa, MfaStanding, PermissionQuery, PermissionStanding,
    PermissionStore, Standing, StoreError,
};

mod account;
mod action;
mod resources;
mod rules;
#[cfg(test)]
mod tests;

pub use account::{AccountRules, MfaDemand};
pub use action::ActionRules;
pub use resources::BodyReader;
use resources::Resources;
use rules::Rules;
pub use rules::{Effect, Rule};

/// Accounts, actions and rules, in memory. Built once, then only read; a reload builds another one.
///
/// # Who may do what
///
/// * A main account may do everything, except what a deny rule of its own forbids. One that is not listed is active and
///   has no rules.
/// * A sub-account may do nothing, except what an allow rule of its own grants. Deny rules, its own and those of its main
///   account, go before. One that is not listed has no rules, and so may do nothing.
/// * While no action is listed, every action is available. As soon as one is, those that are not listed are unknown.
///
/// # Resources
///
/// An action's [`ActionRules::with_resources`] says which parameters name resources. Each resource must be granted, and
/// none denied. A request that names no resource, or whose action has no such parameters, may touch everything: it is
/// decided by the rules for all resources (`*`) alone. A rule for some resources neither grants nor denies it.
///
/// Services find a parameter in more spellings than one: `instanceids`, or `InstanceIds` with one value for a list. Under
/// such a name a resource is denied where a rule denies it, and never granted. A request that spells a parameter in
/// both ways is denied.
///
/// Where the parameters are in the body and not in a form, they are read by the [`BodyReader`] given to
/// [`with_body_reader`](Self::with_body_reader). Without one the store cannot tell what the request would touch, and where
/// a rule depends on it, the answer is an error.
///
/// # Answers
///
/// | Situation | Answer |
/// |---|---|
/// | a deny rule for the action on all resources, or no allow rule for the action | [`ActionDenied`](PermissionStanding::ActionDenied) |
/// | a deny rule for all actions on the resource, or no allow rule for the resource | [`ResourceDenied`](PermissionStanding::ResourceDenied) |
/// | a deny rule for this action on the resource, or the resource is granted, but not with this action | [`ActionResourceDenied`](PermissionStanding::ActionResourceDenied) |
///
/// Where the account, MFA or the action refuse already, the permission is not checked, and stated as
/// [`ActionDenied`](PermissionStanding::ActionDenied).
///
/// ```
/// use qcloud_validator::memory::{AccountRules, ActionRules, Effect, MemoryPermissions, Rule};
///
/// let permissions = MemoryPermissions::new()
///     .with_action(ActionRules::new("DescribeRegions"))
///     .with_action(ActionRules::new("StopInstances").with_resources(["InstanceIds.*"]))
///     .with_account(
///         "100000000001",
///         AccountRules::new().with_sub_account(
///             "200000000001",
///             [Rule::new(Effect::Allow, ["StopInstances"], ["ins-dev-*"])],
///         ),
///     );
/// # let _ = permissions;
/// ```
#[derive(Default)]
pub struct MemoryPermissions {
    accounts: HashMap<Box<str>, AccountRules, RandomState>,
    actions: HashMap<Box<str>, Vec<ActionRules>, RandomState>,
    body_reader: Option<Box<dyn BodyReader>>,
}

impl MemoryPermissions {
    /// No accounts and no actions listed: main accounts may do everything, sub-accounts nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists the main account with this uin. Listed again, the last counts.
    #[must_use]
    pub fn with_account(mut self, uin: impl Into<Box<str>>, rules: AccountRules) -> Self {
        self.accounts.insert(uin.into(), rules);
        self
    }

    /// Lists an action. Listed again with the same service, the last counts.
    #[must_use]
    pub fn with_action(mut self, rules: ActionRules) -> Self {
        let listed = self.actions.entry(rules.name.clone()).or_default();
        listed.retain(|other| other.service != rules.service);
        listed.push(rules);
        self
    }

    /// Reads the names of resources out of bodies that are not forms.
    #[must_use]
    pub fn with_body_reader(mut self, reader: impl BodyReader + 'static) -> Self {
        self.body_reader = Some(Box::new(reader));
        self
    }

    /// The entry for the action and the service asked for, or else the one for all services. The case of a service is the
    /// client's choice, as it is in a host.
    fn action(&self, query: &PermissionQuery<'_>) -> Option<&ActionRules> {
        let listed = self.actions.get(query.action)?;
        let asked_for = |rules: &&ActionRules| match (&rules.service, query.service) {
            (Some(of), Some(service)) => of.eq_ignore_ascii_case(service),
            _ => false,
        };
        let for_all = |rules: &&ActionRules| rules.service.is_none();
        let for_one = listed.iter().find(asked_for);
        for_one.or_else(|| listed.iter().find(for_all))
    }

    fn permission(
        &self,
        query: &PermissionQuery<'_>,
        rules: &Rules<'_>,
        action: Option<&ActionRules>,
    ) -> Result<PermissionStanding, StoreError> {
        if rules.grant_everything() {
            return Ok(PermissionStanding::Allowed);
        }
        if !rules.may_call(query.action) {
            return Ok(PermissionStanding::ActionDenied);
        }
        let Resources { exact, loose } = match action {
            Some(action) if !action.resources.is_empty() => self.named(query, action)?,
            Some(_) | None => Resources::default(),
        };
        if exact.is_empty() && !rules.may_call_on_everything(query.action) {
            return Ok(PermissionStanding::ActionDenied);
        }
        let denial = loose
            .iter()
            .find_map(|resource| rules.denial(query.action, resource));
        let refusal = denial.or_else(|| {
            exact
                .iter()
                .find_map(|resource| rules.refusal(query.action, resource))
        });
        if let Some(refusal) = refusal {
            return Ok(refusal);
        }
        Ok(match loose.into_iter().next() {
            // Which of the two spellings counts is for the service to say.
            Some(ambiguous) if !exact.is_empty() => PermissionStanding::ResourceDenied {
                resource: ambiguous.into_text(),
            },
            Some(_) | None => PermissionStanding::Allowed,
        })
    }

    /// The resources that the request names.
    fn named(
        &self,
        query: &PermissionQuery<'_>,
        action: &ActionRules,
    ) -> Result<Resources, StoreError> {
        match (query.parameters, &self.body_reader) {
            (Some(parameters), _) => Ok(action.resources.named_in(parameters)),
            (None, Some(reader)) => action.resources.named_in_body(query, &**reader),
            (None, None) => Err(StoreError::new(format!(
                "the body of a {} request names resources, and is not a form: MemoryPermissions needs a reader of such \
                 bodies, see MemoryPermissions::with_body_reader",
                action.name
            ))),
        }
    }
}

impl PermissionStore for MemoryPermissions {
    fn decide(&self, query: &PermissionQuery<'_>) -> Result<Standing, StoreError> {
        let listed = self.accounts.get(query.principal.uin());
        let action = self.action(query);

        let mut standing = Standing {
            account: match listed.map_or(AccountStanding::Active, |rules| rules.standing) {
                AccountStanding::Active if action.is_some_and(|action| action.excludes(query)) => {
                    AccountStanding::NotInAudience
                }
                standing => standing,
            },
            mfa: match query.mfa {
                Mfa::Unverified
                    if listed.is_some_and(|rules| rules.mfa == MfaDemand::Demanded)
                        || action.is_some_and(|rules| rules.mfa == MfaDemand::Demanded) =>
                {
                    MfaStanding::Failed
                }
                Mfa::Unverified | Mfa::Verified => MfaStanding::Satisfied,
            },
            action: match action {
                Some(action) => action.standing,
                None if self.actions.is_empty() => ActionStanding::Available,
                None => ActionStanding::Unknown,
            },
            permission: PermissionStanding::ActionDenied,
        };
        if standing.account == AccountStanding::Active
            && standing.mfa == MfaStanding::Satisfied
            && standing.action == ActionStanding::Available
        {
            let rules = Rules::of(listed, query.principal.sub_uin());
            standing.permission = self.permission(query, &rules, action)?;
        }
        Ok(standing)
    }
}

impl fmt::Debug for MemoryPermissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryPermissions")
            .field("accounts", &self.accounts.len())
            .field("actions", &self.actions.len())
            .finish_non_exhaustive()
    }
}
