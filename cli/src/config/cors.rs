//! Settings of a listener for scripts of other origins.

use hyper::Uri;

use crate::config::host;
use crate::config::toml_table::{Choices, Fault, Found, Table};

/// What happens to the preflights of browsers, which cannot be signed.
#[derive(Clone, Default, PartialEq)]
pub(crate) enum Preflights {
    /// They are requests like any other.
    #[default]
    Refuse,
    /// The service answers them.
    Pass,
    /// The gateway answers them.
    Answer(Origins),
}

/// Whose scripts may send requests and read the answers.
#[derive(Clone, PartialEq)]
pub(crate) enum Origins {
    Any,
    Listed(Vec<String>),
}

#[derive(Clone, Copy)]
pub(super) enum Name {
    Refuse,
    Pass,
    Answer,
}

/// What `preflights` may say where there is a service behind.
pub(super) const WITH_SERVICE: Choices<'_, Name> = &[
    ("refuse", Name::Refuse),
    ("pass", Name::Pass),
    ("answer", Name::Answer),
];

/// What it may say where there is none.
pub(super) const WITHOUT_SERVICE: Choices<'_, Name> =
    &[("refuse", Name::Refuse), ("answer", Name::Answer)];

/// Reads `preflights` and `origins`.
pub(super) fn preflights(
    table: &mut Table<'_>,
    choices: Choices<'_, Name>,
) -> Result<Preflights, Fault> {
    let name = table.choice("preflights", choices)?;
    let origins = table.texts("origins")?;
    match (name, origins) {
        (Some(Name::Answer), Some(Found { value, line })) => {
            let origins = Origins::new(value);
            let origins = origins.map_err(|wrong| table.fault(line, "origins", wrong))?;
            Ok(Preflights::Answer(origins))
        }
        (Some(Name::Answer), None) => Err(table.missing("origins")),
        (_, Some(found)) => {
            let wrong = "expected only with preflights = \"answer\"";
            Err(table.fault(found.line, "origins", wrong))
        }
        (Some(Name::Pass), None) => Ok(Preflights::Pass),
        (Some(Name::Refuse) | None, None) => Ok(Preflights::Refuse),
    }
}

impl Origins {
    fn new(origins: Vec<String>) -> Result<Self, &'static str> {
        const EXPECTED: &str = "expected origins as browsers send them, such as https://console.example.com, or \"*\" alone";
        match origins.as_slice() {
            [] => Err(EXPECTED),
            [any] if any == "*" => Ok(Self::Any),
            listed if listed.iter().all(|text| is_origin(text)) => Ok(Self::Listed(origins)),
            _ => Err(EXPECTED),
        }
    }
}

/// Whether a browser may send it: scheme and host in lower case, and the port unless it is the scheme's own.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let own_port = match uri.scheme_str() {
        Some("http") => ":80",
        Some("https") => ":443",
        _ => return false,
    };
    let host = text.split_once("://").map_or("", |(_, host)| host);
    uri.authority()
        .is_some_and(|authority| authority.as_str() == host)
        && text == text.to_ascii_lowercase()
        && host::check(host).is_ok()
        && !host.ends_with(own_port)
}
