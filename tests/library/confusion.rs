//! Requests that could be taken for others: sent anew in another shape, or read twice in two ways.

use std::sync::Arc;

use qcloud_validator::memory::{
    AccountRules, ActionRules, Effect, MemoryCredentials, MemoryPermissions, MfaDemand, Rule,
};
use qcloud_validator::store::{
    Credential, PermissionQuery, Principal, StoreError, Stores, Unrestricted,
};
use qcloud_validator::testkit::{Request, Signer};
use qcloud_validator::{ManualClock, Policy, Reason, SecretKey, Store, Validator};

const ID: &str = "AKIDEXAMPLE";
const KEY: &str = "dummySecretKey";
const NOW: i64 = 1_700_000_000;
const MAIN: &str = "100000000001";
const SUB: &str = "200000000001";

/// A used v2 request, sent again with its path moved into `Host`, is taken for v1, whose nonces are not remembered.
#[test]
fn a_v2_request_cannot_be_replayed_as_v1() {
    let validator = validator(None);
    let once = v2("/v2/index.php");
    assert!(validator.check(&once.view()).is_ok());
    assert!(validator.check(&once.view()).is_err());
    let target = String::from_utf8(once.target().to_vec()).unwrap();
    let moved = once
        .clone()
        .without_header("host")
        .with_header("Host", "cvm.api.qcloud.com/v2")
        .with_target(target.replace("/v2/index.php", "/index.php"));
    for _ in 0..3 {
        let refused = validator.check(&moved.view()).unwrap_err();
        assert_eq!(refused.reason(), &Reason::MalformedHost);
    }
}

/// With a public host, the host that was sent does not matter to the signature, but decides whether nonces count.
#[test]
fn a_v2_request_through_a_public_host_cannot_be_replayed_as_v1() {
    let key = SecretKey::new(KEY.as_bytes().to_vec()).unwrap();
    let credentials: MemoryCredentials = [Credential::permanent(ID, key, Principal::account(MAIN))]
        .into_iter()
        .collect();
    let policy = Policy::builder()
        .public_host("cvm.api.qcloud.com")
        .build()
        .unwrap();
    let validator = Validator::new(policy, Stores::insecure_in_memory(credentials, 300))
        .with_clock(ManualClock::at(NOW));
    let once = v2("/");
    assert!(validator.check(&once.view()).is_ok());
    assert!(validator.check(&once.view()).is_err());
    let elsewhere = once
        .clone()
        .without_header("host")
        .with_header("Host", "elsewhere");
    let refused = validator.check(&elsewhere.view()).unwrap_err();
    assert_eq!(refused.reason(), &Reason::SignatureMismatch);
}

/// `InstanceIds` in the query of a TC3 GET, which is signed, and others in a body, which is not.
#[test]
fn resources_of_a_tc3_get_are_not_read_from_its_unsigned_body() {
    let reader = |query: &PermissionQuery<'_>, see: &mut dyn FnMut(&str, &str)| {
        let body = query
            .payload
            .bytes()
            .ok_or_else(|| StoreError::new("no body"))?;
        // Stands for a JSON parser.
        let text = std::str::from_utf8(body).unwrap();
        let resources = text.split('"').filter(|text| text.starts_with("ins-"));
        for (index, resource) in resources.enumerate() {
            see(&format!("InstanceIds.{index}"), resource);
        }
        Ok::<(), StoreError>(())
    };
    let validator = validator(Some(
        dev_only(ActionRules::new("StopInstances").with_resources(["InstanceIds.*"]))
            .with_body_reader(reader),
    ));
    let get = |query: &str| {
        Signer::tc3(ID, KEY)
            .host("cvm.tencentcloudapi.com")
            .action("StopInstances")
            .version("2017-03-12")
            .timestamp(NOW)
            .get()
            .query(query)
            .sign()
    };
    // The rule works.
    assert!(
        validator
            .check(&get("InstanceIds.0=ins-dev-1").view())
            .is_ok()
    );
    assert!(
        validator
            .check(&get("InstanceIds.0=ins-prod-1").view())
            .is_err()
    );
    // One piece without `=`, or a name twice, turns the query off.
    for query in [
        "InstanceIds.0=ins-prod-1&x",
        "InstanceIds.0=ins-prod-1&x=1&x=2",
    ] {
        let body = r#"{"InstanceIds":["ins-dev-1"]}"#;
        let request = get(query).with_body(body);
        let refused = validator.check(&request.view()).unwrap_err();
        let store = Store::Permissions;
        assert_eq!(refused.reason(), &Reason::StoreFailed { store }, "{query}");
    }
}

/// The service is compared with the host without regard to case, and then looked up with regard to it.
#[test]
fn an_action_of_a_service_is_judged_by_its_own_rules_however_the_service_is_spelt() {
    let permissions = MemoryPermissions::new()
        .with_action(ActionRules::new("StopInstances"))
        .with_action(
            ActionRules::new("StopInstances")
                .with_service("cvm")
                .with_mfa(MfaDemand::Demanded),
        )
        .with_account(
            MAIN,
            AccountRules::new().with_sub_account(SUB, [Rule::new(Effect::Allow, ["*"], ["*"])]),
        );
    let validator = validator(Some(permissions));
    let of = |service: &str| {
        Signer::tc3(ID, KEY)
            .host("cvm.tencentcloudapi.com")
            .service(service)
            .action("StopInstances")
            .version("2017-03-12")
            .timestamp(NOW)
            .body("{}")
            .sign()
    };
    for service in ["cvm", "CVM"] {
        let refused = validator.check(&of(service).view()).unwrap_err();
        assert_eq!(refused.reason(), &Reason::MfaFailed, "{service}");
    }
}

fn v2(path: &str) -> Request {
    Signer::v2(ID, KEY)
        .host("cvm.api.qcloud.com")
        .path(path)
        .action("DescribeInstances")
        .version("2017-03-12")
        .timestamp(NOW)
        .nonce(7)
        .sign()
}

fn validator(permissions: Option<MemoryPermissions>) -> Validator {
    let key = SecretKey::new(KEY.as_bytes().to_vec()).unwrap();
    let credentials: MemoryCredentials = [Credential::permanent(
        ID,
        key,
        Principal::sub_account(MAIN, SUB),
    )]
    .into_iter()
    .collect();
    let mut stores = Stores::insecure_in_memory(credentials, 300);
    if let Some(permissions) = permissions {
        stores.permissions = Arc::new(permissions);
    } else {
        stores.permissions = Arc::new(Unrestricted);
    }
    Validator::new(Policy::default(), stores).with_clock(ManualClock::at(NOW))
}

fn dev_only(action: ActionRules) -> MemoryPermissions {
    MemoryPermissions::new().with_action(action).with_account(
        MAIN,
        AccountRules::new().with_sub_account(
            SUB,
            [Rule::new(Effect::Allow, ["StopInstances"], ["ins-dev-*"])],
        ),
    )
}
