//! Messages from the client ("Message Formats", those marked F).

use bytes::{BufMut as _, BytesMut};

use super::error::WireError;
use super::frame::{Frame, finish_frame, start_frame};
use super::reader::Reader;
use super::startup::put_c_string;

/// What Describe and Close are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A prepared statement.
    Statement,
    /// A portal.
    Portal,
}

/// The parts of a Bind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind<'a> {
    /// Portal to make.
    pub portal: &'a [u8],
    /// Statement to make it of.
    pub statement: &'a [u8],
    /// Format codes of the parameters: none, one for all, or one each.
    pub formats: Vec<i16>,
    /// Values; nothing for NULL.
    pub values: Vec<Option<&'a [u8]>>,
    /// Format codes of the result columns: none, one for all, or one each.
    pub result_formats: Vec<i16>,
}

/// A message of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrontendMessage<'a> {
    /// `Bind`.
    Bind(Bind<'a>),
    /// `Close`.
    Close(Subject, &'a [u8]),
    /// `CopyData`.
    CopyData(&'a [u8]),
    /// `CopyDone`.
    CopyDone,
    /// `CopyFail` with its reason.
    CopyFail(&'a [u8]),
    /// `Describe`.
    Describe(Subject, &'a [u8]),
    /// `Execute`.
    Execute {
        /// Portal to run.
        portal: &'a [u8],
        /// Row limit; 0 is none.
        max_rows: i32,
    },
    /// `Flush`.
    Flush,
    /// `FunctionCall`; never carried.
    FunctionCall,
    /// `Parse`.
    Parse {
        /// Statement to make.
        name: &'a [u8],
        /// Text.
        text: &'a [u8],
        /// Parameter types the client names; 0 leaves one to the server.
        types: Vec<u32>,
    },
    /// `PasswordMessage`, `SASLInitialResponse`, `SASLResponse`, `GSSResponse`: which, is known from context.
    Password(&'a [u8]),
    /// `Query`.
    Query(&'a [u8]),
    /// `Sync`.
    Sync,
    /// `Terminate`.
    Terminate,
}

impl FrontendMessage<'_> {
    /// The message's name in the protocol's documentation.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bind(_) => "Bind",
            Self::Close(..) => "Close",
            Self::CopyData(_) => "CopyData",
            Self::CopyDone => "CopyDone",
            Self::CopyFail(_) => "CopyFail",
            Self::Describe(..) => "Describe",
            Self::Execute { .. } => "Execute",
            Self::Flush => "Flush",
            Self::FunctionCall => "FunctionCall",
            Self::Parse { .. } => "Parse",
            Self::Password(_) => "PasswordMessage",
            Self::Query(_) => "Query",
            Self::Sync => "Sync",
            Self::Terminate => "Terminate",
        }
    }
}

/// Reads a frame from the client.
///
/// # Errors
/// A type byte that no client message has, or a malformed body.
pub fn parse(frame: &Frame) -> Result<FrontendMessage<'_>, WireError> {
    let tag = frame.tag();
    let mut r = Reader::new(tag, frame.body());
    let message = match tag {
        b'B' => {
            let portal = r.c_string()?;
            let statement = r.c_string()?;
            let formats = (0..r.count()?).map(|_| r.i16()).collect::<Result<_, _>>()?;
            let values = (0..r.count()?).map(|_| r.value()).collect::<Result<_, _>>()?;
            let result_formats = (0..r.count()?).map(|_| r.i16()).collect::<Result<_, _>>()?;
            FrontendMessage::Bind(Bind { portal, statement, formats, values, result_formats })
        }
        b'C' => FrontendMessage::Close(subject(&mut r, tag)?, r.c_string()?),
        b'd' => FrontendMessage::CopyData(r.remaining()),
        b'c' => FrontendMessage::CopyDone,
        b'f' => FrontendMessage::CopyFail(r.c_string()?),
        b'D' => FrontendMessage::Describe(subject(&mut r, tag)?, r.c_string()?),
        b'E' => FrontendMessage::Execute { portal: r.c_string()?, max_rows: r.i32()? },
        b'H' => FrontendMessage::Flush,
        b'F' => {
            r.remaining();
            FrontendMessage::FunctionCall
        }
        b'P' => {
            let name = r.c_string()?;
            let text = r.c_string()?;
            let types = (0..r.count()?).map(|_| r.u32()).collect::<Result<_, _>>()?;
            FrontendMessage::Parse { name, text, types }
        }
        b'p' => FrontendMessage::Password(r.remaining()),
        b'Q' => FrontendMessage::Query(r.c_string()?),
        b'S' => FrontendMessage::Sync,
        b'X' => FrontendMessage::Terminate,
        tag => return Err(WireError::UnknownTag { tag }),
    };
    r.finish()?;
    Ok(message)
}

fn subject(reader: &mut Reader<'_>, tag: u8) -> Result<Subject, WireError> {
    match reader.u8()? {
        b'S' => Ok(Subject::Statement),
        b'P' => Ok(Subject::Portal),
        _ => Err(WireError::Malformed { tag }),
    }
}

/// Writes a `Query`.
pub fn query(out: &mut BytesMut, text: &[u8]) {
    let mark = start_frame(out, b'Q');
    put_c_string(out, text);
    finish_frame(out, mark);
}

/// Writes a `Parse` without parameter types.
pub fn parse_statement(out: &mut BytesMut, name: &[u8], text: &[u8]) {
    let mark = start_frame(out, b'P');
    put_c_string(out, name);
    put_c_string(out, text);
    out.put_i16(0);
    finish_frame(out, mark);
}

/// Writes a `Bind` without parameters, results as text.
pub fn bind(out: &mut BytesMut, portal: &[u8], statement: &[u8]) {
    let mark = start_frame(out, b'B');
    put_c_string(out, portal);
    put_c_string(out, statement);
    out.put_i16(0);
    out.put_i16(0);
    out.put_i16(0);
    finish_frame(out, mark);
}

/// Writes a `Describe`.
pub fn describe(out: &mut BytesMut, subject: Subject, name: &[u8]) {
    about(out, b'D', subject, name);
}

/// Writes a `Close`.
pub fn close(out: &mut BytesMut, subject: Subject, name: &[u8]) {
    about(out, b'C', subject, name);
}

fn about(out: &mut BytesMut, tag: u8, subject: Subject, name: &[u8]) {
    let mark = start_frame(out, tag);
    out.put_u8(match subject {
        Subject::Statement => b'S',
        Subject::Portal => b'P',
    });
    put_c_string(out, name);
    finish_frame(out, mark);
}

/// Writes an `Execute`.
pub fn execute(out: &mut BytesMut, portal: &[u8], max_rows: i32) {
    let mark = start_frame(out, b'E');
    put_c_string(out, portal);
    out.put_i32(max_rows);
    finish_frame(out, mark);
}

/// Writes a `Sync`.
pub fn sync(out: &mut BytesMut) {
    let mark = start_frame(out, b'S');
    finish_frame(out, mark);
}

/// Writes a `Flush`.
pub fn flush(out: &mut BytesMut) {
    let mark = start_frame(out, b'H');
    finish_frame(out, mark);
}

/// Writes a `Terminate`.
pub fn terminate(out: &mut BytesMut) {
    let mark = start_frame(out, b'X');
    finish_frame(out, mark);
}

/// Writes a `CopyFail`.
pub fn copy_fail(out: &mut BytesMut, reason: &[u8]) {
    let mark = start_frame(out, b'f');
    put_c_string(out, reason);
    finish_frame(out, mark);
}

/// Writes a `PasswordMessage` (a string).
pub fn password(out: &mut BytesMut, password: &[u8]) {
    let mark = start_frame(out, b'p');
    put_c_string(out, password);
    finish_frame(out, mark);
}

/// Writes a `SASLInitialResponse`.
pub fn sasl_initial(out: &mut BytesMut, mechanism: &[u8], response: &[u8]) {
    let mark = start_frame(out, b'p');
    put_c_string(out, mechanism);
    out.put_i32(i32::try_from(response.len()).unwrap_or(i32::MAX));
    out.put_slice(response);
    finish_frame(out, mark);
}

/// Writes a `SASLResponse`.
pub fn sasl_response(out: &mut BytesMut, response: &[u8]) {
    let mark = start_frame(out, b'p');
    out.put_slice(response);
    finish_frame(out, mark);
}
