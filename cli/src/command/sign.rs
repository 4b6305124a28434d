//! Subcommand `sign`: signs the request that the command line describes, and prints it.

use std::fs;
use std::io::{self, Write};

use clap::ValueEnum;
use qcloud_validator::diagnose::Mistake;
use qcloud_validator::testkit::{Request, Signer};

use crate::config::host;
use crate::config::keys::{Key, KeyArgs, SECRET_ID, SECRET_KEY, Sources};
use crate::outcome::Outcome;
use crate::report::text::complain;

/// Sign a request and print it: as a curl command, as a URL, or as it goes over the wire.
///
/// The key comes from --secret-id and --secret-key or from the environment variables TENCENTCLOUD_SECRET_ID and
/// TENCENTCLOUD_SECRET_KEY. Other users can see the command line: prefer the environment for real keys. The secret key is
/// never printed; a token is, as part of the request.
#[derive(clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Action, such as DescribeZones
    #[arg(long, value_name = "NAME")]
    action: String,

    /// Algorithm of the signature [default: tc3 for v3, hmac-sha1 for v2]
    #[arg(long, value_enum)]
    signature: Option<SignatureName>,

    /// Which API: `v2` is the legacy one, `v3` is API 3.0
    #[arg(long, value_enum, default_value_t = Generation::V3)]
    dialect: Generation,

    /// Version of the API, such as 2017-03-12; required for API 3.0
    #[arg(long, value_name = "DATE")]
    version: Option<String>,

    /// Region, such as ap-guangzhou
    #[arg(long, value_name = "REGION")]
    region: Option<String>,

    /// Parameter of the action; may be given several times. A TC3 request with parameters is a GET
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    param: Vec<(String, String)>,

    /// Body of a TC3 POST, or @ and the name of the file that holds it
    #[arg(long, value_name = "TEXT|@FILE")]
    body: Option<String>,

    /// Content-Type of a TC3 request [default: application/json for a POST]
    #[arg(long, value_name = "TYPE")]
    content_type: Option<String>,

    /// Header to send and to sign with TC3; may be given several times
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    signed_header: Vec<(String, String)>,

    /// Leave the body out of a TC3 signature, and declare it unsigned
    #[arg(long)]
    unsigned_payload: bool,

    /// Method [default: GET; POST for TC3 without --param]
    #[arg(long, value_enum)]
    method: Option<MethodName>,

    /// Host [default: a domain of CVM]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,

    /// Path [default: /v2/index.php for v2, / for v3]
    #[arg(long, value_name = "PATH")]
    path: Option<String>,

    /// Service in the scope of TC3 [default: the first label of the host]
    #[arg(long, value_name = "NAME")]
    service: Option<String>,

    /// Seconds since 1970 [default: now]
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    timestamp: Option<i64>,

    /// Nonce of the hmac signatures [default: a random one]
    #[arg(long, value_name = "NUMBER")]
    nonce: Option<u64>,

    #[command(flatten)]
    key: KeyArgs,

    /// Make this known mistake, so that the request is refused; `check --explain` names it
    #[arg(long, value_name = "ID", value_parser = mistake)]
    mistake: Option<Mistake>,

    /// Form in which the request is printed; `url` only for a GET with an hmac signature
    #[arg(long, value_enum, default_value_t = Output::Curl)]
    output: Output,
}

const AFTER_HELP: &str = "\
Exit status:
  0  the request was printed
  2  the options do not make a request that can be signed and printed

Examples:
  qcloud-validator sign --action DescribeZones --version 2017-03-12 --region ap-guangzhou | sh
  qcloud-validator sign --dialect v2 --action DescribeInstances --param limit=1 --output url
  qcloud-validator sign --action DescribeZones --version 2017-03-12 --mistake tc3-crlf |
    qcloud-validator check --explain -";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SignatureName {
    HmacSha1,
    HmacSha256,
    /// TC3-HMAC-SHA256, of API 3.0
    Tc3,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Generation {
    V2,
    V3,
}

#[derive(Clone, Copy, ValueEnum)]
enum MethodName {
    #[value(name = "GET", alias = "get")]
    Get,
    #[value(name = "POST", alias = "post")]
    Post,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    /// HTTP/1.1, as it goes over the wire.
    Request,
    Url,
    /// A command line for POSIX shells.
    Curl,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected NAME: VALUE".to_owned()),
    }
}

fn mistake(id: &str) -> Result<Mistake, String> {
    Mistake::ALL
        .iter()
        .copied()
        .find(|mistake| mistake.id() == id)
        .ok_or_else(|| "no known mistake; see diagnosis.md of the manual".to_owned())
}

pub(crate) fn run(mut args: Args, sources: &Sources, out: &mut impl Write) -> io::Result<Outcome> {
    let signed = key(&mut args.key, sources).and_then(|key| signed(&args, key));
    match signed.and_then(|request| printed(&request, &args)) {
        Ok(text) => {
            out.write_all(&text)?;
            Ok(Outcome::Good)
        }
        Err(wrong) => {
            complain(&wrong);
            Ok(Outcome::Unreadable)
        }
    }
}

fn key(args: &mut KeyArgs, sources: &Sources) -> Result<Key, String> {
    args.key(sources)?.ok_or_else(|| {
        format!("no key to sign with: give --secret-id and --secret-key, or set {SECRET_ID} and {SECRET_KEY}")
    })
}

fn signed(args: &Args, key: Key) -> Result<Request, String> {
    let signature = args.signature.unwrap_or(match args.dialect {
        Generation::V2 => SignatureName::HmacSha1,
        Generation::V3 => SignatureName::Tc3,
    });
    let tc3 = signature == SignatureName::Tc3;
    let Key { id, secret, token } = key;
    let mut signer = match (args.dialect, tc3) {
        (Generation::V2, true) => {
            return Err(
                "--signature tc3 is of API 3.0: it does not go with --dialect v2".to_owned(),
            );
        }
        (Generation::V2, false) => Signer::v2(id, secret),
        (Generation::V3, false) => Signer::v1(id, secret),
        (Generation::V3, true) => Signer::tc3(id, secret),
    };
    let version_needed = args.dialect == Generation::V3 && args.version.is_none();
    if version_needed && args.mistake != Some(Mistake::MissingParameter) {
        return Err("API 3.0 needs --version, such as 2017-03-12 for CVM".to_owned());
    }
    if tc3 {
        signed_by_tc3(args)?;
    } else {
        signed_by_hmac(args)?;
    }
    if let Some(host) = &args.host {
        host::check(host).map_err(|wrong| format!("--host: {wrong}"))?;
    }
    if args.path.as_ref().is_some_and(|path| !is_path(path)) {
        return Err(
            "--path: expected a path that begins with / and has no query: use --param".to_owned(),
        );
    }
    signer = match signature {
        SignatureName::HmacSha1 => signer.hmac_sha1(),
        SignatureName::HmacSha256 => signer.hmac_sha256(),
        SignatureName::Tc3 => signer,
    };
    signer = signer
        .action(&args.action)
        .parameters(args.param.iter().cloned());
    signer = match args.method {
        Some(MethodName::Get) => signer.get(),
        Some(MethodName::Post) => signer.post(),
        None => signer,
    };
    type Set = fn(Signer, String) -> Signer;
    let texts: [(&Option<String>, Set); 7] = [
        (&args.version, Signer::version),
        (&args.region, Signer::region),
        (&args.host, Signer::host),
        (&args.path, Signer::path),
        (&args.service, Signer::service),
        (&args.content_type, Signer::content_type),
        (&token, Signer::token),
    ];
    for (text, set) in texts {
        if let Some(text) = text {
            signer = set(signer, text.clone());
        }
    }
    if let Some(seconds) = args.timestamp {
        signer = signer.timestamp(seconds);
    }
    if let Some(nonce) = args.nonce {
        signer = signer.nonce(nonce);
    }
    if let Some(body) = &args.body {
        signer = signer.body(bytes(body)?);
    }
    if args.unsigned_payload {
        signer = signer.unsigned_payload();
    }
    for (name, value) in &args.signed_header {
        signer = signer.signed_header(name, value);
    }
    match args.mistake {
        None => Ok(signer.sign()),
        Some(mistake) => signer
            .sign_with_mistake(mistake)
            .map_err(|error| error.to_string()),
    }
}

/// Refuses what a TC3 request would carry unsigned: the query of a POST and the body of a GET.
fn signed_by_tc3(args: &Args) -> Result<(), String> {
    if args.nonce.is_some() {
        return Err("--nonce is for the hmac signatures; TC3 has no nonce".to_owned());
    }
    let parameters = !args.param.is_empty();
    match (args.method, &args.body) {
        (Some(MethodName::Get), Some(_)) => {
            Err("a TC3 GET does not sign its body: use --param, or --method POST".to_owned())
        }
        (_, Some(_)) if parameters => Err(
            "--param and --body exclude each other for TC3: a POST does not sign its query"
                .to_owned(),
        ),
        (Some(MethodName::Post), None) if parameters => {
            Err("a TC3 POST does not sign its query: use --body instead of --param".to_owned())
        }
        _ => Ok(()),
    }
}

/// Refuses what an hmac signature does not cover or the request would not hold.
fn signed_by_hmac(args: &Args) -> Result<(), String> {
    /// Parameters with options of their own, and the signature itself.
    const OWN: [&str; 9] = [
        "Action",
        "Nonce",
        "Region",
        "SecretId",
        "Signature",
        "SignatureMethod",
        "Timestamp",
        "Token",
        "Version",
    ];
    let of_tc3 = args.body.is_some()
        || args.content_type.is_some()
        || args.service.is_some()
        || args.unsigned_payload
        || !args.signed_header.is_empty();
    if of_tc3 {
        return Err(
            "--body, --content-type, --service, --signed-header and --unsigned-payload are for TC3; the others sign --param"
                .to_owned(),
        );
    }
    match args.param.iter().find(|(name, _)| OWN.contains(&&**name)) {
        Some((name, _)) => Err(format!(
            "--param {name}: `sign` sets it itself; use the option for it"
        )),
        None => Ok(()),
    }
}

/// A query in the path would not be signed.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains(['?', '#'])
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    match text.strip_prefix('@') {
        None => Ok(text.as_bytes().to_vec()),
        Some(file) => {
            fs::read(file).map_err(|error| format!("--body: {file}: cannot be read: {error}"))
        }
    }
}

fn printed(request: &Request, args: &Args) -> Result<Vec<u8>, String> {
    let line = |text: Option<String>, instead: &str| match text {
        Some(text) => Ok(format!("{text}\n").into_bytes()),
        None => Err(format!("the request is no text; use {instead}")),
    };
    match args.output {
        Output::Request => Ok(request.to_raw()),
        Output::Curl => line(request.to_curl(), "--output request"),
        Output::Url => {
            let whole = request.method() == b"GET" && request.header("authorization").is_none();
            if !whole {
                return Err(
                    "a URL cannot hold a body or the headers of TC3; use --output curl or request"
                        .to_owned(),
                );
            }
            line(request.to_url(), "--output request")
        }
    }
}
