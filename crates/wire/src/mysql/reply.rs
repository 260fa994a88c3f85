//! How a server answers ("Generic Response Packets", "COM_STMT_PREPARE Response").

use bytes::{BufMut as _, BytesMut};

use super::capability as cap;
use super::error::WireError;
use super::reader::{Reader, put_lenenc, put_lenenc_bytes};

/// First bytes of answers.
pub mod tag {
    /// OK; also the first byte of a binary row.
    pub const OK: u8 = 0x00;
    /// ERR; with the number 0xffff a progress report of MariaDB.
    pub const ERR: u8 = 0xff;
    /// EOF, or OK in its place; also the first byte of a very long value.
    pub const EOF: u8 = 0xfe;
    /// The server wants a local file of the client's.
    pub const LOCAL_INFILE: u8 = 0xfb;
}

/// Status flags.
pub mod status {
    /// A transaction is open.
    pub const IN_TRANSACTION: u16 = 0x0001;
    /// Statements commit by themselves.
    pub const AUTOCOMMIT: u16 = 0x0002;
    /// Another result follows.
    pub const MORE_RESULTS: u16 = 0x0008;
    /// A cursor is open: rows come when they are fetched.
    pub const CURSOR: u16 = 0x0040;
    /// The last row of a cursor has been sent.
    pub const LAST_ROW: u16 = 0x0080;
    /// The current database is gone.
    pub const DATABASE_DROPPED: u16 = 0x0100;
    /// `NO_BACKSLASH_ESCAPES` is on.
    pub const NO_BACKSLASH_ESCAPES: u16 = 0x0200;
    /// State changes follow in the OK.
    pub const STATE_CHANGED: u16 = 0x4000;
    /// MariaDB: `ANSI_QUOTES` is on.
    pub const ANSI_QUOTES: u16 = 0x8000;
    /// The result is the OUT parameters of a procedure.
    pub const OUT_PARAMETERS: u16 = 0x1000;
}

/// An EOF of the classic form is shorter than this; a row may begin with the same byte, but is longer.
const EOF_LENGTH: usize = 9;

/// OK, or an EOF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows changed.
    pub affected: u64,
    /// The last number of an `AUTO_INCREMENT`.
    pub insert_id: u64,
    /// Status flags.
    pub status: u16,
    /// How many warnings there are.
    pub warnings: u16,
    /// What the server says of it.
    pub info: Vec<u8>,
}

impl Done {
    /// Reads an OK, also one in the place of an EOF. Changes of state are not asked for, so there are none.
    ///
    /// # Errors
    /// Malformed.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("OK", payload);
        if !matches!(reader.u8()?, tag::OK | tag::EOF) {
            return Err(reader.malformed());
        }
        let affected = reader.lenenc()?;
        let insert_id = reader.lenenc()?;
        let status = reader.u16()?;
        let warnings = reader.u16()?;
        Ok(Self { affected, insert_id, status, warnings, info: reader.remaining().to_vec() })
    }

    /// Reads an EOF of the classic form.
    ///
    /// # Errors
    /// Malformed.
    pub fn parse_eof(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("EOF", payload);
        if reader.u8()? != tag::EOF {
            return Err(reader.malformed());
        }
        let warnings = reader.u16()?;
        let status = reader.u16()?;
        reader.finish()?;
        Ok(Self { status, warnings, ..Self::default() })
    }

    /// Whether another result follows.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.status & status::MORE_RESULTS != 0
    }

    /// Writes it as an OK.
    pub fn put(&self, out: &mut BytesMut) {
        self.put_as(out, tag::OK);
    }

    fn put_as(&self, out: &mut BytesMut, first: u8) {
        out.put_u8(first);
        put_lenenc(out, self.affected);
        put_lenenc(out, self.insert_id);
        out.put_u16_le(self.status & !status::STATE_CHANGED);
        out.put_u16_le(self.warnings);
        out.put_slice(&self.info);
    }

    /// Writes it as the end of rows, in the form that a peer of these capabilities reads.
    pub fn put_end(&self, out: &mut BytesMut, capabilities: u64) {
        if capabilities & cap::DEPRECATE_EOF != 0 {
            self.put_as(out, tag::EOF);
        } else {
            self.put_eof(out);
        }
    }

    /// Writes it as an EOF of the classic form.
    pub fn put_eof(&self, out: &mut BytesMut) {
        out.put_u8(tag::EOF);
        out.put_u16_le(self.warnings);
        out.put_u16_le(self.status & !status::STATE_CHANGED);
    }
}

/// Whether a packet among rows is their end, from a peer of these capabilities.
#[must_use]
pub fn is_end(payload: &[u8], capabilities: u64) -> bool {
    let longest = if capabilities & cap::DEPRECATE_EOF != 0 { super::MAX_CHUNK } else { EOF_LENGTH };
    payload.first() == Some(&tag::EOF) && payload.len() < longest
}

/// Reads the end of rows, in either form.
///
/// # Errors
/// Malformed.
pub fn end(payload: &[u8], capabilities: u64) -> Result<Done, WireError> {
    if capabilities & cap::DEPRECATE_EOF != 0 { Done::parse(payload) } else { Done::parse_eof(payload) }
}

/// An error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The server's number.
    pub code: u16,
    /// SQLSTATE; nothing before sign-in.
    pub state: Option<[u8; 5]>,
    /// What is wrong.
    pub message: Vec<u8>,
}

/// The number that makes an ERR a progress report.
pub const PROGRESS: u16 = 0xffff;

impl Failure {
    /// Reads an ERR. Of a progress report, the message is the report.
    ///
    /// # Errors
    /// Malformed.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("ERR", payload);
        if reader.u8()? != tag::ERR {
            return Err(reader.malformed());
        }
        let code = reader.u16()?;
        let rest = reader.remaining();
        let (state, message) = match rest.split_first_chunk::<6>() {
            Some((&[b'#', a, b, c, d, e], message)) if code != PROGRESS => (Some([a, b, c, d, e]), message),
            _ => (None, rest),
        };
        Ok(Self { code, state, message: message.to_vec() })
    }

    /// Writes the payload.
    pub fn put(&self, out: &mut BytesMut) {
        out.put_u8(tag::ERR);
        out.put_u16_le(self.code);
        if let Some(state) = &self.state {
            out.put_u8(b'#');
            out.put_slice(state);
        }
        out.put_slice(&self.message);
    }
}

/// Writes a progress report: what goes on, as text.
pub fn put_progress(out: &mut BytesMut, stage: u8, stages: u8, info: &[u8]) {
    out.put_u8(tag::ERR);
    out.put_u16_le(PROGRESS);
    out.put_u8(1);
    out.put_slice(&[stage, stages]);
    out.put_slice(&[0, 0, 0]);
    put_lenenc_bytes(out, info);
}

/// The number of columns that a result begins with.
///
/// # Errors
/// Malformed.
pub fn column_count(payload: &[u8]) -> Result<usize, WireError> {
    let mut reader = Reader::new("column count", payload);
    let count = usize::try_from(reader.lenenc()?).map_err(|_| reader.malformed())?;
    if count == 0 || count > usize::from(u16::MAX) {
        return Err(reader.malformed());
    }
    reader.finish()?;
    Ok(count)
}

/// The OK of a PREPARE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The statement's number.
    pub statement: u32,
    /// Columns of its result.
    pub columns: u16,
    /// Its parameters.
    pub parameters: u16,
    /// How many warnings there are.
    pub warnings: u16,
}

impl Prepared {
    /// Reads the OK of a PREPARE.
    ///
    /// # Errors
    /// Malformed.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("OK of a PREPARE", payload);
        if reader.u8()? != tag::OK {
            return Err(reader.malformed());
        }
        let statement = reader.u32()?;
        let columns = reader.u16()?;
        let parameters = reader.u16()?;
        let warnings = if reader.left() >= 3 {
            reader.u8()?;
            reader.u16()?
        } else {
            0
        };
        Ok(Self { statement, columns, parameters, warnings })
    }
}
