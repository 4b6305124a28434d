//! Runs a gateway: reads its configuration, opens its listeners, and goes on until it is told to stop.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use qcloud_validator::store::{AfterRestart, Credential};
use qcloud_validator::tower::IpNetwork;
use qcloud_validator::{DiagnosisRule, HttpsRule};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Runtime;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

mod access_log;
mod activity;
mod admin;
mod body_deadline;
mod caller_headers;
mod connection;
mod diagnoses;
mod endpoint;
mod forward_auth;
mod listener;
mod metrics;
mod mock;
mod pace;
mod places;
mod proxy;
mod self_signed;
mod socket;
mod stores;
mod streams;
mod tls;
mod unsent;

use crate::config::gateway::{
    self, Config, GatewayConfig, ListenerConfig, LogFormat, Mode, TlsConfig, Upstream,
};
use crate::config::keys::{KeyArgs, SECRET_ID, SECRET_KEY, Sources};
use crate::outcome::Outcome;
use crate::report::text::complain;
use access_log::Log;
use admin::Admin;
use diagnoses::Diagnoses;
use endpoint::{Current, Door, Rules};
use listener::Connections;
use stores::Kept;
use tls::Identity;

/// Run a gateway that only requests with a right signature pass.
///
/// Listeners come from the file, and one from --listen. What they do with an admitted request is their mode: `mock` answers
/// it like the vendor, so that SDKs can be tested against it; `proxy` hands it to a service; `forward-auth`, which only the
/// file can describe, tells nginx, Traefik or Envoy that it may pass.
///
/// Keys come as for `check`: from the file, from --secret-id and --secret-key, or from the environment.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// TOML file with listeners, keys, limits and policy; examples/gateway.toml explains it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address and port of a listener
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// What that listener does with admitted requests
    #[arg(long, value_enum, default_value_t = ModeName::Mock, requires = "listen")]
    mode: ModeName,

    /// The service behind it, such as http://127.0.0.1:9000
    #[arg(long, value_name = "URL", required_if_eq("mode", "proxy"), requires = "listen", value_parser = gateway::origin)]
    upstream: Option<hyper::Uri>,

    /// Serve HTTPS with a certificate of its own making; DIR gets ca.pem, for clients to trust
    #[arg(long, value_name = "DIR", requires = "listen")]
    self_signed: Option<PathBuf>,

    /// A proxy in front of it that ends TLS, such as 10.1.0.0/16; may be given several times
    #[arg(
        long,
        value_name = "NETWORK",
        requires = "listen",
        conflicts_with = "self_signed"
    )]
    trusted_proxy: Vec<IpNetwork>,

    /// Address and port for /healthz, /readyz and /metrics
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin: Option<SocketAddr>,

    /// Admit requests that came in the clear: for tests on loopback
    #[arg(long)]
    insecure_http: bool,

    /// Tell clients which mistake explains a refusal: for tests, since it tells strangers too
    #[arg(long)]
    explain: bool,

    /// How the log is written
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,

    /// Read everything, open nothing, and say whether it would do
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    key: KeyArgs,
}

const AFTER_HELP: &str = "\
Signals:
  SIGHUP            reads the file and the certificates again; on an error everything stays as it is
  SIGTERM, SIGINT   stops accepting and ends when all requests are answered; a second one ends at once

Exit status:
  0  it was told to stop
  2  the command line, the file or an address could not be used

Examples:
  qcloud-validator serve --listen 127.0.0.1:8080 --insecure-http --explain
  qcloud-validator serve --listen 127.0.0.1:8443 --self-signed tls
  qcloud-validator serve --config examples/gateway.toml";

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum ModeName {
    Mock,
    Proxy,
}

/// Serves until it is told to stop.
pub(crate) fn run(mut args: Args, sources: &Sources) -> Outcome {
    let served = args.key.credential(sources).and_then(|key| {
        let source = Source {
            key_counts: sources.any(),
            key,
            args,
        };
        let config = source.read()?;
        let identities = identities(&config.gateway, source.args.dry_run)?;
        if source.args.dry_run {
            return Ok(());
        }
        let runtime = Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
        runtime.block_on(serve(source, config, identities))
    });
    match served {
        Ok(()) => Outcome::Good,
        Err(wrong) => {
            complain(&wrong);
            Outcome::Unreadable
        }
    }
}

/// Where a configuration comes from, each time that it is read.
struct Source {
    args: Args,
    /// The one from the command line and the environment.
    key: Option<Credential>,
    /// Whether the command line has part of it: then it counts beside those of the file.
    key_counts: bool,
}

impl Source {
    /// The configuration as it is now. The error is one line without a secret.
    fn read(&self) -> Result<Config, String> {
        let args = &self.args;
        let Config {
            mut setup,
            mut gateway,
        } = match &args.config {
            Some(file) => gateway::read(file)?,
            None => Config::default(),
        };
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
            setup.policy = setup.policy.https(HttpsRule::InsecureNowhere);
        }
        if args.explain {
            setup.policy = setup
                .policy
                .diagnosis(DiagnosisRule::InMessage)
                .diagnoses_per_minute(u16::MAX);
        }
        // Before anything is opened.
        let policy = setup.policy.clone().build();
        policy.map_err(|error| format!("policy: {error}"))?;
        Ok(Config { setup, gateway })
    }

    fn listener(&self, address: SocketAddr) -> Result<ListenerConfig, String> {
        let args = &self.args;
        let mode = match (args.mode, &args.upstream) {
            (ModeName::Mock, None) => Mode::Mock,
            (ModeName::Proxy, Some(origin)) => Mode::Proxy(Upstream::new(origin.clone())),
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
        })
    }
}

/// How often a remote store is looked at, also where nobody asks for readiness.
const WATCH: Duration = Duration::from_secs(60);

/// The certificate of each listener. A dry run makes none. The error is one line.
fn identities(config: &GatewayConfig, dry_run: bool) -> Result<Vec<Option<Arc<Identity>>>, String> {
    let listeners = config.listeners.iter();
    listeners
        .map(|listener| match &listener.tls {
            Some(TlsConfig::SelfSigned { folder }) if dry_run && !folder.exists() => Ok(None),
            Some(tls) => Identity::load(tls).map(Some),
            None => Ok(None),
        })
        .collect()
}

/// Opens everything, then goes on until it is told to stop. Addresses come first: what they need is not touched if another
/// process has them. The error is one line.
async fn serve(
    source: Source,
    config: Config,
    identities: Vec<Option<Arc<Identity>>>,
) -> Result<(), String> {
    let Config { setup, gateway } = config;
    let metrics = metrics::install().map_err(|error| format!("no metrics: {error}"))?;
    let mut signals = Signals::new().map_err(|error| format!("no signals: {error}"))?;
    let listeners: Result<Vec<TcpListener>, String> = gateway
        .listeners
        .iter()
        .map(|listener| bind(listener.address))
        .collect();
    let listeners = listeners?;
    let administered = gateway.admin.map(bind).transpose()?;
    let kept = Arc::new(Kept::open(&setup, gateway.redis.as_ref(), after_restart(&gateway)).await?);
    let rules = Rules::new(setup, &kept)?;
    let log = Log::install(gateway.log.format);

    let stop = CancellationToken::new();
    let connections = Connections::new(gateway.connections, stop.clone());
    let running = Running {
        source,
        kept,
        rules: Arc::new(ArcSwap::from_pointee(rules)),
        diagnoses: Arc::new(Diagnoses::start()),
        identities,
        config: gateway,
    };
    running.open(listeners, &connections)?;
    let admin = Arc::new(Admin {
        metrics,
        kept: Arc::clone(&running.kept),
        stopping: AtomicBool::new(false),
    });
    if let Some(listener) = administered {
        info!(address = local(&listener), "administered");
        let pages = admin::router(Arc::clone(&admin));
        tokio::spawn(async move { axum::serve(listener, pages).await });
    }
    let mut upkeep = interval(metrics::UPKEEP);
    let mut watch = interval(WATCH);
    loop {
        select! {
            event = signals.next() => match event {
                Event::Reload => running.reload(),
                Event::Stop => break,
            },
            _ = upkeep.tick() => {
                metrics::log_lines_dropped(log.dropped_lines());
                admin.metrics.run_upkeep();
            },
            _ = watch.tick() => if let Err(cause) = running.kept.ready().await {
                warn!(cause, "a store cannot be relied on");
            },
        }
    }
    info!("stopping");
    admin.stopping.store(true, Ordering::Release);
    stop.cancel();
    select! {
        drained = connections.drained() => match drained {
            true => info!("stopped"),
            false => warn!("stopped before all requests were answered"),
        },
        () = signals.stop_again() => warn!("stopped at once"),
    }
    if let Some(nonces) = running.kept.close()? {
        info!(nonces, "saved");
    }
    Ok(())
}

/// What is done about requests from before the start, if nothing is said. A gateway that only mocks has nothing to protect,
/// and tests send their requests in the second in which it starts.
fn after_restart(config: &GatewayConfig) -> AfterRestart {
    let mocks = |listener: &ListenerConfig| matches!(listener.mode, Mode::Mock);
    if config.listeners.iter().all(mocks) {
        AfterRestart::InsecureAdmit
    } else {
        AfterRestart::default()
    }
}

/// A gateway that is open.
struct Running {
    source: Source,
    config: GatewayConfig,
    kept: Arc<Kept>,
    rules: Current,
    diagnoses: Arc<Diagnoses>,
    /// For each listener.
    identities: Vec<Option<Arc<Identity>>>,
}

impl Running {
    /// Lets clients in.
    fn open(&self, listeners: Vec<TcpListener>, connections: &Connections) -> Result<(), String> {
        let configs = self.config.listeners.iter().zip(&self.identities);
        for (listener, (config, identity)) in listeners.into_iter().zip(configs) {
            let acceptor = identity.as_ref().map(Identity::acceptor).transpose()?;
            let door = Door::new(
                config,
                Arc::clone(&self.rules),
                Arc::clone(&self.diagnoses),
                self.config.log.requests,
                self.config.connections.body,
            )?;
            let scheme = if acceptor.is_some() { "https" } else { "http" };
            let url = format!("{scheme}://{}", local(&listener));
            info!(url, mode = config.mode.name(), "listening");
            if acceptor.is_none() && config.trusted_proxies.is_empty() {
                self.warn_of_plain_http(&url);
            }
            connections.listen(listener, acceptor, Arc::new(door));
        }
        Ok(())
    }

    /// A listener that refuses everything is rarely meant.
    fn warn_of_plain_http(&self, url: &str) {
        if self.rules.load().validator.policy().https() == HttpsRule::Everywhere {
            warn!(
                url,
                "everything will be refused here: it is in the clear, without trusted_proxies, and policy.https is \
                 \"everywhere\" (in a test, --insecure-http helps)"
            );
        }
    }

    /// Reads everything again and takes it over as a whole, or not at all.
    fn reload(&self) {
        match self.read_again() {
            Ok(()) => {
                metrics::reloaded(metrics::Reload::Done);
                info!("reloaded");
            }
            Err(wrong) => {
                metrics::reloaded(metrics::Reload::Failed);
                error!(wrong, "not reloaded; everything stays as it was");
            }
        }
    }

    fn read_again(&self) -> Result<(), String> {
        let Config { setup, gateway } = self.source.read()?;
        if gateway != self.config {
            return Err(
                "listeners, admin, log, connections and redis: expected as at the start; restart to change them"
                    .to_owned(),
            );
        }
        let mut certificates = Vec::new();
        for identity in self.identities.iter().flatten() {
            certificates.push((identity, identity.read_again()?));
        }
        let rules = Rules::new(setup, &self.kept)?;
        self.rules.store(Arc::new(rules));
        for (identity, certificate) in certificates {
            identity.take(certificate);
        }
        Ok(())
    }
}

fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    /// Clients that connect faster than they are accepted wait here; beyond it they lose a second each. The operating
    /// system may allow fewer (`net.core.somaxconn`).
    const QUEUE: u32 = 4_096;
    let listener = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }
    .and_then(|socket| {
        // After a restart the port still has connections that are closing.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(QUEUE)
    });
    listener.map_err(|error| format!("{address}: cannot be listened on: {error}"))
}

/// The port that was found, where none was demanded.
fn local(listener: &TcpListener) -> String {
    listener
        .local_addr()
        .map_or_else(|_| "?".to_owned(), |address| address.to_string())
}

/// What the gateway is told from outside.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

enum Event {
    Reload,
    Stop,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Event {
        select! {
            _ = self.hangup.recv() => Event::Reload,
            _ = self.terminate.recv() => Event::Stop,
            _ = self.interrupt.recv() => Event::Stop,
        }
    }

    async fn stop_again(&mut self) {
        select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
