//! Table `[policy]`.

use qcloud_validator::{
    DiagnosisRule, HttpsRule, Language, Limits, Policy, PolicyBuilder, ReplayScope, Tolerance,
    UnsignedPart,
};

use super::size;
use crate::config::host;
use crate::config::toml_table::{Choices, Fault, Table};

const REPLAY: Choices<'_, ReplayScope> = &[
    ("off", ReplayScope::Off),
    (
        "secret-id-timestamp-nonce",
        ReplayScope::SecretIdTimestampNonce,
    ),
    ("secret-id-nonce", ReplayScope::SecretIdNonce),
];

pub(super) fn policy(mut table: Table<'_>) -> Result<PolicyBuilder, Fault> {
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
                "expected at least one service; without the field the host names the service";
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
