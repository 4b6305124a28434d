//! What holds for a main account and its sub-accounts, whatever they call.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::rules::Rule;
use crate::store::AccountStanding;

/// What holds for a main account and its sub-accounts.
#[derive(Clone, Debug)]
pub struct AccountRules {
    pub(super) standing: AccountStanding,
    pub(super) mfa: MfaDemand,
    pub(super) rules: Vec<Rule>,
    pub(super) sub_accounts: HashMap<Box<str>, Vec<Rule>, RandomState>,
}

impl AccountRules {
    /// An active account without rules, of which no MFA is demanded.
    #[must_use]
    pub fn new() -> Self {
        Self {
            standing: AccountStanding::Active,
            mfa: MfaDemand::NotDemanded,
            rules: Vec::new(),
            sub_accounts: HashMap::default(),
        }
    }

    /// The same account, active or banned.
    #[must_use]
    pub fn with_standing(self, standing: AccountStanding) -> Self {
        Self { standing, ..self }
    }

    /// The same account, with MFA demanded for whatever it and its sub-accounts do, or not.
    #[must_use]
    pub fn with_mfa(self, mfa: MfaDemand) -> Self {
        Self { mfa, ..self }
    }

    /// Adds a rule of the main account. Deny rules bind its sub-accounts too; allow rules grant it nothing that it does
    /// not have.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Adds rules of the sub-account with this uin.
    #[must_use]
    pub fn with_sub_account(
        mut self,
        sub_uin: impl Into<Box<str>>,
        rules: impl IntoIterator<Item = Rule>,
    ) -> Self {
        self.sub_accounts
            .entry(sub_uin.into())
            .or_default()
            .extend(rules);
        self
    }
}

impl Default for AccountRules {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether a session must have passed multi-factor authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum MfaDemand {
    /// It need not.
    #[default]
    NotDemanded,
    /// It must.
    Demanded,
}
