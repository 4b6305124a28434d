//! A server that is not there, stands still, is full, or is no primary.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use qcloud_validator::ManualClock;
use qcloud_validator::redis::{RedisSettings, RedisStores};
use qcloud_validator::store::{
    AfterRestart, NonceVerdict, Principal, QuotaDraw, QuotaVerdict, RemoteQuotaStore,
};
use qcloud_validator::{Policy, Reason, UnixTime};
use test_support::redis_server::RedisServer;
use test_support::signer::TIMESTAMP;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};

use crate::relay::Relay;
use crate::scene::{
    NOW, WINDOW, check, claim, connected, count, draw, gateway, nonce_store_failed, race, rate,
    settings, settings_at, signed, told,
};

#[tokio::test]
async fn a_server_that_stands_still_is_a_failure_in_time() {
    let server = RedisServer::start();
    let settings = settings(&server)
        .with_response_timeout(Duration::from_millis(250))
        .with_connection_timeout(Duration::from_millis(400));
    let redis = connected(settings).await;
    let gateway = gateway(&redis, Policy::default());
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_ok());

    server.pause();
    // The first waits for its answer, the second for a connection; a little more for a busy machine.
    for (nonce, least, most, expected) in [
        (
            2,
            250,
            1_250,
            format!(
                "Redis at 127.0.0.1:{} did not answer in 250 ms",
                server.port()
            ),
        ),
        (
            3,
            400,
            1_400,
            format!(
                "Redis at 127.0.0.1:{} did not answer in 400 ms",
                server.port()
            ),
        ),
    ] {
        let began = Instant::now();
        let refused = check(&gateway, &signed(nonce, TIMESTAMP))
            .await
            .unwrap_err();
        let took = began.elapsed();
        assert!(nonce_store_failed(&refused));
        assert!(told(&refused).ends_with(&expected), "{}", told(&refused));
        assert!(took >= Duration::from_millis(least), "{took:?}");
        assert!(took < Duration::from_millis(most), "{took:?}");
    }
    // Those who come right after are told the same at once.
    let began = Instant::now();
    let refused = check(&gateway, &signed(4, TIMESTAMP)).await.unwrap_err();
    assert!(nonce_store_failed(&refused));
    assert!(began.elapsed() < Duration::from_millis(1_400));

    server.resume();
    sleep(Duration::from_millis(150)).await;
    assert!(check(&gateway, &signed(5, TIMESTAMP)).await.is_ok());
    // What was sent before the time-out may have been claimed, or not; once at most.
    let admitted = [
        check(&gateway, &signed(2, TIMESTAMP)).await.is_ok(),
        check(&gateway, &signed(2, TIMESTAMP)).await.is_ok(),
    ];
    assert!(count(&admitted, true) <= 1);
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_is_refused_and_its_nonce_is_used() {
    let server = RedisServer::start();
    let lose = Arc::new(AtomicBool::new(false));
    let redis = connected(settings_at(&in_between(&server, Arc::clone(&lose)).await)).await;
    let gateway = gateway(&redis, Policy::default());
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_ok());

    lose.store(true, Ordering::SeqCst);
    let refused = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    assert!(nonce_store_failed(&refused));
    assert!(!lose.load(Ordering::SeqCst), "no answer was lost");
    // Once there is a connection again.
    let mut again = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    while nonce_store_failed(&again) {
        sleep(Duration::from_millis(10)).await;
        again = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    }
    assert_eq!(again.reason(), &Reason::NonceRepeated);
    assert!(check(&gateway, &signed(3, TIMESTAMP)).await.is_ok());
}

/// The address of a relay between a gateway and Redis. When it is to lose an answer, it passes on the questions, keeps the
/// answer that a nonce is fresh, and hangs up.
async fn in_between(server: &RedisServer, lose: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    let redis = server.port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, redis))
                .await
                .unwrap();
            tokio::spawn(pass_on(client, server, Arc::clone(&lose)));
        }
    });
    url
}

async fn pass_on(
    mut client: TcpStream,
    mut server: TcpStream,
    lose: Arc<AtomicBool>,
) -> io::Result<()> {
    let (mut question, mut answer) = ([0; 4096], [0; 4096]);
    loop {
        tokio::select! {
            read = client.read(&mut question) => match read? {
                0 => return Ok(()),
                length => server.write_all(&question[..length]).await?,
            },
            read = server.read(&mut answer) => match read? {
                0 => return Ok(()),
                length if is_fresh(&answer[..length]) && lose.swap(false, Ordering::SeqCst) => {
                    return Ok(());
                }
                length => client.write_all(&answer[..length]).await?,
            },
        }
    }
}

fn is_fresh(answer: &[u8]) -> bool {
    answer.windows(5).any(|word| word == b"fresh")
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_failure_at_once_and_found_again() {
    let mut server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    server.kill();
    let mut causes = Vec::new();
    for nonce in 0..3 {
        let refused = check(&gateway, &signed(nonce, TIMESTAMP))
            .await
            .unwrap_err();
        assert!(nonce_store_failed(&refused));
        causes.push(told(&refused));
    }
    let address = format!("no connection to Redis at 127.0.0.1:{}", server.port());
    assert!(
        causes.iter().all(|cause| cause.contains(&address)),
        "{causes:?}"
    );
    assert!(causes[2].contains("refused"), "{causes:?}");

    server.restart();
    sleep(Duration::from_millis(150)).await;
    assert!(check(&gateway, &signed(9, TIMESTAMP)).await.is_ok());
}

#[tokio::test]
async fn a_full_server_refuses_new_nonces_and_forgets_none() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let gateway = gateway(&redis, Policy::default());
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_ok());
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"1"]);
    let refused = check(&gateway, &signed(2, TIMESTAMP)).await.unwrap_err();
    assert!(nonce_store_failed(&refused));
    assert!(told(&refused).contains("OOM"), "{}", told(&refused));
    assert!(check(&gateway, &signed(1, TIMESTAMP)).await.is_err());
    server.ask(&[b"CONFIG", b"SET", b"maxmemory", b"0"]);
    assert!(check(&gateway, &signed(2, TIMESTAMP)).await.is_ok());
    let refused = check(&gateway, &signed(1, TIMESTAMP)).await.unwrap_err();
    assert_eq!(refused.reason(), &Reason::NonceRepeated);
}

#[tokio::test]
async fn a_replica_is_refused() {
    let primary = RedisServer::start();
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let port = primary.port().to_string();
    server.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
    let expected =
        "Redis is a read-only replica: connect to the primary, by a name that follows a failover";
    assert_eq!(redis.ready().await.unwrap_err().to_string(), expected);
    let refused = RedisStores::connect(settings(&server)).await.unwrap_err();
    assert_eq!(refused.to_string(), expected);
    let refused = redis.nonces().claim(claim(1, 0)).await.unwrap_err();
    assert_eq!(
        told(&refused),
        format!("the store did not answer: {expected}")
    );
    let quotas = redis.quotas().with_rate(rate(1, 1));
    let principal = Principal::account("100000000001");
    let now = UnixTime::from_seconds(TIMESTAMP);
    let one = QuotaDraw::new(&principal, "AKID1", "DescribeInstances", now);
    let refused = quotas.draw(one).await.unwrap_err();
    assert_eq!(
        told(&refused),
        format!("the store did not answer: {expected}")
    );
    // Each time it connects anew, since a name may lead to the primary by now; one more is that of the question itself.
    let before = connections(&server);
    for _ in 0..3 {
        redis.nonces().claim(claim(1, 0)).await.unwrap_err();
    }
    assert!(connections(&server) - before >= 4);
}

/// How many connections the server has accepted.
fn connections(server: &RedisServer) -> u64 {
    let stats = server.ask(&[b"INFO", b"stats"]);
    let count = stats
        .lines()
        .find_map(|line| line.strip_prefix("total_connections_received:"));
    count.unwrap().trim().parse().unwrap()
}

#[tokio::test]
async fn a_server_that_forgot_its_scripts_gets_them_again() {
    let server = RedisServer::start();
    let redis = connected(settings(&server)).await;
    let nonces = redis.nonces();
    let quotas = redis.quotas().with_rate(rate(1, 1));
    for number in 0..3 {
        server.ask(&[b"SCRIPT", b"FLUSH"]);
        assert_eq!(
            nonces.claim(claim(number, 0)).await.unwrap(),
            NonceVerdict::Fresh
        );
        assert_eq!(
            nonces.claim(claim(number, 0)).await.unwrap(),
            NonceVerdict::Repeated
        );
        redis.ready().await.unwrap();
        let at = NOW + i64::try_from(number).unwrap() * 1000;
        assert_eq!(draw(&quotas, at).await, QuotaVerdict::Drawn);
    }
}

#[tokio::test]
async fn more_questions_than_may_be_under_way_wait_and_are_answered() {
    let server = RedisServer::start();
    let nonces = connected(settings(&server).with_in_flight(2))
        .await
        .nonces();
    let verdicts = race(200, |index| {
        let nonces = Arc::clone(&nonces);
        async move {
            nonces
                .claim(claim(u64::try_from(index).unwrap(), 0))
                .await
                .unwrap()
        }
    })
    .await;
    assert_eq!(count(&verdicts, NonceVerdict::Fresh), 200);
}

/// With a round trip of 100 ms each answer comes within the time-out of 250 ms, also where two more questions are needed
/// because the server does not have the script.
#[tokio::test]
async fn a_long_way_to_a_server_without_the_scripts_is_no_failure() {
    let server = RedisServer::start();
    let relay = Relay::slow(server.port(), Duration::from_millis(50));
    let settings = RedisSettings::new(&relay.url(), WINDOW)
        .unwrap()
        .with_clock(ManualClock::at(TIMESTAMP))
        .with_after_restart(AfterRestart::InsecureAdmit);
    let redis = connected(settings).await;
    let nonces = redis.nonces();
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Fresh
    );
    server.ask(&[b"SCRIPT", b"FLUSH"]);
    assert_eq!(
        nonces.claim(claim(1, 0)).await.unwrap(),
        NonceVerdict::Repeated
    );
    server.ask(&[b"SCRIPT", b"FLUSH"]);
    redis.ready().await.unwrap();
}
