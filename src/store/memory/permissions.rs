//! Decides who may do what, from rules in memory: which accounts are active, which actions there are, who may call which
//! of them, and on what.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use foldhash::fast::RandomState;

use crate::form::Parameters;
use crate::store::{
    AccountStanding, ActionStanding, Mfa, MfaStanding, PermissionQuery, PermissionStanding,
    PermissionStore, Standing, StoreError,
};

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
/// judged by the rules for all resources (`*`) alone. A rule for some resources neither grants nor denies it.
///
/// Where the parameters are in the body and not in a form, they are read by the [`Resources`] given to
/// [`with_resources`](Self::with_resources). Without one the store cannot tell what the request would touch, and where a
/// rule depends on it, the answer is an error.
///
/// # Answers
///
/// | Situation | Answer |
/// |---|---|
/// | a deny rule for the action on all resources, or no allow rule for the action | [`ActionDenied`](PermissionStanding::ActionDenied) |
/// | a deny rule for all actions on the resource, or no allow rule for the resource | [`ResourceDenied`](PermissionStanding::ResourceDenied) |
/// | a deny rule for this action on the resource, or the resource is granted, but not with this action | [`ActionResourceDenied`](PermissionStanding::ActionResourceDenied) |
///
/// Where the account, MFA or the action refuse already, the permission is not judged, and stated as
/// [`ActionDenied`](PermissionStanding::ActionDenied).
///
/// ```
/// use qcloud_validator::store::{
///     AccountRules, ActionRules, Effect, MemoryPermissions, Rule,
/// };
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
    resources: Option<Box<dyn Resources>>,
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
    pub fn with_resources(mut self, resources: impl Resources + 'static) -> Self {
        self.resources = Some(Box::new(resources));
        self
    }

    /// The entry for the action and the service asked for, or else the one for all services.
    fn action(&self, query: &PermissionQuery<'_>) -> Option<&ActionRules> {
        let listed = self.actions.get(query.action)?;
        let of = |service: Option<&str>| {
            listed
                .iter()
                .find(|rules| rules.service.as_deref() == service)
        };
        of(query.service).or_else(|| of(None))
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
        let resources = match action {
            Some(action) if !action.resources.is_empty() => self.named(query, action)?,
            Some(_) | None => Vec::new(),
        };
        if resources.is_empty() && !rules.may_call_on_everything(query.action) {
            return Ok(PermissionStanding::ActionDenied);
        }
        let refusal = resources
            .into_iter()
            .find_map(|resource| rules.refusal(query.action, resource));
        Ok(refusal.unwrap_or(PermissionStanding::Allowed))
    }

    /// The resources that the request names. Those whose names are not UTF-8 are `Err`.
    fn named(
        &self,
        query: &PermissionQuery<'_>,
        action: &ActionRules,
    ) -> Result<Vec<Named>, StoreError> {
        match (query.parameters, &self.resources) {
            (Some(parameters), _) => Ok(action.named_in(parameters)),
            (None, Some(reader)) => {
                let resources = reader.in_body(query, &action.resources)?;
                Ok(resources.into_iter().map(Named::Text).collect())
            }
            (None, None) => Err(StoreError::new(format!(
                "the body of a {} request names resources, and is not a form: MemoryPermissions needs a reader of such \
                 bodies, see MemoryPermissions::with_resources",
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

/// Reads which resources a request names in a body that is not a form, such as JSON.
///
/// A closure will do:
///
/// ```
/// use qcloud_validator::store::{MemoryPermissions, Pattern, PermissionQuery, StoreError};
///
/// let permissions = MemoryPermissions::new().with_resources(
///     |query: &PermissionQuery<'_>, fields: &[Pattern]| {
///         let body = query.payload.bytes().ok_or_else(|| StoreError::new("no body"))?;
///         // Here the JSON in `body` is read, and the values of the matching fields are returned.
///         # let _ = (body, fields);
///         Ok::<Vec<String>, StoreError>(Vec::new())
///     },
/// );
/// # let _ = permissions;
/// ```
pub trait Resources: Send + Sync {
    /// Every resource named in a field that matches one of `fields`: the patterns of [`ActionRules::with_resources`]. A
    /// resource that is left out is not judged.
    ///
    /// # Errors
    ///
    /// When the body cannot be read; the request is refused with `CAMInnerError`.
    fn in_body(
        &self,
        query: &PermissionQuery<'_>,
        fields: &[Pattern],
    ) -> Result<Vec<String>, StoreError>;
}

impl<F> Resources for F
where
    F: Fn(&PermissionQuery<'_>, &[Pattern]) -> Result<Vec<String>, StoreError> + Send + Sync,
{
    fn in_body(
        &self,
        query: &PermissionQuery<'_>,
        fields: &[Pattern],
    ) -> Result<Vec<String>, StoreError> {
        self(query, fields)
    }
}

/// What holds for a main account and its sub-accounts.
#[derive(Clone, Debug)]
pub struct AccountRules {
    standing: AccountStanding,
    mfa: MfaDemand,
    rules: Vec<Rule>,
    sub_accounts: HashMap<Box<str>, Vec<Rule>, RandomState>,
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

/// What holds for an action.
#[derive(Clone, Debug)]
pub struct ActionRules {
    name: Box<str>,
    service: Option<Box<str>>,
    standing: ActionStanding,
    audience: HashSet<Box<str>>,
    mfa: MfaDemand,
    resources: Vec<Pattern>,
    /// The same with every `_` as `.`.
    dotted: Vec<Pattern>,
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
            .map(|pattern| Pattern::new(pattern.text.replace('_', ".")))
            .collect();
        Self {
            resources,
            dotted,
            ..self
        }
    }

    fn excludes(&self, query: &PermissionQuery<'_>) -> bool {
        !self.audience.is_empty() && !self.audience.contains(query.principal.uin())
    }

    fn named_in(&self, parameters: &Parameters<'_>) -> Vec<Named> {
        parameters
            .iter()
            .filter(|(name, _)| {
                let name = dotted(name);
                self.dotted.iter().any(|pattern| pattern.matches(&name))
            })
            .map(|(_, value)| match String::from_utf8(value.into_owned()) {
                Ok(resource) => Named::Text(resource),
                Err(not_text) => {
                    Named::NotText(String::from_utf8_lossy(not_text.as_bytes()).into_owned())
                }
            })
            .collect()
    }
}

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

/// A text in which each `*` stands for any characters, or none. Case matters; there is no way to mean a literal `*`.
///
/// ```
/// use qcloud_validator::store::Pattern;
///
/// assert!(Pattern::new("Describe*").matches("DescribeInstances"));
/// assert!(!Pattern::new("Describe*").matches("StopInstances"));
/// assert!(Pattern::new("Filters.*.Values.*").matches("Filters.0.Values.1"));
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    text: Box<str>,
    /// How much of it stands before the first `*`; all of it if there is none.
    start: usize,
}

impl Pattern {
    /// The pattern written as `text`.
    #[must_use]
    pub fn new(text: impl Into<Box<str>>) -> Self {
        let text = text.into();
        let start = text.find('*').unwrap_or(text.len());
        Self { text, start }
    }

    /// Whether the whole of `text` fits. Takes time in proportion to the two lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let (start, rest) = self.text.split_at(self.start);
        let rest = match rest.as_bytes() {
            [] => return start == text,
            [_] => return text.starts_with(start),
            [_, ..] => rest.strip_prefix('*').unwrap_or_default(),
        };
        let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(text) = text
            .strip_prefix(start)
            .and_then(|text| text.strip_suffix(end))
        else {
            return false;
        };
        // The first place where a piece fits leaves the most room for the following ones: no other need be tried.
        middle
            .split('*')
            .try_fold(text, |text, piece| {
                text.split_once(piece).map(|(_, rest)| rest)
            })
            .is_some()
    }

    #[cfg(feature = "redis")]
    pub(in crate::store) fn text(&self) -> &str {
        &self.text
    }

    fn matches_everything(&self) -> bool {
        self.start == 0 && !self.text.is_empty() && self.text.bytes().all(|byte| byte == b'*')
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.text).finish()
    }
}

impl<T: Into<Box<str>>> From<T> for Pattern {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// A resource as the request names it.
enum Named {
    Text(String),
    /// Not UTF-8, here with replacement characters: no pattern can be compared with it.
    NotText(String),
}

/// The rules that bind one principal.
struct Rules<'a> {
    main: &'a [Rule],
    own: &'a [Rule],
    /// Whether it is a sub-account, which needs to be allowed what it does; a main account does not.
    of_sub_account: bool,
}

impl<'a> Rules<'a> {
    fn of(account: Option<&'a AccountRules>, sub_uin: Option<&str>) -> Self {
        let own = account
            .zip(sub_uin)
            .and_then(|(account, sub_uin)| account.sub_accounts.get(sub_uin));
        Self {
            main: account.map_or(&[], |account| &account.rules),
            own: own.map_or(&[], Vec::as_slice),
            of_sub_account: sub_uin.is_some(),
        }
    }

    fn grant_everything(&self) -> bool {
        !self.of_sub_account && !self.denied(|_| true)
    }

    /// Whether the action is granted on something, and not denied on everything.
    fn may_call(&self, action: &str) -> bool {
        let denied = self.denied(|rule| rule.names_every_resource() && rule.names_action(action));
        !denied && self.allowed(|rule| rule.names_action(action))
    }

    fn may_call_on_everything(&self, action: &str) -> bool {
        self.allowed(|rule| rule.names_every_resource() && rule.names_action(action))
    }

    /// Why the action may not be called on the resource.
    fn refusal(&self, action: &str, resource: Named) -> Option<PermissionStanding> {
        let resource = match resource {
            Named::Text(resource) => resource,
            Named::NotText(resource) => {
                return Some(PermissionStanding::ResourceDenied { resource });
            }
        };
        if self.denied(|rule| rule.names_every_action() && rule.names_resource(&resource)) {
            return Some(PermissionStanding::ResourceDenied { resource });
        }
        if self.denied(|rule| rule.names_action(action) && rule.names_resource(&resource)) {
            return Some(PermissionStanding::ActionResourceDenied { resource });
        }
        if self.allowed(|rule| rule.names_action(action) && rule.names_resource(&resource)) {
            return None;
        }
        Some(if self.allowed(|rule| rule.names_resource(&resource)) {
            PermissionStanding::ActionResourceDenied { resource }
        } else {
            PermissionStanding::ResourceDenied { resource }
        })
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

/// The name of a parameter with every `_` as `.`.
fn dotted(name: &[u8]) -> Cow<'_, str> {
    let name = String::from_utf8_lossy(name);
    if name.contains('_') {
        Cow::Owned(name.replace('_', "."))
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Payload;
    use crate::scheme::Dialect;
    use crate::store::Principal;
    use Effect::{Allow, Deny};

    const MAIN: &str = "100000000001";
    const SUB: &str = "200000000001";

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("a", "a", true),
            ("a", "A", false),
            ("a", "ab", false),
            ("*", "", true),
            ("*", "anything", true),
            ("**", "anything", true),
            ("a*", "a", true),
            ("a*", "ab", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*ab*ab*", "abab", true),
            ("*ab*ab*", "aba", false),
            ("ab*bc", "abc", false),
            ("InstanceIds.*", "InstanceIds.0", true),
            ("InstanceIds.*", "InstanceIdsX0", false),
            ("实例-*", "实例-1", true),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(text),
                fits,
                "{pattern:?} on {text:?}"
            );
        }
    }

    #[test]
    fn a_pattern_made_to_backtrack_takes_no_time() {
        let pattern = Pattern::new("*a".repeat(2000) + "b");
        assert!(!pattern.matches(&"a".repeat(200_000)));
    }

    #[test]
    fn nothing_listed_admits_main_accounts_and_no_sub_account() {
        let permissions = MemoryPermissions::new();
        assert_eq!(main(&permissions, "StopInstances", ""), allowed());
        assert_eq!(
            sub(&permissions, "StopInstances", ""),
            PermissionStanding::ActionDenied
        );
        let standing = permissions
            .decide(&query(&principal(MAIN), "StopInstances"))
            .unwrap();
        assert_eq!(
            standing,
            Standing {
                account: AccountStanding::Active,
                mfa: MfaStanding::Satisfied,
                action: ActionStanding::Available,
                permission: PermissionStanding::Allowed,
            }
        );
    }

    #[test]
    fn an_unlisted_sub_account_of_a_listed_account_may_do_nothing() {
        let permissions = of(&[Rule::new(Allow, ["*"], ["*"])], &[]);
        assert_eq!(main(&permissions, "DescribeRegions", ""), allowed());
        let other = Principal::sub_account(MAIN, "200000000002");
        let standing = permissions
            .decide(&query(&other, "DescribeRegions"))
            .unwrap();
        assert_eq!(standing.permission, PermissionStanding::ActionDenied);
    }

    #[test]
    fn a_banned_account_is_banned_with_its_sub_accounts() {
        let permissions = MemoryPermissions::new().with_account(
            MAIN,
            AccountRules::new()
                .with_standing(AccountStanding::Banned)
                .with_sub_account(SUB, [Rule::new(Allow, ["*"], ["*"])]),
        );
        for principal in [principal(MAIN), Principal::sub_account(MAIN, SUB)] {
            let standing = permissions
                .decide(&query(&principal, "StopInstances"))
                .unwrap();
            assert_eq!(standing.account, AccountStanding::Banned);
            assert_eq!(standing.permission, PermissionStanding::ActionDenied);
        }
        let other = permissions.decide(&query(&principal("100000000002"), "StopInstances"));
        assert_eq!(other.unwrap().account, AccountStanding::Active);
    }

    #[test]
    fn an_action_may_be_for_some_accounts_only() {
        let permissions = MemoryPermissions::new()
            .with_action(ActionRules::new("BetaAction").with_audience([MAIN]))
            .with_action(ActionRules::new("StopInstances"));
        let standing = |uin, action| {
            let principal = principal(uin);
            permissions
                .decide(&query(&principal, action))
                .unwrap()
                .account
        };
        assert_eq!(standing(MAIN, "BetaAction"), AccountStanding::Active);
        assert_eq!(
            standing("100000000002", "BetaAction"),
            AccountStanding::NotInAudience
        );
        assert_eq!(
            standing("100000000002", "StopInstances"),
            AccountStanding::Active
        );
    }

    #[test]
    fn mfa_may_be_demanded_by_the_account_or_by_the_action() {
        let permissions = MemoryPermissions::new()
            .with_account(MAIN, AccountRules::new().with_mfa(MfaDemand::Demanded))
            .with_action(ActionRules::new("StopInstances"))
            .with_action(ActionRules::new("DeleteAll").with_mfa(MfaDemand::Demanded));
        let standing = |uin, action, mfa| {
            let principal = principal(uin);
            let query = PermissionQuery {
                mfa,
                ..query(&principal, action)
            };
            permissions.decide(&query).unwrap().mfa
        };
        assert_eq!(
            standing(MAIN, "StopInstances", Mfa::Unverified),
            MfaStanding::Failed
        );
        assert_eq!(
            standing(MAIN, "StopInstances", Mfa::Verified),
            MfaStanding::Satisfied
        );
        let other = "100000000002";
        assert_eq!(
            standing(other, "StopInstances", Mfa::Unverified),
            MfaStanding::Satisfied
        );
        assert_eq!(
            standing(other, "DeleteAll", Mfa::Unverified),
            MfaStanding::Failed
        );
        assert_eq!(
            standing(other, "DeleteAll", Mfa::Verified),
            MfaStanding::Satisfied
        );
    }

    #[test]
    fn a_catalogue_makes_other_actions_unknown() {
        let permissions = MemoryPermissions::new()
            .with_action(ActionRules::new("StopInstances"))
            .with_action(ActionRules::new("OldAction").with_standing(ActionStanding::Unavailable))
            .with_action(ActionRules::new("Invoke").with_service("scf"))
            .with_action(ActionRules::new("Send").with_standing(ActionStanding::Unavailable))
            .with_action(ActionRules::new("Send").with_service("sms"));
        let standing = |service, action| {
            let principal = principal(MAIN);
            let query = PermissionQuery {
                service,
                ..query(&principal, action)
            };
            permissions.decide(&query).unwrap().action
        };
        assert_eq!(standing(None, "StopInstances"), ActionStanding::Available);
        assert_eq!(
            standing(Some("cvm"), "StopInstances"),
            ActionStanding::Available
        );
        assert_eq!(standing(None, "stopinstances"), ActionStanding::Unknown);
        assert_eq!(standing(None, "OldAction"), ActionStanding::Unavailable);
        assert_eq!(standing(Some("scf"), "Invoke"), ActionStanding::Available);
        assert_eq!(standing(Some("cvm"), "Invoke"), ActionStanding::Unknown);
        assert_eq!(standing(None, "Invoke"), ActionStanding::Unknown);
        assert_eq!(standing(Some("sms"), "Send"), ActionStanding::Available);
        assert_eq!(standing(Some("cvm"), "Send"), ActionStanding::Unavailable);
        assert_eq!(standing(None, "Send"), ActionStanding::Unavailable);
    }

    #[test]
    fn an_action_or_account_listed_again_replaces_the_first() {
        let permissions = MemoryPermissions::new()
            .with_action(ActionRules::new("StopInstances"))
            .with_action(
                ActionRules::new("StopInstances").with_standing(ActionStanding::Unavailable),
            )
            .with_account(
                MAIN,
                AccountRules::new().with_standing(AccountStanding::Banned),
            )
            .with_account(MAIN, AccountRules::new());
        let standing = permissions
            .decide(&query(&principal(MAIN), "StopInstances"))
            .unwrap();
        assert_eq!(standing.action, ActionStanding::Unavailable);
        assert_eq!(standing.account, AccountStanding::Active);
        assert_eq!(
            format!("{permissions:?}"),
            "MemoryPermissions { accounts: 1, actions: 1, .. }"
        );
    }

    #[test]
    fn actions_are_granted_and_denied_by_name() {
        let permissions = of(
            &[],
            &[
                Rule::new(Allow, ["Describe*", "StopInstances"], ["*"]),
                Rule::new(Deny, ["DescribeSecrets"], ["*"]),
            ],
        );
        assert_eq!(sub(&permissions, "DescribeRegions", ""), allowed());
        assert_eq!(
            sub(&permissions, "DescribeSecrets", ""),
            PermissionStanding::ActionDenied
        );
        assert_eq!(
            sub(&permissions, "DeleteAll", ""),
            PermissionStanding::ActionDenied
        );
        assert_eq!(main(&permissions, "DeleteAll", ""), allowed());
    }

    #[test]
    fn what_the_main_account_is_denied_its_sub_accounts_are_too() {
        let permissions = of(
            &[
                Rule::new(Deny, ["DeleteAll"], ["*"]),
                Rule::new(Deny, ["*"], ["ins-crown"]),
                Rule::new(Deny, ["StopInstances"], ["ins-prod-*"]),
            ],
            &[Rule::new(Allow, ["*"], ["*"])],
        );
        for decide in [main, sub] {
            assert_eq!(
                decide(&permissions, "DeleteAll", ""),
                PermissionStanding::ActionDenied
            );
            assert_eq!(
                decide(&permissions, "StopInstances", "InstanceIds.0=ins-crown"),
                resource_denied("ins-crown")
            );
            assert_eq!(
                decide(&permissions, "StopInstances", "InstanceIds.0=ins-prod-1"),
                action_resource_denied("ins-prod-1")
            );
            assert_eq!(
                decide(&permissions, "RebootInstances", "InstanceIds.0=ins-prod-1"),
                allowed()
            );
            assert_eq!(
                decide(&permissions, "StopInstances", "InstanceIds.0=ins-dev-1"),
                allowed()
            );
        }
    }

    #[test]
    fn every_resource_must_be_granted() {
        let permissions = of(
            &[],
            &[
                Rule::new(Allow, ["StopInstances"], ["ins-dev-*", "ins-test-1"]),
                Rule::new(Allow, ["RebootInstances"], ["ins-prod-*"]),
            ],
        );
        let stop = |query| sub(&permissions, "StopInstances", query);
        assert_eq!(
            stop("InstanceIds.0=ins-dev-1&InstanceIds.1=ins-test-1"),
            allowed()
        );
        assert_eq!(
            stop("InstanceIds.0=ins-dev-1&InstanceIds.1=ins-prod-1"),
            action_resource_denied("ins-prod-1")
        );
        assert_eq!(
            stop("InstanceIds.0=ins-dev-1&InstanceIds.1=ins-other"),
            resource_denied("ins-other")
        );
        assert_eq!(stop("InstanceIds.0="), resource_denied(""));
        // What is no resource is not judged.
        assert_eq!(stop("InstanceIds.0=ins-dev-1&Zone=ins-other"), allowed());
    }

    #[test]
    fn without_a_resource_only_rules_for_all_resources_count() {
        let some = of(&[], &[Rule::new(Allow, ["*"], ["ins-dev-*"])]);
        assert_eq!(
            sub(&some, "StopInstances", ""),
            PermissionStanding::ActionDenied
        );
        assert_eq!(
            sub(&some, "StopInstances", "Zone=1"),
            PermissionStanding::ActionDenied
        );
        assert_eq!(
            sub(&some, "DescribeRegions", ""),
            PermissionStanding::ActionDenied
        );

        let all = of(
            &[],
            &[
                Rule::new(Allow, ["*"], ["*"]),
                Rule::new(Deny, ["*"], ["ins-crown"]),
            ],
        );
        assert_eq!(sub(&all, "StopInstances", ""), allowed());
        assert_eq!(sub(&all, "DescribeRegions", ""), allowed());
    }

    #[test]
    fn underscores_and_dots_in_names_are_the_same() {
        let permissions = of(&[], &[Rule::new(Allow, ["*"], ["ins-dev-*"])]);
        assert_eq!(
            sub(&permissions, "StopInstances", "InstanceIds_0=ins-prod-1"),
            resource_denied("ins-prod-1")
        );
        assert_eq!(
            sub(&permissions, "RebootInstances", "Instance.Id=ins-prod-1"),
            resource_denied("ins-prod-1")
        );
    }

    #[test]
    fn a_resource_that_is_not_text_is_denied_where_rules_decide() {
        let permissions = of(
            &[Rule::new(Deny, ["DeleteAll"], ["*"])],
            &[Rule::new(Allow, ["*"], ["*"])],
        );
        for decide in [main, sub] {
            assert_eq!(
                decide(&permissions, "StopInstances", "InstanceIds.0=ins-%FF"),
                resource_denied("ins-\u{fffd}")
            );
        }
    }

    #[test]
    fn empty_lists_are_read_so_that_less_is_allowed() {
        let nothing: [&str; 0] = [];
        let permissions = of(
            &[],
            &[
                Rule::new(Allow, ["StopInstances"], ["*"]),
                Rule::new(Allow, ["RebootInstances"], nothing),
                Rule::new(Allow, nothing, ["*"]),
            ],
        );
        assert_eq!(sub(&permissions, "StopInstances", ""), allowed());
        assert_eq!(
            sub(&permissions, "RebootInstances", ""),
            PermissionStanding::ActionDenied
        );
        assert_eq!(
            sub(&permissions, "DeleteAll", ""),
            PermissionStanding::ActionDenied
        );

        let permissions = of(
            &[],
            &[
                Rule::new(Allow, ["*"], ["*"]),
                Rule::new(Deny, ["StopInstances"], nothing),
                Rule::new(Deny, nothing, ["ins-crown"]),
            ],
        );
        assert_eq!(
            sub(&permissions, "StopInstances", ""),
            PermissionStanding::ActionDenied
        );
        assert_eq!(
            sub(&permissions, "RebootInstances", "InstanceIds.0=ins-crown"),
            resource_denied("ins-crown")
        );
        assert_eq!(sub(&permissions, "DeleteAll", ""), allowed());
    }

    #[test]
    fn resources_in_a_body_are_read_by_the_reader() {
        let permissions = of(&[], &[Rule::new(Allow, ["*"], ["ins-dev-*"])]).with_resources(
            |query: &PermissionQuery<'_>, fields: &[Pattern]| {
                assert_eq!(fields, [Pattern::new("InstanceIds.*")]);
                let body = query
                    .payload
                    .bytes()
                    .ok_or_else(|| StoreError::new("unseen"))?;
                let body = str::from_utf8(body).map_err(StoreError::new)?;
                Ok(body.split_whitespace().map(str::to_owned).collect())
            },
        );
        let principal = Principal::sub_account(MAIN, SUB);
        let stop = |payload| {
            let query = PermissionQuery {
                payload,
                ..query(&principal, "StopInstances")
            };
            Ok::<_, StoreError>(permissions.decide(&query)?.permission)
        };
        assert_eq!(
            stop(Payload::Bytes(b"ins-dev-1 ins-dev-2")).unwrap(),
            allowed()
        );
        assert_eq!(
            stop(Payload::Bytes(b"ins-dev-1 ins-prod-1")).unwrap(),
            resource_denied("ins-prod-1")
        );
        assert_eq!(
            stop(Payload::Bytes(b"")).unwrap(),
            PermissionStanding::ActionDenied
        );
        assert!(stop(Payload::Bytes(b"\xff")).is_err());
        assert!(stop(Payload::Unseen).is_err());
        // A form is read without it.
        assert_eq!(
            sub(&permissions, "StopInstances", "InstanceIds.0=ins-dev-1"),
            allowed()
        );
    }

    #[test]
    fn resources_that_nobody_can_read_are_an_error_where_rules_decide() {
        let permissions = of(&[], &[Rule::new(Allow, ["Stop*", "Describe*"], ["*"])]);
        let principal = Principal::sub_account(MAIN, SUB);
        let error = permissions
            .decide(&query(&principal, "StopInstances"))
            .unwrap_err();
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "the body of a StopInstances request names resources, and is not a form: MemoryPermissions needs a reader of \
             such bodies, see MemoryPermissions::with_resources"
        );
        let standing = |principal, action| {
            permissions
                .decide(&query(principal, action))
                .unwrap()
                .permission
        };
        // Neither an action without resources, nor one that is denied whatever it names.
        assert_eq!(standing(&principal, "DescribeRegions"), allowed());
        assert_eq!(
            standing(&principal, "RebootInstances"),
            PermissionStanding::ActionDenied
        );
        // Nor an account without rules.
        assert_eq!(
            standing(&super::tests::principal(MAIN), "StopInstances"),
            allowed()
        );
    }

    #[test]
    fn what_refuses_earlier_is_stated_although_the_body_cannot_be_read() {
        let permissions = of(&[], &[Rule::new(Allow, ["*"], ["*"])]).with_action(
            ActionRules::new("StopInstances")
                .with_resources(["InstanceIds.*"])
                .with_standing(ActionStanding::Unavailable),
        );
        let principal = Principal::sub_account(MAIN, SUB);
        let standing = permissions
            .decide(&query(&principal, "StopInstances"))
            .unwrap();
        assert_eq!(standing.action, ActionStanding::Unavailable);
    }

    /// Permissions with a small catalogue, of one main account with one sub-account.
    fn of(main: &[Rule], sub: &[Rule]) -> MemoryPermissions {
        let mut account = AccountRules::default().with_sub_account(SUB, sub.to_vec());
        for rule in main {
            account = account.with_rule(rule.clone());
        }
        MemoryPermissions::new()
            .with_account(MAIN, account)
            .with_action(ActionRules::new("DescribeRegions"))
            .with_action(ActionRules::new("DescribeSecrets"))
            .with_action(ActionRules::new("DeleteAll"))
            .with_action(ActionRules::new("StopInstances").with_resources(["InstanceIds.*"]))
            .with_action(
                ActionRules::new("RebootInstances")
                    .with_resources(["InstanceIds.*", "Instance_Id"]),
            )
    }

    fn main(permissions: &MemoryPermissions, action: &str, parameters: &str) -> PermissionStanding {
        permission(permissions, &principal(MAIN), action, parameters)
    }

    fn sub(permissions: &MemoryPermissions, action: &str, parameters: &str) -> PermissionStanding {
        let principal = Principal::sub_account(MAIN, SUB);
        permission(permissions, &principal, action, parameters)
    }

    fn permission(
        permissions: &MemoryPermissions,
        principal: &Principal,
        action: &str,
        parameters: &str,
    ) -> PermissionStanding {
        let text = parameters.as_bytes();
        let mut parameters = Parameters::none();
        parameters.read_urlencoded(text, 64).unwrap();
        let query = PermissionQuery {
            parameters: Some(&parameters),
            ..query(principal, action)
        };
        permissions.decide(&query).unwrap().permission
    }

    fn principal(uin: &str) -> Principal {
        Principal::account(uin)
    }

    fn query<'a>(principal: &'a Principal, action: &'a str) -> PermissionQuery<'a> {
        PermissionQuery {
            principal,
            secret_id: "AKID1",
            mfa: Mfa::Unverified,
            action,
            version: None,
            region: None,
            service: None,
            dialect: Dialect::V3,
            parameters: None,
            payload: Payload::Unseen,
        }
    }

    fn allowed() -> PermissionStanding {
        PermissionStanding::Allowed
    }

    fn resource_denied(resource: &str) -> PermissionStanding {
        PermissionStanding::ResourceDenied {
            resource: resource.to_owned(),
        }
    }

    fn action_resource_denied(resource: &str) -> PermissionStanding {
        PermissionStanding::ActionResourceDenied {
            resource: resource.to_owned(),
        }
    }
}
