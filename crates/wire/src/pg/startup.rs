//! What a client sends before its first typed message ("Start-Up", "SSL Session Encryption",
//! "Canceling Requests in Progress").

use bytes::{BufMut as _, Bytes, BytesMut};

use super::error::WireError;
use super::reader::Reader;

/// The server's own cap on a start-up packet (`MAX_STARTUP_PACKET_LENGTH`).
pub const MAX_STARTUP: usize = 10_000;

const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;

/// A start-up packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartupPacket {
    /// `SSLRequest`.
    Ssl,
    /// `GSSENCRequest`.
    Gss,
    /// `CancelRequest` with process id and secret key.
    Cancel {
        /// Process id, as it was handed out.
        pid: u32,
        /// Secret key: 4 bytes in protocol 3.0, up to 256 from 3.2 on.
        secret: Bytes,
    },
    /// `StartupMessage`.
    Startup {
        /// Major protocol version.
        major: u16,
        /// Minor protocol version.
        minor: u16,
        /// Parameters, in order.
        parameters: Vec<(String, String)>,
    },
}

/// Takes one start-up packet off the front of `buffer`; nothing when it is not whole yet.
///
/// # Errors
/// A length that is out of bounds, text that is no UTF-8, or a malformed packet.
pub fn decode(buffer: &mut BytesMut) -> Result<Option<StartupPacket>, WireError> {
    let Some(&[a, b, c, d]) = buffer.first_chunk::<4>() else { return Ok(None) };
    let length = usize::try_from(i32::from_be_bytes([a, b, c, d])).map_err(|_| WireError::BadLength)?;
    if length < 8 {
        return Err(WireError::BadLength);
    }
    if length > MAX_STARTUP {
        return Err(WireError::TooLarge { tag: 0, limit: MAX_STARTUP });
    }
    if buffer.len() < length {
        return Ok(None);
    }
    let packet = buffer.split_to(length).freeze();
    let mut reader = Reader::new(0, packet.get(4..).unwrap_or_default());
    match reader.u32()? {
        SSL => reader.finish().map(|()| Some(StartupPacket::Ssl)),
        GSS => reader.finish().map(|()| Some(StartupPacket::Gss)),
        CANCEL => {
            let pid = reader.u32()?;
            let secret = reader.remaining();
            if !(4..=256).contains(&secret.len()) {
                return Err(WireError::Malformed { tag: 0 });
            }
            Ok(Some(StartupPacket::Cancel { pid, secret: Bytes::copy_from_slice(secret) }))
        }
        version => {
            let [a, b, c, d] = version.to_be_bytes();
            let mut parameters = Vec::new();
            loop {
                let name = reader.c_string()?;
                if name.is_empty() {
                    break;
                }
                let value = reader.c_string()?;
                parameters.push((text(name)?, text(value)?));
            }
            reader.finish()?;
            Ok(Some(StartupPacket::Startup {
                major: u16::from_be_bytes([a, b]),
                minor: u16::from_be_bytes([c, d]),
                parameters,
            }))
        }
    }
}

fn text(bytes: &[u8]) -> Result<String, WireError> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| WireError::Malformed { tag: 0 })
}

/// Writes a `StartupMessage`, protocol 3.0. Names and values must hold no NUL; what follows one is cut.
pub fn encode_startup(out: &mut BytesMut, parameters: &[(&str, &str)]) {
    let mark = out.len();
    out.put_i32(0);
    out.put_u16(3);
    out.put_u16(0);
    for (name, value) in parameters {
        put_c_string(out, name.as_bytes());
        put_c_string(out, value.as_bytes());
    }
    out.put_u8(0);
    finish(out, mark);
}

/// Writes an `SSLRequest`.
pub fn encode_ssl_request(out: &mut BytesMut) {
    out.put_i32(8);
    out.put_u32(SSL);
}

/// Writes a `CancelRequest`.
pub fn encode_cancel(out: &mut BytesMut, pid: u32, secret: &[u8]) {
    let mark = out.len();
    out.put_i32(0);
    out.put_u32(CANCEL);
    out.put_u32(pid);
    out.put_slice(secret);
    finish(out, mark);
}

fn finish(out: &mut BytesMut, mark: usize) {
    let length = i32::try_from(out.len().saturating_sub(mark)).unwrap_or(i32::MAX);
    if let Some(slot) = out.get_mut(mark..mark + 4) {
        slot.copy_from_slice(&length.to_be_bytes());
    }
}

/// Writes bytes up to their first NUL, and the NUL that ends a string.
pub(super) fn put_c_string(out: &mut BytesMut, text: &[u8]) {
    let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
    out.put_slice(text.get(..end).unwrap_or_default());
    out.put_u8(0);
}
