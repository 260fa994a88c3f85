//! Opening a connection to a target, up to its first `ReadyForQuery`.
//!
//! Address → TCP → TLS, if the configuration does not say otherwise → start-up message → sign-in →
//! parameters. Each step only ever makes the connection more trusted: the server cannot talk the
//! gateway out of TLS, out of a SCRAM exchange that has begun, or into showing the credential in the
//! clear. Everything the server sends here is capped, and all of it together has one deadline.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use sallyport_core::{Target, TlsMode};
use sallyport_wire::pg::backend::{self, tag};
use sallyport_wire::pg::{Frame, Reader, finish_frame, start_frame, startup};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ClientConfig;
use zeroize::Zeroizing;

use super::error::{DialError, DialErrorKind, wipe};
use super::scram::{self, Awaited, Binding, Proven, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, Scram};
use super::stream::Conversation;
use super::{Upstream, md5};
use crate::credentials::{Credentials, TargetCredential};
use crate::dialling::{self, UpstreamStream, connect, within};

/// Largest message that is read before the server is ready. Real ones are below 1 KiB.
const MAX_MESSAGE: usize = 64 * 1024;
/// Most messages before the server is ready. Real servers send some twenty.
const MAX_MESSAGES: usize = 1000;
/// A secret key of protocol 3.2 has up to 256 bytes.
const MAX_SECRET: usize = 256;

/// Authentication requests ("Message Formats", `Authentication*`).
mod request {
    pub(super) const OK: i32 = 0;
    pub(super) const CLEARTEXT: i32 = 3;
    pub(super) const MD5: i32 = 5;
    pub(super) const SASL: i32 = 10;
    pub(super) const SASL_CONTINUE: i32 = 11;
    pub(super) const SASL_FINAL: i32 = 12;
}

/// Connects to `target`, signs in to `database` and returns the connection, idle.
///
/// `tls` is the configuration made from the target's settings; without one, a target whose settings
/// ask for TLS is refused. `parameters` are start-up parameters besides `user` and `database`.
/// Dropping the future closes whatever was opened.
///
/// # Errors
/// [`DialError`]: a public category, and a detail for the log.
pub(crate) async fn dial(
    target: &Target,
    database: &str,
    credentials: &Credentials,
    tls: Option<Arc<ClientConfig>>,
    parameters: &[(String, String)],
    deadline: Duration,
) -> Result<Upstream, DialError> {
    let credential = credentials.for_target(target)?;
    within(deadline, async {
        let stream = open(target, tls).await?;
        sign_in(stream, target, database, &credential, parameters).await
    })
    .await
}

/// TCP, and TLS as the target's settings ask.
pub(super) async fn open(
    target: &Target,
    tls: Option<Arc<ClientConfig>>,
) -> Result<UpstreamStream, DialError> {
    match (target.tls.mode, tls) {
        (TlsMode::Disable, _) => connect(target).await.map(UpstreamStream::Plain),
        (TlsMode::VerifyFull | TlsMode::VerifyCa, Some(config)) => {
            let stream = connect(target).await?;
            secure(stream, &target.host, config).await
        }
        (TlsMode::VerifyFull | TlsMode::VerifyCa, None) => Err(DialError::new(
            DialErrorKind::TlsFailed,
            "no TLS configuration for a target that asks for TLS",
        )),
    }
}

/// Asks for TLS and accepts nothing else. Bytes that come along with the server's `S` were put there
/// by somebody who must not be believed (CVE-2021-23222 is that mistake).
async fn secure(
    mut stream: TcpStream,
    host: &str,
    config: Arc<ClientConfig>,
) -> Result<UpstreamStream, DialError> {
    let mut request = BytesMut::with_capacity(8);
    startup::encode_ssl_request(&mut request);
    stream.write_all(&request).await.map_err(|error| DialError::io("asking for TLS", &error))?;
    let mut answer = [0_u8; 16];
    let read = stream.read(&mut answer).await.map_err(|error| DialError::io("asking for TLS", &error))?;
    match answer.get(..read).unwrap_or_default() {
        [b'S'] => {}
        [b'S', ..] => {
            return Err(DialError::new(DialErrorKind::TlsFailed, "bytes in the clear before TLS began"));
        }
        [b'N', ..] => {
            return Err(DialError::new(
                DialErrorKind::TlsFailed,
                "the target refuses TLS (`N` to SSLRequest)",
            ));
        }
        [] => return Err(DialError::away("the target closed the connection when asked for TLS")),
        [b'E', ..] => return Err(DialError::away("the target sent an error when asked for TLS")),
        _ => return Err(DialError::protocol("neither `S` nor `N` to SSLRequest")),
    }
    dialling::secure(stream, host, config).await
}

/// Start-up message to `ReadyForQuery`.
async fn sign_in(
    stream: UpstreamStream,
    target: &Target,
    database: &str,
    credential: &Arc<TargetCredential>,
    parameters: &[(String, String)],
) -> Result<Upstream, DialError> {
    let mut talk = Conversation::new(stream, BytesMut::with_capacity(4096), MAX_MESSAGE);
    talk.send(&startup_message(&target.user, database, parameters)?).await?;
    authenticate(&mut talk, target, credential).await?;
    let mut reported = BTreeMap::new();
    let mut pid = 0;
    let mut secret = Vec::new();
    for _ in 0..MAX_MESSAGES {
        let frame = talk.receive().await?;
        match frame.tag() {
            tag::PARAMETER_STATUS => {
                let (name, value) = backend::parameter_status(&frame)?;
                reported.insert(text(name)?, text(value)?);
            }
            tag::BACKEND_KEY_DATA => {
                let mut body = Reader::new(frame.tag(), frame.body());
                pid = body.u32()?;
                secret = body.remaining().to_vec();
                if !(4..=MAX_SECRET).contains(&secret.len()) {
                    return Err(DialError::protocol("a secret key of impossible length"));
                }
            }
            tag::NOTICE_RESPONSE => {}
            tag::ERROR_RESPONSE => return Err(DialError::server(&frame, DialErrorKind::TargetRefusedUs)),
            tag::READY_FOR_QUERY => {
                if backend::ready_for_query(&frame)? != backend::TransactionStatus::Idle {
                    return Err(DialError::protocol("not idle after start-up"));
                }
                return Ok(Upstream {
                    stream: talk.stream,
                    parameters: reported,
                    pid,
                    secret,
                    leftover: talk.buffer,
                });
            }
            other => return Err(unexpected(other, "during start-up")),
        }
    }
    Err(DialError::protocol("no ReadyForQuery among the first messages"))
}

/// Parameters that only the gateway sets (`user`, `database`), or that make the connection one whose
/// messages it does not read (`replication`), are not taken from elsewhere.
fn startup_message(
    user: &str,
    database: &str,
    parameters: &[(String, String)],
) -> Result<BytesMut, DialError> {
    let mut all = vec![("user", user), ("database", database)];
    for (name, value) in parameters {
        let reserved = ["user", "database", "replication"].iter().any(|own| name.eq_ignore_ascii_case(own));
        if reserved || name.is_empty() || name.starts_with("_pq_.") {
            return Err(DialError::new(DialErrorKind::Gateway, "a start-up parameter that is not passed on"));
        }
        all.push((name, value));
    }
    if all.iter().any(|(name, value)| name.contains('\0') || value.contains('\0')) {
        return Err(DialError::new(DialErrorKind::Gateway, "a NUL in a start-up parameter"));
    }
    let mut message = BytesMut::new();
    startup::encode_startup(&mut message, &all);
    if message.len() > startup::MAX_STARTUP {
        return Err(DialError::new(DialErrorKind::Gateway, "more start-up parameters than the server reads"));
    }
    Ok(message)
}

/// Where the sign-in stands. Steps only go down; each answers one request.
enum Step {
    /// Nothing was asked yet. A server that asks for nothing trusts us, which is its own business.
    Start,
    /// The password, in whatever dress, was sent: the server says yes or no.
    Sent,
    /// SCRAM has begun: the server must challenge.
    Begun(Scram),
    /// Our proof is out: the server must prove itself before it may say yes.
    Answered { awaited: Awaited, derived: Derived },
    /// It did.
    Proven(Proven),
}

struct Derived {
    salt: Vec<u8>,
    iterations: u32,
    keys: Arc<crate::credentials::ScramKeys>,
}

/// Up to `AuthenticationOk`.
async fn authenticate(
    talk: &mut Conversation,
    target: &Target,
    credential: &Arc<TargetCredential>,
) -> Result<(), DialError> {
    let mut step = Step::Start;
    for _ in 0..MAX_MESSAGES {
        let frame = talk.receive().await?;
        match frame.tag() {
            tag::AUTHENTICATION => {}
            tag::NOTICE_RESPONSE => continue,
            tag::ERROR_RESPONSE => return Err(DialError::server(&frame, DialErrorKind::TargetRefusedUs)),
            other => return Err(unexpected(other, "before sign-in ended")),
        }
        let mut body = Reader::new(frame.tag(), frame.body());
        let code = body.i32()?;
        step = match (step, code) {
            (Step::Start | Step::Sent | Step::Proven(_), request::OK) => {
                body.finish()?;
                return Ok(());
            }
            (Step::Begun(_) | Step::Answered { .. }, request::OK) => {
                return Err(DialError::untrusted("SCRAM: accepted before the server proved itself"));
            }
            (Step::Start, request::CLEARTEXT) => {
                if !talk.stream.is_tls() {
                    return Err(DialError::untrusted(
                        "the target asks for the password in the clear, without TLS",
                    ));
                }
                send_password(talk, password(credential)?).await?;
                Step::Sent
            }
            (Step::Start, request::MD5) => {
                let salt = body.take(4)?.try_into().map_err(|_| DialError::protocol("MD5: a bad salt"))?;
                let answer = md5::response(&target.user, password(credential)?, salt);
                send_password(talk, &answer).await?;
                Step::Sent
            }
            (Step::Start, request::SASL) => Step::Begun(begin(talk, &frame, credential).await?),
            (Step::Begun(scram), request::SASL_CONTINUE) => {
                let challenge = scram.challenge(body.remaining())?;
                let derived = keys(credential, &challenge.salt, challenge.iterations).await?;
                let (answer, awaited) = challenge.answer(&derived.keys);
                send_sasl(talk, |out| out.extend_from_slice(answer.as_bytes())).await?;
                Step::Answered { awaited, derived }
            }
            (Step::Answered { awaited, derived }, request::SASL_FINAL) => {
                let proven = awaited.verify(body.remaining())?;
                // Only now: keys for a salt that a false server made up are not worth keeping.
                credential.keep(&derived.salt, derived.iterations, derived.keys);
                Step::Proven(proven)
            }
            (Step::Start, code) => {
                return Err(DialError::protocol(format!("authentication method {code} is not spoken here")));
            }
            (_, code) => {
                return Err(DialError::untrusted(format!("authentication request {code} out of turn")));
            }
        };
    }
    Err(DialError::protocol("sign-in does not end"))
}

/// Picks the mechanism and sends `SASLInitialResponse`.
async fn begin(
    talk: &mut Conversation,
    offer: &Frame,
    credential: &TargetCredential,
) -> Result<Scram, DialError> {
    password(credential)?;
    let mut body = Reader::new(offer.tag(), offer.body());
    body.i32()?;
    let (mut plain, mut plus) = (false, false);
    loop {
        match body.c_string()? {
            b"" => break,
            name if name == SCRAM_SHA_256.as_bytes() => plain = true,
            name if name == SCRAM_SHA_256_PLUS.as_bytes() => plus = true,
            _ => {}
        }
    }
    let binding = Binding::choose(talk.stream.certificate(), plus);
    let mechanism = binding.mechanism();
    if !plain && mechanism == SCRAM_SHA_256 {
        return Err(DialError::protocol("none of the offered SASL mechanisms is spoken here"));
    }
    let scram = Scram::new(binding)?;
    let first = scram.first();
    let length = i32::try_from(first.len()).map_err(|_| DialError::protocol("SCRAM: too long"))?;
    send_sasl(talk, |out| {
        out.extend_from_slice(mechanism.as_bytes());
        out.extend_from_slice(&[0]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(first.as_bytes());
    })
    .await?;
    Ok(scram)
}

/// The keys for this salt, derived at most once per target and salt.
async fn keys(
    credential: &Arc<TargetCredential>,
    salt: &[u8],
    iterations: u32,
) -> Result<Derived, DialError> {
    if let Some(keys) = credential.derived(salt, iterations) {
        return Ok(Derived { salt: salt.to_vec(), iterations, keys });
    }
    let holder = Arc::clone(credential);
    let own_salt = salt.to_vec();
    // Milliseconds of computing: sessions on this worker must not wait for it.
    let keys = tokio::task::spawn_blocking(move || {
        password(&holder).and_then(|password| scram::derive(password, &own_salt, iterations))
    })
    .await
    .map_err(|_| DialError::new(DialErrorKind::Gateway, "deriving SCRAM keys was stopped"))??;
    Ok(Derived { salt: salt.to_vec(), iterations, keys: Arc::new(keys) })
}

fn password(credential: &TargetCredential) -> Result<&str, DialError> {
    credential.password().map(|secret| secret.expose().as_str()).ok_or_else(|| {
        DialError::new(DialErrorKind::Gateway, "the target asks for a credential and is configured with none")
    })
}

/// `PasswordMessage`.
async fn send_password(talk: &mut Conversation, password: &str) -> Result<(), DialError> {
    let password = Zeroizing::new(password.to_owned());
    send_sasl(talk, |out| {
        out.extend_from_slice(password.as_bytes());
        out.extend_from_slice(&[0]);
    })
    .await
}

/// `SASLInitialResponse`, `SASLResponse` and `PasswordMessage` share their type byte.
async fn send_sasl(talk: &mut Conversation, body: impl FnOnce(&mut BytesMut)) -> Result<(), DialError> {
    let mut message = BytesMut::with_capacity(1024);
    let mark = start_frame(&mut message, b'p');
    body(&mut message);
    finish_frame(&mut message, mark);
    let sent = talk.send(&message).await;
    wipe(message);
    sent
}

pub(super) fn unexpected(tag: u8, place: &str) -> DialError {
    DialError::protocol(format!("a message of type {tag:#04x} {place}"))
}

fn text(bytes: &[u8]) -> Result<String, DialError> {
    std::str::from_utf8(bytes)
        .map(str::to_owned)
        .map_err(|_| DialError::protocol("a parameter that is not text"))
}
