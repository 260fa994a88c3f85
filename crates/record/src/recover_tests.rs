//! Starting again after every kind of stop.

use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::*;
use crate::Need;
use crate::read::Content;
use crate::testing::{
    closed, copy, data, folder, frames, key, opened, recorder, recordings, segments, session,
};
use crate::verify::{Report, State, Trust, verify};

fn check(dir: &Path) -> Report {
    verify(dir, &Trust::key(key().verifying_key()), |_| {}).unwrap()
}

/// A recording with one sealed and one open session, as a kill would leave it.
fn killed(dir: &Path) {
    let live = folder();
    let recorder = recorder(live.path(), 32 << 10);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let first = recorder.begin(session(1));
        first.append(&opened(), &[]).unwrap();
        first.seal(&closed()).await.unwrap();
        let second = recorder.begin(session(2));
        second.append(&opened(), &[]).unwrap();
        second.append_and_wait(&data(1), &[b"last words"], Need::Synced).await.unwrap();
        copy(live.path(), dir);
    });
}

#[test]
fn a_session_left_open_is_noted_and_sealed_at_the_next_start() {
    let dir = folder();
    killed(dir.path());
    assert_eq!(check(dir.path()).sessions[1].state, State::Open);
    drop(recorder(dir.path(), 32 << 10));
    let report = check(dir.path());
    assert!(report.ok() && report.recovered.is_empty(), "{:?}", report.lines());
    assert_eq!(report.sessions[1].state, State::Sealed);
    let entries: Vec<_> = recordings(dir.path()).session(&session(2)).unwrap().map(Result::unwrap).collect();
    assert!(matches!(&entries[2].event, Content::Note { event, .. } if event == "recovered"));
    assert_eq!(entries.len(), 4);
    drop(recorder(dir.path(), 32 << 10));
    assert_eq!(check(dir.path()).sessions[1].entries, 4, "a second start has nothing to say of it");
}

#[test]
fn a_torn_last_entry_is_set_aside_wherever_it_is_torn() {
    let origin = folder();
    killed(origin.path());
    let last = frames(&segments(origin.path())[0]).pop().unwrap();
    for cut in last.offset..last.end {
        {
            let zeros_follow = cut % 2 == 0;
            let dir = folder();
            copy(origin.path(), dir.path());
            let path = &segments(dir.path())[0];
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(cut).unwrap();
            if zeros_follow {
                file.set_len(32 << 10).unwrap();
            }
            // Every offset is recovered; some are then also opened, continued and verified, which is slow.
            if (cut - last.offset) % 37 != 5 {
                let found = recover(dir.path()).unwrap();
                assert_eq!(found.left_open[&session(2)].entries, 1, "cut at {cut}");
                assert_eq!(found.resume.head, last.log_link, "cut at {cut}");
                continue;
            }
            drop(recorder(dir.path(), 32 << 10));
            let report = check(dir.path());
            assert!(report.ok(), "cut at {cut}: {:?}", report.lines());
            assert!(report.sessions.iter().all(|found| found.state == State::Sealed));
            assert_eq!(report.sessions[1].entries, 3, "opened, note, seal: the torn entry is gone");
            let written = frames_before(origin.path(), last.offset, cut);
            match report.recovered.as_slice() {
                [] => assert!(written.iter().all(|byte| *byte == 0), "cut at {cut}"),
                [torn] => {
                    let kept = std::fs::read(dir.path().join("torn").join(&torn.kept_as)).unwrap();
                    assert!(written.starts_with(&kept), "cut at {cut}");
                    assert_eq!(torn.sha256, Digest::of(&kept));
                }
                more => panic!("{more:?}"),
            }
        }
    }
}

fn frames_before(dir: &Path, from: u64, to: u64) -> Vec<u8> {
    let bytes = std::fs::read(&segments(dir)[0]).unwrap();
    bytes[usize::try_from(from).unwrap()..usize::try_from(to).unwrap()].to_vec()
}

#[test]
fn a_segment_whose_beginning_was_lost_is_set_aside_and_the_one_before_goes_on() {
    let dir = folder();
    killed(dir.path());
    drop(recorder(dir.path(), 32 << 10));
    // Power failed before the second segment's first bytes were durable, and so before its checkpoint.
    std::fs::remove_file(dir.path().join("checkpoint")).unwrap();
    let second = &segments(dir.path())[1];
    OpenOptions::new().write(true).open(second).unwrap().write_all_at(&[0; 100], 0).unwrap();
    drop(recorder(dir.path(), 32 << 10));
    let report = check(dir.path());
    assert!(report.ok(), "{:?}", report.lines());
    assert_eq!(report.recovered.len(), 1);
    assert_eq!(report.sessions[1].state, State::Sealed, "known from the segment before");
}

#[test]
fn a_log_that_is_damaged_in_more_than_its_end_is_not_continued() {
    let dir = folder();
    for _ in 0..4 {
        drop(recorder(dir.path(), 32 << 10));
    }
    for path in segments(dir.path()) {
        OpenOptions::new().write(true).open(path).unwrap().write_all_at(&[0; 100], 0).unwrap();
    }
    let settings = crate::testing::settings(dir.path(), 32 << 10);
    let opened = crate::Recorder::open(settings, key(), Arc::new(sallyport_core::SystemClock));
    assert!(matches!(opened, Err(RecordError::Damaged(_))));
}

#[test]
fn a_log_of_another_version_is_not_touched() {
    let dir = folder();
    drop(recorder(dir.path(), 32 << 10));
    let path = segments(dir.path()).remove(0);
    OpenOptions::new().write(true).open(&path).unwrap().write_all_at(&3_u32.to_be_bytes(), 8).unwrap();
    let before = std::fs::read(&path).unwrap();
    let settings = crate::testing::settings(dir.path(), 32 << 10);
    let opened = crate::Recorder::open(settings, key(), Arc::new(sallyport_core::SystemClock));
    assert!(matches!(opened, Err(RecordError::Damaged(_))));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_log_of_version_1_goes_on_in_version_2_and_reads_and_verifies_as_one() {
    let dir = folder();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/version-1"), dir.path());
    assert!(check(dir.path()).ok(), "{:?}", check(dir.path()).lines());
    drop(recorder(dir.path(), 32 << 10));
    let recorder = recorder(dir.path(), 32 << 10);
    recorder.begin(session(5)).append(&opened(), &[]).unwrap();
    drop(recorder);
    let report = check(dir.path());
    assert!(report.ok() && report.sessions.len() == 5, "{:?}", report.lines());
    assert!(report.sessions.iter().all(|found| found.state == State::Sealed));
    let left_open = report.sessions.iter().find(|found| found.entries == 5).unwrap();
    let entries: Vec<_> = recordings(dir.path()).session(&left_open.session).unwrap().collect();
    let events: Vec<Content> = entries.into_iter().map(|entry| entry.unwrap().event).collect();
    assert!(matches!(&events[1], Content::Event(event) if event.name() == "intent"));
    assert!(matches!(&events[3], Content::Note { event, .. } if event == "recovered"));
}
