//! The thread that sends: looks every few seconds, here and among the logs of replicas that are gone.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sallyport_core::{Clock, Timestamp};
use tokio::sync::watch;

use super::outbox::{Outbox, Writer};
use super::status::{SinkStatus, status};
use super::store::Sink;
use crate::recover;

/// How often it looks for something to send,
const LOOK: Duration = if cfg!(test) { Duration::from_millis(20) } else { Duration::from_secs(5) };
/// and for logs that nobody records into any more.
const LOOK_FOR_OTHERS: Duration =
    if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(60) };
/// The status is written again at least so often.
const TELL_EVERY: Duration = Duration::from_secs(30);
/// Logs that are looked after at most.
const MOST_ADOPTED: usize = 256;

/// Sends a log to a sink until it is dropped.
#[derive(Debug)]
pub struct Sending {
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Sending {
    /// Starts to send the log in `folder`, which this process records. In `adopt`, the logs that nobody
    /// records into are sent too.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn start(
        folder: PathBuf,
        sink: Sink,
        adopt: Option<PathBuf>,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("record-sink".into()).spawn(move || {
            let own = Outbox::new(&folder, &folder, sink.clone(), Writer::Here);
            let reached = status(&folder).ok().flatten().and_then(|status| status.reached);
            let mut desk = Desk {
                folder,
                sink,
                adopt,
                clock,
                own,
                others: BTreeMap::new(),
                looked: None,
                told: None,
                reached,
            };
            runtime.block_on(desk.run(stopped));
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that sends the recording had panicked");
        }
    }
}

struct Desk {
    folder: PathBuf,
    sink: Sink,
    adopt: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    own: Outbox,
    others: BTreeMap<PathBuf, Outbox>,
    looked: Option<Instant>,
    told: Option<(Instant, SinkStatus)>,
    reached: Option<Timestamp>,
}

impl Desk {
    async fn run(&mut self, mut stopped: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                // What is on its way is given up: it is sent again at the next start, or found to be there.
                _ = stopped.wait_for(|stop| *stop) => return,
                () = self.round() => {}
            }
            if tokio::time::timeout(LOOK, stopped.wait_for(|stop| *stop)).await.is_ok() {
                return;
            }
        }
    }

    async fn round(&mut self) {
        if let Err(error) = self.own.round(&*self.clock).await {
            tracing::warn!(%error, "the recording could not be looked through for its sink");
        }
        if self.own.reached {
            self.reached = Some(self.clock.now());
        }
        if self.looked.is_none_or(|at| at.elapsed() >= LOOK_FOR_OTHERS) {
            self.looked = Some(Instant::now());
            self.look_for_others();
        }
        for (folder, outbox) in &mut self.others {
            if let Err(error) = outbox.round(&*self.clock).await {
                tracing::warn!(%error, folder = %folder.display(), "an adopted recording could not be looked through");
            }
        }
        if let Err(error) = self.tell() {
            tracing::warn!(%error, "the status of the recording's sink could not be written");
        }
    }

    /// Logs beside ours that nobody records into.
    fn look_for_others(&mut self) {
        let Some(adopt) = &self.adopt else { return };
        let folders = match std::fs::read_dir(adopt) {
            Ok(entries) => entries.flatten().map(|entry| entry.path()),
            Err(error) => {
                tracing::warn!(%error, folder = %adopt.display(), "the folder of other replicas cannot be read");
                return;
            }
        };
        let own = self.folder.canonicalize().ok();
        let logs = folders.flat_map(|folder| [folder.join("recordings"), folder]);
        let mut free: Vec<PathBuf> = logs
            .filter(|folder| folder.join("segments").is_dir() && folder.canonicalize().ok() != own)
            .filter(|folder| is_free(folder))
            .take(MOST_ADOPTED)
            .collect();
        free.sort();
        self.others.retain(|folder, _| free.contains(folder));
        for folder in free {
            let sink = &self.sink;
            let notes = &self.folder;
            self.others.entry(folder).or_insert_with_key(|folder| {
                tracing::info!(folder = %folder.display(), "a recording that nobody records into is looked after");
                Outbox::new(folder, notes, sink.clone(), Writer::Elsewhere)
            });
        }
    }

    /// Writes how the sink stands, when that is another way than before or some time ago.
    fn tell(&mut self) -> io::Result<()> {
        let mut status = SinkStatus::empty(self.sink.address(), self.clock.now());
        status.reached = self.reached;
        for outbox in [&self.own].into_iter().chain(self.others.values()) {
            outbox.tell(&mut status, &*self.clock);
        }
        let same = self.told.as_ref().is_some_and(|(at, told)| {
            at.elapsed() < TELL_EVERY
                && SinkStatus { at: status.at, reached: status.reached, ..told.clone() } == status
        });
        if !same {
            status.store(&self.folder)?;
            self.told = Some((Instant::now(), status));
        }
        Ok(())
    }
}

fn is_free(folder: &Path) -> bool {
    matches!(recover::lock_if_free(folder), Ok(Some(_)))
}
