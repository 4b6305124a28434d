//! What holds for an action, whoever calls it.

use std::collections::HashSet;

use super::account::MfaDemand;
use super::resources::{self, Named};
use crate::form::Parameters;
use crate::store::{ActionStanding, Pattern, PermissionQuery};

/// What holds for an action.
#[derive(Clone, Debug)]
pub struct ActionRules {
    pub(super) name: Box<str>,
    pub(super) service: Option<Box<str>>,
    pub(super) standing: ActionStanding,
    pub(super) audience: HashSet<Box<str>>,
    pub(super) mfa: MfaDemand,
    pub(super) resources: Vec<Pattern>,
    /// The same with every `_` as `.`.
    pub(super) dotted: Vec<Pattern>,
}

impl ActionRules {
    /// The action with exactly this name: available to everybody, of all services, without MFA or resources.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self {
            name: name.into(),
            service: None,
            standing: ActionStanding::Available,
            audience: HashSet::new(),
            mfa: MfaDemand::NotDemanded,
            resources: Vec::new(),
            dotted: Vec::new(),
        }
    }

    /// The same action, of one service only. Only TC3 says which service it is for: to requests signed otherwise the
    /// entry does not apply.
    #[must_use]
    pub fn with_service(self, service: impl Into<Box<str>>) -> Self {
        Self {
            service: Some(service.into()),
            ..self
        }
    }

    /// The same action, available or not.
    #[must_use]
    pub fn with_standing(self, standing: ActionStanding) -> Self {
        Self { standing, ..self }
    }

    /// The same action, with MFA demanded or not.
    #[must_use]
    pub fn with_mfa(self, mfa: MfaDemand) -> Self {
        Self { mfa, ..self }
    }

    /// The same action, for these main accounts and their sub-accounts only; for everybody if the list is empty.
    #[must_use]
    pub fn with_audience<U: Into<Box<str>>>(self, uins: impl IntoIterator<Item = U>) -> Self {
        Self {
            audience: uins.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// The same action, whose parameters with these names, such as `InstanceIds.*`, name resources. As in signatures,
    /// `_` and `.` count as the same.
    #[must_use]
    pub fn with_resources<P: Into<Pattern>>(self, parameters: impl IntoIterator<Item = P>) -> Self {
        let resources: Vec<Pattern> = parameters.into_iter().map(Into::into).collect();
        let dotted = resources
            .iter()
            .map(|pattern| Pattern::new(pattern.text().replace('_', ".")))
            .collect();
        Self {
            resources,
            dotted,
            ..self
        }
    }

    pub(super) fn excludes(&self, query: &PermissionQuery<'_>) -> bool {
        !self.audience.is_empty() && !self.audience.contains(query.principal.uin())
    }

    /// The resources that parameters name.
    pub(super) fn named_in(&self, parameters: &Parameters<'_>) -> Vec<Named> {
        resources::named_in(parameters, &self.dotted)
    }
}
