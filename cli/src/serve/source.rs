//! Where a configuration comes from: the command line, the environment and files. It is read as a whole or not at all.

use std::net::SocketAddr;
use std::path::Path;

use qcloud_validator::store::Credential;
use qcloud_validator::{DiagnosisRule, HttpsRule};
use rustls::sign::CertifiedKey;

use super::preflight;
use super::tls;
use super::{Args, ModeName};
use crate::config::cors::Preflights;
use crate::config::files::{Files, Kinds, Reading};
use crate::config::gateway::{
    self, Config, GatewayConfig, ListenerConfig, Mode, TlsConfig, Upstream,
};
use crate::config::keys::{SECRET_ID, SECRET_KEY, Sources};

/// Where a configuration comes from, each time that it is read.
pub(crate) struct Source {
    args: Args,
    /// The one from the command line and the environment.
    key: Option<Credential>,
    /// Whether the command line has part of it: then it counts beside those of the file.
    key_counts: bool,
    secret_key_is_flag: bool,
}

/// All that was read at one time.
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// For each listener.
    pub(crate) certificates: Vec<Option<CertifiedKey>>,
    /// Secrets that others may read, a line each.
    pub(crate) warnings: Vec<String>,
}

/// An attempt to read everything.
pub(crate) struct Load {
    /// The error is one line without a secret.
    pub(crate) outcome: Result<Loaded, String>,
    /// What was read, also by an attempt that failed.
    pub(crate) files: Files,
}

impl Source {
    /// Takes the key from the command line and the environment. The error is one line without it.
    pub(crate) fn new(mut args: Args, sources: &Sources) -> Result<Self, String> {
        Ok(Self {
            key: args.key.credential(sources)?,
            key_counts: sources.any(),
            secret_key_is_flag: sources.secret_key_is_flag(),
            args,
        })
    }

    /// Reads everything. Files that are replaced meanwhile are read again, so that what counts was there at one time.
    pub(crate) fn load(&self, reading: &Reading) -> Load {
        /// To replace files takes less time than to read them.
        const ATTEMPTS: usize = 5;
        let mut load = self.load_once(reading);
        for _ in 1..ATTEMPTS {
            if load.files.look() == *load.files.seen() {
                return load;
            }
            load = self.load_once(reading);
        }
        if load.files.look() != *load.files.seen() {
            load.outcome = Err("the files change faster than they can be read".to_owned());
        }
        load
    }

    fn load_once(&self, reading: &Reading) -> Load {
        let file = self.args.config.as_deref();
        let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
        let mut files = Files::new(folder, Kinds::Regular, reading.clone());
        let outcome = self.read(&mut files).and_then(|config| {
            let certificates = self.certificates(&config.gateway, &mut files)?;
            Ok(Loaded {
                config,
                certificates,
                warnings: self.warnings(&files),
            })
        });
        Load { outcome, files }
    }

    fn warnings(&self, files: &Files) -> Vec<String> {
        let flag = self.secret_key_is_flag.then(|| {
            format!(
                "warning: --secret-key is visible to every user of this machine in the list of processes; set {SECRET_KEY} or \
                 name a file in --config"
            )
        });
        let exposed = files.exposed().iter().map(|file| {
            let file = file.display();
            format!(
                "warning: {file}: every user of this machine may read this secret; expected mode 600 or 640"
            )
        });
        flag.into_iter().chain(exposed).collect()
    }

    fn read(&self, files: &mut Files) -> Result<Config, String> {
        let args = &self.args;
        let mut config = match &args.config {
            Some(file) => gateway::read(file, files)?,
            None => Config::default(),
        };
        let Config { setup, gateway, .. } = &mut config;
        if (self.key_counts || setup.credentials.is_empty())
            && let Some(key) = &self.key
        {
            setup.credentials.push(key.clone());
        }
        if setup.credentials.is_empty() {
            return Err(format!(
                "no key to check with: give --config with a [[credential]], or --secret-id and --secret-key, or set {SECRET_ID} and {SECRET_KEY}"
            ));
        }
        if let Some(address) = args.listen {
            gateway.listeners.push(self.listener(address)?);
        }
        if gateway.listeners.is_empty() {
            return Err("no listener: give --listen, or --config with a [[listener]]".to_owned());
        }
        if args.admin.is_some() {
            gateway.admin = args.admin;
        }
        if let Some(format) = args.log_format {
            gateway.log.format = format;
        }
        if args.insecure_http {
            setup.policy = setup.policy.clone().https(HttpsRule::InsecureNowhere);
        }
        if args.explain {
            setup.policy = setup
                .policy
                .clone()
                .diagnosis(DiagnosisRule::InMessage)
                .diagnoses_per_minute(u16::MAX);
        }
        let policy = setup.policy.clone().build();
        let policy = policy.map_err(|error| format!("policy: {error}"))?;
        preflight::listeners(&gateway.listeners, &policy)?;
        Ok(config)
    }

    fn listener(&self, address: SocketAddr) -> Result<ListenerConfig, String> {
        let args = &self.args;
        let mode = match (args.mode, &args.upstream) {
            (ModeName::Mock, None) => Mode::Mock,
            (ModeName::Proxy, Some(upstream)) => {
                let origin =
                    gateway::origin(upstream).map_err(|wrong| format!("--upstream: {wrong}"))?;
                Mode::Proxy(Upstream::new(origin))
            }
            (ModeName::Mock, Some(_)) => {
                return Err("--upstream: expected with --mode proxy".to_owned());
            }
            (ModeName::Proxy, None) => {
                return Err("--mode proxy: expected with --upstream".to_owned());
            }
        };
        Ok(ListenerConfig {
            address,
            mode,
            tls: args
                .self_signed
                .clone()
                .map(|folder| TlsConfig::SelfSigned { folder }),
            trusted_proxies: args.trusted_proxy.clone(),
            preflights: Preflights::Refuse,
        })
    }

    /// The certificate of each listener. A dry run makes none.
    fn certificates(
        &self,
        config: &GatewayConfig,
        files: &mut Files,
    ) -> Result<Vec<Option<CertifiedKey>>, String> {
        let listeners = config.listeners.iter();
        listeners
            .map(|listener| match &listener.tls {
                Some(TlsConfig::SelfSigned { folder }) if self.args.dry_run && !folder.exists() => {
                    Ok(None)
                }
                Some(tls) => tls::read(tls, files).map(Some),
                None => Ok(None),
            })
            .collect()
    }
}
