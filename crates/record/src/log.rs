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

use crate::beginning::{Beginning, begin_segment};
use crate::cipher::Sealing;
use crate::error::RecordError;
use crate::format::{Draft, Kind, NO_LINK};
use crate::medium::Disk;
use crate::next_key::{NextKey, Ready};
use crate::segment::{self, Segment};
use crate::sync::Ask;
use crate::tree::{Tree, leaf_hash, log_leaf, session_leaf};
use crate::witness::Witnesses;
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

    /// With an entry of this hash behind it.
    pub(crate) fn after(self, hash: Digest) -> Self {
        Self { entries: self.entries + 1, head: hash, ..self }
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
    /// Leaves that the witnesses' thread has not taken yet; only when there is one.
    new_leaves: Vec<Digest>,
    /// Size of the tree when it was last signed.
    pub(crate) signed: u64,
    /// No entry stands in the current segment yet: one that is larger than a segment goes there.
    fresh: bool,
    /// When the current segment was begun, and whether more than marks stands in it.
    began: Instant,
    said: bool,
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
    /// The next segment's, when wrapping takes time.
    pub(crate) next_key: NextKey,
    /// The present segment's key. Taken without the log's lock, so that entries are made beside each other.
    sealing: Mutex<Arc<Sealing>>,
    pub(crate) state: Mutex<State>,
    pub(crate) ask: Mutex<Ask>,
    pub(crate) bell: Condvar,
    /// Who signs checkpoints besides, and how many leaves there were before this start.
    pub(crate) witnesses: Option<Witnesses>,
    pub(crate) leaves_before: u64,
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
    pub(crate) witnesses: Option<Witnesses>,
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
        let Writing { segment_bytes, min_free_bytes, warn_free_bytes, wrapping, witnesses } = writing;
        let leaves_before = resume.tree.size;
        let number = resume.number + 1;
        let ready = wrapping.as_deref().map(|wrapping| Ready::make(wrapping, number)).transpose()?;
        let begun = begin_segment(
            &Beginning {
                directory,
                disk: &*disk,
                room: segment_bytes,
                key: &key,
                data_key: ready.as_ref(),
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
            new_leaves: Vec::new(),
            signed: 0,
            fresh: true,
            began: Instant::now(),
            said: false,
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
            next_key: NextKey::after(wrapping.as_deref(), number),
            wrapping,
            sealing: Mutex::new(Arc::new(begun.sealing)),
            state: Mutex::new(state),
            ask: Mutex::new(Ask::default()),
            bell: Condvar::new(),
            witnesses,
            leaves_before,
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

    /// Leaves since the last time.
    pub(crate) fn take_leaves(&self) -> Vec<Digest> {
        self.lock().map(|mut state| std::mem::take(&mut state.new_leaves)).unwrap_or_default()
    }

    /// What entries are to be made for now.
    pub(crate) fn sealing(&self) -> Result<Arc<Sealing>, RecordError> {
        Ok(Arc::clone(&*self.sealing.lock().map_err(|_| RecordError::Stopped)?))
    }

    /// Links and writes one entry, or several that follow each other. `session` is where its chain stands
    /// before them. Nothing is written, and nothing given, when they were made for a segment that is complete
    /// by now; else where the last of them stands.
    pub(crate) fn place(
        &self,
        drafts: &[Draft],
        session: Option<(&SessionId, Chain)>,
        may_use_reserve: bool,
    ) -> Result<Option<Placed>, RecordError> {
        let Some((last, before)) = drafts.split_last() else { return Ok(None) };
        let placed = {
            let mut state = self.lock()?;
            if !may_use_reserve {
                self.check_space(&mut state)?;
            }
            let end = drafts.iter().fold(state.end, |end, draft| end.saturating_add(draft.frame_bytes()));
            let over = end > self.segment_bytes && !state.fresh;
            // While the next key is on its way the segment grows, to twice its size at most.
            let may_grow =
                end <= self.segment_bytes.saturating_mul(2) && !self.next_key.is_ready(state.number + 1);
            if state.distrusted || over && !may_grow {
                self.rotate(&mut state)?;
            }
            if drafts.iter().any(|draft| draft.segment.is_some_and(|made_for| made_for != state.number)) {
                return Ok(None);
            }
            let mut chain = session.map(|(_, chain)| chain);
            let mut log_link = state.head;
            let mut trailers = Vec::with_capacity(before.len());
            for draft in before {
                let (trailer, hash) = draft.trailer(chain.map_or(NO_LINK, |chain| chain.head), log_link);
                chain = chain.map(|chain| chain.after(hash));
                log_link = hash;
                trailers.push(trailer);
            }
            let (trailer, hash) = last.trailer(chain.map_or(NO_LINK, |chain| chain.head), log_link);
            let written = if before.is_empty() {
                state.current.medium.write_at(&[last.bytes(), &trailer], state.end)
            } else {
                trailers.push(trailer);
                let frames = drafts.iter().zip(&trailers);
                let parts: Vec<&[u8]> = frames.flat_map(|(draft, end)| [draft.bytes(), end]).collect();
                state.current.medium.write_at(&parts, state.end)
            };
            if let Err(error) = written {
                return Err(self.take_back(&mut state, error));
            }
            // A rotation may have moved where they begin.
            state.end = drafts.iter().fold(state.end, |end, draft| end + draft.frame_bytes());
            state.head = hash;
            state.fresh = false;
            state.said |= last.kind != Kind::Mark;
            state.unmarked = last.kind != Kind::Mark;
            if state.fault.is_some_and(|fault| fault != Fault::Sync) {
                state.fault = None;
            }
            // Seals and marks come alone.
            let leaf = match (last.kind, session) {
                (Kind::Seal, Some((id, chain))) => {
                    Some(session_leaf(id, chain.entries, chain.head, chain.opened, last.time))
                }
                (Kind::Mark, _) => Some(log_leaf(state.number, log_link, last.time)),
                _ => None,
            };
            if let Some(leaf) = leaf {
                let leaf = leaf_hash(leaf.as_bytes());
                state.tree.push(leaf);
                if self.witnesses.is_some() {
                    state.new_leaves.push(leaf);
                }
            }
            if let (Some((id, _)), Some(chain)) = (session, chain) {
                let now = chain.after(hash);
                if last.kind == Kind::Seal {
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
        let number = state.number + 1;
        let begun = self.next_key.use_for(self.wrapping.as_deref(), number, |ready| {
            begin_segment(
                &Beginning {
                    directory: &self.directory,
                    disk: &*self.disk,
                    room: self.segment_bytes,
                    key: &self.key,
                    data_key: ready,
                    number,
                    created: self.clock.now(),
                    previous: state.head,
                },
                &state.open,
                &state.tree,
            )
        });
        let begun = begun.inspect_err(|error| {
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
        state.began = Instant::now();
        state.said = false;
        state.distrusted = false;
        Ok(())
    }

    /// Completes the current segment when it was begun so long ago and something was said in it.
    pub(crate) fn close_older_than(&self, age: Duration) -> Result<(), RecordError> {
        let is_old = |state: &State| {
            state.said && state.began.elapsed() >= age && self.next_key.is_ready(state.number + 1)
        };
        if !is_old(&*self.lock()?) {
            return Ok(());
        }
        // So that little is left to sync under the lock.
        self.sync_once()?;
        let mut state = self.lock()?;
        if is_old(&state) {
            self.rotate(&mut state)?;
        }
        drop(state);
        self.wrote();
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
