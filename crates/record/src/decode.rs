//! From frames to entries: decrypts them, and gives intents the facts that they refer to.
//!
//! Both are a segment's affair, so a decoder is told when another segment begins.

use std::collections::HashMap;
use std::sync::Arc;

use sallyport_core::{Event, SessionId};

use crate::cipher::Opener;
use crate::error::RecordError;
use crate::format::{Envelope, Kind};
use crate::header::Header;
use crate::judged::Resolver;
use crate::read::{Content, Entry};
use crate::scan::{Closed, Frame, Segment};
use crate::statements::{Note, SealClaim};
use crate::wrapping::Wrapping;

/// Reads the frames of one segment after the other.
#[derive(Debug)]
pub(crate) struct Decoder {
    keys: Option<Arc<dyn Wrapping>>,
    /// The present segment's key, or why there is none.
    opener: Result<Option<Arc<Opener>>, String>,
    resolvers: HashMap<SessionId, Resolver>,
}

impl Decoder {
    pub(crate) fn new(keys: Option<Arc<dyn Wrapping>>) -> Self {
        Self { keys, opener: Ok(None), resolvers: HashMap::new() }
    }

    /// Another segment begins, with this header.
    pub(crate) fn begin(&mut self, segment: &mut Segment, header: Option<&[u8]>) {
        self.resolvers.clear();
        self.opener = header.map_or(Ok(None), |header| {
            opener(header, self.keys.as_deref()).map(|opener| opener.map(Arc::new)).map_err(|e| e.to_string())
        });
        segment.unlock(self.opener.as_ref().ok().cloned().flatten());
    }

    /// Event and payload of a frame, in the clear.
    fn sections(&self, frame: &mut Frame) -> Result<(Vec<u8>, Vec<u8>), RecordError> {
        let opener = self.opener.as_ref().ok().and_then(Option::as_deref);
        frame.sections(opener).map_err(|closed| match (closed, &self.opener) {
            (Closed::NoKey, Err(why)) => RecordError::Key(why.clone()),
            (Closed::NoKey, Ok(_)) => RecordError::Key("the recording is encrypted".into()),
            (Closed::Gone, _) => RecordError::Gone,
            (Closed::Unreadable, _) => {
                RecordError::Damaged(format!("the entry at byte {} cannot be decrypted", frame.offset))
            }
        })
    }

    /// The event of a session's first entry, where it can be read.
    pub(crate) fn event_alone(&self, frame: &mut Frame) -> Option<Event> {
        let (event, _) = self.sections(frame).ok()?;
        serde_json::from_slice(&event).ok()
    }

    /// An entry out of a frame that was found intact. Every entry of a session in a segment has to come by.
    pub(crate) fn entry(
        &mut self,
        session: SessionId,
        envelope: &Envelope,
        mut frame: Frame,
    ) -> Result<Entry, RecordError> {
        let note = |note: Note| Content::Note { event: note.event, reason: note.reason };
        let seal = |seal: SealClaim| Content::Seal {
            entries: seal.entries,
            head: seal.head,
            signature: seal.signature,
        };
        let (event, payload) = match envelope.kind {
            Kind::Event if frame.lost == Some(Closed::Gone) => (expired(), Vec::new()),
            Kind::Event => {
                let (event, payload) = self.sections(&mut frame)?;
                let event = match self.resolvers.get_mut(&session) {
                    Some(resolver) => resolver.read(envelope.sequence, &event),
                    None => {
                        let mut resolver = Resolver::default();
                        let event = resolver.read(envelope.sequence, &event);
                        if resolver.knows_any() {
                            self.resolvers.insert(session.clone(), resolver);
                        }
                        event
                    }
                };
                (event.map_or(Content::Unknown, |event| Content::Event(Box::new(event))), payload)
            }
            Kind::Note => {
                let (text, _) = self.sections(&mut frame)?;
                (serde_json::from_slice(&text).map_or(Content::Unknown, note), Vec::new())
            }
            Kind::Seal => {
                self.resolvers.remove(&session);
                (frame.statement().map_or(Content::Unknown, seal), Vec::new())
            }
            Kind::Roster | Kind::Mark | Kind::Unknown => (Content::Unknown, Vec::new()),
        };
        Ok(Entry {
            session,
            sequence: envelope.sequence,
            time: envelope.time,
            event,
            payload,
            hash: frame.hash,
            session_link: frame.session_link,
            log_link: frame.log_link,
        })
    }
}

impl Decoder {
    /// Which sessions the log lets go by this note.
    pub(crate) fn expired(&mut self, mut frame: Frame) -> Result<Vec<SessionId>, RecordError> {
        let (text, _) = self.sections(&mut frame)?;
        Ok(serde_json::from_slice::<Note>(&text).map(|note| note.expired).unwrap_or_default())
    }
}

/// What stands for an event that was let go.
fn expired() -> Content {
    let reason = "what was recorded here was let go when its time was over".into();
    Content::Note { event: "expired".into(), reason }
}

/// The key of a segment's encrypted entries; nothing when it has none, or when there are no keys at all.
pub(crate) fn opener(header: &[u8], keys: Option<&dyn Wrapping>) -> Result<Option<Opener>, RecordError> {
    let Ok((header, _)) = Header::decode(header, None) else { return Ok(None) };
    let (Some(wrapped), Some(keys)) = (header.data_key, keys) else { return Ok(None) };
    Ok(Some(Opener::new(&*keys.unwrap(header.number, &wrapped)?)?))
}
