//! The subcommand `serve`: reads the configuration, opens the listeners, and serves until a signal stops it.

use std::mem;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use qcloud_validator::store::AfterRestart;
use qcloud_validator::tower::IpNetwork;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::select;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

mod access_log;
mod activity;
mod admin;
mod bind;
mod body_deadline;
mod caller_headers;
mod connection;
mod cors;
mod diagnoses;
mod endpoint;
mod fields;
mod forward_auth;
mod keep_alive;
mod listener;
mod load;
mod log;
mod metrics;
mod mock;
mod open_files;
mod pace;
mod places;
mod preflight;
mod proxy;
mod running;
mod self_signed;
#[cfg(feature = "redis")]
mod shared;
mod signals;
mod socket;
mod source;
mod stores;
mod streams;
mod tls;
mod unsent;
mod upstream;

use crate::config::files::Reading;
use crate::config::gateway::{GatewayConfig, ListenerConfig, LogFormat, Mode};
use crate::config::keys::{KeyArgs, Sources};
use crate::outcome::Outcome;
use crate::report::text::complain;
use admin::Admin;
use bind::{bind, local};
use listener::Connections;
use load::Loader;
use log::Log;
use running::Running;
use signals::Signals;
use source::Source;
use stores::Kept;

/// Run a gateway that lets only correctly signed requests through.
///
/// The file of --config describes listeners, and --listen adds one. The mode of a listener says what becomes of an admitted
/// request: `mock` answers it as the vendor does, for tests of SDKs; `proxy` passes it on to a service; `forward-auth`, which
/// only the file can describe, answers nginx, Traefik or Envoy whether it may pass.
///
/// Keys come from the file and from --secret-id with --secret-key; where neither gives one, from the environment variables
/// TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_TOKEN.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// TOML file with listeners, keys, limits and policy; examples/gateway.toml explains it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address and port of a listener
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// What becomes of requests that are admitted on the listener of --listen
    #[arg(long, value_enum, default_value_t = ModeName::Mock, requires = "listen")]
    mode: ModeName,

    /// Service behind that listener, such as http://127.0.0.1:9000
    #[arg(
        long,
        value_name = "URL",
        required_if_eq("mode", "proxy"),
        requires = "listen"
    )]
    upstream: Option<String>,

    /// Serve HTTPS with a certificate that it makes; DIR gets ca.pem, for clients to trust
    #[arg(long, value_name = "DIR", requires = "listen")]
    self_signed: Option<PathBuf>,

    /// Network of a proxy in front of it that ends TLS, such as 10.1.0.0/16; may be given several times
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

    /// Admit requests that came over plain HTTP: for tests on loopback
    #[arg(long)]
    insecure_http: bool,

    /// Name the mistake that explains a refusal in the answer: for tests, since strangers can read it too
    #[arg(long)]
    explain: bool,

    /// Format of the log
    #[arg(long, value_enum)]
    log_format: Option<LogFormat>,

    /// Check the configuration and all files that it names, and exit without serving
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    key: KeyArgs,
}

const AFTER_HELP: &str = "\
Signals:
  SIGHUP            reads the file and the certificates again; on an error everything stays as it is
  SIGTERM, SIGINT   accepts no more connections and exits when all requests are answered; a second one exits at once

Exit status:
  0  a signal stopped it
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

/// Serves until a signal stops it.
pub(crate) fn run(args: Args, sources: &Sources) -> Outcome {
    let dry_run = args.dry_run;
    let served = Source::new(args, sources).and_then(|source| match dry_run {
        true => check(&source),
        false => start(source),
    });
    match served {
        Ok(()) => Outcome::Good,
        Err(wrong) => {
            complain(&wrong);
            Outcome::Unreadable
        }
    }
}

/// Reads everything, and looks whether it could be served.
fn check(source: &Source) -> Result<(), String> {
    let loaded = source.load(&Reading::default()).outcome?;
    preflight::nonces(&loaded.config.setup.nonces)?;
    loaded.warnings.iter().for_each(|line| complain(line));
    Ok(())
}

fn start(source: Source) -> Result<(), String> {
    let signals = Signals::receive().map_err(|error| format!("no signals: {error}"))?;
    let runtime = Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    let served = runtime.block_on(async {
        select! {
            biased;
            opened = Gateway::open(source, &signals) => opened?.serve(&signals).await,
            () = signals.stop.cancelled() => Ok(()),
        }
    });
    // A thread that waits for a file or a name server is not waited for.
    runtime.shutdown_background();
    served
}

/// How often a remote store is looked at, also if no one asks for readiness.
const WATCH: Duration = Duration::from_secs(60);

/// A gateway that serves.
struct Gateway {
    running: Arc<Running>,
    connections: Connections,
    /// Lets connections end.
    stop: CancellationToken,
    admin: Arc<Admin>,
    loader: Loader,
    _log: Log,
}

impl Gateway {
    /// Opens everything. Addresses come first: what they need is not touched if another process has them. The error is one
    /// line.
    async fn open(source: Source, signals: &Signals) -> Result<Self, String> {
        open_files::raise_limit();
        let metrics = metrics::install().map_err(|error| format!("no metrics: {error}"))?;
        let (loader, mut first) =
            Loader::start(source).map_err(|error| format!("no thread to read files: {error}"))?;
        let mut loaded = first.loaded().await?;
        let config = &loaded.config.gateway;
        signals.let_drain(config.connections.drain);
        preflight::nonces(&loaded.config.setup.nonces)?;
        let listeners: Result<Vec<TcpListener>, String> = config
            .listeners
            .iter()
            .map(|listener| bind(listener.address))
            .collect();
        let listeners = listeners?;
        let administered = config.admin.map(bind).transpose()?;
        let kept = Kept::open(
            &loaded.config.setup,
            config.redis.as_ref(),
            after_restart(config),
        );
        let kept = Arc::new(kept.await?);
        let log = Log::install(config.log.format).map_err(|error| format!("no log: {error}"))?;
        let stop = CancellationToken::new();
        let connections = Connections::new(open_files::fitting(config)?, stop.clone());
        let warnings = mem::take(&mut loaded.warnings);
        let running = Arc::new(Running::open(loaded, kept, listeners, &connections)?);
        warnings.iter().for_each(|line| complain(line));
        let admin = Arc::new(Admin {
            metrics,
            kept: Arc::clone(&running.kept),
            lost_lines: log.lost_lines().clone(),
            stopping: AtomicBool::new(false),
        });
        if let Some(listener) = administered {
            info!(address = local(&listener), "administered");
            let pages = admin::router(Arc::clone(&admin));
            tokio::spawn(async move { axum::serve(listener, pages).await });
        }
        first.opened(Arc::clone(&running));
        Ok(Self {
            running,
            connections,
            stop,
            admin,
            loader,
            _log: log,
        })
    }

    /// Serves until a signal stops it, and ends what has begun. The error is one line.
    async fn serve(mut self, signals: &Signals) -> Result<(), String> {
        let mut upkeep = interval(metrics::UPKEEP);
        let mut watch = interval(WATCH);
        loop {
            select! {
                () = signals.reload.notified() => self.loader.reload(),
                () = signals.stop.cancelled() => break,
                _ = upkeep.tick() => self.upkeep(),
                _ = watch.tick() => if let Err(cause) = self.running.kept.ready().await {
                    warn!(cause, "a store cannot be relied on");
                },
            }
        }
        info!("stopping");
        self.admin.stopping.store(true, Ordering::Release);
        self.stop.cancel();
        select! {
            drained = self.connections.drained() => match drained {
                true => info!("stopped"),
                false => warn!("stopped before all requests were answered"),
            },
            () = signals.stop_at_once.cancelled() => warn!("stopped at once"),
        }
        if let Some(nonces) = self.running.kept.close()? {
            info!(nonces, "saved");
        }
        Ok(())
    }

    fn upkeep(&mut self) {
        self.admin.metrics.run_upkeep();
        if let Some(file) = self.loader.stuck_at() {
            let file = file.display().to_string();
            warn!(
                file,
                "a reload waits for this file; everything stays as it was until then"
            );
        }
    }
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
