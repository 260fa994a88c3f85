//! What a client asks ("Command Phase", "COM_STMT_EXECUTE").

use bytes::{BufMut as _, BytesMut};

use super::column::{binary_value, kind};
use super::error::WireError;
use super::reader::Reader;

/// The numbers of commands.
pub mod number {
    /// `COM_QUIT`
    pub const QUIT: u8 = 0x01;
    /// `COM_INIT_DB`
    pub const INIT_DB: u8 = 0x02;
    /// `COM_QUERY`
    pub const QUERY: u8 = 0x03;
    /// `COM_FIELD_LIST`
    pub const FIELD_LIST: u8 = 0x04;
    /// `COM_STATISTICS`
    pub const STATISTICS: u8 = 0x09;
    /// `COM_PROCESS_KILL`
    pub const PROCESS_KILL: u8 = 0x0c;
    /// `COM_PING`
    pub const PING: u8 = 0x0e;
    /// `COM_STMT_PREPARE`
    pub const STMT_PREPARE: u8 = 0x16;
    /// `COM_STMT_EXECUTE`
    pub const STMT_EXECUTE: u8 = 0x17;
    /// `COM_STMT_SEND_LONG_DATA`
    pub const STMT_SEND_LONG_DATA: u8 = 0x18;
    /// `COM_STMT_CLOSE`
    pub const STMT_CLOSE: u8 = 0x19;
    /// `COM_STMT_RESET`
    pub const STMT_RESET: u8 = 0x1a;
    /// `COM_SET_OPTION`
    pub const SET_OPTION: u8 = 0x1b;
    /// `COM_STMT_FETCH`
    pub const STMT_FETCH: u8 = 0x1c;
    /// `COM_RESET_CONNECTION`
    pub const RESET_CONNECTION: u8 = 0x1f;
    /// `COM_STMT_BULK_EXECUTE` of MariaDB.
    pub const STMT_BULK_EXECUTE: u8 = 0xfa;
}

/// A command, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// Goodbye.
    Quit,
    /// Another current database.
    InitDb(&'a [u8]),
    /// A text to run.
    Query(&'a [u8]),
    /// The columns of a table.
    FieldList {
        /// The table.
        table: &'a [u8],
        /// Which columns, as LIKE has it.
        wildcard: &'a [u8],
    },
    /// A line about the server.
    Statistics,
    /// Another connection is to end.
    ProcessKill(u32),
    /// Whether the server is there.
    Ping,
    /// A text to prepare.
    Prepare(&'a [u8]),
    /// A prepared statement to run; [`Execute::parse`] reads the rest.
    Execute {
        /// The statement.
        statement: u32,
    },
    /// A prepared statement to run for many rows of parameters; [`Bulk::parse`](super::bulk::Bulk::parse) reads
    /// the rest.
    BulkExecute {
        /// The statement.
        statement: u32,
    },
    /// A part of a parameter.
    SendLongData {
        /// The statement.
        statement: u32,
        /// The parameter.
        parameter: u16,
        /// The part.
        data: &'a [u8],
    },
    /// A prepared statement to forget.
    Close(u32),
    /// A prepared statement to put back: its cursor, its long data.
    Reset(u32),
    /// Several statements in a text: on (0) or off (1).
    SetOption(u16),
    /// Rows of an open cursor.
    Fetch {
        /// The statement.
        statement: u32,
        /// How many.
        rows: u32,
    },
    /// The session as it was after sign-in.
    ResetConnection,
    /// Anything else, by its number.
    Other(u8),
}

impl<'a> Command<'a> {
    /// Reads a command.
    ///
    /// # Errors
    /// Empty, or malformed.
    pub fn parse(payload: &'a [u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("command", payload);
        Ok(match reader.u8()? {
            number::QUIT => Self::Quit,
            number::INIT_DB => Self::InitDb(reader.remaining()),
            number::QUERY => Self::Query(reader.remaining()),
            number::FIELD_LIST => {
                Self::FieldList { table: reader.nul_bytes()?, wildcard: reader.remaining() }
            }
            number::STATISTICS => Self::Statistics,
            number::PROCESS_KILL => Self::ProcessKill(reader.u32()?),
            number::PING => Self::Ping,
            number::STMT_PREPARE => Self::Prepare(reader.remaining()),
            number::STMT_EXECUTE => Self::Execute { statement: reader.u32()? },
            number::STMT_BULK_EXECUTE => Self::BulkExecute { statement: reader.u32()? },
            number::STMT_SEND_LONG_DATA => Self::SendLongData {
                statement: reader.u32()?,
                parameter: reader.u16()?,
                data: reader.remaining(),
            },
            number::STMT_CLOSE => Self::Close(reader.u32()?),
            number::STMT_RESET => Self::Reset(reader.u32()?),
            number::SET_OPTION => Self::SetOption(reader.u16()?),
            number::STMT_FETCH => Self::Fetch { statement: reader.u32()?, rows: reader.u32()? },
            number::RESET_CONNECTION => Self::ResetConnection,
            other => Self::Other(other),
        })
    }
}

/// The type of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParameterType {
    /// The column type.
    pub kind: u8,
    /// Whether a number has no sign.
    pub unsigned: bool,
}

/// One parameter of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// NULL.
    Null,
    /// Its bytes, without the length before them.
    Bytes(&'a [u8]),
    /// It was sent before, in parts.
    Sent,
}

/// `COM_STMT_EXECUTE`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execute<'a> {
    /// Cursor flags.
    pub flags: u8,
    /// The types of the parameters, when they are given anew.
    pub types: Option<Vec<ParameterType>>,
    /// The parameters.
    pub values: Vec<Value<'a>>,
    /// Which are NULL, as it came.
    nulls: &'a [u8],
    /// The values as they came.
    rest: &'a [u8],
}

/// Flags of an execution that are known: a cursor for reading, for update, scrollable.
const CURSOR_FLAGS: u8 = 0x07;

impl<'a> Execute<'a> {
    /// Reads an execution of a statement of so many parameters. `known` are the types of the last execution;
    /// `sent` says which parameters were sent in parts.
    ///
    /// # Errors
    /// Malformed, flags that are not known, or types that were never given.
    pub fn parse(
        payload: &'a [u8],
        parameters: usize,
        known: Option<&[ParameterType]>,
        sent: impl Fn(usize) -> bool,
    ) -> Result<Self, WireError> {
        let mut reader = Reader::new("COM_STMT_EXECUTE", payload);
        reader.take(5)?;
        let flags = reader.u8()?;
        // Always once; other flags and counts would be another layout.
        if flags & !CURSOR_FLAGS != 0 || reader.u32()? != 1 {
            return Err(reader.malformed());
        }
        if parameters == 0 {
            return Ok(Self { flags, types: None, values: Vec::new(), nulls: &[], rest: &[] });
        }
        let bitmap = reader.take(parameters.div_ceil(8))?;
        let types = match reader.u8()? {
            0 => None,
            1 => Some(read_types(&mut reader, parameters)?),
            _ => return Err(reader.malformed()),
        };
        let used = types.as_deref().or(known).filter(|types| types.len() == parameters);
        let used = used.ok_or(reader.malformed())?;
        let rest = reader.clone().remaining();
        let mut values = Vec::with_capacity(parameters);
        for (index, of) in used.iter().enumerate() {
            let is_null = bitmap.get(index / 8).is_some_and(|byte| byte & (1 << (index % 8)) != 0);
            values.push(if sent(index) {
                Value::Sent
            } else if is_null {
                Value::Null
            } else {
                Value::Bytes(parameter(&mut reader, of.kind)?)
            });
        }
        reader.finish()?;
        Ok(Self { flags, types, values, nulls: bitmap, rest })
    }

    /// Writes it as a command for that statement, with the types that it was read by: a server that holds
    /// others reads it all the same.
    pub fn put(&self, out: &mut BytesMut, statement: u32, types: &[ParameterType]) {
        out.put_u8(number::STMT_EXECUTE);
        out.put_u32_le(statement);
        out.put_u8(self.flags);
        out.put_u32_le(1);
        if self.values.is_empty() {
            return;
        }
        out.put_slice(self.nulls);
        out.put_u8(1);
        put_types(out, types);
        out.put_slice(self.rest);
    }
}

/// A parameter of that type, without the length before it. Not of types that one server takes for bytes, another
/// for a number, and a third for NULL with nothing behind it: clients send none of them, and whoever did would
/// have the rest read otherwise than it is read here.
pub(super) fn parameter<'a>(reader: &mut Reader<'a>, of: u8) -> Result<&'a [u8], WireError> {
    match of {
        kind::NULL | kind::INT24 | kind::YEAR | kind::BIT | kind::GEOMETRY => Err(reader.malformed()),
        of => binary_value(reader, of),
    }
}

/// Set in the second byte of a type when a number has no sign.
const UNSIGNED: u8 = 0x80;

/// Two bytes for each parameter.
pub(super) fn read_types(
    reader: &mut Reader<'_>,
    parameters: usize,
) -> Result<Vec<ParameterType>, WireError> {
    let pairs = reader.take(parameters.checked_mul(2).ok_or(reader.malformed())?)?;
    let read = |pair: &[u8]| match *pair {
        [kind, flags] => Some(ParameterType { kind, unsigned: flags & UNSIGNED != 0 }),
        _ => None,
    };
    let types: Option<Vec<ParameterType>> = pairs.chunks_exact(2).map(read).collect();
    types.ok_or(reader.malformed())
}

pub(super) fn put_types(out: &mut BytesMut, types: &[ParameterType]) {
    for of in types {
        out.put_slice(&[of.kind, if of.unsigned { UNSIGNED } else { 0 }]);
    }
}
