//! The threads that sessions run on.
//!
//! Each is one thread with a runtime of its own: both sockets of a session, its timers and its tasks stay
//! on it from accept to close, so that no message wakes another core on its way. A connection goes to the
//! thread that has the fewest. What sessions share (store, recorder, catalogs) is shared by its own locks.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::tasks::Tasks;

/// The threads. They end, with whatever still runs on them, when this is dropped.
pub(crate) struct Workers(Vec<Worker>);

struct Worker {
    handle: Handle,
    busy: Arc<AtomicUsize>,
    /// Dropped, it ends the thread.
    _alive: oneshot::Sender<()>,
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let busy: Vec<usize> = self.0.iter().map(|worker| worker.busy.load(Ordering::Relaxed)).collect();
        f.debug_tuple("Workers").field(&busy).finish()
    }
}

/// One connection's place on a thread.
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Workers {
    /// Starts `count` threads.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        (0..count.max(1)).map(Worker::start).collect::<io::Result<_>>().map(Self)
    }

    /// Serves an accepted connection on the thread that has the fewest.
    ///
    /// # Errors
    /// When the socket cannot be moved there.
    pub(crate) fn serve<F>(
        &self,
        tasks: &Tasks,
        socket: TcpStream,
        peer: SocketAddr,
        serve: impl FnOnce(TcpStream, SocketAddr) -> F + Send + 'static,
    ) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(worker) = self.0.iter().min_by_key(|worker| worker.busy.load(Ordering::Relaxed)) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        worker.busy.fetch_add(1, Ordering::Relaxed);
        let seat = Seat(Arc::clone(&worker.busy));
        let socket = socket.into_std()?;
        tasks.spawn_on(&worker.handle, "connection", async move {
            let _seat = seat;
            match TcpStream::from_std(socket) {
                Ok(socket) => serve(socket, peer).await,
                Err(error) => tracing::warn!(%peer, %error, "a connection could not be taken up"),
            }
        });
        Ok(())
    }
}

impl Worker {
    fn start(number: usize) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name(format!("session-{number}")).spawn(move || {
            runtime.block_on(async {
                // Either way the answer is that the gateway is gone.
                drop(ended.await);
            });
            // A lookup of a name may still be under way on a thread of its own; nobody waits for it.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, busy: Arc::default(), _alive: alive })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tokio::net::TcpListener;
    use tokio::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn a_session_stays_on_one_thread_and_the_threads_share_them() {
        let workers = Workers::start(2).unwrap();
        let tasks = Tasks::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (told, mut threads) = mpsc::unbounded_channel();
        let mut callers = Vec::new();
        for _ in 0..6 {
            callers.push(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
            let (socket, peer) = listener.accept().await.unwrap();
            let told = told.clone();
            workers
                .serve(&tasks, socket, peer, move |socket, _| async move {
                    let before = std::thread::current().id();
                    socket.readable().await.unwrap();
                    told.send((before, std::thread::current().id())).unwrap();
                    std::future::pending::<()>().await;
                })
                .unwrap();
        }
        assert_eq!(format!("{workers:?}"), "Workers([3, 3])");
        let mut seen = BTreeSet::new();
        for caller in &callers {
            caller.writable().await.unwrap();
            caller.try_write(b"x").unwrap();
            let (before, after) = threads.recv().await.unwrap();
            assert_eq!(before, after);
            seen.insert(format!("{before:?}"));
        }
        assert_eq!(seen.len(), 2);
        drop(workers);
        // What ran on them ends with them.
        while tasks.running() > 0 {
            tokio::task::yield_now().await;
        }
    }
}
