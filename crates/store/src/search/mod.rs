//! The search index: every recorded operation, to be found by its text and by what is known of it.
//!
//! ```text
//! recording -> Batch (batch) -> SearchWriter (write) -> search.db
//!                     query (language) -> expression (terms) -> SearchIndex::find (find) -> hits (excerpt)
//! ```
//!
//! A file of its own beside the store: filling it never waits for, and never holds up, what the gateway
//! writes there. It can be thrown away at any time: whoever fills it goes through the recordings again
//! from where [`SearchWriter::position`] says, and that is the beginning for a new one.

mod batch;
mod excerpt;
mod find;
mod language;
mod terms;
mod write;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sallyport_core::SessionId;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};

pub use batch::{Batch, Place};
pub use excerpt::Excerpt;
pub use find::{Find, Found, Hit};
pub use language::{BadQuery, Query};
pub use write::{Position, SearchWriter};

use crate::database::{from_big, make_private};
use crate::error::StoreError;

/// Of the schema and of the made-up words. Another one on disk is thrown away.
const VERSION: i64 = 1;
/// Searches at a time; more wait.
const READERS: u32 = 3;
const PATIENCE: Duration = Duration::from_secs(5);

/// The index, to be searched. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SearchIndex {
    read: SqlitePool,
    path: PathBuf,
    current: Arc<AtomicBool>,
}

impl SearchIndex {
    /// Opens the index, and makes it when it is not there, is damaged, or is of another version.
    ///
    /// # Errors
    /// When it can be neither opened nor made.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        if prepare(path).await.is_err() {
            tracing::warn!("the search index cannot be used as it is; it is made anew from the recordings");
            remove(path)?;
            make_private(path)?;
            prepare(path).await?;
        }
        let read = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(PATIENCE)
            .connect_with(options(path).pragma("query_only", "on"))
            .await?;
        Ok(Self { read, path: path.to_owned(), current: Arc::new(AtomicBool::new(false)) })
    }

    /// What fills it. Its connection works at the priority of the thread that asks.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn writer(&self) -> Result<SearchWriter, StoreError> {
        Ok(SearchWriter::new(options(&self.path).connect().await?))
    }

    /// Says whether the index has everything that is recorded.
    pub fn set_current(&self, current: bool) {
        self.current.store(current, Ordering::Release);
    }

    /// Whether it has.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.current.load(Ordering::Acquire)
    }

    /// The segment with a session's first entry, when the index has it.
    ///
    /// # Errors
    /// When the index fails.
    pub async fn segment_of(&self, session: &SessionId) -> Result<Option<u64>, StoreError> {
        let segment = sqlx::query_scalar::<_, i64>("SELECT segment FROM sessions WHERE session = $1")
            .bind(session.as_str())
            .fetch_optional(&self.read)
            .await?;
        Ok(segment.map(from_big))
    }

    /// Closes its connections.
    pub async fn close(&self) {
        self.read.close().await;
    }

    /// Throws an index away. Nobody may have it open.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove(path: &Path) -> Result<(), StoreError> {
        remove(path)
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        // What a power cut takes is read from the recordings again: the position goes with it.
        .synchronous(SqliteSynchronous::Normal)
        .pragma("cache_size", "-16000")
        // What has expired is not to be found in free pages.
        .pragma("secure_delete", "on")
        .disable_statement_logging()
}

/// Makes the schema, or makes sure that it is ours.
async fn prepare(path: &Path) -> Result<(), StoreError> {
    let mut connection: SqliteConnection = options(path).connect().await?;
    let version = sqlx::query_scalar::<_, i64>("PRAGMA user_version").fetch_one(&mut connection).await?;
    if version == 0 {
        let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::raw_sql(include_str!("schema.sql")).execute(&mut *tx).await?;
        sqlx::raw_sql("PRAGMA user_version = 1").execute(&mut *tx).await?;
        tx.commit().await?;
    } else if version != VERSION {
        return Err(StoreError::Corrupt("search index"));
    }
    // Cheap, and finds a file that is no database or lacks a table.
    sqlx::query("SELECT 1 FROM progress, blocks, operations, sessions, words LIMIT 1")
        .fetch_optional(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::File { path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
