//! What is refused after a server has forgotten.

use std::sync::Arc;
use std::time::Duration;

use qcloud_validator::store::{AfterRestart, NonceVerdict, RemoteNonceStore};
use qcloud_validator::{Policy, Reason};
use test_support::redis_server::RedisServer;
use test_support::signer::TIMESTAMP;
use tokio::time::sleep;

use crate::scene::{
    Marker, check, claim, connected, gateway, held, marker_key, nonce_store_failed, nonces_key,
    remember_since_1970, settings, signed,
};

/// What makes a server forget, or a gateway meet another one that knows less.
type Loss = fn(&mut RedisServer, &RedisServer);

const LOSSES: [(&str, Loss); 14] = [
    ("killed and restarted", |server, _| {
        server.kill();
        server.restart();
    }),
    // The same process with the data of another, which may lag behind.
    ("demoted and promoted again", |server, other| {
        let port = other.port().to_string();
        server.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
        server.ask(&[b"REPLICAOF", b"NO", b"ONE"]);
    }),
    ("FLUSHALL", |server, _| run(server, "FLUSHALL")),
    ("FLUSHALL ASYNC", |server, _| run(server, "FLUSHALL ASYNC")),
    ("FLUSHDB", |server, _| run(server, "FLUSHDB")),
    ("SWAPDB with an empty one", |server, _| {
        run(server, "SWAPDB 0 1");
    }),
    ("DEL of the marker", |server, _| run(server, "DEL MARKER")),
    ("DEL of the nonces", |server, _| run(server, "DEL NONCES")),
    ("UNLINK of the nonces", |server, _| {
        run(server, "UNLINK NONCES");
    }),
    ("UNLINK of both", |server, _| {
        run(server, "UNLINK NONCES MARKER");
    }),
    ("MOVE of the nonces", |server, _| {
        run(server, "MOVE NONCES 1");
    }),
    ("RENAME of the nonces", |server, _| {
        run(server, "RENAME NONCES other");
    }),
    ("one nonce removed", |server, _| {
        run(server, "ZREMRANGEBYRANK NONCES 0 0");
    }),
    ("the nonces expire", |server, _| {
        run(server, "PEXPIRE NONCES 1");
        std::thread::sleep(Duration::from_millis(5));
    }),
];

/// Sends a command about the bucket of the claims.
fn run(server: &RedisServer, command: &str) {
    let command = command
        .replace("NONCES", &nonces_key("AKID1"))
        .replace("MARKER", &marker_key("AKID1"));
    let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
    let answer = server.ask(&words);
    assert!(
        answer == "+OK" || answer == ":1" || answer == ":2",
        "{command}: {answer}"
    );
}

/// A gateway that does what `rule` says, on a server that has forgotten nothing since 1970.
async fn remembering(server: &RedisServer, rule: AfterRestart) -> Arc<dyn RemoteNonceStore> {
    let redis = connected(settings(server).with_after_restart(rule)).await;
    remember_since_1970(server, "qv");
    redis.nonces()
}

#[tokio::test]
async fn what_may_have_been_used_before_a_loss_is_refused() {
    let other = RedisServer::start();
    for (name, lose) in LOSSES {
        // Dated by so many seconds after the clock, and what comes of it. The allowance is 10 seconds.
        for (rule, refused, judged) in [
            (AfterRestart::RefuseDatedBefore, [-290, 0, 5], [13, 290]),
            (AfterRestart::RefuseForOneWindow, [-290, 0, 290], [0, 0]),
        ] {
            let mut server = RedisServer::start();
            let nonces = remembering(&server, rule).await;
            for ahead in refused {
                let verdict = nonces.claim(claim(1, ahead)).await.unwrap();
                assert_eq!(verdict, NonceVerdict::Fresh, "{name} {rule:?} {ahead}");
            }

            lose(&mut server, &other);
            // The gateway finds out by the connection that is gone, with this request or before it.
            if name == "killed and restarted" {
                let _ = nonces.claim(claim(2, 0)).await;
            }
            for ahead in refused {
                for number in [1, 2] {
                    let verdict = nonces.claim(claim(number, ahead)).await.unwrap();
                    let case = format!("{name} {rule:?} {ahead}");
                    assert_eq!(verdict, NonceVerdict::BeforeMemory, "{case}");
                }
            }
            if rule == AfterRestart::RefuseDatedBefore {
                for ahead in judged {
                    let verdict = nonces.claim(claim(3, ahead)).await.unwrap();
                    assert_eq!(verdict, NonceVerdict::Fresh, "{name} {ahead}");
                    let verdict = nonces.claim(claim(3, ahead)).await.unwrap();
                    assert_eq!(verdict, NonceVerdict::Repeated, "{name} {ahead}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_was_kept_on_disk_is_not_trusted_to_be_complete() {
    kept_on_disk(RedisServer::start_with(&["--appendonly", "yes"]), "PING").await;
    kept_on_disk(RedisServer::start(), "SAVE").await;
}

async fn kept_on_disk(mut server: RedisServer, keep: &str) {
    let before = remembering(&server, AfterRestart::RefuseDatedBefore).await;
    assert_eq!(
        before.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    server.ask(&[keep.as_bytes()]);
    server.kill();
    server.restart();
    // It has the nonce and the marker again.
    assert_eq!(held(&server), 1);
    assert_eq!(Marker::of(&server, "AKID1").count, 1);
    let settings = settings(&server).with_after_restart(AfterRestart::RefuseDatedBefore);
    let after = connected(settings).await.nonces();
    for number in [1, 2] {
        let verdict = after.claim(claim(number, 0)).await.unwrap();
        assert_eq!(verdict, NonceVerdict::BeforeMemory);
    }
}

#[tokio::test]
async fn a_promoted_replica_is_not_trusted_to_be_complete() {
    let primary = RedisServer::start();
    let replica = RedisServer::start();
    let before = remembering(&primary, AfterRestart::RefuseDatedBefore).await;
    assert_eq!(
        before.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    let port = primary.port().to_string();
    replica.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
    for _ in 0..500 {
        if held(&replica) == 1 {
            break;
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(held(&replica), 1);
    replica.ask(&[b"REPLICAOF", b"NO", b"ONE"]);

    let settings = settings(&replica).with_after_restart(AfterRestart::RefuseDatedBefore);
    let after = connected(settings).await.nonces();
    for number in [1, 2] {
        let verdict = after.claim(claim(number, 0)).await.unwrap();
        assert_eq!(verdict, NonceVerdict::BeforeMemory);
    }
}

/// That the tests above can fail: without the rule a loss lets a request in again.
#[tokio::test]
async fn without_the_rule_a_restart_lets_a_replay_in() {
    let mut server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    let request = signed(1, TIMESTAMP);
    assert!(check(&gateway, &request).await.is_ok());
    server.kill();
    server.restart();
    assert!(nonce_store_failed(
        &check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err()
    ));
    assert!(check(&gateway, &request).await.is_ok());
}

#[tokio::test]
async fn a_new_gateway_does_not_make_a_server_forget_since_when_it_remembers() {
    let server = RedisServer::start();
    let first = connected(settings(&server)).await.nonces();
    assert_eq!(first.claim(claim(1, 0)).await.unwrap(), NonceVerdict::Fresh);
    let since = Marker::of(&server, "AKID1").since;
    sleep(Duration::from_millis(20)).await;
    let second = connected(settings(&server)).await;
    second.ready().await.unwrap();
    assert_eq!(
        second.nonces().claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
    assert_eq!(Marker::of(&server, "AKID1").since, since);
}

#[tokio::test]
async fn the_client_reads_that_the_server_was_restarted() {
    let server = RedisServer::start();
    let settings = settings(&server).with_after_restart(AfterRestart::RefuseDatedBefore);
    let redis = connected(settings).await;
    let gateway = gateway(&redis, Policy::default());
    let refused = check(&gateway, &signed(1, TIMESTAMP)).await.unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceBeforeMemory);
    assert_eq!(refused.code().number(), Some(4500));
}
