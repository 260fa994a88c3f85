//! The log all sessions share: links each entry to the one before, writes it, and rotates segments.
//!
//! One mutex orders everything. What can be done before it (encoding, hashing the content) is done
//! before it, so that it is held for one small hash and one write. State moves on only after the
//! write: a failed write leaves the log as it was.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use sallyport_core::{Clock, Digest, SessionId, Timestamp};
use tokio::sync::watch;

use crate::cipher::{Cipher, Sealing, data_key};
use crate::error::RecordError;
use crate::format::{Draft, Kind, Label, NO_LINK};
use crate::header::Header;
use crate::medium::{Disk, Medium};
use crate::segment::{self, Segment};
use crate::statements::{OpenSession, Roster};
use crate::sync::Ask;
use crate::tree::{Tree, leaf_hash, log_leaf, session_leaf};
use crate::wrapping::Wrapping;

/// How long a look at the free space is good for, and how soon a full disk is looked at again.
const SPACE_KNOWN: Duration = Duration::from_secs(1);
const SPACE_RETRY: Duration = Duration::from_millis(50);
/// What is written to see whether a disk that failed takes writes again. Zeros: the end of a segment.
const PROBE: [u8; 4096] = [0; 4096];
/// A segment under construction. One is left behind only by a crash, and is thrown away at start.
pub(crate) const UNFINISHED: &str = "next.tmp";

/// Where a session's chain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    /// Entries so far: the next one's number.
    pub(crate) entries: u64,
    /// Hash of the last.
    pub(crate) head: Digest,
    /// When the first was written; the epoch when that stands in a version 1 segment.
    pub(crate) opened: Timestamp,
}

impl Chain {
    /// Before the first entry.
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self { entries: 0, head: NO_LINK, opened: now }
    }
}

/// An entry that is written.
#[derive(Debug)]
pub(crate) struct Placed {
    /// Number of the segment that it stands in.
    pub(crate) number: u64,
    pub(crate) segment: Arc<Segment>,
    pub(crate) end: u64,
    pub(crate) hash: Digest,
}

/// What went wrong last and has not been seen to work since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Full,
    Write(std::io::ErrorKind),
    Sync,
    Key,
}

impl Fault {
    fn error(self) -> RecordError {
        match self {
            Self::Full => RecordError::Full,
            Self::Write(kind) => RecordError::Io(kind.into()),
            Self::Sync => RecordError::NotSynced,
            Self::Key => RecordError::Key("the next segment's key could not be wrapped".into()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) current: Arc<Segment>,
    number: u64,
    /// Where the next entry goes.
    pub(crate) end: u64,
    /// Hash of the last entry.
    head: Digest,
    open: HashMap<SessionId, Chain>,
    /// Seals and marks so far.
    pub(crate) tree: Tree,
    /// Something was written since the last mark.
    pub(crate) unmarked: bool,
    /// Size of the tree when it was last signed.
    pub(crate) signed: u64,
    /// No entry stands in the current segment yet: one that is larger than a segment goes there.
    fresh: bool,
    /// Segments that are complete, with their ends, until they are synced.
    pub(crate) rotated: Vec<(Arc<Segment>, u64)>,
    /// Nothing more is written to the current segment.
    pub(crate) distrusted: bool,
    pub(crate) fault: Option<Fault>,
    space_seen: Option<Instant>,
    space_short: bool,
    pub(crate) space_low: bool,
}

impl State {
    /// Number of the current segment.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// The log. Everything in here is shared by the tapes and the sync thread.
pub(crate) struct Log {
    pub(crate) directory: PathBuf,
    segment_bytes: u64,
    min_free_bytes: u64,
    warn_free_bytes: u64,
    pub(crate) key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) wrapping: Option<Arc<dyn Wrapping>>,
    /// The present segment's key. Taken without the log's lock, so that entries are made beside each other.
    sealing: Mutex<Arc<Sealing>>,
    pub(crate) state: Mutex<State>,
    pub(crate) ask: Mutex<Ask>,
    pub(crate) bell: Condvar,
    /// Whether the checkpoint thread is to end.
    pub(crate) checkpoint_ask: Mutex<bool>,
    pub(crate) checkpoint_bell: Condvar,
    /// Rings whenever a sync has settled something, well or badly.
    pub(crate) settled: watch::Sender<u64>,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Where a log goes on.
#[derive(Debug)]
pub(crate) struct Resume {
    /// Number of the last segment that stays; 0 when the log is new.
    pub(crate) number: u64,
    /// Hash of its last entry.
    pub(crate) head: Digest,
    /// Sessions that are open.
    pub(crate) open: HashMap<SessionId, Chain>,
    /// Seals and marks so far.
    pub(crate) tree: Tree,
}

/// How to write, from the settings.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    pub(crate) segment_bytes: u64,
    pub(crate) min_free_bytes: u64,
    pub(crate) warn_free_bytes: u64,
    pub(crate) wrapping: Option<Arc<dyn Wrapping>>,
}

impl Log {
    /// Begins a new segment after what `resume` says, durable before this returns.
    pub(crate) fn new(
        directory: &Path,
        writing: Writing,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        disk: Box<dyn Disk>,
        resume: Resume,
    ) -> Result<Self, RecordError> {
        let Writing { segment_bytes, min_free_bytes, warn_free_bytes, wrapping } = writing;
        let number = resume.number + 1;
        let begun = begin_segment(
            &Beginning {
                directory,
                disk: &*disk,
                room: segment_bytes,
                key: &key,
                wrapping: wrapping.as_deref(),
                number,
                created: clock.now(),
                previous: resume.head,
            },
            &resume.open,
            &resume.tree,
        )?;
        begun.medium.sync()?;
        disk.sync_directory(&segment::folder(directory))?;
        let state = State {
            current: Arc::new(Segment::new(begun.medium)),
            number,
            end: begun.end,
            head: begun.head,
            open: resume.open,
            tree: resume.tree,
            unmarked: true,
            signed: 0,
            fresh: true,
            rotated: Vec::new(),
            distrusted: false,
            fault: None,
            space_seen: None,
            space_short: false,
            space_low: false,
        };
        Ok(Self {
            directory: directory.to_owned(),
            segment_bytes,
            min_free_bytes,
            warn_free_bytes,
            key,
            clock,
            disk,
            wrapping,
            sealing: Mutex::new(Arc::new(begun.sealing)),
            state: Mutex::new(state),
            ask: Mutex::new(Ask::default()),
            bell: Condvar::new(),
            checkpoint_ask: Mutex::new(false),
            checkpoint_bell: Condvar::new(),
            settled: watch::Sender::new(0),
        })
    }

    /// A panic under the lock leaves a state that nobody should build on.
    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, State>, RecordError> {
        self.state.lock().map_err(|_| RecordError::Stopped)
    }

    pub(crate) fn segments(&self) -> PathBuf {
        segment::folder(&self.directory)
    }

    /// What entries are to be made for now.
    pub(crate) fn sealing(&self) -> Result<Arc<Sealing>, RecordError> {
        Ok(Arc::clone(&*self.sealing.lock().map_err(|_| RecordError::Stopped)?))
    }

    /// Links and writes one entry. `session` is where its chain stands before it. Nothing is written,
    /// and nothing given, when the entry was made for a segment that is complete by now.
    pub(crate) fn place(
        &self,
        draft: &Draft,
        session: Option<(&SessionId, Chain)>,
        may_use_reserve: bool,
    ) -> Result<Option<Placed>, RecordError> {
        let placed = {
            let mut state = self.lock()?;
            if !may_use_reserve {
                self.check_space(&mut state)?;
            }
            let over = state.end.saturating_add(draft.frame_bytes()) > self.segment_bytes;
            if state.distrusted || over && !state.fresh {
                self.rotate(&mut state)?;
            }
            if draft.segment.is_some_and(|made_for| made_for != state.number) {
                return Ok(None);
            }
            let log_link = state.head;
            let (trailer, hash) = draft.trailer(session.map_or(NO_LINK, |(_, chain)| chain.head), log_link);
            if let Err(error) = state.current.medium.write_at(&[draft.bytes(), &trailer], state.end) {
                return Err(self.take_back(&mut state, error));
            }
            state.end += draft.frame_bytes();
            state.head = hash;
            state.fresh = false;
            state.unmarked = draft.kind != Kind::Mark;
            if state.fault.is_some_and(|fault| fault != Fault::Sync) {
                state.fault = None;
            }
            let leaf = match (draft.kind, session) {
                (Kind::Seal, Some((id, chain))) => {
                    Some(session_leaf(id, chain.entries, chain.head, chain.opened, draft.time))
                }
                (Kind::Mark, _) => Some(log_leaf(state.number, log_link, draft.time)),
                _ => None,
            };
            if let Some(leaf) = leaf {
                state.tree.push(leaf_hash(leaf.as_bytes()));
            }
            if let Some((id, chain)) = session {
                let now = Chain { entries: chain.entries + 1, head: hash, ..chain };
                if draft.kind == Kind::Seal {
                    state.open.remove(id);
                } else if let Some(open) = state.open.get_mut(id) {
                    *open = now;
                } else {
                    state.open.insert(id.clone(), now);
                }
            }
            Placed { number: state.number, segment: Arc::clone(&state.current), end: state.end, hash }
        };
        self.wrote();
        Ok(Some(placed))
    }

    /// After a failed write: whatever of it reached the file goes, or the segment is left behind.
    fn take_back(&self, state: &mut State, error: std::io::Error) -> RecordError {
        if state.current.medium.truncate(state.end).is_err() {
            state.distrusted = true;
        }
        let kind = error.kind();
        let error = RecordError::of_write(error);
        state.fault = Some(match error {
            RecordError::Full => Fault::Full,
            _ => Fault::Write(kind),
        });
        error
    }

    /// Completes the segment and begins the next. The old one is durable first: otherwise a power
    /// failure could keep the new one and lose the end of the old, which looks like tampering.
    fn rotate(&self, state: &mut State) -> Result<(), RecordError> {
        let old = &state.current;
        if !old.failed() && old.synced() < state.end {
            match old.medium.sync() {
                Ok(()) if old.synced() > 0 => old.set_synced(state.end),
                // Its name is not durable yet; the sync thread sees to that.
                Ok(()) => {}
                Err(error) => {
                    old.set_failed();
                    state.fault = Some(Fault::Sync);
                    tracing::error!(%error, "a segment of the recording could not be made durable");
                }
            }
        }
        let begun = begin_segment(
            &Beginning {
                directory: &self.directory,
                disk: &*self.disk,
                room: self.segment_bytes,
                key: &self.key,
                wrapping: self.wrapping.as_deref(),
                number: state.number + 1,
                created: self.clock.now(),
                previous: state.head,
            },
            &state.open,
            &state.tree,
        )
        .inspect_err(|error| {
            state.fault = Some(match error {
                RecordError::Io(error) => Fault::Write(error.kind()),
                RecordError::Key(_) => Fault::Key,
                _ => Fault::Full,
            });
        })?;
        *self.sealing.lock().map_err(|_| RecordError::Stopped)? = Arc::new(begun.sealing);
        let old = std::mem::replace(&mut state.current, Arc::new(Segment::new(begun.medium)));
        state.rotated.push((old, state.end));
        state.number += 1;
        state.end = begun.end;
        state.head = begun.head;
        state.fresh = true;
        state.distrusted = false;
        Ok(())
    }

    fn check_space(&self, state: &mut State) -> Result<(), RecordError> {
        let known = if state.space_short { SPACE_RETRY } else { SPACE_KNOWN };
        if state.space_seen.is_none_or(|seen| seen.elapsed() >= known) {
            let free = self.disk.free_bytes(&self.directory)?;
            state.space_seen = Some(Instant::now());
            state.space_short = free < self.min_free_bytes;
            // Told once when it is passed, and again after it was well.
            let low = free < self.warn_free_bytes.max(self.min_free_bytes);
            if low && !state.space_low {
                tracing::warn!(
                    free,
                    refuses_below = self.min_free_bytes,
                    "the recording's disk is filling up"
                );
            }
            state.space_low = low;
        }
        if state.space_short { Err(RecordError::Full) } else { Ok(()) }
    }

    /// Whether the next entry would probably be taken. After a fault it tries, so that a recorder
    /// nobody writes to because it was ill gets well by itself.
    pub(crate) fn healthy(&self) -> Result<(), RecordError> {
        let mut state = self.lock()?;
        self.check_space(&mut state)?;
        if state.distrusted {
            self.rotate(&mut state)?;
        }
        match state.fault {
            None => Ok(()),
            Some(Fault::Sync) => {
                drop(state);
                self.want_sync();
                Err(Fault::Sync.error())
            }
            Some(Fault::Key) => self.rotate(&mut state),
            Some(_) => {
                if let Err(error) = state.current.medium.write_at(&[&PROBE], state.end) {
                    return Err(self.take_back(&mut state, error));
                }
                state.fault = None;
                Ok(())
            }
        }
    }
}

/// What a new segment is made of.
struct Beginning<'a> {
    directory: &'a Path,
    disk: &'a dyn Disk,
    room: u64,
    key: &'a SigningKey,
    wrapping: Option<&'a dyn Wrapping>,
    number: u64,
    created: Timestamp,
    previous: Digest,
}

#[derive(Debug)]
struct Begun {
    medium: Box<dyn Medium>,
    end: u64,
    head: Digest,
    sealing: Sealing,
}

/// Makes a segment with its header and its roster. It gets its name only when both are written.
fn begin_segment(
    new: &Beginning<'_>,
    open: &HashMap<SessionId, Chain>,
    tree: &Tree,
) -> Result<Begun, RecordError> {
    let mut open: Vec<OpenSession> = open
        .iter()
        .map(|(id, chain)| OpenSession {
            session: id.clone(),
            entries: chain.entries,
            head: chain.head,
            opened: chain.opened.micros(),
        })
        .collect();
    open.sort_by(|a, b| a.session.cmp(&b.session));
    let (cipher, data_key) = match new.wrapping {
        None => (None, None),
        Some(wrapping) => {
            let key = data_key()?;
            (Some(Cipher::new(&key)?), Some(wrapping.wrap(new.number, &key)?))
        }
    };
    let header = Header {
        number: new.number,
        created: new.created,
        previous: new.previous,
        key: new.key.verifying_key().to_bytes(),
        data_key,
    };
    let (header, link) =
        header.encode(new.key).ok_or_else(|| RecordError::Key("the wrapped key is too large".into()))?;
    let roster = Roster { event: "roster".into(), open, tree: tree.clone() };
    let label = Label { kind: Kind::Roster, session: None, sequence: 0, time: new.created };
    let draft = Draft::new(label, &roster, &[], None)?;
    let (trailer, head) = draft.trailer(NO_LINK, link);
    let folder = segment::folder(new.directory);
    let unfinished = folder.join(UNFINISHED);
    let end = u64::try_from(header.len()).unwrap_or(0) + draft.frame_bytes();
    let write = || {
        let medium = new.disk.create(&unfinished, new.room)?;
        medium.write_at(&[&header, draft.bytes(), &trailer], 0)?;
        new.disk.rename(&unfinished, &folder.join(segment::file_name(new.created, new.number)))?;
        Ok(medium)
    };
    match write() {
        Ok(medium) => Ok(Begun { medium, end, head, sealing: Sealing { segment: new.number, cipher } }),
        Err(error) => {
            // Left behind it would hold space that is short, and stand in the next attempt's way.
            if let Err(left) = std::fs::remove_file(&unfinished)
                && left.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(error = %left, "an unfinished segment could not be removed");
            }
            Err(RecordError::of_write(error))
        }
    }
}
