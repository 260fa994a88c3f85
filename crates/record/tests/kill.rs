//! A process that records is killed at random points, fifty times: nothing that was acknowledged is lost,
//! what is there verifies up to the kill, and the next start says so in the recording.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    reason = "the process that is killed is told by its environment what it is"
)]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sallyport_core::{
    Decision, Digest, Event, Facts, Language, OperationKind, SessionId, SystemClock, UnknownCode,
};
use sallyport_record::read::{Content, Recordings};
use sallyport_record::verify::{State, Trust, verify};
use sallyport_record::{KeyFiles, Need, Recorder, RecorderSettings, SigningKey};

const ROUNDS: u64 = 50;
const WRITERS: u8 = 4;
/// Says to this very program that it is the one to be killed, and where it records.
const CHILD: &str = "SALLYPORT_TEST_RECORDS_INTO";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn open(dir: &Path) -> Recorder {
    let keys = KeyFiles::in_folder(dir.join("keys"));
    keys.make_first().unwrap();
    let settings = RecorderSettings {
        segment_bytes: 64 << 10,
        min_free_bytes: 0,
        wrapping: Some(Arc::new(keys)),
        ..RecorderSettings::new(dir.join("log"))
    };
    Recorder::open(settings, key(), Arc::new(SystemClock)).unwrap()
}

fn intent(operation: u64, facts: &Arc<Facts>, decision: &Arc<Decision>) -> Event {
    Event::Intent {
        operation,
        kind: OperationKind::Query,
        text_length: 8,
        withheld: Vec::new(),
        parameters: vec![],
        digest: Digest::of(b"select 1"),
        facts: Arc::clone(facts),
        decision: Arc::clone(decision),
        approval: None,
        approved_by: vec![],
    }
}

/// Records for ever, and says on its output what was acknowledged.
fn record_until_killed(dir: &Path) {
    let recorder = open(dir);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let recorder = recorder.clone();
            tasks.spawn(async move {
                let decision = Arc::new(Decision::deny("rule", None, "v1"));
                for round in 0_u64.. {
                    let mut random = [0; 10];
                    getrandom::fill(&mut random).unwrap();
                    let id = SessionId::new(sallyport_core::Clock::now(&SystemClock), random);
                    let tape = recorder.begin(id.clone());
                    for operation in 0..20 + round % 7 {
                        let facts = Facts::unknown(
                            Language::Postgres,
                            UnknownCode::Dynamic,
                            format!("{}", operation % 5),
                        );
                        let need = if operation % 3 == 0 { Need::Synced } else { Need::Written };
                        let event = intent(operation, &Arc::new(facts), &decision);
                        let receipt = tape.append_and_wait(&event, &[b"select 1"], need).await.unwrap();
                        let line = format!("{id} {} {}\n", receipt.sequence(), receipt.hash());
                        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                    }
                    if writer % 2 == 0 {
                        let closed = Event::SessionClosed { reason: "done".into(), operations: 1 };
                        tape.seal(&closed).await.unwrap();
                    } else {
                        // Left open until the kill.
                        std::mem::forget(tape);
                    }
                }
            });
        }
        tasks.join_next().await;
    });
}

/// What one life of the child acknowledged, until it was killed.
fn one_life(dir: &Path, lives_for: Duration) -> Vec<(SessionId, u64, Digest)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "nothing_acknowledged_is_lost_over_fifty_kills", "--nocapture"])
        .env(CHILD, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let output = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let mut said = Vec::new();
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { break };
            let mut words = line.split(' ');
            let (id, sequence, hash) = (words.next(), words.next(), words.next());
            // The last line may be cut by the kill, and the test runner has lines of its own.
            if let (Some(id), Some(Ok(sequence)), Some(hash)) =
                (id.and_then(SessionId::parse), sequence.map(str::parse), hash.and_then(Digest::parse))
            {
                said.push((id, sequence, hash));
            }
        }
        said
    });
    std::thread::sleep(lives_for);
    child.kill().unwrap();
    child.wait().unwrap();
    reading.join().unwrap()
}

#[test]
fn nothing_acknowledged_is_lost_over_fifty_kills() {
    if let Some(dir) = std::env::var_os(CHILD) {
        return record_until_killed(&PathBuf::from(dir));
    }
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let log = dir.path().join("log");
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let mut random = [0; 1];
        getrandom::fill(&mut random).unwrap();
        acknowledged.extend(one_life(dir.path(), Duration::from_millis(20 + u64::from(random[0]))));
        // As the kill left it: whole but for an entry that was being written.
        if round % 10 == 0 {
            let report = verify(&log, &Trust::key(key().verifying_key()), |_| {}).unwrap();
            let broken: Vec<_> =
                report.sessions.iter().filter(|found| matches!(found.state, State::Broken { .. })).collect();
            // A kill in the middle of a write leaves part of one entry, which looks altered until it is recovered:
            // nobody was told of that one, nor of any behind it.
            assert!(broken.len() <= 1, "round {round}: {broken:?} {:?}", report.lines());
            for found in broken {
                let State::Broken { sequence, .. } = &found.state else { continue };
                let told =
                    |(session, at, _): &(SessionId, u64, Digest)| *session == found.session && at >= sequence;
                assert!(!acknowledged.iter().any(told), "round {round}: {found:?} {:?}", report.lines());
            }
        }
    }
    drop(open(dir.path()));
    let report = verify(&log, &Trust::key(key().verifying_key()), |_| {}).unwrap();
    assert!(report.ok(), "{:?}", report.lines());
    assert!(report.sessions.iter().all(|found| found.state == State::Sealed));
    assert!(acknowledged.len() > 500, "only {} were acknowledged: the load was none", acknowledged.len());
    let recordings =
        Recordings::in_folder(&log).with_keys(Arc::new(KeyFiles::in_folder(dir.path().join("keys"))));
    let (mut found, mut recovered) = (std::collections::HashMap::new(), 0);
    let mut tail = recordings.tail(Default::default());
    while let Some(entry) = tail.next_entry().unwrap() {
        if matches!(&entry.event, Content::Note { event, .. } if event == "recovered") {
            recovered += 1;
        }
        found.insert((entry.session, entry.sequence), entry.hash);
    }
    for (session, sequence, hash) in &acknowledged {
        assert_eq!(found.get(&(session.clone(), *sequence)), Some(hash), "{session} {sequence} was lost");
    }
    assert!(recovered > ROUNDS / 2, "the kills are recorded: {recovered}");
}
