//! What comes before the first command ("Connection Phase"): the server's greeting, a request for TLS, the
//! client's response, and what authentication plugins say to each other.

use bytes::{BufMut as _, BytesMut};

use super::capability as cap;
use super::error::WireError;
use super::reader::{Reader, put_lenenc, put_lenenc_bytes};

/// The length of the random bytes that passwords are scrambled with.
pub const SCRAMBLE: usize = 20;
/// The first byte of a greeting.
pub const VERSION_10: u8 = 10;
/// Most attributes that are read from a response.
const MOST_ATTRIBUTES: usize = 128;

/// `HandshakeV10`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// The server's version, as it writes it.
    pub version: Vec<u8>,
    /// The connection's number.
    pub connection: u32,
    /// The bytes to scramble with.
    pub scramble: [u8; SCRAMBLE],
    /// Capabilities, MariaDB's extended ones in the upper half.
    pub capabilities: u64,
    /// The server's collation, by the low byte of its number.
    pub collation: u8,
    /// Status flags.
    pub status: u16,
    /// The plugin whose data the scramble is.
    pub plugin: Vec<u8>,
}

impl Greeting {
    /// Reads a greeting.
    ///
    /// # Errors
    /// Another version of the protocol, a server before 4.1, or a malformed body.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("greeting", payload);
        if reader.u8()? != VERSION_10 {
            return Err(reader.malformed());
        }
        let version = reader.nul_bytes()?.to_vec();
        let connection = reader.u32()?;
        let mut scramble = [0; SCRAMBLE];
        let (front, back) = scramble.split_at_mut(8);
        front.copy_from_slice(reader.take(8)?);
        reader.take(1)?;
        let low = reader.u16()?;
        let collation = reader.u8()?;
        let status = reader.u16()?;
        let high = reader.u16()?;
        let mut capabilities = u64::from(low) | u64::from(high) << 16;
        let length = usize::from(reader.u8()?);
        reader.take(6)?;
        let extended = reader.u32()?;
        if capabilities & cap::MYSQL == 0 {
            capabilities |= u64::from(extended) << 32;
        }
        if capabilities & cap::PROTOCOL_41 == 0 || capabilities & cap::SECURE_CONNECTION == 0 {
            return Err(reader.malformed());
        }
        // Twelve bytes and a NUL, or as many as the length says.
        let rest = reader.take(length.saturating_sub(8).max(13))?;
        back.copy_from_slice(rest.get(..12).ok_or(reader.malformed())?);
        let plugin = if capabilities & cap::PLUGIN_AUTH == 0 {
            b"mysql_native_password".to_vec()
        } else {
            reader.nul_or_rest().to_vec()
        };
        Ok(Self { version, connection, scramble, capabilities, collation, status, plugin })
    }

    /// Writes the payload.
    pub fn put(&self, out: &mut BytesMut) {
        let [low0, low1, high0, high1, ext @ ..] = self.capabilities.to_le_bytes();
        out.put_u8(VERSION_10);
        out.put_slice(&self.version);
        out.put_u8(0);
        out.put_u32_le(self.connection);
        let (front, back) = self.scramble.split_at(8);
        out.put_slice(front);
        out.put_u8(0);
        out.put_slice(&[low0, low1]);
        out.put_u8(self.collation);
        out.put_u16_le(self.status);
        out.put_slice(&[high0, high1]);
        out.put_u8(21);
        out.put_slice(&[0; 6]);
        out.put_slice(if self.capabilities & cap::MYSQL == 0 { &ext } else { &[0; 4] });
        out.put_slice(back);
        out.put_u8(0);
        out.put_slice(&self.plugin);
        out.put_u8(0);
    }
}

/// What a client sends first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientFirst {
    /// `SSLRequest`.
    Tls(TlsRequest),
    /// `HandshakeResponse41`.
    Response(Response),
}

/// `SSLRequest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsRequest {
    /// Capabilities.
    pub capabilities: u64,
    /// The longest packet that the client takes.
    pub max_packet: u32,
    /// The collation that the client wants, by the low byte of its number.
    pub collation: u8,
}

/// `HandshakeResponse41`.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Capabilities, MariaDB's extended ones in the upper half.
    pub capabilities: u64,
    /// The longest packet that the client takes.
    pub max_packet: u32,
    /// The collation that the client wants, by the low byte of its number.
    pub collation: u8,
    /// User name.
    pub user: Vec<u8>,
    /// What the plugin says. May be a password.
    pub auth: Vec<u8>,
    /// Database; empty for none.
    pub database: Vec<u8>,
    /// The plugin that `auth` is for; empty when the client knows none.
    pub plugin: Vec<u8>,
    /// Attributes of the connection.
    pub attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("capabilities", &self.capabilities).finish_non_exhaustive()
    }
}

/// Reads a client's first packet.
///
/// # Errors
/// A client before 4.1, or a malformed body.
pub fn client_first(payload: &[u8]) -> Result<ClientFirst, WireError> {
    let mut reader = Reader::new("handshake response", payload);
    let mut capabilities = u64::from(reader.u32()?);
    if capabilities & cap::PROTOCOL_41 == 0 {
        return Err(reader.malformed());
    }
    let max_packet = reader.u32()?;
    let collation = reader.u8()?;
    reader.take(19)?;
    let extended = reader.u32()?;
    if capabilities & cap::MYSQL == 0 {
        capabilities |= u64::from(extended) << 32;
    }
    if reader.is_empty() {
        if capabilities & cap::SSL == 0 {
            return Err(reader.malformed());
        }
        return Ok(ClientFirst::Tls(TlsRequest { capabilities, max_packet, collation }));
    }
    let user = reader.nul_bytes()?.to_vec();
    let auth = if capabilities & cap::PLUGIN_AUTH_LENENC != 0 {
        reader.lenenc_bytes()?
    } else if capabilities & cap::SECURE_CONNECTION != 0 {
        let length = usize::from(reader.u8()?);
        reader.take(length)?
    } else {
        reader.nul_bytes()?
    }
    .to_vec();
    let database =
        if capabilities & cap::CONNECT_WITH_DB != 0 { reader.nul_or_rest().to_vec() } else { Vec::new() };
    let plugin =
        if capabilities & cap::PLUGIN_AUTH != 0 { reader.nul_or_rest().to_vec() } else { Vec::new() };
    let mut attributes = Vec::new();
    if capabilities & cap::CONNECT_ATTRS != 0 && !reader.is_empty() {
        let mut pairs = Reader::new("connection attributes", reader.lenenc_bytes()?);
        while !pairs.is_empty() && attributes.len() < MOST_ATTRIBUTES {
            attributes.push((pairs.lenenc_bytes()?.to_vec(), pairs.lenenc_bytes()?.to_vec()));
        }
    }
    Ok(ClientFirst::Response(Response {
        capabilities,
        max_packet,
        collation,
        user,
        auth,
        database,
        plugin,
        attributes,
    }))
}

fn put_front(out: &mut BytesMut, capabilities: u64, max_packet: u32, collation: u8) {
    let [a, b, c, d, ext @ ..] = capabilities.to_le_bytes();
    out.put_slice(&[a, b, c, d]);
    out.put_u32_le(max_packet);
    out.put_u8(collation);
    out.put_slice(&[0; 19]);
    out.put_slice(if capabilities & cap::MYSQL == 0 { &ext } else { &[0; 4] });
}

impl TlsRequest {
    /// Writes the payload.
    pub fn put(&self, out: &mut BytesMut) {
        put_front(out, self.capabilities | cap::SSL, self.max_packet, self.collation);
    }
}

impl Response {
    /// Writes the payload. Its capabilities must hold `PLUGIN_AUTH_LENENC`.
    pub fn put(&self, out: &mut BytesMut) {
        put_front(out, self.capabilities, self.max_packet, self.collation);
        out.put_slice(&self.user);
        out.put_u8(0);
        put_lenenc_bytes(out, &self.auth);
        if self.capabilities & cap::CONNECT_WITH_DB != 0 {
            out.put_slice(&self.database);
            out.put_u8(0);
        }
        if self.capabilities & cap::PLUGIN_AUTH != 0 {
            out.put_slice(&self.plugin);
            out.put_u8(0);
        }
        if self.capabilities & cap::CONNECT_ATTRS != 0 {
            let mut pairs = BytesMut::new();
            for (name, value) in &self.attributes {
                put_lenenc_bytes(&mut pairs, name);
                put_lenenc_bytes(&mut pairs, value);
            }
            put_lenenc(out, u64::try_from(pairs.len()).unwrap_or(u64::MAX));
            out.put_slice(&pairs);
        }
    }
}

/// `AuthSwitchRequest`, behind its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthSwitch {
    /// The plugin to go on with.
    pub plugin: Vec<u8>,
    /// What it says first.
    pub data: Vec<u8>,
}

/// The first byte of an `AuthSwitchRequest`, as of an EOF.
pub const AUTH_SWITCH: u8 = 0xfe;
/// The first byte of an `AuthMoreData`.
pub const AUTH_MORE: u8 = 0x01;

impl AuthSwitch {
    /// Reads an `AuthSwitchRequest`.
    ///
    /// # Errors
    /// Malformed; also the request for the passwords of before 4.1, which is one byte.
    pub fn parse(payload: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader::new("AuthSwitchRequest", payload);
        if reader.u8()? != AUTH_SWITCH {
            return Err(reader.malformed());
        }
        let plugin = reader.nul_bytes()?.to_vec();
        let data = reader.remaining();
        // Only behind a scramble of this length is the NUL no part of it; longer ones may end in one.
        let scramble = data.strip_suffix(&[0]).filter(|data| data.len() == SCRAMBLE);
        Ok(Self { plugin, data: scramble.unwrap_or(data).to_vec() })
    }

    /// Writes the payload.
    pub fn put(&self, out: &mut BytesMut) {
        out.put_u8(AUTH_SWITCH);
        out.put_slice(&self.plugin);
        out.put_u8(0);
        out.put_slice(&self.data);
        if self.data.len() == SCRAMBLE {
            out.put_u8(0);
        }
    }
}
