//! What a result's columns are ("Column Definition"), and how long a binary value of each type is.

use super::error::WireError;
use super::reader::Reader;

/// Column types ("Column Types").
pub mod kind {
    /// `DECIMAL` of before 5.0.
    pub const DECIMAL: u8 = 0;
    /// `TINYINT`
    pub const TINY: u8 = 1;
    /// `SMALLINT`
    pub const SHORT: u8 = 2;
    /// `INT`
    pub const LONG: u8 = 3;
    /// `FLOAT`
    pub const FLOAT: u8 = 4;
    /// `DOUBLE`
    pub const DOUBLE: u8 = 5;
    /// `NULL`
    pub const NULL: u8 = 6;
    /// `TIMESTAMP`
    pub const TIMESTAMP: u8 = 7;
    /// `BIGINT`
    pub const LONGLONG: u8 = 8;
    /// `MEDIUMINT`
    pub const INT24: u8 = 9;
    /// `DATE`
    pub const DATE: u8 = 10;
    /// `TIME`
    pub const TIME: u8 = 11;
    /// `DATETIME`
    pub const DATETIME: u8 = 12;
    /// `YEAR`
    pub const YEAR: u8 = 13;
    /// `VARCHAR`
    pub const VARCHAR: u8 = 15;
    /// `BIT`
    pub const BIT: u8 = 16;
    /// `JSON` of MySQL.
    pub const JSON: u8 = 245;
    /// `DECIMAL`
    pub const NEWDECIMAL: u8 = 246;
    /// `ENUM`
    pub const ENUM: u8 = 247;
    /// `SET`
    pub const SET: u8 = 248;
    /// `TINYBLOB`, `TINYTEXT`
    pub const TINY_BLOB: u8 = 249;
    /// `MEDIUMBLOB`, `MEDIUMTEXT`
    pub const MEDIUM_BLOB: u8 = 250;
    /// `LONGBLOB`, `LONGTEXT`
    pub const LONG_BLOB: u8 = 251;
    /// `BLOB`, `TEXT`
    pub const BLOB: u8 = 252;
    /// `VARCHAR`, `VARBINARY`
    pub const VAR_STRING: u8 = 253;
    /// `CHAR`, `BINARY`
    pub const STRING: u8 = 254;
    /// `GEOMETRY`
    pub const GEOMETRY: u8 = 255;
}

/// The collation of bytes that are no text.
pub const BINARY: u16 = 63;

/// One column of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Database.
    pub schema: Vec<u8>,
    /// The table, by the name it goes by in the statement.
    pub table: Vec<u8>,
    /// The table itself; empty for none.
    pub org_table: Vec<u8>,
    /// The column, by the name it goes by in the result.
    pub name: Vec<u8>,
    /// The table's column; empty for none.
    pub org_name: Vec<u8>,
    /// Collation number of its values on the wire.
    pub collation: u16,
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u16,
}

impl Column {
    /// Reads a column definition. Without the extended metadata, which is not asked for.
    ///
    /// # Errors
    /// Malformed.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("column definition", payload);
        reader.lenenc_bytes()?;
        let schema = reader.lenenc_bytes()?.to_vec();
        let table = reader.lenenc_bytes()?.to_vec();
        let org_table = reader.lenenc_bytes()?.to_vec();
        let name = reader.lenenc_bytes()?.to_vec();
        let org_name = reader.lenenc_bytes()?.to_vec();
        let mut fixed = Reader::new("column definition", reader.lenenc_bytes()?);
        let collation = fixed.u16()?;
        fixed.u32()?;
        let kind = fixed.u8()?;
        let flags = fixed.u16()?;
        fixed.u8()?;
        Ok(Self { schema, table, org_table, name, org_name, collation, kind, flags })
    }
}

/// How a binary value is written ("Binary Protocol Value").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// So many bytes.
    Fixed(usize),
    /// A byte of length, then so many.
    Short,
    /// A length-encoded length, then so many.
    Long,
}

/// How a value of that type is written; nothing for a type that does not exist.
#[must_use]
pub fn width(kind: u8) -> Option<Width> {
    Some(match kind {
        kind::NULL => Width::Fixed(0),
        kind::TINY => Width::Fixed(1),
        kind::SHORT | kind::YEAR => Width::Fixed(2),
        kind::LONG | kind::INT24 | kind::FLOAT => Width::Fixed(4),
        kind::LONGLONG | kind::DOUBLE => Width::Fixed(8),
        kind::DATE | kind::DATETIME | kind::TIMESTAMP | kind::TIME => Width::Short,
        kind::DECIMAL | kind::VARCHAR | kind::BIT | kind::JSON..=kind::GEOMETRY => Width::Long,
        _ => return None,
    })
}

/// A binary value of that type, without the length before it.
///
/// # Errors
/// Malformed, or a type that does not exist.
pub fn binary_value<'a>(reader: &mut Reader<'a>, kind: u8) -> Result<&'a [u8], WireError> {
    match width(kind).ok_or(reader.malformed())? {
        Width::Fixed(length) => reader.take(length),
        Width::Short => {
            let length = usize::from(reader.u8()?);
            if length > 12 {
                return Err(reader.malformed());
            }
            reader.take(length)
        }
        Width::Long => reader.lenenc_bytes(),
    }
}
