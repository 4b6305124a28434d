//! Subcommand `check`: one validator checks the requests of all files, one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use qcloud_validator::memory::{MemoryCredentials, MemoryNonces};
use qcloud_validator::stage::Received;
use qcloud_validator::store::{NonceClaim, NonceStore, NonceVerdict, StoreError, Stores};
use qcloud_validator::testkit::Request;
use qcloud_validator::{ManualClock, Policy, Tolerance, Transport, UnixTime, Validator};

use crate::command::arguments::{Format, LanguageName};
use crate::command::input::requests;
use crate::config::host;
use crate::config::keys::{KeyArgs, SECRET_ID, SECRET_KEY, Sources};
use crate::config::validator::{self, Setup};
use crate::outcome::Outcome;
use crate::report::diagnosis::Explanation;
use crate::report::text::complain;
use crate::report::{Checked, Summary};

/// Check raw HTTP/1.1 requests, as they came over the wire.
///
/// A file may hold a command line of curl or a URL instead.
///
/// One validator checks all requests in order, so that a request that occurs twice is refused as a replay. A file may hold
/// several requests, one after the other.
///
/// Keys come from --credentials and from --secret-id with --secret-key; where neither gives one, from the environment
/// variables TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY and TENCENTCLOUD_TOKEN. Other users can see the command
/// line: prefer a file or the environment for real keys.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Files with raw requests, a command line of curl or a URL; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// TOML file with keys, accounts, limits and policy; examples/credentials.toml explains it
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,

    #[command(flatten)]
    key: KeyArgs,

    /// Time of the check: `now`, `request` for the timestamp of each request, or seconds since 1970
    #[arg(long, value_name = "WHEN", default_value = "now", value_parser = at)]
    at: At,

    /// Scheme over which the requests came
    #[arg(long, value_enum, default_value_t = SchemeName::Https)]
    scheme: SchemeName,

    /// Name the client's mistake that explains a refusal: known ones are tried until one gives its signature
    #[arg(long)]
    explain: bool,

    /// File with the client's own string to sign or canonical request, to compare with; implies --explain
    #[arg(long, value_name = "FILE")]
    client_string: Option<PathBuf>,

    /// Format of the verdicts
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Host that clients sign for this service, if it is not the one they send; may be given several times
    #[arg(long, value_name = "HOST")]
    public_host: Vec<String>,

    /// Which spellings of a signed request are accepted [default: compatible]
    #[arg(long, value_enum)]
    policy: Option<PolicyName>,

    /// Language of the messages, if a request asks for none [default: en-US]
    #[arg(long, value_enum)]
    language: Option<LanguageName>,
}

const AFTER_HELP: &str = "\
Exit status:
  0  every request was admitted
  1  a request was refused
  2  the command line was wrong, or an input could not be read; the other inputs were checked

With --format json each line is an object with file, verdict, scheme, dialect, secret_id, action, reason, check, codes,
message, response, string_to_sign and uncovered; what is not known is null. The response has an all-zero request id. The
string to sign holds the token, if the request has one.

--explain adds diagnosis, a list of objects with id, cause, fix and evidence, most certain first, and --client-string
adds difference, an object with offset, line, before, server and client, or null where the two texts are the same.

Examples:
  qcloud-validator check --credentials examples/credentials.toml --at request examples/requests/*.http
  qcloud-validator check --credentials keys.toml --explain --client-string signed.txt request.http
  qcloud-validator check --at 1795580278 --format json - < request.http";

/// The time of a check.
#[derive(Clone, Copy)]
enum At {
    Now,
    Request,
    Unix(i64),
}

fn at(text: &str) -> Result<At, String> {
    match text {
        "now" => Ok(At::Now),
        "request" => Ok(At::Request),
        seconds => match seconds.parse() {
            Ok(seconds) => Ok(At::Unix(seconds)),
            Err(_) => Err("expected now, request or seconds since 1970".to_owned()),
        },
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum SchemeName {
    Https,
    Http,
}

#[derive(Clone, Copy, ValueEnum)]
enum PolicyName {
    /// Every spelling that published clients use and that covers all parameters.
    Compatible,
    /// The documented form and nothing else.
    Strict,
}

/// Checks every file. What is wrong with the command line or the credentials file ends it before the first.
pub(crate) fn run(mut args: Args, sources: Sources, out: &mut impl Write) -> io::Result<Outcome> {
    let made = client_string(&args).and_then(|client_string| {
        let (validator, clock) = validator(&mut args, &sources)?;
        Ok((validator, clock, client_string))
    });
    let (validator, clock, client_string) = match made {
        Ok(made) => made,
        Err(wrong) => {
            complain(&wrong);
            return Ok(Outcome::Unreadable);
        }
    };
    let checker = Checker {
        validator,
        clock,
        explain: args.explain || client_string.is_some(),
        client_string,
        transport: match args.scheme {
            SchemeName::Https => Transport::Https,
            SchemeName::Http => Transport::Http,
        },
        format: args.format,
    };
    let mut summary = Summary::default();
    for file in &args.files {
        let name = file.to_string_lossy();
        match open(file) {
            Ok(input) => checker.file(&name, input, &mut summary, out)?,
            Err(error) => {
                complain(&format!("{name}: cannot be read: {error}"));
                summary.unreadable = summary.unreadable.saturating_add(1);
            }
        }
    }
    if args.format == Format::Text {
        summary.write(out)?;
    }
    Ok(summary.outcome())
}

/// What the client signed, if it was given.
fn client_string(args: &Args) -> Result<Option<String>, String> {
    /// No string to sign is longer than the request.
    const MAX_BYTES: u64 = 16 << 20;
    let Some(file) = &args.client_string else {
        return Ok(None);
    };
    let is_stdin = |file: &PathBuf| file.to_str() == Some("-");
    if is_stdin(file) && args.files.iter().any(is_stdin) {
        return Err(
            "--client-string and the requests cannot both be read from standard input".to_owned(),
        );
    }
    let mut bytes = Vec::new();
    open(file)
        .and_then(|input| input.take(MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|error| {
            let name = file.to_string_lossy();
            format!("--client-string: {name}: cannot be read: {error}")
        })?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    Ok(match file.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(BufReader::new(File::open(file)?)),
    })
}

struct Checker {
    validator: Validator,
    /// The clock to be set to each request's own time.
    clock: Option<Arc<ManualClock>>,
    transport: Transport,
    explain: bool,
    client_string: Option<String>,
    format: Format,
}

impl Checker {
    fn file(
        &self,
        name: &str,
        input: Box<dyn BufRead>,
        summary: &mut Summary,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for (request, number) in requests(input).zip(1_usize..) {
            let file = match number {
                1 => name.to_owned(),
                number => format!("{name}#{number}"),
            };
            match request {
                Ok(request) => self.request(&file, &request, summary, out)?,
                Err(error) => {
                    complain(&format!("{file}: {error}"));
                    summary.unreadable = summary.unreadable.saturating_add(1);
                }
            }
        }
        Ok(())
    }

    fn request(
        &self,
        file: &str,
        request: &Request,
        summary: &mut Summary,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let policy = self.validator.policy();
        let request = request.clone().with_transport(self.transport);
        if let Some(clock) = &self.clock
            && let Some(time) = request.signed_at(policy)
        {
            clock.set(time);
        }
        let request = &request.view();
        let read = Received::new(request, policy).read().ok();
        let verdict = self.validator.check(request);
        let mut checked = Checked::new(file, &verdict, read.map(|read| read.string_to_sign()));
        if self.explain {
            let client = self.client_string.as_deref();
            checked = checked.explained(client, |refused, client| {
                let diagnosis = self.validator.explain(request, refused);
                Explanation::new(diagnosis, refused.language(), client)
            });
        }
        match &verdict {
            Ok(_) => summary.admitted = summary.admitted.saturating_add(1),
            Err(_) => summary.refused = summary.refused.saturating_add(1),
        }
        match self.format {
            Format::Text => checked.text(out),
            Format::Json => {
                if let Some(cause) = checked.cause() {
                    complain(&format!("{file}: {cause}"));
                }
                checked.json(out)
            }
        }
    }
}

/// Nonces that never expire: with each request checked at its own time, a copy of it is a replay whatever came between.
struct Everlasting(MemoryNonces);

impl NonceStore for Everlasting {
    fn claim(&self, claim: &NonceClaim<'_>) -> Result<NonceVerdict, StoreError> {
        let mut claim = *claim;
        claim.now = UnixTime::from_seconds(0);
        claim.expires_at = 0;
        self.0.claim(&claim)
    }
}

/// The validator, and its clock if that is to be moved. The error is one line without a secret.
fn validator(
    args: &mut Args,
    sources: &Sources,
) -> Result<(Validator, Option<Arc<ManualClock>>), String> {
    let Setup {
        credentials,
        permissions,
        limits,
        nonces,
        mut policy,
    } = match &args.credentials {
        Some(file) => validator::read(file)?,
        None => Setup::default(),
    };
    let credentials: MemoryCredentials = credentials.into_iter().collect();
    if (sources.any() || credentials.is_empty())
        && let Some(credential) = args.key.credential(sources)?
    {
        credentials.insert(credential);
    }
    if credentials.is_empty() {
        return Err(format!(
            "no key to check with: give --credentials, or --secret-id and --secret-key, or set {SECRET_ID} and {SECRET_KEY}"
        ));
    }

    match args.policy {
        Some(PolicyName::Strict) => policy = policy.tolerance(Tolerance::Strict),
        Some(PolicyName::Compatible) => policy = policy.tolerance(Tolerance::Compatible),
        None => {}
    }
    if let Some(language) = args.language {
        policy = policy.language(language.into());
    }
    for host in &args.public_host {
        host::check(host).map_err(|wrong| format!("--public-host: {wrong}"))?;
        policy = policy.public_host(host.as_str());
    }
    let policy: Policy = policy
        .build()
        .map_err(|error| format!("--public-host: {error}"))?;

    let nonces = MemoryNonces::insecure_without_memory(nonces.capacity, policy.window_seconds());
    let stores = Stores {
        credentials: Arc::new(credentials),
        nonces: match args.at {
            At::Request => Arc::new(Everlasting(nonces)),
            At::Now | At::Unix(_) => Arc::new(nonces),
        },
        permissions,
        quotas: Arc::new(limits.in_memory()),
    };
    let validator = Validator::new(policy, stores);
    Ok(match args.at {
        At::Now => (validator, None),
        At::Unix(seconds) => (validator.with_clock(ManualClock::at(seconds)), None),
        At::Request => {
            let clock = Arc::new(ManualClock::at(0));
            (validator.with_clock(clock.clone()), Some(clock))
        }
    })
}
