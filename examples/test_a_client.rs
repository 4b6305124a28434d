//! A test of a client that signs wrongly, and what the assertion says about it.
//!
//! `cargo run --features testkit --example test_a_client`

use std::error::Error;
use std::panic;

use qcloud_validator::testkit::Request;
use qcloud_validator::{assert_admitted, assert_refused};

const SECRET_ID: &str = "AKIDEXAMPLEdummydummydummydummydummy12";
const SECRET_KEY: &str = "dummySecretKeyForTestsOnly0123456";

/// A small client of the legacy API. It has a bug: it signs the values as they stand in the URL.
mod client {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use hmac::{Hmac, KeyInit, Mac};
    use sha1::Sha1;

    /// The URL of a signed request.
    pub(crate) fn url(secret_id: &str, secret_key: &str, parameters: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(&str, String)> = parameters
            .iter()
            .map(|(name, value)| (*name, encoded(value)))
            .collect();
        pairs.push(("SecretId", secret_id.to_owned()));
        pairs.push(("Timestamp", "1767225600".to_owned()));
        pairs.push(("Nonce", "11886".to_owned()));
        pairs.sort();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let address = format!("cvm.api.qcloud.com/v2/index.php?{}", pairs.join("&"));
        let signature = encoded(&signature(secret_key, &format!("GET{address}")));
        format!("https://{address}&Signature={signature}")
    }

    fn signature(key: &str, text: &str) -> String {
        let mac = Hmac::<Sha1>::new_from_slice(key.as_bytes()).map(|mac| mac.chain_update(text));
        let bytes = mac
            .map(|mac| mac.finalize().into_bytes())
            .unwrap_or_default();
        let mut digits = [0; 28];
        let length = STANDARD
            .encode_slice(bytes, &mut digits)
            .unwrap_or_default();
        digits
            .iter()
            .take(length)
            .map(|&digit| char::from(digit))
            .collect()
    }

    fn encoded(text: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        text.bytes()
            .map(|byte| match plain(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let request = |parameters| Request::from_url(&client::url(SECRET_ID, SECRET_KEY, parameters));

    // Many requests of this client are right: a test with one of them finds nothing.
    let lucky = request(&[("Action", "DescribeInstances"), ("searchWord", "web")])?;
    assert_admitted!(&lucky, (SECRET_ID, SECRET_KEY));

    // A blank shows the bug.
    let request = request(&[
        ("Action", "DescribeInstances"),
        ("searchWord", "web server"),
    ])?;
    let failed = panic::catch_unwind(|| assert_admitted!(&request, (SECRET_ID, SECRET_KEY)));
    assert!(
        failed.is_err(),
        "the assertion panics with what is printed above"
    );

    // A test may also state what is known to fail, until it is mended.
    assert_refused!(&request, (SECRET_ID, SECRET_KEY), "AuthFailure");
    Ok(())
}
