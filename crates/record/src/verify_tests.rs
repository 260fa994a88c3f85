//! Every way to alter a recording that the format promises to show.

use std::path::PathBuf;
use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::format::entry_hash;
use crate::statements::{hex, sign_seal};
use crate::testing::{
    by_the_book, closed, copy, data, folder, frames, key, opened, recorder, segments, session,
    wrapping_folder,
};
use crate::{Recorder, SigningKey};

fn check(dir: &Path) -> Report {
    verify(dir, &Trust::key(key().verifying_key()), |_| {}).unwrap()
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
    (bytes[..at(frames(path)[0].offset)].to_vec(), parts)
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
fn room_of_less_than_a_length_behind_the_end_is_empty_or_shows() {
    for (rest, empty) in [(&[0][..], true), (&[0, 0, 0], true), (&[1], false), (&[0, 0, 7], false)] {
        let dir = folder();
        copy(origin(), dir.path());
        let last = segments(dir.path()).pop().unwrap();
        let mut bytes = std::fs::read(&last).unwrap();
        bytes.extend(rest);
        std::fs::write(&last, bytes).unwrap();
        let report = check(dir.path());
        assert_eq!(report.ok(), empty, "{rest:?}: {:?}", report.lines());
        if let Some((ok, text)) = by_the_book(dir.path(), &key(), &[]) {
            assert_eq!(ok, empty, "{rest:?}: {text}");
        }
    }
}

#[test]
fn a_folder_without_segments_is_no_recording() {
    let dir = folder();
    let report = check(dir.path());
    assert!(!report.ok() && report.lines().iter().any(|line| line.contains("there is no segment")));
    if let Some((ok, text)) = by_the_book(dir.path(), &key(), &[]) {
        assert!(!ok && text.contains("there is no segment"), "{text}");
    }
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
    let report = rearranged(last, |parts| parts.truncate(parts.len() - 2));
    assert_eq!(report.sessions[2].state, State::Open);
    assert!(report.checkpoints[0].problem.is_some(), "the checkpoint tells, while it is there");
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

/// A body in the clear.
fn clear(event: &impl serde::Serialize) -> Vec<u8> {
    let event = serde_json::to_vec(event).unwrap();
    [&u32::try_from(event.len()).unwrap().to_be_bytes(), event.as_slice()].concat()
}

/// A frame from its parts, as the document says.
fn assembled(envelope: &[u8], body: &[u8], session_link: Digest, log_link: Digest) -> (Vec<u8>, Digest) {
    let hash = entry_hash(session_link, log_link, Digest::of(body), envelope);
    let length = u32::try_from(2 + envelope.len() + body.len() + 96).unwrap();
    let links = [session_link, log_link, hash].map(|link| *link.as_bytes()).concat();
    let word = u16::try_from(envelope.len()).unwrap().to_be_bytes();
    ([&length.to_be_bytes(), word.as_slice(), envelope, body, &links].concat(), hash)
}

/// Rewrites the whole log with all hashes made anew, as somebody who has everything but the key could.
/// `change` sees each entry and gives its body; nothing to drop the entry.
fn forged(change: impl Fn(&Frame) -> Option<Vec<u8>>, key: &SigningKey, resign: bool) -> Report {
    altered(|dir| {
        let mut chains: BTreeMap<SessionId, (u64, Digest, Timestamp)> = BTreeMap::new();
        let paths: Vec<PathBuf> = segments(dir);
        let (mut head, mut tree) = (NO_LINK, Tree::default());
        for path in &paths {
            let bytes = std::fs::read(path).unwrap();
            let start = usize::try_from(frames(path)[0].offset).unwrap();
            let (mut header, mut link) = Header::decode(&bytes[..start], None).unwrap();
            let mut out = bytes[..start].to_vec();
            if resign {
                header.previous = head;
                header.key = key.verifying_key().to_bytes();
                (out, link) = header.encode(key).unwrap();
            }
            head = link;
            for frame in frames(path) {
                let Some(mut body) = change(&frame) else { continue };
                let kind = frame.envelope.as_ref().unwrap().kind;
                let time = frame.envelope.as_ref().unwrap().time;
                let mut envelope = frame.envelope_bytes.clone();
                let mut session_link = NO_LINK;
                let id = frame.envelope.as_ref().unwrap().session.clone();
                if let Some(id) = &id {
                    let (entries, last, opened) = *chains.entry(id.clone()).or_insert((0, NO_LINK, time));
                    envelope[10..18].copy_from_slice(&entries.to_be_bytes());
                    session_link = last;
                    if kind == Kind::Seal {
                        let signature = hex(&sign_seal(key, id, entries, last));
                        let old: SealClaim = frame.statement().unwrap();
                        let signature = if resign { signature } else { old.signature };
                        let event = "seal".into();
                        body = clear(&SealClaim { event, entries, head: last, signature });
                        let leaf = session_leaf(id, entries, last, opened, time);
                        tree.push(leaf_hash(leaf.as_bytes()));
                    }
                }
                if kind == Kind::Roster {
                    let size = usize::try_from(u32::from_be_bytes(*body.first_chunk().unwrap())).unwrap();
                    let mut roster: Roster = serde_json::from_slice(&body[4..4 + size]).unwrap();
                    for open in &mut roster.open {
                        (open.entries, open.head, _) = chains[&open.session];
                    }
                    roster.tree = tree.clone();
                    body = clear(&roster);
                }
                if kind == Kind::Mark {
                    tree.push(leaf_hash(log_leaf(header.number, head, time).as_bytes()));
                }
                let (made, hash) = assembled(&envelope, &body, session_link, head);
                head = hash;
                if let Some(id) = id {
                    let chain = chains.get_mut(&id).unwrap();
                    (chain.0, chain.1) = (chain.0 + 1, hash);
                }
                out.extend_from_slice(&made);
            }
            std::fs::write(path, out).unwrap();
        }
    })
}

fn with_other_rows(frame: &Frame) -> Option<Vec<u8>> {
    let mut body = frame.body.clone();
    if frame.envelope.as_ref()?.kind == Kind::Event {
        *body.last_mut()? ^= 1;
    }
    Some(body)
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
    let whole = own.sessions.iter().all(|found| found.state == State::Sealed);
    let clean = own.segments.iter().all(|found| found.problems.is_empty());
    assert!(whole && clean, "the forger of this test makes no mistake of its own: {:?}", own.lines());
    assert!(!own.ok(), "but a checkpoint shows even what the key's owner rewrote");
}

#[test]
fn an_entry_moved_into_another_session_breaks_its_seal_even_when_rehashed() {
    let other = frames(&segments(origin())[0]);
    let envelope = |frame: &Frame| frame.envelope.clone().unwrap();
    let theirs = other.iter().find(|frame| envelope(frame).session == Some(session(1))).unwrap();
    let report = forged(
        |frame| {
            let found = envelope(frame);
            let spliced = found.session == Some(session(2)) && found.sequence == 2;
            Some(if spliced { theirs.body.clone() } else { frame.body.clone() })
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
            if frame.envelope.as_ref()?.kind == Kind::Roster {
                let mut roster: Roster = frame.statement().unwrap();
                roster.open.retain(|open| open.session != session(2));
                return Some(clear(&roster));
            }
            (id != Some(session(2))).then(|| frame.body.clone())
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
    let report = verify(origin(), &Trust::key(other), |_| {}).unwrap();
    assert!(report.sessions.iter().all(|found| matches!(found.state, State::Broken { .. })));
}

#[test]
fn the_verifier_written_from_the_documentation_agrees() {
    let dir = folder();
    copy(origin(), dir.path());
    let Some((ok, text)) = by_the_book(dir.path(), &key(), &[]) else { return };
    let head = check(dir.path()).head.unwrap().hash.to_string();
    assert!(ok && text.contains("sealed") && text.contains("holds") && text.contains(&head), "{text}");
    let (ok, text) = by_the_book(dir.path(), &SigningKey::from_bytes(&[9; 32]), &[]).unwrap();
    assert!(!ok && text.contains("not signed by this key") && text.contains("not by this key"), "{text}");
    let keys = wrapping_folder();
    let (ok, text) = by_the_book(dir.path(), &key(), &["--keys".as_ref(), keys.as_os_str()]).unwrap();
    assert!(ok && text.contains("15 of 15 encrypted entries were decrypted"), "{text}");
    let old = folder();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/version-1"), old.path());
    let (ok, text) = by_the_book(old.path(), &key(), &[]).unwrap();
    assert!(ok && check(old.path()).ok(), "version 1: {text}");
}

/// Everything that is done to a recording here, both verifiers have to see.
#[test]
fn both_verifiers_see_every_alteration() {
    let noted = origin().join("checkpoint");
    let both = |name: &str, dir: &Path| {
        let text = std::fs::read_to_string(&noted).unwrap();
        let checkpoint = Checkpoint::read(&text, &NoteKey::of_log(key().verifying_key())).unwrap();
        let trust = Trust { noted: vec![("noted".into(), checkpoint)], ..Trust::key(key().verifying_key()) };
        let ours = verify(dir, &trust, |_| {}).unwrap();
        assert!(!ours.ok(), "{name}: {:?}", ours.lines());
        if let Some((ok, text)) = by_the_book(dir, &key(), &["--checkpoint".as_ref(), noted.as_os_str()]) {
            assert!(!ok && text.contains("NOT OK"), "{name}: {text}");
        }
    };
    let tampered = |name: &str, change: &dyn Fn(&Path)| {
        let dir = folder();
        copy(origin(), dir.path());
        change(dir.path());
        both(name, dir.path());
    };
    for at in [0, 20, 50, 70, 98, 101, 120, 170, 250, 400, 900, 1500, 2500] {
        tampered(&format!("byte {at}"), &|dir| {
            let path = &segments(dir)[0];
            let mut bytes = std::fs::read(path).unwrap();
            bytes[at] ^= 4;
            std::fs::write(path, bytes).unwrap();
        });
    }
    let entries = |dir: &Path, which: usize, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let path = segments(dir)[which].clone();
        let (header, mut parts) = pieces(&path);
        change(&mut parts);
        std::fs::write(&path, [header, parts.concat()].concat()).unwrap();
    };
    tampered("an entry removed", &|dir| entries(dir, 0, &|parts| drop(parts.remove(3))));
    tampered("entries swapped", &|dir| entries(dir, 0, &|parts| parts.swap(2, 3)));
    tampered("an entry repeated", &|dir| entries(dir, 0, &|parts| parts.insert(3, parts[3].clone())));
    tampered("the first segment gone", &|dir| std::fs::remove_file(&segments(dir)[0]).unwrap());
    tampered("the last segment and the checkpoint gone", &|dir| {
        std::fs::remove_file(segments(dir).pop().unwrap()).unwrap();
        std::fs::remove_file(dir.join("checkpoint")).unwrap();
    });
    tampered("the tail and the checkpoint gone", &|dir| {
        entries(dir, segments(dir).len() - 1, &|parts| parts.truncate(parts.len() - 2));
        std::fs::remove_file(dir.join("checkpoint")).unwrap();
    });
    tampered("the checkpoint of another tree", &|dir| {
        let text = crate::checkpoint::sign(&Tree::default(), &SigningKey::from_bytes(&[9; 32]));
        std::fs::write(dir.join("checkpoint"), text).unwrap();
    });
    tampered("bytes behind the end", &|dir| entries(dir, 1, &|parts| parts.push(vec![0, 0, 0, 0, 7])));
}
