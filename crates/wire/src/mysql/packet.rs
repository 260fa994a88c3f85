//! Packets: three bytes of length, one of sequence, the payload ("MySQL Packets"). A payload of 16 MiB or
//! more goes in several, of which only the last is shorter than [`MAX_CHUNK`].

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::error::WireError;

/// The longest payload of one packet.
pub const MAX_CHUNK: usize = 0xff_ffff;

/// Bytes before a payload.
const HEADER: usize = 4;

/// One payload, joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The sequence of its first packet.
    pub first: u8,
    /// The sequence of its last packet.
    pub last: u8,
    payload: Bytes,
}

impl Packet {
    /// The payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The first byte, 0 when there is none.
    #[must_use]
    pub fn tag(&self) -> u8 {
        self.payload.first().copied().unwrap_or(0)
    }

    /// Takes the payload.
    #[must_use]
    pub fn into_payload(self) -> Bytes {
        self.payload
    }
}

/// Cuts a byte stream into payloads. Holds no bytes itself.
#[derive(Clone, Copy, Debug)]
pub struct PacketDecoder {
    limit: usize,
}

/// Length and sequence of the packet at `at`, once they are there.
fn header(buffer: &[u8], at: usize) -> Option<(usize, u8)> {
    let bytes = buffer.get(at..at.checked_add(HEADER)?)?;
    let &[a, b, c, sequence] = bytes.first_chunk::<HEADER>()?;
    Some((usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16, sequence))
}

impl PacketDecoder {
    /// A decoder that refuses payloads of more than `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit }
    }

    /// Takes one payload off the front of `buffer`; nothing when it is not whole yet. Reserves no more than
    /// the one packet needs, and that only once its length is known to be allowed.
    ///
    /// # Errors
    /// A payload over the limit, or packets of one payload out of order. Of the first, [`Discard`] can take
    /// what is left.
    pub fn decode(&self, buffer: &mut BytesMut) -> Result<Option<Packet>, WireError> {
        let (mut at, mut total, mut packets) = (0_usize, 0_usize, 0_usize);
        let (mut first, mut last) = (0_u8, 0_u8);
        loop {
            let Some((length, sequence)) = header(buffer, at) else { return Ok(None) };
            if packets == 0 {
                first = sequence;
            } else if sequence != last.wrapping_add(1) {
                return Err(WireError::Order);
            }
            last = sequence;
            total = total.saturating_add(length);
            if total > self.limit {
                return Err(WireError::TooLarge { limit: self.limit });
            }
            at = at.saturating_add(HEADER).saturating_add(length);
            if buffer.len() < at {
                buffer.reserve(at - buffer.len());
                return Ok(None);
            }
            packets = packets.saturating_add(1);
            if length < MAX_CHUNK {
                break;
            }
        }
        let mut whole = buffer.split_to(at);
        if packets == 1 {
            whole.advance(HEADER);
            return Ok(Some(Packet { first, last, payload: whole.freeze() }));
        }
        let mut payload = BytesMut::with_capacity(total);
        while let Some((length, _)) = header(&whole, 0) {
            whole.advance(HEADER);
            payload.put_slice(whole.get(..length).unwrap_or_default());
            whole.advance(length.min(whole.len()));
        }
        Ok(Some(Packet { first, last, payload: payload.freeze() }))
    }
}

/// Passes over one payload without keeping it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard {
    left: usize,
    more: bool,
    begun: bool,
}

impl Discard {
    /// Takes what is there of the payload; whether that was all of it.
    pub fn take(&mut self, buffer: &mut BytesMut) -> bool {
        loop {
            let some = self.left.min(buffer.len());
            buffer.advance(some);
            self.left -= some;
            if self.left > 0 {
                return false;
            }
            if self.begun && !self.more {
                return true;
            }
            let Some((length, _)) = header(buffer, 0) else { return false };
            buffer.advance(HEADER);
            (self.left, self.more, self.begun) = (length, length == MAX_CHUNK, true);
        }
    }
}

/// Appends a payload as one packet or several; `sequence` is the first one's, and the next one's afterwards.
pub fn put_packet(out: &mut BytesMut, sequence: &mut u8, payload: &[u8]) {
    let mut rest = payload;
    loop {
        let (chunk, after) = rest.split_at_checked(MAX_CHUNK).unwrap_or((rest, &[]));
        put_header(out, chunk.len(), *sequence);
        *sequence = sequence.wrapping_add(1);
        out.put_slice(chunk);
        if chunk.len() < MAX_CHUNK {
            return;
        }
        rest = after;
    }
}

fn put_header(out: &mut BytesMut, length: usize, sequence: u8) {
    let [a, b, c, ..] = length.to_le_bytes();
    out.put_slice(&[a, b, c, sequence]);
}

/// Starts a packet at the end of `out`; [`finish_packet`] with the returned mark writes its header.
pub fn start_packet(out: &mut BytesMut) -> usize {
    let mark = out.len();
    out.put_u32(0);
    mark
}

/// Writes the header of the packet begun at `mark`; a payload too long for one packet is cut into several.
pub fn finish_packet(out: &mut BytesMut, mark: usize, sequence: &mut u8) {
    let length = out.len().saturating_sub(mark + HEADER);
    if length >= MAX_CHUNK {
        let mut long = out.split_off(mark.min(out.len()));
        long.advance(HEADER.min(long.len()));
        put_packet(out, sequence, &long);
        return;
    }
    let [a, b, c, ..] = length.to_le_bytes();
    if let Some(slot) = out.get_mut(mark..mark + HEADER) {
        slot.copy_from_slice(&[a, b, c, *sequence]);
    }
    *sequence = sequence.wrapping_add(1);
}
