//! Reads recordings back, from the files alone. One entry is in memory at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use sallyport_core::{Digest, Event, Principal, SessionId, Timestamp};
use serde::Serialize;

use crate::decode::Decoder;
use crate::error::RecordError;
use crate::format::Kind;
use crate::scan::{Frame, Segment, Step};
use crate::segment;
use crate::statements::SealClaim;
use crate::wrapping::Wrapping;

/// What an entry says.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", content = "content", rename_all = "kebab-case")]
pub enum Content {
    /// An event of the session.
    Event(Box<Event>),
    /// The recorder's own word: `recovered` or `abandoned`; or `expired` in the place of an event that was
    /// let go when its time was over.
    Note {
        /// Which.
        event: String,
        /// In words.
        reason: String,
    },
    /// The signed end. Whether the signature holds is for [`mod@crate::verify`] to say.
    Seal {
        /// Entries before it.
        entries: u64,
        /// Hash of the last of them.
        head: Digest,
        /// Ed25519 over both and the session's id, hexadecimal.
        signature: String,
    },
    /// An entry that this version does not know; its chain is checked all the same.
    Unknown,
}

/// One entry of a session's recording, its hash checked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// The session.
    pub session: SessionId,
    /// Number in the session, from 0.
    pub sequence: u64,
    /// When it was written.
    pub time: Timestamp,
    /// What it says.
    pub event: Content,
    /// The exact bytes that belong to it.
    #[serde(skip)]
    pub payload: Vec<u8>,
    /// Its hash.
    pub hash: Digest,
    /// Hash of the session's entry before.
    pub session_link: Digest,
    /// Hash of the log's entry before, of whichever session.
    pub log_link: Digest,
}

/// Whether a seal is the key's, over that session's chain as it was read.
#[must_use]
pub fn seal_holds(
    key: &VerifyingKey,
    session: &SessionId,
    entries: u64,
    head: Digest,
    signature: &str,
) -> bool {
    let claim = SealClaim { event: "seal".into(), entries, head, signature: signature.to_owned() };
    crate::statements::seal_holds(key, session, &claim)
}

/// A session, in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionSummary {
    /// The session.
    pub session: SessionId,
    /// Who; nothing when the first entry does not say.
    pub principal: Option<Principal>,
    /// Target name.
    pub target: Option<String>,
    /// Time of the first entry.
    pub opened: Timestamp,
    /// Time of the last.
    pub last: Timestamp,
    /// Entries, the seal included.
    pub entries: u64,
    /// Whether there is a seal. Whether it holds is for [`mod@crate::verify`] to say.
    pub sealed: bool,
}

/// A folder of recordings. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Recordings {
    dir: Arc<PathBuf>,
    keys: Option<Arc<dyn Wrapping>>,
}

impl Recordings {
    /// The recordings in a folder, which need not be there yet.
    #[must_use]
    pub fn in_folder(dir: impl Into<PathBuf>) -> Self {
        Self { dir: Arc::new(dir.into()), keys: None }
    }

    /// Reads what is encrypted, too.
    #[must_use]
    pub fn with_keys(self, keys: Arc<dyn Wrapping>) -> Self {
        Self { keys: Some(keys), ..self }
    }

    /// The folder.
    pub(crate) fn folder(&self) -> Arc<PathBuf> {
        Arc::clone(&self.dir)
    }

    /// What turns frames into entries.
    pub(crate) fn decoder(&self) -> Decoder {
        Decoder::new(self.keys.clone())
    }

    /// All sessions, by id, which is by time. Reads every segment once; what is unreadable is left out
    /// (`verify` says what that is).
    ///
    /// # Errors
    /// What the disk says.
    pub fn sessions(&self) -> Result<Vec<SessionSummary>, RecordError> {
        let mut found: BTreeMap<SessionId, SessionSummary> = BTreeMap::new();
        let mut decoder = self.decoder();
        for (_, path) in segment::list(&self.dir)? {
            let (mut segment, header) = Segment::open(&path)?;
            decoder.begin(&mut segment, header.as_deref());
            loop {
                let mut seen = None;
                // Only a session's first entry is read whole: it says who and where.
                let step = segment.step(|envelope| {
                    seen = Some(envelope.clone());
                    envelope.session.is_some() && envelope.sequence == 0
                })?;
                let opened = match step {
                    Step::End { .. } | Step::Unreadable { .. } => break,
                    Step::Skipped => None,
                    Step::Frame(mut frame) => decoder.event_alone(&mut frame),
                };
                let Some(envelope) = seen else { continue };
                let Some(session) = envelope.session else { continue };
                let summary = found.entry(session.clone()).or_insert_with(|| SessionSummary {
                    session,
                    principal: None,
                    target: None,
                    opened: envelope.time,
                    last: envelope.time,
                    entries: 0,
                    sealed: false,
                });
                summary.last = envelope.time;
                summary.entries += 1;
                summary.sealed |= envelope.kind == Kind::Seal;
                if let Some(Event::SessionOpened { principal, target, .. }) = opened {
                    summary.principal = Some(principal);
                    summary.target = Some(target);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// One session's entries, in order. Ends with an error at the first entry that is not intact or is
    /// not the next one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn session(&self, id: &SessionId) -> Result<Entries, RecordError> {
        let mut segments: Vec<PathBuf> =
            segment::list(&self.dir)?.into_iter().map(|(_, path)| path).collect();
        segments.reverse();
        Ok(Entries {
            session: id.clone(),
            decoder: self.decoder(),
            segments,
            current: None,
            next: 0,
            head: crate::format::NO_LINK,
            over: false,
        })
    }
}

/// The entries of one session, read as they are asked for.
#[derive(Debug)]
pub struct Entries {
    session: SessionId,
    decoder: Decoder,
    /// Still to come, last first.
    segments: Vec<PathBuf>,
    current: Option<Segment>,
    next: u64,
    head: Digest,
    over: bool,
}

impl Entries {
    fn advance(&mut self) -> Result<Option<Entry>, RecordError> {
        loop {
            let Some(segment) = &mut self.current else {
                let Some(path) = self.segments.pop() else { return Ok(None) };
                let (mut segment, header) = Segment::open(&path)?;
                self.decoder.begin(&mut segment, header.as_deref());
                self.current = Some(segment);
                continue;
            };
            let step = segment.step(|envelope| envelope.session.as_ref() == Some(&self.session))?;
            match step {
                Step::Skipped => {}
                Step::End { .. } => self.current = None,
                // Perhaps an entry that is being written at this moment; verify tells the difference.
                Step::Unreadable { .. } if self.segments.is_empty() => return Ok(None),
                Step::Unreadable { offset, what } => {
                    return Err(RecordError::Damaged(format!("{what} at byte {offset}")));
                }
                Step::Frame(frame) => return self.take(*frame).map(Some),
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<Entry, RecordError> {
        let at = frame.offset;
        let broken = |what: &str| RecordError::Damaged(format!("the entry at byte {at} {what}"));
        if !frame.intact {
            return Err(broken("was altered"));
        }
        let Some(envelope) = frame.envelope.clone() else { return Err(broken("was altered")) };
        if envelope.sequence != self.next || frame.session_link != self.head {
            return Err(broken("is not the session's next"));
        }
        self.next += 1;
        self.head = frame.hash;
        self.decoder.entry(self.session.clone(), &envelope, frame)
    }
}

impl Iterator for Entries {
    type Item = Result<Entry, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.advance().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
