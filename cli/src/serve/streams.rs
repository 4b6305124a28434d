//! Streams of HTTP/2: the task of each, ended when its client does not take what is ready.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use hyper::rt::Executor;
use tokio::select;
use tokio::task_local;

use super::activity::Activity;
use super::unsent::Stream;

task_local! {
    static STREAM: Arc<Stream>;
}

/// Runs the streams of one connection.
#[derive(Clone)]
pub(super) struct Streams(pub(super) Arc<Activity>);

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, future: F) {
        let stream = Stream::new(Arc::clone(&self.0));
        tokio::spawn(STREAM.scope(Arc::clone(&stream), async move {
            // Where it is dropped before its end, the server resets the stream.
            let mut future = pin!(future);
            select! {
                biased;
                () = future.as_mut() => {}
                () = stream.stalled() => {}
            }
        }));
    }
}

/// The stream whose task this is; none in HTTP/1.1.
pub(super) fn current() -> Option<Arc<Stream>> {
    STREAM.try_with(Arc::clone).ok()
}
