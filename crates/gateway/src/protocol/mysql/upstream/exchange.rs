//! Whole packets over the socket towards the target, in turns: for what the gateway says itself.

use std::io;
use std::time::Duration;

use bytes::{BufMut as _, BytesMut};
use sallyport_wire::mysql::{Packet, PacketDecoder, command, put_packet};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::unreadable;
use crate::dialling::{DialError, wipe};

/// A goodbye must not wait for a server that does not read.
const GOODBYE: Duration = Duration::from_secs(2);

/// A stream read packet by packet.
#[derive(Debug)]
pub(super) struct Exchange<S> {
    pub(super) stream: S,
    /// Read and not yet taken.
    pub(super) buffer: BytesMut,
    decoder: PacketDecoder,
    sequence: u8,
}

/// An exchange between two streams: its numbering goes on.
#[derive(Debug)]
pub(super) struct Rest {
    buffer: BytesMut,
    decoder: PacketDecoder,
    sequence: u8,
}

impl Rest {
    /// Goes on over that stream.
    pub(super) fn over<S>(self, stream: S) -> Exchange<S> {
        let Self { buffer, decoder, sequence } = self;
        Exchange { stream, buffer, decoder, sequence }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    /// Packets over `limit` bytes end the exchange.
    pub(super) fn new(stream: S, buffer: BytesMut, limit: usize) -> Self {
        Self { stream, buffer, decoder: PacketDecoder::new(limit), sequence: 0 }
    }

    /// The stream, and the rest of the exchange to go on over another one.
    pub(super) fn part(self) -> (S, Rest) {
        let Self { stream, buffer, decoder, sequence } = self;
        (stream, Rest { buffer, decoder, sequence })
    }

    /// The next packet of the server. Cancel-safe: what was read stays in the buffer.
    pub(super) async fn receive(&mut self) -> Result<Packet, DialError> {
        loop {
            if let Some(packet) = self.decoder.decode(&mut self.buffer).map_err(unreadable)? {
                self.sequence = packet.last.wrapping_add(1);
                return Ok(packet);
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

    /// Sends a payload as the next packet. What it carried is wiped. Not cancel-safe: a part may have gone out.
    pub(super) async fn send(&mut self, payload: BytesMut) -> Result<(), DialError> {
        let failed = |error: io::Error| DialError::io("writing to the target", &error);
        let mut message = BytesMut::with_capacity(payload.len() + 8);
        put_packet(&mut message, &mut self.sequence, &payload);
        wipe(payload);
        let sent = async {
            self.stream.write_all(&message).await?;
            self.stream.flush().await
        }
        .await;
        wipe(message);
        sent.map_err(failed)
    }

    /// Begins a command: the numbering starts anew.
    pub(super) async fn command(&mut self, number: u8, rest: &[u8]) -> Result<(), DialError> {
        self.sequence = 0;
        let mut payload = BytesMut::with_capacity(rest.len() + 1);
        payload.put_u8(number);
        payload.put_slice(rest);
        self.send(payload).await
    }
}

/// Says goodbye and closes.
pub(super) async fn goodbye<S: AsyncRead + AsyncWrite + Unpin>(stream: S) {
    let mut exchange = Exchange::new(stream, BytesMut::new(), 1024);
    let said = async {
        exchange.command(command::number::QUIT, &[]).await?;
        exchange.stream.shutdown().await.map_err(|error| DialError::io("closing", &error))
    };
    if !matches!(tokio::time::timeout(GOODBYE, said).await, Ok(Ok(()))) {
        tracing::debug!("the target did not hear the goodbye");
    }
}
