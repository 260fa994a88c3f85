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
use sallyport_core::{Clock, Digest, SessionId};
use tokio::sync::watch;

use crate::error::RecordError;
use crate::format::{Checkpoint, Draft, Envelope, Header, Kind, NO_LINK, OpenSession, VERSION};
use crate::medium::{Disk, Medium};
use crate::segment::{self, Segment};
use crate::sync::Ask;

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
}

impl Chain {
    /// Before the first entry.
    pub(crate) const EMPTY: Self = Self { entries: 0, head: NO_LINK };
}

/// An entry that is written.
#[derive(Debug)]
pub(crate) struct Placed {
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
}

impl Fault {
    fn error(self) -> RecordError {
        match self {
            Self::Full => RecordError::Full,
            Self::Write(kind) => RecordError::Io(kind.into()),
            Self::Sync => RecordError::NotSynced,
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
    /// Segments that are complete, with their ends, until they are synced.
    pub(crate) rotated: Vec<(Arc<Segment>, u64)>,
    /// Nothing more is written to the current segment.
    pub(crate) distrusted: bool,
    pub(crate) fault: Option<Fault>,
    space_seen: Option<Instant>,
    space_short: bool,
}

/// The log. Everything in here is shared by the tapes and the sync thread.
pub(crate) struct Log {
    directory: PathBuf,
    segment_bytes: u64,
    min_free_bytes: u64,
    pub(crate) key: SigningKey,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) disk: Box<dyn Disk>,
    pub(crate) state: Mutex<State>,
    pub(crate) ask: Mutex<Ask>,
    pub(crate) bell: Condvar,
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
}

/// Sizes, from the settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) segment_bytes: u64,
    pub(crate) min_free_bytes: u64,
}

impl Log {
    /// Begins a new segment after what `resume` says, durable before this returns.
    pub(crate) fn new(
        directory: &Path,
        sizes: Sizes,
        key: SigningKey,
        clock: Arc<dyn Clock>,
        disk: Box<dyn Disk>,
        resume: Resume,
    ) -> Result<Self, RecordError> {
        let number = resume.number + 1;
        let header = Header {
            number,
            created: clock.now(),
            previous: resume.head,
            key: key.verifying_key().to_bytes(),
        };
        let begun = begin_segment(directory, &*disk, sizes.segment_bytes, &header, &key, &resume.open)?;
        begun.medium.sync()?;
        disk.sync_directory(&segment::folder(directory))?;
        let state = State {
            current: Arc::new(Segment::new(begun.medium)),
            number,
            end: begun.end,
            head: begun.head,
            open: resume.open,
            rotated: Vec::new(),
            distrusted: false,
            fault: None,
            space_seen: None,
            space_short: false,
        };
        Ok(Self {
            directory: directory.to_owned(),
            segment_bytes: sizes.segment_bytes,
            min_free_bytes: sizes.min_free_bytes,
            key,
            clock,
            disk,
            state: Mutex::new(state),
            ask: Mutex::new(Ask::default()),
            bell: Condvar::new(),
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

    /// Links and writes one entry. `chain` is where its session stands before it; `last` takes the
    /// session off the list of open ones, and may use the space kept free.
    pub(crate) fn place(
        &self,
        draft: &Draft,
        payload: &[&[u8]],
        session: Option<(&SessionId, Chain)>,
        last: bool,
        may_use_reserve: bool,
    ) -> Result<Placed, RecordError> {
        let placed = {
            let mut state = self.lock()?;
            if !may_use_reserve {
                self.check_space(&mut state)?;
            }
            let over = state.end.saturating_add(draft.frame_bytes()) > self.segment_bytes;
            if state.distrusted || over {
                self.rotate(&mut state)?;
            }
            let session_link = session.map_or(NO_LINK, |(_, chain)| chain.head);
            let (trailer, hash) = draft.trailer(session_link, state.head);
            let mut parts = Vec::with_capacity(payload.len() + 2);
            parts.push(draft.prefix());
            parts.extend_from_slice(payload);
            parts.push(&trailer);
            if let Err(error) = state.current.medium.write_at(&parts, state.end) {
                return Err(self.take_back(&mut state, error));
            }
            state.end += draft.frame_bytes();
            state.head = hash;
            if state.fault.is_some_and(|fault| fault != Fault::Sync) {
                state.fault = None;
            }
            if let Some((id, chain)) = session {
                let now = Chain { entries: chain.entries + 1, head: hash };
                if last {
                    state.open.remove(id);
                } else if let Some(open) = state.open.get_mut(id) {
                    *open = now;
                } else {
                    state.open.insert(id.clone(), now);
                }
            }
            Placed { segment: Arc::clone(&state.current), end: state.end, hash }
        };
        self.wrote();
        Ok(placed)
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
        let header = Header {
            number: state.number + 1,
            created: self.clock.now(),
            previous: state.head,
            key: self.key.verifying_key().to_bytes(),
        };
        let begun =
            begin_segment(&self.directory, &*self.disk, self.segment_bytes, &header, &self.key, &state.open)
                .inspect_err(|error| {
                    state.fault = Some(match error {
                        RecordError::Io(error) => Fault::Write(error.kind()),
                        _ => Fault::Full,
                    });
                })?;
        let old = std::mem::replace(&mut state.current, Arc::new(Segment::new(begun.medium)));
        state.rotated.push((old, state.end));
        state.number += 1;
        state.end = begun.end;
        state.head = begun.head;
        state.distrusted = false;
        Ok(())
    }

    fn check_space(&self, state: &mut State) -> Result<(), RecordError> {
        let known = if state.space_short { SPACE_RETRY } else { SPACE_KNOWN };
        if state.space_seen.is_none_or(|seen| seen.elapsed() >= known) {
            let free = self.disk.free_bytes(&self.directory)?;
            state.space_seen = Some(Instant::now());
            state.space_short = free < self.min_free_bytes;
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

#[derive(Debug)]
struct Begun {
    medium: Box<dyn Medium>,
    end: u64,
    head: Digest,
}

/// Makes a segment with its header and its checkpoint. It gets its name only when both are written.
fn begin_segment(
    directory: &Path,
    disk: &dyn Disk,
    room: u64,
    header: &Header,
    key: &SigningKey,
    open: &HashMap<SessionId, Chain>,
) -> Result<Begun, RecordError> {
    let mut open: Vec<OpenSession> = open
        .iter()
        .map(|(id, chain)| OpenSession { session: id.clone(), entries: chain.entries, head: chain.head })
        .collect();
    open.sort_by(|a, b| a.session.cmp(&b.session));
    let envelope =
        Envelope { v: VERSION, kind: Kind::Checkpoint, session: None, sequence: 0, time: header.created };
    let checkpoint = Checkpoint { event: "checkpoint".into(), open };
    let draft = Draft::new(&envelope, &checkpoint, &[])?;
    let (head_bytes, link) = header.encode(key);
    let (trailer, head) = draft.trailer(NO_LINK, link);
    let folder = segment::folder(directory);
    let unfinished = folder.join(UNFINISHED);
    let end = u64::try_from(head_bytes.len()).unwrap_or(0) + draft.frame_bytes();
    let write = || {
        let medium = disk.create(&unfinished, room)?;
        medium.write_at(&[&head_bytes, draft.prefix(), &trailer], 0)?;
        disk.rename(&unfinished, &folder.join(segment::file_name(header.created, header.number)))?;
        Ok(medium)
    };
    match write() {
        Ok(medium) => Ok(Begun { medium, end, head }),
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
