//! An axum service that only requests with a right signature reach.
//!
//! `cargo run --example tower_service --features tower [ADDRESS:PORT]`, then paste the line that it prints.

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::ConnectInfo;
use axum::http::Request;
use axum::middleware::map_request;
use axum::routing::any;
use axum::{Extension, Router};
use qcloud_validator::memory::MemoryCredentials;
use qcloud_validator::store::{Credential, Principal, Stores};
use qcloud_validator::tower::{PeerAddr, TransportSource, ValidatorLayer};
use qcloud_validator::{
    Admitted, Clock, HttpsRule, Policy, SecretKey, SystemClock, Transport, Validator,
};
use tokio::net::TcpListener;

const SECRET_ID: &str = "AKIDEXAMPLE0000000000000000000000001";
const SECRET_KEY: &str = "exampleKeyOfTheTowerService000001";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let credentials = MemoryCredentials::new();
    credentials.insert(Credential::permanent(
        SECRET_ID,
        SecretKey::new(SECRET_KEY)?,
        Principal::account("100000000001"),
    ));
    // On loopback there is no TLS. Elsewhere leave this rule out, and believe the proxy in front that ends TLS:
    // `TransportSource::ForwardedFrom(vec!["10.1.0.0/16".parse()?])`.
    let policy = Policy::builder()
        .https(HttpsRule::InsecureNowhere)
        .build()?;
    let source = TransportSource::Connection(Transport::Http);
    let stores = Stores::in_memory(credentials, policy.window_seconds(), SystemClock.now());
    let validator = Validator::new(policy, stores);

    let app = Router::new()
        .fallback(any(greet))
        .layer(ValidatorLayer::new(validator, source))
        // Outside of the validator: who connected, for `TransportSource::ForwardedFrom`.
        .layer(map_request(name_the_peer));

    let address = env::args().nth(1);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("{}", line_to_try(listener.local_addr()?));
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}

async fn greet(Extension(admitted): Extension<Arc<Admitted>>) -> String {
    format!(
        "{} may call {}.\n",
        admitted.principal().uin(),
        admitted.action()
    )
}

async fn name_the_peer<B>(
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request<B>,
) -> Request<B> {
    request.extensions_mut().insert(PeerAddr(peer));
    request
}

/// Signs a legacy v2 GET in the shell, so that the line is good however much later it is pasted.
fn line_to_try(address: SocketAddr) -> String {
    format!(
        "url={address}/v2/index.php; \
         query=\"Action=DescribeInstances&Nonce=$RANDOM&SecretId={SECRET_ID}&Timestamp=$(date +%s)\"; \
         curl -sG \"http://$url?$query\" --data-urlencode \
         \"Signature=$(printf %s \"GET$url?$query\" | openssl dgst -sha1 -hmac {SECRET_KEY} -binary | base64)\""
    )
}
