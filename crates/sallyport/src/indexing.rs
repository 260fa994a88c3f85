//! The search index, kept up with the recording.
//!
//! ```text
//! recording's files -> Tail -> Batch -> SearchWriter -> search.db
//! ```
//!
//! A thread of its own at a low priority follows the recording from where the index ends. It takes the
//! time that others leave: under load the index falls behind and says so, and no operation waits for it. After a stop, a crash or a lost index it goes on from its position, at worst from the beginning.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use sallyport_core::Timestamp;
use sallyport_record::read::{Content, Entry, Recordings};
use sallyport_record::tail::{self, Tail};
use sallyport_store::search::{Batch, Place, Position, SearchIndex, SearchWriter};

use crate::failure::Failure;

/// How often the end of the recording is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How long an operation that has not ended may keep what is known of it out of the index.
const HOLD: Duration = Duration::from_secs(1);
/// After a failure.
const REST: Duration = Duration::from_secs(5);
/// How often the index lets go of what has expired.
const EXPIRY: Duration = Duration::from_secs(60);
/// The least weight: the index is nearly free for who is served meanwhile, and is never starved. Tests run
/// on machines that are full.
const NICE: i32 = if cfg!(test) { 0 } else { 19 };
/// Entries between two words about progress.
const PROGRESS: u64 = 20_000;

/// The files: the index, the lock of who fills it, and the wish that it be made anew.
#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) index: PathBuf,
    lock: PathBuf,
    wish: PathBuf,
}

impl Shelf {
    pub(crate) fn new(data_dir: &Path) -> Self {
        let file = |name| data_dir.join(name);
        Self { index: file("search.db"), lock: file("search.lock"), wish: file("search.rebuild") }
    }

    /// Takes the lock; nothing when somebody else fills the index.
    fn lock(&self) -> std::io::Result<Option<File>> {
        let file = File::options().write(true).create(true).truncate(false).mode(0o600).open(&self.lock)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The thread that fills the index of a running gateway.
#[derive(Debug)]
pub(crate) struct Indexing {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Indexing {
    /// Starts it.
    pub(crate) fn start(shelf: Shelf, index: SearchIndex, recordings: Recordings) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("search-index".into()).spawn(move || {
            // On Linux this is the thread's own priority, and that of the threads it starts.
            if let Err(error) = rustix::process::setpriority_process(None, NICE) {
                tracing::warn!(%error, "the search index is filled at the usual priority");
            }
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return tracing::error!(%error, "the search index cannot be filled"),
            };
            runtime.block_on(keep_up(&shelf, &index, &recordings, &stopping));
        })?;
        Ok(Self { stop, thread })
    }

    /// Writes what was read and ends.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Release);
        if self.thread.join().is_err() {
            tracing::error!("the thread that fills the search index had panicked");
        }
    }
}

async fn keep_up(shelf: &Shelf, index: &SearchIndex, recordings: &Recordings, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        let done = match shelf.lock() {
            Ok(Some(_lock)) => {
                let wished = || std::fs::remove_file(&shelf.wish).is_ok();
                fill(index, recordings, wished, stop).await.map_err(|failure| failure.to_string())
            }
            Ok(None) => Err("somebody else fills it".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(problem) = done {
            index.set_current(false);
            tracing::error!(problem, "the search index is not kept up; trying again");
            let until = Instant::now() + REST;
            while Instant::now() < until && !stop.load(Ordering::Acquire) {
                tokio::time::sleep(LOOK).await;
            }
        }
    }
}

/// Fills the index until it is to stop.
async fn fill(
    index: &SearchIndex,
    recordings: &Recordings,
    wished: impl Fn() -> bool,
    stop: &AtomicBool,
) -> Result<(), Failure> {
    let mut filling = Filling::new(index, recordings).await?;
    let mut expiry = Instant::now();
    while !stop.load(Ordering::Acquire) {
        if wished() {
            tracing::info!("the search index is made anew");
            index.set_current(false);
            filling.start_over().await?;
        }
        if expiry.elapsed() >= EXPIRY {
            expiry = Instant::now();
            filling.let_go().await?;
        }
        let more = filling.take_some()?;
        filling.write_if_due().await?;
        if !more {
            index.set_current(filling.batch.is_empty());
            tokio::time::sleep(LOOK).await;
        }
    }
    filling.write().await?;
    filling.writer.close().await.map_err(store)
}

fn store(error: sallyport_store::StoreError) -> Failure {
    Failure::failed(format!("the search index: {error}"))
}

fn recording(error: sallyport_record::RecordError) -> Failure {
    Failure::failed(format!("the recording: {error}"))
}

struct Filling<'a> {
    recordings: &'a Recordings,
    writer: SearchWriter,
    tail: Tail,
    batch: Batch,
    /// Time of the last entry that was taken.
    at: Timestamp,
    /// When the oldest of what is not written was taken.
    since: Option<Instant>,
    entries: u64,
    damaged: u64,
}

impl<'a> Filling<'a> {
    async fn new(index: &SearchIndex, recordings: &'a Recordings) -> Result<Self, Failure> {
        let mut writer = index.writer().await.map_err(store)?;
        let position = writer.position().await.map_err(store)?;
        let last = recordings.extent().map_err(recording)?.map_or(0, |(_, last)| last);
        let known = tail::Position { segment: position.segment, offset: position.offset };
        let mut filling = Self {
            recordings,
            writer,
            tail: recordings.tail(known),
            batch: Batch::default(),
            at: Timestamp::from_micros(0),
            since: None,
            entries: 0,
            damaged: 0,
        };
        if position.segment > last {
            tracing::warn!("the recording is another than the one that was indexed; the index is made anew");
            filling.start_over().await?;
        }
        Ok(filling)
    }

    async fn start_over(&mut self) -> Result<(), Failure> {
        self.writer.clear().await.map_err(store)?;
        self.tail = self.recordings.tail(tail::Position::default());
        self.batch = Batch::default();
        (self.since, self.damaged) = (None, 0);
        Ok(())
    }

    /// Takes entries until the batch is full or there are no more for now; whether there may be.
    fn take_some(&mut self) -> Result<bool, Failure> {
        while !self.batch.is_full() && self.since.is_none_or(|since| since.elapsed() < HOLD) {
            let entry = self.tail.next_entry().map_err(recording)?;
            for session in self.tail.take_expired() {
                self.batch.session_gone(&session);
            }
            let Some(entry) = entry else { return Ok(false) };
            self.take(&entry);
        }
        Ok(true)
    }

    fn take(&mut self, entry: &Entry) {
        self.entries += 1;
        self.at = entry.time;
        match &entry.event {
            Content::Event(event) => {
                let place = Place {
                    session: &entry.session,
                    sequence: entry.sequence,
                    at: entry.time,
                    segment: self.tail.position().segment,
                };
                self.batch.take(place, event, &entry.payload);
            }
            Content::Seal { .. } => self.batch.session_over(&entry.session),
            Content::Note { .. } | Content::Unknown => {}
        }
        if !self.batch.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
    }

    async fn write_if_due(&mut self) -> Result<(), Failure> {
        let waited = self.since.is_some_and(|since| since.elapsed() >= HOLD);
        let due = self.batch.is_full() || waited || (self.batch.is_settled() && !self.batch.is_empty());
        if due { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<(), Failure> {
        if self.tail.damaged() > self.damaged {
            self.damaged = self.tail.damaged();
            tracing::error!(
                entries = self.damaged,
                "entries of the recording are not intact and are not indexed"
            );
        }
        let reached = self.tail.position();
        let position = Position { segment: reached.segment, offset: reached.offset };
        let batch = std::mem::take(&mut self.batch);
        self.since = None;
        self.writer.write(&batch, position, self.at).await.map_err(store)
    }

    /// Lets go of operations whose recording has expired.
    async fn let_go(&mut self) -> Result<(), Failure> {
        if let Some((first, _)) = self.recordings.extent().map_err(recording)? {
            let gone = self.writer.forget_before(first).await.map_err(store)?;
            if gone > 0 {
                tracing::info!(
                    operations = gone,
                    "operations whose recording has expired left the search index"
                );
            }
        }
        Ok(())
    }
}

/// What making the index anew came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remade {
    /// So many entries were gone through.
    Here(u64),
    /// A running gateway fills the index, and was asked to begin anew.
    Asked,
}

/// Makes the index anew from the recordings alone. `progress` hears of every so many entries, with the
/// segment and the last one.
pub(crate) async fn remake(
    shelf: &Shelf,
    recordings: &Recordings,
    progress: impl Fn(u64, u64, u64),
) -> Result<Remade, Failure> {
    let Some(_lock) = shelf.lock()? else {
        File::create(&shelf.wish)?;
        return Ok(Remade::Asked);
    };
    SearchIndex::remove(&shelf.index).map_err(store)?;
    let index = SearchIndex::open(&shelf.index).await.map_err(store)?;
    let last = recordings.extent().map_err(recording)?.map_or(0, |(_, last)| last);
    let mut filling = Filling::new(&index, recordings).await?;
    let mut told = 0;
    while filling.take_some()? {
        // Nobody waits for an operation to end here: its end is behind it in the log.
        if filling.batch.is_full() {
            filling.write().await?;
        }
        filling.since = None;
        if filling.entries >= told + PROGRESS {
            told = filling.entries;
            progress(told, filling.tail.position().segment, last);
        }
    }
    filling.write().await?;
    let entries = filling.entries;
    filling.writer.close().await.map_err(store)?;
    index.close().await;
    Ok(Remade::Here(entries))
}

#[cfg(test)]
#[path = "indexing_tests.rs"]
mod tests;
