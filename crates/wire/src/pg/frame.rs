//! Typed messages as raw frames: one type byte, an `Int32` length that counts itself, the body.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::error::WireError;

/// Bytes of a frame before its body.
const HEADER: usize = 5;

/// One message, raw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: Bytes,
}

impl Frame {
    /// The type byte.
    #[must_use]
    pub fn tag(&self) -> u8 {
        self.bytes.first().copied().unwrap_or(0)
    }

    /// The body, without type and length.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }

    /// The body as a slice that shares the frame's memory.
    #[must_use]
    pub fn body_bytes(&self) -> Bytes {
        let mut body = self.bytes.clone();
        body.advance(HEADER.min(body.len()));
        body
    }

    /// The whole frame as it stood on the wire.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.bytes
    }

    /// Takes the whole frame.
    #[must_use]
    pub fn into_raw(self) -> Bytes {
        self.bytes
    }
}

/// Cuts a byte stream into frames. Holds no bytes itself.
#[derive(Clone, Copy, Debug)]
pub struct FrameDecoder {
    limit: usize,
}

impl FrameDecoder {
    /// A decoder that refuses messages of more than `limit` bytes, header included.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit }
    }

    /// Takes one frame off the front of `buffer`; nothing when it is not whole yet. Reserves no more
    /// than the one message needs, and that only once its length is known to be allowed.
    ///
    /// # Errors
    /// A length below 4, or a message over the limit. The buffer is then of no further use.
    pub fn decode(&self, buffer: &mut BytesMut) -> Result<Option<Frame>, WireError> {
        let Some((_, length)) = self.peek(buffer)? else { return Ok(None) };
        if buffer.len() < length {
            buffer.reserve(length - buffer.len());
            return Ok(None);
        }
        Ok(Some(Frame { bytes: buffer.split_to(length).freeze() }))
    }

    /// Type and whole length of the message at the front, once its header is there.
    ///
    /// # Errors
    /// As for [`FrameDecoder::decode`].
    pub fn peek(&self, buffer: &[u8]) -> Result<Option<(u8, usize)>, WireError> {
        let Some(&[tag, a, b, c, d]) = buffer.first_chunk::<HEADER>() else { return Ok(None) };
        let length = usize::try_from(i32::from_be_bytes([a, b, c, d])).map_err(|_| WireError::BadLength)?;
        if length < 4 {
            return Err(WireError::BadLength);
        }
        let whole = length.saturating_add(1);
        if whole > self.limit {
            return Err(WireError::TooLarge { tag, limit: self.limit });
        }
        Ok(Some((tag, whole)))
    }
}

/// Starts a frame at the end of `out`; [`finish_frame`] with the returned mark writes its length.
pub fn start_frame(out: &mut BytesMut, tag: u8) -> usize {
    let mark = out.len();
    out.put_u8(tag);
    out.put_i32(0);
    mark
}

/// Writes the length of the frame begun at `mark`.
pub fn finish_frame(out: &mut BytesMut, mark: usize) {
    let length = i32::try_from(out.len().saturating_sub(mark + 1)).unwrap_or(i32::MAX);
    if let Some(slot) = out.get_mut(mark + 1..mark + HEADER) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
}
