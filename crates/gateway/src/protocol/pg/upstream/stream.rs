//! The socket towards the target, with or without TLS, and whole messages over it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BytesMut;
use sallyport_wire::pg::{Frame, FrameDecoder};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::error::DialError;

/// A connection to a target. Reading and writing are cancel-safe as far as tokio's are.
#[derive(Debug)]
pub(crate) enum UpstreamStream {
    /// In the clear, because the configuration says so.
    Plain(TcpStream),
    /// Under TLS, the certificate checked.
    Tls(Box<TlsStream<TcpStream>>),
}

impl UpstreamStream {
    /// Whether bytes travel under TLS.
    #[must_use]
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The certificate that the target showed, in DER.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => {
                stream.get_ref().1.peer_certificates().and_then(<[_]>::first).map(AsRef::as_ref)
            }
        }
    }
}

impl AsyncRead for UpstreamStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for UpstreamStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }
}

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
