//! Waiting for an answer.
//!
//! Every change of a request is announced in this process; a waiter re-reads its own request then, and
//! once a second besides, for another process may have taken the answer. Nothing is held while waiting,
//! so a waiter may be dropped at any point.

use std::time::Duration;

use sallyport_core::{ApprovalRequest, RequestId, RequestState, Timestamp};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, sleep_until};

use crate::database::Store;
use crate::error::StoreError;

const POLL: Duration = Duration::from_secs(1);

impl Store {
    /// Announces a change to whoever waits. Nobody listening is no failure.
    pub(crate) fn changed(&self, id: &RequestId) {
        let _listeners = self.changes.send(id.clone());
    }

    /// The request as soon as it is no longer open, or as it stands at `until`.
    ///
    /// # Errors
    /// When the store fails while waiting, or there is no such request.
    pub async fn wait(&self, id: &RequestId, until: Timestamp) -> Result<ApprovalRequest, StoreError> {
        // Listening starts before the first read, so that no change falls between the two.
        let mut changes = self.changes.subscribe();
        loop {
            let request = self.request(id).await?.ok_or(StoreError::NotFound)?;
            let now = self.now();
            if request.state_of_request != RequestState::Open || now >= until {
                return Ok(request);
            }
            let left =
                until.micros().saturating_sub(now.micros()).try_into().map_or(POLL, Duration::from_micros);
            let next_look = Instant::now() + left.min(POLL);
            loop {
                tokio::select! {
                    () = sleep_until(next_look) => break,
                    change = changes.recv() => match change {
                        Ok(changed) if changed == *id => break,
                        Ok(_) => {}
                        // Fallen behind: what was missed may have been ours.
                        Err(RecvError::Lagged(_)) => break,
                        Err(RecvError::Closed) => {
                            sleep_until(next_look).await;
                            break;
                        }
                    },
                }
            }
        }
    }
}
