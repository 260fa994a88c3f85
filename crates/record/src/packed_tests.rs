//! Packed segments: the same log, smaller; and what must show when they are altered.

use super::*;
use crate::decode::opener;
use crate::read::Content;
use crate::testing::{
    closed, copy, data, facts, folder, frames, intent, key, opened, recorder, recordings, segments, session,
    wrapping,
};
use crate::verify::{Report, Trust, verify};

fn check(dir: &Path) -> Report {
    verify(dir, &Trust::key(key().verifying_key()), |_| {}).unwrap()
}

/// A log of several segments.
fn record(dir: &Path) {
    let recorder = recorder(dir, 16 << 10);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let decision = Arc::new(sallyport_core::Decision::deny("rule", None, "v1"));
    runtime.block_on(async {
        for number in 1..=3 {
            let tape = recorder.begin(session(number));
            tape.append(&opened(), &[]).unwrap();
            for operation in 0..60 {
                let facts = facts(&format!("{}", operation % 4));
                tape.append(&intent(operation, b"select 1", &facts, &decision), &[b"select 1"]).unwrap();
                tape.append(&data(operation), &[b"the same row again and again ".repeat(9).as_slice()])
                    .unwrap();
            }
            tape.seal(&closed()).await.unwrap();
        }
    });
}

/// Packs all segments but the last, in place.
fn pack_all(dir: &Path, gone: &dyn Fn(&SessionId) -> bool) {
    let mut paths = segments(dir);
    paths.pop();
    for path in paths {
        let header = Segment::open(&path).unwrap().1.unwrap();
        let opener = opener(&header, Some(&wrapping())).unwrap().map(Arc::new);
        let to = dir.join("segments/pack.tmp");
        pack(&path, &to, opener.as_ref(), gone).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(&to, path.with_extension("slz")).unwrap();
    }
}

fn is_gone(entry: &crate::read::Entry) -> bool {
    matches!(&entry.event, Content::Note { event, .. } if event == "expired")
}

fn said(dir: &Path) -> Vec<crate::read::Entry> {
    (1..=3)
        .flat_map(|number| recordings(dir).session(&session(number)).unwrap())
        .map(Result::unwrap)
        .collect()
}

#[test]
fn a_packed_log_is_the_same_log_and_smaller() {
    let dir = folder();
    record(dir.path());
    let (before, report) = (said(dir.path()), check(dir.path()));
    let places: Vec<_> =
        segments(dir.path()).iter().flat_map(|path| frames(path)).map(|f| f.offset).collect();
    let size =
        |dir: &Path| -> u64 { segments(dir).iter().map(|path| std::fs::metadata(path).unwrap().len()).sum() };
    let raw = size(dir.path());
    pack_all(dir.path(), &|_| false);
    assert!(size(dir.path()) * 2 < raw, "{} of {raw}", size(dir.path()));
    assert_eq!(said(dir.path()), before);
    let packed = check(dir.path());
    assert!(
        packed.ok() && packed.head == report.head && packed.leaves == report.leaves,
        "{:?}",
        packed.lines()
    );
    let now: Vec<_> = segments(dir.path()).iter().flat_map(|path| frames(path)).map(|f| f.offset).collect();
    assert_eq!(now, places, "positions that were noted still hold");
    let mut tail = recordings(dir.path()).tail(Default::default());
    for _ in 0..77 {
        tail.next_entry().unwrap().unwrap();
    }
    let mut again = recordings(dir.path()).tail(tail.position());
    assert_eq!(again.next_entry().unwrap(), tail.next_entry().unwrap());
    if let Some((ok, text)) = crate::testing::by_the_book(dir.path(), &key(), &[]) {
        let head = packed.head.as_ref().unwrap().hash.to_string();
        assert!(ok && text.contains("holds") && text.contains(&head), "{text}");
    }
    // Without keys the bodies in blocks were compared with nothing, which is said.
    assert!(packed.uncompared > 0 && packed.lines().iter().any(|line| line.starts_with("ok as far as")));
    let keys = crate::testing::wrapping_folder();
    let trust = Trust {
        keys: Some(Arc::new(crate::KeyFiles::in_folder(&keys))),
        ..Trust::key(key().verifying_key())
    };
    let compared = verify(dir.path(), &trust, |_| {}).unwrap();
    assert!(compared.ok() && compared.uncompared == 0, "{:?}", compared.lines());
    let with_keys = ["--keys".as_ref(), keys.as_os_str()];
    if let Some((ok, text)) = crate::testing::by_the_book(dir.path(), &key(), &with_keys) {
        assert!(ok, "{text}");
    }
    // And it goes on.
    recorder(dir.path(), 16 << 10).begin(session(9)).append(&opened(), &[]).unwrap();
    assert!(check(dir.path()).ok());
}

#[test]
fn without_the_key_chains_are_checked_and_bodies_are_not_read() {
    let dir = folder();
    record(dir.path());
    pack_all(dir.path(), &|_| false);
    let keyless = crate::read::Recordings::in_folder(dir.path());
    assert!(matches!(keyless.session(&session(1)).unwrap().next(), Some(Err(RecordError::Key(_)))));
    for path in segments(dir.path()) {
        let bytes = std::fs::read(path).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"same row" || window == b"select 1"));
    }
}

#[test]
fn attack_31_a_packed_segment_that_was_altered_shows() {
    let origin = folder();
    record(origin.path());
    pack_all(origin.path(), &|_| false);
    let name = segments(origin.path())[0].file_name().unwrap().to_owned();
    let whole = std::fs::read(&segments(origin.path())[0]).unwrap();
    let with_keys = |dir: &Path| {
        let trust = Trust { keys: Some(Arc::new(wrapping())), ..Trust::key(key().verifying_key()) };
        verify(dir, &trust, |_| {}).unwrap()
    };
    assert!(with_keys(origin.path()).ok(), "{:?}", with_keys(origin.path()).lines());
    for at in (0..whole.len()).step_by(97) {
        let dir = folder();
        copy(origin.path(), dir.path());
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(dir.path().join("segments").join(&name), bytes).unwrap();
        assert!(!with_keys(dir.path()).ok(), "byte {at} of {}", whole.len());
        // Without keys the other verifier sees what lies in the clear.
        if at < 2000
            && at % 5 == 0
            && let Some((ok, text)) = crate::testing::by_the_book(dir.path(), &key(), &[])
        {
            assert!(!ok, "byte {at}: {text}");
        }
    }
    for cut in (0..whole.len()).step_by(499) {
        let dir = folder();
        copy(origin.path(), dir.path());
        std::fs::write(dir.path().join("segments").join(&name), &whole[..cut]).unwrap();
        assert!(!check(dir.path()).ok(), "cut at {cut}");
    }
}

#[test]
fn a_damaged_segment_is_not_packed() {
    let dir = folder();
    record(dir.path());
    let path = segments(dir.path()).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let header = Segment::open(&path).unwrap().1.unwrap();
    let opener = opener(&header, Some(&wrapping())).unwrap().map(Arc::new);
    let to = dir.path().join("segments/pack.tmp");
    assert!(matches!(pack(&path, &to, opener.as_ref(), &|_| false), Err(RecordError::Damaged(_))));
}

#[test]
fn a_session_that_was_let_go_keeps_its_place_and_loses_what_it_said() {
    let dir = folder();
    record(dir.path());
    let before = said(dir.path());
    pack_all(dir.path(), &|session_id| *session_id == session(2));
    let after = said(dir.path());
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((before.sequence, before.hash), (after.sequence, after.hash));
        if before.session == session(2) && matches!(before.event, Content::Event(_)) && is_gone(after) {
            assert!(after.payload.is_empty());
        } else {
            assert_eq!(before, after);
        }
    }
    assert!(after.iter().filter(|entry| is_gone(entry)).count() > 50);
    // Packed once more, with another one gone: what is gone stays gone, and the chain whole.
    pack_all(dir.path(), &|session_id| *session_id == session(1));
    assert!(said(dir.path()).iter().filter(|entry| is_gone(entry)).count() > 100);
}
