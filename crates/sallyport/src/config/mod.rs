//! Configuration: one TOML file, checked whole before anything acts on it.
//!
//! The text becomes a [`model::ConfigFile`] (its shape, and the source of the JSON schema), then
//! [`check`] turns that into a [`Config`] of the house's own types, or into every problem it has, each
//! with its line. A key that is not known and a setting that could not act are problems, not warnings:
//! in a gateway a setting that silently does nothing is a hole.

mod check;
mod duration;
mod model;
mod outward;
mod problem;
mod recording;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sallyport_core::{Digest, Principal, Target};
use sallyport_record::Witness;

use duration::TextDuration;
use model::ConfigFile;

pub(crate) use duration::TextDuration as CliDuration;
pub(crate) use model::SignInEntry;
pub(crate) use outward::{AwsSource, AzureSource, KeySource, SinkSource, VaultSource};
pub(crate) use problem::{ConfigProblem, Problems};
pub(crate) use recording::{EncryptionEntry, RecordingEntry};

/// The annotated example: `sallyport config example` prints it, and a test holds that it is valid.
pub(crate) const EXAMPLE: &str = include_str!("example.toml");

/// Where the gateway looks for its configuration when `--config` is not given.
pub(crate) const DEFAULT_FILE: &str = "sallyport.toml";

/// TLS of the listeners for database clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenerTls {
    /// Plain text; on loopback only.
    Off,
    /// Required, with a certificate of an authority that the gateway makes for itself.
    Own,
    /// Required, with these files.
    Files {
        /// PEM chain, leaf first.
        certificate: PathBuf,
        /// PEM private key.
        key: PathBuf,
    },
}

/// Limits that hold for every session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// From accept to a session that is open: TLS, credentials and the target's own sign-in.
    pub(crate) handshake: Duration,
    /// Connections at once.
    pub(crate) max_connections: u32,
    /// Connections at once from one address.
    pub(crate) max_connections_per_address: u32,
    /// A session without an operation for so long is ended.
    pub(crate) idle: Duration,
    /// How long a held operation waits on its open connection.
    pub(crate) hold_wait: Duration,
    /// The same with a transaction open, when locks may be held meanwhile.
    pub(crate) hold_wait_in_transaction: Duration,
    /// The largest message from a caller, bytes.
    pub(crate) message_limit_bytes: u32,
    /// The largest row that is buffered for masking, bytes.
    pub(crate) row_limit_bytes: u32,
    /// How long sessions may take to end after SIGTERM.
    pub(crate) drain: Duration,
}

/// One OpenID Connect provider whose access tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OidcProvider {
    /// The issuer, exactly as it stands in tokens.
    pub(crate) issuer: String,
    /// The audience that tokens must be made for.
    pub(crate) audience: String,
    /// Where its keys are; discovered when absent.
    pub(crate) jwks_url: Option<String>,
    /// The claim with the stable subject.
    pub(crate) principal_claim: String,
    /// The claim with groups.
    pub(crate) groups_claim: Option<String>,
    /// Signature algorithms; the safe usual ones when empty.
    pub(crate) algorithms: Vec<String>,
    /// The tenant that tokens must be of.
    pub(crate) tenant: Option<String>,
    /// Clients that tokens must have been issued to.
    pub(crate) authorized_parties: Vec<String>,
    /// Stable subject to configured principal name.
    pub(crate) subjects: BTreeMap<String, String>,
}

/// A configuration that can act: every reference resolved, every path absolute to the file's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    /// The file it came from.
    pub(crate) file: PathBuf,
    /// Store, recordings and keys.
    pub(crate) data_dir: PathBuf,
    /// The PostgreSQL listener.
    pub(crate) postgres: SocketAddr,
    /// The listener for MySQL and MariaDB, where there is one.
    pub(crate) mysql: Option<SocketAddr>,
    /// TLS of both.
    pub(crate) postgres_tls: ListenerTls,
    /// How its clients hand over their tokens.
    pub(crate) sign_in: SignInEntry,
    /// Addresses that belong to one target each, by its name.
    pub(crate) own_listeners: BTreeMap<String, SocketAddr>,
    /// The API listener; loopback.
    pub(crate) api: SocketAddr,
    /// Where people reach the API, without a slash at its end.
    pub(crate) public_url: Option<String>,
    /// What is protected.
    pub(crate) targets: Vec<Target>,
    /// Who may call.
    pub(crate) principals: Vec<Principal>,
    /// Who vouches for callers besides our own tokens.
    pub(crate) oidc: Vec<OidcProvider>,
    /// Folder of `.cedar` files.
    pub(crate) policy_dir: PathBuf,
    /// Labels file, where there is one.
    pub(crate) labels: Option<PathBuf>,
    /// What is kept of what happens, and how.
    pub(crate) recording: RecordingEntry,
    /// The service that wraps its keys, where one is named.
    pub(crate) key_service: Option<KeySource>,
    /// Who signs its checkpoints besides.
    pub(crate) witnesses: Vec<Witness>,
    /// SHA-256 of the file's text.
    pub(crate) digest: Digest,
    /// Where copies of it go.
    pub(crate) sink: Option<SinkSource>,
    /// Targets that a principal's role of auditor is narrowed to, by principal name.
    pub(crate) recordings_of: BTreeMap<String, BTreeSet<String>>,
    /// Whether recorded operations are indexed to be searched.
    pub(crate) search: bool,
    /// Limits.
    pub(crate) limits: Limits,
    /// Things worth knowing that are no problem.
    pub(crate) notes: Vec<String>,
}

impl Config {
    /// The store's file.
    pub(crate) fn store_file(&self) -> PathBuf {
        self.data_dir.join("store.db")
    }

    /// The recorder's folder.
    pub(crate) fn recordings(&self) -> PathBuf {
        self.data_dir.join("recordings")
    }

    /// The folder of the gateway's own keys.
    pub(crate) fn keys(&self) -> PathBuf {
        self.data_dir.join("keys")
    }

    /// The keys that wrap the recording's data keys.
    pub(crate) fn wrapping_keys(&self) -> PathBuf {
        self.keys().join(WRAPPING_KEYS)
    }

    /// The administrator's token that `sallyport init` made.
    pub(crate) fn admin_token(&self) -> PathBuf {
        self.data_dir.join(ADMIN_TOKEN)
    }

    /// What was loaded, in a line: which text, and what it says of most weight. No secret stands in it.
    pub(crate) fn in_short(&self) -> String {
        let recording = &self.recording;
        let names: Vec<&str> = self.targets.iter().map(|target| target.name.as_str()).collect();
        let sink = self.sink.as_ref().map_or_else(|| "none".to_owned(), |sink| sink.to.to_string());
        format!(
            "sha256 {}; targets {}; {} principals; recording {:?}, results {:?}, encryption {:?}, {} witnesses, sink {sink}",
            self.digest,
            names.join(" "),
            self.principals.len(),
            recording.durability,
            recording.results,
            recording.encryption,
            self.witnesses.len(),
        )
    }

    /// The host name in `public_url`, by which the API may be asked.
    pub(crate) fn public_host(&self) -> Option<String> {
        let rest = self.public_url.as_deref()?.split_once("://")?.1;
        let authority = rest.split('/').next()?;
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        Some(host.to_owned())
    }
}

/// Folder of the keys that wrap the recording's data keys, under `keys`.
pub(crate) const WRAPPING_KEYS: &str = "recording-wrapping";

/// Name of the administrator's token file within the data folder.
pub(crate) const ADMIN_TOKEN: &str = "admin.token";

/// Reads and checks a configuration file.
///
/// # Errors
/// Every problem found, in the order of the file.
pub(crate) fn load(file: &Path) -> Result<Config, Problems> {
    let text = std::fs::read_to_string(file).map_err(|error| {
        let hint = if error.kind() == std::io::ErrorKind::NotFound {
            "make one with `sallyport init`, or name it with --config"
        } else {
            "the gateway must be able to read it"
        };
        Problems::one(ConfigProblem::new(file, format!("cannot read it: {error}")).hint(hint))
    })?;
    parse(file, &text)
}

/// Where the API listens and where the data is, from a file that may have other problems: the command
/// line must reach a running gateway while its file is being edited.
pub(crate) fn glance(file: &Path) -> Option<(SocketAddr, PathBuf)> {
    let table: toml::Table = std::fs::read_to_string(file).ok()?.parse().ok()?;
    let api: SocketAddr = table.get("listen")?.get("api")?.as_str()?.parse().ok()?;
    let base = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let data = base.join(table.get("data_dir")?.as_str()?);
    api.ip().is_loopback().then_some((api, data))
}

/// Checks a configuration's text; `file` gives its name and the folder that paths are relative to.
///
/// # Errors
/// Every problem found, in the order of the file.
pub(crate) fn parse(file: &Path, text: &str) -> Result<Config, Problems> {
    let model: ConfigFile =
        toml::from_str(text).map_err(|error| Problems::one(ConfigProblem::from_toml(file, text, &error)))?;
    check::check(file, text, model)
}

/// The JSON schema of the file, for editors.
pub(crate) fn schema() -> serde_json::Value {
    schemars::schema_for!(ConfigFile).to_value()
}
