//! The thread that makes what was written durable: one fdatasync for everyone who waits.
//!
//! It sleeps while there is nothing to do. A write alone is synced within [`SOON`]; someone who waits
//! is served at once, and whoever comes while a sync runs is served by the next one.

use std::sync::Arc;
use std::time::Duration;

use crate::error::RecordError;
use crate::log::{Fault, Log};

/// The longest that a written entry stays out of stable storage.
const SOON: Duration = Duration::from_millis(5);

/// What the thread is asked for.
#[derive(Debug, Default)]
pub(crate) struct Ask {
    /// Something was written.
    dirty: bool,
    /// Somebody waits.
    wanted: bool,
    /// The recorder is going.
    stop: bool,
}

impl Log {
    /// Tells the thread that something was written.
    pub(crate) fn wrote(&self) {
        if let Ok(mut ask) = self.ask.lock()
            && !ask.dirty
        {
            ask.dirty = true;
            self.bell.notify_one();
        }
    }

    /// Tells the thread that somebody waits.
    pub(crate) fn want_sync(&self) {
        if let Ok(mut ask) = self.ask.lock()
            && !ask.wanted
        {
            ask.wanted = true;
            self.bell.notify_one();
        }
    }

    /// Lets the thread end after a last sync.
    pub(crate) fn stop(&self) {
        if let Ok(mut ask) = self.ask.lock() {
            ask.stop = true;
            self.bell.notify_one();
        }
    }

    /// Waits for something to do; says whether it is the last time.
    fn next_round(&self) -> Result<bool, RecordError> {
        let stopped = |_| RecordError::Stopped;
        let ask = self.ask.lock().map_err(stopped)?;
        let ask = self.bell.wait_while(ask, |ask| !ask.dirty && !ask.wanted && !ask.stop).map_err(stopped)?;
        let (mut ask, _) = self
            .bell
            .wait_timeout_while(ask, SOON, |ask| !ask.wanted && !ask.stop)
            .map_err(|_| RecordError::Stopped)?;
        ask.dirty = false;
        ask.wanted = false;
        Ok(ask.stop)
    }

    /// Syncs everything written so far, oldest segment first.
    pub(crate) fn sync_once(&self) -> Result<(), RecordError> {
        let (rotated, current, end) = {
            let mut state = self.lock()?;
            (std::mem::take(&mut state.rotated), Arc::clone(&state.current), state.end)
        };
        let complete = rotated.len();
        let mut outcome = Ok(());
        for (index, (segment, end)) in rotated.into_iter().chain([(current, end)]).enumerate() {
            if !segment.failed() && segment.synced() < end {
                // A segment's first sync makes its name durable too.
                let named =
                    if segment.synced() == 0 { self.disk.sync_directory(&self.segments()) } else { Ok(()) };
                match segment.medium.sync().and(named) {
                    Ok(()) => segment.set_synced(end),
                    Err(error) => {
                        // The kernel may have dropped the pages: asking again would say yes and mean nothing.
                        segment.set_failed();
                        tracing::error!(%error, "a segment of the recording could not be made durable");
                        outcome = Err(RecordError::NotSynced);
                    }
                }
            }
            if index < complete
                && let Err(error) = segment.medium.truncate(end)
            {
                tracing::warn!(%error, "the unused end of a complete segment could not be released");
            }
        }
        {
            let mut state = self.lock()?;
            if state.current.failed() {
                state.distrusted = true;
            }
            if outcome.is_err() {
                state.fault = Some(Fault::Sync);
            } else if state.fault == Some(Fault::Sync) {
                state.fault = None;
            }
        }
        self.settled.send_modify(|round| *round = round.wrapping_add(1));
        outcome
    }
}

/// The thread's life.
pub(crate) fn run(log: &Log) {
    while let Ok(last) = log.next_round() {
        if log.sync_once().is_err() {
            tracing::error!("the recording is not durable; what waits for it is refused");
        }
        if last {
            break;
        }
    }
}
