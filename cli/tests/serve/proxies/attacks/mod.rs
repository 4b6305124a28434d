//! Requests that try to reach the service as what they are not, each with an honest one.

mod callers;
mod decisions;
mod messages;
mod originals;
mod targets;

use qcloud_validator::testkit::{Request, Signer};
use test_support::gateway::SECRET_ID;

use super::signed::{Signed, tc3_get, tc3_post, tc3_unsigned, v2_form, v2_get};
use super::site::HOST;

/// Two requests, each over a new connection.
pub(crate) struct Attack {
    pub(crate) name: String,
    /// Arrives as it was sent, where the gateway is shown what is signed.
    pub(crate) honest: Signed,
    pub(crate) hostile: Vec<u8>,
    /// If the hostile request reaches the service, it is this.
    pub(crate) verified: Option<Signed>,
}

pub(crate) fn all() -> Vec<Attack> {
    [
        signatures(),
        callers::callers(),
        callers::connections(),
        originals::originals(),
        targets::paths(),
        targets::hosts(),
        decisions::actions(),
        decisions::lines(),
        decisions::content_types(),
        messages::start_lines(),
        messages::framing(),
        messages::expectations(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Attack {
    /// Edits a request after it was signed.
    pub(crate) fn on(
        name: impl Into<String>,
        signed: fn() -> Signed,
        edit: impl Fn(&Request) -> Vec<u8>,
    ) -> Self {
        let verified = signed();
        Self {
            name: name.into(),
            honest: signed(),
            hostile: edit(&verified.request),
            verified: Some(verified),
        }
    }

    /// The hostile request is signed rightly, in a form that a program may read in more than one way.
    pub(crate) fn signed_otherwise(
        name: &str,
        usual: fn() -> Signed,
        unusual: fn() -> Signed,
    ) -> Self {
        let unusual = unusual();
        Self {
            name: name.to_owned(),
            honest: usual(),
            hostile: unusual.request.to_raw(),
            verified: Some(unusual),
        }
    }

    /// The hostile request reaches no service.
    pub(crate) fn never(mut self) -> Self {
        self.verified = None;
        self
    }

    /// What the client made of it after it was signed is not covered by the signature.
    pub(crate) fn seen_as(mut self, change: impl Fn(Signed) -> Signed) -> Self {
        self.verified = self.verified.map(change);
        self
    }
}

fn signatures() -> Vec<Attack> {
    let forged = |_: &Request| {
        let stranger = Signer::v2(SECRET_ID, "anotherSecretKeyForTestsOnly01234");
        stranger
            .host(HOST)
            .action("DescribeInstances")
            .get()
            .sign()
            .to_raw()
    };
    let mut replay = Attack::on("a replay", v2_get, Request::to_raw).never();
    replay.hostile = replay.honest.request.to_raw();
    vec![
        replay,
        Attack::on("a forged signature", v2_get, forged).never(),
        Attack::on("another query than the signed", tc3_get, |request| {
            replaced(request, "%E4%B8%AD", "%E4%B8%AE")
        })
        .never(),
        Attack::on("another spelling of the signed query", tc3_get, |request| {
            replaced(request, "a=b%20c", "a=b+c")
        })
        .never(),
        Attack::on("another body than the signed", tc3_post, |request| {
            replaced(request, "\"Limit\":1", "\"Limit\":9")
        })
        .never(),
        Attack::on("another form than the signed", v2_form, |request| {
            replaced(request, "Limit=1", "Limit=9")
        })
        .never(),
        Attack::on(
            "another body, which is not signed",
            tc3_unsigned,
            |request| replaced(request, "\"Limit\":1", "\"Limit\":9"),
        )
        .seen_as(|signed| Signed {
            request: signed.request.with_body("{\"Limit\":9}"),
            ..signed
        }),
    ]
}

fn replaced(request: &Request, from: &str, to: &str) -> Vec<u8> {
    replace(&request.to_raw(), from, to)
}

fn replace(raw: &[u8], from: &str, to: &str) -> Vec<u8> {
    let raw = text(raw);
    assert!(raw.contains(from), "{from} is not in {raw}");
    raw.replacen(from, to, 1).into_bytes()
}

/// With more lines after the headers.
fn last(request: &Request, lines: &str) -> Vec<u8> {
    insert(&request.to_raw(), lines)
}

fn insert(raw: &[u8], lines: &str) -> Vec<u8> {
    replace(raw, "\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"))
}

/// With more lines before the headers.
fn first(raw: &[u8], lines: &str) -> Vec<u8> {
    replace(raw, "\r\n", &format!("\r\n{lines}\r\n"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
