//! Checked reads from a message body, big endian as the protocol has it.

use super::error::WireError;

/// A cursor over a body. Every read names the message on failure.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    tag: u8,
}

impl<'a> Reader<'a> {
    /// Reads `body` of a message of type `tag`.
    #[must_use]
    pub fn new(tag: u8, body: &'a [u8]) -> Self {
        Self { rest: body, tag }
    }

    fn malformed(&self) -> WireError {
        WireError::Malformed { tag: self.tag }
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

    /// One byte.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    /// `Int16`.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn i16(&mut self) -> Result<i16, WireError> {
        self.array().map(i16::from_be_bytes)
    }

    /// `Int16` that counts something: 0 to 65535, as the server reads it.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn count(&mut self) -> Result<usize, WireError> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    /// `Int32`.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn i32(&mut self) -> Result<i32, WireError> {
        self.array().map(i32::from_be_bytes)
    }

    /// `Int32` that is an object id.
    ///
    /// # Errors
    /// Malformed at the end.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// `String`: bytes up to a NUL, which is consumed and not returned.
    ///
    /// # Errors
    /// Malformed when there is no NUL.
    pub fn c_string(&mut self) -> Result<&'a [u8], WireError> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or(self.malformed())?;
        let text = self.take(end)?;
        self.take(1)?;
        Ok(text)
    }

    /// A value preceded by its `Int32` length; -1 is NULL.
    ///
    /// # Errors
    /// Malformed on any other negative length, or when bytes are missing.
    pub fn value(&mut self) -> Result<Option<&'a [u8]>, WireError> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| self.malformed())?;
                self.take(length).map(Some)
            }
        }
    }

    /// All that is left.
    pub fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
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
