//! What the target is expected to answer next.

use std::sync::Arc;

use bytes::Bytes;
use sallyport_wire::pg::frontend::Subject;
use tokio::sync::oneshot;

use super::control::Setting;
use super::running::{Running, Statement};

/// One expectation; each stands for the replies to one message that was forwarded, or for an answer
/// of the gateway's own that has its place among them.
#[derive(Debug)]
pub(super) enum Expected {
    /// Nothing from the target: these bytes go to the caller in their turn.
    Local(Answer),
    /// `Query`, up to its `ReadyForQuery`.
    Query(Arc<Running>),
    /// `Parse`, and the gateway's own Describe of the statement, which the caller does not see.
    Parse {
        /// Number of the operation.
        operation: u64,
        /// Name it was parsed under.
        name: Vec<u8>,
        /// What it is.
        statement: Arc<Statement>,
        /// `ParseComplete` has come; the gateway's Describe is being answered.
        parsed: bool,
    },
    /// `Bind`.
    Bind {
        /// Name it was bound under.
        portal: Vec<u8>,
        /// What runs in it.
        running: Arc<Running>,
    },
    /// `Describe`.
    Describe(Subject),
    /// `Execute`.
    Execute(Arc<Running>),
    /// `Close`, and what it closed, should it be skipped.
    Close {
        /// Name.
        name: Vec<u8>,
        /// The statement that was taken out of the map.
        statement: Option<Arc<Statement>>,
    },
    /// `Sync`.
    Sync,
    /// The message that fails the transaction in place of a refused one; this goes in place of its error.
    Refused(Answer),
    /// The gateway's own question about the session's settings.
    Reading(Questions),
}

/// An answer of the gateway's own.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Number of the operation that it answers: where it is recorded.
    pub(super) operation: u64,
    /// The messages.
    pub(super) bytes: Bytes,
}

/// The gateway's own questions, one after the other.
#[derive(Debug)]
pub(super) struct Questions {
    /// What is asked, in order.
    pub(super) settings: Vec<Setting>,
    /// Answers so far.
    pub(super) answers: Vec<String>,
    /// A Sync of our own follows, whose `ReadyForQuery` the caller does not see.
    pub(super) synced: bool,
    /// `CloseComplete`s that have come for the present question.
    pub(super) closed: u8,
    /// Where the answers go; dropped when the target refuses.
    pub(super) to: Option<oneshot::Sender<Vec<String>>>,
}
