//! Lets go of what was said in sessions whose time is over, and says so in the log.
//!
//! Nothing is removed from the chain: the log names the sessions in a note, and only then are their
//! segments packed anew without their events' bodies. What is held ([`hold`]) stays, whatever its age.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sallyport_core::{Event, SessionId, Timestamp};

use crate::decode::{Decoder, opener};
use crate::error::RecordError;
use crate::format::{Draft, Kind, Label};
use crate::header::Header;
use crate::log::Log;
use crate::medium::make_directory;
use crate::packed::pack;
use crate::scan::{Closed, Segment, Step};
use crate::segment::{self, PACKED, RAW};
use crate::statements::Note;

/// Sessions named in one note at most.
const MOST_IN_NOTE: usize = 1000;
/// Where holds lie, beside the segments.
const HOLDS: &str = "holds";

/// For how long what was recorded is kept after a session ended, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of targets that are not named; nothing: for ever.
    pub all: Option<u64>,
    /// By target; nothing: for ever.
    pub targets: BTreeMap<String, Option<u64>>,
}

impl Retention {
    fn of(&self, target: &str) -> Option<u64> {
        self.targets.get(target).copied().unwrap_or(self.all)
    }

    /// The shortest of all; nothing when everything is kept.
    fn shortest(&self) -> Option<u64> {
        self.targets.values().copied().chain([self.all]).flatten().min()
    }
}

/// What is held whatever its age: a session, or all of a target.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// One session.
    Session(SessionId),
    /// All of a target's.
    Target(String),
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session {id}"),
            Self::Target(name) => write!(f, "target {name}"),
        }
    }
}

impl Held {
    fn file(&self) -> Option<String> {
        match self {
            Self::Session(id) => Some(format!("session-{id}")),
            // A target's name becomes a file's: only one that could be an id may.
            Self::Target(name) => SessionId::parse(name).map(|name| format!("target-{name}")),
        }
    }
}

fn no_name() -> RecordError {
    RecordError::Damaged("a target's name is letters, digits, `-` and `_`".into())
}

/// Holds a session, or a target's sessions, with a reason; until [`release`].
///
/// # Errors
/// What the disk says.
pub fn hold(dir: &Path, held: &Held, reason: &str) -> Result<(), RecordError> {
    let folder = dir.join(HOLDS);
    make_directory(&folder)?;
    std::fs::write(folder.join(held.file().ok_or_else(no_name)?), reason)?;
    std::fs::File::open(&folder)?.sync_all()?;
    Ok(())
}

/// Ends a hold. Whether there was one.
///
/// # Errors
/// What the disk says.
pub fn release(dir: &Path, held: &Held) -> Result<bool, RecordError> {
    match std::fs::remove_file(dir.join(HOLDS).join(held.file().ok_or_else(no_name)?)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What is held, and why.
///
/// # Errors
/// What the disk says.
pub fn holds(dir: &Path) -> Result<Vec<(Held, String)>, RecordError> {
    let entries = match std::fs::read_dir(dir.join(HOLDS)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let held = match name.split_once('-') {
            Some(("session", id)) => SessionId::parse(id).map(Held::Session),
            Some(("target", name)) => Some(Held::Target(name.to_owned())),
            _ => None,
        };
        if let Some(held) = held {
            found.push((held, std::fs::read_to_string(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

/// A session in the segments that are old enough.
#[derive(Debug, Default)]
struct Seen {
    target: Option<String>,
    sealed: Option<Timestamp>,
    /// Segments with events of it that are still there.
    segments: BTreeSet<PathBuf>,
}

impl Log {
    /// Lets go of what is due.
    pub(crate) fn let_go(&self, retention: &Retention) -> Result<(), RecordError> {
        let Some(shortest) = retention.shortest() else { return Ok(()) };
        let now = self.clock.now();
        let due = |sealed: Timestamp, kept: u64| {
            now.seconds_since(sealed) >= i64::try_from(kept).unwrap_or(i64::MAX)
        };
        let seen = self.old_sessions(|created| due(created, shortest))?;
        let held: BTreeSet<Held> = holds(&self.directory)?.into_iter().map(|(held, _)| held).collect();
        let over: BTreeMap<SessionId, Seen> = seen
            .into_iter()
            .filter(|(id, seen)| {
                let (Some(target), Some(sealed)) = (&seen.target, seen.sealed) else { return false };
                retention.of(target).is_some_and(|kept| due(sealed, kept))
                    && !seen.segments.is_empty()
                    && !held.contains(&Held::Session(id.clone()))
                    && !held.contains(&Held::Target(target.clone()))
            })
            .collect();
        if over.is_empty() {
            return Ok(());
        }
        let ids: Vec<SessionId> = over.keys().cloned().collect();
        for some in ids.chunks(MOST_IN_NOTE) {
            let note = Note {
                reason: "the time for which these sessions are kept is over".into(),
                expired: some.to_vec(),
                ..Note::of("expired")
            };
            let label = Label { kind: Kind::Note, session: None, sequence: 0, time: now };
            self.place(&[Draft::new(label, &note, &[], None)?], None, false)?;
        }
        self.sync_once()?;
        let segments: BTreeSet<&PathBuf> = over.values().flat_map(|seen| &seen.segments).collect();
        for path in segments {
            self.pack_without(path, &|session| over.contains_key(session))?;
        }
        tracing::info!(sessions = over.len(), "recorded sessions whose time is over were let go");
        Ok(())
    }

    /// Sessions with entries in complete segments that were begun long enough ago.
    fn old_sessions(
        &self,
        old: impl Fn(Timestamp) -> bool,
    ) -> Result<BTreeMap<SessionId, Seen>, RecordError> {
        let current = self.lock()?.number();
        let mut found: BTreeMap<SessionId, Seen> = BTreeMap::new();
        let mut decoder = Decoder::new(self.wrapping.clone());
        for (number, path) in segment::list(&self.directory)? {
            let (mut segment, header) = Segment::open(&path)?;
            let created = header.as_ref().and_then(|header| Header::decode(header, None).ok());
            let Some((created, _)) = created else { continue };
            if number >= current || segment.is_version_1() || !old(created.created) {
                continue;
            }
            decoder.begin(&mut segment, header.as_deref());
            loop {
                let mut frame = match segment.step(|envelope| envelope.session.is_some())? {
                    Step::Frame(frame) => frame,
                    Step::Skipped => continue,
                    Step::End { .. } | Step::Unreadable { .. } => break,
                };
                let Some(envelope) = frame.envelope.clone() else { continue };
                let Some(session) = envelope.session else { continue };
                let seen = found.entry(session).or_default();
                match envelope.kind {
                    Kind::Seal => seen.sealed = Some(envelope.time),
                    Kind::Event if frame.lost != Some(Closed::Gone) => {
                        seen.segments.insert(path.clone());
                        if envelope.sequence == 0
                            && let Some(Event::SessionOpened { target, .. }) = decoder.event_alone(&mut frame)
                        {
                            seen.target = Some(target);
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    /// Packs a segment anew without the bodies of some sessions.
    pub(crate) fn pack_without(
        &self,
        path: &Path,
        gone: &dyn Fn(&SessionId) -> bool,
    ) -> Result<(), RecordError> {
        let header = Segment::open(path)?.1;
        let opener = match header {
            Some(header) => opener(&header, self.wrapping.as_deref())?.map(Arc::new),
            None => None,
        };
        let unfinished = self.segments().join(crate::keeper::UNFINISHED);
        let packed = pack(path, &unfinished, opener.as_ref(), gone);
        if packed.is_err() {
            crate::keeper::remove(&unfinished)?;
        }
        packed?;
        std::fs::rename(&unfinished, path.with_extension(PACKED))?;
        self.disk.sync_directory(&self.segments())?;
        crate::keeper::remove(&path.with_extension(RAW))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Content;
    use crate::testing::{closed, data, folder, key, opened, recordings, session, settings};
    use crate::verify::{Report, Trust, verify};
    use crate::{Recorder, RecorderSettings};

    /// A clock that stands where it is put.
    #[derive(Debug)]
    struct Hand(std::sync::atomic::AtomicI64);

    impl sallyport_core::Clock for Hand {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(self.0.load(std::sync::atomic::Ordering::SeqCst))
        }
    }

    fn check(dir: &Path) -> Report {
        verify(dir, &Trust::key(key().verifying_key()), |_| {}).unwrap()
    }

    fn is_gone(dir: &Path, number: u8) -> bool {
        let mut entries = recordings(dir).session(&session(number)).unwrap().map(Result::unwrap);
        matches!(entries.next().unwrap().event, Content::Note { event, .. } if event == "expired")
    }

    #[test]
    fn sessions_are_let_go_when_their_time_is_over_unless_held_and_the_log_stays_whole() {
        let dir = folder();
        let day = 86_400_000_000_i64;
        let clock = Arc::new(Hand(1_800_000_000_000_000.into()));
        let open = || Recorder::open(settings(dir.path(), 8 << 10), key(), clock.clone()).unwrap();
        let recorder = open();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            // The fifth fills the segment behind the fourth's seal: the one that is written to is not packed.
            for number in 1..=5 {
                let tape = recorder.begin(session(number));
                tape.append(&opened(), &[]).unwrap();
                for operation in 0..30 {
                    tape.append(&data(operation), &[&[b'x'; 300]]).unwrap();
                }
                // The third goes on.
                if number != 3 {
                    tape.seal(&closed()).await.unwrap();
                } else {
                    std::mem::forget(tape);
                }
            }
        });
        let retention = Retention { all: Some(30 * 86_400), targets: BTreeMap::new() };
        hold(dir.path(), &Held::Session(session(2)), "a lawsuit").unwrap();
        let log = &recorder.log_for_tests();
        log.let_go(&retention).unwrap();
        assert!((1..=4).all(|number| !is_gone(dir.path(), number)), "their time is not over");
        clock.0.fetch_add(31 * day, std::sync::atomic::Ordering::SeqCst);
        let forever = Retention { targets: [("shop-prod".to_owned(), None)].into(), ..retention.clone() };
        log.let_go(&forever).unwrap();
        assert!(!is_gone(dir.path(), 1), "this target's are kept");
        log.let_go(&retention).unwrap();
        assert_eq!(
            (1..=4).map(|number| is_gone(dir.path(), number)).collect::<Vec<_>>(),
            [true, false, false, true]
        );
        let report = check(dir.path());
        assert!(report.ok(), "{:?}", report.lines());
        assert_eq!(holds(dir.path()).unwrap(), [(Held::Session(session(2)), "a lawsuit".to_owned())]);
        assert!(release(dir.path(), &Held::Session(session(2))).unwrap());
        log.let_go(&retention).unwrap();
        assert!(is_gone(dir.path(), 2) && !is_gone(dir.path(), 3));
        assert!(check(dir.path()).ok());
        let entries: Vec<_> =
            recordings(dir.path()).session(&session(1)).unwrap().map(Result::unwrap).collect();
        assert_eq!(entries.len(), 33, "that it was, when, and how long, is kept");
        // A second look finds nothing more to say.
        let before = check(dir.path()).segments.iter().map(|segment| segment.entries).sum::<u64>();
        log.let_go(&retention).unwrap();
        assert_eq!(check(dir.path()).segments.iter().map(|segment| segment.entries).sum::<u64>(), before);
    }

    #[test]
    fn attack_31_bodies_that_are_gone_without_a_note_break_their_session() {
        let dir = folder();
        let recorder = Recorder::open(
            RecorderSettings { pack: false, ..settings(dir.path(), 8 << 10) },
            key(),
            Arc::new(sallyport_core::SystemClock),
        )
        .unwrap();
        let tape = recorder.begin(session(1));
        tape.append(&opened(), &[]).unwrap();
        for operation in 0..60 {
            tape.append(&data(operation), &[&[b'x'; 300]]).unwrap();
        }
        let first = crate::testing::segments(dir.path()).remove(0);
        recorder.log_for_tests().pack_without(&first, &|_| true).unwrap();
        assert!(!check(dir.path()).ok());
        if let Some((ok, text)) = crate::testing::by_the_book(dir.path(), &key(), &[]) {
            assert!(!ok && text.contains("no note says"), "{text}");
        }
    }
}
