//! A gateway that is open: its listeners, and what a reload puts in place of what they use.

use std::sync::Arc;

use tokio::net::TcpListener;
use tracing::info;

use super::bind::local;
use super::diagnoses::Diagnoses;
use super::endpoint::{Endpoint, Rules};
use super::listener::Connections;
use super::source::Loaded;
use super::stores::Kept;
use super::tls::Identity;
use crate::config::gateway::{Config, GatewayConfig};

/// A gateway that is open.
pub(crate) struct Running {
    config: GatewayConfig,
    pub(crate) kept: Arc<Kept>,
    endpoints: Vec<Arc<Endpoint>>,
    /// For each endpoint.
    identities: Vec<Option<Arc<Identity>>>,
}

impl Running {
    /// Lets clients in. The error is one line.
    pub(crate) fn open(
        loaded: Loaded,
        kept: Arc<Kept>,
        listeners: Vec<TcpListener>,
        connections: &Connections,
    ) -> Result<Self, String> {
        let Loaded {
            config: Config { setup, gateway, .. },
            certificates,
            ..
        } = loaded;
        let rules = Rules::new(setup, &kept)?;
        let diagnoses = Arc::new(Diagnoses::start());
        let mut running = Self {
            config: gateway,
            kept,
            endpoints: Vec::new(),
            identities: Vec::new(),
        };
        let configs = running.config.listeners.iter().zip(certificates);
        for (listener, (config, certificate)) in listeners.into_iter().zip(configs) {
            let identity = certificate.map(|key| Arc::new(Identity::new(key)));
            let acceptor = identity.as_ref().map(Identity::acceptor).transpose()?;
            let endpoint = Endpoint::new(
                config,
                local(&listener),
                &rules,
                Arc::clone(&diagnoses),
                running.config.log.requests,
                running.config.connections.body,
            )?;
            let endpoint = Arc::new(endpoint);
            let scheme = if acceptor.is_some() { "https" } else { "http" };
            let url = format!("{scheme}://{}", endpoint.name());
            info!(url, mode = config.mode.name(), "listening");
            connections.listen(listener, acceptor, Arc::clone(&endpoint));
            running.endpoints.push(endpoint);
            running.identities.push(identity);
        }
        Ok(running)
    }

    /// Puts another configuration in place of the one that counted. The error is one line; then nothing has changed.
    pub(crate) fn take(&self, loaded: Loaded) -> Result<(), String> {
        let Loaded {
            config: Config { setup, gateway, .. },
            certificates,
            ..
        } = loaded;
        if gateway != self.config {
            return Err(
                "listeners, admin, log, connections and redis: expected as at the start; restart to change them"
                    .to_owned(),
            );
        }
        let rules = Rules::new(setup, &self.kept)?;
        for endpoint in &self.endpoints {
            endpoint.take(&rules);
        }
        let identities = self.identities.iter().zip(certificates);
        for (identity, certificate) in identities {
            if let (Some(identity), Some(certificate)) = (identity, certificate) {
                identity.take(certificate);
            }
        }
        Ok(())
    }
}
