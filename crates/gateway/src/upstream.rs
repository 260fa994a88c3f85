//! The only way out to a target.
//!
//! Two doors, and no third: [`Upstream::forward`] takes a [`Permit`] and the operation it was given
//! for; [`Upstream::forward_control`] takes a [`Control`], a closed set of messages that carry no
//! operation. What belongs to an operation already under way (its COPY data, the rest of its rows)
//! goes through [`Upstream::forward_within`] with the [`Grant`] that forwarding it gave.

use std::fmt;
use std::io;

use bytes::BytesMut;
use sallyport_core::{Digest, Limits, Operation};
use sallyport_wire::pg::frontend::{self, Subject};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::gate::Permit;

/// A message that carries no operation.
#[derive(Clone, Copy, Debug)]
pub enum Control<'a> {
    /// Ends a pipeline.
    Sync,
    /// Asks for the replies so far.
    Flush,
    /// Asks what a statement or portal looks like.
    Describe(Subject, &'a [u8]),
    /// Closes a statement or portal.
    Close(Subject, &'a [u8]),
    /// Fails whatever transaction is open: runs a portal that cannot exist.
    Abort,
    /// Asks for one setting of the session, by a fixed text.
    Ask(Setting),
    /// Says goodbye.
    Terminate,
}

/// What changes how a text is read, and can be asked for. The server reports some of it by itself, but
/// only at the end of a cycle: in the middle of a pipeline it has to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `search_path`
    SearchPath,
    /// `role`
    Role,
    /// `session_authorization`
    SessionAuthorization,
    /// `client_encoding`
    ClientEncoding,
    /// `standard_conforming_strings`
    StandardConformingStrings,
    /// Whether the session has a temporary schema: its number, or 0. Asked only after code that nobody
    /// has read, since unlike SHOW it takes a snapshot.
    TemporarySchema,
}

impl Setting {
    /// Those that are always asked for, in order.
    pub const ALWAYS: [Self; 5] = [
        Self::SearchPath,
        Self::Role,
        Self::SessionAuthorization,
        Self::ClientEncoding,
        Self::StandardConformingStrings,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SearchPath => "search_path",
            Self::Role => "role",
            Self::SessionAuthorization => "session_authorization",
            Self::ClientEncoding => "client_encoding",
            Self::StandardConformingStrings => "standard_conforming_strings",
            Self::TemporarySchema => "temporary_schema",
        }
    }

    /// SHOW takes no snapshot, so a transaction may still choose its isolation level afterwards.
    fn text(self) -> &'static [u8] {
        match self {
            Self::SearchPath => b"SHOW search_path",
            Self::Role => b"SHOW role",
            Self::SessionAuthorization => b"SHOW session_authorization",
            Self::ClientEncoding => b"SHOW client_encoding",
            Self::StandardConformingStrings => b"SHOW standard_conforming_strings",
            Self::TemporarySchema => b"SELECT pg_catalog.pg_my_temp_schema()",
        }
    }
}

/// Names of the gateway's own statement and portals on the caller's connection. Callers cannot use them.
pub(crate) const OWN_PREFIX: &[u8] = b"sallyport:";
const OWN_STATEMENT: &[u8] = b"sallyport:reading";
const NO_PORTAL: &[u8] = b"sallyport:refused";

/// Proof that an operation was forwarded and may still go on.
#[derive(Clone, Debug)]
pub struct Grant {
    operation: u64,
    limits: Limits,
}

impl Grant {
    /// The operation's number.
    #[must_use]
    pub fn operation(&self) -> u64 {
        self.operation
    }

    /// The limits it runs under.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// The permit was made for another operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the permit was made for another operation")]
pub struct WrongPermit;

/// The writing half of a target's connection.
pub struct Upstream<W> {
    socket: W,
    out: BytesMut,
}

impl<W> fmt::Debug for Upstream<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("pending", &self.out.len()).finish_non_exhaustive()
    }
}

/// Bytes are handed to the socket once so many wait.
const COALESCE: usize = 64 << 10;

impl<W: AsyncWrite + Unpin> Upstream<W> {
    /// Takes the writing half of a connection that has been signed in.
    pub fn new(socket: W) -> Self {
        Self { socket, out: BytesMut::with_capacity(8 << 10) }
    }

    /// Forwards an operation's message. The permit is spent.
    ///
    /// # Errors
    /// When the permit was made for another operation; nothing is forwarded then.
    pub fn forward(
        &mut self,
        permit: Permit,
        operation: &Operation,
        message: &[u8],
    ) -> Result<Grant, WrongPermit> {
        let (number, digest, limits): (u64, Digest, Limits) = permit.spend();
        if number != operation.number || digest != operation.digest {
            return Err(WrongPermit);
        }
        self.out.extend_from_slice(message);
        Ok(Grant { operation: number, limits })
    }

    /// Forwards what belongs to an operation under way.
    pub fn forward_within(&mut self, _: &Grant, message: &[u8]) {
        self.out.extend_from_slice(message);
    }

    /// Forwards a message that carries no operation.
    pub fn forward_control(&mut self, control: Control<'_>) {
        let out = &mut self.out;
        match control {
            Control::Sync => frontend::sync(out),
            Control::Flush => frontend::flush(out),
            Control::Describe(subject, name) => frontend::describe(out, subject, name),
            Control::Close(subject, name) => frontend::close(out, subject, name),
            Control::Abort => frontend::execute(out, NO_PORTAL, 0),
            Control::Ask(setting) => {
                frontend::parse_statement(out, OWN_STATEMENT, setting.text());
                frontend::bind(out, OWN_STATEMENT, OWN_STATEMENT);
                frontend::execute(out, OWN_STATEMENT, 0);
                frontend::close(out, Subject::Portal, OWN_STATEMENT);
                frontend::close(out, Subject::Statement, OWN_STATEMENT);
            }
            Control::Terminate => frontend::terminate(out),
        }
    }

    /// Whether enough waits that it should be written now.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.out.len() >= COALESCE
    }

    /// Writes what waits. Not cancel safe: a session that drops this future must end.
    ///
    /// # Errors
    /// When the target is away.
    pub async fn flush(&mut self) -> io::Result<()> {
        if !self.out.is_empty() {
            self.socket.write_all(&self.out).await?;
            self.out.clear();
            if self.out.capacity() > 4 * COALESCE {
                self.out = BytesMut::with_capacity(8 << 10);
            }
            self.socket.flush().await?;
        }
        Ok(())
    }
}
