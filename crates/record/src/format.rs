//! The bytes of an entry: envelope, body, links. Version 2 is written, 1 and 2 are read.
//!
//! Pure: bytes in, values out, and back. `docs/recording-format.md` is the same in words; the two
//! change together, and a change that a reader of version 2 would misread needs version 3.

use sallyport_core::{Digest, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::cipher::{Sealing, TAG};
use crate::error::RecordError;

/// Bytes of the two links and the hash that end a frame.
pub(crate) const TRAILER: usize = 96;
/// Bytes of a version 2 envelope before the session's id.
const ENVELOPE: usize = 27;
/// Most bytes of a frame after its length. What a reader must be ready to hold.
pub(crate) const MAX_FRAME: usize = 64 << 20;
/// Link of a session's first entry, of a log's first segment, and of entries that belong to no session.
pub(crate) const NO_LINK: Digest = Digest::from_bytes([0; 32]);

const PURPOSE_V1: &[u8] = b"sallyport entry v1";
const PURPOSE_V2: &[u8] = b"sallyport entry v2";
/// Flag of an envelope: the body is encrypted.
const ENCRYPTED: u8 = 1;

/// How a version lays out its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// JSON envelope behind a word of four bytes; the hash is over the content as a whole.
    V1,
    /// Binary envelope behind a word of two bytes; the body is hashed by itself, and may be encrypted.
    V2,
}

impl Layout {
    /// Bytes of the envelope's length word.
    pub(crate) fn word(self) -> usize {
        match self {
            Self::V1 => 4,
            Self::V2 => 2,
        }
    }

    /// Least bytes of a frame after its length.
    pub(crate) fn least(self) -> usize {
        match self {
            Self::V1 => 8 + TRAILER,
            Self::V2 => 2 + ENVELOPE + TRAILER,
        }
    }
}

/// What kind of entry a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// An event of the session.
    Event,
    /// What the recorder itself has to say.
    Note,
    /// The signed end of a session.
    Seal,
    /// First entry of a segment: the sessions that are open.
    #[serde(rename = "checkpoint")]
    Roster,
    /// Puts the log so far into the tree.
    #[serde(skip)]
    Mark,
    /// Of a later version.
    #[serde(other)]
    Unknown,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Event => 1,
            Self::Note => 2,
            Self::Seal => 3,
            Self::Roster => 4,
            Self::Mark => 5,
        }
    }

    fn of(byte: u8) -> Self {
        match byte {
            1 => Self::Event,
            2 => Self::Note,
            3 => Self::Seal,
            4 => Self::Roster,
            5 => Self::Mark,
            _ => Self::Unknown,
        }
    }
}

/// The part of an entry that every reader needs and that is never encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// Kind of entry.
    pub(crate) kind: Kind,
    /// The session; nothing when the entry belongs to the log itself.
    pub(crate) session: Option<SessionId>,
    /// Number in the session's chain, from 0; 0 for entries of the log.
    pub(crate) sequence: u64,
    /// When it was written, by the gateway's clock. Says nothing about order.
    pub(crate) time: Timestamp,
    /// The number of the body's encryption under the segment's key; nothing when it lies in the clear.
    pub(crate) nonce: Option<u64>,
}

/// A version 1 envelope.
#[derive(Deserialize)]
struct EnvelopeV1 {
    v: u32,
    kind: Kind,
    #[serde(default)]
    session: Option<SessionId>,
    sequence: u64,
    time: Timestamp,
}

impl Envelope {
    /// Reads the bytes of an envelope.
    pub(crate) fn decode(layout: Layout, bytes: &[u8]) -> Option<Self> {
        match layout {
            Layout::V1 => {
                let found = serde_json::from_slice::<EnvelopeV1>(bytes).ok().filter(|found| found.v == 1)?;
                let EnvelopeV1 { kind, session, sequence, time, .. } = found;
                if session.as_ref().is_some_and(|id| SessionId::parse(id.as_str()).is_none()) {
                    return None;
                }
                Some(Self { kind, session, sequence, time, nonce: None })
            }
            Layout::V2 => {
                let (&[kind, flags], rest) = bytes.split_first_chunk::<2>()?;
                let (time, rest) = rest.split_first_chunk::<8>()?;
                let (sequence, rest) = rest.split_first_chunk::<8>()?;
                let (nonce, rest) = rest.split_first_chunk::<8>()?;
                let (length, id) = rest.split_first()?;
                if usize::from(*length) != id.len() || flags & !ENCRYPTED != 0 {
                    return None;
                }
                let nonce = u64::from_be_bytes(*nonce);
                let encrypted = flags & ENCRYPTED != 0;
                if !encrypted && nonce != 0 {
                    return None;
                }
                let session = match id {
                    [] => None,
                    id => Some(SessionId::parse(std::str::from_utf8(id).ok()?)?),
                };
                Some(Self {
                    kind: Kind::of(kind),
                    session,
                    sequence: u64::from_be_bytes(*sequence),
                    time: Timestamp::from_micros(i64::from_be_bytes(*time)),
                    nonce: encrypted.then_some(nonce),
                })
            }
        }
    }
}

/// What a new entry's envelope is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    /// Kind of entry.
    pub(crate) kind: Kind,
    /// The session, if it is of one.
    pub(crate) session: Option<&'a SessionId>,
    /// Number in the session's chain.
    pub(crate) sequence: u64,
    /// When.
    pub(crate) time: Timestamp,
}

/// An entry up to its links, which follow in [`Draft::trailer`].
#[derive(Debug)]
pub(crate) struct Draft {
    /// Length, envelope, body.
    bytes: Vec<u8>,
    /// Where the envelope ends.
    envelope_end: usize,
    body: Digest,
    /// The only segment that it may stand in, when it is encrypted or refers to another entry.
    pub(crate) segment: Option<u64>,
    /// Kind of entry.
    pub(crate) kind: Kind,
    /// When it was written.
    pub(crate) time: Timestamp,
}

/// Where a version 2 envelope begins in a frame.
const ENVELOPE_START: usize = 6;

impl Draft {
    /// Encodes, encrypts and hashes, so that what is left to do in order is short.
    pub(crate) fn new(
        label: Label<'_>,
        event: &impl Serialize,
        payload: &[&[u8]],
        sealing: Option<&Sealing>,
    ) -> Result<Self, RecordError> {
        let id = label.session.map_or("", SessionId::as_str).as_bytes();
        let payload_length: usize = payload.iter().map(|part| part.len()).sum();
        if payload_length > MAX_FRAME {
            return Err(RecordError::TooLarge);
        }
        let cipher = sealing.and_then(|sealing| sealing.cipher.as_ref());
        let nonce = cipher.map_or(0, |cipher| cipher.next_nonce());
        let mut bytes = Vec::with_capacity(512 + payload_length);
        bytes.extend_from_slice(&[0; ENVELOPE_START]);
        bytes.push(label.kind.byte());
        bytes.push(if cipher.is_some() { ENCRYPTED } else { 0 });
        bytes.extend_from_slice(&label.time.micros().to_be_bytes());
        bytes.extend_from_slice(&label.sequence.to_be_bytes());
        bytes.extend_from_slice(&nonce.to_be_bytes());
        bytes.push(u8::try_from(id.len()).map_err(|_| RecordError::TooLarge)?);
        bytes.extend_from_slice(id);
        let envelope_end = bytes.len();
        bytes.extend_from_slice(&[0; 4]);
        serde_json::to_writer(&mut bytes, event)?;
        let event_length =
            u32::try_from(bytes.len() - envelope_end - 4).map_err(|_| RecordError::TooLarge)?;
        for part in payload {
            bytes.extend_from_slice(part);
        }
        let tag = if cipher.is_some() { TAG } else { 0 };
        let length = bytes.len() - 4 + tag + TRAILER;
        if length > MAX_FRAME {
            return Err(RecordError::TooLarge);
        }
        put(&mut bytes, 0, &u32::try_from(length).map_err(|_| RecordError::TooLarge)?.to_be_bytes())?;
        let envelope_length =
            u16::try_from(envelope_end - ENVELOPE_START).map_err(|_| RecordError::TooLarge)?;
        put(&mut bytes, 4, &envelope_length.to_be_bytes())?;
        put(&mut bytes, envelope_end, &event_length.to_be_bytes())?;
        if let Some(cipher) = cipher {
            let (head, body) = bytes.split_at_mut(envelope_end);
            let tag = cipher.seal(nonce, head.get(ENVELOPE_START..).unwrap_or_default(), body)?;
            bytes.extend_from_slice(&tag);
        }
        let body = Digest::of(bytes.get(envelope_end..).unwrap_or_default());
        let segment = sealing.map(|sealing| sealing.segment);
        Ok(Self { bytes, envelope_end, body, segment, kind: label.kind, time: label.time })
    }

    /// Bytes of the whole frame, its length word included.
    pub(crate) fn frame_bytes(&self) -> u64 {
        u64::try_from(self.bytes.len() + TRAILER).unwrap_or(u64::MAX)
    }

    /// Everything before the links.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Links the entry: the bytes after the body, and the entry's hash.
    pub(crate) fn trailer(&self, session_link: Digest, log_link: Digest) -> ([u8; TRAILER], Digest) {
        let envelope = self.bytes.get(ENVELOPE_START..self.envelope_end).unwrap_or_default();
        let hash = entry_hash(session_link, log_link, self.body, envelope);
        let mut bytes = [0; TRAILER];
        for (slot, part) in bytes.chunks_exact_mut(32).zip([session_link, log_link, hash]) {
            slot.copy_from_slice(part.as_bytes());
        }
        (bytes, hash)
    }
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> Result<(), RecordError> {
    bytes.get_mut(at..at + value.len()).ok_or(RecordError::TooLarge)?.copy_from_slice(value);
    Ok(())
}

/// The hash of an entry: over its two links, the SHA-256 of its body, and its envelope.
pub(crate) fn entry_hash(session_link: Digest, log_link: Digest, body: Digest, envelope: &[u8]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(PURPOSE_V2);
    hasher.update(session_link.as_bytes());
    hasher.update(log_link.as_bytes());
    hasher.update(body.as_bytes());
    hasher.update(envelope);
    Digest::from_bytes(hasher.finalize().into())
}

/// The hash of a version 1 entry: over its two links and the SHA-256 of its content.
pub(crate) fn entry_hash_v1(session_link: Digest, log_link: Digest, content: Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(PURPOSE_V1);
    hasher.update(session_link.as_bytes());
    hasher.update(log_link.as_bytes());
    hasher.update(content.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// Event and payload, from a body in the clear.
pub(crate) fn split_body(mut body: Vec<u8>) -> Option<(Vec<u8>, Vec<u8>)> {
    let (word, _) = body.split_first_chunk::<4>()?;
    let size = usize::try_from(u32::from_be_bytes(*word)).ok()?;
    let end = size.checked_add(4).filter(|end| *end <= body.len())?;
    let payload = body.split_off(end);
    body.drain(..4);
    Some((body, payload))
}
