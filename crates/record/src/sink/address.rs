//! A sink's address: `file:///folder`, `s3://bucket/prefix`, `az://account/container/prefix`, `gs://bucket/prefix`.

use std::fmt;
use std::path::PathBuf;

/// Who keeps what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// A folder, on another disk.
    Folder,
    /// S3, or what speaks its protocol.
    S3,
    /// Azure Blob Storage.
    Azure,
    /// Google Cloud Storage.
    Google,
}

/// Where copies go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkAddress {
    pub(super) provider: Provider,
    /// The storage account, of Azure alone.
    pub(super) account: String,
    /// Bucket or container; of a folder its path.
    pub(super) bucket: String,
    /// What every name begins with.
    pub(super) prefix: String,
}

fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=255).contains(&name.len()) && name.bytes().all(known) && !name.starts_with('.')
}

impl SinkAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(
            "an address is file:///folder, s3://bucket/prefix, az://account/container/prefix or gs://bucket/prefix",
        )?;
        let new = |provider, account: &str, bucket: &str, prefix: &str| Self {
            provider,
            account: account.to_owned(),
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        if scheme == "file" {
            if !rest.starts_with('/') || rest.split('/').any(|part| part == "..") {
                return Err("a folder is absolute, as in file:///mnt/recordings");
            }
            return Ok(new(Provider::Folder, "", rest, ""));
        }
        let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
        if !parts.iter().all(|part| is_name(part)) {
            return Err("names are letters, digits, `-`, `_` and `.`");
        }
        match (scheme, parts.as_slice()) {
            ("s3", [bucket, prefix @ ..]) => Ok(new(Provider::S3, "", bucket, &prefix.join("/"))),
            ("gs", [bucket, prefix @ ..]) => Ok(new(Provider::Google, "", bucket, &prefix.join("/"))),
            ("az", [account, container, prefix @ ..]) => {
                Ok(new(Provider::Azure, account, container, &prefix.join("/")))
            }
            ("az", _) => {
                Err("an address of Azure names the account and the container: az://account/container")
            }
            _ => Err("a sink is at file://, s3://, az:// or gs://"),
        }
    }

    /// Who keeps it.
    #[must_use]
    pub fn provider(&self) -> Provider {
        self.provider
    }

    pub(super) fn folder(&self) -> PathBuf {
        PathBuf::from(&self.bucket)
    }
}

impl fmt::Display for SinkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, bucket, prefix, .. } = self;
        let slash = if prefix.is_empty() { "" } else { "/" };
        match self.provider {
            Provider::Folder => write!(f, "file://{bucket}"),
            Provider::S3 => write!(f, "s3://{bucket}{slash}{prefix}"),
            Provider::Azure => write!(f, "az://{account}/{bucket}{slash}{prefix}"),
            Provider::Google => write!(f, "gs://{bucket}{slash}{prefix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_again_and_what_is_none_is_refused() {
        for good in [
            "file:///mnt/worm",
            "s3://bucket",
            "s3://bucket/a/b",
            "az://account/container/p",
            "gs://bucket/x",
        ] {
            assert_eq!(SinkAddress::parse(good).unwrap().to_string(), good);
        }
        for bad in [
            "bucket",
            "s3://",
            "s3://a//b",
            "s3://a/../b",
            "az://account",
            "file://mnt",
            "file:///a/../b",
            "http://a/b",
            "s3://a?b",
        ] {
            assert!(SinkAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
