//! Towards the target: opening connections, signing in, cancelling.
//!
//! [`dial`] gives an idle connection that is as trusted as the target's configuration asks, or an
//! error with a public category. What travels on it afterwards is the session's business; this room
//! sees no operation. [`UpstreamClient`] is for the gateway's own questions.

mod cancel;
mod client;
mod dial;
mod error;
mod md5;
mod scram;
mod stream;

use std::collections::BTreeMap;
use std::fmt;

use bytes::BytesMut;

pub(crate) use cancel::cancel;
pub(crate) use client::{QueryLimits, Row, UpstreamClient};
pub(crate) use dial::dial;

use crate::dialling::UpstreamStream;
pub(crate) use crate::dialling::{DialError, DialErrorKind};

/// A connection to a target, signed in and idle.
pub(crate) struct Upstream {
    /// The socket.
    pub(crate) stream: UpstreamStream,
    /// What the server reported at start-up (`ParameterStatus`).
    pub(crate) parameters: BTreeMap<String, String>,
    /// The backend's process id; 0 when the server gave none.
    pub(crate) pid: u32,
    /// The key that cancels this backend's work; empty when the server gave none. Never goes to a caller.
    pub(crate) secret: Vec<u8>,
    /// Bytes that came behind the first `ReadyForQuery`; to be read before the socket.
    pub(crate) leftover: BytesMut,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("tls", &self.stream.is_tls())
            .field("parameters", &self.parameters)
            .field("pid", &self.pid)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
