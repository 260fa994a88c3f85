//! Packs segments that are complete and lets go of old ones, one at a time, off everybody's way.
//!
//! A segment that cannot be packed stays as it is and keeps no other from being packed. A stop at any
//! point leaves the segment there, once or twice; the next start goes on.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::RecordError;
use crate::log::Log;
use crate::retention::Retention;
use crate::scan::Segment;
use crate::segment::{self, PACKED, RAW, name_of};

/// How often it looks for a segment that is complete.
const LOOK: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(2) };
/// How often it looks for sessions whose time is over.
const LOOK_FOR_OLD: Duration = Duration::from_secs(3600);
/// The least weight: callers are served first. Tests run on machines that are full.
const NICE: i32 = if cfg!(test) { 0 } else { 19 };
/// A packed segment that is not whole yet.
pub(crate) const UNFINISHED: &str = "pack.tmp";

impl Log {
    /// Packs what can be packed. Gives the numbers of those that could not.
    fn pack_complete(&self, given_up: &mut BTreeSet<u64>) -> Result<(), RecordError> {
        let current = self.lock()?.number();
        for (number, path) in segment::list(&self.directory)? {
            if number >= current || given_up.contains(&number) || self.is_stopping() {
                continue;
            }
            if path.extension().is_some_and(|extension| extension == PACKED) {
                // What it was made of, when the gateway stopped before it was removed.
                remove(&path.with_extension(RAW))?;
                continue;
            }
            if let Err(error) = self.pack_one(&path) {
                given_up.insert(number);
                tracing::warn!(segment = %name_of(&path), %error, "a segment of the recording stays unpacked");
            }
        }
        Ok(())
    }

    fn pack_one(&self, path: &Path) -> Result<(), RecordError> {
        if Segment::open(path)?.0.is_version_1() {
            return Ok(());
        }
        self.pack_without(path, &|_| false)
    }

    /// Whether the recorder is going.
    fn is_stopping(&self) -> bool {
        self.checkpoint_ask.lock().is_ok_and(|ask| *ask)
    }
}

pub(crate) fn remove(path: &Path) -> Result<(), RecordError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// What the thread is for.
#[derive(Clone, Debug)]
pub(crate) struct Duties {
    pub(crate) pack: bool,
    pub(crate) retention: Retention,
    pub(crate) close_after: Option<Duration>,
}

/// The thread's life.
pub(crate) fn run(log: &Log, duties: &Duties) {
    // On Linux this is the thread's own priority.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "segments of the recording are packed at the usual priority");
    }
    let mut given_up = BTreeSet::new();
    let mut looked: Option<Instant> = None;
    loop {
        if let Some(age) = duties.close_after
            && let Err(error) = log.close_older_than(age)
        {
            tracing::warn!(%error, "a segment of the recording could not be completed");
        }
        if duties.pack
            && let Err(error) = log.pack_complete(&mut given_up)
        {
            tracing::warn!(%error, "segments of the recording could not be looked at");
        }
        if looked.is_none_or(|at| at.elapsed() >= LOOK_FOR_OLD) {
            looked = Some(Instant::now());
            if let Err(error) = log.let_go(&duties.retention) {
                tracing::error!(%error, "recorded sessions whose time is over could not be let go");
            }
        }
        let Ok(ask) = log.checkpoint_ask.lock() else { return };
        let Ok((ask, _)) = log.checkpoint_bell.wait_timeout_while(ask, LOOK, |stop| !*stop) else { return };
        if *ask {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{closed, data, folder, key, opened, recordings, segments, session, settings};
    use crate::verify::{Trust, verify};
    use crate::{Recorder, RecorderSettings};

    #[tokio::test]
    async fn complete_segments_are_packed_while_recording_goes_on_and_a_bad_one_blocks_no_other() {
        let dir = folder();
        let settings = RecorderSettings { pack: true, ..settings(dir.path(), 16 << 10) };
        let clock = Arc::new(sallyport_core::SystemClock);
        let recorder = Recorder::open(settings.clone(), key(), clock.clone()).unwrap();
        let tape = recorder.begin(session(1));
        tape.append(&opened(), &[]).unwrap();
        let mut tail = recordings(dir.path()).tail(Default::default());
        let mut read = 0;
        for operation in 0..400 {
            tape.append(&data(operation), &[&[b'x'; 400]]).unwrap();
            if operation % 40 == 0 {
                tokio::time::sleep(Duration::from_millis(30)).await;
                while tail.next_entry().unwrap().is_some() {
                    read += 1;
                }
            }
        }
        tape.seal(&closed()).await.unwrap();
        let raw = || segments(dir.path()).iter().filter(|path| path.extension().unwrap() == RAW).count();
        for _ in 0..200 {
            if raw() == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(raw(), 1, "all but the current one");
        while tail.next_entry().unwrap().is_some() {
            read += 1;
        }
        assert_eq!(read, 403, "who follows sees every entry once, packed meanwhile or not");
        drop((tape, recorder));
        let report = verify(dir.path(), &Trust::key(key().verifying_key()), |_| {}).unwrap();
        assert!(report.ok(), "{:?}", report.lines());
        // Its last segment is damaged while the gateway is away, and more follow it.
        let last = segments(dir.path()).pop().unwrap();
        let mut bytes = std::fs::read(&last).unwrap();
        let unpacked = RecorderSettings { pack: false, ..settings.clone() };
        for number in [2, 3] {
            let recorder = Recorder::open(unpacked.clone(), key(), clock.clone()).unwrap();
            recorder.begin(session(number)).append(&opened(), &[]).unwrap();
        }
        bytes[400] ^= 1;
        std::fs::write(&last, bytes).unwrap();
        let recorder = Recorder::open(settings, key(), clock).unwrap();
        for _ in 0..200 {
            if raw() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(recorder);
        assert!(last.exists() && raw() == 2, "the damaged one stays as it is, with the current one");
    }
}
