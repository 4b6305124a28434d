//! The stores that gateways share, as the configuration describes them.

use std::path::Path;

use qcloud_validator::redis::{RedisError, RedisSettings, RedisStores};
use qcloud_validator::store::AfterRestart;
use redis::{Client, ClientTlsConfig, ConnectionInfo, TlsCertificates};

use crate::config::files::{Files, Kinds, Reading};
use crate::config::redis::{ClientIdentity, RedisConfig};
use crate::config::validator::NonceRules;

/// Connects. The error is one line.
pub(super) async fn connect(
    config: &RedisConfig,
    rules: &NonceRules,
    window: u32,
    after_restart: AfterRestart,
) -> Result<RedisStores, String> {
    let line = |error: RedisError| format!("redis: {error}");
    let share = u32::try_from(rules.capacity.per_secret_id()).unwrap_or(u32::MAX);
    let mut settings = RedisSettings::at(server(config)?, window)
        .map_err(line)?
        .with_after_restart(after_restart)
        .with_nonces_per_secret_id(share);
    if let Some(prefix) = &config.prefix {
        settings = settings.with_prefix(prefix.as_str());
    }
    if let Some(timeout) = config.response_timeout {
        settings = settings.with_response_timeout(timeout);
    }
    if let Some(timeout) = config.connection_timeout {
        settings = settings.with_connection_timeout(timeout);
    }
    if let Some(allowance) = config.clock_allowance {
        settings = settings.with_clock_allowance(allowance);
    }
    if let Some(silence) = config.failover_after {
        settings = settings.with_failover_after(silence);
    }
    RedisStores::connect(settings).await.map_err(line)
}

/// The address of the server, with the certificates for it.
fn server(config: &RedisConfig) -> Result<ConnectionInfo, String> {
    let url = config.url.as_str();
    let client = if config.ca.is_none() && config.identity.is_none() {
        Client::open(url)
    } else {
        let root_cert = config.ca.as_deref().map(read).transpose()?;
        let client_tls = config.identity.as_ref().map(shown).transpose()?;
        let certificates = TlsCertificates {
            client_tls,
            root_cert,
        };
        Client::build_with_tls(url, certificates)
    };
    // The configuration has parsed URL and files before; what was wrong with them is in no message.
    let client = client
        .map_err(|_| "redis: url, ca, certificate and key do not belong together".to_owned())?;
    Ok(client.get_connection_info().clone())
}

fn shown(identity: &ClientIdentity) -> Result<ClientTlsConfig, String> {
    Ok(ClientTlsConfig {
        client_cert: read(&identity.certificate)?,
        client_key: read(&identity.key)?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut files = Files::new(Path::new(""), Kinds::Regular, Reading::default());
    let read = files.bytes(path).map(|bytes| bytes.to_vec());
    read.map_err(|error| format!("{}: cannot be read: {error}", path.display()))
}
