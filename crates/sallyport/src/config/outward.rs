//! `[recording.sink]` and `[recording.key]`: services outside that the recording depends on, as they are written.

use std::path::PathBuf;
use std::time::Duration;

use sallyport_core::CredentialRef;
use sallyport_record::sink::SinkAddress;
use schemars::JsonSchema;
use serde::Deserialize;

use super::duration::TextDuration;

/// Where copies of what was recorded go. They are only added to there, never replaced and never removed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SinkEntry {
    /// `file:///folder`, `s3://bucket/prefix`, `az://account/container/prefix` or `gs://bucket/prefix`.
    pub(crate) to: String,
    /// The service's address when it is not the provider's own; `https`, or `http` on loopback.
    #[serde(default)]
    pub(crate) endpoint: Option<String>,
    /// The region, of S3; `us-east-1` when left out.
    #[serde(default)]
    pub(crate) region: Option<String>,
    /// The id of the access key, of S3.
    #[serde(default)]
    pub(crate) access_key: Option<String>,
    /// `env:NAME` or `file:PATH`. S3: the secret access key; Azure: an account key or a SAS token; Google: a
    /// service account's key. The identity of the workload when it is left out.
    #[serde(default)]
    pub(crate) credential: Option<String>,
    /// What was said is complete, and so sent, within this time; sooner when a segment is full. `5m` when left out.
    #[serde(default)]
    pub(crate) within: Option<TextDuration>,
    /// A folder of other replicas' data folders: recordings there that nobody records into are sent too.
    #[serde(default)]
    pub(crate) adopt: Option<String>,
}

/// A sink that can act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SinkSource {
    pub(crate) to: SinkAddress,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) access_key: Option<String>,
    pub(crate) credential: Option<CredentialRef>,
    pub(crate) within: Duration,
    pub(crate) adopt: Option<PathBuf>,
}

/// The service whose key wraps the keys that segments are encrypted with. For `encryption = "service"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyEntry {
    /// Whose.
    pub(crate) service: KeyServiceWord,
    /// Vault: its name, as `sallyport`, in the transit engine. Azure: its address, as
    /// `https://NAME.vault.azure.net/keys/KEY`. AWS: an ARN, an id or `alias/NAME`.
    pub(crate) key: String,
    /// The service's address: Vault's, and of AWS when it is not its own.
    #[serde(default)]
    pub(crate) address: Option<String>,
    /// Where Vault's transit engine is mounted; `transit` when left out.
    #[serde(default)]
    pub(crate) mount: Option<String>,
    /// Vault's namespace.
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    /// The region, of AWS.
    #[serde(default)]
    pub(crate) region: Option<String>,
    /// The id of the access key, of AWS.
    #[serde(default)]
    pub(crate) access_key: Option<String>,
    /// The tenant, of Azure.
    #[serde(default)]
    pub(crate) tenant: Option<String>,
    /// The application or the identity that asks, of Azure.
    #[serde(default)]
    pub(crate) client: Option<String>,
    /// Where tokens for Azure come from; Microsoft's own address when left out.
    #[serde(default)]
    pub(crate) authority: Option<String>,
    /// `env:NAME` or `file:PATH`. Vault: a token, read again each time; Azure: the client's secret; AWS: the
    /// secret access key. For Azure and AWS the identity of the workload when it is left out.
    #[serde(default)]
    pub(crate) credential: Option<String>,
}

/// Whose key service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyServiceWord {
    /// Vault's transit engine, or OpenBao's.
    Vault,
    /// Azure Key Vault or Managed HSM.
    Azure,
    /// AWS KMS.
    Aws,
}

/// A key service that can act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeySource {
    Vault(VaultSource),
    Azure(AzureSource),
    Aws(AwsSource),
}

/// Vault's transit engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VaultSource {
    pub(crate) address: String,
    pub(crate) mount: String,
    pub(crate) key: String,
    pub(crate) namespace: Option<String>,
    pub(crate) credential: CredentialRef,
}

/// Azure Key Vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AzureSource {
    /// The key's address, with or without a version.
    pub(crate) key: String,
    pub(crate) tenant: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) authority: Option<String>,
    pub(crate) credential: Option<CredentialRef>,
}

/// AWS KMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsSource {
    pub(crate) key: String,
    pub(crate) region: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) access_key: Option<String>,
    pub(crate) credential: Option<CredentialRef>,
}

/// A witness, who signs the log's checkpoints after it has seen that the log only grew (c2sp.org/tlog-witness).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessEntry {
    /// Its key as signed notes write it: `name+12345678+base64`.
    pub(crate) key: String,
    /// Where it is; `add-checkpoint` is below it.
    pub(crate) url: String,
}
