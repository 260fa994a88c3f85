//! What a verification found, as values and as lines for people.

use sallyport_core::{Digest, SessionId};
use serde::Serialize;

use crate::statements::Torn;

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

/// A checkpoint, and whether the log is the one that it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointVerdict {
    /// Which.
    pub name: String,
    /// Leaves; nothing when it could not be read.
    pub size: Option<u64>,
    /// What is wrong.
    pub problem: Option<String>,
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
    /// Leaves of the log's tree: seals, and marks of the log itself.
    pub leaves: u64,
    /// The checkpoint that lies beside the segments, and those that were noted earlier.
    pub checkpoints: Vec<CheckpointVerdict>,
    /// Entries whose packed bodies only a key can compare with their hashes, and there was none.
    pub uncompared: u64,
}

impl Report {
    /// Whether all that is there is what was recorded.
    #[must_use]
    pub fn ok(&self) -> bool {
        !self.segments.is_empty()
            && self.segments.iter().all(|segment| segment.problems.is_empty())
            && !self.sessions.iter().any(|session| matches!(session.state, State::Broken { .. }))
            && self.checkpoints.iter().all(|found| found.problem.is_none())
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
        for found in &self.checkpoints {
            let size = found.size.map(|size| format!(" of {size} leaves")).unwrap_or_default();
            lines.push(match &found.problem {
                Some(problem) => format!("BROKEN  {}{size}: {problem}", found.name),
                None => format!("holds   {}{size}", found.name),
            });
        }
        if self.checkpoints.is_empty() && self.leaves > 0 {
            lines.push("note    there is no checkpoint: nothing tells whether the end was cut off".into());
        }
        if self.segments.is_empty() {
            lines.push("BROKEN  there is no segment: this is no recording, or all of it was removed".into());
        }
        if self.uncompared > 0 {
            lines.push(format!(
                "note    what {} entries say was not compared with their hashes: that takes the wrapping keys \
                 (--keys, --own-keys)",
                self.uncompared
            ));
        }
        if let Some(head) = &self.head {
            lines.push(format!("head    segment {} {}", head.segment, head.hash));
        }
        let word = match (self.ok(), self.uncompared) {
            (false, _) => "NOT OK",
            (true, 0) => "ok",
            (true, _) => "ok as far as it goes without keys",
        };
        lines.push(format!(
            "{word}: {sealed} sessions sealed, {open} open, {broken} broken, {} segments",
            self.segments.len()
        ));
        lines
    }
}
