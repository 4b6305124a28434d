//! Rules for an action that hold for every caller.

use std::collections::HashSet;

use super::account::MfaDemand;
use super::resources::ResourceFields;
use crate::store::{ActionStanding, Pattern, PermissionQuery};

/// What holds for an action.
#[derive(Clone, Debug)]
pub struct ActionRules {
    pub(super) name: Box<str>,
    pub(super) service: Option<Box<str>>,
    pub(super) standing: ActionStanding,
    pub(super) audience: HashSet<Box<str>>,
    pub(super) mfa: MfaDemand,
    pub(super) resources: ResourceFields,
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
            resources: ResourceFields::default(),
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
    /// `_` and `.` count as the same in the names of parameters.
    #[must_use]
    pub fn with_resources<P: Into<Pattern>>(self, parameters: impl IntoIterator<Item = P>) -> Self {
        let patterns = parameters.into_iter().map(Into::into).collect();
        Self {
            resources: ResourceFields::new(patterns),
            ..self
        }
    }

    pub(super) fn excludes(&self, query: &PermissionQuery<'_>) -> bool {
        !self.audience.is_empty() && !self.audience.contains(query.principal.uin())
    }
}
