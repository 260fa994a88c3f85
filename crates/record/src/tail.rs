//! Follows the log as it grows: entries of all sessions, or of one, in the order they were written.
//!
//! Reads files and nothing else, so that whoever follows neither waits for the recorder nor holds it up. A
//! [`Position`] is where to go on after a stop.

use std::path::PathBuf;
use std::sync::Arc;

use sallyport_core::{Digest, SessionId};

use crate::decode::Decoder;
use crate::error::RecordError;
use crate::format::{Kind, NO_LINK};
use crate::read::{Entry, Recordings};
use crate::scan::{Frame, Segment, Step};
use crate::segment;

/// An entry that is being written looks torn for a moment. One that still does after so many looks is.
const LOOKS: u32 = 20;

/// A place between two entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Number of the segment; 0 before the first.
    pub segment: u64,
    /// Byte in it; 0 before its first entry.
    pub offset: u64,
}

/// Where one session's chain stands.
#[derive(Debug)]
struct Chain {
    session: SessionId,
    next: u64,
    head: Digest,
}

/// The log from a position on. Goes on behind what was the end, once more is written.
#[derive(Debug)]
pub struct Tail {
    dir: Arc<PathBuf>,
    decoder: Decoder,
    /// The one session that is followed, when it is one.
    chain: Option<Chain>,
    current: Option<Segment>,
    position: Position,
    looks: u32,
    damaged: u64,
    expired: Vec<SessionId>,
}

impl Recordings {
    /// The log from a position on, all sessions. Entries that are not intact are passed over and counted.
    #[must_use]
    pub fn tail(&self, from: Position) -> Tail {
        Tail::new(self, None, from)
    }

    /// One session from its first entry on, which is in `segment` or after. An entry that is not intact,
    /// or is not the session's next, is an error.
    #[must_use]
    pub fn follow(&self, session: &SessionId, segment: u64) -> Tail {
        let chain = Chain { session: session.clone(), next: 0, head: NO_LINK };
        Tail::new(self, Some(chain), Position { segment, offset: 0 })
    }

    /// Numbers of the first and the last segment there is; nothing when there is none.
    ///
    /// # Errors
    /// What the disk says.
    pub fn extent(&self) -> Result<Option<(u64, u64)>, RecordError> {
        let segments = segment::list(&self.folder())?;
        Ok(segments.first().zip(segments.last()).map(|(first, last)| (first.0, last.0)))
    }
}

impl Tail {
    fn new(of: &Recordings, chain: Option<Chain>, position: Position) -> Self {
        let (dir, decoder) = (of.folder(), of.decoder());
        Self { dir, decoder, chain, current: None, position, looks: 0, damaged: 0, expired: Vec::new() }
    }

    /// Behind the last entry that was given out or passed over.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Entries that were passed over because they were not intact.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Sessions that the log let go, as far as it was read, since this was asked last.
    pub fn take_expired(&mut self) -> Vec<SessionId> {
        std::mem::take(&mut self.expired)
    }

    /// The next entry; nothing when no more is written yet.
    ///
    /// # Errors
    /// What the disk says; for one session, also that its chain is broken.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, RecordError> {
        loop {
            if self.current.is_none() && !self.open_from(self.position.segment)? {
                return Ok(None);
            }
            let Some(segment) = &mut self.current else { return Ok(None) };
            let wanted = self.chain.as_ref().map(|chain| &chain.session);
            let step = segment.step(|envelope| match (wanted, &envelope.session) {
                (None, session) => session.is_some() || envelope.kind == Kind::Note,
                (Some(wanted), session) => session.as_ref() == Some(wanted),
            })?;
            match step {
                Step::Skipped => self.passed(segment_offset(self.current.as_ref())),
                Step::Frame(frame) if frame.intact => {
                    let frame = *frame;
                    self.passed(frame.end);
                    if let Some(entry) = self.take(frame)? {
                        return Ok(Some(entry));
                    }
                }
                Step::Frame(frame) => {
                    if !self.is_settled(frame.offset)? {
                        return Ok(None);
                    }
                    if self.chain.is_some() {
                        return Err(RecordError::Damaged(format!(
                            "the entry at byte {} was altered",
                            frame.offset
                        )));
                    }
                    self.damaged += 1;
                    self.passed(frame.end);
                    if let Some(segment) = &mut self.current {
                        segment.seek(frame.end)?;
                    }
                }
                Step::End { offset } | Step::Unreadable { offset, .. } => {
                    if !self.go_on(offset)? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    fn passed(&mut self, offset: u64) {
        self.position.offset = offset;
        self.looks = 0;
    }

    /// Opens the first segment of at least that number.
    fn open_from(&mut self, number: u64) -> Result<bool, RecordError> {
        let segments = segment::list(&self.dir)?;
        let Some((found, path)) = segments.into_iter().find(|(found, _)| *found >= number) else {
            return Ok(false);
        };
        let (mut segment, header) = Segment::open(&path)?;
        if header.is_none() {
            return Ok(false);
        }
        self.decoder.begin(&mut segment, header.as_deref());
        if found == self.position.segment && self.position.offset > 0 {
            self.remember(&mut segment)?;
            segment.seek(self.position.offset)?;
        } else {
            self.position = Position { segment: found, offset: segment.offset() };
        }
        self.current = Some(segment);
        Ok(true)
    }

    /// Reads what stands before the position: entries behind it may refer to it.
    fn remember(&mut self, segment: &mut Segment) -> Result<(), RecordError> {
        while segment.offset() < self.position.offset {
            let wanted = self.chain.as_ref().map(|chain| &chain.session);
            let step = segment.step(|envelope| match (wanted, &envelope.session) {
                (None, session) => session.is_some() || envelope.kind == Kind::Note,
                (Some(wanted), session) => session.as_ref() == Some(wanted),
            })?;
            match step {
                Step::Skipped => {}
                Step::Frame(frame) if frame.intact => {
                    let Some(envelope) = frame.envelope.clone() else { continue };
                    let Some(session) = envelope.session.clone() else { continue };
                    self.decoder.entry(session, &envelope, *frame)?;
                }
                Step::Frame(_) => {}
                Step::End { .. } | Step::Unreadable { .. } => break,
            }
        }
        Ok(())
    }

    /// Whether an entry that does not look whole will not become so. Looks again from its start otherwise.
    fn is_settled(&mut self, offset: u64) -> Result<bool, RecordError> {
        self.looks += 1;
        if self.looks > LOOKS || self.has_later()? {
            return Ok(true);
        }
        if let Some(segment) = &mut self.current {
            segment.seek(offset)?;
        }
        Ok(false)
    }

    fn has_later(&self) -> Result<bool, RecordError> {
        Ok(segment::list(&self.dir)?.last().is_some_and(|(last, _)| *last > self.position.segment))
    }

    /// At the end of a segment: on to the next one, if it is there. Nothing is written to a segment once
    /// there is a later one, so this one is looked at once more after that was seen.
    fn go_on(&mut self, offset: u64) -> Result<bool, RecordError> {
        let later = self.has_later()?;
        let Some(segment) = &mut self.current else { return Ok(false) };
        segment.seek(offset)?;
        if !later {
            return Ok(false);
        }
        if self.looks == 0 {
            self.looks = 1;
            return Ok(true);
        }
        self.looks = 0;
        self.current = None;
        self.open_from(self.position.segment + 1)
    }

    fn take(&mut self, frame: Frame) -> Result<Option<Entry>, RecordError> {
        let at = frame.offset;
        let Some(envelope) = frame.envelope.clone() else { return Ok(None) };
        let Some(session) = envelope.session.clone() else {
            self.expired.extend(self.decoder.expired(frame)?);
            return Ok(None);
        };
        if let Some(chain) = &mut self.chain {
            if envelope.sequence != chain.next || frame.session_link != chain.head {
                return Err(RecordError::Damaged(format!(
                    "the entry at byte {at} is not the session's next"
                )));
            }
            chain.next += 1;
            chain.head = frame.hash;
        }
        self.decoder.entry(session, &envelope, frame).map(Some)
    }
}

fn segment_offset(segment: Option<&Segment>) -> u64 {
    segment.map_or(0, Segment::offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{closed, data, facts, folder, intent, opened, recorder, recordings, session};

    fn all(tail: &mut Tail) -> Vec<(SessionId, u64)> {
        std::iter::from_fn(|| tail.next_entry().unwrap())
            .map(|entry| (entry.session, entry.sequence))
            .collect()
    }

    #[tokio::test]
    async fn a_tail_gives_every_entry_once_over_segments_and_stops() {
        let dir = folder();
        let recordings = recordings(dir.path());
        let mut tail = recordings.tail(Position::default());
        assert_eq!(all(&mut tail), []);
        // Segments so small that the log has many.
        let recorder = recorder(dir.path(), 4096);
        let tapes = [recorder.begin(session(1)), recorder.begin(session(2))];
        let mut wanted = Vec::new();
        let mut seen = Vec::new();
        for number in 0..60_u64 {
            for (tape, id) in tapes.iter().zip([session(1), session(2)]) {
                tape.append(&if number == 0 { opened() } else { data(number) }, &[&[7; 200]]).unwrap();
                wanted.push((id, number));
            }
            if number % 7 == 0 {
                seen.extend(all(&mut tail));
                // From the position that was reached, as after a restart.
                tail = recordings.tail(tail.position());
            }
        }
        seen.extend(all(&mut tail));
        assert_eq!(seen, wanted);
        assert!(tail.position().segment > 3, "{:?}", tail.position());
        assert_eq!(recordings.extent().unwrap().unwrap().0, 1);
    }

    #[tokio::test]
    async fn one_session_is_followed_from_its_first_entry_to_its_seal() {
        let dir = folder();
        let recorder = recorder(dir.path(), 1 << 20);
        let (one, other) = (recorder.begin(session(1)), recorder.begin(session(2)));
        let recordings = recordings(dir.path());
        let mut tail = recordings.follow(&session(1), 0);
        one.append(&opened(), &[]).unwrap();
        other.append(&opened(), &[]).unwrap();
        assert_eq!(all(&mut tail), [(session(1), 0)]);
        assert_eq!(all(&mut tail), []);
        other.append(&data(1), &[b"x"]).unwrap();
        one.append(&data(1), &[b"x"]).unwrap();
        one.seal(&closed()).await.unwrap();
        assert_eq!(all(&mut tail), [(session(1), 1), (session(1), 2), (session(1), 3)]);
    }

    #[tokio::test]
    async fn an_altered_entry_ends_a_session_and_is_passed_over_by_the_whole() {
        let dir = folder();
        let recorder = recorder(dir.path(), 1 << 20);
        let tape = recorder.begin(session(1));
        tape.append(&opened(), &[]).unwrap();
        tape.append(&data(1), &[&[9; 64]]).unwrap();
        tape.seal(&closed()).await.unwrap();
        let path = crate::testing::segments(dir.path()).remove(0);
        let mut bytes = std::fs::read(&path).unwrap();
        let entry = &crate::testing::frames(&path)[2];
        bytes[usize::try_from(entry.end).unwrap() - 120] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let recordings = recordings(dir.path());
        let mut tail = recordings.tail(Position::default());
        let mut seen = Vec::new();
        for _ in 0..=LOOKS {
            seen.extend(all(&mut tail));
        }
        assert_eq!(seen, [(session(1), 0), (session(1), 2), (session(1), 3)]);
        assert_eq!(tail.damaged(), 1);
        let mut tail = recordings.follow(&session(1), 0);
        let ended = (0..=LOOKS + 1).find_map(|_| {
            loop {
                match tail.next_entry() {
                    Ok(Some(_)) => {}
                    Ok(None) => break None,
                    Err(error) => break Some(error.to_string()),
                }
            }
        });
        assert!(ended.unwrap().contains("was altered"));
    }

    #[tokio::test]
    async fn a_tail_that_begins_anywhere_gives_intents_their_facts() {
        let dir = folder();
        let recorder = recorder(dir.path(), 1 << 20);
        let tape = recorder.begin(session(1));
        tape.append(&opened(), &[]).unwrap();
        let decision = Arc::new(sallyport_core::Decision::deny("rule", None, "v1"));
        let facts = facts("the same");
        let mut said = vec![];
        for number in 0..9 {
            let event = intent(number, b"x", &facts, &decision);
            tape.append(&event, &[b"x"]).unwrap();
            said.push(event);
        }
        let recordings = recordings(dir.path());
        for (skipped, wanted) in said.iter().enumerate() {
            let mut tail = recordings.tail(Position::default());
            for _ in 0..=skipped {
                tail.next_entry().unwrap().unwrap();
            }
            let mut again = recordings.tail(tail.position());
            let entry = again.next_entry().unwrap().unwrap();
            assert_eq!(entry.event, crate::read::Content::Event(Box::new(wanted.clone())));
        }
    }
}
