//! Recording itself: chains, receipts, group commit, and what a failing disk does to them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sallyport_core::{Event, SystemClock};

use super::*;
use crate::read::Content;
use crate::testing::{
    Faults, FaultyDisk, closed, data, facts, folder, intent, key, opened, recorder, recordings, session,
    settings,
};
use crate::verify::{State, Trust, verify};

fn faulty(dir: &std::path::Path) -> (Recorder, Arc<Faults>) {
    let faults = Arc::new(Faults::default());
    let disk = Box::new(FaultyDisk(Arc::clone(&faults)));
    let recorder = Recorder::open_on(settings(dir, 1 << 20), key(), Arc::new(SystemClock), disk).unwrap();
    (recorder, faults)
}

fn check(dir: &std::path::Path) -> crate::verify::Report {
    verify(dir, &Trust::key(key().verifying_key()), |_| {}).unwrap()
}

#[tokio::test]
async fn what_is_appended_is_read_back_in_order_with_its_exact_bytes() {
    let dir = folder();
    let recorder = recorder(dir.path(), 1 << 20);
    let tape = recorder.begin(session(1));
    tape.append_and_wait(&opened(), &[], Need::Synced).await.unwrap();
    let many: Vec<&[u8]> = vec![b"xy"; 2000];
    tape.append(&data(1), &[b"ab\0", b"", b"\xff"]).unwrap();
    let receipt = tape.append(&data(2), &many).unwrap().wait(Need::Written).await.unwrap();
    let seal = tape.seal(&closed()).await.unwrap();
    let entries: Vec<_> =
        recordings(dir.path()).session(&session(1)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries.iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    assert_eq!(entries[0].event, Content::Event(Box::new(opened())));
    assert_eq!(entries[1].payload, b"ab\0\xff");
    assert_eq!((entries[2].payload.len(), entries[2].hash), (4000, receipt.hash()));
    assert_eq!((receipt.sequence(), receipt.session()), (2, &session(1)));
    let signature = seal.signature().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(entries[4].event, Content::Seal { entries: 4, head: seal.head(), signature });
    let summary = &recordings(dir.path()).sessions().unwrap()[0];
    assert!(summary.sealed && summary.entries == 5 && summary.target.as_deref() == Some("shop-prod"));
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
    assert_eq!(report.sessions[0].state, State::Sealed);
}

#[tokio::test]
async fn a_sealed_tape_refuses_more() {
    let dir = folder();
    let tape = recorder(dir.path(), 1 << 20).begin(session(1));
    tape.append(&opened(), &[]).unwrap();
    tape.seal(&closed()).await.unwrap();
    assert!(matches!(tape.append(&data(1), &[b"late"]), Err(RecordError::Sealed)));
    assert!(matches!(tape.seal(&closed()).await, Err(RecordError::Sealed)));
}

#[tokio::test]
async fn an_abandoned_tape_is_noted_and_sealed() {
    let dir = folder();
    let recorder = recorder(dir.path(), 1 << 20);
    recorder.begin(session(1)).append(&opened(), &[]).unwrap();
    drop(recorder.begin(session(2)));
    recorder.flush().await.unwrap();
    let entries: Vec<_> = recordings(dir.path()).session(&session(1)).unwrap().map(Result::unwrap).collect();
    assert!(matches!(&entries[1].event, Content::Note { event, .. } if event == "abandoned"));
    let report = check(dir.path());
    assert_eq!(report.sessions.len(), 1, "a tape that was never written to is no session");
    assert_eq!(report.sessions[0].state, State::Sealed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_sessions_at_once_keep_every_chain_over_many_segments() {
    let dir = folder();
    let recorder = recorder(dir.path(), 64 << 10);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..64 {
        let tape = recorder.begin(session(number));
        tasks.spawn(async move {
            tape.append(&opened(), &[]).unwrap();
            for operation in 0..20 {
                let need = if operation % 5 == 0 { Need::Synced } else { Need::Written };
                tape.append_and_wait(&data(operation), &[&[number; 300]], need).await.unwrap();
            }
            tape.seal(&closed()).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    drop(recorder);
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
    assert!(report.segments.len() > 5, "{} segments", report.segments.len());
    assert_eq!(report.sessions.iter().filter(|found| found.state == State::Sealed).count(), 64);
    assert!(report.sessions.iter().all(|found| found.entries == 23));
}

#[tokio::test]
async fn a_full_disk_refuses_and_is_taken_up_again_when_there_is_space() {
    let dir = folder();
    let (recorder, faults) = faulty(dir.path());
    let tape = recorder.begin(session(1));
    tape.append(&opened(), &[]).unwrap();
    Faults::set(&faults.full, true);
    assert!(matches!(tape.append(&data(1), &[b"lost"]), Err(RecordError::Full)));
    assert!(matches!(recorder.healthy(), Err(RecordError::Full)));
    Faults::set(&faults.full, false);
    recorder.healthy().unwrap();
    tape.append_and_wait(&data(2), &[b"kept"], Need::Synced).await.unwrap();
    tape.seal(&closed()).await.unwrap();
    drop((tape, recorder));
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
    assert_eq!(report.sessions[0].entries, 4, "the refused entry left nothing behind");
}

#[tokio::test]
async fn a_failed_write_that_cannot_be_taken_back_leaves_the_segment_behind() {
    let dir = folder();
    let (recorder, faults) = faulty(dir.path());
    let tape = recorder.begin(session(1));
    tape.append(&opened(), &[]).unwrap();
    Faults::set(&faults.full, true);
    Faults::set(&faults.truncate_fails, true);
    assert!(tape.append(&data(1), &[b"lost"]).is_err());
    Faults::set(&faults.full, false);
    Faults::set(&faults.truncate_fails, false);
    tape.append(&data(2), &[b"kept"]).unwrap();
    tape.seal(&closed()).await.unwrap();
    drop((tape, recorder));
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
    assert_eq!(report.segments.len(), 2);
}

#[tokio::test]
async fn a_failed_sync_gives_no_receipt_and_a_new_segment() {
    let dir = folder();
    let (recorder, faults) = faulty(dir.path());
    let tape = recorder.begin(session(1));
    Faults::set(&faults.sync_fails, true);
    let waiting = tape.append(&opened(), &[]).unwrap();
    assert!(matches!(waiting.wait(Need::Synced).await, Err(RecordError::NotSynced)));
    assert!(matches!(recorder.healthy(), Err(RecordError::NotSynced)));
    Faults::set(&faults.sync_fails, false);
    for _ in 0..200 {
        if recorder.healthy().is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    recorder.healthy().unwrap();
    tape.append_and_wait(&data(1), &[b"kept"], Need::Synced).await.unwrap();
    assert!(crate::testing::segments(dir.path()).len() >= 2, "the segment that failed is not written to");
}

#[tokio::test]
async fn a_removed_segment_gives_no_receipt_and_shows() {
    let dir = folder();
    let recorder = recorder(dir.path(), 1 << 20);
    let tape = recorder.begin(session(1));
    tape.append_and_wait(&opened(), &[], Need::Synced).await.unwrap();
    for path in crate::testing::segments(dir.path()) {
        std::fs::remove_file(path).unwrap();
    }
    let lost = tape.append_and_wait(&data(1), &[b"lost"], Need::Synced).await;
    assert!(matches!(lost, Err(RecordError::NotSynced)), "{lost:?}");
    for _ in 0..200 {
        if recorder.healthy().is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tape.append_and_wait(&data(2), &[b"kept"], Need::Synced).await.unwrap();
    assert_eq!(crate::testing::segments(dir.path()).len(), 1, "in a new segment");
    drop((tape, recorder));
    assert!(!check(dir.path()).ok());
}

#[tokio::test]
async fn too_little_free_space_refuses_everything_but_the_seal() {
    let dir = folder();
    let starved = RecorderSettings { min_free_bytes: u64::MAX, ..settings(dir.path(), 1 << 20) };
    let recorder = Recorder::open(starved, key(), Arc::new(SystemClock)).unwrap();
    assert!(matches!(recorder.healthy(), Err(RecordError::Full)));
    let tape = recorder.begin(session(1));
    assert!(matches!(tape.append(&opened(), &[]), Err(RecordError::Full)));
    assert!(recorder.log_for_tests().lock().unwrap().space_low, "and it warned");
    tape.seal(&closed()).await.unwrap();
}

#[tokio::test]
async fn durability_overrides_what_the_caller_needs() {
    for (durability, need, waits) in [
        (Durability::Auto, Need::Written, false),
        (Durability::Auto, Need::Synced, true),
        (Durability::Disk, Need::Written, true),
        (Durability::Os, Need::Synced, false),
    ] {
        let dir = folder();
        let faults = Arc::new(Faults::default());
        let settings = RecorderSettings { durability, ..settings(dir.path(), 1 << 20) };
        let disk = Box::new(FaultyDisk(Arc::clone(&faults)));
        let recorder = Recorder::open_on(settings, key(), Arc::new(SystemClock), disk).unwrap();
        Faults::set(&faults.sync_fails, true);
        let got = recorder.begin(session(1)).append_and_wait(&opened(), &[], need).await;
        assert_eq!(got.is_err(), waits, "{durability:?} {need:?}");
    }
}

#[tokio::test]
async fn a_written_entry_is_synced_soon_though_nobody_waits_and_an_idle_recorder_rests() {
    let dir = folder();
    let (recorder, faults) = faulty(dir.path());
    tokio::time::sleep(Duration::from_millis(30)).await;
    let before = faults.syncs.load(Ordering::SeqCst);
    let tape = recorder.begin(session(1));
    let appended = tape.append(&opened(), &[]).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(faults.syncs.load(Ordering::SeqCst), before + 1);
    Faults::set(&faults.sync_fails, true);
    appended.wait(Need::Synced).await.unwrap();
}

#[tokio::test]
async fn an_entry_over_the_limit_is_refused_and_one_over_a_segment_is_not() {
    let dir = folder();
    let recorder = recorder(dir.path(), 8 << 10);
    let tape = recorder.begin(session(1));
    let large = vec![1; crate::format::MAX_FRAME];
    assert!(matches!(tape.append(&opened(), &[&large]), Err(RecordError::TooLarge)));
    tape.append(&opened(), &[&large[..100 << 10]]).unwrap();
    tape.append(&data(1), &[b"after"]).unwrap();
    tape.seal(&closed()).await.unwrap();
    drop((tape, recorder));
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
}

#[test]
fn a_second_recorder_on_the_same_folder_is_refused() {
    let dir = folder();
    let first = recorder(dir.path(), 1 << 20);
    let second = Recorder::open(settings(dir.path(), 1 << 20), key(), Arc::new(SystemClock));
    assert!(matches!(second, Err(RecordError::Locked)));
    drop(first);
    recorder(dir.path(), 1 << 20);
}

#[test]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = folder();
    let inner = dir.path().join("recordings");
    let _recorder = recorder(&inner, 1 << 20);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&inner), mode(&inner.join("segments"))), (0o700, 0o700));
    assert_eq!(mode(&crate::testing::segments(&inner)[0]), 0o600);
}

#[test]
fn twenty_thousand_tiny_frames_are_read_one_at_a_time() {
    let dir = folder();
    let recorder = recorder(dir.path(), 4 << 20);
    let tape = recorder.begin(session(1));
    for operation in 0..20_000 {
        tape.append(&data(operation), &[b"D"]).unwrap();
    }
    drop((tape, recorder));
    let mut entries = 0;
    for entry in recordings(dir.path()).session(&session(1)).unwrap() {
        assert_eq!(entry.unwrap().sequence, entries);
        entries += 1;
    }
    assert_eq!(entries, 20_002);
}

#[tokio::test]
async fn facts_and_decision_are_written_once_a_segment_and_read_back_with_every_intent() {
    let dir = folder();
    let recorder = recorder(dir.path(), 16 << 10);
    let tape = recorder.begin(session(1));
    tape.append(&opened(), &[]).unwrap();
    let decision = Arc::new(sallyport_core::Decision::deny("rule", Some("because"), "v1"));
    let known: Vec<_> = (0..100).map(|number| facts(&format!("{number}: {}", "x".repeat(200)))).collect();
    let mut said = Vec::new();
    for operation in 0..600_u64 {
        // Mostly a few that repeat, now and then one that pushes another out; some equal, not the same.
        let which = usize::try_from(if operation % 5 == 0 { operation % 97 } else { operation % 3 }).unwrap();
        let facts =
            if operation % 7 == 0 { Arc::new((*known[which]).clone()) } else { Arc::clone(&known[which]) };
        let event = intent(operation, b"select 1", &facts, &decision);
        tape.append(&event, &[b"select 1"]).unwrap();
        said.push(event);
    }
    tape.seal(&closed()).await.unwrap();
    drop((tape, recorder));
    let read: Vec<Event> = recordings(dir.path())
        .session(&session(1))
        .unwrap()
        .filter_map(|entry| match entry.unwrap().event {
            Content::Event(event) if event.name() == "intent" => Some(*event),
            _ => None,
        })
        .collect();
    assert_eq!(read, said);
    let paths = crate::testing::segments(dir.path());
    let bytes: u64 = paths.iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    assert!(paths.len() > 5, "several segments");
    assert!(bytes < 600 * 600, "{bytes} bytes for 600 intents");
}

#[tokio::test]
async fn what_was_said_is_encrypted_and_unreadable_without_the_key() {
    let dir = folder();
    let recorder = recorder(dir.path(), 16 << 10);
    let tape = recorder.begin(session(1));
    tape.append(&opened(), &[]).unwrap();
    for operation in 0..200 {
        tape.append(&data(operation), &[b"alice@example.com is the secret"]).unwrap();
    }
    tape.seal(&closed()).await.unwrap();
    drop((tape, recorder));
    for path in crate::testing::segments(dir.path()) {
        let bytes = std::fs::read(path).unwrap();
        for plain in [&b"secret"[..], b"alice", b"shop-prod", b"to-caller"] {
            assert!(!bytes.windows(plain.len()).any(|window| window == plain));
        }
    }
    assert!(check(dir.path()).ok(), "a verifier needs no key");
    let keyless = crate::read::Recordings::in_folder(dir.path());
    let mut entries = keyless.session(&session(1)).unwrap();
    assert!(matches!(entries.next(), Some(Err(RecordError::Key(_)))));
    assert!(entries.next().is_none());
    assert_eq!(keyless.sessions().unwrap()[0].target, None);
    let other = tempfile::tempdir().unwrap();
    let keys = crate::KeyFiles::in_folder(other.path());
    keys.make_first().unwrap();
    let wrong = crate::read::Recordings::in_folder(dir.path()).with_keys(Arc::new(keys));
    assert!(matches!(wrong.session(&session(1)).unwrap().next(), Some(Err(RecordError::Key(_)))));
    let entries: Vec<_> = recordings(dir.path()).session(&session(1)).unwrap().map(Result::unwrap).collect();
    assert_eq!(entries[7].payload, b"alice@example.com is the secret");
}

#[test]
fn a_recorder_whose_wrapping_key_is_gone_refuses_at_the_next_segment_and_goes_on_when_it_is_back() {
    let dir = folder();
    let keys = dir.path().join("wrapping");
    let files = crate::KeyFiles::in_folder(&keys);
    files.make_first().unwrap();
    let settings = RecorderSettings { wrapping: Some(Arc::new(files)), ..settings(dir.path(), 8 << 10) };
    let recorder = Recorder::open(settings, key(), Arc::new(SystemClock)).unwrap();
    let tape = recorder.begin(session(1));
    std::fs::rename(&keys, dir.path().join("away")).unwrap();
    let refused = (0..100).find_map(|operation| tape.append(&data(operation), &[&[1; 200]]).err());
    assert!(matches!(refused, Some(RecordError::Key(_))), "{refused:?}");
    assert!(recorder.healthy().is_err());
    std::fs::rename(dir.path().join("away"), &keys).unwrap();
    recorder.healthy().unwrap();
    tape.append(&data(100), &[b"again"]).unwrap();
    drop((tape, recorder));
    assert!(check(dir.path()).ok());
}

#[test]
fn threads_that_append_across_many_segments_lose_nothing_and_verify() {
    let dir = folder();
    let recorder = recorder(dir.path(), 8 << 10);
    std::thread::scope(|scope| {
        for number in 1..=4 {
            let tape = recorder.begin(session(number));
            scope.spawn(move || {
                let decision = Arc::new(sallyport_core::Decision::deny("rule", None, "v1"));
                let same = facts("same");
                tape.append(&opened(), &[]).unwrap();
                for operation in 0..300 {
                    tape.append(&intent(operation, b"x", &same, &decision), &[b"x"]).unwrap();
                }
            });
        }
    });
    drop(recorder);
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
    for number in 1..=4 {
        let count = recordings(dir.path())
            .session(&session(number))
            .unwrap()
            .filter(|entry| matches!(&entry.as_ref().unwrap().event, Content::Event(event) if event.name() == "intent"))
            .count();
        assert_eq!(count, 300);
    }
}

#[tokio::test]
async fn what_is_left_out_of_a_result_is_said_with_its_digest_and_never_silent() {
    for (results, kept) in [(Results::Full, 5), (Results::FirstRows(25), 3), (Results::Digest, 0)] {
        let dir = folder();
        let terms = Terms { results, ..Terms::default() };
        let settings = RecorderSettings {
            targets: [("shop-prod".to_owned(), terms)].into(),
            ..settings(dir.path(), 1 << 20)
        };
        let recorder = Recorder::open(settings, key(), Arc::new(SystemClock)).unwrap();
        let tape = recorder.begin_for(session(1), "shop-prod");
        tape.append(&opened(), &[]).unwrap();
        let pieces: Vec<Vec<u8>> = (1..=5_u8).map(|piece| vec![piece; 100]).collect();
        for operation in [1, 2] {
            let (rows, bytes, masked, duration_us, error) = (50, 500, 0, 1, None);
            let outcome = Event::Outcome { operation, rows, bytes, masked, duration_us, error };
            // By itself, and with the last piece.
            let before = if operation == 1 { 5 } else { 4 };
            for (rows, piece) in (1..).zip(&pieces[..before]) {
                tape.result(operation, rows * 10, piece).unwrap();
            }
            match pieces.get(before) {
                None => tape.append(&outcome, &[]).map(drop).unwrap(),
                Some(last) => tape.ends(operation, rows, last, &outcome).unwrap(),
            }
        }
        tape.seal(&closed()).await.unwrap();
        drop((tape, recorder));
        let entries: Vec<_> =
            recordings(dir.path()).session(&session(1)).unwrap().map(Result::unwrap).collect();
        let data: Vec<&[u8]> = entries
            .iter()
            .filter(|entry| matches!(&entry.event, Content::Event(event) if event.name() == "data"))
            .map(|entry| entry.payload.as_slice())
            .collect();
        let wanted: Vec<&[u8]> = pieces.iter().take(kept).map(Vec::as_slice).collect();
        assert_eq!(data, [wanted.clone(), wanted].concat(), "{results:?}");
        let said: Vec<&str> = entries
            .iter()
            .filter_map(|entry| match &entry.event {
                Content::Note { event, reason } if event == "left-out" => Some(reason.as_str()),
                _ => None,
            })
            .collect();
        let rest = pieces[kept..].concat();
        assert_eq!(said.len(), if rest.is_empty() { 0 } else { 2 }, "{results:?}");
        let digest = sallyport_core::Digest::of(&rest).to_string();
        assert!(
            said.iter().all(|said| said.contains(&digest) && said.contains(&format!("{} bytes", rest.len())))
        );
        assert!(check(dir.path()).ok());
    }
}

#[tokio::test]
async fn a_result_and_its_end_stand_together_across_segments_or_not_at_all() {
    let dir = folder();
    let faults = Arc::new(Faults::default());
    let disk = Box::new(FaultyDisk(Arc::clone(&faults)));
    let recorder = Recorder::open_on(settings(dir.path(), 4096), key(), Arc::new(SystemClock), disk).unwrap();
    let tape = recorder.begin_for(session(1), "shop-prod");
    tape.append(&opened(), &[]).unwrap();
    let ends = |operation| {
        let (rows, bytes, masked, duration_us, error) = (1, 300, 0, 1, None);
        let outcome = Event::Outcome { operation, rows, bytes, masked, duration_us, error };
        tape.ends(operation, rows, &[7; 300], &outcome)
    };
    for operation in 1..=60 {
        Faults::set(&faults.full, operation % 7 == 0);
        assert_eq!(ends(operation).is_err(), operation % 7 == 0, "{operation}");
    }
    Faults::set(&faults.full, false);
    tape.seal(&closed()).await.unwrap();
    drop((tape, recorder));
    let entries = recordings(dir.path()).session(&session(1)).unwrap().map(Result::unwrap);
    let names: Vec<_> = entries
        .filter_map(|entry| match entry.event {
            Content::Event(event) => Some(event.name()),
            _ => None,
        })
        .collect();
    let pairs = ["data", "outcome"].repeat(60 - 60 / 7);
    assert_eq!(names, [&["session-opened"][..], &pairs, &["session-closed"]].concat());
    assert!(check(dir.path()).ok());
    assert!(std::fs::read_dir(dir.path().join("segments")).unwrap().count() > 5);
}

#[tokio::test]
async fn a_target_waits_for_the_disk_on_its_own_terms() {
    let dir = folder();
    let faults = Arc::new(Faults::default());
    let terms = Terms { durability: Durability::Disk, ..Terms::default() };
    let settings = RecorderSettings {
        durability: Durability::Os,
        targets: [("careful".to_owned(), terms)].into(),
        ..settings(dir.path(), 1 << 20)
    };
    let disk = Box::new(FaultyDisk(Arc::clone(&faults)));
    let recorder = Recorder::open_on(settings, key(), Arc::new(SystemClock), disk).unwrap();
    Faults::set(&faults.sync_fails, true);
    let waits =
        |tape: Tape| async move { tape.append_and_wait(&opened(), &[], Need::Written).await.is_err() };
    assert!(waits(recorder.begin_for(session(1), "careful")).await);
    assert!(!waits(recorder.begin_for(session(2), "other")).await);
}

/// A disk that takes everything, keeps the beginnings of segments, and counts.
#[derive(Debug, Default)]
struct Bottomless(Arc<std::sync::atomic::AtomicU64>);

#[derive(Debug)]
struct Counting(Arc<std::sync::atomic::AtomicU64>);

impl crate::medium::Medium for Counting {
    fn write_at(&self, parts: &[&[u8]], _: u64) -> std::io::Result<()> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        self.0.fetch_add(u64::try_from(bytes).unwrap(), Ordering::SeqCst);
        Ok(())
    }

    fn sync(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn truncate(&self, _: u64) -> std::io::Result<()> {
        Ok(())
    }
}

impl crate::medium::Disk for Bottomless {
    fn create(&self, path: &std::path::Path, _: u64) -> std::io::Result<Box<dyn crate::medium::Medium>> {
        std::fs::write(path, [])?;
        Ok(Box::new(Counting(Arc::clone(&self.0))))
    }

    fn rename(&self, from: &std::path::Path, to: &std::path::Path) -> std::io::Result<()> {
        std::fs::rename(from, to)
    }

    fn sync_directory(&self, _: &std::path::Path) -> std::io::Result<()> {
        Ok(())
    }

    fn free_bytes(&self, _: &std::path::Path) -> std::io::Result<u64> {
        Ok(u64::MAX)
    }
}

/// Pages of this process that are in memory, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

#[tokio::test]
async fn a_result_over_4_gib_and_a_million_tiny_frames_take_no_memory() {
    let dir = folder();
    let written = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let disk = Box::new(Bottomless(Arc::clone(&written)));
    let recorder =
        Recorder::open_on(settings(dir.path(), 64 << 20), key(), Arc::new(SystemClock), disk).unwrap();
    let tape = recorder.begin(session(1));
    let (piece, before) = (vec![7; 16 << 20], resident());
    tape.result(1, 1, &piece).unwrap();
    let once = resident();
    for rows in 2..=260 {
        tape.result(1, rows, &piece).unwrap();
    }
    assert!(written.load(Ordering::SeqCst) > 4 << 30);
    assert!(resident() < once.max(before) + (48 << 20), "{before} {once} {}", resident());
    let before = resident();
    let decision = Arc::new(sallyport_core::Decision::deny("rule", None, "v1"));
    for operation in 0..500_000 {
        let facts = facts(&format!("{}", operation % 1000));
        tape.append(&intent(operation, b"x", &facts, &decision), &[b"x"]).unwrap();
        tape.result(operation, 1, b"D").unwrap();
    }
    assert!(resident() < before + (16 << 20), "{before} {}", resident());
}
