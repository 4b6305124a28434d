//! Activity on a connection: its requests, what is ready for its client, and until when it may stay open.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::pace::Pace;
use crate::config::gateway::ConnectionLimits;

/// What happens on one connection.
pub(super) struct Activity {
    limits: ConnectionLimits,
    state: Mutex<State>,
}

/// What becomes of a connection.
pub(super) enum Next {
    /// It may stay open until then, when the question is asked again.
    Stay(Instant),
    /// It answers the requests that it has, then it is closed: none was admitted for too long.
    Leave,
    /// It is closed.
    Close(Overdue),
}

/// Why a connection is closed.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Overdue {
    FirstRequest,
    Idle,
    Unread,
    NeverAdmitted,
}

impl Overdue {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::FirstRequest => "no request in time",
            Self::Idle => "idle",
            Self::Unread => "the client does not read its answers",
            Self::NeverAdmitted => "no request was admitted",
        }
    }
}

struct State {
    requests: Requests,
    answers: Unsent,
    socket: Socket,
}

struct Requests {
    /// Those that are being answered, and how many of them were admitted.
    open: usize,
    admitted: usize,
    /// What a connection without a request waits for.
    waits_for: Overdue,
    /// Since when it has none.
    quiet_since: Instant,
    /// When the last admitted one ended; at first, when the connection began.
    admitted_until: Instant,
    leaving: Leaving,
}

/// Whether the connection is to end after the requests that it has.
#[derive(Clone, Copy, PartialEq)]
enum Leaving {
    No,
    Due,
    Announced,
}

/// Bytes of answers that the server has and the socket has not: in HTTP/2 they wait until the client opens its window.
struct Unsent {
    bytes: usize,
    /// Streams that have some of them.
    streams: usize,
    pace: Pace,
}

/// The buffers of the operating system.
struct Socket {
    blocked: bool,
    pace: Pace,
    aborted: bool,
}

impl Activity {
    /// The activity on a connection that begins now.
    pub(super) fn new(limits: ConnectionLimits) -> Arc<Self> {
        let now = Instant::now();
        Arc::new(Self {
            limits,
            state: Mutex::new(State {
                requests: Requests {
                    open: 0,
                    admitted: 0,
                    waits_for: Overdue::FirstRequest,
                    quiet_since: now,
                    admitted_until: now,
                    leaving: Leaving::No,
                },
                answers: Unsent {
                    bytes: 0,
                    streams: 0,
                    pace: Pace::new(limits.body),
                },
                socket: Socket {
                    blocked: false,
                    pace: Pace::new(limits.body),
                    aborted: false,
                },
            }),
        })
    }

    /// A request begins. It ends when what this returns is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Exchange {
        let now = Instant::now();
        let requests = &mut self.lock().requests;
        let unproven = now.duration_since(requests.admitted_until) > self.limits.idle;
        if unproven && requests.admitted == 0 && requests.leaving == Leaving::No {
            requests.leaving = Leaving::Due;
        }
        requests.open = requests.open.saturating_add(1);
        requests.waits_for = Overdue::Idle;
        Exchange {
            activity: Arc::clone(self),
            admitted: false,
            place: None,
        }
    }

    /// How long a client may leave what is ready.
    pub(super) fn patience(&self) -> Duration {
        self.limits.body
    }

    /// What becomes of the connection.
    pub(super) fn next(&self, now: Instant) -> Next {
        /// How often a connection with requests is looked at, in each `body_seconds`.
        const LOOKS: u32 = 8;
        let mut state = self.lock();
        let ends = state.ends(&self.limits, now);
        let first = ends.into_iter().flatten().min_by_key(|end| end.at);
        if let Some(end) = first.filter(|end| end.at <= now) {
            state.socket.aborted |= end.overdue == Overdue::Unread;
            return Next::Close(end.overdue);
        }
        let requests = &mut state.requests;
        if requests.leaving == Leaving::Due {
            requests.leaving = Leaving::Announced;
            return Next::Leave;
        }
        let look = now.checked_add(self.limits.body.checked_div(LOOKS).unwrap_or_default());
        let look = look.filter(|_| requests.open > 0);
        let until = first.map(|end| end.at).into_iter().chain(look).min();
        Next::Stay(until.unwrap_or(now))
    }

    /// The server has further bytes for the client, of a stream that had none if `streams` is 1.
    pub(super) fn ready(&self, bytes: usize, streams: usize, now: Instant) {
        let answers = &mut self.lock().answers;
        answers.bytes = answers.bytes.saturating_add(bytes);
        answers.streams = answers.streams.saturating_add(streams);
        answers.pace.start(now);
    }

    /// The client took bytes, and all of its stream if `streams` is 1. Returns how many streams share the connection.
    pub(super) fn took(&self, bytes: usize, streams: usize, now: Instant) -> usize {
        let mut state = self.lock();
        let answers = &mut state.answers;
        let sharing = answers.streams;
        answers.forget(bytes, streams);
        answers.pace.take(bytes, 1, now);
        if answers.bytes == 0 {
            answers.pace.restart();
            state.requests.quiet_since = now;
        }
        sharing
    }

    /// The client will not take these bytes: their stream was reset.
    pub(super) fn gave_up(&self, bytes: usize, streams: usize, now: Instant) {
        let answers = &mut self.lock().answers;
        answers.forget(bytes, streams);
        if answers.bytes == 0 {
            answers.pace.stop(now);
        }
    }

    /// The socket takes no more for now.
    pub(super) fn blocked(&self) {
        let socket = &mut self.lock().socket;
        if !socket.blocked {
            socket.blocked = true;
            socket.pace.start(Instant::now());
        }
    }

    /// The socket took bytes.
    pub(super) fn wrote(&self, bytes: usize) {
        let mut state = self.lock();
        let socket = &mut state.socket;
        if socket.blocked {
            let now = Instant::now();
            socket.blocked = false;
            socket.pace.take(bytes, 1, now);
            socket.pace.stop(now);
            state.requests.quiet_since = now;
        }
    }

    /// Whether the connection is to be reset, so that the operating system does not go on to keep what no one reads.
    pub(super) fn is_aborted(&self) -> bool {
        self.lock().socket.aborted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a connection has to be closed, and why.
#[derive(Clone, Copy)]
struct End {
    at: Instant,
    overdue: Overdue,
}

impl State {
    fn ends(&self, limits: &ConnectionLimits, now: Instant) -> [Option<End>; 4] {
        let end = |at: Option<Instant>, overdue| at.map(|at| End { at, overdue });
        let after = |since: Instant, limit| since.checked_add(limit);
        let requests = &self.requests;
        let is_quiet = requests.open == 0 && self.answers.bytes == 0 && !self.socket.blocked;
        let quiet = is_quiet.then(|| match requests.waits_for {
            Overdue::FirstRequest => after(requests.quiet_since, limits.head),
            _ => after(requests.quiet_since, limits.idle),
        });
        // A request that began at the last moment may wait for its place, for its body, and for its client to read.
        let longest = limits.idle.saturating_add(limits.body.saturating_mul(3));
        let unadmitted = (requests.admitted == 0).then(|| after(requests.admitted_until, longest));
        [
            end(self.answers.pace.deadline(now), Overdue::Unread),
            end(self.socket.pace.deadline(now), Overdue::Unread),
            end(quiet.flatten(), requests.waits_for),
            end(unadmitted.flatten(), Overdue::NeverAdmitted),
        ]
    }
}

impl Unsent {
    fn forget(&mut self, bytes: usize, streams: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
        self.streams = self.streams.saturating_sub(streams);
    }
}

/// A request that is being answered.
pub(super) struct Exchange {
    activity: Arc<Activity>,
    admitted: bool,
    place: Option<OwnedSemaphorePermit>,
}

impl Exchange {
    /// Holds a place among the requests of the gateway until it ends.
    pub(super) fn hold(&mut self, place: OwnedSemaphorePermit) {
        self.place = Some(place);
    }

    /// Whether the connection takes no request after this one.
    pub(super) fn is_last(&self) -> bool {
        self.activity.lock().requests.leaving != Leaving::No
    }

    /// Notes that the request was admitted.
    pub(super) fn admit(&mut self) {
        if !mem::replace(&mut self.admitted, true) {
            let requests = &mut self.activity.lock().requests;
            requests.admitted = requests.admitted.saturating_add(1);
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let now = Instant::now();
        let requests = &mut self.activity.lock().requests;
        requests.open = requests.open.saturating_sub(1);
        requests.quiet_since = now;
        if self.admitted {
            requests.admitted = requests.admitted.saturating_sub(1);
            requests.admitted_until = now;
        }
    }
}
