//! Which request a command line of curl sends, and which command line sends a request.

use std::error::Error;
use std::fmt;

use crate::diagnose::percent_encoded;
use crate::request::Transport;
use crate::testkit::Request;
use crate::testkit::raw::is_framing;
use crate::testkit::shell;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

impl Request {
    /// Reads a command line of curl as people paste it: quotes, line continuations, options in any order. Method,
    /// `Content-Type` and query come about as in curl; variables and commands in it are not expanded, and files are not
    /// read. What follows a pipe or a redirection is left out.
    ///
    /// ```
    /// use qcloud_validator::testkit::Request;
    ///
    /// let request = Request::from_curl(
    ///     r#"curl -X POST 'https://cvm.tencentcloudapi.com' \
    ///          -H 'Content-Type: application/json' -H "X-TC-Action: DescribeZones" -d '{"Limit": 1}'"#,
    /// )?;
    /// assert_eq!(request.method(), b"POST");
    /// assert_eq!(request.header("host"), Some(&b"cvm.tencentcloudapi.com"[..]));
    /// assert_eq!(request.body(), br#"{"Limit": 1}"#);
    /// # Ok::<(), qcloud_validator::testkit::UnreadableCommand>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If this is no command line of curl, or its request depends on something that is not in it, such as a file.
    pub fn from_curl(command: &str) -> Result<Self, UnreadableCommand> {
        let words = shell::words(command).ok_or(UnreadableCommand::Quotes)?;
        let mut words = words.into_iter().peekable();
        // A prompt that was pasted too.
        words.next_if(|word| word == "$" || word == "%" || word == "#");
        let is_curl = |word: &String| {
            let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
            matches!(name, "curl" | "curl.exe")
        };
        words.next_if(is_curl).ok_or(UnreadableCommand::NotCurl)?;
        let mut call = Call::default();
        call.read(&mut words)?;
        call.request()
    }

    /// A GET of a URL.
    ///
    /// ```
    /// use qcloud_validator::testkit::Request;
    ///
    /// let request = Request::from_url("https://cvm.api.qcloud.com/v2/index.php?Action=DescribeZones")?;
    /// assert_eq!(request.target(), b"/v2/index.php?Action=DescribeZones");
    /// # Ok::<(), qcloud_validator::testkit::UnreadableCommand>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If this is no URL of HTTP or HTTPS.
    pub fn from_url(url: &str) -> Result<Self, UnreadableCommand> {
        let mut call = Call::default();
        call.urls.push(url.to_owned());
        call.request()
    }

    /// The URL of the request: all there is to it if it is a GET without headers that matter.
    ///
    /// `None` if the request names no host, or its target is not ASCII.
    #[must_use]
    pub fn to_url(&self) -> Option<String> {
        let scheme = match self.transport() {
            Transport::Https => "https",
            Transport::Http => "http",
        };
        let host = str::from_utf8(self.header("host")?).ok()?;
        let target = str::from_utf8(self.target()).ok()?;
        target
            .is_ascii()
            .then(|| format!("{scheme}://{}{target}", host.trim()))
    }

    /// A command line of curl that sends the request, for POSIX shells.
    ///
    /// `None` if there is none: the request names no host, or holds bytes that are not text.
    ///
    /// ```
    /// use qcloud_validator::testkit::Request;
    ///
    /// let request = Request::new("POST", "/").with_header("Host", "a.example").with_body("it's");
    /// let command = request.to_curl().unwrap();
    /// assert_eq!(command, r#"curl https://a.example/ -H Content-Type: --data-raw "it's""#);
    /// ```
    #[must_use]
    pub fn to_curl(&self) -> Option<String> {
        let url = self.to_url()?;
        let method = str::from_utf8(self.method()).ok()?;
        let with_data = !self.body().is_empty() || method == "POST";
        let mut words = vec!["curl".to_owned()];
        // Otherwise it takes brackets for a range of URLs.
        if url.contains(['[', ']', '{', '}']) {
            words.push("--globoff".to_owned());
        }
        if method != if with_data { "POST" } else { "GET" } {
            words.extend(["-X".to_owned(), method.to_owned()]);
        }
        words.push(url);
        for (name, value) in self.headers() {
            if name.eq_ignore_ascii_case("host") || is_framing(name) {
                continue;
            }
            let value = str::from_utf8(value).ok()?;
            words.push("-H".to_owned());
            words.push(if value.is_empty() {
                format!("{name};")
            } else {
                format!("{name}: {value}")
            });
        }
        if with_data {
            if self.header("content-type").is_none() {
                words.extend(["-H".to_owned(), "Content-Type:".to_owned()]);
            }
            words.push("--data-raw".to_owned());
            words.push(str::from_utf8(self.body()).ok()?.to_owned());
        }
        let words: Option<Vec<_>> = words
            .iter()
            .map(|word| shlex::try_quote(word).ok())
            .collect();
        Some(words?.join(" "))
    }
}

/// Options with a value that does not change what is signed.
const PASSED_OVER: [(&str, &str); 24] = [
    ("-o", "--output"),
    ("-m", "--max-time"),
    ("-w", "--write-out"),
    ("-x", "--proxy"),
    ("-D", "--dump-header"),
    ("-c", "--cookie-jar"),
    ("-E", "--cert"),
    ("-U", "--proxy-user"),
    ("-y", "--speed-time"),
    ("-Y", "--speed-limit"),
    ("", "--connect-timeout"),
    ("", "--retry"),
    ("", "--retry-delay"),
    ("", "--retry-max-time"),
    ("", "--resolve"),
    ("", "--connect-to"),
    ("", "--cacert"),
    ("", "--capath"),
    ("", "--key"),
    ("", "--interface"),
    ("", "--limit-rate"),
    ("", "--stderr"),
    ("", "--trace-ascii"),
    ("", "--max-redirs"),
];

/// Flags that do not change what is signed.
const FLAGS: [(&str, &str); 30] = [
    ("-s", "--silent"),
    ("-S", "--show-error"),
    ("-v", "--verbose"),
    ("-i", "--include"),
    ("-k", "--insecure"),
    ("-L", "--location"),
    ("-f", "--fail"),
    ("-g", "--globoff"),
    ("-N", "--no-buffer"),
    ("-O", "--remote-name"),
    ("-4", "--ipv4"),
    ("-6", "--ipv6"),
    ("-0", "--http1.0"),
    ("-1", "--tlsv1"),
    ("-#", "--progress-bar"),
    ("-q", "--disable"),
    ("", "--http1.1"),
    ("", "--http2"),
    ("", "--http3"),
    ("", "--http2-prior-knowledge"),
    ("", "--compressed"),
    ("", "--fail-with-body"),
    ("", "--no-progress-meter"),
    ("", "--path-as-is"),
    ("", "--tcp-nodelay"),
    ("", "--tlsv1.2"),
    ("", "--tlsv1.3"),
    ("", "--ssl-no-revoke"),
    ("", "--no-keepalive"),
    ("", "--location-trusted"),
];

/// Options whose request depends on something outside the command line.
const REFUSED: [(&str, &str, &str); 7] = [
    (
        "-F",
        "--form",
        "the boundary of a multipart body is chosen by curl; give the raw request",
    ),
    (
        "",
        "--form-string",
        "the boundary of a multipart body is chosen by curl; give the raw request",
    ),
    ("-T", "--upload-file", "files are not read"),
    ("-K", "--config", "files are not read"),
    (
        "-u",
        "--user",
        "it sets another Authorization than that of the API",
    ),
    (
        "",
        "--aws-sigv4",
        "it sets another Authorization than that of the API",
    ),
    ("-:", "--next", "one request at a time"),
];

/// Options that shape the request, and whether a value follows.
#[derive(Clone, Copy)]
enum Known {
    Method,
    Header,
    Data(Data),
    Get,
    Head,
    Url,
    UserAgent,
    Referer,
    Cookie,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Data {
    /// `@` names a file.
    Plain,
    Raw,
    UrlEncoded,
    Json,
    /// `--url-query`
    Query,
}

const KNOWN: [(&str, &str, Known); 16] = [
    ("-X", "--request", Known::Method),
    ("-H", "--header", Known::Header),
    ("-d", "--data", Known::Data(Data::Plain)),
    ("", "--data-ascii", Known::Data(Data::Plain)),
    ("", "--data-binary", Known::Data(Data::Plain)),
    ("", "--data-raw", Known::Data(Data::Raw)),
    ("", "--data-urlencode", Known::Data(Data::UrlEncoded)),
    ("", "--json", Known::Data(Data::Json)),
    ("", "--url-query", Known::Data(Data::Query)),
    ("-G", "--get", Known::Get),
    ("-I", "--head", Known::Head),
    ("", "--url", Known::Url),
    ("-A", "--user-agent", Known::UserAgent),
    ("-e", "--referer", Known::Referer),
    ("-b", "--cookie", Known::Cookie),
    ("", "--http-method", Known::Method),
];

/// Words at which a shell ends the command.
const ENDS: [&str; 10] = ["|", "||", ";", "&", "&&", ">", ">>", "2>", "2>&1", "<"];

/// What the options say.
#[derive(Default)]
struct Call {
    urls: Vec<String>,
    method: Option<String>,
    headers: Vec<(String, String)>,
    /// Headers that curl sets by itself and shall not.
    removed: Vec<String>,
    data: Option<String>,
    query: Option<String>,
    json: bool,
    get: bool,
    head: bool,
}

impl Call {
    fn read(&mut self, words: &mut impl Iterator<Item = String>) -> Result<(), UnreadableCommand> {
        while let Some(word) = words.next() {
            if ENDS.contains(&word.as_str()) {
                break;
            }
            if word.starts_with("--") && word.len() > 2 {
                self.option(&word, None, words)?;
            } else if word.starts_with('-') && word.len() > 1 {
                self.short(&word, words)?;
            } else {
                self.urls.push(word);
            }
        }
        Ok(())
    }

    /// Short options, of which several may stand together, the last with its value.
    fn short(
        &mut self,
        word: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), UnreadableCommand> {
        let mut letters = word.chars();
        letters.next();
        while let Some(letter) = letters.next() {
            let rest = letters.as_str();
            let attached = (!rest.is_empty()).then_some(rest);
            if self.option(&format!("-{letter}"), attached, words)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One option; whether it took a value.
    fn option(
        &mut self,
        name: &str,
        attached: Option<&str>,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<bool, UnreadableCommand> {
        let is = |short: &str, long: &str| name == short || name == long;
        if let Some((_, _, why)) = REFUSED.iter().find(|(short, long, _)| is(short, long)) {
            return Err(UnreadableCommand::Unsupported {
                option: name.to_owned(),
                why,
            });
        }
        if FLAGS.iter().any(|(short, long)| is(short, long)) {
            return Ok(false);
        }
        let known = KNOWN.iter().find(|(short, long, _)| is(short, long));
        match known {
            Some((_, _, Known::Get)) => {
                self.get = true;
                return Ok(false);
            }
            Some((_, _, Known::Head)) => {
                self.head = true;
                return Ok(false);
            }
            Some(_) => {}
            None if PASSED_OVER.iter().any(|(short, long)| is(short, long)) => {}
            None => return Err(UnreadableCommand::UnknownOption(name.to_owned())),
        }
        let value = match attached {
            Some(attached) => attached.to_owned(),
            None => words
                .next()
                .ok_or_else(|| UnreadableCommand::ValueMissing(name.to_owned()))?,
        };
        match known.map(|(_, _, known)| known) {
            Some(Known::Method) => self.method = Some(value),
            Some(Known::Header) => self.header(&value)?,
            Some(Known::Data(kind)) => self.add(*kind, value)?,
            Some(Known::Url) => self.urls.push(value),
            Some(Known::UserAgent) => self.headers.push(("User-Agent".to_owned(), value)),
            Some(Known::Referer) => self.headers.push(("Referer".to_owned(), value)),
            // Without `=` it names a file of cookies.
            Some(Known::Cookie) if value.contains('=') => {
                self.headers.push(("Cookie".to_owned(), value));
            }
            Some(Known::Cookie | Known::Get | Known::Head) | None => {}
        }
        Ok(true)
    }

    /// `Name: value` sets a header, `Name:` removes one that curl would set, `Name;` sets an empty one.
    fn header(&mut self, text: &str) -> Result<(), UnreadableCommand> {
        if let Some(file) = text.strip_prefix('@') {
            return Err(UnreadableCommand::File(file.to_owned()));
        }
        match text.split_once(':') {
            Some((name, value)) if value.trim().is_empty() => {
                self.removed.push(name.trim().to_owned());
            }
            Some((name, value)) => {
                let value = value.trim_start().trim_end_matches(['\r', '\n']);
                self.headers
                    .push((name.trim().to_owned(), value.to_owned()));
            }
            None => match text.split_once(';') {
                Some((name, rest)) if rest.trim().is_empty() => {
                    self.headers.push((name.trim().to_owned(), String::new()));
                }
                // curl sends nothing of it.
                _ => {}
            },
        }
        Ok(())
    }

    fn add(&mut self, kind: Data, value: String) -> Result<(), UnreadableCommand> {
        let file = |name: &str| Err(UnreadableCommand::File(name.to_owned()));
        let piece = match kind {
            Data::Raw => value,
            Data::Plain | Data::Json => match value.strip_prefix('@') {
                Some(name) => return file(name),
                None => value,
            },
            // As it is.
            Data::Query if value.starts_with('+') => {
                value.strip_prefix('+').unwrap_or_default().to_owned()
            }
            Data::UrlEncoded | Data::Query => {
                match (value.split_once('='), value.split_once('@')) {
                    (Some(("", content)), _) => encoded(content),
                    (Some((name, content)), _) => format!("{name}={}", encoded(content)),
                    (None, Some((_, name))) => return file(name),
                    (None, None) => encoded(&value),
                }
            }
        };
        if kind == Data::Json {
            self.json = true;
        }
        let (slot, separator) = match kind {
            Data::Query => (&mut self.query, "&"),
            // `--json` joins without anything.
            Data::Json => (&mut self.data, ""),
            _ => (&mut self.data, "&"),
        };
        match slot {
            Some(data) => {
                data.push_str(separator);
                data.push_str(&piece);
            }
            None => *slot = Some(piece),
        }
        Ok(())
    }

    fn request(self) -> Result<Request, UnreadableCommand> {
        let url = match self.urls.as_slice() {
            [url] => Url::parse(url)?,
            [] => return Err(UnreadableCommand::NoUrl),
            [_, ..] => return Err(UnreadableCommand::SeveralUrls),
        };
        let with_body = self.data.is_some() && !self.get;
        let own = match (self.head, with_body) {
            (true, _) => "HEAD",
            (false, true) => "POST",
            (false, false) => "GET",
        };
        let mut target = url.target;
        let in_query = self.data.iter().filter(|_| self.get);
        for piece in self.query.iter().chain(in_query) {
            let separator = match target.split_once('?') {
                None => "?",
                Some((_, "")) => "",
                Some(_) => "&",
            };
            target.push_str(separator);
            target.push_str(piece);
        }
        let mut request = Request::new(self.method.as_deref().unwrap_or(own), target)
            .with_transport(url.transport);
        let given = |name: &str| {
            let is = |key: &String| key.eq_ignore_ascii_case(name);
            self.headers.iter().any(|(key, _)| is(key)) || self.removed.iter().any(is)
        };
        if !given("host") {
            request = request.with_header("Host", url.host);
        }
        for (name, value) in &self.headers {
            request = request.with_header(name.as_str(), value.as_str());
        }
        if with_body {
            let content_type = if self.json { JSON } else { FORM };
            if !given("content-type") {
                request = request.with_header("Content-Type", content_type);
            }
            request = request.with_body(self.data.unwrap_or_default());
        }
        Ok(request)
    }
}

/// As curl encodes, with `+` for blanks.
fn encoded(text: &str) -> String {
    let encoded = percent_encoded(text.as_bytes());
    String::from_utf8_lossy(&encoded).replace("%20", "+")
}

struct Url {
    transport: Transport,
    host: String,
    target: String,
}

impl Url {
    fn parse(url: &str) -> Result<Self, UnreadableCommand> {
        let url = url.split('#').next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (transport, port) = if scheme.eq_ignore_ascii_case("https") {
            (Transport::Https, ":443")
        } else if scheme.eq_ignore_ascii_case("http") {
            (Transport::Http, ":80")
        } else {
            return Err(UnreadableCommand::Url(url.to_owned()));
        };
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, target) = rest.split_at(end);
        let host = host.strip_suffix(port).unwrap_or(host);
        if host.is_empty() || host.contains('@') || rest.contains(char::is_whitespace) {
            return Err(UnreadableCommand::Url(url.to_owned()));
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            transport,
            host: host.to_owned(),
            target: format!("{slash}{target}"),
        })
    }
}

/// Why a command line of curl yields no request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnreadableCommand {
    /// It is not a command line of curl.
    NotCurl,
    /// A quote is not closed.
    Quotes,
    /// It names no URL.
    NoUrl,
    /// It names several.
    SeveralUrls,
    /// This is no URL of HTTP or HTTPS that can be requested.
    Url(String),
    /// No option of curl that is known here.
    UnknownOption(String),
    /// Nothing follows the option.
    ValueMissing(String),
    /// Part of the request is in this file, and files are not read.
    File(String),
    /// The request cannot be told from the command line alone.
    #[non_exhaustive]
    Unsupported {
        /// Which option.
        option: String,
        /// Why not.
        why: &'static str,
    },
}

impl Error for UnreadableCommand {}

impl fmt::Display for UnreadableCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCurl => f.write_str("does not begin with `curl`"),
            Self::Quotes => f.write_str("a quote is not closed"),
            Self::NoUrl => f.write_str("there is no URL in the command"),
            Self::SeveralUrls => f.write_str(
                "there is more than one URL in the command; is an option's value not quoted?",
            ),
            Self::Url(url) => write!(f, "cannot be requested over HTTP: {url}"),
            Self::UnknownOption(option) => write!(f, "the option {option} is not known"),
            Self::ValueMissing(option) => write!(f, "nothing follows {option}"),
            Self::File(name) => write!(
                f,
                "part of the request is in the file `{name}`, and files are not read: put its content in the command"
            ),
            Self::Unsupported { option, why } => write!(f, "{option} cannot be used here: {why}"),
        }
    }
}
