//! What happens to servers while gateways use them: requests that were admitted before are sent again and again, and
//! honest ones until they are admitted. By the clock of the system, with a short window and a short allowance; all events at
//! the same time, each on servers of its own.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use qcloud_validator::redis::{RedisSettings, RedisStores};
use qcloud_validator::store::{
    AfterRestart, NonceClaim, NonceValue, NonceVerdict, RemoteNonceStore,
};
use qcloud_validator::{Clock, SystemClock};
use test_support::redis_server::RedisServer;
use tokio::time::{Instant, sleep};

use crate::relay::Relay;
use crate::scene::{connected, held_by, number, remember_since_1970};

const WINDOW: u32 = 5;
const ALLOWANCE: Duration = Duration::from_secs(1);
/// Of each kind.
const REQUESTS: u64 = 20;

struct Event {
    name: &'static str,
    /// Whether the gateways are told that a replica may take over.
    failover: bool,
    /// Whether nonces are really lost.
    loses: bool,
    happens: fn(&mut Servers),
}

/// The server that the gateways use, and one that may take over.
struct Servers {
    primary: RedisServer,
    replica: RedisServer,
    relay: Relay,
}

impl Servers {
    fn run(&self, command: &str) {
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        let answer = self.primary.ask(&words);
        assert!(answer.starts_with(['+', ':']), "{command}: {answer}");
    }

    /// Removes all nonces by a command.
    fn remove(&self, command: &str) {
        let text = format!(
            "for _, key in ipairs(redis.call('KEYS', '*:n')) do redis.call('{command}', key) end return 1"
        );
        let done = self.primary.ask(&[b"EVAL", text.as_bytes(), b"0"]);
        assert_eq!(done, ":1");
    }

    /// Sets a policy and evicts what it allows; then all is as it was, and no counter shows what happened.
    fn evict(&self, policy: &str) {
        self.run(&format!("CONFIG SET maxmemory-policy {policy}"));
        self.run("CONFIG SET maxmemory 1");
        for _ in 0..200 {
            self.run("PING");
        }
        self.run("CONFIG SET maxmemory 0");
        self.run("CONFIG SET maxmemory-policy noeviction");
        self.run("CONFIG RESETSTAT");
    }

    /// Lowers the memory until half of all keys are gone.
    fn evict_half(&self) {
        self.run("CONFIG SET maxmemory-policy allkeys-random");
        let keys = || number::<u64>(&self.primary.ask(&[b"DBSIZE"]));
        let goal = keys() / 2;
        let info = self.primary.ask(&[b"INFO", b"memory"]);
        let used = info
            .lines()
            .find_map(|line| line.strip_prefix("used_memory:"));
        let mut memory: u64 = used.unwrap().trim().parse().unwrap();
        while keys() > goal {
            memory -= 2_000;
            self.run(&format!("CONFIG SET maxmemory {memory}"));
        }
        self.run("CONFIG SET maxmemory 0");
        self.run("CONFIG SET maxmemory-policy noeviction");
        self.run("CONFIG RESETSTAT");
    }

    fn promote_replica(&mut self) {
        self.primary.kill();
        self.replica.ask(&[b"REPLICAOF", b"NO", b"ONE"]);
        self.relay.lead_to(self.replica.port());
    }
}

const EVENTS: [Event; 20] = [
    event("nothing", false, |_| {}),
    event("allkeys-lru", true, |s| s.evict("allkeys-lru")),
    event("allkeys-lfu", true, |s| s.evict("allkeys-lfu")),
    event("allkeys-random", true, |s| s.evict("allkeys-random")),
    event("volatile-lru", false, |s| s.evict("volatile-lru")),
    event("volatile-lfu", false, |s| s.evict("volatile-lfu")),
    event("volatile-random", false, |s| s.evict("volatile-random")),
    event("volatile-ttl", false, |s| s.evict("volatile-ttl")),
    event("half of all keys evicted", true, |s| s.evict_half()),
    event("DEL", true, |s| s.remove("DEL")),
    event("UNLINK", true, |s| s.remove("UNLINK")),
    event("FLUSHDB", true, |s| s.run("FLUSHDB")),
    event("FLUSHALL ASYNC", true, |s| s.run("FLUSHALL ASYNC")),
    event("SWAPDB with an empty one", true, |s| s.run("SWAPDB 0 1")),
    event("killed and restarted", true, |s| {
        s.primary.kill();
        s.primary.restart();
    }),
    event("fail-over to an empty server", true, |s| {
        s.replica.ask(&[b"REPLICAOF", b"NO", b"ONE"]);
        s.replica.ask(&[b"FLUSHALL"]);
        s.promote_replica();
    }),
    event("fail-over to a replica that lags behind", true, |s| {
        s.promote_replica();
    }),
    with_failover("DEBUG SLEEP", |s| {
        // Answers when it is over.
        s.run("DEBUG SLEEP 1.3");
    }),
    with_failover("stopped and woken", |s| {
        s.primary.pause();
        thread::sleep(Duration::from_millis(1_300));
        s.primary.resume();
    }),
    with_failover("cleared of scripts and statistics", |s| {
        s.run("SCRIPT FLUSH");
        s.run("CONFIG RESETSTAT");
    }),
];

const fn event(name: &'static str, loses: bool, happens: fn(&mut Servers)) -> Event {
    Event {
        name,
        failover: false,
        loses,
        happens,
    }
}

/// None of these loses a nonce.
const fn with_failover(name: &'static str, happens: fn(&mut Servers)) -> Event {
    Event {
        failover: true,
        ..event(name, false, happens)
    }
}

/// A store, the requests that it admitted before the event, and what came of them.
struct Memory {
    nonces: Arc<dyn RemoteNonceStore>,
    /// Dated up to the allowance after the clock.
    near: Vec<Request>,
    /// Dated further ahead.
    ahead: Vec<Request>,
    replayed: Replayed,
    /// How long after the event an honest request was admitted.
    resumed: Option<Duration>,
}

#[derive(Clone, Copy)]
struct Request {
    number: u64,
    timestamp: i64,
}

#[derive(Debug, Default, PartialEq)]
struct Replayed {
    near: usize,
    ahead: usize,
    refused: usize,
}

impl Request {
    fn dated(number: u64, ahead: u64) -> Self {
        let timestamp = SystemClock.now().seconds() + i64::try_from(ahead).unwrap();
        Self { number, timestamp }
    }

    /// `None` where the store failed, or the request has expired.
    async fn claim(self, nonces: &Arc<dyn RemoteNonceStore>) -> Option<NonceVerdict> {
        // Of different buckets.
        let secret_id = format!("AKID{}", self.number % 7);
        let Self { number, timestamp } = self;
        let value = NonceValue::Number(number);
        let expires_at = timestamp + i64::from(WINDOW);
        let now = SystemClock.now();
        let claim = NonceClaim::new(&secret_id, Some(timestamp), value, now, expires_at);
        nonces.claim(claim).await.ok()
    }
}

impl Memory {
    /// A store in a prefix of its own, on a server that has forgotten nothing since 1970, with admitted requests.
    async fn with_requests(redis: &RedisStores, server: &RedisServer, prefix: &str) -> Self {
        let nonces = redis.nonces();
        // A busy machine may look so late that it counts as a loss.
        for attempt in 0..10 {
            let first = attempt * 1_000;
            remember_since_1970(server, prefix);
            let near = (0..REQUESTS).map(|index| Request::dated(first + index, index % 2));
            let ahead =
                (0..REQUESTS).map(|index| Request::dated(first + 100 + index, 2 + index % 3));
            let (near, ahead): (Vec<_>, Vec<_>) = (near.collect(), ahead.collect());
            let mut fresh = 0;
            for request in near.iter().chain(&ahead) {
                let verdict = request.claim(&nonces).await;
                fresh += u64::from(verdict == Some(NonceVerdict::Fresh));
            }
            if fresh == 2 * REQUESTS {
                return Self {
                    nonces,
                    near,
                    ahead,
                    replayed: Replayed::default(),
                    resumed: None,
                };
            }
        }
        panic!("{prefix}: not all requests are admitted");
    }

    async fn replay(&mut self) {
        for (requests, admitted) in [
            (&self.near, &mut self.replayed.near),
            (&self.ahead, &mut self.replayed.ahead),
        ] {
            for request in requests {
                match request.claim(&self.nonces).await {
                    Some(NonceVerdict::Fresh) => *admitted += 1,
                    Some(_) => self.replayed.refused += 1,
                    None => {}
                }
            }
        }
    }

    async fn try_honest(&mut self, number: u64, since: Instant) {
        if self.resumed.is_none() {
            let verdict = Request::dated(number, 0).claim(&self.nonces).await;
            if verdict == Some(NonceVerdict::Fresh) {
                self.resumed = Some(since.elapsed());
            }
        }
    }
}

#[test]
fn what_happens_to_a_server_lets_no_replay_in() {
    let threads: Vec<_> = EVENTS
        .iter()
        .map(|event| (event.name, thread::spawn(|| happen(event))))
        .collect();
    let failed: Vec<&str> = threads
        .into_iter()
        .filter_map(|(name, thread)| thread.join().is_err().then_some(name))
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
}

fn happen(event: &'static Event) {
    // Looks at regular times must go on while this thread waits for a server.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(run(event));
}

async fn run(event: &Event) {
    let primary = RedisServer::start_with(&["--enable-debug-command", "yes"]);
    let replica = RedisServer::start();
    let relay = Relay::to(primary.port());
    let connect = |prefix, rule| {
        let settings = RedisSettings::new(&relay.url(), WINDOW)
            .unwrap()
            .with_prefix(prefix)
            .with_clock_allowance(ALLOWANCE)
            .with_response_timeout(Duration::from_millis(500))
            .with_after_restart(rule);
        connected(if event.failover {
            settings.with_failover_after(Duration::from_secs(2))
        } else {
            settings
        })
    };
    let stores = [
        (
            "dated",
            connect("dated", AfterRestart::RefuseDatedBefore).await,
        ),
        (
            "window",
            connect("window", AfterRestart::RefuseForOneWindow).await,
        ),
        ("admit", connect("admit", AfterRestart::InsecureAdmit).await),
    ];
    leave_behind(&primary, &replica).await;
    let mut memories = Vec::new();
    for (prefix, redis) in &stores {
        memories.push(Memory::with_requests(redis, &primary, prefix).await);
    }
    let mut servers = Servers {
        primary,
        replica,
        relay,
    };
    (event.happens)(&mut servers);
    let ended = Instant::now();

    let patience = Duration::from_secs(u64::from(WINDOW)) + ALLOWANCE * 5;
    let mut honest = 1_000_000;
    while ended.elapsed() < patience && memories.iter().any(|memory| memory.resumed.is_none()) {
        for memory in &mut memories {
            memory.replay().await;
            honest += 1;
            memory.try_honest(honest, ended).await;
        }
        sleep(Duration::from_millis(50)).await;
    }
    for memory in &mut memories {
        memory.replay().await;
    }
    let [dated, window, admit] = memories.try_into().ok().unwrap();
    // Shown where a test fails, and with --nocapture.
    println!(
        "{}: dated {:?} resumed {:?}; window {:?} resumed {:?}; admit {:?}",
        event.name, dated.replayed, dated.resumed, window.replayed, window.resumed, admit.replayed
    );
    verify(event, &dated, &window, &admit);
}

fn verify(event: &Event, dated: &Memory, window: &Memory, admit: &Memory) {
    let name = event.name;
    let requests = usize::try_from(REQUESTS).unwrap();
    assert_eq!(dated.replayed.near, 0, "{name}");
    // Once at most: a client whose clock is further ahead than the allowance.
    assert!(dated.replayed.ahead <= requests, "{name}");
    assert_eq!(
        (window.replayed.near, window.replayed.ahead),
        (0, 0),
        "{name}"
    );
    for memory in [dated, window] {
        assert!(
            memory.replayed.refused >= 2 * requests,
            "{name}: nothing was tried"
        );
    }
    let resumed = dated.resumed.expect(name);
    assert!(
        resumed <= ALLOWANCE + Duration::from_secs(2),
        "{name}: {resumed:?}"
    );
    let resumed = window.resumed.expect(name);
    let longest = Duration::from_secs(u64::from(WINDOW)) + ALLOWANCE + Duration::from_secs(2);
    assert!(resumed <= longest, "{name}: {resumed:?}");
    // That the event could do harm: a store that does not look admits what was lost.
    let replayed = admit.replayed.near + admit.replayed.ahead;
    assert_eq!(replayed > 0, event.loses, "{name}: {replayed}");
    if !event.loses {
        assert_eq!(dated.replayed.ahead, 0, "{name}");
    }
}

/// Lets a replica copy what the primary holds now, and nothing later.
async fn leave_behind(primary: &RedisServer, replica: &RedisServer) {
    let port = primary.port().to_string();
    replica.ask(&[b"REPLICAOF", b"127.0.0.1", port.as_bytes()]);
    let began = Instant::now();
    while !replica
        .ask(&[b"INFO", b"replication"])
        .contains("master_link_status:up")
    {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it does not copy"
        );
        sleep(Duration::from_millis(10)).await;
    }
    replica.ask(&[b"REPLICAOF", b"NO", b"ONE"]);
}

/// The primary sleeps, a replica takes over and admits requests, the primary goes on, and a gateway is still connected to
/// it.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_primary_that_was_replaced_while_it_slept_admits_nothing_of_its_successor() {
    // Without knowing of fail-over it does: so the test can fail.
    for (failover, replays) in [(true, 0), (false, REQUESTS)] {
        let old = RedisServer::start();
        let new = RedisServer::start();
        let settings = |server: &RedisServer| {
            let settings = RedisSettings::new(&server.url(), WINDOW)
                .unwrap()
                .with_clock_allowance(ALLOWANCE)
                .with_response_timeout(Duration::from_millis(500));
            if failover {
                settings.with_failover_after(Duration::from_secs(2))
            } else {
                settings
            }
        };
        let at_old = connected(settings(&old)).await.nonces();
        remember_since_1970(&old, "qv");
        let before = Request::dated(1, 0).claim(&at_old).await;
        assert_eq!(before, Some(NonceVerdict::Fresh));
        leave_behind(&old, &new).await;

        old.pause();
        let at_new = connected(settings(&new)).await.nonces();
        // Until what is dated now is admitted there.
        let began = Instant::now();
        let mut number = 1_000;
        while Request::dated(number, 0).claim(&at_new).await != Some(NonceVerdict::Fresh) {
            assert!(began.elapsed() < Duration::from_secs(10));
            sleep(Duration::from_millis(50)).await;
            number += 1;
        }
        let admitted: Vec<Request> = (0..REQUESTS)
            .map(|index| Request::dated(index, 0))
            .collect();
        for request in &admitted {
            assert_eq!(request.claim(&at_new).await, Some(NonceVerdict::Fresh));
        }
        old.resume();
        let mut again = 0;
        let woken = Instant::now();
        while woken.elapsed() < Duration::from_millis(500) {
            for request in &admitted {
                let verdict = request.claim(&at_old).await;
                again += u64::from(verdict == Some(NonceVerdict::Fresh));
            }
        }
        assert_eq!(again, replays, "with fail-over: {failover}");
        assert!(held_by(&new, "qv") > 0);
    }
}
