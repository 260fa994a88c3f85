//! Why bytes are not the protocol.

use thiserror::Error;

/// What is wrong. Holds nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// The body is not what its kind of packet has.
    #[error("a malformed {what}")]
    Malformed {
        /// The kind of packet.
        what: &'static str,
    },
    /// More bytes than are taken.
    #[error("a packet of more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// More values than are kept.
    #[error("more than {limit} values")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Packets of one payload that do not follow one another.
    #[error("packets out of order")]
    Order,
}
