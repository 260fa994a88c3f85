//! What the tests share: a recorder in a temporary folder, events, and a disk that fails on demand.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use sallyport_core::{
    Decision, Digest, Event, Facts, Language, OperationKind, Principal, PrincipalKind, ResultDirection,
    SessionId, SystemClock, Timestamp, UnknownCode,
};

use crate::medium::{Disk, LocalDisk, Medium};
use crate::read::Recordings;
use crate::scan::{Frame, Segment, Step};
use crate::{KeyFiles, Recorder, RecorderSettings, SigningKey};

/// A folder in memory where there is one: the tests start recorders by the hundred, and sync.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// Where it lies.
pub(crate) fn wrapping_folder() -> PathBuf {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(folder).path().join("wrapping")
}

/// One wrapping key for all tests: what is under test is rarely the key.
pub(crate) fn wrapping() -> KeyFiles {
    let keys = KeyFiles::in_folder(wrapping_folder());
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| keys.make_first().unwrap());
    keys
}

/// The recordings in a folder, with the tests' keys.
pub(crate) fn recordings(dir: &Path) -> Recordings {
    Recordings::in_folder(dir).with_keys(Arc::new(wrapping()))
}

pub(crate) fn settings(dir: &Path, segment_bytes: u64) -> RecorderSettings {
    RecorderSettings {
        segment_bytes,
        min_free_bytes: 0,
        wrapping: Some(Arc::new(wrapping())),
        pack: false,
        ..RecorderSettings::new(dir)
    }
}

pub(crate) fn recorder(dir: &Path, segment_bytes: u64) -> Recorder {
    Recorder::open(settings(dir, segment_bytes), key(), Arc::new(SystemClock)).unwrap()
}

pub(crate) fn session(number: u8) -> SessionId {
    SessionId::new(Timestamp::from_micros(1_800_000_000_000_000), [number; 10])
}

pub(crate) fn opened() -> Event {
    Event::SessionOpened {
        principal: Principal {
            name: "claude-code".into(),
            kind: PrincipalKind::Agent,
            on_behalf_of: Some("alice@example.com".into()),
            groups: BTreeSet::new(),
            roles: BTreeSet::new(),
        },
        authenticated_by: "token".into(),
        target: "shop-prod".into(),
        protocol: "postgres".into(),
        database: "shop".into(),
        client: "192.0.2.1:5000".into(),
        client_says: BTreeMap::new(),
        server_version: "18.1".into(),
        gateway_version: "0.1.0".into(),
        policy_version: "1".into(),
    }
}

pub(crate) fn intent(operation: u64, text: &[u8], facts: &Arc<Facts>, decision: &Arc<Decision>) -> Event {
    Event::Intent {
        operation,
        kind: OperationKind::Query,
        text_length: text.len(),
        withheld: Vec::new(),
        parameters: Vec::new(),
        digest: Digest::of(text),
        facts: Arc::clone(facts),
        decision: Arc::clone(decision),
        approval: None,
        approved_by: Vec::new(),
    }
}

/// Facts that can be told apart.
pub(crate) fn facts(detail: &str) -> Arc<Facts> {
    Arc::new(Facts::unknown(Language::Postgres, UnknownCode::Dynamic, detail))
}

pub(crate) fn data(operation: u64) -> Event {
    Event::Data { direction: ResultDirection::ToCaller, operation }
}

pub(crate) fn closed() -> Event {
    Event::SessionClosed { reason: "terminate".into(), operations: 1 }
}

/// A folder's segments, in order.
pub(crate) fn segments(dir: &Path) -> Vec<PathBuf> {
    crate::segment::list(dir).unwrap().into_iter().map(|(_, path)| path).collect()
}

/// All readable frames of a segment.
pub(crate) fn frames(path: &Path) -> Vec<Frame> {
    let (mut segment, _) = Segment::open(path).unwrap();
    let mut found = Vec::new();
    while let Step::Frame(frame) = segment.step(|_| true).unwrap() {
        found.push(*frame);
    }
    found
}

/// Copies a recording as it lies on the disk: what a kill would leave.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("segments")).unwrap();
    for path in segments(from) {
        std::fs::copy(&path, to.join("segments").join(path.file_name().unwrap())).unwrap();
    }
    if from.join("checkpoint").exists() {
        std::fs::copy(from.join("checkpoint"), to.join("checkpoint")).unwrap();
    }
}

/// What the disk is to do.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) full: AtomicBool,
    pub(crate) sync_fails: AtomicBool,
    pub(crate) truncate_fails: AtomicBool,
    pub(crate) syncs: AtomicU64,
}

impl Faults {
    pub(crate) fn set(flag: &AtomicBool, to: bool) {
        flag.store(to, Ordering::SeqCst);
    }
}

#[derive(Debug)]
pub(crate) struct FaultyDisk(pub(crate) Arc<Faults>);

#[derive(Debug)]
struct FaultyFile(Box<dyn Medium>, Arc<Faults>);

impl Medium for FaultyFile {
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        if self.1.full.load(Ordering::SeqCst) {
            // Half of it arrives, as on a real disk.
            let all = parts.concat();
            self.0.write_at(&[&all[..all.len() / 2]], offset)?;
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.0.write_at(parts, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        if self.1.sync_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        self.0.sync()
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        if self.1.truncate_fails.load(Ordering::SeqCst) {
            return Err(io::Error::other("input/output error"));
        }
        self.0.truncate(length)
    }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path, room: u64) -> io::Result<Box<dyn Medium>> {
        Ok(Box::new(FaultyFile(LocalDisk.create(path, room)?, Arc::clone(&self.0))))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        LocalDisk.sync_directory(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        LocalDisk.free_bytes(path)
    }
}

/// What the verifier that is written from the documentation says of a recording; nothing without Python's
/// package for signatures, which the suite (`cargo xtask test`) brings and insists on.
pub(crate) fn by_the_book(dir: &Path, key: &SigningKey, more: &[&std::ffi::OsStr]) -> Option<(bool, String)> {
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/verify_recording.py");
    let pem = dir.join("key.pem");
    std::fs::write(&pem, key.verifying_key().to_public_key_pem(Default::default()).unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the suite says by its environment which Python it made")]
    let suite = std::env::var_os("SALLYPORT_PYTHON");
    let python = suite.clone().unwrap_or_else(|| "python3".into());
    let command = &mut std::process::Command::new(python);
    let output = command.arg(&script).arg(dir).arg(&pem).args(more).output().ok()?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if text.contains("ModuleNotFoundError") {
        assert!(suite.is_none(), "the suite's Python lacks what the verifier needs: {text}");
        eprintln!("skipped: python3 has no cryptography package");
        return None;
    }
    Some((output.status.success(), text))
}
