//! Contents of a file: raw requests, a command line of curl, or a URL.

use std::io::{BufRead, Read};

use qcloud_validator::testkit::{RawRequests, Request};

/// A longer command line is none.
const MAX_BYTES: u64 = 16 << 20;

/// The requests in a file, each or what is wrong with it.
pub(crate) fn requests(
    mut input: Box<dyn BufRead>,
) -> Box<dyn Iterator<Item = Result<Request, String>>> {
    // A read error is reported by the reader below.
    let start = input.fill_buf().unwrap_or_default().trim_ascii_start();
    let begins = |word: &str| {
        start
            .get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()))
    };
    let read: fn(&str) -> Result<Request, String> = if begins("curl ") || begins("$ curl ") {
        |text| Request::from_curl(text).map_err(|error| error.to_string())
    } else if begins("https://") || begins("http://") {
        |text| Request::from_url(text.trim()).map_err(|error| error.to_string())
    } else {
        return Box::new(
            RawRequests::new(input).map(|request| request.map_err(|error| error.to_string())),
        );
    };
    let mut text = String::new();
    let request = match input.take(MAX_BYTES).read_to_string(&mut text) {
        Ok(_) => read(&text),
        Err(error) => Err(format!("cannot be read: {error}")),
    };
    Box::new(std::iter::once(request))
}
