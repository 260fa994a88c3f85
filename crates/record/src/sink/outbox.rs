//! One log and what of it is not in the sink yet.
//!
//! Complete segments, ends that were set aside, and checkpoints. Each file is tried by itself and waits by
//! itself after a failure, those that failed least first: a bad one blocks no other. A name that is taken is
//! compared: the same is success, something else is an alarm.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use bytes::Bytes;
use sallyport_core::{Clock, Digest};

use super::ledger::Ledger;
use super::same::same_log;
use super::status::{SinkStatus, Waiting};
use super::store::{Sink, SinkError};
use super::{CHECKPOINTS, FOLDER, KEY, SEGMENTS, TORN, WITNESSED};
use crate::checkpoint::{self, Checkpoint};
use crate::error::RecordError;
use crate::header::Header;
use crate::note::{NoteKey, split};
use crate::recover;
use crate::scan::{Segment, Step};
use crate::segment::{self, PACKED, name_of};
use crate::witness;

/// How long a complete segment may stay unpacked before it is sent as it is.
const UNPACKED: Duration = if cfg!(test) { Duration::from_secs(2) } else { Duration::from_secs(60) };
/// A checkpoint is sent with a segment, and at least so often while the log grows.
const CHECKPOINT_EVERY: Duration =
    if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(60) };
/// After a failure a file waits: the first time so long, then twice as long each time,
const FIRST_WAIT: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(5) };
/// and never longer than this.
const LONGEST_WAIT: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(300) };
/// After so many files in a row that the sink did not take because it is away, the rest is left for later.
const AWAY_AFTER: u32 = 3;

/// Which log it is, by its key.
#[derive(Clone, Debug)]
struct Identity {
    name: String,
    key: NoteKey,
}

/// A file that has not been taken.
#[derive(Debug)]
struct Trouble {
    tries: u32,
    error: SinkError,
    next: Instant,
}

/// A file that the sink lacks.
#[derive(Debug)]
struct Lacking {
    name: String,
    path: PathBuf,
}

/// Who may be writing the log meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// This process: the last segment is not complete.
    Here,
    /// Nobody: the caller holds the log's lock.
    Nobody,
    /// Perhaps another process: the lock is taken to read a file, and given back.
    Elsewhere,
}

#[derive(Debug)]
pub(super) struct Outbox {
    folder: PathBuf,
    /// Where it is noted what was sent.
    notes: PathBuf,
    sink: Sink,
    writer: Writer,
    log: Option<(Identity, Ledger)>,
    trouble: BTreeMap<String, Trouble>,
    /// When a checkpoint was last sent.
    checkpoint_at: Option<Instant>,
    /// Whether the sink's checkpoints were held against this log's.
    compared: bool,
    /// The sink took something, or was seen to have it, in the last round.
    pub(super) reached: bool,
}

impl Outbox {
    /// `notes` is the log that writes down what was sent: this one, or the one that adopted it.
    pub(super) fn new(folder: &Path, notes: &Path, sink: Sink, writer: Writer) -> Self {
        Self {
            folder: folder.to_owned(),
            notes: notes.join(FOLDER),
            sink,
            writer,
            log: None,
            trouble: BTreeMap::new(),
            checkpoint_at: None,
            compared: false,
            reached: false,
        }
    }

    /// Sends what can be sent now.
    pub(super) async fn round(&mut self, clock: &dyn Clock) -> Result<(), SinkError> {
        self.reached = false;
        let lacking = self.look(clock)?;
        let Some((identity, _)) = &self.log else { return Ok(()) };
        let identity = identity.clone();
        let due: Vec<&Lacking> = {
            let now = Instant::now();
            let mut due: Vec<&Lacking> = lacking
                .iter()
                .filter(|file| self.trouble.get(&file.name).is_none_or(|trouble| trouble.next <= now))
                .collect();
            // Stable: among those that failed as often the older ones go first.
            due.sort_by_key(|file| self.trouble.get(&file.name).map_or(0, |trouble| trouble.tries));
            due
        };
        let mut away = 0;
        let mut sent = false;
        for file in due {
            let Some(bytes) = self.read(file)? else { continue };
            match self.send(&identity, &file.name, &bytes, Some(&file.path)).await {
                Ok(()) => {
                    sent = true;
                    away = 0;
                }
                Err(error) => {
                    away = if error.is_away() { away + 1 } else { 0 };
                    self.troubled(&file.name, error);
                    if away >= AWAY_AFTER {
                        break;
                    }
                }
            }
        }
        if away == 0 {
            self.checkpoint(&identity, sent).await;
            self.witnessed(&identity).await;
        }
        Ok(())
    }

    /// Adds how this log stands.
    pub(super) fn tell(&self, status: &mut SinkStatus, clock: &dyn Clock) {
        let Ok(lacking) = self.lacking(clock) else { return };
        let Some((identity, ledger)) = &self.log else { return };
        status.sent += ledger.count_sent();
        status.sent_bytes += ledger.bytes;
        if self.writer == Writer::Elsewhere {
            status.adopted.push(identity.name.clone());
        } else {
            status.checkpoint = ledger.checkpoint;
        }
        let waiting = |name: &str| {
            let trouble = self.trouble.get(name);
            Waiting {
                log: identity.name.clone(),
                name: name.to_owned(),
                tries: trouble.map_or(0, |trouble| trouble.tries),
                why: trouble.map_or_else(|| "not tried yet".into(), |trouble| trouble.error.to_string()),
            }
        };
        for file in &lacking {
            if !self.is_alarm(&file.name) {
                status.wait(waiting(&file.name));
            }
        }
        for name in self.trouble.keys() {
            if self.is_alarm(name) {
                status.alarms.push(waiting(name));
            } else if !lacking.iter().any(|file| file.name == *name) {
                status.wait(waiting(name));
            }
        }
    }

    fn is_alarm(&self, name: &str) -> bool {
        self.trouble.get(name).is_some_and(|trouble| matches!(trouble.error, SinkError::Conflict(_)))
    }

    /// Finds out which log it is, and what the sink lacks of it.
    fn look(&mut self, clock: &dyn Clock) -> Result<Vec<Lacking>, SinkError> {
        if self.log.is_none() {
            let Some(identity) = identity(&self.folder)? else { return Ok(Vec::new()) };
            let ledger = Ledger::open(&self.notes, &identity.name, self.sink.address())?;
            self.log = Some((identity, ledger));
        }
        let lacking = self.lacking(clock)?;
        // What is gone here, packed meanwhile, is in no trouble any more.
        self.trouble.retain(|name, _| {
            name.starts_with(CHECKPOINTS)
                || name.starts_with(WITNESSED)
                || lacking.iter().any(|file| file.name == *name)
        });
        Ok(lacking)
    }

    fn lacking(&self, clock: &dyn Clock) -> io::Result<Vec<Lacking>> {
        let Some((_, ledger)) = &self.log else { return Ok(Vec::new()) };
        let segments = segment::list(&self.folder)?;
        let last = segments.last().map_or(0, |(number, _)| *number);
        let mut found = vec![Lacking { name: KEY.into(), path: PathBuf::new() }];
        for (number, path) in segments {
            let packed = path.with_extension(PACKED);
            let path = if packed.exists() { packed } else { path };
            let is_packed = path.extension().is_some_and(|extension| extension == PACKED);
            if self.writer != Writer::Here || number < last && (is_packed || is_old(&path, clock)) {
                found.push(Lacking { name: format!("{SEGMENTS}/{}", name_of(&path)), path });
            }
        }
        match std::fs::read_dir(self.folder.join(TORN)) {
            Ok(entries) => {
                for entry in entries {
                    let path = entry?.path();
                    found.push(Lacking { name: format!("{TORN}/{}", name_of(&path)), path });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        found.retain(|file| !ledger.has(&file.name));
        Ok(found)
    }

    /// A file's bytes as they are sent; nothing when it is gone, or somebody writes there.
    fn read(&self, file: &Lacking) -> Result<Option<Bytes>, SinkError> {
        if file.name == KEY {
            let key = self.log.as_ref().map(|(log, _)| format!("{}\n", log.key));
            return Ok(key.map(Bytes::from));
        }
        let lock = match self.writer {
            Writer::Elsewhere => recover::lock_if_free(&self.folder)?.map(Some),
            Writer::Here | Writer::Nobody => Some(None),
        };
        // Held while the file is read.
        let Some(_lock) = lock else { return Ok(None) };
        match whole(&file.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates an object, or sees that it is there.
    async fn send(
        &mut self,
        log: &Identity,
        name: &str,
        bytes: &Bytes,
        path: Option<&Path>,
    ) -> Result<(), SinkError> {
        match self.sink.create(&log.name, name, bytes.clone()).await {
            Err(SinkError::There) => {
                let there = self.sink.get(&log.name, name).await?;
                if !self.is_same(name, bytes, &there, path)? {
                    return Err(SinkError::Conflict(
                        "what is there under this name is something else".into(),
                    ));
                }
            }
            other => other?,
        }
        self.reached = true;
        self.trouble.remove(name);
        if let Some((_, ledger)) = &mut self.log {
            ledger.note(name, bytes);
        }
        Ok(())
    }

    fn is_same(&self, name: &str, here: &Bytes, there: &Bytes, path: Option<&Path>) -> io::Result<bool> {
        if Digest::of(here) == Digest::of(there) {
            return Ok(true);
        }
        match path {
            // A witness may have signed since.
            None => Ok(signed_text(here).is_some_and(|text| Some(text) == signed_text(there))),
            Some(path) if name.starts_with(SEGMENTS) => {
                let copy = self.notes.join("compare.tmp");
                std::fs::write(&copy, there)?;
                let same = same_log(path, &copy);
                std::fs::remove_file(&copy)?;
                same
            }
            Some(_) => Ok(false),
        }
    }

    fn troubled(&mut self, name: &str, error: SinkError) {
        let tries = self.trouble.get(name).map_or(0, |trouble| trouble.tries).saturating_add(1);
        let wait = FIRST_WAIT.saturating_mul(1 << (tries - 1).min(10)).min(LONGEST_WAIT);
        let known = self.trouble.get(name).is_some_and(|trouble| trouble.error == error);
        match (&error, known) {
            (SinkError::Conflict(what), false) => {
                tracing::error!(file = name, sink = %self.sink.address(), what, "the recording's sink disagrees with what is here");
            }
            (_, false) => {
                tracing::warn!(file = name, sink = %self.sink.address(), %error, "the recording's sink did not take a file yet");
            }
            _ => {}
        }
        self.trouble.insert(name.to_owned(), Trouble { tries, error, next: Instant::now() + wait });
    }

    /// Sends the log's checkpoint when one is due, and once holds those in the sink against it.
    async fn checkpoint(&mut self, log: &Identity, segments_sent: bool) {
        let Ok(Some(text)) = checkpoint::stored(&self.folder) else { return };
        let Ok(here) = Checkpoint::read(&text, &log.key) else { return };
        if !self.compared && !self.is_waiting(CHECKPOINTS) {
            match self.compare(log, here.size).await {
                Ok(()) => {
                    self.compared = true;
                    self.trouble.remove(CHECKPOINTS);
                }
                Err(error) => self.troubled(CHECKPOINTS, error),
            }
        }
        let sent = self.log.as_ref().and_then(|(_, ledger)| ledger.checkpoint);
        let due = segments_sent || self.checkpoint_at.is_none_or(|at| at.elapsed() >= CHECKPOINT_EVERY);
        let name = format!("{CHECKPOINTS}/{:020}", here.size);
        if !due || sent.is_some_and(|sent| sent >= here.size) || self.is_waiting(&name) {
            return;
        }
        match self.send(log, &name, &Bytes::from(text), None).await {
            Ok(()) => {
                // What was in trouble before is covered by this one. What disagrees stays said.
                self.trouble.retain(|name, trouble| {
                    !name.starts_with(CHECKPOINTS) || matches!(trouble.error, SinkError::Conflict(_))
                });
                self.checkpoint_at = Some(Instant::now());
            }
            Err(error) => self.troubled(&name, error),
        }
    }

    /// Sends the last checkpoint that a witness signed.
    async fn witnessed(&mut self, log: &Identity) {
        let Ok(Some(text)) = witness::stored(&self.folder) else { return };
        let Ok(here) = Checkpoint::read(&text, &log.key) else { return };
        let name = format!("{WITNESSED}/{:020}", here.size);
        let known = self.log.as_ref().is_some_and(|(_, ledger)| ledger.has(&name));
        if known || self.is_waiting(&name) {
            return;
        }
        if let Err(error) = self.send(log, &name, &Bytes::from(text), None).await {
            self.trouble.retain(|name, _| !name.starts_with(WITNESSED));
            self.troubled(&name, error);
        } else {
            self.trouble.retain(|name, _| !name.starts_with(WITNESSED));
        }
    }

    fn is_waiting(&self, name: &str) -> bool {
        self.trouble.get(name).is_some_and(|trouble| trouble.next > Instant::now())
    }

    /// A sink that has a checkpoint beyond this log's end tells that the log was cut back.
    async fn compare(&self, log: &Identity, size: u64) -> Result<(), SinkError> {
        let after = format!("{size:020}");
        let beyond = self.sink.list(&log.name, CHECKPOINTS, Some(&after)).await?;
        let Some((name, _)) = beyond.last() else { return Ok(()) };
        let there = self.sink.get(&log.name, &format!("{CHECKPOINTS}/{name}")).await?;
        let what = match Checkpoint::read(&String::from_utf8_lossy(&there), &log.key) {
            Ok(there) => format!(
                "the sink has a checkpoint of {} leaves and the log here ends at {size}: something was removed here",
                there.size
            ),
            Err(what) => format!("the sink has a checkpoint that is none of this log: {what}"),
        };
        Err(SinkError::Conflict(what))
    }
}

fn signed_text(note: &[u8]) -> Option<String> {
    let note = std::str::from_utf8(note).ok()?;
    split(note).map(|(text, _)| text.to_owned())
}

fn is_old(path: &Path, clock: &dyn Clock) -> bool {
    let written = std::fs::metadata(path).and_then(|found| found.modified()).ok();
    let written = written.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let now = u64::try_from(clock.now().micros()).unwrap_or(0);
    written.is_some_and(|at| Duration::from_micros(now).saturating_sub(at) >= UNPACKED)
}

/// A segment up to its end, without the room that was set aside behind it; any other file as it is.
fn whole(path: &Path) -> io::Result<Bytes> {
    let mut bytes = std::fs::read(path)?;
    if path.extension().is_some_and(|extension| extension == segment::RAW) {
        let (mut segment, _) = Segment::open(path)?;
        let end = loop {
            match segment.step(|_| false)? {
                Step::Frame(_) | Step::Skipped => {}
                Step::End { offset } => break Some(offset),
                // Torn: what is behind may be of use to somebody.
                Step::Unreadable { .. } => break None,
            }
        };
        if let Some(end) = end {
            bytes.truncate(usize::try_from(end).unwrap_or(usize::MAX));
        }
    }
    Ok(Bytes::from(bytes))
}

/// Whose log lies in a folder, by its first segment; nothing when it has none that is intact.
fn identity(folder: &Path) -> io::Result<Option<Identity>> {
    for (_, path) in segment::list(folder)? {
        let Some(header) = Segment::open(&path)?.1 else { continue };
        let Ok((header, _)) = Header::decode(&header, None) else { continue };
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&header.key) else { continue };
        let key = NoteKey::of_log(key);
        let name = key.name().rsplit('/').next().unwrap_or_default().to_owned();
        return Ok(Some(Identity { name, key }));
    }
    Ok(None)
}

/// Sends all that a sink lacks of a log that nobody records into, once. Gives how it stands then.
///
/// # Errors
/// [`RecordError::Locked`] when somebody records there: that process sends by itself. Else what the disk says.
pub async fn send_all(folder: &Path, sink: &Sink, clock: &dyn Clock) -> Result<SinkStatus, RecordError> {
    let _lock = recover::lock_if_free(folder)?.ok_or(RecordError::Locked)?;
    let mut outbox = Outbox::new(folder, folder, sink.clone(), Writer::Nobody);
    outbox.round(clock).await.map_err(of_disk)?;
    let mut status = SinkStatus::empty(sink.address(), clock.now());
    status.reached = outbox.reached.then(|| clock.now());
    outbox.tell(&mut status, clock);
    status.store(folder)?;
    Ok(status)
}

fn of_disk(error: SinkError) -> RecordError {
    match error {
        SinkError::Disk(kind) => RecordError::Io(kind.into()),
        other => RecordError::Io(io::Error::other(other.to_string())),
    }
}
