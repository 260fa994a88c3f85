//! Sinks, on folders and on a store that fails where it is told to.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sallyport_core::SystemClock;

use super::*;
use crate::testing::{closed, data, folder, key, opened, session, settings};
use crate::verify::{Trust, verify};
use crate::{Recorder, RecorderSettings};

/// No request is ever made of a folder.
#[derive(Clone, Debug)]
struct NoHttp;

#[async_trait::async_trait]
impl object_store::client::HttpService for NoHttp {
    async fn call(
        &self,
        _: object_store::client::HttpRequest,
    ) -> Result<object_store::client::HttpResponse, object_store::client::HttpError> {
        unreachable!("a folder is asked for nothing over HTTP")
    }
}

fn sink(folder: &Path) -> Sink {
    let settings = SinkSettings {
        to: SinkAddress::parse(&format!("file://{}", folder.display())).unwrap(),
        endpoint: None,
        region: None,
        access_key: None,
        secret: None,
        identity: Vec::new(),
    };
    Sink::open(&settings, NoHttp).unwrap()
}

fn record(dir: &Path, numbers: std::ops::Range<u8>) -> Recorder {
    let settings = RecorderSettings { pack: true, ..settings(dir, 16 << 10) };
    let recorder = Recorder::open(settings, key(), Arc::new(SystemClock)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for number in numbers {
            let tape = recorder.begin(session(number));
            tape.append(&opened(), &[]).unwrap();
            for operation in 0..60 {
                tape.append(&data(operation), &[&[b'x'; 400]]).unwrap();
            }
            tape.seal(&closed()).await.unwrap();
        }
    });
    recorder
}

fn sending(dir: &Path, sink: Sink, adopt: Option<&Path>) -> Sending {
    Sending::start(dir.to_owned(), sink, adopt.map(Path::to_owned), Arc::new(SystemClock)).unwrap()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

fn the_log(sink: &Path) -> std::path::PathBuf {
    let logs = names(sink);
    assert_eq!(logs.len(), 1, "{logs:?}");
    sink.join(logs.first().unwrap())
}

fn stands(dir: &Path) -> SinkStatus {
    status(dir).unwrap().unwrap()
}

fn has_all(dir: &Path) -> bool {
    let complete = crate::testing::segments(dir).len() as u64 - 1;
    // The segments and the key.
    status(dir).unwrap().is_some_and(|status| status.waiting == 0 && status.sent == complete + 1)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn what_is_complete_is_sent_once_and_what_is_fetched_again_verifies() {
    let (dir, away, back) = (folder(), folder(), folder());
    let recorder = record(dir.path(), 1..4);
    let sender = sending(dir.path(), sink(away.path()), None);
    until("all is sent", || has_all(dir.path()) && stands(dir.path()).checkpoint.is_some());
    drop(sender);
    let log = the_log(away.path());
    let sent = names(&log.join("segments"));
    assert!(sent.iter().all(|name| name.ends_with(".slz")), "{sent:?}");
    // Nothing is sent twice, whether it is known here what was sent or not.
    let before: Vec<_> = sent
        .iter()
        .map(|name| std::fs::metadata(log.join("segments").join(name)).unwrap().modified().unwrap())
        .collect();
    std::fs::remove_dir_all(dir.path().join("sink")).unwrap();
    let sender = sending(dir.path(), sink(away.path()), None);
    until("all is seen to be there", || has_all(dir.path()));
    drop(sender);
    let after: Vec<_> = sent
        .iter()
        .map(|name| std::fs::metadata(log.join("segments").join(name)).unwrap().modified().unwrap())
        .collect();
    assert_eq!(before, after);
    assert!(stands(dir.path()).alarms.is_empty());
    drop(recorder);
    // The rest, once nobody records: the last segment and the last checkpoint.
    let left = block_on(send_all(dir.path(), &sink(away.path()), &SystemClock)).unwrap();
    assert_eq!((left.waiting, left.alarms.len()), (0, 0), "{left:?}");
    let logs = block_on(logs(&sink(away.path()))).unwrap();
    let into = back.path().join("copy");
    let fetched = block_on(fetch(&sink(away.path()), &logs[0], &into, |_, _| {})).unwrap();
    assert_eq!(fetched.checkpoint, Some(fetched.leaves));
    assert_eq!(fetched.ahead, None);
    let report = verify(&into, &Trust::key(key().verifying_key()), |_| {}).unwrap();
    assert!(report.ok() && report.checkpoints.len() == 1, "{:?}", report.lines());
    assert_eq!(report, verify(dir.path(), &Trust::key(key().verifying_key()), |_| {}).unwrap());
}

#[test]
fn a_segment_whose_bodies_were_let_go_is_the_same_and_another_one_is_an_alarm_that_blocks_nothing() {
    let (dir, away) = (folder(), folder());
    let recorder = record(dir.path(), 1..4);
    let sender = sending(dir.path(), sink(away.path()), None);
    until("all is sent", || has_all(dir.path()));
    drop(sender);
    let log = the_log(away.path());
    let sent: Vec<String> = names(&log.join("segments")).into_iter().collect();
    // The first is let go here; the second is another one there.
    let first = dir.path().join("segments").join(&sent[0]);
    recorder.log_for_tests().pack_without(&first, &|_| true).unwrap();
    let mut bytes = std::fs::read(log.join("segments").join(&sent[1])).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(log.join("segments").join(&sent[1]), bytes).unwrap();
    std::fs::remove_file(log.join("segments").join(&sent[2])).unwrap();
    std::fs::remove_dir_all(dir.path().join("sink")).unwrap();
    let sender = sending(dir.path(), sink(away.path()), None);
    until("an alarm, and the others are sent", || {
        status(dir.path()).unwrap().is_some_and(|status| status.waiting == 0 && status.alarms.len() == 1)
    });
    drop(sender);
    let alarm = stands(dir.path()).alarms.remove(0);
    assert_eq!(alarm.name, format!("segments/{}", sent[1]));
    assert!(log.join("segments").join(&sent[2]).exists());
}

#[test]
fn attack_31_a_log_that_was_cut_back_here_is_seen_by_the_checkpoint_in_the_sink() {
    let (dir, away, before) = (folder(), folder(), folder());
    drop(record(dir.path(), 1..3));
    crate::testing::copy(dir.path(), before.path());
    drop(record(dir.path(), 3..5));
    block_on(send_all(dir.path(), &sink(away.path()), &SystemClock)).unwrap();
    // The folder as it was, its checkpoint with it: by itself nothing shows.
    assert!(verify(before.path(), &Trust::key(key().verifying_key()), |_| {}).unwrap().ok());
    let status = block_on(send_all(before.path(), &sink(away.path()), &SystemClock)).unwrap();
    assert!(status.alarms.iter().any(|alarm| alarm.why.contains("something was removed here")), "{status:?}");
}

#[test]
fn a_sink_that_is_away_keeps_nothing_from_being_recorded_and_gets_all_when_it_is_back() {
    let (dir, away) = (folder(), folder());
    let place = away.path().join("sink");
    let there = sink(&place);
    std::fs::remove_dir_all(&place).unwrap();
    // A file where the folder was: nothing can be created.
    std::fs::write(&place, "in the way").unwrap();
    let sender = sending(dir.path(), there, None);
    let recorder = record(dir.path(), 1..4);
    until("it says what waits and why", || {
        status(dir.path()).unwrap().is_some_and(|status| status.first.iter().any(|file| file.tries > 1))
    });
    recorder.healthy().unwrap();
    std::fs::remove_file(&place).unwrap();
    std::fs::create_dir(&place).unwrap();
    until("all is sent", || has_all(dir.path()));
    drop((sender, recorder));
}

#[test]
fn the_log_of_a_replica_that_is_gone_is_adopted_and_one_that_lives_is_let_be() {
    let (all, away, back) = (folder(), folder(), folder());
    let dirs = ["own", "gone", "lives"].map(|name| all.path().join(name).join("recordings"));
    let keys = [1, 2, 3].map(|seed| ed25519_dalek::SigningKey::from_bytes(&[seed; 32]));
    let open = |index: usize, number: u8| {
        let settings = RecorderSettings { pack: true, ..settings(&dirs[index], 16 << 10) };
        let recorder = Recorder::open(settings, keys[index].clone(), Arc::new(SystemClock)).unwrap();
        let tape = recorder.begin(session(number));
        for operation in 0..100 {
            tape.append(&data(operation), &[&[b'x'; 400]]).unwrap();
        }
        drop(tape);
        recorder
    };
    let own = open(0, 1);
    drop(open(1, 1));
    let lives = open(2, 1);
    // It was stopped in the middle of a write.
    let last = crate::testing::segments(&dirs[1]).pop().unwrap();
    let mut bytes = std::fs::read(&last).unwrap();
    bytes.truncate(bytes.len() - 7);
    std::fs::write(&last, bytes).unwrap();
    let sender = sending(&dirs[0], sink(away.path()), Some(all.path()));
    // What is being packed does not wait yet: of the own log there has to be something too.
    let begun = || {
        let logs = std::fs::read_dir(away.path()).unwrap();
        let holds = |log: &std::fs::DirEntry| {
            std::fs::read_dir(log.path().join("segments")).is_ok_and(|mut segments| segments.next().is_some())
        };
        logs.filter(|log| holds(log.as_ref().unwrap())).count()
    };
    until("both logs are sent", || {
        let status = status(&dirs[0]).unwrap();
        let sent = |status: SinkStatus| status.adopted.len() == 1 && status.waiting == 0 && status.sent > 5;
        begun() == 2 && status.is_some_and(sent)
    });
    drop(sender);
    let found = block_on(logs(&sink(away.path()))).unwrap();
    assert_eq!(found.len(), 2, "the one that lives sends for itself: {found:?}");
    // It can start again, and sends on under the same names.
    drop(open(1, 2));
    let left = block_on(send_all(&dirs[1], &sink(away.path()), &SystemClock)).unwrap();
    assert_eq!((left.waiting, left.alarms.len()), (0, 0), "{left:?}");
    let name = left.first.first().map(|file| file.log.clone());
    assert_eq!(name, None);
    for log in found {
        let into = back.path().join(&log);
        block_on(fetch(&sink(away.path()), &log, &into, |_, _| {})).unwrap();
        let vkey = std::fs::read_to_string(into.join("recording.vkey")).unwrap();
        let key = crate::NoteKey::parse(&vkey).unwrap();
        let report = verify(&into, &Trust::key(*key.key()), |_| {}).unwrap();
        assert!(report.ok(), "{:?}", report.lines());
    }
    drop((own, lives));
}

#[test]
fn a_segment_that_was_begun_some_time_ago_is_completed_when_something_was_said_in_it() {
    let dir = folder();
    let settings = RecorderSettings {
        close_after: Some(Duration::from_millis(100)),
        pack: false,
        ..settings(dir.path(), 1 << 20)
    };
    let recorder = Recorder::open(settings, key(), Arc::new(SystemClock)).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let count = || crate::testing::segments(dir.path()).len();
    assert_eq!(count(), 1, "nothing was said");
    recorder.begin(session(1)).append(&opened(), &[]).unwrap();
    until("it is completed", || count() == 2);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(count(), 2, "nothing was said since");
    drop(recorder);
    assert!(verify(dir.path(), &Trust::key(key().verifying_key()), |_| {}).unwrap().ok());
}
