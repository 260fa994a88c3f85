//! Checks a recording from its files and the public key alone, and says what is wrong and where.
//!
//! Everything is checked that `docs/recording-format.md` promises: hashes, both chains, seals,
//! segment headers, checkpoints, and that nothing lies behind the end. Damage in one place does not
//! keep the rest from being checked. One entry and a few words per session are in memory.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use sallyport_core::{Digest, SessionId};
use serde::Serialize;

use crate::error::RecordError;
use crate::format::{
    BadHeader, Checkpoint, Envelope, Header, Kind, NO_LINK, Note, SealClaim, Torn, seal_holds,
};
use crate::scan::{Frame, Segment, Step};
use crate::segment::{self, name_of};

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

/// How a session's recording stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// Whole, and its seal holds.
    Sealed,
    /// Whole so far, and not sealed: under way, or the log ends before its seal.
    Open,
    /// Not what was recorded.
    Broken {
        /// The entry at which it shows.
        sequence: u64,
        /// In words.
        what: String,
    },
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionVerdict {
    /// The session.
    pub session: SessionId,
    /// Entries seen.
    pub entries: u64,
    /// How it stands.
    #[serde(flatten)]
    pub state: State,
}

/// Something wrong in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Byte in the file.
    pub offset: u64,
    /// In words.
    pub what: String,
}

/// One segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentVerdict {
    /// File name.
    pub file: String,
    /// Entries seen, of all sessions and of the log itself.
    pub entries: u64,
    /// What is wrong, in order.
    pub problems: Vec<Problem>,
}

/// The last entry of the log. Noted elsewhere, it shows later whether the log was cut back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Number of the segment.
    pub segment: u64,
    /// Hash of the entry.
    pub hash: Digest,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every session, by id.
    pub sessions: Vec<SessionVerdict>,
    /// Every segment, in order.
    pub segments: Vec<SegmentVerdict>,
    /// Ends of the log that a start after a crash found torn and set aside, as the log tells it.
    pub recovered: Vec<Torn>,
    /// The log's last entry; nothing when there is none.
    pub head: Option<Head>,
}

impl Report {
    /// Whether all that is there is what was recorded.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.segments.iter().all(|segment| segment.problems.is_empty())
            && !self.sessions.iter().any(|session| matches!(session.state, State::Broken { .. }))
    }

    /// The report for people, line by line: what is wrong first, a sum at the end.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for segment in &self.segments {
            for problem in &segment.problems {
                lines.push(format!("BROKEN  {} byte {}: {}", segment.file, problem.offset, problem.what));
            }
        }
        let (mut sealed, mut open, mut broken) = (0_u64, 0_u64, 0_u64);
        for session in &self.sessions {
            match &session.state {
                State::Sealed => sealed += 1,
                State::Open => {
                    open += 1;
                    lines.push(format!("open    {} {} entries", session.session, session.entries));
                }
                State::Broken { sequence, what } => {
                    broken += 1;
                    lines.push(format!("BROKEN  {} entry {sequence}: {what}", session.session));
                }
            }
        }
        for torn in &self.recovered {
            lines.push(format!(
                "note    {} bytes after byte {} of {} were set aside at a start, as torn/{}",
                torn.bytes, torn.offset, torn.segment, torn.kept_as
            ));
        }
        if let Some(head) = &self.head {
            lines.push(format!("head    segment {} {}", head.segment, head.hash));
        }
        let word = if self.ok() { "ok" } else { "NOT OK" };
        lines.push(format!(
            "{word}: {sealed} sessions sealed, {open} open, {broken} broken, {} segments",
            self.segments.len()
        ));
        lines
    }
}

/// Checks the log in a folder. Safe while it is being written.
///
/// # Errors
/// Only what the disk says; what is wrong with the recording is in the report.
pub fn verify(
    dir: &Path,
    key: &VerifyingKey,
    mut on_progress: impl FnMut(Progress),
) -> Result<Report, RecordError> {
    let segments = segment::list(dir)?;
    let mut check = Check {
        key,
        sessions: BTreeMap::new(),
        recovered: Vec::new(),
        head: Some(NO_LINK),
        segment: SegmentVerdict { file: String::new(), entries: 0, problems: Vec::new() },
    };
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
    Ok(Report { sessions, segments: done, recovered: check.recovered, head })
}

#[derive(Debug)]
struct Track {
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
    key: &'a VerifyingKey,
    sessions: BTreeMap<SessionId, Track>,
    recovered: Vec<Torn>,
    /// Hash of the log's last entry; nothing after something unreadable.
    head: Option<Digest>,
    segment: SegmentVerdict,
}

impl Check<'_> {
    fn problem(&mut self, offset: u64, what: impl Into<String>) {
        if self.segment.problems.len() < MOST_PROBLEMS {
            self.segment.problems.push(Problem { offset, what: what.into() });
        }
    }

    fn header(&mut self, bytes: &[u8; crate::format::HEADER], number: u64) -> Option<Digest> {
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
            self.problem(u64::try_from(header.len()).unwrap_or(0), "the segment has no checkpoint");
        }
        Ok(())
    }

    fn frame(&mut self, frame: Frame, first: bool) {
        self.segment.entries += 1;
        let offset = frame.offset;
        if !frame.intact {
            self.problem(offset, "the entry was altered");
            // Go on from what it claims, so that one altered entry is one problem.
            self.head = Some(frame.hash);
            if let Some(Envelope { session: Some(session), sequence, .. }) = frame.envelope {
                let track = self.track(session);
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
        let Some(envelope) = &frame.envelope else { return };
        let is_checkpoint = envelope.kind == Kind::Checkpoint;
        if first != is_checkpoint {
            self.problem(offset, "a checkpoint stands first in a segment, and only there");
        }
        match &envelope.session {
            Some(session) => self.session_entry(session.clone(), envelope, &frame),
            None if is_checkpoint => self.checkpoint(&frame),
            None => {
                let note = serde_json::from_slice::<Note>(&frame.event).ok();
                self.recovered.extend(note.and_then(|note| note.torn));
            }
        }
    }

    fn track(&mut self, session: SessionId) -> &mut Track {
        self.sessions.entry(session).or_insert(Track {
            entries: 0,
            head: NO_LINK,
            sealed: false,
            broken: None,
        })
    }

    fn session_entry(&mut self, session: SessionId, envelope: &Envelope, frame: &Frame) {
        let key = *self.key;
        let id = session.clone();
        let track = self.track(session);
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
            let holds = serde_json::from_slice::<SealClaim>(&frame.event).is_ok_and(|claim| {
                claim.entries == envelope.sequence
                    && claim.head == frame.session_link
                    && seal_holds(&key, &id, &claim)
            });
            if !holds {
                track.breaks(envelope.sequence, "the seal is not by this key, or not of this recording");
            }
        }
    }

    fn checkpoint(&mut self, frame: &Frame) {
        let Ok(checkpoint) = serde_json::from_slice::<Checkpoint>(&frame.event) else {
            self.problem(frame.offset, "the checkpoint cannot be read");
            return;
        };
        let listed = checkpoint.open.len();
        let agree = checkpoint.open.iter().all(|open| {
            self.sessions.get(&open.session).is_some_and(|track| {
                !track.sealed && track.entries == open.entries && track.head == open.head
            })
        });
        if !agree || self.sessions.values().filter(|track| !track.sealed).count() != listed {
            self.problem(frame.offset, "the checkpoint and the entries before it disagree");
        }
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
