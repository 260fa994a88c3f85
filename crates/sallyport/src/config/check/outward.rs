//! Sinks and key services: addresses that may be asked, and settings that their kind knows.

use std::time::Duration;

use sallyport_core::CredentialRef;
use sallyport_record::sink::{Provider, SinkAddress};
use sallyport_record::{NoteKey, Witness};

use super::super::outward::{
    AwsSource, AzureSource, KeyEntry, KeyServiceWord, KeySource, SinkEntry, SinkSource, VaultSource,
    WitnessEntry,
};
use super::super::problem::Step;
use super::super::recording::{EncryptionEntry, RecordingEntry};
use super::Checker;

/// Within this a segment is complete when nothing else is said: what a lost disk takes with it.
const WITHIN: Duration = Duration::from_secs(300);
const LEAST: Duration = Duration::from_secs(5);
const MOST: Duration = Duration::from_secs(86_400);

impl Checker<'_> {
    pub(super) fn sink(&mut self, entry: &SinkEntry) -> Option<SinkSource> {
        let at = |key| [Step::Key("recording"), Step::Key("sink"), Step::Key(key)];
        let before = self.problems.len();
        let to = SinkAddress::parse(&entry.to).map_err(|what| self.problem(&at("to"), what)).ok();
        let provider = to.as_ref().map(SinkAddress::provider);
        for (key, is_set, whose) in [
            ("region", entry.region.is_some(), &[Provider::S3][..]),
            ("access_key", entry.access_key.is_some(), &[Provider::S3]),
            ("endpoint", entry.endpoint.is_some(), &[Provider::S3, Provider::Azure, Provider::Google]),
            ("credential", entry.credential.is_some(), &[Provider::S3, Provider::Azure, Provider::Google]),
        ] {
            if is_set && provider.is_some_and(|provider| !whose.contains(&provider)) {
                self.problem(&at(key), "this could not act: a sink of this kind has no such setting");
            }
        }
        if provider == Some(Provider::S3) && entry.access_key.is_some() != entry.credential.is_some() {
            self.problem(&at("access_key"), "an access key's id and its secret (`credential`) go together");
        }
        if let Some(endpoint) = &entry.endpoint {
            self.outside(&at("endpoint"), endpoint);
        }
        let credential = self.outside_credential(&at("credential"), entry.credential.as_deref());
        let within = entry.within.map_or(WITHIN, |within| within.0);
        if !(LEAST..=MOST).contains(&within) {
            self.problem(&at("within"), "must be 5s to 1d");
        }
        let adopt = entry.adopt.as_deref().and_then(|folder| self.folder(&at("adopt"), folder));
        if self.problems.len() > before {
            return None;
        }
        Some(SinkSource {
            to: to?,
            endpoint: entry.endpoint.clone(),
            region: entry.region.clone(),
            access_key: entry.access_key.clone(),
            credential,
            within,
            adopt,
        })
    }

    /// An address that the gateway itself asks.
    fn outside(&mut self, at: &[Step<'_>], text: &str) {
        if sallyport_auth::egress::address(text).is_err() {
            self.problem(at, "must be https:// without user name; http:// is for loopback only");
        }
    }

    fn outside_credential(&mut self, at: &[Step<'_>], text: Option<&str>) -> Option<CredentialRef> {
        match self.credential(at, text?) {
            Some(CredentialRef::None) => {
                self.problem(at, "leave it out for the identity of the workload");
                None
            }
            other => other,
        }
    }

    pub(super) fn witnesses(&mut self, entries: &[WitnessEntry]) -> Vec<Witness> {
        let mut found: Vec<Witness> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let at = |key| [Step::Key("recording"), Step::Key("witness"), Step::At(index), Step::Key(key)];
            self.outside(&at("url"), &entry.url);
            match NoteKey::parse(&entry.key).filter(NoteKey::is_witness) {
                Some(key) if found.iter().any(|other| other.key == key) => {
                    self.problem(&at("key"), "this witness is named twice");
                }
                Some(key) => found.push(Witness { key, url: entry.url.clone() }),
                None => self.problem_with(
                    &at("key"),
                    "this is no witness's key",
                    Some("as the witness publishes it: name+12345678+base64, of type 4"),
                ),
            }
        }
        found
    }

    /// The service is named and used, or neither.
    pub(super) fn key_service(&mut self, recording: &RecordingEntry) -> Option<KeySource> {
        let at = |key| [Step::Key("recording"), Step::Key(key)];
        match (&recording.key, recording.encryption) {
            (Some(entry), EncryptionEntry::Service | EncryptionEntry::File) => {
                if recording.encryption == EncryptionEntry::File {
                    self.notes.push(
                        "[recording.key] only reads what was recorded with it: `encryption` is not `service`"
                            .into(),
                    );
                }
                self.key_source(entry)
            }
            (Some(_), EncryptionEntry::Off) => {
                self.problem(&at("key"), "this could not act: `encryption` is `off`");
                None
            }
            (None, EncryptionEntry::Service) => {
                self.problem(&at("encryption"), "name the service under [recording.key]");
                None
            }
            (None, _) => None,
        }
    }

    fn key_source(&mut self, entry: &KeyEntry) -> Option<KeySource> {
        use KeyServiceWord::{Aws, Azure, Vault};
        let at = |key| [Step::Key("recording"), Step::Key("key"), Step::Key(key)];
        let before = self.problems.len();
        for (key, is_set, whose) in [
            ("address", entry.address.is_some(), &[Vault, Aws][..]),
            ("mount", entry.mount.is_some(), &[Vault]),
            ("namespace", entry.namespace.is_some(), &[Vault]),
            ("region", entry.region.is_some(), &[Aws]),
            ("access_key", entry.access_key.is_some(), &[Aws]),
            ("tenant", entry.tenant.is_some(), &[Azure]),
            ("client", entry.client.is_some(), &[Azure]),
            ("authority", entry.authority.is_some(), &[Azure]),
        ] {
            if is_set && !whose.contains(&entry.service) {
                self.problem(&at(key), "this could not act: this service has no such setting");
            }
        }
        for (key, address) in [("address", &entry.address), ("authority", &entry.authority)] {
            if let Some(address) = address {
                self.outside(&at(key), address);
            }
        }
        let part = |text: &str| {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
            (1..=128).contains(&text.len()) && text.bytes().all(known) && !text.contains("..")
        };
        let mount = entry.mount.as_deref().unwrap_or("transit");
        if !part(mount) {
            self.problem(&at("mount"), "letters, digits, `-`, `_`, `.` and `/`");
        }
        let is_key = match entry.service {
            Vault => part(&entry.key) && !entry.key.contains('/'),
            Aws => part(&entry.key.replace(':', "-")),
            // https: / "" / host / keys / NAME [/ VERSION]
            Azure => {
                self.outside(&at("key"), &entry.key);
                let parts: Vec<&str> = entry.key.split('/').collect();
                (5..=6).contains(&parts.len())
                    && parts.get(3) == Some(&"keys")
                    && parts.iter().skip(4).all(|part| {
                        !part.is_empty()
                            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    })
            }
        };
        if !is_key {
            self.problem_with(
                &at("key"),
                "this is no key of this service",
                Some("vault: its name; azure: https://NAME.vault.azure.net/keys/KEY; aws: an ARN, an id or alias/NAME"),
            );
        }
        if entry.access_key.is_some() != entry.credential.is_some() && entry.service == Aws {
            self.problem(&at("access_key"), "an access key's id and its secret (`credential`) go together");
        }
        for (key, is_set, service) in [
            ("address", entry.address.is_some(), Vault),
            ("credential", entry.credential.is_some(), Vault),
            ("region", entry.region.is_some(), Aws),
        ] {
            if !is_set && entry.service == service {
                self.problem(&at("service"), format!("this service needs `{key}`"));
            }
        }
        let credential = self.outside_credential(&at("credential"), entry.credential.as_deref());
        if self.problems.len() > before {
            return None;
        }
        Some(match entry.service {
            Vault => KeySource::Vault(VaultSource {
                address: entry.address.clone()?,
                mount: mount.to_owned(),
                key: entry.key.clone(),
                namespace: entry.namespace.clone(),
                credential: credential?,
            }),
            Azure => KeySource::Azure(AzureSource {
                key: entry.key.clone(),
                tenant: entry.tenant.clone(),
                client: entry.client.clone(),
                authority: entry.authority.clone(),
                credential,
            }),
            Aws => KeySource::Aws(AwsSource {
                key: entry.key.clone(),
                region: entry.region.clone()?,
                endpoint: entry.address.clone(),
                access_key: entry.access_key.clone(),
                credential,
            }),
        })
    }
}

#[cfg(test)]
#[path = "outward_tests.rs"]
mod tests;
