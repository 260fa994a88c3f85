//! What entries of the recorder's own say, as JSON: seals, rosters, notes, marks.

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sallyport_core::{Digest, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::results::LeftOut;
use crate::tree::Tree;

const SEAL_PURPOSE: &[u8] = b"sallyport seal v1";

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

/// One open session in a roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenSession {
    /// The session.
    pub(crate) session: SessionId,
    /// Its entries so far.
    pub(crate) entries: u64,
    /// Hash of the last of them.
    pub(crate) head: Digest,
    /// Time of its first entry, microseconds since 1970; 0 when that is in a version 1 segment.
    #[serde(default)]
    pub(crate) opened: i64,
}

/// The event section of a segment's first entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Roster {
    /// `roster`; `checkpoint` in version 1.
    pub(crate) event: String,
    /// Every session that has entries and no seal, by id.
    pub(crate) open: Vec<OpenSession>,
    /// The tree so far. Version 1 has none.
    #[serde(default)]
    pub(crate) tree: Tree,
}

/// The event section of a mark: nothing but its name. What it commits to is where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Always `mark`.
    pub(crate) event: String,
}

/// The event section of a note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Note {
    /// `recovered`: the gateway stopped with this session open. `abandoned`: the session was dropped
    /// without being closed. `log-recovered`: what was found at the end of the log at start.
    /// `expired`: sessions whose time is over. `left-out`: a part of a result was not recorded.
    pub(crate) event: String,
    /// In words.
    pub(crate) reason: String,
    /// `log-recovered`: what was cut off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) torn: Option<Torn>,
    /// `expired`: sessions whose events are let go.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) expired: Vec<SessionId>,
    /// `left-out`: what of a result was not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_out: Option<LeftOut>,
}

impl Note {
    /// A note that says its name only.
    pub(crate) fn of(event: &str) -> Self {
        Self {
            event: event.to_owned(),
            reason: String::new(),
            torn: None,
            expired: Vec::new(),
            left_out: None,
        }
    }
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

impl OpenSession {
    /// When its first entry was written.
    pub(crate) fn opened(&self) -> Timestamp {
        Timestamp::from_micros(self.opened)
    }
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
