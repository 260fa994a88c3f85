//! Why a conversation ends.

use std::io;

use sallyport_core::Refusal;
use thiserror::Error;

/// What ends a conversation, in a protocol whose codec fails with `W`. None of it reaches the caller as text,
/// but for the refusals.
#[derive(Debug, Error)]
pub(super) enum Fault<W> {
    /// The caller closed its side.
    #[error("the caller left")]
    CallerLeft,
    /// The caller said goodbye.
    #[error("the caller closed the connection")]
    Goodbye,
    /// The caller's socket failed.
    #[error("the caller's connection failed: {0}")]
    Downstream(io::Error),
    /// The target closed its side, or its socket failed.
    #[error("the target's connection ended")]
    TargetAway,
    /// The caller sent what is no message of the protocol.
    #[error("the caller broke the protocol: {0}")]
    CallerWire(W),
    /// The target sent what is no message of the protocol, or one out of place.
    #[error("the target broke the protocol: {0}")]
    TargetWire(W),
    /// The target sent a message that nothing asked for.
    #[error("the target sent a message that nothing asked for")]
    Unasked,
    /// Refused for good: told to the caller, then closed.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// A permit was offered for another operation: a fault of ours, and the end.
    #[error("a permit was offered for another operation")]
    WrongPermit,
}

impl<W> From<Refusal> for Fault<W> {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
