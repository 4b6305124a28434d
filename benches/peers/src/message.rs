//! What is sent: the same method, address, parameters and body, whoever signs it.

use bytes::Bytes;

use test_support::requests;

/// The host that every request goes to.
pub const HOST: &str = "cvm.tencentcloudapi.com";
/// So many bytes of JSON.
pub const BODY: usize = 200;
/// So many parameters in a query.
pub const PARAMETERS: usize = 10;

/// Which of the two requests.
#[derive(Clone, Copy, Debug)]
pub enum Job {
    /// A POST with a body of JSON.
    Post,
    /// A GET with parameters in its query.
    Get,
}

/// A request that nobody has signed. No two are the same.
#[derive(Debug)]
pub struct Message {
    /// `POST` or `GET`.
    pub method: &'static str,
    /// Percent-encoded as RFC 3986 asks; empty for a POST.
    pub query: String,
    /// Empty for a GET.
    pub body: Bytes,
}

impl Message {
    /// The next one.
    #[must_use]
    pub fn next(job: Job) -> Self {
        match job {
            Job::Post => Self {
                method: "POST",
                query: String::new(),
                body: requests::tc3_post(BODY).body.into(),
            },
            Job::Get => Self {
                method: "GET",
                query: requests::tc3_get(PARAMETERS).query,
                body: Bytes::new(),
            },
        }
    }

    /// With its media type, and without a signature.
    #[must_use]
    pub fn unsigned(&self) -> http::request::Builder {
        let request = http::Request::builder()
            .method(self.method)
            .header("host", HOST);
        match self.method {
            "POST" => request.header("content-type", "application/json"),
            _ => request,
        }
    }

    /// Path and query.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            "/".to_owned()
        } else {
            format!("/?{}", self.query)
        }
    }
}

/// Changes one byte of what was signed: each of the requests has a `Limit` of 20.
#[must_use]
pub fn with_another_limit(text: &[u8]) -> Bytes {
    let limit: &[u8] = b"Limit";
    let mut changed = text.to_vec();
    let at = text
        .windows(limit.len())
        .position(|word| word == limit)
        .expect("every request has a limit");
    let digit = changed[at..]
        .iter_mut()
        .find(|byte| **byte == b'2')
        .expect("the limit is 20");
    *digit = b'3';
    changed.into()
}
