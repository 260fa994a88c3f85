//! Checks a recording from its files and the public key alone, and says what is wrong and where.
//!
//! Everything is checked that `docs/recording-format.md` promises: hashes, both chains, seals,
//! segment headers, rosters, the tree, and that nothing lies behind the end. Damage in one place does not
//! keep the rest from being checked. One entry and a few words per session are in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use sallyport_core::{Digest, SessionId, Timestamp};

use crate::checkpoint::{self, Checkpoint};
use crate::cipher::Opener;
use crate::decode::opener;
use crate::error::RecordError;
use crate::format::{Envelope, Kind, NO_LINK};
use crate::header::{BadHeader, Header};
use crate::note::NoteKey;
pub use crate::report::{CheckpointVerdict, Head, Problem, Report, SegmentVerdict, SessionVerdict, State};
use crate::scan::{Closed, Frame, Segment, Step};
use crate::segment::{self, name_of};
use crate::statements::{Note, Roster, SealClaim, Torn, seal_holds};
use crate::tree::{Tree, leaf_hash, log_leaf, session_leaf};
use crate::witness;
use crate::wrapping::Wrapping;

/// Most problems reported of one segment: a destroyed one must not fill the memory.
const MOST_PROBLEMS: usize = 1000;
/// How often the end of the last segment is looked at again, in case it is being written right now.
const LOOKS: u32 = 4;
const PAUSE: Duration = if cfg!(test) { Duration::ZERO } else { Duration::from_millis(25) };

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Segments done.
    pub segments: usize,
    /// Segments in all.
    pub of: usize,
}

/// What a recording is checked against.
#[derive(Clone, Debug)]
pub struct Trust {
    /// The recorder's public key.
    pub key: VerifyingKey,
    /// Checkpoints that were noted earlier, each with a name to report it by.
    pub noted: Vec<(String, Checkpoint)>,
    /// Keys to read by: then what is encrypted is decrypted, and what is packed is unpacked and compared.
    pub keys: Option<Arc<dyn Wrapping>>,
    /// Witnesses, each of which must have signed a checkpoint that is here.
    pub witnesses: Vec<NoteKey>,
}

impl Trust {
    /// The key alone.
    #[must_use]
    pub fn key(key: VerifyingKey) -> Self {
        Self { key, noted: Vec::new(), keys: None, witnesses: Vec::new() }
    }
}

/// Checks the log in a folder. Safe while it is being written.
///
/// # Errors
/// Only what the disk says; what is wrong with the recording is in the report.
pub fn verify(
    dir: &Path,
    trust: &Trust,
    mut on_progress: impl FnMut(Progress),
) -> Result<Report, RecordError> {
    // Read first: whatever it covers is in the segments by now.
    let stored = checkpoint::stored(dir)?;
    let witnessed = witness::stored(dir)?;
    let segments = segment::list(dir)?;
    let mut check = Check {
        trust,
        key: &trust.key,
        opener: None,
        gone: BTreeSet::new(),
        expired: BTreeSet::new(),
        checkpoints: Vec::new(),
        sessions: BTreeMap::new(),
        recovered: Vec::new(),
        uncompared: 0,
        head: Some(NO_LINK),
        number: 0,
        version_1: false,
        tree: Tree::default(),
        segment: SegmentVerdict { file: String::new(), entries: 0, problems: Vec::new() },
    };
    if let Some(stored) = stored {
        let found = Checkpoint::read(&stored, &NoteKey::of_log(trust.key));
        check.noted("the checkpoint beside the segments", found.map_err(str::to_owned));
    }
    if let Some(witnessed) = witnessed {
        let found = Checkpoint::read(&witnessed, &NoteKey::of_log(trust.key));
        check.noted("the witnessed checkpoint beside the segments", found.map_err(str::to_owned));
    }
    for (name, checkpoint) in &trust.noted {
        check.noted(name, Ok(checkpoint.clone()));
    }
    let witnesses: Vec<CheckpointVerdict> =
        trust.witnesses.iter().map(|witness| witness_verdict(witness, &check.checkpoints)).collect();
    let mut done = Vec::new();
    let mut expected = 1;
    for (index, (number, path)) in segments.iter().enumerate() {
        check.segment = SegmentVerdict { file: name_of(path), entries: 0, problems: Vec::new() };
        if *number != expected {
            check.problem(0, format!("segment {expected} is missing, or there twice"));
        }
        expected = number.saturating_add(1);
        check.segment(path, *number, index + 1 == segments.len())?;
        done.push(check.segment.clone());
        on_progress(Progress { segments: index + 1, of: segments.len() });
    }
    for session in check.gone.difference(&check.expired) {
        if let Some(track) = check.sessions.get_mut(session) {
            track.breaks(0, "entries are gone, and no note says that they were let go");
        }
    }
    let head = segments.last().zip(check.head).map(|((number, _), hash)| Head { segment: *number, hash });
    let sessions = check
        .sessions
        .into_iter()
        .map(|(session, track)| SessionVerdict {
            session,
            entries: track.entries,
            state: match track.broken {
                Some((sequence, what)) => State::Broken { sequence, what: what.to_owned() },
                None if track.sealed => State::Sealed,
                None => State::Open,
            },
        })
        .collect();
    let checkpoints = check.checkpoints.into_iter().map(Noted::verdict).chain(witnesses).collect();
    let leaves = check.tree.size;
    let (recovered, uncompared) = (check.recovered, check.uncompared);
    Ok(Report { sessions, segments: done, recovered, head, leaves, checkpoints, uncompared })
}

/// Whether a witness has signed one of the checkpoints; each of those is held against the log besides.
fn witness_verdict(witness: &NoteKey, checkpoints: &[Noted]) -> CheckpointVerdict {
    let signed = checkpoints.iter().filter_map(|noted| noted.found.as_ref().ok());
    let size = signed.filter(|found| found.witnessed_by(witness)).map(|found| found.size).max();
    CheckpointVerdict {
        name: format!("the signature of the witness {}", witness.name()),
        size,
        problem: size.is_none().then(|| "it stands on no checkpoint that is here".into()),
    }
}

/// Every leaf of the log's tree, in order, as the entries in its segments make them. What is unreadable
/// is left out; then the tree is not that of a checkpoint.
pub(crate) fn leaves(dir: &Path, mut leaf: impl FnMut(&str)) -> Result<(), RecordError> {
    let mut opened: BTreeMap<SessionId, Timestamp> = BTreeMap::new();
    for (number, path) in segment::list(dir)? {
        let (mut segment, _) = Segment::open(&path)?;
        let version_1 = segment.is_version_1();
        loop {
            let mut seen = None;
            let step = segment.step(|envelope| {
                seen = Some(envelope.clone());
                matches!(envelope.kind, Kind::Seal | Kind::Mark)
            })?;
            if let Some(Envelope { session: Some(session), time, .. }) = &seen {
                let first = if version_1 { Timestamp::from_micros(0) } else { *time };
                opened.entry(session.clone()).or_insert(first);
            }
            match step {
                Step::End { .. } | Step::Unreadable { .. } => break,
                Step::Frame(frame) if !version_1 => {
                    let Some(Envelope { kind, session, sequence, time, .. }) = &frame.envelope else {
                        continue;
                    };
                    match (kind, session) {
                        (Kind::Mark, _) => leaf(&log_leaf(number, frame.log_link, *time)),
                        (Kind::Seal, Some(id)) => {
                            let opened = opened.remove(id).unwrap_or(*time);
                            leaf(&session_leaf(id, *sequence, frame.session_link, opened, *time));
                        }
                        _ => {}
                    }
                }
                Step::Frame(_) | Step::Skipped => {}
            }
        }
    }
    Ok(())
}

/// A checkpoint that the tree is held against as it grows.
#[derive(Debug)]
struct Noted {
    name: String,
    found: Result<Checkpoint, String>,
    /// The root when the tree had that size.
    root: Option<Digest>,
}

impl Noted {
    fn verdict(self) -> CheckpointVerdict {
        let problem = match (&self.found, self.root) {
            (Err(what), _) => Some(what.clone()),
            (Ok(_), None) => Some("the log ends before it: something was removed".into()),
            (Ok(found), Some(root)) if found.root != root => {
                Some("the log is not the one that it was made of".into())
            }
            (Ok(_), Some(_)) => None,
        };
        CheckpointVerdict { name: self.name, size: self.found.ok().map(|found| found.size), problem }
    }
}

#[derive(Debug)]
struct Track {
    opened: Timestamp,
    entries: u64,
    head: Digest,
    sealed: bool,
    broken: Option<(u64, &'static str)>,
}

impl Track {
    fn breaks(&mut self, sequence: u64, what: &'static str) {
        if self.broken.is_none() {
            self.broken = Some((sequence, what));
        }
    }
}

struct Check<'a> {
    trust: &'a Trust,
    /// The present segment's key.
    opener: Option<Arc<Opener>>,
    /// Sessions of which bodies are gone, and those that notes say were let go.
    gone: BTreeSet<SessionId>,
    expired: BTreeSet<SessionId>,
    key: &'a VerifyingKey,
    checkpoints: Vec<Noted>,
    sessions: BTreeMap<SessionId, Track>,
    recovered: Vec<Torn>,
    uncompared: u64,
    /// Hash of the log's last entry; nothing after something unreadable.
    head: Option<Digest>,
    /// Number of the present segment, and whether it is of version 1.
    number: u64,
    version_1: bool,
    /// Seals and marks so far.
    tree: Tree,
    segment: SegmentVerdict,
}

impl Check<'_> {
    /// Takes a checkpoint to hold the tree against.
    fn noted(&mut self, name: &str, found: Result<Checkpoint, String>) {
        let root = match &found {
            Ok(checkpoint) if checkpoint.size == 0 => Some(self.tree.root()),
            _ => None,
        };
        self.checkpoints.push(Noted { name: name.to_owned(), found, root });
    }

    fn leaf(&mut self, text: &str) {
        self.tree.push(leaf_hash(text.as_bytes()));
        for noted in &mut self.checkpoints {
            if noted.found.as_ref().is_ok_and(|found| found.size == self.tree.size) {
                noted.root = Some(self.tree.root());
            }
        }
    }

    fn problem(&mut self, offset: u64, what: impl Into<String>) {
        if self.segment.problems.len() < MOST_PROBLEMS {
            self.segment.problems.push(Problem { offset, what: what.into() });
        }
    }

    fn header(&mut self, bytes: &[u8], number: u64) -> Option<Digest> {
        let decoded = match Header::decode(bytes, Some(self.key)) {
            Err(BadHeader::Signature) => {
                self.problem(0, "the header is not signed by this key");
                Header::decode(bytes, None)
            }
            other => other,
        };
        match decoded {
            Err(BadHeader::Version) => {
                self.problem(0, "the segment is of a version that this verifier does not know");
                None
            }
            Err(_) => {
                self.problem(0, "the header is damaged");
                None
            }
            Ok((header, link)) => {
                if header.number != number {
                    self.problem(0, "the file's name has another number than its header");
                }
                if header.key != self.key.to_bytes() {
                    self.problem(0, "the header names another key");
                }
                if self.head.is_some_and(|head| head != header.previous) {
                    self.problem(0, "the segment before does not end where this one says");
                }
                Some(link)
            }
        }
    }

    fn segment(&mut self, path: &Path, number: u64, last: bool) -> Result<(), RecordError> {
        let (mut segment, header) = Segment::open(path)?;
        let Some(header) = header else {
            self.problem(0, "the file is shorter than a header");
            self.head = None;
            return Ok(());
        };
        self.head = self.header(&header, number);
        self.number = number;
        self.version_1 = segment.is_version_1();
        self.opener = match opener(&header, self.trust.keys.as_deref()) {
            Ok(opener) => opener.map(Arc::new),
            Err(error) => {
                self.problem(0, format!("the segment's key cannot be had: {error}"));
                None
            }
        };
        segment.unlock(self.opener.clone());
        let mut looks = 0;
        let mut first = true;
        loop {
            let step = segment.step(|_| true)?;
            // What looks wrong at the end of the last segment may be an entry on its way.
            let (offset, what) = match step {
                Step::Skipped => continue,
                Step::Frame(frame) if frame.intact || !last || looks >= LOOKS => {
                    looks = 0;
                    self.frame(*frame, first);
                    first = false;
                    continue;
                }
                Step::Frame(frame) => (frame.offset, ""),
                Step::Unreadable { offset, what } => (offset, what),
                Step::End { offset } => {
                    if segment.remains(offset, std::io::sink())?.0 == 0 {
                        break;
                    }
                    (offset, "there are bytes behind the end")
                }
            };
            if last && looks < LOOKS {
                looks += 1;
                std::thread::sleep(PAUSE);
                segment.seek(offset)?;
                continue;
            }
            self.problem(offset, what);
            self.head = None;
            break;
        }
        if first {
            self.problem(u64::try_from(header.len()).unwrap_or(0), "the segment has no roster");
        }
        Ok(())
    }

    fn frame(&mut self, mut frame: Frame, first: bool) {
        self.segment.entries += 1;
        let offset = frame.offset;
        if !frame.intact {
            self.problem(offset, "the entry was altered");
            // Go on from what it claims, so that one altered entry is one problem.
            self.head = Some(frame.hash);
            if let Some(Envelope { session: Some(session), sequence, time, .. }) = frame.envelope {
                let track = self.track(session, time);
                track.breaks(sequence, "the entry was altered");
                track.entries = sequence.saturating_add(1);
                track.head = frame.hash;
            }
            return;
        }
        if self.head.is_some_and(|head| head != frame.log_link) {
            self.problem(offset, "entries before this one are missing, or it was moved");
        }
        self.head = Some(frame.hash);
        self.uncompared += u64::from(frame.lost == Some(Closed::NoKey));
        let Some(envelope) = frame.envelope.clone() else { return };
        if frame.lost == Some(Closed::Gone) {
            self.gone.extend(envelope.session.clone());
        } else if let (Some(_), Some(opener)) = (envelope.nonce, self.opener.clone())
            && frame.sections(Some(&opener)).is_err()
        {
            self.problem(offset, "the entry cannot be decrypted");
        }
        let is_roster = envelope.kind == Kind::Roster;
        if first != is_roster {
            self.problem(offset, "a roster stands first in a segment, and only there");
        }
        match &envelope.session {
            Some(session) => self.session_entry(session.clone(), &envelope, &frame),
            None if is_roster => self.roster(&frame),
            None if envelope.kind == Kind::Mark => {
                self.leaf(&log_leaf(self.number, frame.log_link, envelope.time));
            }
            None => {
                let note = frame.statement::<Note>();
                if let Some(note) = note {
                    self.recovered.extend(note.torn);
                    self.expired.extend(note.expired);
                }
            }
        }
    }

    fn track(&mut self, session: SessionId, time: Timestamp) -> &mut Track {
        let opened = if self.version_1 { Timestamp::from_micros(0) } else { time };
        self.sessions.entry(session).or_insert(Track {
            opened,
            entries: 0,
            head: NO_LINK,
            sealed: false,
            broken: None,
        })
    }

    fn session_entry(&mut self, session: SessionId, envelope: &Envelope, frame: &Frame) {
        let key = *self.key;
        let id = session.clone();
        let version_1 = self.version_1;
        let track = self.track(session, envelope.time);
        let opened = track.opened;
        if track.sealed {
            track.breaks(envelope.sequence, "an entry follows the seal");
        }
        if envelope.sequence != track.entries {
            track.breaks(track.entries, "entries are missing, or out of order");
        } else if frame.session_link != track.head {
            track.breaks(envelope.sequence, "the entry does not follow the one before it");
        }
        track.entries = envelope.sequence.saturating_add(1);
        track.head = frame.hash;
        if envelope.kind == Kind::Seal {
            track.sealed = true;
            let holds = frame.statement::<SealClaim>().is_some_and(|claim| {
                claim.entries == envelope.sequence
                    && claim.head == frame.session_link
                    && seal_holds(&key, &id, &claim)
            });
            if !holds {
                track.breaks(envelope.sequence, "the seal is not by this key, or not of this recording");
            }
            if !version_1 {
                let (entries, head) = (envelope.sequence, frame.session_link);
                self.leaf(&session_leaf(&id, entries, head, opened, envelope.time));
            }
        }
    }

    fn roster(&mut self, frame: &Frame) {
        let Some(roster) = frame.statement::<Roster>() else {
            self.problem(frame.offset, "the roster cannot be read");
            return;
        };
        let listed = roster.open.len();
        let version_1 = self.version_1;
        let agree = roster.open.iter().all(|open| {
            self.sessions.get(&open.session).is_some_and(|track| {
                !track.sealed
                    && track.entries == open.entries
                    && track.head == open.head
                    && (version_1 || track.opened == open.opened())
            })
        });
        if !agree || self.sessions.values().filter(|track| !track.sealed).count() != listed {
            self.problem(frame.offset, "the roster and the entries before it disagree");
        }
        if !version_1 && roster.tree != self.tree {
            self.problem(frame.offset, "the tree in the roster is not that of the entries before it");
        }
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
