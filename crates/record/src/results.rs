//! How much of a result is recorded, and what is said of the rest.
//!
//! What is left out is never left out silently: before an operation's outcome stands a note of how many
//! bytes were left out, and their SHA-256, by which a copy from elsewhere can be held against the recording.

use sallyport_core::Digest;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::statements::Note;

/// Which part of a result is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Results {
    /// All of it.
    #[default]
    Full,
    /// Its first rows, and the rest of the piece in which the last of them came.
    FirstRows(u64),
    /// None of it.
    Digest,
}

/// What was left out of an operation's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    operation: u64,
    pieces: u64,
    bytes: u64,
    sha256: Digest,
}

/// Follows the results of a session, to know what is left out.
#[derive(Debug, Default)]
pub(crate) struct Rest {
    operation: u64,
    /// Rows that were there at the end of the piece before.
    rows: u64,
    pieces: u64,
    bytes: u64,
    hasher: Sha256,
}

impl Rest {
    /// Whether the next piece of an operation's result is recorded; `rows` are there at its end.
    pub(crate) fn keeps(&mut self, results: Results, operation: u64, rows: u64) -> bool {
        if self.operation != operation {
            (self.operation, self.rows) = (operation, 0);
        }
        let before = std::mem::replace(&mut self.rows, rows);
        match results {
            Results::Full => true,
            Results::FirstRows(most) => self.pieces == 0 && before < most,
            Results::Digest => false,
        }
    }

    /// Whose rest it is, when there is one and it is not of this operation.
    pub(crate) fn is_of_another(&self, operation: u64) -> bool {
        self.pieces > 0 && self.operation != operation
    }

    /// Counts a piece that is left out.
    pub(crate) fn leave_out(&mut self, piece: &[u8]) {
        self.pieces += 1;
        self.bytes = self.bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        self.hasher.update(piece);
    }

    /// What is to be said of what was left out so far; nothing when nothing was.
    pub(crate) fn note(&self) -> Option<Note> {
        if self.pieces == 0 {
            return None;
        }
        let sha256 = Digest::from_bytes(self.hasher.clone().finalize().into());
        let (operation, pieces, bytes) = (self.operation, self.pieces, self.bytes);
        Some(Note {
            reason: format!(
                "of the result of operation {operation} {bytes} bytes were left out, as configured; \
                 their SHA-256 is {sha256}"
            ),
            left_out: Some(LeftOut { operation, pieces, bytes, sha256 }),
            ..Note::of("left-out")
        })
    }

    /// It was said.
    pub(crate) fn clear(&mut self) {
        *self = Self { operation: self.operation, rows: self.rows, ..Self::default() };
    }
}
