//! Whether rules grant an action on a resource.

use super::account::AccountRules;
use super::resources::Resource;
use crate::store::{Pattern, PermissionStanding};

/// Grants or forbids actions on resources.
#[derive(Clone, Debug)]
pub struct Rule {
    effect: Effect,
    actions: Vec<Pattern>,
    resources: Vec<Pattern>,
}

impl Rule {
    /// A rule for each of `actions` on each of `resources`.
    ///
    /// An empty list is read so that less is allowed: in an allow rule it stands for nothing, in a deny rule for
    /// everything.
    #[must_use]
    pub fn new<A: Into<Pattern>, R: Into<Pattern>>(
        effect: Effect,
        actions: impl IntoIterator<Item = A>,
        resources: impl IntoIterator<Item = R>,
    ) -> Self {
        let mut actions: Vec<Pattern> = actions.into_iter().map(Into::into).collect();
        let mut resources: Vec<Pattern> = resources.into_iter().map(Into::into).collect();
        if effect == Effect::Deny {
            for patterns in [&mut actions, &mut resources] {
                if patterns.is_empty() {
                    patterns.push(Pattern::new("*"));
                }
            }
        }
        Self {
            effect,
            actions,
            resources,
        }
    }

    fn names_action(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| pattern.matches(action))
    }

    fn names_resource(&self, resource: &str) -> bool {
        self.resources
            .iter()
            .any(|pattern| pattern.matches(resource))
    }

    fn names_every_action(&self) -> bool {
        self.actions.iter().any(Pattern::matches_everything)
    }

    fn names_every_resource(&self) -> bool {
        self.resources.iter().any(Pattern::matches_everything)
    }
}

/// Whether a rule grants or forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a rule grants or forbids")]
pub enum Effect {
    /// It grants.
    Allow,
    /// It forbids.
    Deny,
}

/// The rules that bind one principal.
pub(super) struct Rules<'a> {
    pub(super) main: &'a [Rule],
    pub(super) own: &'a [Rule],
    /// Whether it is a sub-account, which needs to be allowed what it does; a main account does not.
    pub(super) of_sub_account: bool,
}

impl<'a> Rules<'a> {
    pub(super) fn of(account: Option<&'a AccountRules>, sub_uin: Option<&str>) -> Self {
        let own = account
            .zip(sub_uin)
            .and_then(|(account, sub_uin)| account.sub_accounts.get(sub_uin));
        Self {
            main: account.map_or(&[], |account| &account.rules),
            own: own.map_or(&[], Vec::as_slice),
            of_sub_account: sub_uin.is_some(),
        }
    }

    pub(super) fn grant_everything(&self) -> bool {
        !self.of_sub_account && !self.denied(|_| true)
    }

    /// Whether the action is granted on something, and not denied on everything.
    pub(super) fn may_call(&self, action: &str) -> bool {
        let denied = self.denied(|rule| rule.names_every_resource() && rule.names_action(action));
        !denied && self.allowed(|rule| rule.names_action(action))
    }

    pub(super) fn may_call_on_everything(&self, action: &str) -> bool {
        self.allowed(|rule| rule.names_every_resource() && rule.names_action(action))
    }

    /// Why the action may not be called on the resource.
    pub(super) fn refusal(&self, action: &str, resource: &Resource) -> Option<PermissionStanding> {
        if let Some(denial) = self.denial(action, resource) {
            return Some(denial);
        }
        let Resource::Text(resource) = resource else {
            return None;
        };
        if self.allowed(|rule| rule.names_action(action) && rule.names_resource(resource)) {
            return None;
        }
        let granted = self.allowed(|rule| rule.names_resource(resource));
        let resource = resource.clone();
        Some(if granted {
            PermissionStanding::ActionResourceDenied { resource }
        } else {
            PermissionStanding::ResourceDenied { resource }
        })
    }

    /// Why the action is forbidden on the resource, whatever is granted.
    pub(super) fn denial(&self, action: &str, resource: &Resource) -> Option<PermissionStanding> {
        let resource = match resource {
            Resource::Text(resource) => resource.clone(),
            Resource::NotText(resource) => {
                let resource = resource.clone();
                return Some(PermissionStanding::ResourceDenied { resource });
            }
        };
        if self.denied(|rule| rule.names_every_action() && rule.names_resource(&resource)) {
            return Some(PermissionStanding::ResourceDenied { resource });
        }
        if self.denied(|rule| rule.names_action(action) && rule.names_resource(&resource)) {
            return Some(PermissionStanding::ActionResourceDenied { resource });
        }
        None
    }

    fn denied(&self, by: impl Fn(&Rule) -> bool) -> bool {
        let mut rules = self.main.iter().chain(self.own);
        rules.any(|rule| rule.effect == Effect::Deny && by(rule))
    }

    fn allowed(&self, by: impl Fn(&Rule) -> bool) -> bool {
        let mut rules = self.own.iter();
        !self.of_sub_account || rules.any(|rule| rule.effect == Effect::Allow && by(rule))
    }
}
