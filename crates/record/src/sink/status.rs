//! What a sink has and lacks, as the thread that sends last saw it: written beside the log, for people and
//! for programs, whether the gateway runs or not.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sallyport_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::FOLDER;
use crate::medium::make_directory;

const FILE: &str = "status.json";
/// Most files that are named; how many there are in all is said besides.
const MOST_NAMED: usize = 1000;

/// Something that is not in the sink yet, or not as it is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// The log it is of.
    pub log: String,
    /// Its name there.
    pub name: String,
    /// How often it was tried.
    pub tries: u32,
    /// Why it is not there.
    pub why: String,
}

/// How a sink stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkStatus {
    /// Its address.
    pub sink: String,
    /// When this was written.
    pub at: Timestamp,
    /// When the sink last took something or was seen to have it; nothing when it never did.
    pub reached: Option<Timestamp>,
    /// Files in it, and their bytes.
    pub sent: u64,
    /// Their bytes.
    pub sent_bytes: u64,
    /// Leaves of the last checkpoint in it.
    pub checkpoint: Option<u64>,
    /// Files that it lacks.
    pub waiting: u64,
    /// The first of them, with the reason.
    pub first: Vec<Waiting>,
    /// What is there and is not what is here: somebody must look.
    pub alarms: Vec<Waiting>,
    /// Logs of other replicas that are looked after.
    pub adopted: Vec<String>,
}

impl SinkStatus {
    pub(super) fn empty(sink: &str, at: Timestamp) -> Self {
        Self {
            sink: sink.to_owned(),
            at,
            reached: None,
            sent: 0,
            sent_bytes: 0,
            checkpoint: None,
            waiting: 0,
            first: Vec::new(),
            alarms: Vec::new(),
            adopted: Vec::new(),
        }
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting += 1;
        if self.first.len() < MOST_NAMED {
            self.first.push(waiting);
        }
    }

    pub(super) fn store(&self, log: &Path) -> io::Result<()> {
        use std::io::Write as _;
        let folder = log.join(FOLDER);
        make_directory(&folder)?;
        let unfinished = folder.join("status.tmp");
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)?;
        file.write_all(&serde_json::to_vec_pretty(self).map_err(io::Error::other)?)?;
        std::fs::rename(&unfinished, folder.join(FILE))
    }
}

/// How the sink of a log stands; nothing when none was ever sent to.
///
/// # Errors
/// What the disk says.
pub fn status(log: &Path) -> io::Result<Option<SinkStatus>> {
    match std::fs::read(log.join(FOLDER).join(FILE)) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
