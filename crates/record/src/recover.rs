//! Brings a log back after the gateway stopped, however it stopped.
//!
//! Only the end is looked at: a segment's roster says which sessions were open when it began, so
//! the last intact segment is enough to know them all. The intact part stays; what follows it is
//! copied to `torn/` before it is cut off. Every start begins a new segment, whose signed header
//! pins down what was found.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};
use sallyport_core::{Digest, SessionId, Timestamp};

use crate::error::RecordError;
use crate::format::{Draft, Kind, Label, NO_LINK};
use crate::header::{BadHeader, Header};
use crate::log::{Chain, Resume, UNFINISHED};
use crate::medium::make_directory;
use crate::recorder::Running;
use crate::scan::{Segment, Step};
use crate::segment::{self, name_of};
use crate::statements::{Note, Roster, Torn};
use crate::tape::Tape;
use crate::tree::{Tree, leaf_hash, log_leaf, session_leaf};

/// Segments without an intact beginning that may stand at the end of a log. A crash leaves at most
/// the one that was being made and the one before; more is damage that a person must look at.
const MOST_SET_ASIDE: usize = 2;

/// What was found at start.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) resume: Resume,
    pub(crate) torn: Vec<Torn>,
    pub(crate) left_open: HashMap<SessionId, Chain>,
}

/// How long a start waits for whoever reads an adopted log: that takes moments.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
const LOCK: &str = "recorder.lock";

/// Makes the folders and keeps every other process out.
pub(crate) fn lock(directory: &Path) -> Result<File, RecordError> {
    make_directory(directory)?;
    make_directory(&segment::folder(directory))?;
    File::open(directory)?.sync_all()?;
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(directory.join(LOCK))?;
    for _ in 0..LOCK_TRIES {
        if is_ours(&file)? {
            return Ok(file);
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Err(RecordError::Locked)
}

fn is_ours(file: &File) -> std::io::Result<bool> {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The lock of a log that is there and that nobody records into.
pub(crate) fn lock_if_free(directory: &Path) -> std::io::Result<Option<File>> {
    if !segment::folder(directory).is_dir() {
        return Ok(None);
    }
    // A copy of a log has none yet.
    let mut file = OpenOptions::new();
    match file.write(true).create(true).truncate(false).mode(0o600).open(directory.join(LOCK)) {
        Ok(file) => Ok(is_ours(&file)?.then_some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Finds where the log goes on.
pub(crate) fn recover(directory: &Path) -> Result<Found, RecordError> {
    let folder = segment::folder(directory);
    match std::fs::remove_file(folder.join(UNFINISHED)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let segments = segment::list(directory)?;
    let mut torn = Vec::new();
    for (number, path) in segments.iter().rev() {
        let (mut segment, header) = Segment::open(path)?;
        let decoded = header.as_ref().map(|bytes| Header::decode(bytes, None));
        if matches!(decoded, Some(Err(BadHeader::Version))) {
            return Err(RecordError::Damaged(format!("{} is of another version", name_of(path))));
        }
        if let Some(Ok((header, link))) = decoded
            && header.number == *number
            && let Some(end) = read_to_end(&mut segment, *number, link)?
        {
            if !segment.is_packed() {
                if let Some(cut) = set_aside(directory, path, &mut segment, end.offset)? {
                    torn.push(cut);
                }
                let file = OpenOptions::new().write(true).open(path)?;
                file.set_len(end.offset)?;
                file.sync_all()?;
            }
            let left_open = end.open.clone();
            return Ok(Found {
                resume: Resume { number: *number, head: end.head, open: end.open, tree: end.tree },
                torn,
                left_open,
            });
        }
        if torn.len() >= MOST_SET_ASIDE || segment.is_packed() {
            return Err(RecordError::Damaged(format!("{} has no intact beginning", name_of(path))));
        }
        torn.extend(set_aside(directory, path, &mut segment, 0)?);
        std::fs::remove_file(path)?;
        File::open(&folder)?.sync_all()?;
    }
    let resume = Resume { number: 0, head: NO_LINK, open: HashMap::new(), tree: Tree::default() };
    Ok(Found { resume, torn, left_open: HashMap::new() })
}

struct End {
    offset: u64,
    head: Digest,
    open: HashMap<SessionId, Chain>,
    tree: Tree,
}

/// Follows a segment's chain to its last intact entry. Nothing when not even the roster is intact.
fn read_to_end(segment: &mut Segment, number: u64, link: Digest) -> Result<Option<End>, RecordError> {
    let mut found: Option<End> = None;
    let mut head = link;
    loop {
        let Step::Frame(frame) = segment.step(|_| true)? else { return Ok(found) };
        if !frame.intact || frame.log_link != head {
            return Ok(found);
        }
        let Some(envelope) = &frame.envelope else { return Ok(found) };
        head = frame.hash;
        match &mut found {
            None => {
                let roster = frame.statement::<Roster>().filter(|roster| roster.tree.is_whole());
                let (Kind::Roster, Some(roster)) = (envelope.kind, roster) else { return Ok(None) };
                let open = roster.open.into_iter().map(|open| {
                    let (entries, head, opened) = (open.entries, open.head, open.opened());
                    (open.session, Chain { entries, head, opened })
                });
                found = Some(End { offset: frame.end, head, open: open.collect(), tree: roster.tree });
            }
            Some(end) => {
                end.offset = frame.end;
                end.head = head;
                let version_1 = segment.is_version_1();
                if envelope.kind == Kind::Mark {
                    let leaf = log_leaf(number, frame.log_link, envelope.time);
                    end.tree.push(leaf_hash(leaf.as_bytes()));
                }
                let Some(session) = &envelope.session else { continue };
                if envelope.kind == Kind::Seal {
                    if let Some(chain) = end.open.remove(session)
                        && !version_1
                    {
                        let Chain { entries, head, opened } = chain;
                        let leaf = session_leaf(session, entries, head, opened, envelope.time);
                        end.tree.push(leaf_hash(leaf.as_bytes()));
                    }
                } else {
                    let first = if version_1 { Timestamp::from_micros(0) } else { envelope.time };
                    let opened = end.open.get(session).map_or(first, |chain| chain.opened);
                    let chain = Chain { entries: envelope.sequence.saturating_add(1), head, opened };
                    end.open.insert(session.clone(), chain);
                }
            }
        }
    }
}

/// Copies what follows the intact part to `torn/`; nothing when only zeros follow.
fn set_aside(
    directory: &Path,
    path: &Path,
    segment: &mut Segment,
    offset: u64,
) -> Result<Option<Torn>, RecordError> {
    let (bytes, _) = segment.remains(offset, std::io::sink())?;
    if bytes == 0 {
        return Ok(None);
    }
    let folder = directory.join("torn");
    make_directory(&folder)?;
    let name = name_of(path);
    let kept_as = format!("{name}-{offset}");
    let target = folder.join(&kept_as);
    let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&target)?;
    let (bytes, sha256) = segment.remains(offset, &mut copy)?;
    copy.sync_all()?;
    File::open(&folder)?.sync_all()?;
    tracing::warn!(segment = %name, offset, bytes, "a torn end of the recording was set aside");
    Ok(Some(Torn { segment: name, offset, bytes, sha256, kept_as }))
}

/// Writes into the log what was found: what was cut off, and which sessions were left open.
pub(crate) fn tell(
    running: &Arc<Running>,
    torn: &[Torn],
    left_open: HashMap<SessionId, Chain>,
) -> Result<(), RecordError> {
    for cut in torn {
        let note = Note {
            reason: "the end of the log was not intact and was set aside".into(),
            torn: Some(cut.clone()),
            ..Note::of("log-recovered")
        };
        let time = running.log.clock.now();
        let label = Label { kind: Kind::Note, session: None, sequence: 0, time };
        running.log.place(&[Draft::new(label, &note, &[], None)?], None, true)?;
    }
    let mut sessions: Vec<_> = left_open.into_iter().collect();
    sessions.sort_by(|a, b| a.0.cmp(&b.0));
    for (session, chain) in sessions {
        let note = Note {
            reason: "the gateway stopped while this session was open; its last entries may be missing".into(),
            ..Note::of("recovered")
        };
        Tape::resume(Arc::clone(running), session, chain).finish_with_note(&note)?;
    }
    running.log.sync_once()
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
