//! Configuration of a gateway: its listeners, its limits, and the tables of a credentials file in the same file. It is taken
//! as a whole or not at all.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hyper::Uri;
use qcloud_validator::tower::IpNetwork;

use crate::config::cors::{self, Preflights};
use crate::config::files::Files;
use crate::config::host;
use crate::config::redis::RedisConfig;
use crate::config::toml_table::{Choices, Fault, Table};
use crate::config::validator::{self, Setup};

/// Everything that a gateway is made of.
#[derive(Default)]
pub(crate) struct Config {
    pub(crate) setup: Setup,
    pub(crate) gateway: GatewayConfig,
    /// How often its files are looked at, if at all.
    pub(crate) reload: Option<Duration>,
}

/// What only a restart can change.
#[derive(Default, PartialEq)]
pub(crate) struct GatewayConfig {
    pub(crate) listeners: Vec<ListenerConfig>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) log: LogConfig,
    pub(crate) connections: ConnectionLimits,
    pub(crate) redis: Option<RedisConfig>,
}

/// An address, and what happens to requests that come in on it.
#[derive(Clone, PartialEq)]
pub(crate) struct ListenerConfig {
    pub(crate) address: SocketAddr,
    pub(crate) mode: Mode,
    pub(crate) tls: Option<TlsConfig>,
    /// The proxies that are believed about transport and host.
    pub(crate) trusted_proxies: Vec<IpNetwork>,
    pub(crate) preflights: Preflights,
}

/// What becomes of a request that was admitted.
#[derive(Clone, PartialEq)]
pub(crate) enum Mode {
    /// It is answered as the vendor would answer success.
    Mock,
    /// It goes on to a service.
    Proxy(Upstream),
    /// The proxy that asked gets a 200.
    ForwardAuth(ForwardAuth),
}

impl Mode {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Proxy(_) => "proxy",
            Self::ForwardAuth(_) => "forward-auth",
        }
    }
}

/// The service behind a proxy.
#[derive(Clone, PartialEq)]
pub(crate) struct Upstream {
    /// Scheme and authority.
    pub(crate) origin: Uri,
    pub(crate) connect_timeout: Duration,
    /// From the request to the head of the answer.
    pub(crate) timeout: Duration,
    /// How long a connection is kept for another request.
    pub(crate) idle: Duration,
}

impl Upstream {
    pub(crate) fn new(origin: Uri) -> Self {
        Self {
            origin,
            connect_timeout: Duration::from_secs(2),
            timeout: Duration::from_secs(30),
            // Many servers close theirs after five.
            idle: Duration::from_secs(4),
        }
    }
}

/// Who asks about a request, and what it shows of it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct ForwardAuth {
    pub(crate) asked_by: AskedBy,
    pub(crate) bodies: Bodies,
    pub(crate) unseen_bodies: UnseenBodies,
}

/// Which headers name the original request.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum AskedBy {
    /// `X-Original-Method`, `X-Original-URI`, as the configuration in the manual sets them.
    Nginx,
    /// `X-Forwarded-Method`, `X-Forwarded-Uri`.
    Traefik,
    /// None: the question has the method and the target of the request.
    Envoy,
}

/// What the body of a question is.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Bodies {
    /// The question has none, whatever the request has.
    Unseen,
    /// It is that of the request.
    Forwarded,
}

/// What happens to a request that cannot be verified without its body.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum UnseenBodies {
    Refuse,
    InsecurePassUnverified,
}

/// Where certificate and key come from.
#[derive(Clone, PartialEq)]
pub(crate) enum TlsConfig {
    Files { certificate: PathBuf, key: PathBuf },
    SelfSigned { folder: PathBuf },
}

/// What is written about requests.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) struct LogConfig {
    pub(crate) format: LogFormat,
    pub(crate) requests: LoggedRequests,
}

#[derive(Clone, Copy, Default, PartialEq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum LoggedRequests {
    #[default]
    All,
    Refused,
    None,
}

/// What clients may take.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct ConnectionLimits {
    /// Open at one time, on all listeners together.
    pub(crate) total: NonZeroUsize,
    /// The longest head of a request, in bytes.
    pub(crate) head_bytes: usize,
    /// How long a client may take from connecting to the end of the head of its first request, TLS handshake included.
    pub(crate) head: Duration,
    /// How long it may take over the body.
    pub(crate) body: Duration,
    /// How long until the end of the head of the next.
    pub(crate) idle: Duration,
    /// How long requests may go on when the gateway stops.
    pub(crate) drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: NonZeroUsize::MIN.saturating_add(16_383),
            head_bytes: 65_536,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            drain: Duration::from_secs(30),
        }
    }
}

/// Reads the file of a gateway. The error is one line that names the file and holds no secret.
pub(crate) fn read(path: &Path, files: &mut Files) -> Result<Config, String> {
    let name = path.display();
    let text = files.text(path);
    let text = text.map_err(|error| format!("{name}: cannot be read: {error}"))?;
    let read = Table::parse(&text).and_then(|mut file| {
        let setup = validator::setup(&mut file, files)?;
        let reload = file.number("reload_seconds", 1..=86_400)?;
        let gateway = gateway(&mut file, files)?;
        file.finish()?;
        Ok(Config {
            setup,
            gateway,
            reload: reload.map(Duration::from_secs),
        })
    });
    files.names_others(path);
    read.map_err(|fault| format!("{name}:{fault}"))
}

fn gateway(file: &mut Table<'_>, files: &mut Files) -> Result<GatewayConfig, Fault> {
    let mut gateway = GatewayConfig::default();
    for table in file.tables("listener")? {
        let table = table?;
        let line = table.line();
        let listener = listener(table, files)?;
        let address = listener.address;
        let taken = |other: &ListenerConfig| other.address == address && address.port() != 0;
        if gateway.listeners.iter().any(taken) {
            let wrong = "expected an address that no earlier listener has";
            return Err(file.fault(line, "listener.address", wrong));
        }
        gateway.listeners.push(listener);
    }
    if let Some(mut table) = file.table("admin")? {
        gateway.admin = Some(address(&mut table)?);
        table.finish()?;
    }
    if let Some(table) = file.table("log")? {
        gateway.log = log(table)?;
    }
    if let Some(table) = file.table("connections")? {
        gateway.connections = connections(table)?;
    }
    if let Some(table) = file.table("redis")? {
        gateway.redis = Some(RedisConfig::read(table, files)?);
    }
    Ok(gateway)
}

fn address(table: &mut Table<'_>) -> Result<SocketAddr, Fault> {
    let found = table
        .text("address")?
        .ok_or_else(|| table.missing("address"))?;
    found.value.parse().map_err(|_| {
        let wrong = "expected an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080";
        table.fault(found.line, "address", wrong)
    })
}

#[derive(Clone, Copy, PartialEq)]
enum ModeName {
    Mock,
    Proxy,
    ForwardAuth,
}

fn listener(mut table: Table<'_>, files: &Files) -> Result<ListenerConfig, Fault> {
    let address = address(&mut table)?;
    let mode = table
        .choice(
            "mode",
            &[
                ("mock", ModeName::Mock),
                ("proxy", ModeName::Proxy),
                ("forward-auth", ModeName::ForwardAuth),
            ],
        )?
        .ok_or_else(|| table.missing("mode"))?;
    let tls = tls(&mut table, files)?;
    let trusted_proxies = proxies(&mut table)?;
    if tls.is_some() && !trusted_proxies.is_empty() && mode != ModeName::ForwardAuth {
        let wrong = "expected only without certificate, key and self_signed: there the connection itself shows how a request came";
        return Err(table.fault(table.line(), "trusted_proxies", wrong));
    }
    let preflights = match mode {
        ModeName::Mock => cors::preflights(&mut table, cors::WITHOUT_SERVICE)?,
        ModeName::Proxy => cors::preflights(&mut table, cors::WITH_SERVICE)?,
        ModeName::ForwardAuth => Preflights::Refuse,
    };
    let mode = match mode {
        ModeName::Mock => Mode::Mock,
        ModeName::Proxy => Mode::Proxy(upstream(&mut table)?),
        ModeName::ForwardAuth if trusted_proxies.is_empty() => {
            return Err(table.missing("trusted_proxies"));
        }
        ModeName::ForwardAuth => Mode::ForwardAuth(forward_auth(&mut table)?),
    };
    table.finish()?;
    Ok(ListenerConfig {
        address,
        mode,
        tls,
        trusted_proxies,
        preflights,
    })
}

fn tls(table: &mut Table<'_>, files: &Files) -> Result<Option<TlsConfig>, Fault> {
    let certificate = table.text("certificate")?;
    let key = table.text("key")?;
    let self_signed = table.text("self_signed")?;
    match (certificate, key, self_signed) {
        (None, None, None) => Ok(None),
        (Some(certificate), Some(key), None) => Ok(Some(TlsConfig::Files {
            certificate: files.path(&*certificate.value),
            key: files.path(&*key.value),
        })),
        (None, None, Some(self_signed)) => Ok(Some(TlsConfig::SelfSigned {
            folder: files.path(&*self_signed.value),
        })),
        (Some(_), None, None) => Err(table.missing("key")),
        (None, Some(_), None) => Err(table.missing("certificate")),
        (_, _, Some(self_signed)) => {
            let wrong = "expected either self_signed or certificate and key";
            Err(table.fault(self_signed.line, "self_signed", wrong))
        }
    }
}

fn proxies(table: &mut Table<'_>) -> Result<Vec<IpNetwork>, Fault> {
    let Some(found) = table.texts("trusted_proxies")? else {
        return Ok(Vec::new());
    };
    let parsed: Result<Vec<IpNetwork>, _> = found.value.iter().map(|text| text.parse()).collect();
    parsed.map_err(|error| {
        let wrong = format!("expected IP networks: {error}");
        table.fault(found.line, "trusted_proxies", wrong)
    })
}

fn upstream(table: &mut Table<'_>) -> Result<Upstream, Fault> {
    let found = table
        .text("upstream")?
        .ok_or_else(|| table.missing("upstream"))?;
    let origin =
        origin(&found.value).map_err(|wrong| table.fault(found.line, "upstream", wrong))?;
    let default = Upstream::new(origin);
    Ok(Upstream {
        connect_timeout: seconds(table, "upstream_connect_seconds", default.connect_timeout)?,
        timeout: seconds(table, "upstream_seconds", default.timeout)?,
        idle: seconds(table, "upstream_idle_seconds", default.idle)?,
        ..default
    })
}

/// The scheme and authority of a service.
pub(crate) fn origin(text: &str) -> Result<Uri, &'static str> {
    const EXPECTED: &str =
        "expected http:// or https:// and a host, without a path: the path of the request is kept";
    let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
    let scheme = matches!(uri.scheme_str(), Some("http" | "https"));
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    let host = uri
        .authority()
        .is_some_and(|authority| host::check(authority.as_str()).is_ok());
    if scheme && bare && host {
        Ok(uri)
    } else {
        Err(EXPECTED)
    }
}

fn forward_auth(table: &mut Table<'_>) -> Result<ForwardAuth, Fault> {
    let asked_by = table
        .choice(
            "asked_by",
            &[
                ("nginx", AskedBy::Nginx),
                ("traefik", AskedBy::Traefik),
                ("envoy", AskedBy::Envoy),
            ],
        )?
        .ok_or_else(|| table.missing("asked_by"))?;
    let bodies = table.choice(
        "bodies",
        &[("unseen", Bodies::Unseen), ("forwarded", Bodies::Forwarded)],
    )?;
    let unseen_bodies = table.choice(
        "unseen_bodies",
        &[
            ("refuse", UnseenBodies::Refuse),
            (
                "insecure-pass-unverified",
                UnseenBodies::InsecurePassUnverified,
            ),
        ],
    )?;
    Ok(ForwardAuth {
        asked_by,
        bodies: bodies.unwrap_or(Bodies::Unseen),
        unseen_bodies: unseen_bodies.unwrap_or(UnseenBodies::Refuse),
    })
}

const LOG_FORMAT: Choices<'_, LogFormat> = &[("text", LogFormat::Text), ("json", LogFormat::Json)];

fn log(mut table: Table<'_>) -> Result<LogConfig, Fault> {
    let format = table.choice("format", LOG_FORMAT)?;
    let requests = table.choice(
        "requests",
        &[
            ("all", LoggedRequests::All),
            ("refused", LoggedRequests::Refused),
            ("none", LoggedRequests::None),
        ],
    )?;
    table.finish()?;
    Ok(LogConfig {
        format: format.unwrap_or_default(),
        requests: requests.unwrap_or_default(),
    })
}

fn connections(mut table: Table<'_>) -> Result<ConnectionLimits, Fault> {
    let default = ConnectionLimits::default();
    let whole = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let total = table.number("total", 1..=1_000_000)?;
    // The least that the parser of HTTP/1 works with is 8 KiB.
    let head_bytes = table.number("head_bytes", 8_192..=1_048_576)?;
    let limits = ConnectionLimits {
        total: total
            .and_then(|total| NonZeroUsize::new(whole(total)))
            .unwrap_or(default.total),
        head_bytes: head_bytes.map_or(default.head_bytes, whole),
        head: seconds(&mut table, "head_seconds", default.head)?,
        body: seconds(&mut table, "body_seconds", default.body)?,
        idle: seconds(&mut table, "idle_seconds", default.idle)?,
        drain: seconds(&mut table, "drain_seconds", default.drain)?,
    };
    table.finish()?;
    Ok(limits)
}

fn seconds(
    table: &mut Table<'_>,
    name: &'static str,
    default: Duration,
) -> Result<Duration, Fault> {
    let seconds = table.number(name, 1..=3_600)?;
    Ok(seconds.map_or(default, Duration::from_secs))
}
