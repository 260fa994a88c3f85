//! One `DataRow`: body in, body out.
//!
//! The body is a count of columns (16 bits) and, per column, a length (32 bits, -1 for NULL) and so many
//! bytes (PostgreSQL protocol, "Message Formats"). A row that stays as it is writes nothing: the caller
//! sends the frame it came in.

use bytes::{BufMut, BytesMut};

use super::plan::RowPlan;
use super::value::{self, Change};
use super::{MaskFault, ROW_LIMIT_BYTES};

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowOutcome {
    /// Whether the new body was appended; if not, the old one stands and nothing was written.
    pub(crate) changed: bool,
    /// How many values were masked.
    pub(crate) masked: u32,
    /// How many of them because they could not be read surely.
    pub(crate) unread: u32,
}

/// Reads counts and lengths from a slice; nothing when they go beyond its end.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    pub(super) fn i16(&mut self) -> Option<i16> {
        self.take(2).and_then(|bytes| bytes.try_into().ok()).map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.take(4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.take(4).and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes)
    }

    /// A length and its bytes: `Some(None)` for NULL, nothing when it does not read.
    pub(super) fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Some(None),
            length => self.take(usize::try_from(length).ok()?).map(Some),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }
}

/// Appends a length and its bytes, or the length of NULL.
pub(super) fn put_value(out: &mut BytesMut, change: &Change) -> Result<(), MaskFault> {
    match change {
        Change::Null | Change::Unread => out.put_i32(-1),
        Change::Bytes(bytes) => {
            out.put_i32(i32::try_from(bytes.len()).map_err(|_| MaskFault::TooLarge)?);
            out.extend_from_slice(bytes);
        }
    }
    Ok(())
}

impl RowPlan {
    /// Masks one row. `body` is what follows the length of the `DataRow` message; when anything changes the
    /// new body is appended to `out`, and on a fault nothing is.
    ///
    /// # Errors
    /// The row does not read, has other columns than were described, or is over the limit.
    pub(crate) fn mask_row(&self, body: &[u8], out: &mut BytesMut) -> Result<RowOutcome, MaskFault> {
        let begun = out.len();
        let outcome = self.mask_into(body, out);
        if outcome.is_err() {
            out.truncate(begun);
        }
        outcome
    }

    fn mask_into(&self, body: &[u8], out: &mut BytesMut) -> Result<RowOutcome, MaskFault> {
        if body.len() > ROW_LIMIT_BYTES {
            return Err(MaskFault::TooLarge);
        }
        let mut cursor = Cursor::new(body);
        let count = cursor.i16().and_then(|count| usize::try_from(count).ok()).ok_or(MaskFault::Malformed)?;
        if count != self.columns.len() {
            return Err(MaskFault::Malformed);
        }
        let (mut copied, mut masked, mut unread) = (0, 0_u32, 0_u32);
        for column in &self.columns {
            let start = cursor.at();
            let Some(value) = cursor.value().ok_or(MaskFault::Malformed)? else { continue };
            if let Some(change) = value::mask(column, value, &self.means) {
                out.extend_from_slice(body.get(copied..start).unwrap_or(&[]));
                put_value(out, &change)?;
                copied = cursor.at();
                masked = masked.saturating_add(1);
                unread = unread.saturating_add(u32::from(change.is_unread()));
            }
        }
        if !cursor.is_empty() {
            return Err(MaskFault::Malformed);
        }
        if masked > 0 {
            out.extend_from_slice(body.get(copied..).unwrap_or(&[]));
        }
        Ok(RowOutcome { changed: masked > 0, masked, unread })
    }
}

#[cfg(test)]
#[path = "row_tests.rs"]
mod tests;
