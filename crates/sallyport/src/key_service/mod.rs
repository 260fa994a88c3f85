//! Key services that wrap the recording's data keys: Vault's transit engine, Azure Key Vault, AWS KMS.
//!
//! The recorder asks from threads of its own and wants an answer or an error; so one thread here talks to
//! the service, and whoever asks waits for it, for a bounded time. What is wrapped is the segment's number
//! and its key together: a key that comes back for another segment is refused. Keys that were unwrapped are
//! kept in memory, a few.

mod aws;
mod azure;
mod vault;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sallyport_auth::egress;
use sallyport_record::{DataKey, KeyFiles, RecordError, WrappedKey, Wrapping};
use zeroize::Zeroizing;

use crate::config::{Config, EncryptionEntry, KeySource};
use crate::failure::Failure;

/// How long whoever asks waits: for a token and for the answer, each with a deadline of its own.
const PATIENCE: Duration = Duration::from_secs(20);
/// Largest answer that is read.
const MOST_BYTES: usize = 64 << 10;
/// Keys that are kept.
const KEPT: usize = 64;
/// What stands before a service's key in a segment's header; ids of keys in files have no colon.
const MARK: char = ':';

/// In words, for the operator; nothing that a service said but a status and a code.
type Problem = String;

/// A service.
#[derive(Debug)]
enum Service {
    Vault(vault::Vault),
    Azure(azure::Azure),
    Aws(aws::Aws),
}

impl Service {
    async fn wrap(&mut self, plain: &[u8]) -> Result<WrappedKey, Problem> {
        match self {
            Self::Vault(vault) => vault.wrap(plain).await,
            Self::Azure(azure) => azure.wrap(plain).await,
            Self::Aws(aws) => aws.wrap(plain).await,
        }
    }

    async fn unwrap(&mut self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, Problem> {
        match self {
            Self::Vault(vault) => vault.unwrap(wrapped).await,
            Self::Azure(azure) => azure.unwrap(wrapped).await,
            Self::Aws(aws) => aws.unwrap(wrapped).await,
        }
    }
}

enum What {
    Wrap(Zeroizing<Vec<u8>>, SyncSender<Result<WrappedKey, Problem>>),
    Unwrap(WrappedKey, SyncSender<Result<Zeroizing<Vec<u8>>, Problem>>),
}

/// The way to a service.
pub(crate) struct KeyService {
    desk: SyncSender<What>,
    kept: Mutex<VecDeque<(u64, WrappedKey, DataKey)>>,
}

impl fmt::Debug for KeyService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyService")
    }
}

fn bound(segment: u64, key: &DataKey) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&segment.to_be_bytes(), key.as_slice()].concat())
}

impl KeyService {
    fn start(mut service: Service) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (desk, asked) = sync_channel::<What>(64);
        std::thread::Builder::new().name("key-service".into()).spawn(move || {
            for what in asked {
                // Whoever asked may have given up.
                match what {
                    What::Wrap(plain, reply) => drop(reply.send(runtime.block_on(service.wrap(&plain)))),
                    What::Unwrap(wrapped, reply) => {
                        drop(reply.send(runtime.block_on(service.unwrap(&wrapped))));
                    }
                }
            }
        })?;
        Ok(Self { desk, kept: Mutex::default() })
    }

    fn ask<T>(&self, what: impl FnOnce(SyncSender<Result<T, Problem>>) -> What) -> Result<T, RecordError> {
        let (reply, answer) = sync_channel(1);
        let busy = || RecordError::Key("the key service is not asked: too much waits for it".into());
        self.desk.try_send(what(reply)).map_err(|_| busy())?;
        answer
            .recv_timeout(PATIENCE)
            .map_err(|_| RecordError::Key("the key service does not answer".into()))?
            .map_err(RecordError::Key)
    }
}

impl Wrapping for KeyService {
    fn wrap(&self, segment: u64, key: &DataKey) -> Result<WrappedKey, RecordError> {
        self.ask(|reply| What::Wrap(bound(segment, key), reply))
    }

    fn unwrap(&self, segment: u64, wrapped: &WrappedKey) -> Result<DataKey, RecordError> {
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, key)) = kept().iter().find(|(number, of, _)| *number == segment && of == wrapped) {
            return Ok(key.clone());
        }
        let plain = self.ask(|reply| What::Unwrap(wrapped.clone(), reply))?;
        let of_another = || RecordError::Key("a data key was not wrapped for this segment".into());
        let (number, key) = plain.split_first_chunk::<8>().ok_or_else(of_another)?;
        let key = <[u8; 32]>::try_from(key).map_err(|_| of_another())?;
        if u64::from_be_bytes(*number) != segment {
            return Err(of_another());
        }
        let key: DataKey = Zeroizing::new(key);
        let mut kept = kept();
        kept.push_back((segment, wrapped.clone(), key.clone()));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        Ok(key)
    }

    fn takes_time(&self) -> bool {
        true
    }
}

/// All the keys that a configuration can read with: files, and a service when there is one.
#[derive(Clone, Debug)]
pub(crate) struct AllKeys {
    files: KeyFiles,
    service: Option<Arc<KeyService>>,
}

impl Wrapping for AllKeys {
    fn wrap(&self, segment: u64, key: &DataKey) -> Result<WrappedKey, RecordError> {
        match &self.service {
            Some(service) => service.wrap(segment, key),
            None => self.files.wrap(segment, key),
        }
    }

    fn unwrap(&self, segment: u64, wrapped: &WrappedKey) -> Result<DataKey, RecordError> {
        match (&self.service, wrapped.key_id.contains(MARK)) {
            (_, false) => self.files.unwrap(segment, wrapped),
            (Some(service), true) => service.unwrap(segment, wrapped),
            (None, true) => Err(RecordError::Key(
                "this was recorded with a key service, and none is set under [recording.key]".into(),
            )),
        }
    }

    fn takes_time(&self) -> bool {
        self.service.is_some()
    }
}

/// The keys that the configuration names. Nothing is asked of a service yet.
pub(crate) fn keys(config: &Config) -> Result<AllKeys, Failure> {
    let files = KeyFiles::in_folder(config.wrapping_keys());
    let service = match &config.key_service {
        None => None,
        Some(source) => Some(Arc::new(open(source)?)),
    };
    Ok(AllKeys { files, service })
}

/// The keys that new segments are encrypted with; nothing when they are not.
pub(crate) fn for_writing(config: &Config, keys: &AllKeys) -> Result<Option<Arc<dyn Wrapping>>, Failure> {
    match config.recording.encryption {
        EncryptionEntry::Off => Ok(None),
        EncryptionEntry::Service => Ok(Some(Arc::new(keys.clone()))),
        EncryptionEntry::File => {
            keys.files.make_first().map_err(|error| Failure::failed(format!("recording: {error}")))?;
            Ok(Some(Arc::new(keys.files.clone())))
        }
    }
}

fn open(source: &KeySource) -> Result<KeyService, Failure> {
    let failed = |problem: Problem| Failure::usage(format!("recording.key: {problem}"));
    let client = egress::client().map_err(|error| failed(error.to_string()))?;
    let service = match source {
        KeySource::Vault(source) => Service::Vault(vault::Vault::new(source.clone(), client)),
        KeySource::Azure(source) => {
            Service::Azure(azure::Azure::new(source.clone(), client).map_err(failed)?)
        }
        KeySource::Aws(source) => Service::Aws(aws::Aws::new(source.clone(), client).map_err(failed)?),
    };
    KeyService::start(service).map_err(|error| failed(error.to_string()))
}

/// Sends a request and takes JSON out of an answer of 200; else what it was, without what it said but a code.
async fn ask(request: reqwest::RequestBuilder, whose: &str) -> Result<serde_json::Value, Problem> {
    let answer = egress::send(request, MOST_BYTES).await.map_err(|error| format!("{whose}: {error}"))?;
    let body = Zeroizing::new(answer.body);
    let said: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    match (answer.status, said) {
        (200, Some(said)) => Ok(said),
        (200, None) => Err(format!("{whose} answers with something else than JSON")),
        (status, said) => {
            let code = said.as_ref().and_then(code).unwrap_or_default();
            Err(format!(
                "{whose} refuses with status {status}{}{code}",
                if code.is_empty() { "" } else { ", " }
            ))
        }
    }
}

/// The code of an error, where each of them writes it.
fn code(said: &serde_json::Value) -> Option<String> {
    let mut found = ["/__type", "/error/code", "/error"].into_iter().map(|path| said.pointer(path)?.as_str());
    let text = found.find_map(|text| text)?;
    let known = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '#');
    Some(text.chars().take_while(known).take(64).collect())
}

/// A text in JSON that must be there.
fn text<'a>(said: &'a serde_json::Value, path: &str, whose: &str) -> Result<&'a str, Problem> {
    said.pointer(path)
        .and_then(|value| value.as_str())
        .ok_or_else(|| format!("{whose} answers without {path}"))
}
