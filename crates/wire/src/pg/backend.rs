//! Messages from the server ("Message Formats", those marked B).

use bytes::{BufMut as _, BytesMut};

use super::error::WireError;
use super::frame::{Frame, finish_frame, start_frame};
use super::reader::Reader;
use super::startup::put_c_string;

/// Type bytes of the server's messages.
pub mod tag {
    #![expect(missing_docs, reason = "each is named as in the protocol's documentation")]
    pub const AUTHENTICATION: u8 = b'R';
    pub const BACKEND_KEY_DATA: u8 = b'K';
    pub const BIND_COMPLETE: u8 = b'2';
    pub const CLOSE_COMPLETE: u8 = b'3';
    pub const COMMAND_COMPLETE: u8 = b'C';
    pub const COPY_BOTH_RESPONSE: u8 = b'W';
    pub const COPY_DATA: u8 = b'd';
    pub const COPY_DONE: u8 = b'c';
    pub const COPY_IN_RESPONSE: u8 = b'G';
    pub const COPY_OUT_RESPONSE: u8 = b'H';
    pub const DATA_ROW: u8 = b'D';
    pub const EMPTY_QUERY_RESPONSE: u8 = b'I';
    pub const ERROR_RESPONSE: u8 = b'E';
    pub const FUNCTION_CALL_RESPONSE: u8 = b'V';
    pub const NEGOTIATE_PROTOCOL_VERSION: u8 = b'v';
    pub const NO_DATA: u8 = b'n';
    pub const NOTICE_RESPONSE: u8 = b'N';
    pub const NOTIFICATION_RESPONSE: u8 = b'A';
    pub const PARAMETER_DESCRIPTION: u8 = b't';
    pub const PARAMETER_STATUS: u8 = b'S';
    pub const PARSE_COMPLETE: u8 = b'1';
    pub const PORTAL_SUSPENDED: u8 = b's';
    pub const READY_FOR_QUERY: u8 = b'Z';
    pub const ROW_DESCRIPTION: u8 = b'T';
}

/// One column of a `RowDescription`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDescription {
    /// Column name.
    pub name: Vec<u8>,
    /// Table it comes from, or 0.
    pub table_oid: u32,
    /// Column number within it, or 0.
    pub column_number: i16,
    /// Type.
    pub type_oid: u32,
    /// Size of the type; negative when variable.
    pub type_size: i16,
    /// Type modifier.
    pub type_modifier: i32,
    /// 0 text, 1 binary; 0 when not known yet.
    pub format: i16,
}

/// Reads a `RowDescription`.
///
/// # Errors
/// A malformed body.
pub fn row_description(frame: &Frame) -> Result<Vec<FieldDescription>, WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let fields = (0..r.count()?)
        .map(|_| {
            Ok(FieldDescription {
                name: r.c_string()?.to_vec(),
                table_oid: r.u32()?,
                column_number: r.i16()?,
                type_oid: r.u32()?,
                type_size: r.i16()?,
                type_modifier: r.i32()?,
                format: r.i16()?,
            })
        })
        .collect::<Result<_, _>>()?;
    r.finish()?;
    Ok(fields)
}

/// Reads a `ParameterDescription`: the types of a statement's parameters.
///
/// # Errors
/// A malformed body.
pub fn parameter_description(frame: &Frame) -> Result<Vec<u32>, WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let types = (0..r.count()?).map(|_| r.u32()).collect::<Result<_, _>>()?;
    r.finish()?;
    Ok(types)
}

/// Reads a `ParameterStatus`: name and value.
///
/// # Errors
/// A malformed body.
pub fn parameter_status(frame: &Frame) -> Result<(&[u8], &[u8]), WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let pair = (r.c_string()?, r.c_string()?);
    r.finish()?;
    Ok(pair)
}

/// Reads a `DataRow`: values, nothing for NULL.
///
/// # Errors
/// A malformed body.
pub fn data_row(frame: &Frame) -> Result<Vec<Option<&[u8]>>, WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let values = (0..r.count()?).map(|_| r.value()).collect::<Result<_, _>>()?;
    r.finish()?;
    Ok(values)
}

/// Reads the fields of an `ErrorResponse` or `NoticeResponse`: code and text, in order.
///
/// # Errors
/// A malformed body.
pub fn error_fields(frame: &Frame) -> Result<Vec<(u8, Vec<u8>)>, WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let mut fields = Vec::new();
    loop {
        match r.u8()? {
            0 => break,
            code => fields.push((code, r.c_string()?.to_vec())),
        }
    }
    r.finish()?;
    Ok(fields)
}

/// The transaction status that `ReadyForQuery` reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// `I`.
    Idle,
    /// `T`.
    Open,
    /// `E`.
    Failed,
}

impl TransactionStatus {
    /// The byte on the wire.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Idle => b'I',
            Self::Open => b'T',
            Self::Failed => b'E',
        }
    }
}

/// Reads a `ReadyForQuery`.
///
/// # Errors
/// A malformed body or an unknown status.
pub fn ready_for_query(frame: &Frame) -> Result<TransactionStatus, WireError> {
    match frame.body() {
        b"I" => Ok(TransactionStatus::Idle),
        b"T" => Ok(TransactionStatus::Open),
        b"E" => Ok(TransactionStatus::Failed),
        _ => Err(WireError::Malformed { tag: frame.tag() }),
    }
}

/// Reads a `CommandComplete`: its tag, `SELECT 5` and the like.
///
/// # Errors
/// A malformed body.
pub fn command_complete(frame: &Frame) -> Result<&[u8], WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let tag = r.c_string()?;
    r.finish()?;
    Ok(tag)
}

/// Writes a `ReadyForQuery`.
pub fn put_ready_for_query(out: &mut BytesMut, status: TransactionStatus) {
    let mark = start_frame(out, tag::READY_FOR_QUERY);
    out.put_u8(status.byte());
    finish_frame(out, mark);
}

/// Writes a `CommandComplete`.
pub fn put_command_complete(out: &mut BytesMut, command: &[u8]) {
    let mark = start_frame(out, tag::COMMAND_COMPLETE);
    put_c_string(out, command);
    finish_frame(out, mark);
}

/// Writes a `NotificationResponse`.
pub fn put_notification(out: &mut BytesMut, pid: u32, channel: &[u8], payload: &[u8]) {
    let mark = start_frame(out, tag::NOTIFICATION_RESPONSE);
    out.put_u32(pid);
    put_c_string(out, channel);
    put_c_string(out, payload);
    finish_frame(out, mark);
}

/// Reads a `NotificationResponse`: process id, channel, payload.
///
/// # Errors
/// A malformed body.
pub fn notification(frame: &Frame) -> Result<(u32, &[u8], &[u8]), WireError> {
    let mut r = Reader::new(frame.tag(), frame.body());
    let parts = (r.u32()?, r.c_string()?, r.c_string()?);
    r.finish()?;
    Ok(parts)
}

/// Writes an `ErrorResponse` or `NoticeResponse`, by its type byte.
pub fn put_error_fields<T: AsRef<[u8]>>(out: &mut BytesMut, message: u8, fields: &[(u8, T)]) {
    let mark = start_frame(out, message);
    for (code, text) in fields {
        out.put_u8(*code);
        put_c_string(out, text.as_ref());
    }
    out.put_u8(0);
    finish_frame(out, mark);
}

/// Writes a `ParameterStatus`.
pub fn put_parameter_status(out: &mut BytesMut, name: &[u8], value: &[u8]) {
    let mark = start_frame(out, tag::PARAMETER_STATUS);
    put_c_string(out, name);
    put_c_string(out, value);
    finish_frame(out, mark);
}

/// Writes a `BackendKeyData`.
pub fn put_backend_key_data(out: &mut BytesMut, pid: u32, secret: &[u8]) {
    let mark = start_frame(out, tag::BACKEND_KEY_DATA);
    out.put_u32(pid);
    out.put_slice(secret);
    finish_frame(out, mark);
}

/// Writes `AuthenticationOk`.
pub fn put_authentication_ok(out: &mut BytesMut) {
    let mark = start_frame(out, tag::AUTHENTICATION);
    out.put_i32(0);
    finish_frame(out, mark);
}

/// Writes `AuthenticationCleartextPassword`.
pub fn put_authentication_cleartext(out: &mut BytesMut) {
    let mark = start_frame(out, tag::AUTHENTICATION);
    out.put_i32(3);
    finish_frame(out, mark);
}

/// Writes `AuthenticationSASL`: the mechanisms that are offered.
pub fn put_authentication_sasl(out: &mut BytesMut, mechanisms: &[&str]) {
    let mark = start_frame(out, tag::AUTHENTICATION);
    out.put_i32(10);
    for mechanism in mechanisms {
        put_c_string(out, mechanism.as_bytes());
    }
    out.put_u8(0);
    finish_frame(out, mark);
}

/// Writes `AuthenticationSASLContinue`.
pub fn put_sasl_continue(out: &mut BytesMut, challenge: &[u8]) {
    let mark = start_frame(out, tag::AUTHENTICATION);
    out.put_i32(11);
    out.put_slice(challenge);
    finish_frame(out, mark);
}

/// Writes `NegotiateProtocolVersion`: the version that is spoken, and options not known. Servers send the
/// whole version, major and minor, and that is what clients read.
pub fn put_negotiate_version(out: &mut BytesMut, (major, minor): (u16, u16), unknown: &[&str]) {
    let mark = start_frame(out, tag::NEGOTIATE_PROTOCOL_VERSION);
    out.put_u16(major);
    out.put_u16(minor);
    out.put_i32(i32::try_from(unknown.len()).unwrap_or(i32::MAX));
    for name in unknown {
        put_c_string(out, name.as_bytes());
    }
    finish_frame(out, mark);
}
