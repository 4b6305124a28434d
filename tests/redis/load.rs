//! A server that is killed and restarted while requests come in.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use qcloud_validator::redis::RedisSettings;
use qcloud_validator::{AsyncValidator, Clock, Policy, Reason, SystemClock};
use test_support::redis_server::RedisServer;
use test_support::signer::Signed;
use tokio::time::{Instant, sleep};

use crate::scene::{WINDOW, check, connected, gateway_at, nonce_store_failed, signed};

/// Gateways with the clock of the system, under load, while Redis is killed and restarted: every request is tried again
/// and again, and none is admitted twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_restarted_under_load_redis_admits_nothing_twice() {
    const RESTARTS: u32 = 3;
    let mut server = RedisServer::start();
    let mut gateways = Vec::new();
    for _ in 0..2 {
        let settings = RedisSettings::new(&server.url(), WINDOW)
            .unwrap()
            .with_response_timeout(Duration::from_secs(1))
            .with_clock_allowance(Duration::from_secs(1));
        gateways.push(gateway_at(
            &connected(settings).await,
            Policy::default(),
            SystemClock,
        ));
    }
    let load = Arc::new(Load::default());
    let tasks: Vec<_> = (0..8_u64)
        .map(|task| {
            let load = Arc::clone(&load);
            let gateways = gateways.clone();
            tokio::spawn(async move { load.run(task, &gateways).await })
        })
        .collect();

    load.admits_more(200).await;
    for _ in 0..RESTARTS {
        let forgotten = load.done.lock().unwrap().len();
        load.forgotten.store(forgotten, Ordering::SeqCst);
        server.kill();
        sleep(Duration::from_millis(200)).await;
        server.restart();
        // Until requests dated after the restart are admitted again, and for some time more.
        load.admits_more(500).await;
    }
    load.stopped.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    let seen = [
        &load.failed,
        &load.before_memory,
        &load.repeated,
        &load.forgotten_tried,
    ]
    .map(|count| count.load(Ordering::SeqCst));
    assert!(
        seen.iter().all(|&times| times > 100),
        "too few of one kind: {seen:?}"
    );
}

#[derive(Default)]
struct Load {
    stopped: AtomicBool,
    admitted: AtomicUsize,
    failed: AtomicUsize,
    before_memory: AtomicUsize,
    repeated: AtomicUsize,
    /// How many of those admitted the server that runs cannot know.
    forgotten: AtomicUsize,
    /// How often one of them was tried again, and judged.
    forgotten_tried: AtomicUsize,
    /// Requests that were admitted, all different.
    done: Mutex<Vec<Signed>>,
}

impl Load {
    async fn run(&self, task: u64, gateways: &[AsyncValidator]) {
        let mut nonce = task << 32;
        while !self.stopped.load(Ordering::SeqCst) {
            nonce += 1;
            let index = usize::try_from(nonce).unwrap();
            let request = signed(nonce, SystemClock.now().seconds());
            // Both gateways get it, one after the other, and one of those that were admitted before.
            let mut times = 0;
            for gateway in [&gateways[index % 2], &gateways[(index + 1) % 2]] {
                if self.admits(gateway, &request).await {
                    times += 1;
                }
            }
            assert!(times <= 1, "{} was admitted twice", request.target);
            let old = {
                let mut done = self.done.lock().unwrap();
                if times == 1 {
                    done.push(request);
                }
                let count = done.len();
                // Half of them recent, half of them from any time.
                let back = if nonce.is_multiple_of(2) {
                    index % 50
                } else {
                    index * 7919 % count.max(1)
                };
                count.checked_sub(back + 1).map(|at| (at, done[at].clone()))
            };
            if let Some((at, old)) = old {
                let failed = self.failed.load(Ordering::SeqCst);
                let admitted = self.admits(&gateways[index % 2], &old).await;
                assert!(!admitted, "{} was admitted once more", old.target);
                let judged = failed == self.failed.load(Ordering::SeqCst);
                if judged && at < self.forgotten.load(Ordering::SeqCst) {
                    self.forgotten_tried.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    async fn admits(&self, gateway: &AsyncValidator, request: &Signed) -> bool {
        let refused = match check(gateway, request).await {
            Ok(_) => {
                self.admitted.fetch_add(1, Ordering::SeqCst);
                return true;
            }
            Err(refused) => refused,
        };
        let count = match refused.reason() {
            Reason::NonceRepeated => &self.repeated,
            Reason::NonceBeforeMemory => &self.before_memory,
            _ => {
                assert!(nonce_store_failed(&refused), "{refused:?}");
                &self.failed
            }
        };
        count.fetch_add(1, Ordering::SeqCst);
        false
    }

    async fn admits_more(&self, requests: usize) {
        let goal = self.admitted.load(Ordering::SeqCst) + requests;
        let began = Instant::now();
        while self.admitted.load(Ordering::SeqCst) < goal {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "nothing is admitted"
            );
            sleep(Duration::from_millis(10)).await;
        }
    }
}
