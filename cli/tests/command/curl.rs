//! Command lines of curl, and URLs, instead of raw requests.

use test_support::signer::QuerySigner;

use crate::run::{assert_admitted, check};

#[test]
fn a_command_line_of_curl_or_a_url_may_be_checked() {
    let request = QuerySigner::v2().sign();
    let url = format!("https://{}{}", request.host(), request.target);
    assert_admitted(url.as_bytes());
    assert_admitted(format!("\n{url}\n").as_bytes());
    assert_admitted(format!("curl \\\n  -s '{url}' | jq .\n").as_bytes());
    assert_admitted(format!("$ curl --url \"{url}\"").as_bytes());
    for (wrong, message) in [
        ("curl 'https://", "-: a quote is not closed\n"),
        (
            "curl https://h -d @f",
            "-: part of the request is in the file `f`, and files are not read: put its content in the command\n",
        ),
        ("https://", "-: cannot be requested over HTTP: https://\n"),
    ] {
        let ran = check(wrong.as_bytes());
        assert_eq!(ran.stderr, message);
        assert_eq!(ran.code, 2);
    }
}
