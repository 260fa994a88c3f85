//! The one place that starts tasks.
//!
//! Every listener, session and background job is started by [`Tasks::spawn`] under a name, so that
//! a stopping gateway can tell them to end ([`Tasks::stop`]), wait for them ([`Tasks::drain`]) and
//! say which ones did not make it. A task that panics is logged and takes nothing else with it.
//!
//! Data flows one way: a name and a future in, counts and names of what is still running out.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::{debug, error, warn};

/// What runs, and the wish that it end. Cheap to clone; all clones are the same set.
#[derive(Clone)]
pub struct Tasks {
    shared: Arc<Shared>,
}

struct Shared {
    running: Mutex<Running>,
    /// Number of running tasks: what a drain waits on.
    count: watch::Sender<usize>,
    stop: watch::Sender<bool>,
}

#[derive(Default)]
struct Running {
    next: u64,
    tasks: BTreeMap<u64, Entry>,
}

struct Entry {
    name: &'static str,
    /// Absent for the moment between registering the task and starting it.
    abort: Option<AbortHandle>,
}

/// How a drain ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Names of the tasks that were still running at the deadline and were aborted, sorted.
    pub aborted: Vec<&'static str>,
}

impl Drained {
    /// Whether every task ended by itself.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.aborted.is_empty()
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").field("running", &self.running()).finish_non_exhaustive()
    }
}

impl Tasks {
    /// An empty set.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                running: Mutex::new(Running::default()),
                count: watch::Sender::new(0),
                stop: watch::Sender::new(false),
            }),
        }
    }

    /// Starts `future` under `name` (a kind of task, not an identity). Must be called in a runtime.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn_on(&Handle::current(), name, future);
    }

    /// The same on a given runtime.
    #[expect(clippy::disallowed_methods, reason = "this is the place that everything else spawns through")]
    pub fn spawn_on<F>(&self, runtime: &Handle, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let guard = self.register(name);
        let id = guard.id;
        // By a pointer: what is captured and what is waited for would each take the future's room.
        let future = Box::pin(future);
        let handle = runtime.spawn(async move {
            let _guard = guard;
            future.await;
        });
        // The task may have ended already: then its entry is gone and there is nothing to note.
        if let Some(entry) = self.shared.lock().tasks.get_mut(&id) {
            entry.abort = Some(handle.abort_handle());
        }
    }

    /// Asks every task to end: [`Tasks::stopping`] returns from now on. Ends nothing by force.
    pub fn stop(&self) {
        self.shared.stop.send_replace(true);
    }

    /// Whether [`Tasks::stop`] was called.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.shared.stop.borrow()
    }

    /// Returns once [`Tasks::stop`] was called. Cancel-safe.
    pub async fn stopping(&self) {
        let mut stop = self.shared.stop.subscribe();
        // The sender lives in `self`, so waiting cannot fail while we are here; if it could, a
        // closed channel means stopping too.
        if stop.wait_for(|stopping| *stopping).await.is_err() {
            debug!("stop channel closed");
        }
    }

    /// Tasks running now.
    #[must_use]
    pub fn running(&self) -> usize {
        *self.shared.count.borrow()
    }

    /// Asks every task to end, waits up to `deadline` for all of them, then aborts those left.
    pub async fn drain(&self, deadline: Duration) -> Drained {
        self.stop();
        if self.wait(deadline).await {
            return Drained { aborted: Vec::new() };
        }
        let mut aborted = Vec::new();
        for entry in self.shared.lock().tasks.values() {
            aborted.push(entry.name);
            if let Some(abort) = &entry.abort {
                abort.abort();
            }
        }
        aborted.sort_unstable();
        warn!(tasks = ?aborted, "tasks did not end in time and were aborted");
        // An aborted task ends at its next await; give the runtime a moment to drop them.
        self.wait(Duration::from_secs(1)).await;
        Drained { aborted }
    }

    /// Whether the set became empty within `deadline`.
    async fn wait(&self, deadline: Duration) -> bool {
        let mut count = self.shared.count.subscribe();
        let until = Instant::now() + deadline;
        matches!(tokio::time::timeout_at(until, count.wait_for(|count| *count == 0)).await, Ok(Ok(_)))
    }

    fn register(&self, name: &'static str) -> Guard {
        let mut running = self.shared.lock();
        let id = running.next;
        running.next = running.next.wrapping_add(1);
        running.tasks.insert(id, Entry { name, abort: None });
        self.shared.count.send_replace(running.tasks.len());
        Guard { shared: Arc::clone(&self.shared), id, name }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Running> {
        // The map is consistent after every statement that changes it, so a poisoned lock is usable.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the task off the list however it ends: returned, aborted or panicked.
struct Guard {
    shared: Arc<Shared>,
    id: u64,
    name: &'static str,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!(task = self.name, "task panicked");
        }
        let mut running = self.shared.lock();
        running.tasks.remove(&self.id);
        self.shared.count.send_replace(running.tasks.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_waits_for_tasks_that_heed_the_stop() {
        let tasks = Tasks::new();
        let inner = tasks.clone();
        tasks.spawn("polite", async move { inner.stopping().await });
        assert_eq!(tasks.running(), 1);
        assert!(tasks.drain(Duration::from_secs(5)).await.is_clean());
        assert_eq!(tasks.running(), 0);
    }

    #[tokio::test]
    async fn a_drain_aborts_and_names_what_does_not_end() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending());
        let drained = tasks.drain(Duration::from_millis(20)).await;
        assert_eq!(drained.aborted, ["deaf"]);
        assert_eq!(tasks.running(), 0);
    }

    #[tokio::test]
    async fn a_panicking_task_is_taken_off_the_list_and_harms_no_other() {
        let tasks = Tasks::new();
        tasks.spawn("broken", async { panic!("on purpose") });
        assert!(tasks.drain(Duration::from_secs(5)).await.is_clean());
        let (sender, receiver) = tokio::sync::oneshot::channel();
        tasks.spawn("next", async move { sender.send(1).unwrap() });
        assert_eq!(receiver.await.unwrap(), 1);
    }
}
