//! The recorder: opens a log, hands out tapes, and keeps the sync thread.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use ed25519_dalek::{SigningKey, VerifyingKey};
use sallyport_core::{Clock, SessionId};
use serde::{Deserialize, Serialize};

use crate::checkpoint;
use crate::error::RecordError;
use crate::keeper::Duties;
use crate::log::{Log, Writing};
use crate::medium::{Disk, LocalDisk};
use crate::recover;
use crate::results::Results;
use crate::retention::Retention;
use crate::tape::{Appended, Tape, wait_for};
use crate::witness::Witnesses;
use crate::wrapping::Wrapping;

/// Who decides what an answer waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Durability {
    /// The caller, entry by entry.
    #[default]
    Auto,
    /// Always wait for stable storage.
    Disk,
    /// Never wait: the operating system's cache is enough. Survives the gateway, not the machine.
    Os,
}

/// What one entry has to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Written: survives the end of the gateway's process.
    Written,
    /// On stable storage: survives the machine's power.
    Synced,
}

/// How to record.
#[derive(Clone, Debug)]
pub struct RecorderSettings {
    /// Folder of the recording; made, readable by the owner alone, when it is not there.
    pub dir: PathBuf,
    /// Who decides what an answer waits for.
    pub durability: Durability,
    /// A segment is complete at this size. An entry that is larger gets a segment of its own.
    pub segment_bytes: u64,
    /// With less than this free on the disk nothing is recorded, and so nothing passes.
    pub min_free_bytes: u64,
    /// With less than this it says so in the log of the gateway, while it still records.
    pub warn_free_bytes: u64,
    /// Encrypts events, each segment under a data key that this wraps. Without it they lie in the clear.
    pub wrapping: Option<Arc<dyn Wrapping>>,
    /// Whether segments that are complete are compressed.
    pub pack: bool,
    /// A segment in which something was said is complete so long after it was begun, however small it is:
    /// only what is complete leaves for a sink.
    pub close_after: Option<Duration>,
    /// Who signs checkpoints besides.
    pub witnesses: Option<Witnesses>,
    /// For how long what was said is kept.
    pub retention: Retention,
    /// Which part of results is recorded.
    pub results: Results,
    /// Targets that are recorded on terms of their own.
    pub targets: BTreeMap<String, Terms>,
}

impl RecorderSettings {
    /// Bytes of a segment unless told otherwise: 64 MiB.
    pub const SEGMENT_BYTES: u64 = 64 << 20;
    /// Bytes kept free unless told otherwise: 256 MiB.
    pub const MIN_FREE_BYTES: u64 = 256 << 20;

    /// Free bytes below which it warns unless told otherwise: 2 GiB.
    pub const WARN_FREE_BYTES: u64 = 2 << 30;

    /// The defaults, for a folder.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::Auto,
            segment_bytes: Self::SEGMENT_BYTES,
            min_free_bytes: Self::MIN_FREE_BYTES,
            warn_free_bytes: Self::WARN_FREE_BYTES,
            wrapping: None,
            pack: true,
            close_after: None,
            witnesses: None,
            retention: Retention::default(),
            results: Results::Full,
            targets: BTreeMap::new(),
        }
    }
}

/// Records sessions into one folder. Clones share it; the last one to go, tapes included, syncs and
/// closes it.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Running>);

/// A log with its sync thread.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) log: Arc<Log>,
    others: Terms,
    terms: BTreeMap<String, Terms>,
    /// Syncs, and makes checkpoints.
    threads: Vec<JoinHandle<()>>,
    /// Held for as long as we record: one process per folder.
    _lock: std::fs::File,
}

/// How one target's sessions are recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Who decides what an answer waits for.
    pub durability: Durability,
    /// Which part of results is recorded.
    pub results: Results,
}

impl Running {
    /// A target's, or those of whatever has none.
    pub(crate) fn terms(&self, target: Option<&str>) -> Terms {
        let own = target.and_then(|target| self.terms.get(target).copied());
        own.unwrap_or(self.others)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.log.stop_checkpoints();
        self.log.next_key.stop();
        if let Err(error) = self.log.checkpoint() {
            tracing::error!(%error, "the recording's last checkpoint could not be made");
        }
        self.log.stop();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the recording had panicked");
            }
        }
    }
}

impl Recorder {
    /// Opens the folder and brings the log back to where it can go on: a torn end is set aside, and
    /// sessions that were left open get a note and a seal.
    ///
    /// # Errors
    /// [`RecordError::Locked`] when another process records there, [`RecordError::Damaged`] when the
    /// log cannot be continued, and whatever the disk says.
    pub fn open(
        settings: RecorderSettings,
        key: SigningKey,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RecordError> {
        Self::open_on(settings, key, clock, Box::new(LocalDisk))
    }

    pub(crate) fn open_on(
        settings: RecorderSettings,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        disk: Box<dyn Disk>,
    ) -> Result<Self, RecordError> {
        let lock = recover::lock(&settings.dir)?;
        let found = recover::recover(&settings.dir)?;
        checkpoint::check_not_cut_back(&settings.dir, &found.resume.tree, &key)?;
        let writing = Writing {
            segment_bytes: settings.segment_bytes,
            min_free_bytes: settings.min_free_bytes,
            warn_free_bytes: settings.warn_free_bytes,
            wrapping: settings.wrapping,
            witnesses: settings.witnesses,
        };
        let log = Arc::new(Log::new(&settings.dir, writing, key, clock, disk, found.resume)?);
        let mut running = Running {
            log: Arc::clone(&log),
            others: Terms { durability: settings.durability, results: settings.results },
            terms: settings.targets,
            threads: Vec::new(),
            _lock: lock,
        };
        for (name, job) in [
            ("record-sync", crate::sync::run as fn(&Log)),
            ("record-checkpoint", checkpoint::run),
            ("record-key", crate::next_key::run),
            ("record-witness", crate::witness::run),
        ] {
            let worker = Arc::clone(&log);
            let thread = std::thread::Builder::new().name(name.into()).spawn(move || job(&worker))?;
            running.threads.push(thread);
        }
        let duties =
            Duties { pack: settings.pack, retention: settings.retention, close_after: settings.close_after };
        let worker = Arc::clone(&log);
        let keeper = std::thread::Builder::new().name("record-keeper".into());
        running.threads.push(keeper.spawn(move || crate::keeper::run(&worker, &duties))?);
        let running = Arc::new(running);
        recover::tell(&running, &found.torn, found.left_open)?;
        Ok(Self(running))
    }

    /// A tape for a session. Nothing is written until its first entry.
    #[must_use]
    pub fn begin(&self, session: SessionId) -> Tape {
        Tape::new(Arc::clone(&self.0), session, self.0.terms(None))
    }

    /// A tape for a session with a target, on its terms.
    #[must_use]
    pub fn begin_for(&self, session: SessionId, target: &str) -> Tape {
        Tape::new(Arc::clone(&self.0), session, self.0.terms(Some(target)))
    }

    /// Whether the recorder would take an entry now. After a fault this tries the disk again.
    ///
    /// # Errors
    /// Why not.
    pub fn healthy(&self) -> Result<(), RecordError> {
        self.0.log.healthy()
    }

    /// Whether the disk has less free than was said to be worth a warning.
    #[must_use]
    pub fn space_is_low(&self) -> bool {
        self.0.log.lock().is_ok_and(|state| state.space_low)
    }

    /// The log beneath.
    #[cfg(test)]
    pub(crate) fn log_for_tests(&self) -> Arc<Log> {
        Arc::clone(&self.0.log)
    }

    /// The key that checks this recorder's seals.
    #[must_use]
    pub fn public_key(&self) -> VerifyingKey {
        self.0.log.key.verifying_key()
    }

    /// Waits until everything written so far is on stable storage, whatever the durability.
    ///
    /// # Errors
    /// [`RecordError::NotSynced`] when the disk says no.
    pub async fn flush(&self) -> Result<(), RecordError> {
        let (segment, end) = {
            let state = self.0.log.lock()?;
            (Arc::clone(&state.current), state.end)
        };
        wait_for(&self.0.log, &segment, end).await
    }
}

impl Appended {
    /// What to wait for, given the recorder's durability.
    pub(crate) fn effective(durability: Durability, need: Need) -> Need {
        match durability {
            Durability::Auto => need,
            Durability::Disk => Need::Synced,
            Durability::Os => Need::Written,
        }
    }
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
