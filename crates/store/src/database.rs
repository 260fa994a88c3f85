//! The database itself: opening it, its two pools, and the deadline on every call.
//!
//! One connection writes, so that writers queue in here and not on SQLite's lock; a few read. What is
//! particular to SQLite is in this file and in no other.

use std::fs;
use std::future::Future;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use sallyport_core::{Clock, RequestId, Timestamp};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqlSafeStr as _, Sqlite, SqlitePool, Transaction};
use tokio::runtime::Handle;
use tokio::sync::broadcast;
use tokio::task::{JoinError, JoinHandle};

use crate::error::StoreError;

/// How long any one call may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long SQLite waits for another process's lock; less than the deadline.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);
const READERS: u32 = 4;
/// Changed requests that a slow waiter may fall behind before it simply reads again.
const CHANGES: usize = 256;

/// The store. Cheap to clone; all clones share the same connections.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) read: SqlitePool,
    write: SqlitePool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) changes: broadcast::Sender<RequestId>,
    /// Where it was opened, and where its calls run.
    home: Handle,
}

impl Store {
    /// Opens the file, creates it (mode 0600, in a folder of mode 0700) when it is not there, and brings
    /// its schema up to date.
    ///
    /// # Errors
    /// When the file or folder is not private, or the database does not open.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .busy_timeout(BUSY_TIMEOUT)
            // FULL, for a used approval must still be used after a power cut: NORMAL may lose the last
            // commits of a write-ahead log.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .disable_statement_logging();
        let write = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(DEADLINE)
            .idle_timeout(None)
            .max_lifetime(None)
            // After a full disk SQLite has ended the transaction by itself and its roll-back fails, so
            // that the connection is taken for being in one for ever. Such a one is replaced.
            .before_acquire(|connection, _| {
                let usable = !connection.is_in_transaction();
                Box::pin(async move { Ok(usable) })
            })
            .connect_with(options.clone().journal_mode(SqliteJournalMode::Wal))
            .await?;
        sqlx::migrate!().run(&write).await?;
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(DEADLINE)
            .connect_with(options.pragma("query_only", "on"))
            .await?;
        let (changes, _) = broadcast::channel(CHANGES);
        Ok(Self { read, write, clock, changes, home: Handle::current() })
    }

    /// Whether the store answers and takes writes.
    ///
    /// # Errors
    /// When it does not.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        let this = self.clone();
        self.within(async move {
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM tokens").fetch_one(&this.read).await?;
            // A transaction for writing proves the lock and the disk's willingness without a change.
            this.begin().await?.rollback().await?;
            Ok(())
        })
        .await
    }

    /// Closes all connections once their calls have ended. For a clean stop.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }

    /// Starts a transaction that holds the write lock from its first statement, so that what it reads
    /// stays true until it commits.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.begin_as("PRAGMA synchronous = FULL").await
    }

    /// The same for what a power cut may take back: it is written, and not waited for on the disk. Of
    /// sessions the recording is what counts, and what is open at the next start is closed by it.
    pub(crate) async fn begin_unsynced(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.begin_as("PRAGMA synchronous = NORMAL").await
    }

    async fn begin_as(&self, synchronous: &'static str) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        let mut connection = self.write.acquire().await?;
        sqlx::query(synchronous).execute(&mut *connection).await?;
        Transaction::begin(connection, Some("BEGIN IMMEDIATE".into_sql_str())).await
    }

    /// Runs a call with the deadline that every call has, where the store was opened: a thread that is busy
    /// with its sessions must not keep others waiting for the connection that it has in hand. A call that ran
    /// out may still have committed: its caller refuses either way, and what is used once was at worst used
    /// for nothing. Dropped, the call ends.
    pub(crate) async fn within<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        #[expect(
            clippy::disallowed_methods,
            reason = "it is waited for right here, and ends with its caller"
        )]
        let running = self.home.spawn(tokio::time::timeout(DEADLINE, call));
        match Dropped(running).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(StoreError::Deadline.into()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A call that ends when nobody waits for it any more.
struct Dropped<T>(JoinHandle<T>);

impl<T> Future for Dropped<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for Dropped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Makes sure that only the owner reads and writes the file, before SQLite sees it. SQLite gives its
/// side files (`-wal`, `-shm`) the mode of the file itself.
pub(crate) fn make_private(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| StoreError::File { path, source }
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed(folder))?;
    let mode = fs::metadata(folder).map_err(failed(folder))?.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(StoreError::NotPrivate {
            path: folder.to_owned(),
            problem: "others may write to this folder; make it 0700",
        });
    }
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_file() => Err(StoreError::NotPrivate {
            path: path.to_owned(),
            problem: "the store must be a regular file, not a link or device",
        }),
        Ok(found) if found.permissions().mode() & 0o077 != 0 => {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed(path))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let created = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            created.map(drop).map_err(failed(path))
        }
        Err(error) => Err(failed(path)(error)),
    }
}

/// A count or number of ours as the database holds it.
pub(crate) fn to_big(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// And back; a negative one was never written by us.
pub(crate) fn from_big(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
#[path = "database_tests.rs"]
mod tests;
