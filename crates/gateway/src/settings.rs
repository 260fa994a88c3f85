//! What the data path can be told.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// TLS towards callers.
#[derive(Clone)]
pub enum ListenerTls {
    /// Every session speaks TLS with this configuration.
    Required(Arc<tokio_rustls::rustls::ServerConfig>),
    /// Plain text is taken too; the configuration check allows that on loopback only.
    Off,
}

impl fmt::Debug for ListenerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Required(_) => "Required",
            Self::Off => "Off",
        })
    }
}

/// How a caller that does not say otherwise hands over its token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignIn {
    /// In the password's place.
    #[default]
    Password,
    /// By the protocol's own exchange for bearer tokens.
    Bearer,
}

/// Addresses, deadlines and sizes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where PostgreSQL clients connect.
    pub postgres: SocketAddr,
    /// Addresses that belong to one target each, by the target's name.
    pub own_listeners: Vec<(String, SocketAddr)>,
    /// Where MySQL and MariaDB clients connect, if they may.
    pub mysql: Option<SocketAddr>,
    /// TLS towards callers.
    pub tls: ListenerTls,
    /// How callers hand over their tokens.
    pub sign_in: SignIn,
    /// From accept to the first ready: TLS, sign-in and dialling the target included.
    pub handshake: Duration,
    /// How long a hold keeps the caller waiting in place.
    pub hold_wait: Duration,
    /// The same while a transaction is open, since locks may be held.
    pub hold_wait_in_transaction: Duration,
    /// How often a waiting caller is told that it waits.
    pub hold_notice: Duration,
    /// A session without an operation for so long is ended.
    pub idle: Duration,
    /// How often a live session's principal is checked again.
    pub recheck: Duration,
    /// Largest message taken from a caller, bytes.
    pub message_bytes: usize,
    /// Largest row of a result, bytes.
    pub row_bytes: usize,
    /// Most connections at once.
    pub connections: usize,
    /// Most connections at once from one address.
    pub connections_per_address: usize,
    /// Threads that sessions run on.
    pub workers: usize,
    /// Where people reach the API, for links in refusals.
    pub public_url: Option<String>,
}

impl Settings {
    /// The defaults, listening on `postgres`.
    #[must_use]
    pub fn new(postgres: SocketAddr, tls: ListenerTls) -> Self {
        Self {
            postgres,
            own_listeners: Vec::new(),
            mysql: None,
            tls,
            sign_in: SignIn::default(),
            handshake: Duration::from_secs(15),
            hold_wait: Duration::from_secs(90),
            hold_wait_in_transaction: Duration::from_secs(30),
            hold_notice: Duration::from_secs(20),
            idle: Duration::from_secs(3600),
            recheck: Duration::from_secs(30),
            message_bytes: 64 << 20,
            row_bytes: 16 << 20,
            connections: 1000,
            connections_per_address: 200,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            public_url: None,
        }
    }
}
