//! The bytes of format version 1: segment headers, entries, links and signatures.
//!
//! Pure: bytes in, values out, and back. `docs/recording-format.md` is the same in words; the two
//! change together, and a change that a version 1 reader would misread needs version 2.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sallyport_core::{Digest, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::RecordError;

/// First bytes of a segment.
pub(crate) const MAGIC: &[u8; 8] = b"SALLYREC";
/// Version of headers, frames and envelopes.
pub(crate) const VERSION: u32 = 1;
/// Bytes of a version 1 header, its signature included.
pub(crate) const HEADER: usize = 160;
/// Bytes of the signature that ends a header.
const SIGNATURE: usize = 64;
/// Bytes of the two links and the hash that end a frame.
pub(crate) const TRAILER: usize = 96;
/// Least bytes of a frame after its length: two empty sections and the trailer.
pub(crate) const MIN_FRAME: usize = 8 + TRAILER;
/// Most bytes of a frame after its length. What a reader must be ready to hold.
pub(crate) const MAX_FRAME: usize = 64 << 20;
/// Link of a session's first entry, of a log's first segment, and of entries that belong to no session.
pub(crate) const NO_LINK: Digest = Digest::from_bytes([0; 32]);

const ENTRY_PURPOSE: &[u8] = b"sallyport entry v1";
const SEGMENT_PURPOSE: &[u8] = b"sallyport segment v1";
const SEAL_PURPOSE: &[u8] = b"sallyport seal v1";

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
    Checkpoint,
    /// Of a later version.
    #[serde(other)]
    Unknown,
}

/// The part of an entry that every reader needs and that will never be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// Format version.
    pub(crate) v: u32,
    /// Kind of entry.
    pub(crate) kind: Kind,
    /// The session; absent when the entry belongs to the log itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<SessionId>,
    /// Number in the session's chain, from 0; 0 for entries of the log.
    pub(crate) sequence: u64,
    /// When it was written, by the gateway's clock. Says nothing about order.
    pub(crate) time: Timestamp,
}

/// The event section of a seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealClaim {
    /// Always `seal`.
    pub(crate) event: String,
    /// Entries before the seal.
    pub(crate) entries: u64,
    /// Hash of the last of them.
    pub(crate) head: Digest,
    /// Ed25519 signature over both and the session's id, hexadecimal.
    pub(crate) signature: String,
}

/// One open session in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenSession {
    /// The session.
    pub(crate) session: SessionId,
    /// Its entries so far.
    pub(crate) entries: u64,
    /// Hash of the last of them.
    pub(crate) head: Digest,
}

/// The event section of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// Always `checkpoint`.
    pub(crate) event: String,
    /// Every session that has entries and no seal, by id.
    pub(crate) open: Vec<OpenSession>,
}

/// The event section of a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// `recovered`: the gateway stopped with this session open. `abandoned`: the session was dropped
    /// without being closed. `log-recovered`: what was found at the end of the log at start.
    pub(crate) event: String,
    /// In words.
    pub(crate) reason: String,
    /// `log-recovered`: what was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) torn: Option<Torn>,
}

/// Bytes that were set aside when the log was recovered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Torn {
    /// Name of the segment.
    pub segment: String,
    /// Where in it the intact part ended.
    pub offset: u64,
    /// How many bytes followed.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Digest,
    /// File name under `torn/` that keeps them.
    pub kept_as: String,
}

/// Makes an entry's first part: length, envelope, event. Links and hash follow in [`trailer`].
#[derive(Debug)]
pub(crate) struct Draft {
    prefix: Vec<u8>,
    content: Digest,
    length: usize,
}

impl Draft {
    /// Encodes and hashes the content, so that what is left to do in order is short.
    pub(crate) fn new(
        envelope: &Envelope,
        event: &impl Serialize,
        payload: &[&[u8]],
    ) -> Result<Self, RecordError> {
        let mut prefix = Vec::with_capacity(512);
        prefix.extend_from_slice(&[0; 8]);
        serde_json::to_writer(&mut prefix, envelope)?;
        let envelope_length = prefix.len() - 8;
        prefix.extend_from_slice(&[0; 4]);
        let event_start = prefix.len();
        serde_json::to_writer(&mut prefix, event)?;
        let event_length = prefix.len() - event_start;
        let payload_length: usize = payload.iter().map(|part| part.len()).sum();
        let length = prefix.len() - 4 + payload_length + TRAILER;
        if length > MAX_FRAME {
            return Err(RecordError::TooLarge);
        }
        put(&mut prefix, 0, length)?;
        put(&mut prefix, 4, envelope_length)?;
        put(&mut prefix, event_start - 4, event_length)?;
        let mut hasher = Sha256::new();
        hasher.update(prefix.get(4..).unwrap_or_default());
        for part in payload {
            hasher.update(part);
        }
        Ok(Self { prefix, content: Digest::from_bytes(hasher.finalize().into()), length })
    }

    /// Bytes of the whole frame, its length word included.
    pub(crate) fn frame_bytes(&self) -> u64 {
        u64::try_from(self.length).unwrap_or(u64::MAX).saturating_add(4)
    }

    /// Everything before the payload.
    pub(crate) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Links the entry: the bytes after the payload, and the entry's hash.
    pub(crate) fn trailer(&self, session_link: Digest, log_link: Digest) -> ([u8; TRAILER], Digest) {
        let hash = entry_hash(session_link, log_link, self.content);
        let mut bytes = [0; TRAILER];
        let parts = [session_link, log_link, hash];
        for (slot, part) in bytes.chunks_exact_mut(32).zip(parts) {
            slot.copy_from_slice(part.as_bytes());
        }
        (bytes, hash)
    }
}

fn put(bytes: &mut [u8], at: usize, value: usize) -> Result<(), RecordError> {
    let value = u32::try_from(value).map_err(|_| RecordError::TooLarge)?;
    bytes.get_mut(at..at + 4).ok_or(RecordError::TooLarge)?.copy_from_slice(&value.to_be_bytes());
    Ok(())
}

/// The hash of an entry: over its two links and the SHA-256 of its content.
pub(crate) fn entry_hash(session_link: Digest, log_link: Digest, content: Digest) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update(ENTRY_PURPOSE);
    hasher.update(session_link.as_bytes());
    hasher.update(log_link.as_bytes());
    hasher.update(content.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// What a segment's header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of the segment, from 1.
    pub(crate) number: u64,
    /// When it was begun.
    pub(crate) created: Timestamp,
    /// Hash of the last entry of the segment before.
    pub(crate) previous: Digest,
    /// The recorder's public key.
    pub(crate) key: [u8; 32],
}

/// Why a header is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadHeader {
    /// Not a segment, or damaged.
    Damaged,
    /// Of a version that this reader does not know.
    Version,
    /// Not signed by the key.
    Signature,
}

impl Header {
    /// The signed bytes, and the link that the segment's first entry carries.
    pub(crate) fn encode(&self, key: &SigningKey) -> (Vec<u8>, Digest) {
        let mut bytes = Vec::with_capacity(HEADER);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(HEADER).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.created.micros().to_be_bytes());
        bytes.extend_from_slice(self.previous.as_bytes());
        bytes.extend_from_slice(&self.key);
        let signature = key.sign(&[SEGMENT_PURPOSE, &bytes].concat());
        bytes.extend_from_slice(&signature.to_bytes());
        let link = Digest::of(&bytes);
        (bytes, link)
    }

    /// Reads a header and checks its signature against the key that it names, or against `key`.
    /// Gives the link that the first entry must carry.
    pub(crate) fn decode(
        bytes: &[u8; HEADER],
        key: Option<&VerifyingKey>,
    ) -> Result<(Self, Digest), BadHeader> {
        let (signed, signature) = bytes.split_at(HEADER - SIGNATURE);
        let mut rest = signed;
        if take::<8>(&mut rest)? != *MAGIC {
            return Err(BadHeader::Damaged);
        }
        let version = u32::from_be_bytes(take(&mut rest)?);
        let length = u32::from_be_bytes(take(&mut rest)?);
        if version != VERSION || usize::try_from(length) != Ok(HEADER) {
            return Err(BadHeader::Version);
        }
        let header = Self {
            number: u64::from_be_bytes(take(&mut rest)?),
            created: Timestamp::from_micros(i64::from_be_bytes(take(&mut rest)?)),
            previous: Digest::from_bytes(take(&mut rest)?),
            key: take(&mut rest)?,
        };
        let named = VerifyingKey::from_bytes(&header.key).map_err(|_| BadHeader::Damaged)?;
        let signature = Signature::from_slice(signature).map_err(|_| BadHeader::Damaged)?;
        key.unwrap_or(&named)
            .verify_strict(&[SEGMENT_PURPOSE, signed].concat(), &signature)
            .map_err(|_| BadHeader::Signature)?;
        Ok((header, Digest::of(bytes)))
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], BadHeader> {
    let (head, tail) = rest.split_first_chunk::<N>().ok_or(BadHeader::Damaged)?;
    *rest = tail;
    Ok(*head)
}

/// What a seal's signature is over.
fn seal_message(session: &SessionId, entries: u64, head: Digest) -> Vec<u8> {
    let id = session.as_str().as_bytes();
    let length = u32::try_from(id.len()).unwrap_or(u32::MAX).to_be_bytes();
    [SEAL_PURPOSE, &length, id, &entries.to_be_bytes(), head.as_bytes()].concat()
}

/// Signs the end of a session's chain.
pub(crate) fn sign_seal(key: &SigningKey, session: &SessionId, entries: u64, head: Digest) -> [u8; 64] {
    key.sign(&seal_message(session, entries, head)).to_bytes()
}

/// Whether a seal's signature holds.
pub(crate) fn seal_holds(key: &VerifyingKey, session: &SessionId, claim: &SealClaim) -> bool {
    from_hex(&claim.signature).is_some_and(|bytes| {
        key.verify_strict(&seal_message(session, claim.entries, claim.head), &Signature::from_bytes(&bytes))
            .is_ok()
    })
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 64]> {
    if text.len() != 128 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let mut bytes = [0; 64];
    for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *slot = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
