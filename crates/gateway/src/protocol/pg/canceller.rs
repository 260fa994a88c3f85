//! How what runs on the target is cancelled, and who has to wait for that.
//!
//! A CancelRequest goes by a connection of its own and hits whatever runs when it arrives (protocol,
//! "Canceling Requests in Progress"). What the caller sends next must not be that: nothing is forwarded while
//! one is under way ([`Canceller::done`]). What was forwarded before, in the same pipeline, may be hit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::upstream::cancel;
use crate::session::Session;

/// A cancel is given up after so long.
const DEADLINE: Duration = Duration::from_secs(10);

/// How to cancel what runs on the target. Clones are the same.
#[derive(Clone)]
pub(super) struct Canceller {
    tls: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
    pid: u32,
    secret: Vec<u8>,
    /// How many are under way.
    under_way: watch::Sender<usize>,
}

/// One that is under way, until it is dropped.
struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Canceller {
    /// Of the backend with this process number and secret.
    pub(super) fn new(
        tls: Option<Arc<tokio_rustls::rustls::ClientConfig>>,
        pid: u32,
        secret: Vec<u8>,
    ) -> Self {
        Self { tls, pid, secret, under_way: watch::Sender::new(0) }
    }

    /// Cancels what runs on the target, without waiting for it.
    pub(super) fn cancel(&self, session: &Session) {
        let under_way = UnderWay::new(&self.under_way);
        let (tls, pid, secret) = (self.tls.clone(), self.pid, self.secret.clone());
        let target = Arc::clone(&session.target);
        let id = session.id.clone();
        session.house.tasks.spawn("cancel", async move {
            let done = cancel(&target, tls, pid, &secret, DEADLINE).await;
            if let Err(error) = done {
                tracing::warn!(session = %id, %error, detail = error.detail(), "could not cancel");
            }
            drop(under_way);
        });
    }

    /// Whether none is under way.
    pub(super) fn is_done(&self) -> bool {
        *self.under_way.borrow() == 0
    }

    /// Waits until none is under way.
    pub(super) async fn done(&self) {
        let waited = self.under_way.subscribe().wait_for(|count| *count == 0).await.map(drop);
        // It cannot close: this holds an end of it.
        debug_assert!(waited.is_ok());
    }
}
