//! What is protected.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where a target's credential lives. The value itself is never in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CredentialRef {
    /// `env:NAME`: an environment variable, read once at start and removed from no child, since there is none.
    Env(String),
    /// `file:PATH`: a file that only its owner may read.
    File(PathBuf),
    /// The target wants none (`trust` on a loopback test server).
    None,
}

impl CredentialRef {
    /// Reads `env:NAME`, `file:PATH` or `none`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::None);
        }
        match text.split_once(':')? {
            ("env", name) if !name.is_empty() => Some(Self::Env(name.to_owned())),
            ("file", path) if !path.is_empty() => Some(Self::File(PathBuf::from(path))),
            _ => None,
        }
    }
}

/// How the gateway speaks TLS to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// TLS, certificate chain and host name checked. The default.
    VerifyFull,
    /// TLS, chain checked, name not.
    VerifyCa,
    /// Plain text; said out loud in the configuration, for loopback.
    Disable,
}

/// TLS towards the target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSettings {
    /// What is checked.
    pub mode: TlsMode,
    /// PEM file with the authorities to trust; the system's when absent.
    pub ca: Option<PathBuf>,
    /// What the gateway shows of itself, where the target asks for it.
    #[serde(default)]
    pub identity: Option<TlsIdentity>,
}

/// A certificate that the gateway shows to a target, and its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsIdentity {
    /// PEM file with the chain, leaf first.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// A protected resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Unique name, by which callers ask for it.
    pub name: String,
    /// `postgres` or `mysql`.
    pub protocol: String,
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// The database opened when the caller names only the target.
    pub database: String,
    /// Further databases that may be asked for as `target/database`.
    pub databases: Vec<String>,
    /// The role the gateway signs in as.
    pub user: String,
    /// Where its credential lives.
    pub credential: CredentialRef,
    /// TLS towards it.
    pub tls: TlsSettings,
    /// `env = "production"` and the like, for policy.
    pub tags: BTreeMap<String, String>,
}
