//! What is done with the gateway itself, in a session of its own: tokens, approvals, readings of recordings,
//! policies, settings, and sign-ins that failed. It stands in the log, with the same proofs as all else.
//!
//! Who tries passwords must not fill the disk: of sign-ins that failed some are written each second and the
//! rest are counted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sallyport_core::Event;

use crate::error::RecordError;
use crate::recorder::Need;
use crate::tape::{Seal, Tape};

/// Failed sign-ins that are written each second.
const MOST_PER_SECOND: u32 = 20;
const SECOND: Duration = Duration::from_secs(1);

/// The gateway's own session. Clones are the same.
#[derive(Clone, Debug)]
pub struct Journal {
    tape: Tape,
    window: Arc<Mutex<Window>>,
}

#[derive(Debug)]
struct Window {
    begun: Instant,
    written: u32,
    left_out: u64,
}

impl Journal {
    /// On a tape that nothing else writes to.
    #[must_use]
    pub fn on(tape: Tape) -> Self {
        let window = Window { begun: Instant::now(), written: 0, left_out: 0 };
        Self { tape, window: Arc::new(Mutex::new(window)) }
    }

    /// Writes what somebody did or tried, and waits until it is on stable storage.
    ///
    /// # Errors
    /// As [`Tape::append_and_wait`]; then it must not be done.
    pub async fn note(
        &self,
        principal: &str,
        action: &str,
        object: &str,
        outcome: &str,
    ) -> Result<(), RecordError> {
        let event = audited(principal, action, object, outcome);
        self.tape.append_and_wait(&event, &[], Need::Synced).await.map(drop)
    }

    /// Writes that a sign-in failed. Nobody waits for it: it was refused already.
    pub fn sign_in_failed(&self, place: &str, from: &str, reason: &str) {
        let left_out = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            if window.begun.elapsed() >= SECOND {
                let left_out = std::mem::take(&mut window.left_out);
                *window = Window { begun: Instant::now(), written: 1, left_out: 0 };
                left_out
            } else if window.written < MOST_PER_SECOND {
                window.written += 1;
                0
            } else {
                window.left_out += 1;
                return;
            }
        };
        let more = (left_out > 0).then(|| {
            audited(
                "unknown",
                "sign-in",
                &format!("{left_out} more, of which nothing else is kept"),
                "refused",
            )
        });
        let this = audited("unknown", "sign-in", &format!("{place}, from {from}"), reason);
        for event in more.into_iter().chain([this]) {
            if let Err(error) = self.tape.append(&event, &[]) {
                tracing::error!(%error, "a sign-in that failed could not be recorded");
            }
        }
    }

    /// Ends it.
    ///
    /// # Errors
    /// As [`Tape::seal`].
    pub async fn seal(&self, event: &Event) -> Result<Seal, RecordError> {
        self.tape.seal(event).await
    }
}

fn audited(principal: &str, action: &str, object: &str, outcome: &str) -> Event {
    Event::Audited {
        principal: principal.to_owned(),
        action: action.to_owned(),
        object: object.to_owned(),
        outcome: outcome.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Content;
    use crate::testing::{folder, recorder, recordings, session};

    #[test]
    fn who_tries_passwords_does_not_fill_the_disk_and_how_often_is_kept() {
        let dir = folder();
        let recorder = recorder(dir.path(), 1 << 20);
        let journal = Journal::on(recorder.begin(session(1)));
        for _ in 0..10_000 {
            journal.sign_in_failed("postgres", "192.0.2.1", "unknown token");
        }
        std::thread::sleep(SECOND + Duration::from_millis(50));
        journal.sign_in_failed("postgres", "192.0.2.1", "unknown token");
        drop((journal, recorder));
        let objects: Vec<String> = recordings(dir.path())
            .session(&session(1))
            .unwrap()
            .filter_map(|entry| match entry.unwrap().event {
                Content::Event(event) => match *event {
                    Event::Audited { object, .. } => Some(object),
                    _ => None,
                },
                _ => None,
            })
            .collect();
        assert!(objects.len() < 200, "{}", objects.len());
        let counted: u64 =
            objects.iter().filter_map(|object| object.split_once(" more")?.0.parse::<u64>().ok()).sum();
        let written = objects.iter().filter(|object| object.contains("192.0.2.1")).count();
        assert_eq!(counted + u64::try_from(written).unwrap(), 10_001);
    }
}
