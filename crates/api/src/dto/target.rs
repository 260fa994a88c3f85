//! Targets, without anything about their credentials.

use std::collections::BTreeMap;

use sallyport_core::{Target, TlsMode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A protected resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetView {
    /// Unique name.
    pub name: String,
    /// `postgres` or `mysql`.
    pub protocol: String,
    /// Host and port.
    pub address: String,
    /// Database opened by default.
    pub database: String,
    /// Further databases that may be asked for.
    pub databases: Vec<String>,
    /// `verify-full`, `verify-ca` or `disable`.
    pub tls: String,
    /// For policy.
    pub tags: BTreeMap<String, String>,
}

impl From<&Target> for TargetView {
    fn from(target: &Target) -> Self {
        let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
        Self {
            name: target.name.clone(),
            protocol: target.protocol.clone(),
            address: format!("{host}:{}", target.port),
            database: target.database.clone(),
            databases: target.databases.clone(),
            tls: match target.tls.mode {
                TlsMode::VerifyFull => "verify-full",
                TlsMode::VerifyCa => "verify-ca",
                TlsMode::Disable => "disable",
            }
            .to_owned(),
            tags: target.tags.clone(),
        }
    }
}

/// All targets, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetList {
    /// The targets.
    pub targets: Vec<TargetView>,
}

/// Whether the gateway could sign in to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TargetTest {
    /// The target.
    pub name: String,
    /// Whether it could.
    pub ok: bool,
    /// Server version, or what failed.
    pub detail: String,
    /// How long it took, milliseconds.
    pub took_ms: u64,
}
