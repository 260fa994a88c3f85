//! What PostgreSQL says when it does not let the gateway in, as a failed dial.

use sallyport_core::visible;
use sallyport_wire::pg::{Frame, WireError, backend};

pub(super) use crate::dialling::{DialError, DialErrorKind, wipe};

impl DialError {
    /// From an `ErrorResponse`. `refused` is the kind when the SQLSTATE does not say "not now".
    pub(super) fn server(frame: &Frame, refused: DialErrorKind) -> Self {
        let Ok(fields) = backend::error_fields(frame) else {
            return Self::protocol("a malformed ErrorResponse");
        };
        let field = |wanted: u8| {
            fields.iter().find(|(code, _)| *code == wanted).map_or(&[][..], |(_, text)| text.as_slice())
        };
        let sqlstate = <[u8; 5]>::try_from(field(b'C')).ok().filter(|code| code.is_ascii());
        let kind = match sqlstate.as_ref().and_then(|code| code.get(..2)) {
            // Insufficient resources, operator intervention, connection exception.
            Some(b"53" | b"08") => DialErrorKind::TargetAway,
            Some(b"57") if sqlstate != Some(*b"57014") => DialErrorKind::TargetAway,
            _ => refused,
        };
        let state = sqlstate.as_ref().and_then(|code| std::str::from_utf8(code).ok()).unwrap_or("?????");
        let message = visible::bytes(field(b'M'));
        Self::said(kind, format!("server said {state}: {message}"), sqlstate)
    }
}

impl From<WireError> for DialError {
    fn from(error: WireError) -> Self {
        Self::protocol(error.to_string())
    }
}
