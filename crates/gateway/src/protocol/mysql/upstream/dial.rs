//! Opening a connection to a target, up to the OK of its sign-in ("Connection Phase").
//!
//! TCP → greeting → TLS, if the configuration does not say otherwise → response → plugins → OK. Each step only
//! ever makes the connection more trusted: the server cannot talk the gateway out of TLS or into showing the
//! credential in the clear. Everything the server sends here is capped, and all of it has one deadline.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use sallyport_core::{Target, TlsMode};
use sallyport_wire::mysql::capability as cap;
use sallyport_wire::mysql::handshake::{AUTH_MORE, AUTH_SWITCH, AuthSwitch, Greeting, Response, TlsRequest};
use sallyport_wire::mysql::reply::tag;
use tokio_rustls::rustls::ClientConfig;
use zeroize::Zeroizing;

use super::exchange::Exchange;
use super::parsec;
use super::plugins::{Plugin, clear, encrypted};
use super::{Upstream, Wish, said, unreadable};
use crate::credentials::{Credentials, TargetCredential};
use crate::dialling::{DialError, DialErrorKind, UpstreamStream, connect, secure, within};

/// Largest packet that is read before the sign-in is done.
const MAX_PACKET: usize = 64 * 1024;
/// Most packets of a sign-in. Real ones have four.
const MAX_PACKETS: usize = 20;
/// The longest packet that we say we take.
const OUR_LARGEST: u32 = 0x4000_0000;

/// What is always asked for.
const ALWAYS: u64 = cap::PROTOCOL_41
    | cap::LONG_FLAG
    | cap::SECURE_CONNECTION
    | cap::TRANSACTIONS
    | cap::PLUGIN_AUTH
    | cap::PLUGIN_AUTH_LENENC
    | cap::CONNECT_ATTRS;

/// Connects to `target`, signs in and returns the connection, idle. Dropping the future closes whatever was
/// opened.
///
/// # Errors
/// [`DialError`]: a public category, and a detail for the log.
pub(crate) async fn dial(
    target: &Target,
    credentials: &Credentials,
    tls: Option<Arc<ClientConfig>>,
    wish: &Wish,
    deadline: Duration,
) -> Result<Upstream, DialError> {
    let credential = credentials.for_target(target)?;
    within(deadline, sign_in(target, tls, wish, &credential)).await
}

async fn sign_in(
    target: &Target,
    tls: Option<Arc<ClientConfig>>,
    wish: &Wish,
    credential: &Arc<TargetCredential>,
) -> Result<Upstream, DialError> {
    let password = credential.password().map(|secret| secret.expose().as_str()).unwrap_or_default();
    let stream = UpstreamStream::Plain(connect(target).await?);
    let mut exchange = Exchange::new(stream, BytesMut::with_capacity(4096), MAX_PACKET);
    let packet = exchange.receive().await?;
    if packet.tag() == tag::ERR {
        return Err(said(packet.payload(), DialErrorKind::TargetRefusedUs));
    }
    let greeting = Greeting::parse(packet.payload()).map_err(unreadable)?;
    let mut capabilities = (ALWAYS | wish.capabilities) & greeting.capabilities;
    // Read by the server whether or not it says so.
    capabilities |= cap::PROTOCOL_41 | cap::SECURE_CONNECTION | cap::PLUGIN_AUTH_LENENC;
    if !wish.database.is_empty() {
        capabilities |= cap::CONNECT_WITH_DB;
    }
    if greeting.capabilities & (cap::PLUGIN_AUTH_LENENC | cap::PLUGIN_AUTH)
        != cap::PLUGIN_AUTH_LENENC | cap::PLUGIN_AUTH
    {
        return Err(DialError::protocol("a server that is too old: it knows no authentication plugins"));
    }
    capabilities |= greeting.capabilities & cap::MYSQL;
    let mut exchange = match (target.tls.mode, tls) {
        (TlsMode::Disable, _) => exchange,
        (TlsMode::VerifyFull | TlsMode::VerifyCa, Some(config)) => {
            if greeting.capabilities & cap::SSL == 0 {
                return Err(DialError::new(DialErrorKind::TlsFailed, "the target does not offer TLS"));
            }
            capabilities |= cap::SSL;
            encrypt(exchange, target, capabilities, wish, config).await?
        }
        (TlsMode::VerifyFull | TlsMode::VerifyCa, None) => {
            return Err(DialError::new(
                DialErrorKind::TlsFailed,
                "no TLS configuration for a target that asks for TLS",
            ));
        }
    };
    let is_tls = exchange.stream.is_tls();
    // A plugin that we do not know, or whose scramble a greeting has no room for, may be switched to one that
    // we do.
    let known = Plugin::named(&greeting.plugin).filter(|plugin| *plugin != Plugin::Parsec);
    let mut plugin = known.unwrap_or(Plugin::Native);
    let mut data = greeting.scramble.to_vec();
    let mut first = match plugin {
        // Not before the server asked: what it greets with is not what this account has.
        Plugin::Clear | Plugin::Ed25519 | Plugin::Parsec => Zeroizing::new(Vec::new()),
        plugin => plugin.first(password, &data, is_tls)?,
    };
    let response = Response {
        capabilities,
        max_packet: OUR_LARGEST,
        collation: wish.collation,
        user: target.user.clone().into_bytes(),
        auth: std::mem::take(&mut *first),
        database: wish.database.clone().into_bytes(),
        plugin: plugin.name().to_vec(),
        attributes: wish
            .attributes
            .iter()
            .map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes()))
            .collect(),
    };
    let mut payload = BytesMut::new();
    response.put(&mut payload);
    exchange.send(payload).await?;
    let mut seed = None;
    for _ in 0..MAX_PACKETS {
        let packet = exchange.receive().await?;
        match packet.tag() {
            tag::OK => {
                if let Some(seed) = seed {
                    credential.keep_seed(seed);
                }
                let version = String::from_utf8_lossy(&greeting.version).into_owned();
                return Ok(Upstream {
                    stream: exchange.stream,
                    version,
                    capabilities,
                    offers: greeting.capabilities,
                    connection: greeting.connection,
                    leftover: exchange.buffer,
                });
            }
            tag::ERR => return Err(said(packet.payload(), DialErrorKind::TargetRefusedUs)),
            AUTH_SWITCH => {
                let switch = AuthSwitch::parse(packet.payload()).map_err(unreadable)?;
                plugin = Plugin::named(&switch.plugin).ok_or_else(|| {
                    let name = sallyport_core::visible::bytes(&switch.plugin);
                    DialError::untrusted(format!("the target asks for {name}, which is not carried"))
                })?;
                data = switch.data;
                let answer = plugin.first(password, &data, is_tls)?;
                exchange.send(BytesMut::from(answer.as_slice())).await?;
            }
            // The salt comes as it is, or behind the byte of more data.
            AUTH_MORE | parsec::PBKDF2 if plugin == Plugin::Parsec => {
                let extended = packet.payload();
                let extended = extended.strip_prefix(&[AUTH_MORE]).unwrap_or(extended);
                // Taken: what is signed once is not signed again.
                let scramble = std::mem::take(&mut data);
                let (answer, derived) = parsec::answer(credential, &scramble, extended).await?;
                exchange.send(BytesMut::from(answer.as_slice())).await?;
                seed = Some(derived);
            }
            AUTH_MORE => {
                let more = packet.payload().get(1..).unwrap_or_default();
                let Some(answer) = next(plugin, password, &data, more, is_tls)? else { continue };
                exchange.send(BytesMut::from(answer.as_slice())).await?;
            }
            _ => return Err(DialError::protocol("something else than the steps of a sign-in")),
        }
    }
    Err(DialError::protocol("a sign-in without end"))
}

/// Asks for TLS. Bytes that came along with the greeting were put there by somebody who must not be believed.
async fn encrypt(
    mut exchange: Exchange<UpstreamStream>,
    target: &Target,
    capabilities: u64,
    wish: &Wish,
    config: Arc<ClientConfig>,
) -> Result<Exchange<UpstreamStream>, DialError> {
    let mut request = BytesMut::new();
    TlsRequest { capabilities, max_packet: OUR_LARGEST, collation: wish.collation }.put(&mut request);
    exchange.send(request).await?;
    if !exchange.buffer.is_empty() {
        return Err(DialError::new(DialErrorKind::TlsFailed, "bytes in the clear before TLS began"));
    }
    let (stream, rest) = exchange.part();
    let UpstreamStream::Plain(stream) = stream else {
        return Err(DialError::protocol("TLS within TLS"));
    };
    Ok(rest.over(secure(stream, &target.host, config).await?))
}

/// What a plugin answers when the server says more.
fn next(
    plugin: Plugin,
    password: &str,
    scramble: &[u8],
    more: &[u8],
    is_tls: bool,
) -> Result<Option<Zeroizing<Vec<u8>>>, DialError> {
    match (plugin, more) {
        // It remembered the password.
        (Plugin::CachingSha2, [3]) => Ok(None),
        (Plugin::CachingSha2, [4]) if is_tls => Ok(Some(clear(password))),
        // Asks for the server's key.
        (Plugin::CachingSha2, [4]) => Ok(Some(Zeroizing::new(vec![2]))),
        (Plugin::CachingSha2 | Plugin::Sha256, pem) if !is_tls && pem.len() > 100 => {
            Ok(Some(Zeroizing::new(encrypted(password, scramble, pem)?)))
        }
        _ => Err(DialError::protocol("a step that its plugin does not have")),
    }
}

#[cfg(test)]
#[path = "dial_tests.rs"]
mod tests;
