//! The store behind a sink: creates objects, reads them, lists them; and says what went wrong in words of ours.
//!
//! A library's error text may hold addresses with signatures in them and what a server answered, so none
//! of it is passed on but a status and a code.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::client::HttpService;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutOptions};
use sallyport_core::Secret;
use thiserror::Error;

use super::address::{Provider, SinkAddress};
use super::parts::{Handed, identity, retry};
use crate::medium::make_directory;

/// Largest object that is read back: more than a segment can have.
const MOST_BYTES: u64 = 256 << 20;

/// Where copies go, and how to be let in there.
#[derive(Clone, Debug)]
pub struct SinkSettings {
    /// Where.
    pub to: SinkAddress,
    /// The service's address when it is not the provider's own.
    pub endpoint: Option<String>,
    /// The region, of S3.
    pub region: Option<String>,
    /// The id of the access key, of S3. Not a secret.
    pub access_key: Option<String>,
    /// S3: the secret access key. Azure: an account key or a SAS token. Google: a service account's key, JSON.
    /// Nothing: the identity of the workload.
    pub secret: Option<Secret<String>>,
    /// What the environment says of the workload's identity, by the provider's own names.
    pub identity: Vec<(String, String)>,
}

/// Why something was not sent or fetched.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SinkError {
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// It is there already.
    #[error("it is there already")]
    There,
    /// It is not there.
    #[error("it is not there")]
    Missing,
    /// The sink does not let us.
    #[error("the sink refuses: {0}")]
    Refused(String),
    /// No answer, or not one that helps.
    #[error("the sink cannot be used: {0}")]
    Away(String),
    /// What is there under this name is something else.
    #[error("{0}")]
    Conflict(String),
    /// The disk here.
    #[error("it cannot be read or written here: {0}")]
    Disk(std::io::ErrorKind),
}

impl From<std::io::Error> for SinkError {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error.kind())
    }
}

/// A status and a code out of a library's text: digits, and letters between `<Code>` and its end.
fn gist(text: &str) -> String {
    let status: String = text
        .split_once("status code: ")
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).take(3).collect())
        .unwrap_or_default();
    let code: String = text
        .split_once("<Code>")
        .map(|(_, rest)| rest.chars().take_while(char::is_ascii_alphanumeric).take(64).collect())
        .unwrap_or_default();
    match (status.as_str(), code.as_str()) {
        ("", "") => "no answer, or none that is understood".into(),
        (status, "") => format!("status {status}"),
        ("", code) => code.to_owned(),
        (status, code) => format!("status {status}, {code}"),
    }
}

impl SinkError {
    fn of(error: &object_store::Error) -> Self {
        use object_store::Error as E;
        match error {
            E::AlreadyExists { .. } | E::Precondition { .. } => Self::There,
            E::NotFound { .. } => Self::Missing,
            E::PermissionDenied { source, .. } | E::Unauthenticated { source, .. } => {
                Self::Refused(gist(&source.to_string()))
            }
            E::Generic { source, .. } => {
                let text = gist(&source.to_string());
                // What the store keeps under a lock it answers in words of its own.
                if text.contains("BlobImmutableDueToPolicy") || text.contains("BlobAlreadyExists") {
                    Self::There
                } else {
                    Self::Away(text)
                }
            }
            _ => Self::Away("the request could not be made".into()),
        }
    }

    /// Whether the sink itself is away, rather than one file in trouble.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Self::Away(_) | Self::Refused(_))
    }
}

/// A sink that can be sent to.
#[derive(Clone)]
pub struct Sink {
    store: Arc<dyn ObjectStore>,
    root: ObjectPath,
    shown: String,
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("to", &self.shown).finish_non_exhaustive()
    }
}

fn unusable(what: &str) -> SinkError {
    SinkError::Settings(format!("the sink's settings cannot be used: {what}"))
}

impl Sink {
    /// A sink by its settings. Nothing is asked of it yet. `http` makes every request, and is what decides
    /// about redirects, proxies and deadlines.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub fn open(settings: &SinkSettings, http: impl HttpService + Clone) -> Result<Self, SinkError> {
        let to = &settings.to;
        let store: Arc<dyn ObjectStore> = match to.provider {
            Provider::Folder => {
                make_directory(&to.folder())?;
                let folder = LocalFileSystem::new_with_prefix(to.folder());
                Arc::new(folder.map_err(|_| unusable("the folder"))?.with_fsync(true))
            }
            Provider::S3 => s3(settings, http)?,
            Provider::Azure => azure(settings, http)?,
            Provider::Google => google(settings, http)?,
        };
        Ok(Self { store, root: ObjectPath::from(to.prefix.as_str()), shown: to.to_string() })
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.shown
    }

    fn at(&self, log: &str, name: &str) -> ObjectPath {
        let root = self.root.parts().map(|part| part.as_ref().to_owned());
        let rest = [log].into_iter().chain(name.split('/')).filter(|part| !part.is_empty());
        ObjectPath::from_iter(root.chain(rest.map(str::to_owned)))
    }

    /// Creates an object; [`SinkError::There`] when there is one of that name.
    pub(super) async fn create(&self, log: &str, name: &str, bytes: Bytes) -> Result<(), SinkError> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.store.put_opts(&self.at(log, name), bytes.into(), options).await;
        put.map(drop).map_err(|error| match SinkError::of(&error) {
            SinkError::Missing => SinkError::Away("there is no such bucket or container".into()),
            other => other,
        })
    }

    /// An object's bytes.
    pub(super) async fn get(&self, log: &str, name: &str) -> Result<Bytes, SinkError> {
        let found = self.store.get(&self.at(log, name)).await.map_err(|error| SinkError::of(&error))?;
        if found.meta.size > MOST_BYTES {
            return Err(SinkError::Conflict("what is there is larger than anything that is sent".into()));
        }
        found.bytes().await.map_err(|error| SinkError::of(&error))
    }

    /// Names in a folder, with sizes, behind `after` when one is given.
    pub(super) async fn list(
        &self,
        log: &str,
        folder: &str,
        after: Option<&str>,
    ) -> Result<Vec<(String, u64)>, SinkError> {
        let prefix = self.at(log, folder);
        let found = match after {
            Some(after) => {
                self.store.list_with_offset(Some(&prefix), &self.at(log, &format!("{folder}/{after}")))
            }
            None => self.store.list(Some(&prefix)),
        };
        let mut names: Vec<(String, u64)> = found
            .map_ok(|meta| (meta.location.filename().unwrap_or_default().to_owned(), meta.size))
            .try_collect()
            .await
            .map_err(|error| SinkError::of(&error))?;
        names.sort();
        Ok(names)
    }

    /// Folders at the sink's root: one a log.
    pub(super) async fn folders(&self) -> Result<Vec<String>, SinkError> {
        let root = (!self.root.as_ref().is_empty()).then_some(&self.root);
        let found = self.store.list_with_delimiter(root).await.map_err(|error| SinkError::of(&error))?;
        let mut names: Vec<String> =
            found.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }
}

fn s3(settings: &SinkSettings, http: impl HttpService + Clone) -> Result<Arc<dyn ObjectStore>, SinkError> {
    let mut builder = AmazonS3Builder::new()
        .with_http_connector(Handed(http))
        .with_retry(retry())
        .with_bucket_name(&settings.to.bucket)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        // A bucket with an object lock takes nothing without one.
        .with_checksum_algorithm(Checksum::SHA256);
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    match (&settings.access_key, &settings.secret) {
        (Some(id), Some(secret)) => {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose());
        }
        (None, None) => {
            for (key, value) in identity::<AmazonS3ConfigKey>(&settings.identity) {
                builder = builder.with_config(key, value);
            }
        }
        _ => return Err(unusable("S3 takes an access key's id and its secret, or neither")),
    }
    Ok(Arc::new(builder.build().map_err(|_| unusable("S3 refuses them"))?))
}

fn azure(settings: &SinkSettings, http: impl HttpService + Clone) -> Result<Arc<dyn ObjectStore>, SinkError> {
    let mut builder = MicrosoftAzureBuilder::new()
        .with_http_connector(Handed(http))
        .with_retry(retry())
        .with_account(&settings.to.account)
        .with_container_name(&settings.to.bucket);
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint.clone()).with_allow_http(endpoint.starts_with("http://"));
    }
    match &settings.secret {
        Some(secret) if secret.expose().contains("sig=") => {
            builder = builder.with_config(AzureConfigKey::SasKey, secret.expose().as_str());
        }
        Some(secret) => builder = builder.with_access_key(secret.expose().as_str()),
        None => {
            for (key, value) in identity::<AzureConfigKey>(&settings.identity) {
                builder = builder.with_config(key, value);
            }
        }
    }
    Ok(Arc::new(builder.build().map_err(|_| unusable("Azure refuses them"))?))
}

fn google(
    settings: &SinkSettings,
    http: impl HttpService + Clone,
) -> Result<Arc<dyn ObjectStore>, SinkError> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_http_connector(Handed(http))
        .with_retry(retry())
        .with_bucket_name(&settings.to.bucket);
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_config(GoogleConfigKey::BaseUrl, endpoint.as_str());
    }
    match &settings.secret {
        Some(secret) => builder = builder.with_service_account_key(secret.expose().as_str()),
        None => {
            for (key, value) in identity::<GoogleConfigKey>(&settings.identity) {
                builder = builder.with_config(key, value);
            }
        }
    }
    Ok(Arc::new(builder.build().map_err(|_| unusable("Google refuses them"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_30_what_a_library_says_reaches_nobody_but_its_status_and_code() {
        let text = "Error performing PUT https://a.blob.core.windows.net/c/x?sv=1&sig=SECRET in 3ms - Server returned \
                    non-2xx status code: 403 Forbidden: <Error><Code>AuthenticationFailed</Code><Message>SECRET</Message>";
        assert_eq!(gist(text), "status 403, AuthenticationFailed");
        assert_eq!(gist("SECRET"), "no answer, or none that is understood");
    }
}
