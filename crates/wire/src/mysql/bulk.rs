//! Many rows of parameters for one prepared statement ("COM_STMT_BULK_EXECUTE" of MariaDB).
//!
//! ```text
//! command, statement (4), flags (2), types (2 each, when the flag says so), then row by row and value by
//! value: an indicator, and the value behind it when there is one
//! ```

use bytes::{BufMut as _, BytesMut};

use super::command::{ParameterType, number, parameter, put_types, read_types};
use super::error::WireError;
use super::reader::Reader;

/// Flags of a bulk execution.
mod flag {
    /// What each row did is answered in a result.
    pub(super) const UNIT_RESULTS: u16 = 64;
    /// The types stand before the values.
    pub(super) const TYPES: u16 = 128;
}

/// What stands before a value.
mod indicator {
    pub(super) const VALUE: u8 = 0;
    pub(super) const NULL: u8 = 1;
    pub(super) const DEFAULT: u8 = 2;
    pub(super) const IGNORE: u8 = 3;
}

/// One parameter of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given<'a> {
    /// Its bytes, without the length before them.
    Bytes(&'a [u8]),
    /// NULL.
    Null,
    /// What the column has when nothing is said.
    Default,
    /// As `Default` when a row is made; an update leaves the column as it is.
    Ignore,
}

/// `COM_STMT_BULK_EXECUTE`, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bulk<'a> {
    /// The types of the parameters, when they are given anew.
    pub types: Option<Vec<ParameterType>>,
    /// What each row did is asked for.
    pub unit_results: bool,
    /// The parameters, row by row.
    pub values: Vec<Given<'a>>,
    /// The rows as they came.
    rows: &'a [u8],
}

impl<'a> Bulk<'a> {
    /// Reads a bulk execution of a statement of so many parameters, one at least. `known` are the types of the
    /// last execution; of more than `most` values nothing is kept.
    ///
    /// # Errors
    /// Malformed, without a row, flags or indicators that are not known, types that were never given; too many
    /// values.
    pub fn parse(
        payload: &'a [u8],
        parameters: usize,
        known: Option<&[ParameterType]>,
        most: usize,
    ) -> Result<Self, WireError> {
        let mut reader = Reader::new("COM_STMT_BULK_EXECUTE", payload);
        reader.take(5)?;
        let flags = reader.u16()?;
        if flags & !(flag::UNIT_RESULTS | flag::TYPES) != 0 || parameters == 0 {
            return Err(reader.malformed());
        }
        let types = if flags & flag::TYPES == 0 { None } else { Some(read_types(&mut reader, parameters)?) };
        let used = types.as_deref().or(known).filter(|types| types.len() == parameters);
        let used = used.ok_or(reader.malformed())?;
        let rows = reader.clone().remaining();
        let mut values = Vec::new();
        // The server takes no execution without a row either.
        while values.is_empty() || !reader.is_empty() {
            if values.len().saturating_add(parameters) > most {
                return Err(WireError::TooMany { limit: most });
            }
            for of in used {
                values.push(match reader.u8()? {
                    indicator::VALUE => Given::Bytes(parameter(&mut reader, of.kind)?),
                    indicator::NULL => Given::Null,
                    indicator::DEFAULT => Given::Default,
                    indicator::IGNORE => Given::Ignore,
                    _ => return Err(reader.malformed()),
                });
            }
        }
        Ok(Self { types, unit_results: flags & flag::UNIT_RESULTS != 0, values, rows })
    }

    /// Writes it as a command for that statement, with the types that it was read by: a server that holds
    /// others reads it all the same.
    pub fn put(&self, out: &mut BytesMut, statement: u32, types: &[ParameterType]) {
        out.put_u8(number::STMT_BULK_EXECUTE);
        out.put_u32_le(statement);
        out.put_u16_le(flag::TYPES | if self.unit_results { flag::UNIT_RESULTS } else { 0 });
        put_types(out, types);
        out.put_slice(self.rows);
    }
}
