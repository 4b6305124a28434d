//! Checks before anything is opened: what a start can know to fail later is one line now.

use std::fs::{self, OpenOptions};
use std::process;

use qcloud_validator::{HttpsRule, Policy};

use crate::config::gateway::ListenerConfig;
use crate::config::validator::NonceRules;

/// Refuses a listener on which every request would be refused.
pub(crate) fn listeners(listeners: &[ListenerConfig], policy: &Policy) -> Result<(), String> {
    let refuses = |listener: &&ListenerConfig| {
        policy.https() == HttpsRule::Everywhere
            && listener.tls.is_none()
            && listener.trusted_proxies.is_empty()
    };
    match listeners.iter().find(refuses) {
        None => Ok(()),
        Some(listener) => Err(format!(
            "listener {}: expected a certificate or trusted_proxies: policy.https is \"everywhere\", so that plain HTTP is \
             refused (in a test, --insecure-http admits it)",
            listener.address
        )),
    }
}

/// Makes sure that used nonces can be saved when the gateway stops.
pub(crate) fn nonces(rules: &NonceRules) -> Result<(), String> {
    let Some(file) = &rules.file else {
        return Ok(());
    };
    if file.is_dir() {
        let name = file.display();
        return Err(format!(
            "nonces.file: {name}: expected a file, not a folder"
        ));
    }
    let mut probe = file.as_os_str().to_owned();
    probe.push(format!(".probe-{}", process::id()));
    let made = OpenOptions::new().write(true).create_new(true).open(&probe);
    made.and_then(|_| fs::remove_file(&probe)).map_err(|error| {
        let name = file.display();
        format!("nonces.file: {name}: expected a folder in which files can be made: {error}")
    })
}
