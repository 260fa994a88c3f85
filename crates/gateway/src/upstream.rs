//! The only way out to a target.
//!
//! Two doors, and no third: [`Upstream::forward`] takes a [`Permit`] and the operation it was given
//! for; [`Upstream::forward_control`] takes a [`Control`], of which each protocol has a closed set. What belongs to an operation already under way (its COPY data, the rest of its rows)
//! goes through [`Upstream::forward_within`] with the [`Grant`] that forwarding it gave.

use std::fmt;
use std::io;

use bytes::BytesMut;
use sallyport_core::{Digest, Limits, Operation};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use crate::gate::Permit;

/// A protocol's messages that carry no operation: one closed enum for each protocol, kept in its folder.
pub trait Control {
    /// Writes the message as it goes on the wire.
    fn write(&self, out: &mut BytesMut);
}

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

/// A buffer of so many bytes is kept for the next message.
const KEPT: usize = 1 << 10;
/// Bytes are handed to the socket once so many wait.
const COALESCE: usize = 64 << 10;

impl<W: AsyncWrite + Unpin> Upstream<W> {
    /// Takes the writing half of a connection that has been signed in.
    pub fn new(socket: W) -> Self {
        Self { socket, out: BytesMut::new() }
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
    pub fn forward_control(&mut self, control: &impl Control) {
        control.write(&mut self.out);
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
            if self.out.capacity() > KEPT {
                self.out = BytesMut::new();
            }
            self.socket.flush().await?;
        }
        Ok(())
    }
}
