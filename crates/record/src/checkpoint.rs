//! Checkpoints (c2sp.org/tlog-checkpoint): the tree's size and root, signed, beside the segments.
//!
//! Whoever has noted one, or a witness that has, can tell later whether anything that it covers is gone.
//! A thread of its own makes them: it puts the log so far into the tree by a mark, waits until that is
//! durable, and only then signs. A checkpoint is never ahead of what would survive the machine.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use sallyport_core::Digest;

use crate::error::RecordError;
use crate::format::{Draft, Kind, Label};
use crate::log::Log;
use crate::note::{self, NoteKey, origin};
use crate::statements::Mark;
use crate::tree::Tree;
use crate::witness;

/// Where the last checkpoint lies, beside the folder of segments.
pub(crate) const FILE: &str = "checkpoint";
/// After a seal a checkpoint follows within this time,
const AFTER_SEAL: Duration = Duration::from_secs(1);
/// and after anything else within this.
const AFTER_ENTRY: Duration = Duration::from_secs(5);

/// A checkpoint that was read, and is signed by the log's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Leaves of the tree.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// The note, with all its signatures.
    pub note: String,
}

fn body(origin: &str, size: u64, root: Digest) -> String {
    format!("{origin}\n{size}\n{}\n", STANDARD.encode(root.as_bytes()))
}

/// A checkpoint over a tree, as a signed note.
pub(crate) fn sign(tree: &Tree, key: &SigningKey) -> String {
    let text = body(&origin(&key.verifying_key()), tree.size, tree.root());
    let line = note::sign(&text, key);
    format!("{text}\n{line}")
}

impl Checkpoint {
    /// Reads a checkpoint and checks that it is of this log.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn read(text: &str, key: &NoteKey) -> Result<Self, &'static str> {
        let (body, lines) = note::split(text).ok_or("this is not a signed note")?;
        let mut parts = body.lines();
        let (origin, size, root) = (parts.next(), parts.next(), parts.next());
        if origin != Some(key.name()) {
            return Err("it is the checkpoint of another log");
        }
        if !note::signed_by(body, lines, key) {
            return Err("it is not signed by this key");
        }
        let size = size.filter(|size| *size == "0" || !size.starts_with(['0', '+']));
        let size = size.and_then(|size| size.parse().ok()).ok_or("it has no size")?;
        let root = root
            .and_then(|root| STANDARD.decode(root).ok())
            .and_then(|root| <[u8; 32]>::try_from(root).ok())
            .ok_or("it has no root")?;
        Ok(Self { size, root: Digest::from_bytes(root), note: text.to_owned() })
    }

    /// Whether a witness has signed it, too.
    #[must_use]
    pub fn witnessed_by(&self, witness: &NoteKey) -> bool {
        witness.is_witness()
            && note::split(&self.note).is_some_and(|(text, lines)| note::signed_by(text, lines, witness))
    }
}

/// The checkpoint beside a log's segments, as it lies there; nothing when there is none.
pub(crate) fn stored(dir: &Path) -> std::io::Result<Option<String>> {
    read_note(&dir.join(FILE))
}

pub(crate) fn read_note(path: &Path) -> std::io::Result<Option<String>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(u64::try_from(note::MOST).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn store(dir: &Path, note: &str) -> std::io::Result<()> {
    let unfinished = dir.join("checkpoint.tmp");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(note.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, dir.join(FILE))?;
    std::fs::File::open(dir)?.sync_all()
}

/// Refuses to go on with a log that ends before a checkpoint that was made of it.
pub(crate) fn check_not_cut_back(dir: &Path, tree: &Tree, key: &SigningKey) -> Result<(), RecordError> {
    for (name, text) in [(FILE, stored(dir)?), (witness::FILE, witness::stored(dir)?)] {
        if let Some(text) = text {
            check_reaches(name, &text, tree, key)?;
        }
    }
    Ok(())
}

fn check_reaches(name: &str, text: &str, tree: &Tree, key: &SigningKey) -> Result<(), RecordError> {
    let Ok(found) = Checkpoint::read(text, &NoteKey::of_log(key.verifying_key())) else {
        return Err(RecordError::Damaged(format!(
            "the file `{name}` is not a checkpoint by this recorder's key; put it right, or put it aside for \
             whoever examines this"
        )));
    };
    let differs = found.size == tree.size && found.root != tree.root();
    if found.size > tree.size || differs {
        return Err(RecordError::Damaged(format!(
            "the log does not reach its checkpoint of {} leaves: something was removed. Bring it back, or put \
             the file `{name}` aside for whoever examines this",
            found.size
        )));
    }
    Ok(())
}

impl Log {
    /// Marks, syncs and signs, if anything was written since the last time.
    pub(crate) fn checkpoint(&self) -> Result<(), RecordError> {
        if self.lock()?.unmarked {
            let time = self.clock.now();
            let label = Label { kind: Kind::Mark, session: None, sequence: 0, time };
            self.place(&[Draft::new(label, &Mark { event: "mark".into() }, &[], None)?], None, false)?;
        }
        let tree = self.lock()?.tree.clone();
        self.sync_once()?;
        store(&self.directory, &sign(&tree, &self.key))?;
        self.lock()?.signed = tree.size;
        Ok(())
    }

    /// Waits until a checkpoint is due; nothing when the recorder is going.
    fn checkpoint_due(&self, since: Instant) -> Option<()> {
        let mut ask = self.checkpoint_ask.lock().ok()?;
        loop {
            if *ask {
                return None;
            }
            let due = {
                let state = self.state.lock().ok()?;
                let sealed = state.tree.size > state.signed && since.elapsed() >= AFTER_SEAL;
                sealed || state.unmarked && since.elapsed() >= AFTER_ENTRY
            };
            if due {
                return Some(());
            }
            ask = self.checkpoint_bell.wait_timeout(ask, AFTER_SEAL).ok()?.0;
        }
    }

    /// Lets the thread end.
    pub(crate) fn stop_checkpoints(&self) {
        if let Ok(mut ask) = self.checkpoint_ask.lock() {
            *ask = true;
            self.checkpoint_bell.notify_all();
        }
    }
}

/// The thread's life.
pub(crate) fn run(log: &Log) {
    let mut since = Instant::now();
    while log.checkpoint_due(since).is_some() {
        since = Instant::now();
        if let Err(error) = log.checkpoint() {
            tracing::error!(%error, "a checkpoint of the recording could not be made");
        }
    }
}
