use super::*;
use crate::form::Parameters;
use crate::request::Payload;
use crate::scheme::Dialect;
use crate::store::Principal;
use Effect::{Allow, Deny};

const MAIN: &str = "100000000001";
const SUB: &str = "200000000001";

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
        .with_action(ActionRules::new("StopInstances").with_standing(ActionStanding::Unavailable))
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
    // What is no resource is not checked.
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
    let permissions = of(&[], &[Rule::new(Allow, ["*"], ["ins-dev-*"])]).with_body_reader(
        |query: &PermissionQuery<'_>, see: &mut dyn FnMut(&str, &str)| {
            let body = query
                .payload
                .bytes()
                .ok_or_else(|| StoreError::new("unseen"))?;
            let body = str::from_utf8(body).map_err(StoreError::new)?;
            see("Zone", "ins-prod-1");
            for (index, resource) in body.split_whitespace().enumerate() {
                see(&format!("InstanceIds.{index}"), resource);
            }
            Ok(())
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
         such bodies, see MemoryPermissions::with_body_reader"
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
            ActionRules::new("RebootInstances").with_resources(["InstanceIds.*", "Instance_Id"]),
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
