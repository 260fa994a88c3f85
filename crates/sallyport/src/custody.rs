//! What is done to the recording with files alone (a hold, its release, a new wrapping key), by whoever may
//! write the gateway's folders, with `sallyport recording` or without it: the gateway sees it and records it.
//!
//! A start says first what is held and which key wraps, so that a change made while no gateway ran shows as
//! a difference between two starts. What could not be recorded counts as not seen and is tried again.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sallyport_record::{Journal, KeyFiles, RecordError, retention};

/// Who is said to have done it: files do not tell more.
const HOST: &str = "host";

/// What one thing in the folders is: the action when it appears, and when it is gone.
type Actions = (&'static str, &'static str);
const HOLD: Actions = ("recording.hold", "recording.release");
const KEY: Actions = ("recording.key", "recording.key-removed");

/// By what it is (`session …`, `target …`, `wrapping key …`), with a hold's reason.
type Things = BTreeMap<String, (Actions, String)>;

/// What was seen and recorded so far.
#[derive(Debug)]
pub(crate) struct Custody {
    recordings: PathBuf,
    keys: PathBuf,
    seen: Things,
}

impl Custody {
    /// Of the folder of recordings and that of wrapping keys. Nothing counts as seen.
    pub(crate) fn of(recordings: PathBuf, keys: PathBuf) -> Self {
        Self { recordings, keys, seen: BTreeMap::new() }
    }

    fn present(&self) -> Result<Things, RecordError> {
        let holds = retention::holds(&self.recordings)?;
        let keys = KeyFiles::in_folder(&self.keys).ids()?;
        let holds = holds.into_iter().map(|(held, reason)| (held.to_string(), (HOLD, reason)));
        let keys = keys.into_iter().map(|id| (format!("wrapping key {id}"), (KEY, String::new())));
        Ok(holds.chain(keys).collect())
    }

    /// Looks once and records what changed since.
    pub(crate) async fn look(&mut self, journal: &Journal) {
        if let Err(error) = self.record(journal).await {
            tracing::error!(%error, "holds and keys of the recording could not be looked at and recorded");
        }
    }

    async fn record(&mut self, journal: &Journal) -> Result<(), RecordError> {
        let present = self.present()?;
        let gone: Vec<String> =
            self.seen.keys().filter(|name| !present.contains_key(*name)).cloned().collect();
        for name in gone {
            if let Some(((_, action), _)) = self.seen.get(&name) {
                journal.note(HOST, action, &name, "ok").await?;
            }
            self.seen.remove(&name);
        }
        for (name, this) in present {
            if self.seen.get(&name) == Some(&this) {
                continue;
            }
            let ((action, _), reason) = &this;
            let object = if reason.is_empty() { name.clone() } else { format!("{name}: {reason}") };
            journal.note(HOST, action, &object, "ok").await?;
            self.seen.insert(name, this);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sallyport_core::{Event, SessionId, SystemClock, Timestamp};
    use sallyport_record::read::{Content, Recordings};
    use sallyport_record::retention::Held;
    use sallyport_record::{Recorder, RecorderSettings, load_or_create_key};

    use super::*;

    #[tokio::test]
    async fn holds_releases_and_new_keys_are_recorded_once_whoever_made_the_files() {
        let dir = tempfile::tempdir().unwrap();
        let (recordings, keys) = (dir.path().join("recordings"), dir.path().join("wrapping"));
        let key = load_or_create_key(&dir.path().join("keys")).unwrap();
        let recorder =
            Recorder::open(RecorderSettings::new(recordings.clone()), key, Arc::new(SystemClock)).unwrap();
        let id = SessionId::new(Timestamp::from_micros(1), [1; 10]);
        let journal = Journal::on(recorder.begin(id.clone()));
        KeyFiles::in_folder(&keys).make_first().unwrap();
        let shop = Held::Target("shop".into());
        retention::hold(&recordings, &shop, "case 4711").unwrap();

        let mut custody = Custody::of(recordings.clone(), keys.clone());
        custody.look(&journal).await;
        custody.look(&journal).await;
        retention::hold(&recordings, &shop, "case 4712").unwrap();
        custody.look(&journal).await;
        // Not by the command: the file alone.
        std::fs::remove_file(recordings.join("holds").join("target-shop")).unwrap();
        KeyFiles::in_folder(&keys).rotate().unwrap();
        custody.look(&journal).await;
        custody.look(&journal).await;
        drop((journal, recorder));

        let acts: Vec<(String, String)> = Recordings::in_folder(&recordings)
            .session(&id)
            .unwrap()
            .filter_map(|entry| match entry.unwrap().event {
                Content::Event(event) => match *event {
                    Event::Audited { principal, action, object, .. } => {
                        assert_eq!(principal, HOST);
                        Some((action, object))
                    }
                    _ => None,
                },
                _ => None,
            })
            .collect();
        let of = |wanted: &str| -> Vec<&str> {
            acts.iter().filter(|(action, _)| action == wanted).map(|(_, object)| object.as_str()).collect()
        };
        assert_eq!(of("recording.hold"), ["target shop: case 4711", "target shop: case 4712"]);
        assert_eq!(of("recording.release"), ["target shop"]);
        assert_eq!(of("recording.key").len(), 2, "{acts:?}");
        assert_eq!(acts.len(), 5, "{acts:?}");
    }
}
