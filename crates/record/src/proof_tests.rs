//! Checkpoints and proofs: what they show, and what they must not let pass.

use std::path::Path;

use super::*;
use crate::SigningKey;
use crate::checkpoint::stored;
use crate::testing::{closed, copy, data, folder, frames, key, opened, recorder, segments, session};
use crate::verify::{Report, Trust, verify};

fn note_key() -> NoteKey {
    NoteKey::of_log(key().verifying_key())
}

fn now(dir: &Path) -> Checkpoint {
    Checkpoint::read(&stored(dir).unwrap().unwrap(), &note_key()).unwrap()
}

fn check_with(dir: &Path, noted: &[Checkpoint]) -> Report {
    let noted = noted.iter().map(|checkpoint| ("noted".to_owned(), checkpoint.clone())).collect();
    verify(dir, &Trust { noted, ..Trust::key(key().verifying_key()) }, |_| {}).unwrap()
}

/// Adds sessions to a log, each start with a checkpoint at its end.
fn add(dir: &Path, numbers: impl IntoIterator<Item = u8>) -> Checkpoint {
    let recorder = recorder(dir, 4 << 10);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for number in numbers {
            let tape = recorder.begin(session(number));
            tape.append(&opened(), &[]).unwrap();
            tape.append(&data(1), &[b"row"]).unwrap();
            tape.seal(&closed()).await.unwrap();
        }
    });
    drop(recorder);
    now(dir)
}

#[test]
fn a_sealed_session_is_proven_and_nothing_else_is() {
    let dir = folder();
    add(dir.path(), 1..=9);
    for number in 1..=9 {
        let proof = prove(dir.path(), &note_key(), &session(number)).unwrap();
        let proven = check(&proof, &note_key()).unwrap();
        assert_eq!((proven.session, proven.entries), (session(number), 3));
        let other = NoteKey::of_log(SigningKey::from_bytes(&[9; 32]).verifying_key());
        assert!(check(&proof, &other).is_err(), "another log's key");
        for at in 0..proof.len() {
            let mut bytes = proof.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let Ok(text) = String::from_utf8(bytes) else { continue };
            // The padding bits of base64 may differ; what is proven may not.
            if let Ok(found) = check(&text, &note_key()) {
                assert_eq!((found.session, found.index), (session(number), proven.index), "byte {at}");
            }
        }
    }
    assert!(prove(dir.path(), &note_key(), &session(10)).is_err());
}

#[test]
fn a_log_that_grew_is_proven_to_and_one_that_was_rewritten_is_not() {
    let dir = folder();
    let first = add(dir.path(), 1..=3);
    let second = add(dir.path(), 4..=6);
    let proof = prove_since(dir.path(), &note_key(), &first).unwrap();
    assert_eq!(check_since(&proof, &note_key(), &first).unwrap(), second);
    assert!(check_since(&proof, &note_key(), &second).is_err());
    // Another history by the same key: what the owner of the key could show to another auditor.
    let other = folder();
    let theirs = add(other.path(), [1, 2, 7]);
    add(other.path(), 8..=9);
    assert!(prove_since(other.path(), &note_key(), &first).is_err());
    let proof = prove_since(other.path(), &note_key(), &theirs).unwrap();
    assert!(check_since(&proof, &note_key(), &first).is_err());
    let report = check_with(other.path(), &[first]);
    assert!(!report.ok() && report.checkpoints[1].problem.is_some(), "{:?}", report.lines());
}

#[test]
fn attack_31_a_log_cut_back_anywhere_shows_against_a_noted_checkpoint() {
    let dir = folder();
    add(dir.path(), 1..=2);
    let noted = add(dir.path(), 3..=4);
    assert!(check_with(dir.path(), std::slice::from_ref(&noted)).ok());
    let all = segments(dir.path());
    for keep in 1..=all.len() {
        let last = frames(&all[keep - 1]);
        for entries in 1..=last.len() {
            if (keep, entries) == (all.len(), last.len()) {
                continue;
            }
            let cut = folder();
            copy(dir.path(), cut.path());
            for path in segments(cut.path()).split_off(keep) {
                std::fs::remove_file(path).unwrap();
            }
            let path = segments(cut.path()).pop().unwrap();
            let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(last[entries - 1].end).unwrap();
            // Whoever cuts the log takes the checkpoint beside it away, too.
            std::fs::remove_file(cut.path().join("checkpoint")).unwrap();
            assert!(check_with(cut.path(), &[]).ok(), "nothing but the checkpoint tells");
            let report = check_with(cut.path(), std::slice::from_ref(&noted));
            assert!(!report.ok(), "{entries} entries of segment {keep} left");
        }
    }
}

#[test]
fn a_log_cut_back_before_its_checkpoint_is_not_continued() {
    let dir = folder();
    add(dir.path(), 1..=2);
    add(dir.path(), 3..=4);
    let report = check_with(dir.path(), &[]);
    assert!(report.ok() && report.checkpoints.len() == 1, "{:?}", report.lines());
    let last = segments(dir.path()).pop().unwrap();
    std::fs::remove_file(last).unwrap();
    assert!(!check_with(dir.path(), &[]).ok());
    let settings = crate::testing::settings(dir.path(), 4 << 10);
    let clock = std::sync::Arc::new(sallyport_core::SystemClock);
    let opened = crate::Recorder::open(settings.clone(), key(), clock.clone());
    assert!(matches!(opened, Err(RecordError::Damaged(_))), "{opened:?}");
    std::fs::write(dir.path().join("checkpoint"), "of somebody else\n\n\u{2014} x eHh4eA==\n").unwrap();
    assert!(matches!(crate::Recorder::open(settings, key(), clock), Err(RecordError::Damaged(_))));
    assert!(!check_with(dir.path(), &[]).ok());
}

#[test]
fn a_checkpoint_follows_a_seal_while_the_recorder_runs() {
    let dir = folder();
    let recorder = recorder(dir.path(), 1 << 20);
    let tape = recorder.begin(session(1));
    tape.append(&opened(), &[]).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(tape.seal(&closed())).unwrap();
    let proof = (0..100).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        prove(dir.path(), &note_key(), &session(1)).ok()
    });
    assert_eq!(check(&proof.unwrap(), &note_key()).unwrap().session, session(1));
    let report = check_with(dir.path(), &[now(dir.path())]);
    assert!(report.ok(), "{:?}", report.lines());
}
