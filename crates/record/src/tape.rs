//! One session's recording: appends its entries in order, and seals it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use sallyport_core::{Digest, Event, SessionId};
use serde::Serialize;

use crate::error::RecordError;
use crate::format::{Draft, Envelope, Kind, Note, SealClaim, VERSION, hex, sign_seal};
use crate::log::{Chain, Log, Placed};
use crate::recorder::{Need, Running};
use crate::segment::Segment;

/// A session's recording. Clones are the same recording. When the last one goes without a seal, the
/// recorder notes that and seals it.
#[derive(Clone, Debug)]
pub struct Tape(Arc<Reel>);

#[derive(Debug)]
struct Reel {
    running: Arc<Running>,
    session: SessionId,
    links: Mutex<Links>,
}

#[derive(Debug)]
struct Links {
    chain: Chain,
    sealed: bool,
}

/// An entry that is written and may not be durable yet.
#[derive(Debug)]
pub struct Appended {
    running: Arc<Running>,
    session: SessionId,
    sequence: u64,
    placed: Placed,
}

/// Proof that an entry is recorded and as durable as was needed. Only the recorder makes one.
pub struct Receipt {
    session: SessionId,
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
        if Self::effective(self.running.durability, need) == Need::Synced {
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
    pub(crate) fn new(running: Arc<Running>, session: SessionId) -> Self {
        Self::resume(running, session, Chain::EMPTY)
    }

    /// Goes on with a session that was left open.
    pub(crate) fn resume(running: Arc<Running>, session: SessionId, chain: Chain) -> Self {
        Self(Arc::new(Reel { running, session, links: Mutex::new(Links { chain, sealed: false }) }))
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
        self.0.append(&mut links, Kind::Event, event, payload, false)
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
            self.0.append(&mut links, Kind::Event, event, &[], true)?;
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

    fn append(
        &self,
        links: &mut Links,
        kind: Kind,
        event: &impl Serialize,
        payload: &[&[u8]],
        may_use_reserve: bool,
    ) -> Result<Appended, RecordError> {
        if links.sealed {
            return Err(RecordError::Sealed);
        }
        let log = &self.running.log;
        let envelope = Envelope {
            v: VERSION,
            kind,
            session: Some(self.session.clone()),
            sequence: links.chain.entries,
            time: log.clock.now(),
        };
        let draft = Draft::new(&envelope, event, payload)?;
        let is_seal = kind == Kind::Seal;
        let placed =
            log.place(&draft, payload, Some((&self.session, links.chain)), is_seal, may_use_reserve)?;
        links.chain = Chain { entries: links.chain.entries + 1, head: placed.hash };
        links.sealed = is_seal;
        Ok(Appended {
            running: Arc::clone(&self.running),
            session: self.session.clone(),
            sequence: envelope.sequence,
            placed,
        })
    }

    fn seal(&self, links: &mut Links) -> Result<(Seal, Appended), RecordError> {
        let Chain { entries, head } = links.chain;
        let signature = sign_seal(&self.running.log.key, &self.session, entries, head);
        let claim = SealClaim { event: "seal".into(), entries, head, signature: hex(&signature) };
        let appended = self.append(links, Kind::Seal, &claim, &[], true)?;
        Ok((Seal { session: self.session.clone(), entries, head, signature }, appended))
    }

    fn finish_with_note(&self, links: &mut Links, note: &Note) -> Result<(), RecordError> {
        self.append(links, Kind::Note, note, &[], true)?;
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
        let note = Note {
            event: "abandoned".into(),
            reason: "the session ended without being closed".into(),
            torn: None,
        };
        if let Err(error) = self.finish_with_note(&mut links, &note) {
            tracing::warn!(%error, session = %self.session, "an abandoned session could not be sealed");
        }
    }
}
