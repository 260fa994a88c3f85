//! Whole messages over the socket towards the target.

use std::io;

use bytes::BytesMut;
use sallyport_wire::pg::{Frame, FrameDecoder};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::DialError;
use crate::dialling::UpstreamStream;

/// A stream read message by message. Used for what the gateway says itself: signing in, and its own
/// queries.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) stream: UpstreamStream,
    /// Read and not yet taken.
    pub(super) buffer: BytesMut,
    decoder: FrameDecoder,
}

impl Conversation {
    /// Messages over `limit` bytes end the conversation.
    pub(super) fn new(stream: UpstreamStream, buffer: BytesMut, limit: usize) -> Self {
        Self { stream, buffer, decoder: FrameDecoder::new(limit) }
    }

    /// The next message of the server. Cancel-safe: what was read stays in the buffer.
    pub(super) async fn receive(&mut self) -> Result<Frame, DialError> {
        loop {
            if let Some(frame) = self.decoder.decode(&mut self.buffer)? {
                return Ok(frame);
            }
            let read = self
                .stream
                .read_buf(&mut self.buffer)
                .await
                .map_err(|error| DialError::io("reading from the target", &error))?;
            if read == 0 {
                return Err(DialError::away("the target closed the connection"));
            }
        }
    }

    /// Sends bytes and flushes them. Not cancel-safe: a part may have gone out.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), DialError> {
        let failed = |error: io::Error| DialError::io("writing to the target", &error);
        self.stream.write_all(bytes).await.map_err(failed)?;
        self.stream.flush().await.map_err(failed)
    }
}
