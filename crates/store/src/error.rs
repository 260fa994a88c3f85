//! What can go wrong in the store. None of it is ever a pass.

use std::path::PathBuf;

use sallyport_core::AnswerRefused;
use thiserror::Error;

/// Why the store did not do it. For the operator's log: callers of the gateway get `SLP-STORE`, or
/// `SLP-LIMIT` for [`StoreError::TooMany`] and [`StoreError::TooLarge`].
#[derive(Debug, Error)]
pub enum StoreError {
    /// It did not answer within its deadline.
    #[error("the store did not answer in time")]
    Deadline,
    /// The principal has as many open requests as it may.
    #[error("too many requests of this principal are open")]
    TooMany,
    /// The object is larger than the store takes.
    #[error("the object is larger than the store takes")]
    TooLarge,
    /// There is no such object.
    #[error("no such object")]
    NotFound,
    /// An object with this id exists and is another one.
    #[error("an object with this id exists already")]
    Conflict,
    /// A stored value cannot be read.
    #[error("a stored {0} cannot be read")]
    Corrupt(&'static str),
    /// The file or its folder is not private, or not ours to make so.
    #[error("{path}: {problem}")]
    NotPrivate {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("the database refused: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl StoreError {
    /// Whether it failed because a row with the same key exists.
    pub(crate) fn is_duplicate(error: &sqlx::Error) -> bool {
        error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }
}

/// Why an answer to a request was not taken.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// There is no such request.
    #[error("no such request")]
    NotFound,
    /// This approver may not, or not now. The text is for who tried.
    #[error(transparent)]
    Refused(#[from] AnswerRefused),
    /// The store failed; nothing was answered.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AnswerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
