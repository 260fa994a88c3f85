//! Checked reads from a payload, little endian as the protocol has it ("Basic Data Types").

use bytes::{BufMut as _, BytesMut};

use super::error::WireError;

/// A cursor over a payload. Every read names the kind of packet on failure.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads a payload of that kind.
    #[must_use]
    pub fn new(what: &'static str, payload: &'a [u8]) -> Self {
        Self { rest: payload, what }
    }

    /// The failure to read this kind of packet.
    #[must_use]
    pub fn malformed(&self) -> WireError {
        WireError::Malformed { what: self.what }
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// Malformed when fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(self.malformed())?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let head = self.take(N)?;
        head.try_into().map_err(|_| self.malformed())
    }

    /// `int<1>`.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// `int<2>`.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_le_bytes)
    }

    /// `int<4>`.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    /// `int<8>`.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    /// `int<lenenc>`; NULL and the error mark are no numbers.
    ///
    /// # Errors
    /// Malformed at the end, or when it is no number.
    pub fn lenenc(&mut self) -> Result<u64, WireError> {
        match self.u8()? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.u16().map(u64::from),
            0xfd => self.array::<3>().map(|[a, b, c]| u64::from(u32::from_le_bytes([a, b, c, 0]))),
            0xfe => self.u64(),
            _ => Err(self.malformed()),
        }
    }

    /// `string<lenenc>`.
    ///
    /// # Errors
    /// Malformed when fewer bytes are left than it says.
    pub fn lenenc_bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = usize::try_from(self.lenenc()?).map_err(|_| self.malformed())?;
        self.take(length)
    }

    /// A value of a text row: `string<lenenc>`, or NULL.
    ///
    /// # Errors
    /// As for [`Reader::lenenc_bytes`].
    pub fn text_value(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        if self.rest.first() == Some(&0xfb) {
            self.take(1)?;
            return Ok(None);
        }
        self.lenenc_bytes().map(Some)
    }

    /// `string<NUL>`: bytes up to a NUL, which is consumed and not returned.
    ///
    /// # Errors
    /// Malformed when there is no NUL.
    pub fn nul_bytes(&mut self) -> Result<&'a [u8], WireError> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or(self.malformed())?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    /// `string<NUL>`, or all that is left when there is no NUL: old peers leave it out at the end.
    #[must_use]
    pub fn nul_or_rest(&mut self) -> &'a [u8] {
        match self.nul_bytes() {
            Ok(text) => text,
            Err(_) => self.remaining(),
        }
    }

    /// All that is left.
    pub fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Malformed when bytes are left over.
    pub fn finish(self) -> Result<(), WireError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed()) }
    }
}

/// Appends an `int<lenenc>`.
pub fn put_lenenc(out: &mut BytesMut, value: u64) {
    let [a, b, c, ..] = value.to_le_bytes();
    match value {
        0..=0xfa => out.put_u8(a),
        0xfb..=0xffff => out.put_slice(&[0xfc, a, b]),
        0x1_0000..=0xff_ffff => out.put_slice(&[0xfd, a, b, c]),
        _ => {
            out.put_u8(0xfe);
            out.put_u64_le(value);
        }
    }
}

/// Appends a `string<lenenc>`.
pub fn put_lenenc_bytes(out: &mut BytesMut, bytes: &[u8]) {
    put_lenenc(out, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    out.put_slice(bytes);
}
