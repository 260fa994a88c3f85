//! Towards the target: opening connections, signing in, cancelling, and the gateway's own questions.
//!
//! [`dial`] gives an idle connection that is as trusted as the target's configuration asks, or an error with a
//! public category. What travels on it afterwards is the session's business; this room sees no operation.

mod cancel;
mod client;
mod dial;
mod exchange;
mod parsec;
mod plugins;

use std::fmt;

use bytes::BytesMut;
use sallyport_core::Target;
use sallyport_wire::mysql::reply::Failure;
use sallyport_wire::mysql::{WireError, capability as cap};

pub(super) use cancel::cancel;
pub(super) use client::{Client, QueryLimits, Row};
pub(super) use dial::dial;

use crate::dialling::{DialError, DialErrorKind, UpstreamStream};

/// What a connection is opened with.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    /// Capabilities that are taken when the server has them, beside those that are always asked for.
    pub(super) capabilities: u64,
    /// The collation, by the low byte of its number.
    pub(super) collation: u8,
    /// The current database; empty for none.
    pub(super) database: String,
    /// What the server is told of us.
    pub(super) attributes: Vec<(String, String)>,
}

/// `utf8mb4_general_ci`, which every server of the last fifteen years has.
const UTF8MB4: u8 = 45;

impl Wish {
    /// For the gateway's own questions.
    pub(super) fn own(target: &Target) -> Self {
        Self {
            capabilities: cap::DEPRECATE_EOF,
            collation: UTF8MB4,
            database: target.database.clone(),
            attributes: vec![("program_name".to_owned(), "sallyport".to_owned())],
        }
    }
}

/// A connection to a target, signed in and idle.
pub(super) struct Upstream {
    /// The socket.
    pub(super) stream: UpstreamStream,
    /// The version that the server greeted with.
    pub(super) version: String,
    /// As negotiated.
    pub(super) capabilities: u64,
    /// What the server offers, asked for or not.
    pub(super) offers: u64,
    /// The server's number of the connection. Never goes to a caller.
    pub(super) connection: u32,
    /// Bytes that came behind the last OK; to be read before the socket.
    pub(super) leftover: BytesMut,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("tls", &self.stream.is_tls())
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Upstream {
    /// Says goodbye.
    pub(super) async fn leave(self) {
        exchange::goodbye(self.stream).await;
    }
}

/// What the server says when it does not let the gateway in, or does not answer its question.
fn said(payload: &[u8], kind: DialErrorKind) -> DialError {
    let Ok(failure) = Failure::parse(payload) else {
        return DialError::protocol("a malformed ERR");
    };
    let kind = match failure.code {
        // Too many connections, of one user too; out of resources; shutting down; host blocked.
        1040 | 1203 | 1226 | 1041 | 1053 | 1129 => DialErrorKind::TargetAway,
        _ => kind,
    };
    let message = sallyport_core::visible::bytes(&failure.message);
    DialError::said(kind, format!("server said {}: {message}", failure.code), failure.state)
}

fn unreadable(error: WireError) -> DialError {
    DialError::protocol(error.to_string())
}
