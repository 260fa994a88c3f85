//! What can be wrong with bytes.

use thiserror::Error;

/// Bytes that are no message of the protocol. Never quotes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The length field is smaller than itself.
    #[error("a message's length field is too small")]
    BadLength,
    /// The message is larger than allowed here.
    #[error("a message of type {tag:#04x} is larger than {limit} bytes")]
    TooLarge {
        /// Type byte; 0 before start-up.
        tag: u8,
        /// The cap that it exceeds.
        limit: usize,
    },
    /// The body ends too early, or has bytes left over.
    #[error("a message of type {tag:#04x} is malformed")]
    Malformed {
        /// Type byte; 0 before start-up.
        tag: u8,
    },
    /// No such message type in this direction.
    #[error("no message has type {tag:#04x}")]
    UnknownTag {
        /// Type byte.
        tag: u8,
    },
}
