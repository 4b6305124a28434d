//! Drives the crate `tencent-sdk`; `../README.md` says how.

use std::io::{self, BufRead};

use serde_json::json;
use tencent_sdk::client::EndpointMode;
use tencent_sdk::types::Filter;
use tencent_sdk::types::cvm::DescribeInstancesRequest;
use tencent_sdk::{Auth, BlockingClient, Error};

fn main() -> io::Result<()> {
    for line in io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split(' ').collect();
        let (code, from) = match fields.as_slice() {
            [
                "tencent-sdk",
                url,
                secret_id,
                secret_key,
                token,
                "TC3-HMAC-SHA256",
                "POST",
            ] => reported(call(url, secret_id, secret_key, token)),
            _ => (format!("not a job for this driver: {line}"), "driver"),
        };
        println!("{}", json!({ "code": code, "from": from }));
    }
    Ok(())
}

fn call(url: &str, secret_id: &str, secret_key: &str, token: &str) -> Result<(), Error> {
    let auth = match (token, Auth::tc3(secret_id, secret_key)) {
        ("-", auth) => auth,
        (token, Auth::Tc3(auth)) => Auth::Tc3(auth.with_token(token)),
        (_, auth) => auth,
    };
    let client = BlockingClient::builder(url)?
        .auth(auth)
        .endpoint_mode(EndpointMode::FixedHost)
        .default_region("ap-guangzhou")
        .no_system_proxy(true)
        .build()?;
    let request =
        DescribeInstancesRequest::new().push_filter(Filter::new("instance-name", ["a b+中文"]));
    client.cvm().describe_instances(&request).map(drop)
}

/// The code, and the variant of the error that holds it.
fn reported(answer: Result<(), Error>) -> (String, &'static str) {
    let error = match answer {
        Ok(()) => return ("OK".to_owned(), ""),
        Err(error) => error,
    };
    let from = match &error {
        Error::Auth(_) => "Error::Auth",
        Error::Api(_) => "Error::Api",
        _ => "driver",
    };
    let code = error.code().map(str::to_owned);
    (code.unwrap_or_else(|| error.to_string()), from)
}
