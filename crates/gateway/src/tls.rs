//! TLS on both sides, with one cryptography provider.
//!
//! [`server_config`] makes what the listeners show callers: a given certificate, or a leaf of an
//! authority of the gateway's own that is made on the first run. [`client_config`] makes what the dial
//! checks targets with. Paths and settings in, ready rustls configurations out; nothing in here opens
//! a socket. Every configuration names aws-lc-rs as its provider, so nothing depends on which crate
//! of the process installed a default first.

mod client;
mod files;
mod server;
pub(crate) mod x509;

use std::sync::{Arc, OnceLock};

use thiserror::Error;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};

pub use client::client_config;
pub use server::{ServerTls, server_config};

/// ALPN name of PostgreSQL's protocol (IANA registry of ALPN protocol ids).
pub const ALPN_POSTGRESQL: &[u8] = b"postgresql";

/// Why a TLS configuration could not be made. For the operator: it names files and settings.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TlsError {
    /// A file could not be read or written.
    #[error("cannot {action} `{path}`: {reason}")]
    File {
        /// `read`, `write`, …
        action: &'static str,
        /// The file.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// A file does not hold what it should, or is not kept as it should be.
    #[error("`{path}` {fault}")]
    Content {
        /// The file.
        path: String,
        /// What is wrong with it.
        fault: String,
    },
    /// The system has no authorities to trust.
    #[error("the system has no trusted certificate authorities; give the target's with `tls.ca`")]
    NoRoots,
    /// The certificate maker or rustls refused.
    #[error("TLS set-up failed: {0}")]
    Setup(String),
}

/// The process's one cryptography provider.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

#[cfg(test)]
#[path = "tls/tests.rs"]
mod tests;
