//! The recording: an append-only, hash-chained, signed log of what every session did.
//!
//! Data flows one way. A session's [`Tape`] turns an event and its exact bytes into a framed entry
//! (`format`, encrypted by `cipher`), the log links it to the entry before and writes it to the current segment (`log`,
//! `segment`, `medium`), a thread of its own makes what was written durable (`sync`), and a
//! [`Receipt`] says so. `recover` brings a log back after a crash; [`read`] and [`mod@verify`] need
//! only the files. The format is written down in `docs/recording-format.md`, from which a stranger
//! can check a recording without this crate.
//!
//! A receipt cannot be made by anyone but the recorder:
//!
//! ```compile_fail,E0451
//! use sallyport_core::{Digest, SessionId};
//! fn forge(session: SessionId, sequence: u64, hash: Digest) -> sallyport_record::Receipt {
//!     sallyport_record::Receipt { session, sequence, hash }
//! }
//! ```
//!
//! nor can one be used twice:
//!
//! ```compile_fail,E0599
//! fn twice(receipt: sallyport_record::Receipt) -> (sallyport_record::Receipt, sallyport_record::Receipt) {
//!     (receipt.clone(), receipt)
//! }
//! ```

mod aws;
mod beginning;
mod checkpoint;
mod cipher;
mod decode;
mod error;
mod format;
mod header;
mod journal;
mod judged;
mod keeper;
mod keys;
mod log;
mod medium;
mod next_key;
mod note;
mod packed;
pub mod proof;
pub mod read;
mod recorder;
mod recover;
mod report;
mod results;
pub mod retention;
mod scan;
mod segment;
pub mod sink;
mod statements;
mod sync;
pub mod tail;
mod tape;
#[cfg(test)]
mod testing;
mod tree;
pub mod verify;
mod witness;
mod wrapping;

pub use aws::AwsIdentity;
pub use checkpoint::Checkpoint;
pub use ed25519_dalek::{SigningKey, VerifyingKey};
pub use error::RecordError;
pub use header::WrappedKey;
pub use journal::Journal;
pub use keys::{load_or_create_key, load_public_key};
pub use note::NoteKey;
pub use recorder::{Durability, Need, Recorder, RecorderSettings, Terms};
pub use results::Results;
pub use statements::Torn;
pub use tape::{Appended, Receipt, Seal, Tape};
pub use witness::{Answered, Post, Witness, Witnesses};
pub use wrapping::{DataKey, KeyFiles, Wrapping};
