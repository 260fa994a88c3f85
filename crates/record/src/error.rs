//! Why something could not be recorded, or a recording not be read.

use std::io;

use thiserror::Error;

/// Why something could not be recorded. Every one of them is a refusal of what was to be recorded.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The disk is full, or less than the configured space is free.
    #[error("there is no space for the recording")]
    Full,
    /// The disk failed.
    #[error("the recording could not be written or read: {0}")]
    Io(#[from] io::Error),
    /// What was written could not be made durable; whether it survives is unknown.
    #[error("the recording could not be made durable")]
    NotSynced,
    /// The session's recording is sealed.
    #[error("this session's recording is sealed")]
    Sealed,
    /// The entry is larger than an entry may be.
    #[error("the entry is larger than {} bytes", crate::format::MAX_FRAME)]
    TooLarge,
    /// Another process records into the same directory.
    #[error("another process is recording into this directory")]
    Locked,
    /// The log on disk is not one that this version can continue.
    #[error("the recording on disk cannot be continued: {0}")]
    Damaged(String),
    /// A key file that cannot be used.
    #[error("the recording key: {0}")]
    Key(String),
    /// The event could not be encoded.
    #[error("the entry could not be encoded: {0}")]
    Encode(#[from] serde_json::Error),
    /// What the entry said was let go.
    #[error("what was recorded here was let go when its time was over")]
    Gone,
    /// The recorder stopped in the middle of a write and takes nothing more.
    #[error("the recorder has stopped")]
    Stopped,
}

impl RecordError {
    /// An error of a write: no space is told apart from a failing disk.
    pub(crate) fn of_write(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full
            }
            _ => Self::Io(error),
        }
    }
}
