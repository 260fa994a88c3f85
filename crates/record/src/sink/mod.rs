//! Sinks: where copies of the log go, so that what was recorded outlives the machine it was recorded on.
//!
//! ```text
//! segments/ torn/ checkpoint  ->  outbox (what lacks)  ->  store (create, never replace)  ->  bucket or folder
//!                                    ledger (what was sent)                                      -> fetch
//! ```
//!
//! A sink is only ever added to: every object has a name of its own and is created, never replaced and
//! never removed. So a bucket with a retention lock is as good as any, and who may write here can take
//! nothing away. What is there already is compared, not believed.

mod address;
mod fetch;
mod ledger;
mod outbox;
pub(crate) mod parts;
mod same;
mod sending;
mod status;
mod store;

pub use address::{Provider, SinkAddress};
pub use fetch::{Fetched, fetch, logs};
pub use outbox::send_all;
pub use sending::Sending;
pub use status::{SinkStatus, Waiting, status};
pub use store::{Sink, SinkError, SinkSettings};

/// Where a log's bookkeeping of what was sent lies, beside the segments.
const FOLDER: &str = "sink";
/// Folders of a log, here and in a sink.
const SEGMENTS: &str = "segments";
const TORN: &str = "torn";
const CHECKPOINTS: &str = "checkpoints";
/// Checkpoints that a witness signed, by the tree's size.
const WITNESSED: &str = "witnessed";
/// The log's public key, for who looks into a sink. Whom to trust for it is another question.
const KEY: &str = "recording.vkey";

#[cfg(test)]
mod cloud_tests;
#[cfg(test)]
mod tests;
