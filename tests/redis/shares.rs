//! How many nonces one SecretId may hold.

use std::sync::Arc;

use qcloud_validator::UnixTime;
use qcloud_validator::store::{NonceClaim, NonceValue, NonceVerdict};
use test_support::redis_server::RedisServer;
use test_support::signer::TIMESTAMP;

use crate::scene::{claim, connected, count, race, settings};

#[tokio::test]
async fn a_secret_id_holds_its_share_exactly() {
    let server = RedisServer::start();
    let settings = || settings(&server).with_nonces_per_secret_id(10);
    let clients = [
        connected(settings()).await.nonces(),
        connected(settings()).await.nonces(),
    ];
    let verdicts = race(64, |index| {
        let nonces = Arc::clone(&clients[index % 2]);
        async move {
            // Over all of the window, so over all generations.
            let index = u64::try_from(index).unwrap();
            let ahead = i64::try_from(index * 9).unwrap() - 290;
            nonces.claim(claim(index, ahead)).await.unwrap()
        }
    })
    .await;
    assert_eq!(count(&verdicts, NonceVerdict::Fresh), 10);
    assert_eq!(count(&verdicts, NonceVerdict::ShareExhausted), 54);

    let now = UnixTime::from_seconds(TIMESTAMP);
    let value = NonceValue::Number(1);
    let of_another = NonceClaim::new("AKID2", Some(TIMESTAMP), value, now, TIMESTAMP + 300);
    let verdict = clients[0].claim(of_another).await.unwrap();
    assert_eq!(verdict, NonceVerdict::Fresh);
}

#[tokio::test]
async fn a_repeated_nonce_is_repeated_also_where_the_share_is_exhausted() {
    let server = RedisServer::start();
    let settings = settings(&server).with_nonces_per_secret_id(1);
    let nonces = connected(settings).await.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
    assert_eq!(
        nonces.claim(claim(2, 0)).await.unwrap(),
        NonceVerdict::ShareExhausted
    );
}

#[tokio::test]
async fn what_has_expired_counts_no_more() {
    let server = RedisServer::start();
    let settings = settings(&server).with_nonces_per_secret_id(2);
    let nonces = connected(settings).await.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    // A generation of 1970.
    let key = server.ask(&[b"KEYS", b"qv:2:*:s:*"]);
    let key: Vec<u8> = key.chars().map(|c| u8::try_from(c).unwrap()).collect();
    server.ask(&[b"HSET", &key, b"7", b"1000"]);
    assert_eq!(
        nonces.claim(claim(2, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    assert_eq!(server.ask(&[b"HEXISTS", &key, b"7"]), ":0");
    assert_eq!(
        nonces.claim(claim(3, 0)).await.unwrap(),
        NonceVerdict::ShareExhausted
    );
}
