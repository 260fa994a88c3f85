//! The two sockets of a conversation: packets off each, and what is gathered for the caller.
//!
//! What goes to the caller is gathered in [`Caller::out`], recorded, then written; [`Caller::put`] gives each
//! payload its sequence number. What goes to the target goes through [`Upstream`] alone.

use bytes::BytesMut;
use sallyport_core::Event;
use sallyport_wire::mysql::reply::{Done, Failure};
use sallyport_wire::mysql::{Discard, Packet, PacketDecoder, finish_packet, put_packet, start_packet};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::fault::Fault;
use crate::session::Session;
use crate::upstream::Upstream;
use crate::wording;

/// The reading half of a socket.
pub(super) type Source = Box<dyn AsyncRead + Send + Sync + Unpin>;
/// The writing half of a socket.
pub(super) type Sink = Box<dyn AsyncWrite + Send + Sync + Unpin>;

/// Room for one read.
pub(super) const READ: usize = 16 << 10;
/// So much is gathered before it is recorded and written.
pub(super) const COALESCE: usize = 64 << 10;

/// The caller's side.
pub(super) struct Caller {
    pub(super) from: Source,
    pub(super) buffer: BytesMut,
    pub(super) decoder: PacketDecoder,
    pub(super) to: Sink,
    pub(super) out: BytesMut,
    /// How much of `out` is in the recording already.
    recorded: usize,
    /// The next packet's number.
    pub(super) sequence: u8,
    /// As negotiated with it.
    pub(super) capabilities: u64,
    /// A write is under way: nothing may be written behind it should it be dropped.
    pub(super) writing: bool,
    /// The operation whose replies are gathered.
    pub(super) operation: u64,
    /// How many rows of them have come.
    pub(super) rows: u64,
}

impl Caller {
    pub(super) fn new(from: Source, to: Sink, limit: usize, capabilities: u64) -> Self {
        Self {
            from,
            buffer: BytesMut::new(),
            decoder: PacketDecoder::new(limit),
            to,
            out: BytesMut::new(),
            recorded: 0,
            sequence: 0,
            capabilities,
            writing: false,
            operation: 0,
            rows: 0,
        }
    }

    /// Gathers a payload.
    pub(super) fn put(&mut self, payload: &[u8]) {
        put_packet(&mut self.out, &mut self.sequence, payload);
    }

    /// Gathers a payload that is written in place.
    pub(super) fn put_with(&mut self, write: impl FnOnce(&mut BytesMut)) {
        let mark = start_packet(&mut self.out);
        write(&mut self.out);
        finish_packet(&mut self.out, mark, &mut self.sequence);
    }

    /// Gathers an error.
    pub(super) fn put_failure(&mut self, failure: &Failure) {
        self.put_with(|out| failure.put(out));
    }

    /// Gathers an OK.
    pub(super) fn put_done(&mut self, done: &Done) {
        self.put_with(|out| done.put(out));
    }

    /// Records what was gathered, then writes it. Not cancel safe; `writing` says when.
    pub(super) async fn send(&mut self, session: &Session) -> Result<(), Fault> {
        if self.out.is_empty() {
            return Ok(());
        }
        self.record(session)?;
        self.writing = true;
        self.to.write_all(&self.out).await.map_err(Fault::Downstream)?;
        self.to.flush().await.map_err(Fault::Downstream)?;
        self.writing = false;
        self.out.clear();
        self.recorded = 0;
        if self.out.capacity() > 4 * COALESCE {
            self.out = BytesMut::with_capacity(8 << 10);
        }
        Ok(())
    }

    /// Records what was gathered and is not recorded yet.
    pub(super) fn record(&mut self, session: &Session) -> Result<(), Fault> {
        let fresh = self.out.get(self.recorded..).unwrap_or_default();
        if !fresh.is_empty() {
            let written = session.tape.result(self.operation, self.rows, fresh);
            written.map_err(|error| wording::recorder(&error))?;
            self.recorded = self.out.len();
        }
        Ok(())
    }

    /// Records how an operation ended, behind what the caller gets of it.
    pub(super) fn record_end(&mut self, session: &Session, outcome: &Event) -> Result<(), Fault> {
        let fresh = self.out.get(self.recorded..).unwrap_or_default();
        let written = if fresh.is_empty() {
            session.tape.append(outcome, &[]).map(drop)
        } else {
            session.tape.ends(self.operation, self.rows, fresh, outcome)
        };
        written.map_err(|error| wording::recorder(&error))?;
        self.recorded = self.out.len();
        Ok(())
    }

    /// Drops what could not be recorded: it must not go out.
    pub(super) fn forget_unrecorded(&mut self) {
        self.out.clear();
        self.recorded = 0;
    }

    /// Lets words of our own out that could not be recorded.
    pub(super) fn pass_unrecorded(&mut self) {
        self.recorded = self.out.len();
    }
}

/// The target's side.
pub(super) struct TargetSide {
    pub(super) from: Source,
    pub(super) buffer: BytesMut,
    pub(super) decoder: PacketDecoder,
    pub(super) upstream: Upstream<Sink>,
    /// As negotiated with it.
    pub(super) capabilities: u64,
    /// A payload over the limit that goes nowhere.
    pub(super) discard: Option<Discard>,
}

/// What the target's buffer holds.
pub(super) enum Taken {
    /// A payload.
    Packet(Packet),
    /// One over the limit begins; it is passed over.
    TooLarge(usize),
    /// More has to be read.
    Nothing,
}

impl TargetSide {
    /// Takes the next payload off the buffer.
    pub(super) fn take(&mut self) -> Result<Taken, Fault> {
        if let Some(discard) = &mut self.discard {
            if !discard.take(&mut self.buffer) {
                return Ok(Taken::Nothing);
            }
            self.discard = None;
        }
        match self.decoder.decode(&mut self.buffer) {
            Ok(Some(packet)) => Ok(Taken::Packet(packet)),
            Ok(None) => Ok(Taken::Nothing),
            Err(sallyport_wire::mysql::WireError::TooLarge { limit }) => {
                self.discard = Some(Discard::default());
                Ok(Taken::TooLarge(limit))
            }
            Err(error) => Err(Fault::TargetWire(error)),
        }
    }

    /// Sends on what waits for the target.
    pub(super) async fn flush(&mut self) -> Result<(), Fault> {
        self.upstream.flush().await.map_err(|_| Fault::TargetAway)
    }
}

/// Reads what is there; the end of the stream is a fault. Cancel safe.
pub(super) async fn read_some(from: &mut Source, buffer: &mut BytesMut) -> Result<(), Fault> {
    buffer.reserve(READ);
    match from.read_buf(buffer).await {
        Ok(0) => Err(Fault::CallerLeft),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(Fault::CallerLeft),
        Err(error) => Err(Fault::Downstream(error)),
    }
}

/// The same of the target.
pub(super) async fn read_target(from: &mut Source, buffer: &mut BytesMut) -> Result<(), Fault> {
    buffer.reserve(READ);
    match from.read_buf(buffer).await {
        Ok(0) | Err(_) => Err(Fault::TargetAway),
        Ok(_) => Ok(()),
    }
}
