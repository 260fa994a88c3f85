//! From the first byte to the caller's token: the protocol's words only, no policy ("Connection Phase").
//!
//! Packets before TLS are read exactly, byte for byte, so that nothing sent along with an SSLRequest can be
//! taken for something said inside TLS. The token travels in the password's place, by `mysql_clear_password`.

use std::net::SocketAddr;

use bytes::{Buf as _, BytesMut};
use sallyport_auth::{PASSWORD_USER, Proof};
use sallyport_core::{Blame, Refusal, RefusalCode, Secret};
use sallyport_wire::mysql::capability as cap;
use sallyport_wire::mysql::handshake::{AuthSwitch, ClientFirst, Greeting, Response, SCRAMBLE, client_first};
use sallyport_wire::mysql::reply::Failure;
use sallyport_wire::mysql::{Packet, PacketDecoder, Reader, WireError, put_packet};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::fault::Fault;
use super::refusal::{TLS_REQUIRED, failure_as};
use super::server::{Greets, is_mariadb};
use crate::downstream::Downstream;
use crate::house::House;
use crate::settings::ListenerTls;
use crate::wording;

/// A token is small; an OIDC access token may be a few kilobytes, attributes some more.
const MAX_PACKET: usize = 64 << 10;
/// Bytes before a payload.
const HEADER: usize = 4;
/// What we greet with; the password is asked for behind it, whatever the client answers.
const FIRST_PLUGIN: &[u8] = b"mysql_native_password";
const CLEAR: &[u8] = b"mysql_clear_password";
const OPENID: &[u8] = b"authentication_openid_connect_client";
const CACHING_SHA2: &[u8] = b"caching_sha2_password";
/// What precedes the OK of `caching_sha2_password` when nothing more is wanted.
const FAST_OK: &[u8] = &[1, 3];
/// `utf8mb4_general_ci`
const COLLATION: u8 = 45;

/// What callers are offered. Left out, and said so in docs/protocols/mysql.md: compression, local files, query
/// attributes, session tracking and MariaDB's shorter metadata.
const OFFERED: u64 = cap::FOUND_ROWS
    | cap::LONG_FLAG
    | cap::CONNECT_WITH_DB
    | cap::IGNORE_SPACE
    | cap::PROTOCOL_41
    | cap::INTERACTIVE
    | cap::TRANSACTIONS
    | cap::SECURE_CONNECTION
    | cap::MULTI_STATEMENTS
    | cap::MULTI_RESULTS
    | cap::PS_MULTI_RESULTS
    | cap::PLUGIN_AUTH
    | cap::CONNECT_ATTRS
    | cap::PLUGIN_AUTH_LENENC
    | cap::DEPRECATE_EOF;

/// A caller that wants a session.
pub(super) struct Knock {
    pub(super) socket: Downstream,
    /// The next packet's number.
    pub(super) sequence: u8,
    /// What it asks for, of what was offered.
    pub(super) capabilities: u64,
    pub(super) response: Response,
    /// The number that it was greeted with.
    pub(super) number: u32,
    scramble: [u8; SCRAMBLE],
}

/// What a caller signs in with.
pub(super) enum Credential {
    /// A token, in the password's place.
    Token(Secret<String>),
    /// The answer of a client that knows a short-lived password.
    Password { user: String, plugin: Plugin, answer: Vec<u8>, scramble: [u8; SCRAMBLE] },
}

/// How a client proves a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plugin {
    Native,
    CachingSha2,
}

impl Plugin {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            FIRST_PLUGIN => Some(Self::Native),
            CACHING_SHA2 => Some(Self::CachingSha2),
            _ => None,
        }
    }

    /// The proof that an answer is.
    pub(super) fn proof<'a>(self, answer: &'a [u8], scramble: &'a [u8]) -> Proof<'a> {
        match self {
            Self::Native => Proof::Native { answer, scramble },
            Self::CachingSha2 => Proof::CachingSha2 { answer, scramble },
        }
    }
}

/// Greets, and reads packets until one says what the caller wants.
pub(super) async fn open(
    house: &House,
    socket: TcpStream,
    peer: SocketAddr,
    greets: &Greets,
    number: u32,
) -> Result<Knock, Fault> {
    let mut socket = Downstream::Plain(socket);
    let takes_tls = matches!(house.settings.tls, ListenerTls::Required(_));
    let mut scramble = [0; SCRAMBLE];
    getrandom::fill(&mut scramble).map_err(|_| wording::internal("no randomness"))?;
    // Clients read it as text that ends at a NUL.
    for byte in &mut scramble {
        *byte = 0x21 + (*byte % 0x5e);
    }
    let mut offered = OFFERED;
    if takes_tls {
        offered |= cap::SSL;
    }
    offered |= if is_mariadb(&greets.version) {
        cap::MARIADB_PROGRESS | greets.offers & cap::MARIADB_BULK
    } else {
        cap::MYSQL
    };
    let greeting = Greeting {
        version: greets.version.as_bytes().to_vec(),
        connection: number,
        scramble,
        capabilities: offered,
        collation: COLLATION,
        status: sallyport_wire::mysql::reply::status::AUTOCOMMIT,
        plugin: FIRST_PLUGIN.to_vec(),
    };
    let mut payload = BytesMut::new();
    greeting.put(&mut payload);
    let mut sequence = 0;
    send(&mut socket, &mut sequence, &payload).await?;
    let packet = receive(&mut socket, &mut sequence).await?;
    let first = client_first(packet.payload()).map_err(Fault::CallerWire)?;
    let response = match first {
        ClientFirst::Response(response) => {
            if takes_tls {
                tracing::info!(%peer, "plain text refused");
                let refusal =
                    Refusal::new(RefusalCode::Protocol, Blame::Downstream, "this gateway speaks TLS only")
                        .hint("connect with TLS required (mariadb: --ssl, mysql: --ssl-mode=REQUIRED), and check the gateway's certificate");
                return Err(fatal(&mut socket, &mut sequence, TLS_REQUIRED, refusal).await);
            }
            response
        }
        ClientFirst::Tls(_) => {
            socket = accept_tls(house, socket).await?;
            let packet = receive(&mut socket, &mut sequence).await?;
            match client_first(packet.payload()).map_err(Fault::CallerWire)? {
                ClientFirst::Response(response) => response,
                ClientFirst::Tls(_) => return Err(broken()),
            }
        }
    };
    let capabilities = response.capabilities & offered;
    if capabilities & cap::PLUGIN_AUTH == 0 {
        let refusal = Refusal::new(
            RefusalCode::Protocol,
            Blame::Downstream,
            "this client knows no authentication plugins",
        )
        .hint("use a client of MySQL 5.6 or MariaDB 5.5, or later");
        return Err(fatal(&mut socket, &mut sequence, (1251, *b"08004"), refusal).await);
    }
    Ok(Knock { socket, sequence, capabilities, response, number, scramble })
}

/// What the caller signs in with: by its user name, a short-lived password; else a token.
pub(super) async fn credential(knock: &mut Knock) -> Result<Credential, Fault> {
    let user = String::from_utf8_lossy(&knock.response.user).into_owned();
    if knock.response.plugin == OPENID {
        return openid(knock).await.map(Credential::Token);
    }
    if knock.response.plugin == CLEAR || !user.starts_with(PASSWORD_USER) {
        return token(knock).await.map(Credential::Token);
    }
    let scramble = knock.scramble;
    let answer = std::mem::take(&mut knock.response.auth);
    if let Some(plugin) = Plugin::named(&knock.response.plugin)
        && !answer.is_empty()
    {
        return Ok(Credential::Password { user, plugin, answer, scramble });
    }
    // A client that begins with another plugin is asked for the one that every client of today has.
    let mut payload = BytesMut::new();
    AuthSwitch { plugin: CACHING_SHA2.to_vec(), data: scramble.to_vec() }.put(&mut payload);
    send(&mut knock.socket, &mut knock.sequence, &payload).await?;
    let answer = receive(&mut knock.socket, &mut knock.sequence).await?.payload().to_vec();
    Ok(Credential::Password { user, plugin: Plugin::CachingSha2, answer, scramble })
}

/// The token of MySQL's OpenID Connect client: with the response, or when it is asked for.
async fn openid(knock: &mut Knock) -> Result<Secret<String>, Fault> {
    let mut bytes = std::mem::take(&mut knock.response.auth);
    if bytes.is_empty() {
        let mut payload = BytesMut::new();
        AuthSwitch { plugin: OPENID.to_vec(), data: Vec::new() }.put(&mut payload);
        send(&mut knock.socket, &mut knock.sequence, &payload).await?;
        bytes = receive(&mut knock.socket, &mut knock.sequence).await?.payload().to_vec();
    }
    let token = openid_token(&bytes).map_err(Fault::CallerWire)?;
    Ok(Secret::new(String::from_utf8_lossy(token).into_owned()))
}

/// A byte of capabilities, and the token behind its length ("OpenID Connect Pluggable Authentication").
fn openid_token(bytes: &[u8]) -> Result<&[u8], WireError> {
    let mut reader = Reader::new("OpenID Connect token", bytes);
    reader.u8()?;
    let token = reader.lenenc_bytes()?;
    reader.finish()?;
    Ok(token)
}

/// Says that a password was proved, where the plugin has words for it.
pub(super) async fn proved(knock: &mut Knock, plugin: Plugin) -> Result<(), Fault> {
    match plugin {
        Plugin::Native => Ok(()),
        Plugin::CachingSha2 => send(&mut knock.socket, &mut knock.sequence, FAST_OK).await,
    }
}

/// Asks for the token that travels in the password's place.
async fn token(knock: &mut Knock) -> Result<Secret<String>, Fault> {
    let bytes = if knock.response.plugin == CLEAR {
        std::mem::take(&mut knock.response.auth)
    } else {
        let mut payload = BytesMut::new();
        AuthSwitch { plugin: CLEAR.to_vec(), data: Vec::new() }.put(&mut payload);
        send(&mut knock.socket, &mut knock.sequence, &payload).await?;
        receive(&mut knock.socket, &mut knock.sequence).await?.payload().to_vec()
    };
    let text = bytes.strip_suffix(&[0]).unwrap_or(&bytes);
    Ok(Secret::new(String::from_utf8_lossy(text).into_owned()))
}

/// Tells the caller why it is not let in; the returned fault ends the connection.
pub(super) async fn fatal(
    socket: &mut Downstream,
    sequence: &mut u8,
    number: (u16, [u8; 5]),
    refusal: Refusal,
) -> Fault {
    let failure: Failure = failure_as(number, &refusal);
    let mut payload = BytesMut::new();
    failure.put(&mut payload);
    match send(socket, sequence, &payload).await {
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

fn broken() -> Fault {
    Fault::CallerWire(WireError::Malformed { what: "handshake" })
}

async fn accept_tls(house: &House, socket: Downstream) -> Result<Downstream, Fault> {
    let (ListenerTls::Required(config), Downstream::Plain(socket)) = (&house.settings.tls, socket) else {
        return Err(broken());
    };
    // The protocol has no name of its own for ALPN.
    let mut config = (**config).clone();
    config.alpn_protocols.clear();
    let tls =
        TlsAcceptor::from(std::sync::Arc::new(config)).accept(socket).await.map_err(Fault::Downstream)?;
    Ok(Downstream::Tls(Box::new(tls)))
}

/// Reads one packet and not a byte more. Not cancel safe.
async fn receive(socket: &mut Downstream, sequence: &mut u8) -> Result<Packet, Fault> {
    let mut header = [0_u8; HEADER];
    socket.read_exact(&mut header).await.map_err(|_| Fault::CallerLeft)?;
    let mut front = &header[..];
    let length = usize::try_from(front.get_uint_le(3)).unwrap_or(usize::MAX);
    if length > MAX_PACKET {
        return Err(Fault::CallerWire(WireError::TooLarge { limit: MAX_PACKET }));
    }
    let mut rest = vec![0_u8; length];
    socket.read_exact(&mut rest).await.map_err(|_| Fault::CallerLeft)?;
    let mut whole = BytesMut::with_capacity(length + HEADER);
    whole.extend_from_slice(&header);
    whole.extend_from_slice(&rest);
    let packet = PacketDecoder::new(MAX_PACKET).decode(&mut whole).map_err(Fault::CallerWire)?;
    let packet = packet.ok_or_else(broken)?;
    if packet.first != *sequence {
        return Err(Fault::CallerWire(WireError::Order));
    }
    *sequence = packet.last.wrapping_add(1);
    Ok(packet)
}

/// Sends one packet. Not cancel safe.
pub(super) async fn send(socket: &mut Downstream, sequence: &mut u8, payload: &[u8]) -> Result<(), Fault> {
    let mut out = BytesMut::with_capacity(payload.len() + HEADER);
    put_packet(&mut out, sequence, payload);
    socket.write_all(&out).await.map_err(Fault::Downstream)?;
    socket.flush().await.map_err(Fault::Downstream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_the_openid_client_stands_behind_its_length_and_nothing_behind_it() {
        assert_eq!(openid_token(b"\x01\x03a.b").unwrap(), b"a.b");
        let long = [b"\x01\xfc\x00\x02".as_slice(), &[b'x'; 512]].concat();
        assert_eq!(openid_token(&long).unwrap().len(), 512);
        for broken in
            [&b""[..], b"\x01", b"\x01\x03a.", b"\x01\x03a.bc", b"\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert!(openid_token(broken).is_err(), "{broken:?}");
        }
    }
}
