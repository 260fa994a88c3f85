//! The shape of `sallyport.toml`: what may be written, before it is known whether it makes sense.
//!
//! The doc comments here are what the JSON schema says to whoever edits the file.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;

use super::duration::TextDuration;
use super::recording::RecordingEntry;

/// Sallyport's configuration. Paths are relative to this file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigFile {
    /// Folder for the store, recordings and keys. Only its owner may enter it.
    pub(crate) data_dir: String,
    /// Where the gateway listens.
    pub(crate) listen: ListenEntry,
    /// What is protected.
    #[serde(default, rename = "target")]
    pub(crate) targets: Vec<TargetEntry>,
    /// Who may call.
    #[serde(default, rename = "principal")]
    pub(crate) principals: Vec<PrincipalEntry>,
    /// OpenID Connect providers whose access tokens are taken in place of Sallyport's own.
    #[serde(default)]
    pub(crate) oidc: Vec<OidcEntry>,
    /// The rules.
    pub(crate) policy: PolicyEntry,
    /// Which columns carry which class of data.
    #[serde(default)]
    pub(crate) masking: Option<MaskingEntry>,
    /// How sessions are recorded.
    #[serde(default)]
    pub(crate) recording: RecordingEntry,
    /// Finding what was recorded.
    #[serde(default)]
    pub(crate) search: SearchEntry,
    /// Limits for every session.
    #[serde(default)]
    pub(crate) limits: LimitsEntry,
}

/// Where the gateway listens.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListenEntry {
    /// Address for PostgreSQL clients, as `127.0.0.1:6432`.
    pub(crate) postgres: String,
    /// Address for MySQL and MariaDB clients, as `127.0.0.1:6433`. Nobody can connect when it is left out.
    #[serde(default)]
    pub(crate) mysql: Option<String>,
    /// Address of the API; loopback. For others, put a TLS proxy in front.
    pub(crate) api: String,
    /// Where people reach the API through the proxy in front of it, as `https://gw.example.com`: for
    /// links in refusals, and the one host name besides loopback's that the API answers to.
    #[serde(default)]
    pub(crate) public_url: Option<String>,
    /// Whether database clients must speak TLS: they must unless `off`, which is for loopback only.
    #[serde(default)]
    pub(crate) tls: Option<ListenTls>,
    /// How clients that do not say otherwise hand over their token: `password` unless `oauth`.
    #[serde(default)]
    pub(crate) sign_in: SignInEntry,
    /// PEM file with the certificate chain, leaf first. Without one the gateway makes its own.
    #[serde(default)]
    pub(crate) tls_certificate: Option<String>,
    /// PEM file with the private key. Only its owner may read it.
    #[serde(default)]
    pub(crate) tls_key: Option<String>,
}

/// TLS towards callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ListenTls {
    /// Plain text is refused.
    Required,
    /// Plain text only.
    Off,
}

/// How a client hands over its token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SignInEntry {
    /// In the password's place; every client can.
    #[default]
    Password,
    /// By SASL OAUTHBEARER, as PostgreSQL 18's clients do.
    Oauth,
}

/// One target.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetEntry {
    /// Unique name, by which callers ask for it: lower-case letters, digits, `-`, `_`, `.`.
    pub(crate) name: String,
    /// `postgres` or `mysql` (MariaDB too).
    pub(crate) protocol: String,
    /// `host:port`.
    pub(crate) address: String,
    /// The database opened when a caller names only the target.
    pub(crate) database: String,
    /// Further databases that may be asked for as `target/database`.
    #[serde(default)]
    pub(crate) databases: Vec<String>,
    /// An address of its own, where clients name only the database. It speaks TLS as `[listen]` says.
    #[serde(default)]
    pub(crate) listen: Option<String>,
    /// The role the gateway signs in as.
    pub(crate) user: String,
    /// `env:NAME`, `file:PATH`, or `none`.
    pub(crate) credential: String,
    /// TLS towards the target.
    #[serde(default)]
    pub(crate) tls: TargetTlsEntry,
    /// For policy, as `env = "production"`.
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

/// TLS towards a target.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TargetTlsEntry {
    /// What is checked.
    #[serde(default)]
    pub(crate) mode: TlsModeEntry,
    /// PEM file with the authorities to trust; the system's when absent.
    #[serde(default)]
    pub(crate) ca: Option<String>,
    /// PEM file with the certificate that the gateway shows to the target, chain, leaf first.
    #[serde(default)]
    pub(crate) certificate: Option<String>,
    /// PEM file with its private key. Only its owner may read it.
    #[serde(default)]
    pub(crate) key: Option<String>,
}

/// What is checked of a target's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TlsModeEntry {
    /// Chain and host name.
    #[default]
    VerifyFull,
    /// Chain only.
    VerifyCa,
    /// Plain text, for loopback.
    Disable,
}

/// One principal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalEntry {
    /// Unique name; for humans best the e-mail address the company knows them by.
    pub(crate) name: String,
    /// Human, service or agent.
    pub(crate) kind: KindEntry,
    /// The human an agent or service acts for, by that human's principal name.
    #[serde(default)]
    pub(crate) on_behalf_of: Option<String>,
    /// Groups, for policy and approvals.
    #[serde(default)]
    pub(crate) groups: BTreeSet<String>,
    /// What it may do over the API. Agents have none.
    #[serde(default)]
    pub(crate) roles: BTreeSet<RoleEntry>,
    /// The only targets whose recordings it may read; every target's when absent. Goes with the role
    /// auditor.
    #[serde(default)]
    pub(crate) recordings_of: Option<BTreeSet<String>>,
}

/// What sort of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KindEntry {
    /// A person.
    Human,
    /// A program that acts for itself.
    Service,
    /// An AI agent.
    Agent,
}

/// An API role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RoleEntry {
    /// Sees sessions, targets and requests; no payloads.
    Viewer,
    /// Answers requests for the groups it is in.
    Approver,
    /// Reads recordings.
    Auditor,
    /// Makes tokens, ends sessions, reads the audit log.
    Admin,
}

/// One OpenID Connect provider.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OidcEntry {
    /// The issuer, exactly as it stands in tokens; `https://…`.
    pub(crate) issuer: String,
    /// The audience that tokens must be made for.
    pub(crate) audience: String,
    /// Where its keys are; its discovery document says, when absent.
    #[serde(default)]
    pub(crate) jwks_url: Option<String>,
    /// The claim with the stable subject; `oid` for Entra.
    #[serde(default = "principal_claim")]
    pub(crate) principal_claim: String,
    /// The claim with groups, which are added to the configured ones; none are taken when absent.
    #[serde(default)]
    pub(crate) groups_claim: Option<String>,
    /// Signature algorithms, by their JWA names; RS256 and ES256 when absent.
    #[serde(default)]
    pub(crate) algorithms: Vec<String>,
    /// The tenant that tokens must be of; for Entra.
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// Clients that tokens must have been issued to; any when absent.
    #[serde(default)]
    pub(crate) authorized_parties: Vec<String>,
    /// The provider's stable subject to the principal it is: `"00u1a2b3" = "alice@example.com"`.
    #[serde(default)]
    pub(crate) subjects: BTreeMap<String, String>,
}

fn principal_claim() -> String {
    "sub".to_owned()
}

/// The rules.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyEntry {
    /// Folder of `.cedar` files.
    pub(crate) dir: String,
}

/// Masking.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaskingEntry {
    /// TOML file that says which columns carry which label.
    pub(crate) labels: String,
}

/// Finding what was recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SearchEntry {
    /// Whether recorded operations are indexed. The index holds the text of statements in the clear, in
    /// `search.db` of the data folder.
    pub(crate) enabled: bool,
}

impl Default for SearchEntry {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Limits for every session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitsEntry {
    /// From connecting to an open session.
    pub(crate) handshake: TextDuration,
    /// Connections at once.
    pub(crate) max_connections: u32,
    /// Connections at once from one address.
    pub(crate) max_connections_per_address: u32,
    /// A session without an operation for so long is ended.
    pub(crate) idle: TextDuration,
    /// How long a held operation waits on its open connection before it becomes a ticket.
    pub(crate) hold_wait: TextDuration,
    /// The same with a transaction open.
    pub(crate) hold_wait_in_transaction: TextDuration,
    /// The largest message that is taken from a caller, bytes.
    pub(crate) message_limit_bytes: u32,
    /// The largest row that passes, bytes.
    pub(crate) row_limit_bytes: u32,
    /// How long sessions may take to end after SIGTERM.
    pub(crate) drain: TextDuration,
}

impl Default for LimitsEntry {
    fn default() -> Self {
        Self {
            handshake: TextDuration::seconds(15),
            max_connections: 1000,
            max_connections_per_address: 200,
            idle: TextDuration::seconds(3600),
            hold_wait: TextDuration::seconds(90),
            hold_wait_in_transaction: TextDuration::seconds(30),
            message_limit_bytes: 64 * 1024 * 1024,
            row_limit_bytes: 16 * 1024 * 1024,
            drain: TextDuration::seconds(30),
        }
    }
}
