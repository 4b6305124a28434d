//! One connection for all questions, made again when it is lost. No answer takes longer than it may, and no question is
//! asked twice.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, RedisError as Failure,
    ServerErrorKind,
};
use tokio::time::{Instant, timeout};

use super::script::Question;
use super::{RedisError, RedisSettings};

/// How long after a failed attempt no other is made; meanwhile all callers get its error.
const PAUSE: Duration = Duration::from_millis(100);

/// The client library has a manager of connections. It is not used because it says "timed out" where a connection was
/// refused, keeps a connection whose answers do not come, and never tries again after an answer like `LOADING`.
pub(super) struct Link {
    client: Client,
    config: AsyncConnectionConfig,
    address: String,
    connection_timeout: Duration,
    response_timeout: Duration,
    state: Mutex<State>,
    /// Held by the one who connects.
    turn: tokio::sync::Mutex<()>,
    /// How many connections were made.
    made: AtomicU64,
}

enum State {
    Apart,
    Failed { at: Instant, because: String },
    Connected(Connection),
}

/// Cheap to clone: all clones send over the same socket.
#[derive(Clone)]
pub(super) struct Connection {
    inner: MultiplexedConnection,
    number: u64,
}

/// Why there is no answer to one command.
enum Unanswered {
    Failed(Failure),
    Late,
}

impl Link {
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, RedisError> {
        let address = settings.address();
        let tcp = settings.server.tcp_settings().clone().set_nodelay(true);
        // Where packets vanish, a connection would live on for minutes.
        #[cfg(any(target_os = "android", target_os = "linux"))]
        let tcp = tcp.set_user_timeout(settings.connection_timeout);
        let server = settings.server.clone().set_tcp_settings(tcp);
        let client = Client::open(server).map_err(|failure| RedisError::Connection {
            address: address.clone(),
            cause: described(&failure).into(),
        })?;
        // Both times are taken here, to hold also for those who wait for others.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None)
            .set_concurrency_limit(settings.in_flight);
        Ok(Self {
            client,
            config,
            address,
            connection_timeout: settings.connection_timeout,
            response_timeout: settings.response_timeout,
            state: Mutex::new(State::Apart),
            turn: tokio::sync::Mutex::new(()),
            made: AtomicU64::new(0),
        })
    }

    /// The connection. One caller makes it while the others wait.
    pub(super) async fn connection(&self) -> Result<Connection, RedisError> {
        if let Some(known) = self.known() {
            return known;
        }
        let waited = self.connection_timeout;
        timeout(waited, self.connect()).await.unwrap_or_else(|_| {
            let late = self.timed_out(waited);
            self.failed(late.to_string());
            Err(late)
        })
    }

    async fn connect(&self) -> Result<Connection, RedisError> {
        let _turn = self.turn.lock().await;
        // Another may have had the turn before.
        if let Some(known) = self.known() {
            return known;
        }
        let attempt = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config);
        match attempt.await {
            Ok(inner) => {
                let number = self.made.fetch_add(1, Ordering::Relaxed);
                let connection = Connection { inner, number };
                *self.state() = State::Connected(connection.clone());
                Ok(connection)
            }
            Err(failure) => {
                let because = described(&failure);
                self.failed(because.clone());
                Err(self.broken(because))
            }
        }
    }

    /// The connection, or why there is none; `None` where it is time to try.
    fn known(&self) -> Option<Result<Connection, RedisError>> {
        match &*self.state() {
            State::Connected(connection) => Some(Ok(connection.clone())),
            State::Failed { at, because } if at.elapsed() < PAUSE => {
                Some(Err(self.broken(because.clone())))
            }
            State::Failed { .. } | State::Apart => None,
        }
    }

    fn failed(&self, because: String) {
        let at = Instant::now();
        let mut state = self.state();
        if !matches!(*state, State::Connected(_)) {
            *state = State::Failed { at, because };
        }
    }

    /// State is replaced whole, so a poisoned lock still holds a valid one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a script once. It is sent again only if the server said that it does not have it, and so has not run it. Each
    /// round trip has the whole response time-out.
    ///
    /// After an error the script may have run all the same.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        connection: Connection,
        question: &Question,
    ) -> Result<T, RedisError> {
        let Connection { mut inner, number } = connection;
        let mut answer = self.ask(&mut inner, question.command()).await;
        if matches!(&answer, Err(Unanswered::Failed(failure)) if lacks_script(failure)) {
            answer = match self.ask::<()>(&mut inner, &question.loading()).await {
                Ok(()) => self.ask(&mut inner, question.command()).await,
                Err(unanswered) => Err(unanswered),
            };
        }
        answer.map_err(|unanswered| self.explained(unanswered, number))
    }

    async fn ask<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        command: &Cmd,
    ) -> Result<T, Unanswered> {
        match timeout(self.response_timeout, command.query_async(connection)).await {
            Ok(answer) => answer.map_err(Unanswered::Failed),
            Err(_) => Err(Unanswered::Late),
        }
    }

    /// Returns the error for the operator, and leaves a connection that may be of no use any more.
    fn explained(&self, unanswered: Unanswered, number: u64) -> RedisError {
        let error = match unanswered {
            Unanswered::Failed(failure) if answered(&failure) => {
                let error = RedisError::answered(&failure);
                // By the same name the primary may be reached now.
                if !matches!(error, RedisError::Replica) {
                    return error;
                }
                error
            }
            Unanswered::Failed(failure) => self.broken(described(&failure)),
            // The server may be gone, and another may answer at the same name.
            Unanswered::Late => self.timed_out(self.response_timeout),
        };
        self.leave(number);
        error
    }

    /// Lets the next caller open a new connection. Callers that wait for an answer over this one may still get it.
    fn leave(&self, number: u64) {
        let mut state = self.state();
        if matches!(&*state, State::Connected(connection) if connection.number == number) {
            *state = State::Apart;
        }
    }

    fn timed_out(&self, waited: Duration) -> RedisError {
        let address = self.address.clone();
        RedisError::TimedOut { address, waited }
    }

    fn broken(&self, because: String) -> RedisError {
        RedisError::Connection {
            address: self.address.clone(),
            cause: because.into(),
        }
    }
}

fn lacks_script(failure: &Failure) -> bool {
    failure.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}

/// Whether the server itself answered with an error.
fn answered(failure: &Failure) -> bool {
    matches!(failure.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}

/// What went wrong while connecting. Of what the server said only the code: it may repeat what was sent, as in `unknown
/// command 'AUTH', with args beginning with`.
fn described(failure: &Failure) -> String {
    match failure.kind() {
        ErrorKind::Io | ErrorKind::InvalidClientConfig => failure.to_string(),
        _ => match failure.code() {
            Some(code) => format!("{}, {code}", failure.category()),
            None => failure.category().to_owned(),
        },
    }
}
