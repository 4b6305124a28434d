//! A gateway that is open: its listeners, and what a reload puts in place of what they use.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::net::TcpListener;
use tracing::info;

use super::bind::local;
use super::diagnoses::Diagnoses;
use super::endpoint::{Current, Endpoint, Rules};
use super::listener::Connections;
use super::source::Loaded;
use super::stores::Kept;
use super::tls::Identity;
use crate::config::gateway::{Config, GatewayConfig};

/// A gateway that is open.
pub(crate) struct Running {
    config: GatewayConfig,
    pub(crate) kept: Arc<Kept>,
    rules: Current,
    diagnoses: Arc<Diagnoses>,
    /// For each listener.
    identities: Vec<Option<Arc<Identity>>>,
}

impl Running {
    /// The error is one line.
    pub(crate) fn new(loaded: Loaded, kept: Arc<Kept>) -> Result<Self, String> {
        let Loaded {
            config: Config { setup, gateway, .. },
            certificates,
            ..
        } = loaded;
        let rules = Rules::new(setup, &kept)?;
        let certificates = certificates.into_iter();
        Ok(Self {
            kept,
            rules: Arc::new(ArcSwap::from_pointee(rules)),
            diagnoses: Arc::new(Diagnoses::start()),
            identities: certificates
                .map(|certificate| certificate.map(|key| Arc::new(Identity::new(key))))
                .collect(),
            config: gateway,
        })
    }

    /// Lets clients in. The error is one line.
    pub(crate) fn open(
        &self,
        listeners: Vec<TcpListener>,
        connections: &Connections,
    ) -> Result<(), String> {
        let configs = self.config.listeners.iter().zip(&self.identities);
        for (listener, (config, identity)) in listeners.into_iter().zip(configs) {
            let acceptor = identity.as_ref().map(Identity::acceptor).transpose()?;
            let endpoint = Endpoint::new(
                config,
                local(&listener),
                Arc::clone(&self.rules),
                Arc::clone(&self.diagnoses),
                self.config.log.requests,
                self.config.connections.body,
            )?;
            let scheme = if acceptor.is_some() { "https" } else { "http" };
            let url = format!("{scheme}://{}", endpoint.name());
            info!(url, mode = config.mode.name(), "listening");
            connections.listen(listener, acceptor, Arc::new(endpoint));
        }
        Ok(())
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
        self.rules.store(Arc::new(rules));
        let identities = self.identities.iter().zip(certificates);
        for (identity, certificate) in identities {
            if let (Some(identity), Some(certificate)) = (identity, certificate) {
                identity.take(certificate);
            }
        }
        Ok(())
    }
}
