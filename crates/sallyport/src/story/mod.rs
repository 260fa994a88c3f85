//! A recording as a story: what was asked, what was decided, what came back.
//!
//! ```text
//! entries -> Teller (teller, results) -> Moments -> lines (transcript) | page, table, cast (export)
//! ```
//!
//! Everything that came from outside is made visible in here, so that no viewer shows anything that could
//! drive a terminal; each viewer adds what its own form asks for.

mod gathered;
mod mysql;
mod pace;
mod results;
mod teller;
mod transcript;

use sallyport_core::{Effect, Timestamp};

pub(crate) use pace::{Pace, Step};
pub(crate) use teller::{Room, Teller};
pub(crate) use transcript::{Line, Transcript};

#[cfg(test)]
pub(crate) mod testing;

/// One thing that happened. Text in it is safe to show as text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    /// When it was recorded.
    pub(crate) at: Timestamp,
    /// The entry that says so.
    pub(crate) sequence: u64,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The session began.
    Opened(Box<Opened>),
    /// An operation was decided.
    Asked(Box<Asked>),
    /// Rows that went to the caller.
    Table(Table),
    /// An error or notice, as the caller got it.
    Said { severity: String, code: String, message: String },
    /// The target's word at the end of a statement.
    Tag(String),
    /// How an operation ended.
    Ended(Ended),
    /// What the gateway asked the target on the session's own connection.
    Learnt { text: String, answers: Vec<(String, String)> },
    /// A message that carries no operation was refused.
    MessageRefused { message: String, refusal: String },
    /// The caller asked to cancel.
    Cancel,
    /// The session ended.
    Closed { reason: String, operations: u64 },
    /// The recorder's own word.
    Note { event: String, reason: String },
    /// The signed end.
    Sealed { entries: u64, head: String },
    /// What could not be read.
    Unreadable(String),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Opened {
    pub(crate) who: String,
    pub(crate) principal: String,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) kind: String,
    pub(crate) target: String,
    pub(crate) protocol: String,
    pub(crate) database: String,
    pub(crate) client: String,
    pub(crate) by: String,
    pub(crate) server: String,
    pub(crate) gateway: String,
    pub(crate) policy: String,
}

/// What became of an operation when it was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passage {
    /// It was sent on.
    Passed,
    /// It waits for a human.
    Held,
    /// It was not sent on.
    Refused,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) operation: u64,
    pub(crate) passage: Passage,
    pub(crate) effect: Effect,
    pub(crate) rule: String,
    pub(crate) reason: Option<String>,
    /// The request for approval, and who approved.
    pub(crate) request: Option<String>,
    pub(crate) approved_by: Vec<String>,
    /// Code and message of the refusal.
    pub(crate) refusal: Option<(String, String)>,
    /// The statement, line by line.
    pub(crate) text: Vec<String>,
    /// What of the statement is not shown.
    pub(crate) left_out: Option<String>,
    /// The parameters' values; nothing for NULL.
    pub(crate) parameters: Vec<Option<String>>,
    /// What it would do, in words.
    pub(crate) facts: Vec<String>,
    /// `delete public.users`, for tables.
    pub(crate) actions: Vec<String>,
}

/// Some rows of a result.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) operation: u64,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// Whether these are the first rows of the result.
    pub(crate) first: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ended {
    pub(crate) operation: u64,
    pub(crate) rows: u64,
    pub(crate) masked: u64,
    pub(crate) duration_us: u64,
    pub(crate) error: Option<String>,
    /// Rows of the result that were not shown.
    pub(crate) hidden: u64,
    /// Bytes that the caller sent after the operation, as COPY does.
    pub(crate) sent: u64,
}
