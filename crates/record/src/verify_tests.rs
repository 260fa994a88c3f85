//! Every way to alter a recording that the format promises to show.

use std::path::PathBuf;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::format::{Draft, hex, sign_seal};
use crate::testing::{closed, copy, data, folder, frames, key, opened, recorder, segments, session};
use crate::{Recorder, SigningKey};

fn check(dir: &Path) -> Report {
    verify(dir, &key().verifying_key(), |_| {}).unwrap()
}

/// Three sealed sessions, interleaved, over several segments.
fn record(recorder: &Recorder) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let tapes = [1, 2, 3].map(|number| recorder.begin(session(number)));
        for tape in &tapes {
            tape.append(&opened(), &[]).unwrap();
        }
        for operation in 0..3 {
            for tape in &tapes {
                tape.append(&data(operation), &[b"row", &[7; 40]]).unwrap();
            }
        }
        for tape in &tapes {
            tape.seal(&closed()).await.unwrap();
        }
    });
}

/// A recording that is made once, for tests that copy it.
fn origin() -> &'static Path {
    static ORIGIN: OnceLock<tempfile::TempDir> = OnceLock::new();
    ORIGIN
        .get_or_init(|| {
            let dir = folder();
            record(&recorder(dir.path(), 4 << 10));
            dir
        })
        .path()
}

fn altered(change: impl FnOnce(&Path)) -> Report {
    let dir = folder();
    copy(origin(), dir.path());
    change(dir.path());
    check(dir.path())
}

/// All frames of a segment as bytes, without its header.
fn pieces(path: &Path) -> (Vec<u8>, Vec<Vec<u8>>) {
    let bytes = std::fs::read(path).unwrap();
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let parts = frames(path).iter().map(|frame| bytes[at(frame.offset)..at(frame.end)].to_vec()).collect();
    (bytes[..crate::format::HEADER].to_vec(), parts)
}

fn rearranged(which: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Report {
    altered(|dir| {
        let path = &segments(dir)[which];
        let (header, mut parts) = pieces(path);
        change(&mut parts);
        std::fs::write(path, [header, parts.concat()].concat()).unwrap();
    })
}

#[test]
fn an_unaltered_recording_is_ok() {
    let report = altered(|_| {});
    assert!(report.ok(), "{:?}", report.lines());
    assert!(report.segments.len() >= 2);
    assert!(report.sessions.iter().all(|found| found.state == State::Sealed && found.entries == 6));
    assert!(serde_json::to_string(&report).unwrap().contains("\"state\":\"sealed\""));
}

#[test]
fn an_altered_bit_shows_wherever_it_is() {
    // Densely in the header and the first entries, sparsely in what repeats them.
    for (which, origin) in segments(origin()).iter().enumerate() {
        let length = std::fs::metadata(origin).unwrap().len();
        let dir = folder();
        copy(super::tests::origin(), dir.path());
        let path = segments(dir.path())[which].clone();
        let whole = std::fs::read(&path).unwrap();
        let length = usize::try_from(length).unwrap();
        let dense = if which == 0 { 330 } else { 0 };
        for at in (0..dense).step_by(3).chain((dense..length).step_by(331)) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            assert!(!check(dir.path()).ok(), "byte {at} of segment {which}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_altered_bytes_show(which in 0_usize..2, at in 0_usize..4000, with in prop::collection::vec(any::<u8>(), 1..40)) {
        let mut same = false;
        let report = altered(|dir| {
            let path = &segments(dir)[which];
            let mut bytes = std::fs::read(path).unwrap();
            let before = bytes.clone();
            let at = at % bytes.len();
            for (slot, byte) in bytes[at..].iter_mut().zip(&with) {
                *slot = *byte;
            }
            same = bytes == before;
            std::fs::write(path, bytes).unwrap();
        });
        prop_assert_eq!(report.ok(), same);
    }
}

#[test]
fn a_removed_entry_shows_wherever_it_was() {
    let count = pieces(&segments(origin())[0]).1.len();
    for index in 0..count {
        let report = rearranged(0, |parts| {
            parts.remove(index);
        });
        assert!(!report.ok(), "entry {index}");
    }
}

#[test]
fn reordered_and_repeated_entries_show() {
    assert!(!rearranged(0, |parts| parts.swap(1, 2)).ok(), "two sessions' entries swapped");
    assert!(!rearranged(0, |parts| parts.swap(1, 4)).ok(), "one session's entries swapped");
    assert!(!rearranged(0, |parts| parts.insert(3, parts[2].clone())).ok(), "one repeated");
}

#[test]
fn a_missing_or_repeated_segment_shows() {
    for which in 0..segments(origin()).len() - 1 {
        let report = altered(|dir| std::fs::remove_file(&segments(dir)[which]).unwrap());
        assert!(!report.ok(), "segment {which}");
    }
    let report = altered(|dir| {
        let first = &segments(dir)[0];
        std::fs::copy(first, first.with_file_name("20300101T000000Z-000000000001.slr")).unwrap();
    });
    assert!(!report.ok());
}

#[test]
fn a_tail_cut_off_within_a_segment_shows_in_the_next() {
    let report = rearranged(0, |parts| parts.truncate(parts.len() - 1));
    assert!(!report.ok());
}

#[test]
fn a_log_cut_back_to_before_a_seal_leaves_that_session_open_never_sealed() {
    let last = segments(origin()).len() - 1;
    let report = rearranged(last, |parts| parts.truncate(parts.len() - 1));
    assert_eq!(report.sessions[2].state, State::Open);
    assert_ne!(report.head, altered(|_| {}).head, "a head noted elsewhere tells");
}

#[test]
fn bytes_behind_the_end_show() {
    let report = altered(|dir| {
        let path = segments(dir).pop().unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend_from_slice(&[0; 200]);
        bytes.push(1);
        std::fs::write(path, bytes).unwrap();
    });
    assert!(!report.ok());
}

/// Rewrites the whole log with all hashes made anew, as somebody who has everything but the key could.
/// `change` sees each entry's session, number, event and payload; nothing to drop the entry.
fn forged(change: impl Fn(&Frame) -> Option<(Vec<u8>, Vec<u8>)>, key: &SigningKey, resign: bool) -> Report {
    altered(|dir| {
        let mut chains: BTreeMap<SessionId, (u64, Digest)> = BTreeMap::new();
        let paths: Vec<PathBuf> = segments(dir);
        let mut head = NO_LINK;
        for path in &paths {
            let bytes = std::fs::read(path).unwrap();
            let (mut header, mut link) = Header::decode(bytes.first_chunk().unwrap(), None).unwrap();
            let mut out = bytes[..crate::format::HEADER].to_vec();
            if resign {
                header.previous = head;
                header.key = key.verifying_key().to_bytes();
                (out, link) = header.encode(key);
            }
            head = link;
            for frame in frames(path) {
                let Some((mut event, payload)) = change(&frame) else { continue };
                let mut envelope = frame.envelope.unwrap();
                let mut session_link = NO_LINK;
                if let Some(id) = &envelope.session {
                    let chain = chains.entry(id.clone()).or_insert((0, NO_LINK));
                    (envelope.sequence, session_link) = *chain;
                    if envelope.kind == Kind::Seal {
                        let signature = hex(&sign_seal(key, id, chain.0, chain.1));
                        let old: SealClaim = serde_json::from_slice(&event).unwrap();
                        let signature = if resign { signature } else { old.signature };
                        let claim =
                            SealClaim { event: "seal".into(), entries: chain.0, head: chain.1, signature };
                        event = serde_json::to_vec(&claim).unwrap();
                    }
                }
                if envelope.kind == Kind::Checkpoint {
                    let mut checkpoint: Checkpoint = serde_json::from_slice(&event).unwrap();
                    for open in &mut checkpoint.open {
                        (open.entries, open.head) = chains[&open.session];
                    }
                    event = serde_json::to_vec(&checkpoint).unwrap();
                }
                let event: serde_json::Value = serde_json::from_slice(&event).unwrap();
                let draft = Draft::new(&envelope, &event, &[&payload]).unwrap();
                let (trailer, hash) = draft.trailer(session_link, head);
                head = hash;
                if let Some(id) = envelope.session {
                    chains.insert(id, (envelope.sequence + 1, hash));
                }
                out.extend_from_slice(draft.prefix());
                out.extend_from_slice(&payload);
                out.extend_from_slice(&trailer);
            }
            std::fs::write(path, out).unwrap();
        }
    })
}

fn with_other_rows(frame: &Frame) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut payload = frame.payload.clone();
    if let Some(byte) = payload.first_mut() {
        *byte = b'R';
    }
    Some((frame.event.clone(), payload))
}

#[test]
fn a_log_rehashed_without_the_key_breaks_every_seal_it_touched() {
    let report = forged(with_other_rows, &key(), false);
    assert!(!report.ok());
    assert!(report.sessions.iter().all(|found| matches!(found.state, State::Broken { sequence: 5, .. })));
}

#[test]
fn a_log_forged_whole_with_another_key_is_told_apart() {
    let report = forged(with_other_rows, &SigningKey::from_bytes(&[8; 32]), true);
    assert!(!report.ok());
    assert!(report.sessions.iter().all(|found| matches!(found.state, State::Broken { sequence: 5, .. })));
    assert!(report.segments.iter().all(|found| !found.problems.is_empty()), "headers are signed too");
    let own = forged(with_other_rows, &key(), true);
    assert!(own.ok(), "the forger of this test makes no mistake of its own: {:?}", own.lines());
}

#[test]
fn an_entry_moved_into_another_session_breaks_its_seal_even_when_rehashed() {
    let report = forged(
        |frame| {
            let id = frame.envelope.as_ref()?.session.clone();
            let spliced = id == Some(session(2)) && frame.envelope.as_ref()?.sequence == 2;
            Some((
                frame.event.clone(),
                if spliced { b"of session 1".to_vec() } else { frame.payload.clone() },
            ))
        },
        &key(),
        false,
    );
    assert!(matches!(report.sessions[1].state, State::Broken { .. }));
}

#[test]
fn a_session_taken_out_whole_shows_in_the_seals_of_the_others() {
    let report = forged(
        |frame| {
            let id = frame.envelope.as_ref()?.session.clone();
            let mut event = frame.event.clone();
            if frame.envelope.as_ref()?.kind == Kind::Checkpoint {
                let mut checkpoint: Checkpoint = serde_json::from_slice(&event).unwrap();
                checkpoint.open.retain(|open| open.session != session(2));
                event = serde_json::to_vec(&checkpoint).unwrap();
            }
            (id != Some(session(2))).then(|| (event, frame.payload.clone()))
        },
        &key(),
        false,
    );
    assert_eq!(report.sessions.len(), 2);
    assert!(matches!(report.sessions[1].state, State::Broken { .. }), "{:?}", report.lines());
}

#[test]
fn one_broken_session_does_not_hide_that_the_others_are_whole() {
    let report = altered(|dir| {
        let path = &segments(dir)[0];
        let frame = &frames(path)[4];
        let mut bytes = std::fs::read(path).unwrap();
        bytes[usize::try_from(frame.end).unwrap() - 100] ^= 1;
        std::fs::write(path, bytes).unwrap();
    });
    let broken = report.sessions.iter().filter(|found| matches!(found.state, State::Broken { .. })).count();
    assert_eq!(broken, 1, "{:?}", report.lines());
    assert_eq!(report.segments.iter().map(|segment| segment.problems.len()).sum::<usize>(), 1);
}

#[test]
fn a_log_being_written_verifies() {
    let dir = folder();
    let recorder = recorder(dir.path(), 64 << 10);
    let tape = recorder.begin(session(1));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for operation in 0..3000 {
                tape.append(&data(operation), &[&[1; 200]]).unwrap();
            }
        });
        for _ in 0..10 {
            let report = check(dir.path());
            assert!(report.ok(), "{:?}", report.lines());
        }
    });
}

#[test]
fn a_key_that_is_not_the_recorders_verifies_nothing() {
    let other = SigningKey::from_bytes(&[9; 32]).verifying_key();
    let report = verify(origin(), &other, |_| {}).unwrap();
    assert!(report.sessions.iter().all(|found| matches!(found.state, State::Broken { .. })));
}

#[test]
fn the_verifier_written_from_the_documentation_agrees() {
    use ed25519_dalek::pkcs8::EncodePublicKey as _;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/verify_recording.py");
    let dir = folder();
    copy(origin(), dir.path());
    let pem = dir.path().join("key.pem");
    let run = |key: &SigningKey| {
        std::fs::write(&pem, key.verifying_key().to_public_key_pem(Default::default()).unwrap()).unwrap();
        let output = std::process::Command::new("python3").arg(&script).arg(dir.path()).arg(&pem).output();
        output.ok().map(|output| {
            let text = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&text).into_owned())
        })
    };
    let Some((ok, text)) = run(&key()) else { return eprintln!("skipped: no python3") };
    if text.contains("ModuleNotFoundError") {
        return eprintln!("skipped: python3 has no cryptography package");
    }
    let head = check(dir.path()).head.unwrap().hash.to_string();
    assert!(ok && text.contains("sealed") && text.contains(&head), "{text}");
    let (ok, text) = run(&SigningKey::from_bytes(&[9; 32])).unwrap();
    assert!(!ok && text.contains("not signed by this key") && text.contains("not by this key"), "{text}");
    for at in [0, 20, 50, 70, 100, 170, 400, 900, 1500] {
        let path = &segments(dir.path())[0];
        let whole = std::fs::read(path).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        std::fs::write(path, bytes).unwrap();
        let (ok, text) = run(&key()).unwrap();
        assert!(!ok && text.contains("NOT OK"), "byte {at}: {text}");
        std::fs::write(path, whole).unwrap();
    }
}
