//! The table `[redis]`: where gateways share what they remember.

#[cfg(not(feature = "redis"))]
pub(crate) use absent::RedisConfig;
#[cfg(feature = "redis")]
pub(crate) use present::{ClientIdentity, RedisConfig};

#[cfg(feature = "redis")]
mod present {
    use std::path::PathBuf;
    use std::time::Duration;

    use qcloud_validator::redis::RedisSettings;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use zeroize::Zeroizing;

    use crate::config::files::Files;
    use crate::config::toml_table::{Fault, Table};
    use crate::config::validator::secret::{secret, secret_elsewhere};

    /// A server, and what is assumed about it.
    #[derive(PartialEq)]
    pub(crate) struct RedisConfig {
        /// It may hold a password.
        pub(crate) url: Zeroizing<String>,
        /// Whose certificates are trusted instead of those that the system trusts.
        pub(crate) ca: Option<PathBuf>,
        pub(crate) identity: Option<ClientIdentity>,
        pub(crate) prefix: Option<String>,
        pub(crate) response_timeout: Option<Duration>,
        pub(crate) connection_timeout: Option<Duration>,
        pub(crate) clock_allowance: Option<Duration>,
        pub(crate) failover_after: Option<Duration>,
    }

    /// What the gateway shows the server.
    #[derive(PartialEq)]
    pub(crate) struct ClientIdentity {
        pub(crate) certificate: PathBuf,
        pub(crate) key: PathBuf,
    }

    impl RedisConfig {
        pub(crate) fn read(mut table: Table<'_>, files: &mut Files) -> Result<Self, Fault> {
            let url = url(&mut table, files)?;
            let ca = pem(&mut table, "ca", Pem::Certificates, files)?;
            let certificate = pem(&mut table, "certificate", Pem::Certificates, files)?;
            let key = pem(&mut table, "key", Pem::Key, files)?;
            let identity = match (certificate, key) {
                (None, None) => None,
                (Some(certificate), Some(key)) => Some(ClientIdentity { certificate, key }),
                (Some(_), None) => return Err(table.missing("key")),
                (None, Some(_)) => return Err(table.missing("certificate")),
            };
            let is_plain = !url.starts_with("rediss:") && !url.starts_with("valkeys:");
            if is_plain && (ca.is_some() || identity.is_some()) {
                let wrong = "expected rediss://, since there is a ca, certificate or key";
                return Err(table.fault(table.line(), "url", wrong));
            }
            let config = Self {
                url,
                ca,
                identity,
                prefix: prefix(&mut table)?,
                response_timeout: milliseconds(&mut table, "response_milliseconds")?,
                connection_timeout: milliseconds(&mut table, "connection_milliseconds")?,
                clock_allowance: seconds(&mut table, "clock_allowance_seconds")?,
                failover_after: seconds(&mut table, "failover_after_seconds")?,
            };
            table.finish()?;
            Ok(config)
        }
    }

    const ONE: [&str; 3] = ["url", "url_env", "url_file"];
    const MANY: [&str; 3] = ["urls", "urls_env", "urls_file"];

    fn url(table: &mut Table<'_>, files: &mut Files) -> Result<Zeroizing<String>, Fault> {
        let line = table.line();
        let one = secret(table, ONE, files)?;
        let listed = table.texts("urls")?;
        let elsewhere = secret_elsewhere(table, MANY, files)?;
        let (name, urls) = match (one, listed, elsewhere) {
            (Some(url), None, None) => ("url", vec![text(table, "url", url)?]),
            (None, Some(listed), None) => {
                let urls = listed.value.into_iter().map(Zeroizing::new);
                ("urls", urls.collect())
            }
            (None, None, Some(urls)) => {
                let urls = text(table, "urls", urls)?;
                let urls = urls.split_whitespace().map(str::to_owned);
                ("urls", urls.map(Zeroizing::new).collect())
            }
            _ => {
                let names = [ONE, MANY].concat().join(", ");
                return Err(table.fault(line, "url", format!("expected one of {names}")));
            }
        };
        let [url] = <[Zeroizing<String>; 1]>::try_from(urls).map_err(|_| {
            let wrong =
                "expected one URL: of several servers, as in a cluster, none can be used yet";
            table.fault(line, name, wrong)
        })?;
        RedisSettings::new(&url, 1).map_err(|_| {
            let wrong = "expected a URL such as redis://user:password@host:6379/0, or with rediss:// for TLS";
            table.fault(line, name, wrong)
        })?;
        Ok(url)
    }

    fn text(
        table: &Table<'_>,
        name: &'static str,
        bytes: Vec<u8>,
    ) -> Result<Zeroizing<String>, Fault> {
        let text = String::from_utf8(bytes);
        text.map(Zeroizing::new)
            .map_err(|_| table.fault(table.line(), name, "expected text in UTF-8"))
    }

    #[derive(Clone, Copy)]
    enum Pem {
        Certificates,
        Key,
    }

    impl Pem {
        fn is_in(self, text: &str) -> bool {
            match self {
                Self::Certificates => {
                    let all: Result<Vec<_>, _> =
                        CertificateDer::pem_slice_iter(text.as_bytes()).collect();
                    all.is_ok_and(|all| !all.is_empty())
                }
                Self::Key => PrivateKeyDer::from_pem_slice(text.as_bytes()).is_ok(),
            }
        }

        fn expected(self) -> &'static str {
            match self {
                Self::Certificates => "expected a file of certificates in PEM",
                Self::Key => "expected a file with a private key in PEM",
            }
        }
    }

    /// The path of a file, once it is known to hold what it should.
    fn pem(
        table: &mut Table<'_>,
        name: &'static str,
        pem: Pem,
        files: &mut Files,
    ) -> Result<Option<PathBuf>, Fault> {
        let Some(file) = table.text(name)? else {
            return Ok(None);
        };
        let path = files.path(&*file.value);
        let read = match pem {
            Pem::Certificates => files.text(&path),
            Pem::Key => files.secret(&path),
        };
        match read {
            Ok(text) if pem.is_in(&text) => Ok(Some(path)),
            Ok(_) => Err(table.fault(file.line, name, pem.expected())),
            Err(error) => {
                let wrong = format!("{}: {error}", pem.expected());
                Err(table.fault(file.line, name, wrong))
            }
        }
    }

    fn prefix(table: &mut Table<'_>) -> Result<Option<String>, Fault> {
        let Some(prefix) = table.text("prefix")? else {
            return Ok(None);
        };
        let text = prefix.value;
        if text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Ok(Some(text.into_owned()));
        }
        let wrong = "expected at most 64 printable ASCII characters without blanks";
        Err(table.fault(prefix.line, "prefix", wrong))
    }

    fn milliseconds(table: &mut Table<'_>, name: &'static str) -> Result<Option<Duration>, Fault> {
        let milliseconds = table.number(name, 1..=60_000)?;
        Ok(milliseconds.map(Duration::from_millis))
    }

    fn seconds(table: &mut Table<'_>, name: &'static str) -> Result<Option<Duration>, Fault> {
        let seconds = table.number(name, 1..=3_600)?;
        Ok(seconds.map(Duration::from_secs))
    }
}

#[cfg(not(feature = "redis"))]
mod absent {
    use crate::config::files::Files;
    use crate::config::toml_table::{Fault, Table};

    /// There is none.
    #[derive(PartialEq)]
    pub(crate) enum RedisConfig {}

    impl RedisConfig {
        pub(crate) fn read(table: Table<'_>, _: &mut Files) -> Result<Self, Fault> {
            let wrong = "expected only where the command is built with the feature `redis`";
            Err(table.fault(table.line(), "url", wrong))
        }
    }
}
