//! From the first byte to the start-up message: the protocol's words only, no policy.
//!
//! Packets before TLS are read exactly, byte for byte, so that nothing sent along with an SSLRequest
//! can be taken for something said inside TLS. ("Start-Up", "SSL Session Encryption".)

use std::io;
use std::net::SocketAddr;

use bytes::{BufMut as _, BytesMut};
use sallyport_core::{Blame, Refusal, RefusalCode};
use sallyport_wire::pg::WireError;
use sallyport_wire::pg::backend::put_negotiate_version;
use sallyport_wire::pg::startup::{self, MAX_STARTUP, StartupPacket};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::fault::Fault;
use super::refusal::{Severity, put_refusal_as};
use crate::downstream::Downstream;
use crate::house::House;
use crate::settings::ListenerTls;
use crate::tls::ALPN_POSTGRESQL;

/// First byte of a TLS record that holds a handshake.
const TLS_HANDSHAKE: u8 = 0x16;
/// Room for one read.
pub(super) const READ: usize = 8 << 10;
/// The same while nothing is under way.
const READ_IDLE: usize = 1 << 10;
/// The newest minor version of protocol 3 that is spoken here.
const NEWEST_MINOR: u16 = 2;

/// A caller that wants a session.
pub(super) struct Knock {
    pub(super) socket: Downstream,
    /// The minor version of the protocol that is spoken.
    pub(super) minor: u16,
    pub(super) parameters: Vec<(String, String)>,
}

/// What came of the first packets.
pub(super) enum Opened {
    /// Somebody wants a session.
    Session(Knock),
    /// Somebody wants to cancel.
    Cancel {
        /// Its connection, which is closed without an answer.
        socket: Downstream,
        /// Process id.
        pid: u32,
        /// Secret key.
        secret: Vec<u8>,
    },
}

/// Reads start-up packets until one says what the caller wants.
pub(super) async fn open(house: &House, socket: TcpStream, peer: SocketAddr) -> Result<Opened, Fault> {
    let mut first = [0_u8];
    if socket.peek(&mut first).await.map_err(Fault::Downstream)? == 0 {
        return Err(Fault::CallerLeft);
    }
    let mut socket = Downstream::Plain(socket);
    if first == [TLS_HANDSHAKE] {
        socket = accept_tls(house, socket).await?;
        // Negotiated directly, the application protocol must say what this is (ALPACA).
        if let Downstream::Tls(tls) = &socket
            && tls.get_ref().1.alpn_protocol() != Some(ALPN_POSTGRESQL)
        {
            return Err(Fault::CallerWire(WireError::Malformed { tag: 0 }));
        }
    }
    let mut asked_for_gss = false;
    loop {
        match read_packet(&mut socket).await? {
            StartupPacket::Ssl if matches!(socket, Downstream::Plain(_)) => match house.settings.tls {
                ListenerTls::Required(_) => {
                    write(&mut socket, b"S").await?;
                    socket = accept_tls(house, socket).await?;
                }
                ListenerTls::Off => write(&mut socket, b"N").await?,
            },
            StartupPacket::Gss if !asked_for_gss => {
                asked_for_gss = true;
                write(&mut socket, b"N").await?;
            }
            StartupPacket::Ssl | StartupPacket::Gss => {
                return Err(Fault::CallerWire(WireError::Malformed { tag: 0 }));
            }
            StartupPacket::Cancel { pid, secret } => {
                return Ok(Opened::Cancel { socket, pid, secret: secret.to_vec() });
            }
            StartupPacket::Startup { major, minor, parameters } => {
                let is_plain = matches!(socket, Downstream::Plain(_));
                if is_plain && matches!(house.settings.tls, ListenerTls::Required(_)) {
                    tracing::info!(%peer, "plain text refused");
                    let refusal =
                        Refusal::new(RefusalCode::Protocol, Blame::Downstream, "this gateway speaks TLS only")
                            .hint("connect with sslmode=require, or verify-full with the gateway's certificate authority");
                    return Err(fatal(&mut socket, "28000", refusal).await);
                }
                if major != 3 {
                    let refusal = Refusal::new(
                        RefusalCode::Protocol,
                        Blame::Downstream,
                        "this gateway speaks protocol version 3",
                    );
                    return Err(fatal(&mut socket, "0A000", refusal).await);
                }
                let (options, parameters): (Vec<_>, Vec<_>) =
                    parameters.into_iter().partition(|(name, _)| name.starts_with("_pq_."));
                let spoken = minor.min(NEWEST_MINOR);
                if minor > spoken || !options.is_empty() {
                    let names: Vec<&str> = options.iter().map(|(name, _)| name.as_str()).collect();
                    let mut out = BytesMut::new();
                    put_negotiate_version(&mut out, (major, spoken), &names);
                    write(&mut socket, &out).await?;
                }
                return Ok(Opened::Session(Knock { socket, minor: spoken, parameters }));
            }
        }
    }
}

/// Tells the caller why it is not let in; the returned fault ends the connection.
pub(super) async fn fatal(socket: &mut Downstream, state: &str, refusal: Refusal) -> Fault {
    let mut out = BytesMut::new();
    put_refusal_as(&mut out, Severity::Fatal, state, &refusal);
    match write(socket, &out).await {
        Ok(()) => {
            // A polite end, so that the caller reads the reason before the reset.
            if let Err(error) = socket.shutdown().await {
                tracing::debug!(%error, "shutdown");
            }
            refusal.into()
        }
        Err(fault) => fault,
    }
}

/// Closes a connection that is owed no answer. Inside TLS that takes a word: a caller that waits for the end
/// would hold a bare end of the stream for an attack.
pub(super) async fn goodbye(mut socket: Downstream) {
    if let Err(error) = socket.shutdown().await {
        tracing::debug!(%error, "shutdown");
    }
}

async fn accept_tls(house: &House, socket: Downstream) -> Result<Downstream, Fault> {
    let (ListenerTls::Required(config), Downstream::Plain(socket)) = (&house.settings.tls, socket) else {
        return Err(Fault::CallerWire(WireError::Malformed { tag: 0 }));
    };
    let tls =
        TlsAcceptor::from(std::sync::Arc::clone(config)).accept(socket).await.map_err(Fault::Downstream)?;
    Ok(Downstream::Tls(Box::new(tls)))
}

/// Reads one start-up packet and not a byte more. Not cancel safe.
async fn read_packet(socket: &mut Downstream) -> Result<StartupPacket, Fault> {
    let mut length = [0_u8; 4];
    socket.read_exact(&mut length).await.map_err(|_| Fault::CallerLeft)?;
    let whole = usize::try_from(i32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if !(8..=MAX_STARTUP).contains(&whole) {
        return Err(Fault::CallerWire(WireError::TooLarge { tag: 0, limit: MAX_STARTUP }));
    }
    let mut rest = vec![0_u8; whole - 4];
    socket.read_exact(&mut rest).await.map_err(|_| Fault::CallerLeft)?;
    let mut packet = BytesMut::with_capacity(whole);
    packet.put_slice(&length);
    packet.put_slice(&rest);
    startup::decode(&mut packet)
        .map_err(Fault::CallerWire)?
        .ok_or(Fault::CallerWire(WireError::Malformed { tag: 0 }))
}

/// Room to read into. A session that waits for something new holds little: most sessions wait mostly.
pub(super) fn make_room(buffer: &mut BytesMut, idle: bool) {
    if idle && buffer.is_empty() {
        if buffer.capacity() > 2 * READ_IDLE {
            *buffer = BytesMut::new();
        }
        buffer.reserve(READ_IDLE);
    } else {
        buffer.reserve(READ);
    }
}

/// Reads what is there; the end of the stream is a fault. Cancel safe.
pub(super) async fn read_some<R: AsyncRead + Unpin>(
    socket: &mut R,
    buffer: &mut BytesMut,
) -> Result<(), Fault> {
    make_room(buffer, buffer.is_empty());
    match socket.read_buf(buffer).await {
        Ok(0) => Err(Fault::CallerLeft),
        Ok(_) => Ok(()),
        // TLS without its goodbye: most clients just close.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Fault::CallerLeft),
        Err(error) => Err(Fault::Downstream(error)),
    }
}

/// Writes and flushes. Not cancel safe.
pub(super) async fn write<W: AsyncWrite + Unpin>(socket: &mut W, bytes: &[u8]) -> Result<(), Fault> {
    socket.write_all(bytes).await.map_err(Fault::Downstream)?;
    socket.flush().await.map_err(Fault::Downstream)
}
