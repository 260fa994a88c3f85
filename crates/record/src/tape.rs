//! One session's recording: appends its entries in order, and seals it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use sallyport_core::{Digest, Event, ResultDirection, SessionId};
use serde::Serialize;

use crate::error::RecordError;
use crate::format::{Draft, Kind, Label};
use crate::judged::{Referring, Written};
use crate::log::{Chain, Log, Placed};
use crate::recorder::{Durability, Need, Running, Terms};
use crate::results::{Rest, Results};
use crate::segment::Segment;
use crate::statements::{Note, SealClaim, hex, sign_seal};

/// A session's recording. Clones are the same recording. When the last one goes without a seal, the
/// recorder notes that and seals it.
#[derive(Clone, Debug)]
pub struct Tape(Arc<Reel>);

#[derive(Debug)]
struct Reel {
    running: Arc<Running>,
    session: Arc<SessionId>,
    terms: Terms,
    links: Mutex<Links>,
}

#[derive(Debug)]
struct Links {
    chain: Chain,
    sealed: bool,
    written: Written,
    rest: Rest,
}

/// An entry that is written and may not be durable yet.
#[derive(Debug)]
pub struct Appended {
    running: Arc<Running>,
    session: Arc<SessionId>,
    sequence: u64,
    placed: Placed,
    durability: Durability,
}

/// Proof that an entry is recorded and as durable as was needed. Only the recorder makes one.
pub struct Receipt {
    session: Arc<SessionId>,
    sequence: u64,
    hash: Digest,
}

/// The signed end of a session's recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    session: SessionId,
    entries: u64,
    head: Digest,
    signature: [u8; 64],
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Receipt({} {} {})", self.session, self.sequence, self.hash)
    }
}

impl Receipt {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// The entry's number in the session.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The entry's hash.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }
}

impl Seal {
    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// Entries that it covers.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Hash of the last of them.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.head
    }

    /// Ed25519 over all three.
    #[must_use]
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }
}

impl Appended {
    /// The entry's number in the session.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The entry's hash.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.placed.hash
    }

    /// Waits until the entry is as durable as `need`, or as the recorder's durability says.
    /// Cancel-safe: the entry stays written.
    ///
    /// # Errors
    /// [`RecordError::NotSynced`] when the disk says no.
    pub async fn wait(self, need: Need) -> Result<Receipt, RecordError> {
        if Self::effective(self.durability, need) == Need::Synced {
            wait_for(&self.running.log, &self.placed.segment, self.placed.end).await?;
        }
        Ok(Receipt { session: self.session, sequence: self.sequence, hash: self.placed.hash })
    }
}

/// Waits until a segment is durable up to `end`.
pub(crate) async fn wait_for(log: &Log, segment: &Segment, end: u64) -> Result<(), RecordError> {
    let mut settled = log.settled.subscribe();
    loop {
        if segment.synced() >= end {
            return Ok(());
        }
        if segment.failed() {
            return Err(RecordError::NotSynced);
        }
        log.want_sync();
        settled.changed().await.map_err(|_| RecordError::Stopped)?;
    }
}

impl Tape {
    pub(crate) fn new(running: Arc<Running>, session: SessionId, terms: Terms) -> Self {
        let chain = Chain::empty(running.log.clock.now());
        Self::with(running, session, terms, chain)
    }

    /// Goes on with a session that was left open.
    pub(crate) fn resume(running: Arc<Running>, session: SessionId, chain: Chain) -> Self {
        let terms = running.terms(None);
        Self::with(running, session, terms, chain)
    }

    fn with(running: Arc<Running>, session: SessionId, terms: Terms, chain: Chain) -> Self {
        let links = Links { chain, sealed: false, written: Written::default(), rest: Rest::default() };
        Self(Arc::new(Reel { running, session: Arc::new(session), terms, links: Mutex::new(links) }))
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.0.session
    }

    /// Writes an entry: the event, and the exact bytes that belong to it, parts joined.
    ///
    /// # Errors
    /// Nothing is recorded then, and what was to be recorded must not pass.
    pub fn append(&self, event: &Event, payload: &[&[u8]]) -> Result<Appended, RecordError> {
        let mut links = self.0.lock()?;
        if let Event::Outcome { .. } = event {
            self.0.say_what_was_left_out(&mut links, false)?;
        }
        self.0.event(&mut links, event, payload, false)
    }

    /// Whether results are recorded whole.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.0.terms.results == Results::Full
    }

    /// Writes a piece of an operation's result, or as much of it as is recorded. `rows` is how many rows
    /// of it have come at its end.
    ///
    /// # Errors
    /// As [`Tape::append`].
    pub fn result(&self, operation: u64, rows: u64, piece: &[u8]) -> Result<(), RecordError> {
        let mut links = self.0.lock()?;
        if links.sealed {
            return Err(RecordError::Sealed);
        }
        if links.rest.is_of_another(operation) {
            self.0.say_what_was_left_out(&mut links, false)?;
        }
        if links.rest.keeps(self.0.terms.results, operation, rows) {
            let event = Event::Data { direction: ResultDirection::ToCaller, operation };
            self.0.event(&mut links, &event, &[piece], false)?;
        } else {
            links.rest.leave_out(piece);
        }
        Ok(())
    }

    /// Writes the last piece of an operation's result, as [`Tape::result`] does, and how it ended; in one
    /// write where all of the piece is recorded.
    ///
    /// # Errors
    /// As [`Tape::append`].
    pub fn ends(&self, operation: u64, rows: u64, piece: &[u8], outcome: &Event) -> Result<(), RecordError> {
        let mut links = self.0.lock()?;
        if links.sealed {
            return Err(RecordError::Sealed);
        }
        if links.rest.is_of_another(operation) {
            self.0.say_what_was_left_out(&mut links, false)?;
        }
        if links.rest.keeps(self.0.terms.results, operation, rows) {
            let data = Event::Data { direction: ResultDirection::ToCaller, operation };
            return self.0.both(&mut links, (&data, piece), outcome);
        }
        links.rest.leave_out(piece);
        self.0.say_what_was_left_out(&mut links, false)?;
        self.0.event(&mut links, outcome, &[], false).map(drop)
    }

    /// Writes an entry and waits until it is as durable as `need`.
    ///
    /// # Errors
    /// As [`Tape::append`] and [`Appended::wait`].
    pub async fn append_and_wait(
        &self,
        event: &Event,
        payload: &[&[u8]],
        need: Need,
    ) -> Result<Receipt, RecordError> {
        self.append(event, payload)?.wait(need).await
    }

    /// Writes the session's last event and signs the chain. Uses the space that is kept free, so that
    /// a full disk does not leave sessions unsigned. The tape takes nothing afterwards.
    ///
    /// # Errors
    /// [`RecordError::Sealed`] the second time; else as [`Tape::append_and_wait`].
    pub async fn seal(&self, event: &Event) -> Result<Seal, RecordError> {
        let (seal, appended) = {
            let mut links = self.0.lock()?;
            self.0.say_what_was_left_out(&mut links, true)?;
            self.0.event(&mut links, event, &[], true)?;
            self.0.seal(&mut links)?
        };
        appended.wait(Need::Synced).await?;
        Ok(seal)
    }

    /// Writes a note of the recorder's own and seals, without waiting.
    pub(crate) fn finish_with_note(&self, note: &Note) -> Result<(), RecordError> {
        let mut links = self.0.lock()?;
        self.0.finish_with_note(&mut links, note)
    }
}

impl Reel {
    fn lock(&self) -> Result<MutexGuard<'_, Links>, RecordError> {
        self.links.lock().map_err(|_| RecordError::Stopped)
    }

    /// Writes an event. What its entry may refer to, and the key it is encrypted with, are a segment's:
    /// when that is complete before the entry is in it, the entry is made again.
    fn event(
        &self,
        links: &mut Links,
        event: &Event,
        payload: &[&[u8]],
        may_use_reserve: bool,
    ) -> Result<Appended, RecordError> {
        loop {
            let sealing = self.running.log.sealing()?;
            let label = self.label(links, Kind::Event)?;
            let same_as = match event {
                Event::Intent { facts, decision, .. } => links.written.find(sealing.segment, facts, decision),
                _ => None,
            };
            let draft = match same_as.and_then(|same_as| Referring::to(event, same_as)) {
                Some(referring) => Draft::new(label, &referring, payload, Some(&sealing))?,
                None => Draft::new(label, event, payload, Some(&sealing))?,
            };
            if let Some(appended) = self.place(links, &[draft], may_use_reserve)? {
                if let (Event::Intent { facts, decision, .. }, None) = (event, same_as) {
                    links.written.note(appended.placed.number, appended.sequence, facts, decision);
                }
                return Ok(appended);
            }
        }
    }

    /// Writes an event with its payload and another behind it, both or neither.
    fn both(
        &self,
        links: &mut Links,
        (first, payload): (&Event, &[u8]),
        second: &Event,
    ) -> Result<(), RecordError> {
        loop {
            let sealing = self.running.log.sealing()?;
            let label = self.label(links, Kind::Event)?;
            let behind = Label { sequence: label.sequence + 1, ..label };
            let drafts = [
                Draft::new(label, first, &[payload], Some(&sealing))?,
                Draft::new(behind, second, &[], Some(&sealing))?,
            ];
            if self.place(links, &drafts, false)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Notes what of a result was not recorded, if anything. Encrypted: a digest of little tells what it is of.
    fn say_what_was_left_out(&self, links: &mut Links, may_use_reserve: bool) -> Result<(), RecordError> {
        let Some(note) = links.rest.note() else { return Ok(()) };
        loop {
            let sealing = self.running.log.sealing()?;
            let draft = Draft::new(self.label(links, Kind::Note)?, &note, &[], Some(&sealing))?;
            if self.place(links, &[draft], may_use_reserve)?.is_some() {
                links.rest.clear();
                return Ok(());
            }
        }
    }

    /// Writes an entry of the recorder's own, in the clear.
    fn statement(
        &self,
        links: &mut Links,
        kind: Kind,
        statement: &impl Serialize,
    ) -> Result<Appended, RecordError> {
        let draft = Draft::new(self.label(links, kind)?, statement, &[], None)?;
        self.place(links, &[draft], true)?.ok_or(RecordError::Stopped)
    }

    fn label(&self, links: &Links, kind: Kind) -> Result<Label<'_>, RecordError> {
        if links.sealed {
            return Err(RecordError::Sealed);
        }
        let time = self.running.log.clock.now();
        Ok(Label { kind, session: Some(&self.session), sequence: links.chain.entries, time })
    }

    fn place(
        &self,
        links: &mut Links,
        drafts: &[Draft],
        may_use_reserve: bool,
    ) -> Result<Option<Appended>, RecordError> {
        let Some((first, last)) = drafts.first().zip(drafts.last()) else { return Ok(None) };
        let mut chain = links.chain;
        if chain.entries == 0 {
            chain.opened = first.time;
        }
        let session = Some((&*self.session, chain));
        let Some(placed) = self.running.log.place(drafts, session, may_use_reserve)? else { return Ok(None) };
        let entries = drafts.iter().fold(chain.entries, |entries, _| entries + 1);
        links.chain = Chain { entries, head: placed.hash, ..chain };
        links.sealed = last.kind == Kind::Seal;
        Ok(Some(Appended {
            running: Arc::clone(&self.running),
            session: Arc::clone(&self.session),
            sequence: entries.saturating_sub(1),
            placed,
            durability: self.terms.durability,
        }))
    }

    fn seal(&self, links: &mut Links) -> Result<(Seal, Appended), RecordError> {
        let Chain { entries, head, .. } = links.chain;
        let signature = sign_seal(&self.running.log.key, &self.session, entries, head);
        let claim = SealClaim { event: "seal".into(), entries, head, signature: hex(&signature) };
        let appended = self.statement(links, Kind::Seal, &claim)?;
        Ok((Seal { session: SessionId::clone(&self.session), entries, head, signature }, appended))
    }

    fn finish_with_note(&self, links: &mut Links, note: &Note) -> Result<(), RecordError> {
        self.say_what_was_left_out(links, true)?;
        self.statement(links, Kind::Note, note)?;
        self.seal(links)?;
        Ok(())
    }
}

impl Drop for Reel {
    fn drop(&mut self) {
        let Ok(mut links) = self.lock() else { return };
        if links.sealed || links.chain.entries == 0 {
            return;
        }
        let note = Note { reason: "the session ended without being closed".into(), ..Note::of("abandoned") };
        if let Err(error) = self.finish_with_note(&mut links, &note) {
            tracing::warn!(%error, session = %self.session, "an abandoned session could not be sealed");
        }
    }
}
