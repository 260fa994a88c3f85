//! The index follows the recording, and comes out the same when it is made anew.

use sallyport_core::{Event, SessionId, SystemClock};
use sallyport_record::{Recorder, RecorderSettings, SigningKey, Tape};
use sallyport_store::search::{Find, Found, Query};

use super::*;
use crate::story::testing::{intent, opened};

struct House {
    dir: PathBuf,
    recorder: Recorder,
    recordings: Recordings,
    shelf: Shelf,
}

impl House {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("sallyport-indexing-{}-{name}", std::process::id()));
        let _gone = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let settings = RecorderSettings {
            segment_bytes: 16 << 10,
            min_free_bytes: 0,
            ..RecorderSettings::new(dir.join("recordings"))
        };
        let recorder =
            Recorder::open(settings, SigningKey::from_bytes(&[7; 32]), Arc::new(SystemClock)).unwrap();
        let recordings = Recordings::in_folder(dir.join("recordings"));
        let shelf = Shelf::new(&dir);
        Self { dir, recorder, recordings, shelf }
    }

    fn tape(&self, id: &str) -> Tape {
        let tape = self.recorder.begin(SessionId::parse(id).unwrap());
        tape.append(&opened("postgres"), &[]).unwrap();
        tape
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.dir);
    }
}

fn run(tape: &Tape, text: &str) {
    tape.append(&intent(text.as_bytes(), vec![]), &[text.as_bytes()]).unwrap();
    let outcome = Event::Outcome { operation: 1, rows: 1, bytes: 1, masked: 0, duration_us: 1, error: None };
    tape.append(&outcome, &[]).unwrap();
}

async fn find(index: &SearchIndex, text: &str) -> Found {
    let query = Query::parse(text, Timestamp::from_micros(0)).unwrap();
    index.find(&Find { query, targets: None, before: None, limit: 200 }).await.unwrap()
}

async fn eventually(index: &SearchIndex, text: &str, count: u64) {
    let until = Instant::now() + Duration::from_secs(30);
    while find(index, text).await.count != Some(count) {
        assert!(Instant::now() < until, "{text}: {:?}", find(index, text).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_index_keeps_up_goes_on_after_a_stop_and_comes_out_the_same_when_made_anew() {
    let house = House::new("follows");
    let index = SearchIndex::open(&house.shelf.index).await.unwrap();
    let start = || Indexing::start(house.shelf.clone(), index.clone(), house.recordings.clone()).unwrap();
    let tape = house.tape("S1");
    for number in 0..100 {
        run(&tape, &format!("select first{number}"));
    }
    let running = start();
    eventually(&index, "first*", 100).await;
    run(&tape, "select second");
    eventually(&index, "second state:passed", 1).await;
    running.stop();
    // What is recorded while nobody indexes is found after the next start.
    run(&tape, "select third");
    tape.append(&intent(b"select fourth", vec![]), &[b"select fourth"]).unwrap();
    let running = start();
    eventually(&index, "third", 1).await;
    eventually(&index, "fourth state:running", 1).await;
    tape.seal(&Event::SessionClosed { reason: "left".into(), operations: 104 }).await.unwrap();
    eventually(&index, "fourth state:cut", 1).await;
    let before = find(&index, "").await;
    // While it is filled, it is the one who fills it that makes it anew.
    assert_eq!(remake(&house.shelf, &house.recordings, |_, _, _| {}).await.unwrap(), Remade::Asked);
    let until = Instant::now() + Duration::from_secs(30);
    while house.shelf.wish.exists() || !index.is_current() {
        assert!(Instant::now() < until);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    eventually(&index, "", 103).await;
    running.stop();
    index.close().await;
    let remade = remake(&house.shelf, &house.recordings, |_, _, _| {}).await.unwrap();
    assert!(matches!(remade, Remade::Here(entries) if entries > 200), "{remade:?}");
    let index = SearchIndex::open(&house.shelf.index).await.unwrap();
    let mut after = find(&index, "").await;
    let key = |hit: &sallyport_store::search::Hit| (hit.sequence, hit.state.clone(), hit.excerpt.clone());
    let mut hits: Vec<_> = before.hits.iter().map(key).collect();
    let mut again: Vec<_> = after.hits.iter().map(key).collect();
    hits.sort_by_key(|hit| hit.0);
    again.sort_by_key(|hit| hit.0);
    assert_eq!(again, hits);
    after.hits.clear();
    index.close().await;
}

#[tokio::test]
async fn a_recording_that_was_replaced_is_indexed_from_its_beginning() {
    let house = House::new("replaced");
    let index = SearchIndex::open(&house.shelf.index).await.unwrap();
    let mut writer = index.writer().await.unwrap();
    let position = Position { segment: 900, offset: 5000 };
    writer.write(&Batch::default(), position, Timestamp::from_micros(0)).await.unwrap();
    writer.close().await.unwrap();
    run(&house.tape("S1"), "select fresh");
    let running = Indexing::start(house.shelf.clone(), index.clone(), house.recordings.clone()).unwrap();
    eventually(&index, "fresh", 1).await;
    running.stop();
}
